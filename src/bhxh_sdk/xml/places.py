"""The place of a signature: an element named by its path from the root, which must be there exactly once."""

from __future__ import annotations

import hashlib
import re
from io import BytesIO
from typing import TYPE_CHECKING

from lxml import etree

from bhxh_sdk.errors import DocumentError, InputError, UnsafeDocumentError
from bhxh_sdk.xml.limits import attributes_with_ids
from bhxh_sdk.xml.signature_shape import DSIG
from bhxh_sdk.xml.tree import name_of, shown_tag

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["canonical", "check_receivable", "element_at", "ids", "path_of", "sha256", "signatures"]

_XML = "{http://www.w3.org/XML/1998/namespace}"
_IDS = etree.XPath(
    "//@*[local-name()='Id' or local-name()='ID' or local-name()='id'][namespace-uri()='' or name()='xml:id']"
)
_LARGE = 1_000_000
_CHANGED_BY_PARSING = re.compile(rb"[&\t\r\n]")
_ID_NAMES = {b"Id", b"ID", b"id", b"xml:id"}


def element_at(root: etree._Element, at: str) -> etree._Element:
    """Return the element at a path such as `Hoso/CKy_Dvi`.

    Raises:
        InputError: the path is not one or more element names below the root's, none with a namespace.
        DocumentError: the document has no such element, or several.

    """
    first, *rest = at.split("/")
    if not rest or not all((first, *rest)) or "{" in at:
        raise InputError("xml.not_a_path", field="at", value=at)
    if root.tag != first:
        raise DocumentError("document.no_place", field=at)
    element = root
    for name in rest:
        found = [child for child in element if child.tag == name]
        if len(found) != 1:
            raise DocumentError("document.several_places" if found else "document.no_place", field=at)
        element = found[0]
    return element


def signatures(root: etree._Element, body: bytes) -> list[etree._Element]:
    """Return every Signature element of the document.

    Args:
        root: the document's root.
        body: its bytes. Where they show that all stand in the root's last child, the rest is not walked.

    """
    first = body.find(b"Signature")
    if first < 0:
        return []
    last = root[-1] if len(root) else root
    walked = last if first > body.rfind(b"<" + name_of(last).encode()) > 0 else root
    return list(walked.iter(f"{{{DSIG}}}Signature"))


def ids(root: etree._Element, body: bytes | None = None) -> Sequence[str]:
    """Return the value of every attribute that some verifier takes for an identifier.

    Args:
        root: the document's root.
        body: its bytes, if they are at hand; where few tags can have one, the tree is not walked.

    """
    written = None if body is None else attributes_with_ids(body)
    if written is None:
        return [str(value) for value in _IDS(root)]
    values = [value for name, value in written if name in _ID_NAMES]
    if any(_CHANGED_BY_PARSING.search(value) for value in values):
        return [str(value) for value in _IDS(root)]
    return [value.decode() for value in values]


def path_of(element: etree._Element | None) -> str:
    """Return an element's path from the root, such as `Hoso/CKy_Dvi`; empty without an element."""
    line = () if element is None else (element, *element.iterancestors())
    return "/".join(str(own.tag) for own in reversed(line))


def check_receivable(place: etree._Element) -> None:
    """Refuse what changes the meaning of a signature below: an `xml:` attribute on it or an ancestor.

    Inclusive canonical XML would copy it into SignedInfo, and .NET receivers refuse such documents.
    """
    for element in (place, *place.iterancestors()):
        if any(name.startswith(_XML) for name in element.attrib):
            raise UnsafeDocumentError("document.xml_attribute", field=shown_tag(element))


def canonical(root: etree._Element, *, exclusive: bool = False, size: int = 0) -> bytes:
    """Return the document's Canonical XML 1.0, inclusive or exclusive.

    The whole tree, always: lxml's inclusive form of a part of a tree is wrong below a default namespace.

    Args:
        root: the document's root.
        exclusive: by Exclusive XML Canonicalization.
        size: how many bytes the document has, if that is known; of a large one the form is written bit by
            bit, which takes less memory and then less time.

    Raises:
        DocumentError: it has no canonical form, as with a relative namespace URI.

    """
    try:
        if size < _LARGE:
            return etree.tostring(root.getroottree(), method="c14n", exclusive=exclusive, with_comments=False)
        into = BytesIO()
        root.getroottree().write(into, method="c14n", exclusive=exclusive, with_comments=False)
        return into.getvalue()
    except (etree.LxmlError, ValueError) as error:
        raise DocumentError("document.no_canonical_form") from error


def sha256(content: bytes) -> bytes:
    """Return the SHA-256 of bytes."""
    return hashlib.sha256(content).digest()
