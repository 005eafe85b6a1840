"""Bytes that are their own Canonical XML 1.0, told from the bytes alone.

Source: Canonical XML 1.0 (https://www.w3.org/TR/2001/REC-xml-c14n-20010315), section 2.3: what the canonical
form changes is listed there, and a well-formed document that has none of it is canonical as it stands.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from bhxh_sdk.xml.writer import start_tag

if TYPE_CHECKING:
    from bhxh_sdk.xml.signature_shape import Namespaces

__all__ = ["Root", "is_canonical", "root_of"]

# The plainest prefixes and addresses: whatever `limits` or libxml2 might refuse is no plain root.
_PREFIX = rb"[A-Za-z_][A-Za-z0-9_.-]{0,63}"
_ADDRESS = (
    rb"""(?:urn:[A-Za-z0-9]|https?://[A-Za-z0-9.-]{1,80}(?=[/"]))[A-Za-z0-9.:/_~-]{0,120}"""
    rb"(?:#[A-Za-z0-9._~-]{0,40})?"
)
_ROOT = re.compile(rb"""<([^\s<>/&="':]+)((?: xmlns:%b="%b")*)>""" % (_PREFIX, _ADDRESS))
_DECLARED = re.compile(rb' xmlns:([^=]+)="([^"]+)"')
_OTHER_REFERENCE = re.compile(rb"&(?!(?:amp|lt|gt|#xD);)")
_IN_UNUSUAL_TAGS = (b"/>", b" >", b"\t>", b"\n>")


class Root(NamedTuple):
    """Hold a root's start tag: its name, the namespaces declared, and how canonical XML writes it."""

    name: bytes
    namespaces: Namespaces
    canonical: bytes


def root_of(tag: bytes) -> Root | None:
    """Read a root's start tag that declares nothing but prefixes.

    Returns:
        What it says; None for any other tag, for a long one, and when a prefix stands twice or is reserved.

    """
    return _root_of(tag) if len(tag) <= _LONGEST_TAG else None


_LONGEST_TAG = 2048


@lru_cache(maxsize=256)
def _root_of(tag: bytes) -> Root | None:
    found = _ROOT.fullmatch(tag)
    if found is None:
        return None
    pairs = {prefix.decode(): uri.decode() for prefix, uri in _DECLARED.findall(found[2])}
    if len(pairs) != found[2].count(b" xmlns:") or pairs.keys() & {"xml", "xmlns"}:
        return None
    namespaces = tuple(sorted(pairs.items()))
    return Root(found[1], namespaces, start_tag(found[1].decode(), namespaces).encode())


def is_canonical(body: bytes) -> bool:
    """Tell whether a well-formed document is its own canonical form; False where that is not plain to see.

    Args:
        body: a document that was parsed without an error, from its first tag on, without comments, CDATA
            sections and processing instructions.

    """
    tag = body[: body.find(b">") + 1]
    try:
        root = root_of(tag)
    except ValueError:
        return False
    if root is None or root.canonical != tag or not body.endswith(b">"):
        return False
    # Without `=` no tag has an attribute. One letter is searched for much faster than two.
    if b"\r" in body or body.find(b"=", len(tag)) >= 0:
        return False
    if any(sign[:1] in body and sign in body for sign in _IN_UNUSUAL_TAGS):
        return False
    if body.count(b">") != body.count(b"<"):  # a tag has one of each; in a text it is escaped
        return False
    return b"&" not in body or not _OTHER_REFERENCE.search(body)
