"""What a document may cost: bounds that keep parsing and canonicalising in step with its size.

Canonical XML takes, for each element, a time that grows with its depth and with the square of the namespaces
in scope. The bounds are far above every form seen, and no element is looked at in Python to check them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from bhxh_sdk.errors import UnsafeDocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ELEMENT_LIMIT", "check_bounds", "check_depth"]

ELEMENT_LIMIT = 1_500_000
"""How many elements a document may have: a list of 50,000 people with 25 values each, and room to spare."""

_MOST_ATTRIBUTES = 16
_MOST_NAMESPACES = 16
_MOST_NAMESPACES_TIMES_ELEMENTS = 10_000_000
_DEEPEST = 32

_ATTRIBUTE = rb"""[ \t\r\n]*+%b[ \t\r\n]*+=[ \t\r\n]*+(?>"[^"<]*+"|'[^'<]*+')"""
_NAME = rb"""[^\s<>/="']++"""
_TAG = re.compile(rb"<[^\s<>/]++((?:%b)++)" % (_ATTRIBUTE % _NAME))
_NAMES = re.compile(_ATTRIBUTE % (rb"(%b)" % _NAME))
_DECLARATION = re.compile(rb"xmlns(?::|$)")
_IS_TOO_DEEP = etree.XPath(f"boolean({'/*' * (_DEEPEST + 1)})")


def check_bounds(body: bytes, *, element_limit: int = ELEMENT_LIMIT) -> None:
    """Refuse a document that would cost too much, before it is parsed.

    Args:
        body: its bytes after the declaration, without comments, CDATA sections and processing instructions,
            so that every `<` belongs to a tag.
        element_limit: how many elements it may have.

    Raises:
        UnsafeDocumentError: too many elements, too many attributes on one, too many namespace declarations,
            or too many of them for so many elements.

    """
    closing = body.count(b"</")
    elements = max(body.count(b"<") - closing, closing)
    if elements > element_limit:
        raise UnsafeDocumentError("document.too_many_elements", count=elements, limit=element_limit)
    namespaces = 0
    for tag in _TAG.finditer(body):
        namespaces += _declarations(_NAMES.findall(tag[1]))
        if namespaces > _MOST_NAMESPACES:
            raise UnsafeDocumentError("document.too_many_namespaces", limit=_MOST_NAMESPACES)
    if namespaces * elements > _MOST_NAMESPACES_TIMES_ELEMENTS:
        most = _MOST_NAMESPACES_TIMES_ELEMENTS // namespaces
        raise UnsafeDocumentError(
            "document.namespaces_over_elements", namespaces=namespaces, count=elements, limit=most
        )


def check_depth(root: etree._Element) -> None:
    """Refuse a document whose elements are nested more than 32 deep.

    Raises:
        UnsafeDocumentError: they are.

    """
    if _IS_TOO_DEEP(root):
        raise UnsafeDocumentError("document.too_deep")


def _declarations(names: Sequence[bytes]) -> int:
    """Count the namespace declarations among an element's attributes; the other ones must not be too many."""
    found = sum(1 for name in names if _DECLARATION.match(name))
    if len(names) - found > _MOST_ATTRIBUTES:
        raise UnsafeDocumentError("document.too_many_attributes", limit=_MOST_ATTRIBUTES)
    return found
