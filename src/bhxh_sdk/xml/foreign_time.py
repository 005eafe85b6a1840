"""The time that a foreign signature claims, read where signers of several makes write it.

Source: signatures seen in dossiers (SigningTime of any namespace, as XAdES has it too; SignatureTime of
Office signatures, ECMA-376 part 2).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["signing_time"]

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_TIMES = etree.XPath(
    "descendant-or-self::*[local-name()='SigningTime' and not(*)]"
    "|descendant-or-self::office:SignatureTime/office:Value[not(*)]",
    namespaces={"office": "http://schemas.openxmlformats.org/package/2006/digital-signature"},
)


def signing_time(elements: Iterable[etree._Element]) -> tuple[bool, datetime | None]:
    """Tell whether the elements claim a time, and which one.

    Args:
        elements: the elements to look in.

    Returns:
        Whether there is a claim, and the time in UTC; None where there are several claims, or one without a
        zone or that is no time.

    """
    found = [time.text or "" for element in elements for time in _TIMES(element)]
    return bool(found), _moment(found[0].strip()) if len(found) == 1 else None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if _TIME.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None
