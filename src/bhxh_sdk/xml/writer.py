"""The canonical writer: bytes that equal their own Canonical XML 1.0, written in one go.

Source: Canonical XML 1.0 (https://www.w3.org/TR/2001/REC-xml-c14n-20010315), section 2.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DECLARATION", "CanonicalWriter", "escaped", "escaped_attribute", "start_tag"]

DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'
"""The XML declaration as the field's documents have it; it is no part of the canonical form."""


def escaped(text: str) -> str:
    """Return text as canonical XML writes it between tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")


def escaped_attribute(text: str) -> str:
    """Return text as canonical XML writes it between the double quotes of an attribute."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return text.replace("\t", "&#x9;").replace("\n", "&#xA;").replace("\r", "&#xD;")


def start_tag(name: str, namespaces: Iterable[tuple[str, str]] = ()) -> str:
    """Return an element's start tag, with namespace declarations as pairs of prefix and URI."""
    declared = (f' xmlns:{prefix}="{escaped_attribute(uri)}"' for prefix, uri in sorted(namespaces))
    return f"<{name}{''.join(declared)}>"


class CanonicalWriter:
    """Write elements without attributes; only the root may declare namespaces.

    Names are trusted: the document profiles check theirs when they are loaded.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._open: list[str] = []

    def start(self, name: str, namespaces: Iterable[tuple[str, str]] = ()) -> None:
        """Open an element, with namespace declarations as pairs of prefix and URI."""
        self._parts.append(start_tag(name, namespaces))
        self._open.append(name)

    def end(self) -> None:
        """Close the element opened last."""
        self._parts.append(f"</{self._open.pop()}>")

    def leaf(self, name: str, text: str) -> None:
        """Write an element that holds only text."""
        self._parts.append(f"<{name}>{escaped(text)}</{name}>")

    def stand_in(self, path: tuple[str, ...], depth: int) -> None:
        """Close and open elements until exactly `path` is open below the first `depth` elements."""
        shared = depth
        for here, wanted in zip(self._open[depth:], path, strict=False):
            if here != wanted:
                break
            shared += 1
        while len(self._open) > shared:
            self.end()
        for name in path[shared - depth :]:
            self.start(name)

    def content(self) -> bytes:
        """Return what was written, without a declaration."""
        return "".join(self._parts).encode()
