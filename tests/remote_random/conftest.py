"""The moment at which random runs begin."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest


@pytest.fixture(scope="session")
def now():
    return datetime(2026, 9, 1, 3, 0, tzinfo=UTC)
