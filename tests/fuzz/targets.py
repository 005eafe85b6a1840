"""What is fuzzed: every function that takes bytes of unknown origin, and what must hold of each answer.

Only errors of the package may come out. What a verifier accepts must be its own canonical form, and all roads
must say the same.
"""

from __future__ import annotations

import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from attacks.owners import owner
from attacks.verifiers import VERIFIERS, judged, shown
from lxml import etree

from bhxh_sdk import xml
from bhxh_sdk.errors import BhxhError, VerificationError
from bhxh_sdk.xml.reader import parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["SLOW", "TARGETS", "Finding", "outcome"]

SLOW = 2.0
"""How many seconds of computing one input may take."""

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Finding(Exception):  # noqa: N818  # not an error of the target but what the fuzzer looks for
    """An answer that must not be."""


def _verified(content: bytes, **options: object) -> str:
    first, *others = [judged(road, content, **options) for road in VERIFIERS]
    for other in others:
        if shown(other) != shown(first) and not _only_as_signed(first, other):
            raise Finding(f"the roads differ: {_brief(first)}, but {_brief(other)}")
    if not isinstance(first, xml.Verified):
        raise first
    _check_canonical(first.content)
    return "verified"


def _only_as_signed(thorough: object, other: object) -> bool:
    """Tell whether a key's owner signed bytes that are not canonical or deep, and exactly these came out."""
    if not isinstance(thorough, VerificationError) or not isinstance(other, xml.Verified):
        return False
    told = thorough.reason in {"content-changed", "not-xml", "not-canonical", "unsafe", "place"}
    return told and (thorough.code == "document.too_deep" or not _is_canonical(other.content))


def _brief(verdict: object) -> str:
    return f"{verdict.reason}, {verdict.code}" if isinstance(verdict, VerificationError) else "accepted"


def _check_canonical(content: bytes) -> None:
    if not _is_canonical(content):
        raise Finding("what was verified is not canonical")


def _is_canonical(content: bytes) -> bool:
    try:
        root = etree.fromstring(content, etree.XMLParser(huge_tree=True, resolve_entities=False))
        return etree.tostring(root.getroottree(), method="c14n") == content
    except etree.LxmlError:
        return False


def _verify(content: bytes) -> str:
    return _verified(content)


def _verify_with_options(content: bytes) -> str:
    options = {"allow_sha1": True, "smallest_key": 1024, "size_limit": 1_000_000}
    at = "D02-TS/Cky" if b"<D02-TS" in content else xml.PLACE
    return _verified(content, at=at, roots=[owner().certificate], moment=NOON, **options)


def _read(content: bytes) -> str:
    xml.read(content)
    return "read"


def _read_envelope(content: bytes) -> str:
    xml.read_envelope(content)
    return "read"


def _parsed(content: bytes) -> str:
    parsed(content, size_limit=100_000)
    return "parsed"


def _prepared(saved: bytes) -> str:
    again = xml.PreparedSignature.from_bytes(saved)
    if xml.PreparedSignature.from_bytes(again.to_bytes()) != again:
        raise Finding("what was saved and read is another value")
    try:
        xml.complete(again, bytes(256))
    except BhxhError:
        return "prepared"
    raise Finding("a signature value of zeros was accepted")


TARGETS: dict[str, dict[str, Callable[[bytes], str]]] = {
    "xml": {
        "verify": _verify,
        "verify with options": _verify_with_options,
        "read": _read,
        "read_envelope": _read_envelope,
        "parsed": _parsed,
    },
    "json": {"PreparedSignature.from_bytes": _prepared},
}
"""The targets by the kind of input that they take."""


def outcome(kind: str, content: bytes) -> Iterator[str]:
    """Give each target's answer, told by the road through the package that led to it.

    Raises:
        Finding: an exception of another kind, a broken promise, or an answer that took too long.

    """
    for name, target in TARGETS[kind].items():
        start = time.process_time()
        try:
            told = target(content)
        except BhxhError as error:
            told = _road(error)
        except Finding as finding:
            raise Finding(f"{name}: {finding}") from finding
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            told = f"{type(error).__name__} in {place.name}, {Path(place.filename).name}:{place.lineno}"
            raise Finding(f"{name}: {told}: {error}") from error
        if time.process_time() - start > SLOW:
            raise Finding(f"{name}: took {time.process_time() - start:.1f} s")
        yield f"{name}: {told}"


def _road(error: BhxhError) -> str:
    lines = []
    trace = error.__traceback__
    while trace is not None:
        lines.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    reason = error.parameters.get("reason", "")
    return f"{type(error).__name__} {error.code} {reason} {' '.join(lines[1:])}"
