from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk import xml
from bhxh_sdk.errors import BhxhError, DocumentError, UnsafeDocumentError, WrongTypeError
from bhxh_sdk.xml.reader import parsed

BOMB = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;&c;</a>'


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<!DOCTYPE a><a/>", "document.doctype"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><a/>', "document.doctype"),
        (b'<!doctype a [<!ENTITY b SYSTEM "http://192.0.2.1/">]><a>&b;</a>', "document.doctype"),
        (BOMB, "document.doctype"),
        (b"<a>1<!-- -->00</a>", "document.comment"),
        (b"<a><![CDATA[x]]></a>", "document.cdata"),
        (b"<a><?target data?></a>", "document.processing_instruction"),
        (b"<?xml-stylesheet href='a'?><a/>", "document.processing_instruction"),
        (b" <?xml version='1.0'?><a/>", "document.processing_instruction"),
        (b"<?xml version='1.1'?><a/>", "document.processing_instruction"),
        (b"<?xml version='1.0'?><?xml version='1.0'?><a/>", "document.processing_instruction"),
        (b"<a>" * 400 + b"</a>" * 400, "document.too_deep"),
    ],
)
def test_what_is_never_accepted_is_refused(refused, content: bytes, code: str):
    with refused(UnsafeDocumentError, code):
        parsed(content)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "document.not_well_formed"),
        (b"\x00", "document.not_well_formed"),
        (b"<a>&nothing;</a>", "document.not_well_formed"),
        (b"<a>\xff</a>", "document.not_well_formed"),
        (b"<a>\xed\xa0\x80</a>", "document.not_well_formed"),
        (b"<a b='1' b='2'/>", "document.not_well_formed"),
        (b"<x:a/>", "document.not_well_formed"),
        (b"<?xml version='1.0'?>\xef\xbb\xbf<a/>", "document.not_well_formed"),
        (b"\xef\xbb\xbf\xef\xbb\xbf<a/>", "document.not_well_formed"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\xef\xbb\xbf<a/>", "document.not_well_formed"),
        (b"<?xml version='1.0'?>\n\xef\xbb\xbf<a/>", "document.not_well_formed"),
        ("<a/>".encode("utf-16"), "document.encoding"),
        ("<a/>".encode("utf-16-le"), "document.encoding"),
        ("<a/>".encode("utf-16-be"), "document.encoding"),
        ("\ufeff<a/>".encode("utf-32-be"), "document.encoding"),
        (b"<?xml version='1.0' encoding='iso-8859-1'?><a/>", "document.encoding"),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "document.encoding"),
    ],
)
def test_what_is_not_utf8_xml_is_refused(refused, content: bytes, code: str):
    with refused(DocumentError, code):
        parsed(content)


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"\xef\xbb\xbf",
        b"<?xml version='1.0'?>",
        b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>\r\n',
        b"<?xml version = '1.0' encoding = 'utf8'?>",
    ],
)
def test_a_byte_order_mark_and_every_declaration_of_utf8_are_accepted(start: bytes):
    assert parsed(start + "<a>ệ</a>".encode()).text == "ệ"


def test_the_size_is_limited(refused):
    with refused(UnsafeDocumentError, "document.too_large"):
        parsed(b"<a></a>", size_limit=6)
    assert parsed(b"<a></a>", size_limit=7).tag == "a"


def test_a_text_of_more_than_ten_million_bytes_is_read():
    assert len(parsed(b"<a>" + b"x" * 11_000_000 + b"</a>").text) == 11_000_000


def test_only_bytes_are_read(refused):
    with refused(WrongTypeError, "input.wrong_type", field="content"):
        parsed("<a/>")
    with refused(WrongTypeError, "input.wrong_type", field="size_limit"):
        parsed(b"<a/>", size_limit="7")


def test_a_bomb_is_refused_at_once():
    started = time.perf_counter()
    with pytest.raises(UnsafeDocumentError):
        parsed(BOMB + b"x" * 10_000_000)
    assert time.perf_counter() - started < 0.1


def test_a_run_of_combining_marks_takes_no_longer_than_other_text(form):
    content = xml.build(form).content

    def taken(name: str) -> float:
        document = content.replace("Nguyễn Văn Mẫu".encode(), name.encode())
        started = time.perf_counter()
        assert len(xml.read(document).contact.name) > 10_000
        return time.perf_counter() - started

    marks = "\u0301\u0327" * 25_000
    assert taken(f"a{marks}") < 20 * taken("ệ" * 33_000) + 0.1


READERS = (xml.read, xml.read_envelope, xml.verify)


@given(st.one_of(st.binary(max_size=80), st.text("<>/!?&;ax='\" \n[]-", max_size=60).map(str.encode)))
def test_arbitrary_bytes_give_a_typed_error(content: bytes):
    for reader in READERS:
        with pytest.raises(BhxhError):
            reader(content)


@pytest.fixture(scope="module")
def documents(sign, form, envelope) -> list[bytes]:
    plain = [xml.build(form).content, xml.build_envelope(envelope).content]
    return [*plain, *map(sign, plain)]


@given(
    st.integers(0, 3),
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 12), st.binary(max_size=6)),
        min_size=1,
        max_size=4,
    ),
)
def test_mutated_documents_give_a_value_or_a_typed_error(documents, certificate, number, changes):
    content = documents[number]
    for place, gone, new in changes:
        position = int(place * len(content))
        content = content[:position] + new + content[position + gone :]
    for reader in READERS:
        try:
            reader(content)
        except BhxhError as error:
            error.message("vi").index(" ")
