"""The roads that must agree: every attack is judged by each of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bhxh_sdk import xml
from bhxh_sdk.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["VERIFIERS", "judged", "shown"]


VERIFIERS: dict[str, Callable[..., xml.Verified]] = {
    "thorough": partial(xml.verify, thorough=True),
    "default": xml.verify,
}


def judged(road: str, content: bytes, **options: object) -> xml.Verified | VerificationError:
    """Return what a road makes of a document; any other exception is a fault and comes through."""
    try:
        return VERIFIERS[road](content, **options)
    except VerificationError as error:
        return error


def shown(verdict: object) -> object:
    """Return what two roads must have in common."""
    if not isinstance(verdict, VerificationError):
        return verdict
    return verdict.reason, verdict.code, dict(verdict.parameters)
