"""Texts that a person reads on a phone, for providers that take nothing but plain letters."""

from __future__ import annotations

import base64
import re

from bhxh_sdk.models.text import without_marks

__all__ = ["plain_base64", "plain_text"]

_NOT_PLAIN = re.compile(r"[^a-z0-9_\- ]+")
_MOST_BASE64 = 96
"""Base64 comes in fours: the longest text of fewer than 100 characters."""


def plain_text(value: str, otherwise: str = "document") -> str:
    """Return a text in plain letters, digits, `_`, `-` and blanks: `Tờ khai.xml` gives `to khai_xml`.

    Args:
        value: the text.
        otherwise: what to return where nothing of it is left.

    """
    return _NOT_PLAIN.sub("_", without_marks(value)).strip("_ ") or otherwise


def plain_base64(value: str, otherwise: str = "document") -> str:
    """Return the beginning of a text in plain letters as base64 of fewer than 100 characters.

    Args:
        value: the text.
        otherwise: what to take where nothing of it is left.

    """
    plain = plain_text(value, otherwise).encode()
    return base64.b64encode(plain[: _MOST_BASE64 // 4 * 3]).decode()
