"""Formats: how a value of the models stands as text in a document, and back.

A source is the path of a value, such as `organisation.tax_code`; it has a kind. A format writes and reads one
kind. Which source, format and element belong together is data of the document profiles.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from attrs import frozen

from bhxh_sdk import messages
from bhxh_sdk.errors import DocumentError
from bhxh_sdk.models import ResultDelivery, Stop, StopReason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ENVELOPE_SOURCES", "FORMATS", "REGISTRATION_SOURCES", "Format", "reason_words"]

_CERTIFICATE_SOURCES = {
    "certificate.serial_text": "text",
    "certificate.subject": "text",
    "certificate.issuer": "text",
    "certificate.common_name": "text",
    "certificate.issuer_name": "text",
    "certificate.not_before": "moment",
    "certificate.not_after": "moment",
}

REGISTRATION_SOURCES: Mapping[str, str] = {
    "agency.code": "text",
    "agency.name": "text",
    "organisation.name": "text",
    "organisation.tax_code": "text",
    "organisation.unit_code": "text",
    "organisation.address": "text",
    "organisation.phone": "text",
    "contact.name": "text",
    "contact.address": "text",
    "contact.mobile": "text",
    "contact.email": "text",
    "transact_at.code": "text",
    "transact_at.name": "text",
    "result_delivery": "delivery",
    "made_on": "date",
    "starts_on": "date",
    "changes": "text",
    "stop.from_date": "date",
    "stop.reason": "reason",
    "attachments": "files",
    **_CERTIFICATE_SOURCES,
}
"""Every value that a registration's profile may write, and its kind."""

ENVELOPE_SOURCES: Mapping[str, str] = {
    "ivan.code": "text",
    "ivan.name": "text",
    "organisation_name": "text",
    "unit_code": "text",
    "tax_code": "text",
    "signer_name": "text",
    "phone": "text",
    "agency_code": "text",
    "procedure_name": "text",
    "procedure_code": "text",
    "period": "date",
    "made_on": "date",
    "file_count": "count",
    "files": "files",
}
"""Every value that an envelope's profile may write, and its kind."""

_VIETNAM = timezone(timedelta(hours=7))


@frozen
class Format:
    """Write and read one kind of value.

    Args:
        kind: the kind of value.
        write: gives the text of a value.
        read: gives the value of a text; raises `DocumentError` without a field's name.

    """

    kind: str
    write: Callable[[Any], str]
    read: Callable[[str], Any]


def reason_words(reason: StopReason) -> str:
    """Return the Vietnamese words of a reason to stop, as a document carries them."""
    return messages.text(f"stop.reason.{reason.name.lower()}", "vi")


def _same(text: str) -> str:
    return text


@lru_cache(maxsize=256)
def _write_date(day: date) -> str:
    return f"{day.day:02}/{day.month:02}/{day.year:04}"


def _write_month(day: date) -> str:
    return _write_date(day)[3:]


def _write_moment_date(value: datetime) -> str:
    try:
        return _write_date(value.astimezone(_VIETNAM))
    except OverflowError:  # RFC 5280 writes 9999-12-31T23:59:59Z for a certificate that never expires
        return _write_date(value)


def _date_reader(pattern: str, code: str) -> Callable[[str], date]:
    shape = re.compile(pattern)

    def read(text: str) -> date:
        match = shape.fullmatch(text)
        try:
            parts = {name: int(digits) for name, digits in match.groupdict().items()} if match else {}
            return date(**{"day": 1, **parts})
        except (TypeError, ValueError):
            raise DocumentError(code, value=text[:40]) from None

    return read


_read_date = _date_reader("(?P<day>[0-9]{2})/(?P<month>[0-9]{2})/(?P<year>[0-9]{4})", "document.not_a_date")
_read_month = _date_reader("(?P<month>[0-9]{2})/(?P<year>[0-9]{4})", "document.not_a_month")
_read_iso_date = _date_reader(
    "(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})", "document.not_a_date"
)


def _read_count(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text):
        raise DocumentError("document.not_a_number", value=text[:40])
    return int(text)


def _write_delivery(value: ResultDelivery) -> str:
    return str(value.value)


def _read_delivery(text: str) -> ResultDelivery:
    try:
        return ResultDelivery(_read_count(text))
    except ValueError:
        raise DocumentError("document.unknown_value", value=text[:40]) from None


def _write_reason_text(value: Stop) -> str:
    return value.text or (reason_words(value.reason) if value.reason else "")


def _read_reason_text(text: str) -> dict[str, Any]:
    """Take the words of a known reason for that reason; any other text stays text."""
    named = next((reason for reason in StopReason if reason_words(reason) == text), None)
    return {"text": text} if named is None else {"reason": named}


def _write_reason_code(value: Stop) -> str:
    return str(value.reason.value) if value.reason else ""


def _read_reason_code(text: str) -> dict[str, Any]:
    try:
        return {"reason": StopReason(_read_count(text))}
    except ValueError:
        raise DocumentError("document.unknown_value", value=text[:40]) from None


FORMATS: Mapping[str, Format] = {
    "text": Format("text", str, _same),
    "date": Format("date", _write_date, _read_date),
    "iso_date": Format("date", date.isoformat, _read_iso_date),
    "month": Format("date", _write_month, _read_month),
    "moment_date": Format("moment", _write_moment_date, _same),
    "count": Format("count", str, _read_count),
    "delivery_code": Format("delivery", _write_delivery, _read_delivery),
    "reason_text": Format("reason", _write_reason_text, _read_reason_text),
    "reason_code": Format("reason", _write_reason_code, _read_reason_code),
    "files": Format("files", _same, _same),
}
"""The formats that a profile may name."""
