from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from bhxh_sdk.xml.writer import CanonicalWriter, escaped, escaped_attribute

XML_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"))
WHITE = st.text(st.sampled_from("a \t\n\r&<>\"'"))


@given(st.one_of(XML_TEXT, WHITE), st.one_of(XML_TEXT, WHITE))
def test_escapes_as_canonical_xml_does(text: str, value: str):
    written = f'<a xmlns:p="urn:p" b="{escaped_attribute(value)}">{escaped(text)}</a>'.encode()
    tree = etree.ElementTree(etree.fromstring(written))
    assert etree.tostring(tree, method="c14n") == written
    assert tree.getroot().text in (text, None)
    assert tree.getroot().get("b") == value


def test_declares_namespaces_in_canonical_order():
    writer = CanonicalWriter()
    writer.start("a", [("xsi", "u:2"), ("xsd", "u:1&")])
    writer.end()
    assert writer.content() == b'<a xmlns:xsd="u:1&amp;" xmlns:xsi="u:2"></a>'


def test_moves_between_nested_elements():
    writer = CanonicalWriter()
    writer.start("root")
    for path, name in ((("a", "b"), "x"), (("a", "b"), "y"), (("a", "c"), "z"), ((), "end")):
        writer.stand_in(path, 1)
        writer.leaf(name, "")
    writer.end()
    assert writer.content() == b"<root><a><b><x></x><y></y></b><c><z></z></c></a><end></end></root>"
