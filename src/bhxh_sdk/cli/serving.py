"""`bhxh sandbox`."""

from __future__ import annotations
import typer

__all__ = ["sandbox"]


def sandbox(ctx: typer.Context) -> None:
    """Sandbox."""
