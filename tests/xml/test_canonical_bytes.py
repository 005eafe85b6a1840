from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from bhxh_sdk import xml
from bhxh_sdk.xml.canonical_bytes import is_canonical, root_of

PIECES = [
    "<a>",
    "</a>",
    "<a/>",
    "<a />",
    "<a >",
    "</a >",
    "<b:c>",
    "</b:c>",
    "<a x='1'>",
    '<a x="1">',
    "x",
    " ",
    "\n",
    "\t",
    "\r",
    ">",
    "&amp;",
    "&lt;",
    "&gt;",
    "&#xD;",
    "&#13;",
    "&quot;",
    "&#65;",
    '"',
    "'",
    "]]>",
    "ệ",
    "\x85",
    "<a xmlns='urn:a'>",
    "<a\n>",
    "=",
    "%",
]
ROOTS = [
    '<b:r xmlns:b="urn:b">',
    '<r xmlns:b="urn:b">',
    '<r xmlns:b="urn:b" xmlns:a="urn:a">',
    "<r xmlns:b='urn:b'>",
    '<r xmlns:b="urn:b" >',
    '<r xmlns:b="urn:b" x="1">',
    '<r xmlns="urn:d" xmlns:b="urn:b">',
    '<r xmlns:b="b">',
    '<r  xmlns:b="urn:b">',
    '<r xmlns:b="urn:b&amp;c">',
    '<r xmlns:b="urn:b" xml:lang="vi">',
]


def canonical(body: bytes) -> bytes | None:
    """Return what libxml2 makes of a document; None when it is none, or has no canonical form."""
    try:
        return etree.tostring(etree.fromstring(body).getroottree(), method="c14n")
    except (etree.LxmlError, ValueError):
        return None


@settings(max_examples=2000, deadline=None)
@given(
    st.sampled_from(ROOTS), st.lists(st.sampled_from(PIECES), max_size=8), st.sampled_from(["", "\n", " x"])
)
@example(ROOTS[1], ["<a>", "x", "</a>"], "")
def test_whatever_is_told_canonical_is_what_canonicalisation_gives(root, pieces, end):
    name = root[1:].split()[0].rstrip(">")
    body = f"{root}{''.join(pieces)}</{name}>{end}".encode()
    found = canonical(body)
    if found is not None and is_canonical(body):
        assert found == body


@pytest.mark.parametrize(
    "body",
    [
        b"<r></r>",
        b'<r xmlns:a="urn:a" xmlns:b="urn:b"><a:c>1 &amp; 2 &lt; 3 &gt; 4&#xD;</a:c></r>',
        "<r><a>«Ví dụ» \"một\" 'hai'\t\n</a></r>".encode(),
    ],
)
def test_plain_documents_are_told_canonical(body):
    assert is_canonical(body)
    assert canonical(body) == body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"<r\xff></r>",
        b'<r xmlns:b="urn:b" xmlns:a="urn:a"></r>',
        b'<r xmlns:a="urn:a" xmlns:a="urn:b"></r>',
        b"<r a='1'></r>",
        b"<r></r>\n",
        b"<r>\r\n</r>",
        b"<r>></r>",
        b"<r><a/></r>",
        b"<r><a ></a></r>",
        b"<r><a></a\n></r>",
        b'<r><a b="1"></a></r>',
        b"<r>&#65;</r>",
    ],
)
def test_what_is_not_plain_to_see_is_left_to_canonicalisation(body):
    assert not is_canonical(body)


def test_a_root_says_its_name_and_namespaces():
    root = root_of(b'<r xmlns:b="urn:b" xmlns:a="urn:a">')
    assert (root.name, root.namespaces) == (b"r", (("a", "urn:a"), ("b", "urn:b")))
    assert root.canonical == b'<r xmlns:a="urn:a" xmlns:b="urn:b">'
    assert root_of(b"<r>").namespaces == ()
    assert root_of(b'<r xmlns:xml="urn:a">') is None


@pytest.mark.parametrize("inside", ["<a>1</a>", "<a>1</a><b c='1'/>", "<a >1</a >", '<a>&#65; "B" &amp;</a>'])
def test_a_large_document_is_signed_over_its_canonical_form(certificate, sign, inside):
    content = f'<Hoso xmlns:a="urn:a">{inside * 8000}<CKy_Dvi/></Hoso>'.encode()
    assert len(content) > 64_000
    signed = sign(content)
    assert xml.verify(signed, thorough=True).content == canonical(
        content.replace(b"<CKy_Dvi/>", b"<CKy_Dvi></CKy_Dvi>")
    )
