"""Drivers and tokens for the doctor."""

from __future__ import annotations

from tokens.fixtures import *  # noqa: F403  # fixtures are found by their names
