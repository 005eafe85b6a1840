"""Tolerant reading: what the portal and the I-VANs really answer, brought to plain values.

Seen in captures: member names in any case, numbers as floats (`123.0`), JSON inside a string, null for an
empty list, dates in both orders, and HTML pages from a login wall or a firewall where JSON was promised. An
error made here names the status and the content type of the answer, never its body.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from bhxh_sdk.errors import UnexpectedReplyError
from bhxh_sdk.models.text import normalised

if TYPE_CHECKING:
    from bhxh_sdk.ports import Reply

__all__ = [
    "VIETNAM",
    "as_flag",
    "as_list",
    "as_moment",
    "as_object",
    "as_text",
    "json_object",
    "json_value",
    "member",
    "unexpected",
]

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""The zone of every time that the other side sends without one."""

_DEEPEST = 64
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LARGEST_EXACT_FLOAT = 2**53


def unexpected(reply: Reply, code: str | None = None) -> UnexpectedReplyError:
    """Make the error for an answer that cannot be understood: status and content type, never its body."""
    content_type = reply.header("content-type").split(";")[0].strip()
    return UnexpectedReplyError(code, status=reply.status, content_type=content_type[:80])


def json_value(reply: Reply) -> Any:  # noqa: ANN401  # foreign data
    """Return the JSON value of an answer; JSON packed into a string is unpacked.

    Raises:
        UnexpectedReplyError: the body is an HTML page, is cut short or is no JSON.

    """
    if reply.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise unexpected(reply, "unexpected_reply.html")
    with suppress(ValueError):
        return _unpacked(_loads(reply.body))
    raise unexpected(reply, "unexpected_reply.not_json")  # Python's own error would carry the whole body


def json_object(reply: Reply) -> dict[str, Any]:
    """Return the JSON object of an answer.

    Raises:
        UnexpectedReplyError: the body is no JSON, or JSON of another shape.

    """
    value = json_value(reply)
    if not isinstance(value, dict):
        raise unexpected(reply, "unexpected_reply.shape")
    return value


def _loads(text: str | bytes) -> Any:  # noqa: ANN401  # foreign data
    try:
        value = json.loads(text.decode("utf-8-sig") if isinstance(text, bytes) else text)
    except RecursionError:
        msg = "nested too deeply"
        raise ValueError(msg) from None
    if _depth_exceeds(value, _DEEPEST):
        msg = "nested too deeply"
        raise ValueError(msg)
    return value


def _depth_exceeds(value: object, limit: int) -> bool:
    layer = [value]
    for _ in range(limit):
        layer = [inner for outer in layer for inner in _inside(outer)]
        if not layer:
            return False
    return True


def _inside(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _unpacked(value: Any) -> Any:  # noqa: ANN401  # foreign data
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        return _loads(value)
    return value


def member(value: object, *names: str) -> Any:  # noqa: ANN401  # foreign data
    """Return the first of the named members that is there and not null, names compared without case.

    Args:
        value: an object of the answer; anything else has no members.
        names: candidates in order of preference. A dot goes one object down: `info.Tthoso.Sohoso`; a member
            whose own name has a dot, such as `.expires`, is found first.

    """
    for name in names:
        found = _one_member(value, name)
        if found is None:
            found = _inner_member(value, name)
        if found is not None:
            return found
    return None


def _inner_member(value: object, name: str) -> Any:  # noqa: ANN401  # foreign data
    for part in name.split("."):
        value = _one_member(value, part)
    return value


def _one_member(value: object, name: str) -> Any:  # noqa: ANN401  # foreign data
    if isinstance(value, str):
        value = as_object(value)
    if not isinstance(value, dict):
        return None
    if name in value:
        return value[name]
    wanted = name.casefold()
    return next((value[key] for key in value if key.casefold() == wanted), None)


def as_text(value: object) -> str:
    """Return a scalar as text: null is empty, `123.0` is `123`, true is `true`; the rest is empty.

    Lone surrogates, which JSON can spell and no encoding can hold, become U+FFFD.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_EXACT_FLOAT:
        return str(int(value))
    return normalised(_SURROGATE.sub("\ufffd", str(value))) if isinstance(value, str | int | float) else ""


def as_list(value: object) -> list[Any]:
    """Return a list: null and an empty text are an empty one, a list packed into a string is unpacked.

    Raises:
        UnexpectedReplyError: the value is something else.

    """
    value = _quietly_unpacked(value)
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return value
    raise UnexpectedReplyError("unexpected_reply.shape")


def as_object(value: object) -> dict[str, Any]:
    """Return an object; whatever is not one, packed in a string or not, is an empty one."""
    value = _quietly_unpacked(value)
    return value if isinstance(value, dict) else {}


def _quietly_unpacked(value: object) -> object:
    try:
        return _unpacked(value)
    except ValueError:
        return None


def as_flag(value: object) -> bool | None:
    """Return a truth value written as true, 1, 1.0, "1" or "true"; None when it says neither yes nor no."""
    text = as_text(value).lower()
    return {"true": True, "1": True, "false": False, "0": False}.get(text)


_DAY_FIRST = re.compile(r"([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4})(?:[ T]+(.{1,20}))?")
_EPOCH = re.compile(r"(?:/Date\()?(-?[0-9]{9,14})(?:[+-][0-9]{4})?(?:\)/)?")
_FIRST_MILLISECONDS = 100_000_000_000


def as_moment(value: object) -> datetime | None:
    """Return a date or time in UTC; None when there is none or it cannot be read.

    Understands ISO 8601, `dd/MM/yyyy` with or without a time, HTTP dates, `/Date(…)/` and seconds or
    milliseconds since 1970. A time without a zone is Vietnam's. Source: both date orders are seen in notices
    (01/TB-GD, 03/TB-TS).
    """
    text = as_text(value)
    for read in (_epoch, _day_first, datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except (ValueError, OverflowError, OSError):
            continue
        if moment is not None:
            return _in_utc(moment)
    return None


def _in_utc(moment: datetime) -> datetime | None:
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM)).astimezone(UTC)
    except OverflowError:
        return None


def _epoch(text: str) -> datetime | None:
    match = _EPOCH.fullmatch(text)
    if match is None:
        return None
    number = int(match[1])
    return datetime.fromtimestamp(number / 1000 if abs(number) >= _FIRST_MILLISECONDS else number, UTC)


def _day_first(text: str) -> datetime | None:
    match = _DAY_FIRST.fullmatch(text)
    if match is None:
        return None
    day, month, year, time = match.groups(default="00:00")
    return datetime.fromisoformat(f"{year}-{month:0>2}-{day:0>2}T{time.strip():0>5}")
