from __future__ import annotations

import pytest
from attrs import evolve

from bhxh_sdk import xml
from bhxh_sdk.errors import DocumentError, InputError
from bhxh_sdk.models import Attachment

FILE = Attachment(file_name="TK3-TS.xml", content=b"<a/>", form_code="TK3-TS-595", description="Tờ khai")


@pytest.fixture
def content(form) -> bytes:
    return xml.build(evolve(form, attachments=(FILE,))).content


def test_a_file_stands_in_base64_on_one_line(content):
    assert (
        "<ToKhais><FileToKhai><MaToKhai>TK3-TS</MaToKhai><MoTaToKhai>Tờ khai</MoTaToKhai>"
        "<TenFile>TK3-TS.xml</TenFile><LoaiFile>.xml</LoaiFile><DoDaiFile>8</DoDaiFile>"
        "<NoiDungFile>PGEvPg==</NoiDungFile></FileToKhai></ToKhais>"
    ).encode() in content


def test_wrapped_base64_and_both_lengths_are_read(content):
    assert xml.read(content).attachments == (evolve(FILE, form_code="TK3-TS"),)
    wrapped = content.replace(b"PGEvPg==", b"\nPGEv\r\n Pg==\n").replace(b">8<", b"> 4 <")
    assert xml.read(wrapped) == xml.read(content)


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("PGEvPg==", "PGEvPg=", "not_base64", "ToKhais/FileToKhai"),
        ("PGEvPg==", "PGEvPg==ệ", "not_base64", "ToKhais/FileToKhai"),
        (">8<", ">9<", "file_length", "ToKhais/FileToKhai"),
        ("<LoaiFile>.xml</LoaiFile>", "", "missing_element", "ToKhais/FileToKhai/LoaiFile"),
        ("<LoaiFile>", "<LoaiFile>a</LoaiFile><LoaiFile>", "repeated_element", "ToKhais/FileToKhai/LoaiFile"),
        ("<LoaiFile>", "<Size>1</Size><LoaiFile>", "unexpected_element", "ToKhais/FileToKhai/Size"),
        ("<FileToKhai>", "<Other></Other><FileToKhai>", "unexpected_element", "ToKhais/Other"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(refused, content, old, new, code, field):
    with refused(DocumentError, f"document.{code}", field=field):
        xml.read(content.decode().replace(old, new, 1).encode())


def test_a_long_description_may_not_hold_control_characters_either(refused, form):
    with refused(InputError, "xml.control_characters", field="attachments[0].description"):
        xml.build(evolve(form, attachments=(evolve(FILE, description="a" * 20_000 + "\0b"),)))
