"""Walking a parsed document: only elements without attributes, text only in leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lxml import etree

__all__ = ["children", "is_blank", "name_of", "shown_tag", "text_of"]


def is_blank(text: str | None) -> bool:
    """Tell whether there is nothing but XML white space."""
    return text is None or not text.strip(" \t\r\n")


def name_of(element: etree._Element) -> str:
    """Return the element's name, with its namespace in braces if it has one."""
    return str(element.tag)


def shown_tag(element: etree._Element) -> str:
    """Return the element's name for a message, not too long."""
    return name_of(element)[:80]


def children(
    element: etree._Element, where: str, known: Collection[str] | None = None
) -> Iterator[etree._Element]:
    """Give the children of an element that holds only elements, indentation passed over.

    Raises:
        DocumentError: there is text between them, the element has attributes, or a child is not a known one.

    """
    check_plain(element, where)
    if not is_blank(element.text):
        raise DocumentError("document.unexpected_text", field=where)
    for child in element:
        if not is_blank(child.tail):
            raise DocumentError("document.unexpected_text", field=where)
        if known is not None and child.tag not in known:
            raise DocumentError("document.unexpected_element", field=f"{where}/{shown_tag(child)}")
        yield child


def text_of(element: etree._Element, where: str) -> str:
    """Return the text of an element that holds nothing else."""
    check_plain(element, where)
    if len(element):
        raise DocumentError("document.unexpected_element", field=f"{where}/{shown_tag(element[0])}")
    return element.text or ""


def check_plain(element: etree._Element, where: str) -> None:
    """No element of these documents has attributes; one that has means something that is not understood."""
    if element.attrib:
        raise DocumentError("document.unexpected_attribute", field=where)
