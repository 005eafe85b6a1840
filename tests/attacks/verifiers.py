"""The roads that must agree: every attack is judged by each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk import xml
from bhxh_sdk.errors import VerificationError
from bhxh_sdk.xml import verification

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["VERIFIERS", "judged", "shown"]


def _verify_truly(content: bytes, **options: object) -> xml.Verified:
    """Verify without guesses: parse, canonicalise and compare."""
    quickly = verification._verified_quickly
    verification._verified_quickly = lambda *_: None
    try:
        return xml.verify(content, **options)
    finally:
        verification._verified_quickly = quickly


VERIFIERS: dict[str, Callable[..., xml.Verified]] = {"default": xml.verify, "true road": _verify_truly}


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
