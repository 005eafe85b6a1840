"""Members of profiles and dialects: what a number, a path or an address in them may be."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bhxh_sdk.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_member", "check_paths"]

_LONGEST_SECONDS = 86_400
_LARGEST_COUNT = 1_000_000
_FURTHEST_HOURS = 24
_COUNTS = frozenset({"largest_batch", "most_signatures"})
_NOT_ZERO = frozenset({"life_seconds", "sign_seconds", "poll_seconds", "timeout_seconds", "blocking_seconds"})
_PATH = re.compile(r"(?!//)(?:[\w.~/-]|\{id\})*", re.ASCII)
_UP = re.compile(r"(?:^|/)\.{1,2}(?:/|$)")


def check_member(name: str, value: object, place: str) -> None:
    """Refuse a number, path or address that cannot be meant.

    Args:
        name: the member's name; its end tells what it is: `_seconds`, `_hours`, `_path`, `_url`.
        value: what it is, of the right type.
        place: the member as an error names it.

    Raises:
        InputError: a number is out of its range, a path is none, or an address is none of the web.

    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        least, most = _range_of(name)
        if not (math.isfinite(value) and least <= value <= most):
            raise InputError("remote.number", field=place, value=str(value), least=str(least), most=str(most))
    elif isinstance(value, str) and name.endswith("_path"):
        if not _PATH.fullmatch(value) or _UP.search(value):
            raise InputError("remote.path", field=place, value=value)
    elif isinstance(value, str) and value and name.endswith("_url") and not _is_address(value):
        raise InputError("remote.address", field=place)


def check_paths(changes: Mapping[str, object], shipped: Mapping[str, object]) -> None:
    """Refuse a changed path that lacks the slash with which the dialect's paths begin.

    Args:
        changes: the members that a profile changes.
        shipped: the dialect as it is shipped.

    Raises:
        InputError: a path lacks it.

    """
    paths = [value for name, value in shipped.items() if name.endswith("_path")]
    begins = any(isinstance(path, str) and path.startswith("/") for path in paths)
    for name, value in changes.items():
        if begins and name.endswith("_path") and isinstance(value, str) and value[:1] not in {"", "/"}:
            raise InputError("remote.path", field=f"dialect_changes.{name}", value=value)


def _range_of(name: str) -> tuple[float, float]:
    if name in _COUNTS:
        return 1, _LARGEST_COUNT
    if name.endswith("_hours"):
        return -_FURTHEST_HOURS, _FURTHEST_HOURS
    if name.endswith("_seconds"):
        return (1 if name in _NOT_ZERO else 0), _LONGEST_SECONDS
    return 0, _LARGEST_COUNT


def _is_address(value: str) -> bool:
    """Tell whether a text is an address of the web, without a name or password in it."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    is_web = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    return is_web and not parts.query and not parts.fragment and value.isascii() and value.isprintable()
