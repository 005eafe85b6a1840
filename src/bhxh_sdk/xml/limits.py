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
    from collections.abc import Iterator, Sequence

__all__ = ["ELEMENT_LIMIT", "attributes", "check_bounds", "check_depth", "check_elements"]

ELEMENT_LIMIT = 1_500_000
"""How many elements a document may have: a list of 50,000 people with 25 values each, and room to spare."""

_SMALL = 400_000
_MOST_ATTRIBUTES = 16
_MOST_NAMESPACES = 16
_MOST_NAMESPACES_TIMES_ELEMENTS = 10_000_000
_DEEPEST = 32

_ATTRIBUTE = rb"""[ \t\r\n]*+%b[ \t\r\n]*+=[ \t\r\n]*+(?>"[^"<]*+"|'[^'<]*+')"""
_NAME = rb"""[^\s<>/="']++"""
_FEW_SIGNS = 128
_SIGN = re.compile(rb"=")
_TAG = re.compile(rb"<[^\s<>/]++((?:%b)++)" % (_ATTRIBUTE % _NAME))
_NAMES = re.compile(_ATTRIBUTE % (rb"(%b)" % _NAME))
_PAIRS = re.compile(rb"""[ \t\r\n]*+([^\s<>/="']++)[ \t\r\n]*+=[ \t\r\n]*+["']([^"'<]*+)""")
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
    elements = _most_elements(body, element_limit)
    if elements > element_limit:
        raise UnsafeDocumentError("document.too_many_elements", count=elements, limit=element_limit)
    namespaces = 0
    for tag in _tags_with_attributes(body):
        namespaces += _declarations(_NAMES.findall(tag[1]))
        if namespaces > _MOST_NAMESPACES:
            raise UnsafeDocumentError("document.too_many_namespaces", limit=_MOST_NAMESPACES)
    _check_product(namespaces, elements)


def check_elements(body: bytes, namespaces: int) -> None:
    """Refuse a document as `check_bounds` does, when it is known to have only so many declarations.

    Args:
        body: its bytes; no element has attributes.
        namespaces: how many namespaces it declares.

    Raises:
        UnsafeDocumentError: too many elements or declarations, or too many of them for so many elements.

    """
    if len(body) <= _SMALL and namespaces <= _MOST_NAMESPACES:
        return  # too short for too many of anything
    elements = _most_elements(body, ELEMENT_LIMIT)
    if elements > ELEMENT_LIMIT or namespaces > _MOST_NAMESPACES:
        raise UnsafeDocumentError("document.too_many_elements", count=elements, limit=ELEMENT_LIMIT)
    _check_product(namespaces, elements)


def _check_product(namespaces: int, elements: int) -> None:
    if namespaces * elements > _MOST_NAMESPACES_TIMES_ELEMENTS:
        most = _MOST_NAMESPACES_TIMES_ELEMENTS // namespaces
        raise UnsafeDocumentError(
            "document.namespaces_over_elements", namespaces=namespaces, count=elements, limit=most
        )


def attributes(body: bytes) -> Sequence[tuple[bytes, bytes]] | None:
    """Return name and value of every attribute as they are written; None where there are more than a few.

    Args:
        body: bytes that `check_bounds` let pass.

    """
    if body.count(b"=") > _FEW_SIGNS:
        return None
    return [(pair[1], pair[2]) for tag in _tags_with_attributes(body) for pair in _PAIRS.finditer(tag[1])]


def _tags_with_attributes(body: bytes) -> Iterator[re.Match[bytes]]:
    """Give the tags that have attributes, without looking at all the others where there are few."""
    if body.count(b"=") > _FEW_SIGNS:
        yield from _TAG.finditer(body)
        return
    signs = [match.start() for match in _SIGN.finditer(body)]
    starts = {body.rfind(b"<", 0, sign) for sign in signs}
    yield from filter(None, (_TAG.match(body, start) for start in starts if start >= 0))


def _most_elements(body: bytes, limit: int) -> int:
    """Return a number that the elements do not exceed; the exact one costs more and is rarely needed.

    Each element of a well-formed document has exactly one slash in its tags, and others may stand in texts.
    """
    slashes = body.count(b"/")
    if slashes <= limit:
        return slashes
    closing = body.count(b"</")
    return max(body.count(b"<") - closing, closing)


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
