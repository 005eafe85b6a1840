"""Points in time as callers hand them over: with a zone, and such that UTC can say them."""

from __future__ import annotations

from datetime import UTC, datetime

from bhxh_sdk.errors import InputError, WrongTypeError

__all__ = ["as_written", "in_utc"]


def in_utc(moment: datetime, field: str) -> datetime:
    """Return a point in time in UTC.

    Args:
        moment: the point, with its zone.
        field: what an error names it.

    Raises:
        WrongTypeError: it is not a datetime.
        InputError: it has no zone, or lies before the year 1 or after 9999 in UTC.

    """
    if not isinstance(moment, datetime):
        raise WrongTypeError(field=field, expected="datetime", got=type(moment).__name__)
    if moment.tzinfo is UTC:
        return moment
    if moment.utcoffset() is None:
        raise InputError("xml.no_zone", field=field)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise InputError("xml.time_out_of_range", field=field) from error


def as_written(moment: datetime) -> str:
    """Return a point in time of UTC, whole seconds, as signatures hold it: `yyyy-MM-ddTHH:mm:ssZ`."""
    return f"{moment.isoformat()[:19]}Z"
