"""What a document may cost: bounds that keep parsing and canonicalising in step with its size.

Canonical XML takes, for each element, a time that grows with its depth and with the square of the namespaces
in scope. The bounds are far above every form seen, and no element is looked at in Python to check them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from lxml import etree

from bhxh_sdk.errors import UnsafeDocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Pairs = Sequence[tuple[bytes, bytes]]

__all__ = ["ELEMENT_LIMIT", "attributes_with_ids", "check_bounds", "check_depth", "check_elements"]

ELEMENT_LIMIT = 2_000_000
"""How many elements a document may have: a list of 50,000 people with 25 values each, and room to spare."""

_SMALL = 400_000
_MOST_ATTRIBUTES = 16
_MOST_NAMESPACES = 16
_MOST_NAMESPACES_TIMES_ELEMENTS = 10_000_000
_LONGEST_PREFIX = 64  # prefixes are compared with each other for each element
_LONGEST_ADDRESS = 256  # lxml and we spell it out in the name of each element
_DEEPEST = 32

_ATTRIBUTE = rb"""[ \t\r\n]*+%b[ \t\r\n]*+=[ \t\r\n]*+(?>"[^"<]*+"|'[^'<]*+')"""
_NAME = rb"""[^\s<>/="']++"""
_ENOUGH = _MOST_ATTRIBUTES + _MOST_NAMESPACES + 1
_ELEMENTS_OF_A_SIGNATURE = 40
_NAMESPACES_OF_A_SIGNATURE = 3
_FEW_SIGNS = 128
_SHORT_TAG = 512
_DECLARES = re.compile(rb"xmlns")
# Both begin with a literal, which is searched for quickly.
_CROWD = re.compile(rb"=(?:[^<=]*+=){%d}" % _MOST_ATTRIBUTES)  # more than one tag may have
_OF_AN_ID = re.compile(rb"=(?:(?<=[iI][dD]=)|(?<=[ \t\r\n]=))")  # after such a name, or a blank
_TAG = re.compile(rb"<[^\s<>/]++((?:%b)++)" % (_ATTRIBUTE % _NAME))
_PAIR = re.compile(rb"""[ \t\r\n]*+([^\s<>/="']++)[ \t\r\n]*+=[ \t\r\n]*+(?:"([^"<]*+)"|'([^'<]*+)')""")
_IS_TOO_DEEP = etree.XPath(f"boolean({'/*' * (_DEEPEST + 1)})")


def check_bounds(body: bytes, *, element_limit: int = ELEMENT_LIMIT, to_sign: bool = False) -> None:
    """Refuse a document that would cost too much, before it is parsed.

    Args:
        body: its bytes after the declaration, without comments, CDATA sections and processing instructions,
            so that every `<` belongs to a tag.
        element_limit: how many elements it may have.
        to_sign: whether a signature is still to come, which must fit in too.

    Raises:
        UnsafeDocumentError: too many elements, too many attributes on one, too many namespace declarations,
            too many of them for so many elements, one that is too long, or one that canonical forms
            disagree about.

    """
    elements = _most_elements(body, element_limit) + to_sign * _ELEMENTS_OF_A_SIGNATURE
    if elements > element_limit:
        raise UnsafeDocumentError("document.too_many_elements", count=elements, limit=element_limit)
    namespaces = to_sign * _NAMESPACES_OF_A_SIGNATURE
    for pairs in _declaring_tags(body):
        namespaces += _declarations(pairs)
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


def attributes_with_ids(body: bytes) -> Sequence[tuple[bytes, bytes]] | None:
    """Return name and value, as they are written, of every attribute on the tags that may have an identifier.

    Args:
        body: bytes of a well-formed document that `check_bounds` let pass.

    Returns:
        The attributes; None where more than a few tags are concerned.

    """
    signs = _few(_OF_AN_ID, body)
    if signs is None:
        return None
    return [pair for start in _starts(body, signs) for pair in _attributes_at(body, start)]


def _declaring_tags(body: bytes) -> Iterable[Pairs]:
    """Give the attributes of each tag that declares a namespace or may have too many attributes."""
    if body.find(b"=", body.find(b">")) < 0:  # the root alone
        return (_attributes_at(body, body.find(b"<")),)
    signs = None if _CROWD.search(body) else _few(_DECLARES, body)
    if signs is None:
        return (_pairs_in(tag[1]) for tag in _TAG.finditer(body))
    return (_attributes_at(body, start) for start in _starts(body, signs))


def _few(sign: re.Pattern[bytes], body: bytes) -> Sequence[re.Match[bytes]] | None:
    """Return where something stands; None when it is in too many places to look at each."""
    found = list(islice(sign.finditer(body), _FEW_SIGNS + 1))
    return found if len(found) <= _FEW_SIGNS else None


def _starts(body: bytes, signs: Iterable[re.Match[bytes]]) -> Iterator[int]:
    """Give where each tag begins that a sign stands in or after."""
    before = 0
    for sign in signs:
        start = body.rfind(b"<", before, sign.start())
        before = sign.start()
        if start >= 0:
            yield start


def _attributes_at(body: bytes, start: int) -> Pairs:
    text = body[start : body.find(b">", start) + 1]
    whole = len(text) <= _SHORT_TAG and b"'" not in text and not text.count(b'"') % 2
    if whole:  # no `>` in a value
        return _attributes_of(text)
    tag = _TAG.match(body, start)
    return _pairs_in(tag[1]) if tag else ()


@lru_cache(maxsize=256)
def _attributes_of(text: bytes) -> Pairs:
    """Return the attributes of a short tag; those of roots and signatures are always the same."""
    tag = _TAG.match(text)
    return _pairs_in(tag[1]) if tag else ()


def _pairs_in(text: bytes) -> Pairs:
    """Return the attributes in a tag, as many as show that there are too many."""
    found = islice(_PAIR.finditer(text), _ENOUGH)
    return tuple((pair[1], pair[2] or pair[3] or b"") for pair in found)


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


def _declarations(pairs: Pairs) -> int:
    """Count the namespace declarations among an element's attributes; the other ones must not be too many."""
    found = [(name, uri) for name, uri in pairs if name == b"xmlns" or name.startswith(b"xmlns:")]
    if len(pairs) - len(found) > _MOST_ATTRIBUTES:
        raise UnsafeDocumentError("document.too_many_attributes", limit=_MOST_ATTRIBUTES)
    if any(b"&" in uri for _, uri in found):  # libxml2 leaves it unescaped in the canonical form
        raise UnsafeDocumentError("document.namespace_with_reference")
    longest = _LONGEST_PREFIX + len(b"xmlns:")
    if any(len(name) > longest or len(uri) > _LONGEST_ADDRESS for name, uri in found):
        raise UnsafeDocumentError("document.long_namespace", prefix=_LONGEST_PREFIX, address=_LONGEST_ADDRESS)
    return len(found)
