"""SOAP messages: what goes out, and what is taken in; nothing is loaded and nothing is expanded."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from bhxh_sdk.errors import InputError
from bhxh_sdk.signers.remote.soap import ENVELOPE, Fault, Part, opened, packed, packed_fault

NS = "http://uri.etsi.org/TS102204/v1.1.2#"
HEAD = f'<env:Envelope xmlns:env="{ENVELOPE}" xmlns:mss="{NS}"><env:Body>'
TAIL = "</env:Body></env:Envelope>"


def enveloped(body, head=HEAD):
    return f"{head}{body}{TAIL}".encode()


def test_a_message_comes_back_as_it_was():
    message = Part("MSS_X", NS, {"A": 'a"<&\n'}, parts=(Part("B", NS, text="Đăng ký <&>"), Part("C")))
    assert opened(packed("W", message)) == Part("W", parts=(message,))


def test_the_element_around_a_message_is_in_no_namespace():
    written = packed("MSS_Signature", Part("MSS_SignatureReq", NS))
    body = etree.fromstring(written)[0]
    assert etree.QName(body).namespace == ENVELOPE
    assert body[0].tag == "MSS_Signature"
    assert body[0][0].tag == f"{{{NS}}}MSS_SignatureReq"
    assert body[0].nsmap.get(None) is None


def test_the_message_is_found_in_its_element_or_without_one():
    message = Part("M", NS)
    assert Part("Any", "urn:x", parts=(Part("Else", NS), message)).named("M", NS) == message
    assert message.named("M", NS) == message
    assert Part("Any", parts=(Part("M", "urn:other"),)).named("M", NS) is None


def test_a_path_may_end_before_its_end():
    part = Part("A", parts=(Part("B", parts=(Part("C", text="c"),)),))
    assert part.first("B", "C").text == "c"
    assert part.first("X", "C") is None
    assert part.first("B", "X") is None
    assert part.get("missing") == ""


@pytest.mark.parametrize("prefix", ["mss", "ns7"])
def test_a_fault_gives_its_number_and_text(prefix):
    fault = (
        "<env:Fault><env:Code><env:Value>env:Receiver</env:Value><env:Subcode>"
        f"<env:Value>{prefix}:_401</env:Value></env:Subcode></env:Code>"
        '<env:Reason><env:Text xml:lang="en">USER_CANCEL</env:Text></env:Reason></env:Fault>'
    )
    assert opened(enveloped(fault)) == Fault("401", "USER_CANCEL")


def test_a_fault_without_number_or_text():
    code = "<env:Code><env:Value>env:Sender</env:Value></env:Code>"
    assert opened(enveloped(f"<env:Fault>{code}</env:Fault>")) == Fault("", "")
    assert opened(enveloped("<env:Fault/>")) == Fault()


def test_an_own_fault_is_read_back():
    assert opened(packed_fault("2082", "too late", NS)) == Fault("2082", "too late")
    assert b"mss:_2082" in packed_fault("2082", "too late", NS)


@pytest.mark.parametrize(
    ("name", "content"),
    {
        "nothing": b"",
        "a page": b"<!DOCTYPE html><html><body>502</body></html>",
        "a page without a document type": b"<html><body>502</body></html>",
        "json": b'{"a": 1}',
        "SOAP 1.1": enveloped("<a/>", HEAD.replace(ENVELOPE, "http://schemas.xmlsoap.org/soap/envelope/")),
        "no body": f'<env:Envelope xmlns:env="{ENVELOPE}"/>'.encode(),
        "an empty body": enveloped(""),
        "cut short": enveloped("<a/>")[:-5],
        "UTF-16": enveloped("<a/>").decode().encode("utf-16"),
        "too deep": enveloped("<a>" * 300 + "</a>" * 300),
        "too many elements": enveloped("<a/>" * 20_001),
        "too many attributes": enveloped('<a b=""/>' * 19_990 + '<a b="" c=""/>' * 10),
        "too many attributes of one element": enveloped(
            "<a b='>' " + " ".join(f'a{i}=""' for i in range(100)) + "/>"
        ),
        "a document type": b"<!DOCTYPE a [<!ENTITY e 'x'>]>" + enveloped("<a>&e;</a>"),
        "an unknown entity": enveloped("<a>&e;</a>"),
    }.items(),
)
def test_what_is_no_message_is_refused(name, content):
    assert name
    with pytest.raises(ValueError, match=r"unsafe|not XML|no envelope"):
        opened(content)


def test_no_file_and_no_entity_is_ever_read(tmp_path):
    kept = tmp_path / "kept.txt"
    kept.write_text("canary")
    attacks = [
        f'<!DOCTYPE a [<!ENTITY e SYSTEM "{kept.as_uri()}">]>'.encode() + enveloped("<a>&e;</a>"),
        f'<!DOCTYPE a SYSTEM "{kept.as_uri()}">'.encode() + enveloped("<a/>"),
        b'<!DOCTYPE a [<!ENTITY x "1111111111"><!ENTITY y "&x;&x;&x;">]>' + enveloped('<a b="&y;"/>'),
    ]
    for attack in attacks:
        with pytest.raises(ValueError, match="unsafe"):
            opened(attack)


def test_comments_sections_and_instructions_do_not_cut_a_text():
    body = "<a>ab<!-- x -->cd<?p q?><![CDATA[<e]]>f</a>"
    assert opened(enveloped(body)).text == "abcd<ef"


def test_many_attributes_are_taken():
    names = {f"a{number}": "x" for number in range(100)}
    attributes = " ".join(f'{name}="x"' for name in names)
    assert opened(enveloped(f"<a {attributes}/>" * 100)).attributes == names


def test_a_long_text_is_taken():
    text = base64.b64encode(bytes(1_000_000)).decode()
    assert opened(enveloped(f"<a>{text}</a>")).text == text


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\ud800", "\uffff"])
def test_what_xml_cannot_hold_is_refused_without_showing_it(character):
    for part in (Part("AP_Info", NS, {"AP_PWD": f"canary{character}"}), Part("AP_PWD", NS, text=character)):
        with pytest.raises(InputError) as caught:
            packed("W", part)
        assert (caught.value.code, caught.value.field) == ("remote.characters", "AP_PWD")
        assert "canary" not in repr(caught.value) + str(caught.value)
        trace = caught.value.__traceback__.tb_next
        while trace is not None:
            assert "canary" not in repr(trace.tb_frame.f_locals)
            trace = trace.tb_next


def test_a_message_does_not_show_what_it_holds():
    part = Part("AP_Info", NS, {"AP_PWD": "canary"}, "canary", (Part("B", text="canary"),))
    assert "canary" not in repr(part)


_TEXTS = st.text(st.characters(exclude_categories=("Cs",)))
_PIECES = st.sampled_from(
    ["<a>", "</a>", "<b c='d'>", "</b>", "&amp;", "&e;", "<!--", "-->", "<![CDATA[", "]]>"]
)


@given(st.binary() | st.lists(_PIECES | _TEXTS).map(lambda pieces: enveloped("".join(pieces))))
def test_any_bytes_are_a_message_or_none(content):
    with contextlib.suppress(ValueError):
        assert isinstance(opened(content), Part | Fault)
