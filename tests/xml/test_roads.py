"""The quick road takes what it can prove; what it takes, the true road takes too, with the same result."""

from __future__ import annotations

import base64
import re
from datetime import date
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import registrations

from bhxh_sdk import xml
from bhxh_sdk.errors import BhxhError, VerificationError
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.xml import quick_reading
from bhxh_sdk.xml.quick_reading import guess, quick_claim
from bhxh_sdk.xml.signature_profile import signature_profile

FIELD = signature_profile("field")


def quickly(content: bytes, at: str = xml.PLACE, profile=FIELD) -> bytes | None:
    claim = quick_claim(content, at, profile, xml.SIZE_LIMIT)
    return None if claim is None else guess(claim)


truly = partial(xml.verify, thorough=True)


@pytest.fixture(scope="module")
def signed(form, sign) -> bytes:
    return sign(xml.build(form).content)


def test_what_this_package_writes_takes_the_quick_road(signed):
    assert quickly(signed)
    assert xml.verify(signed) == truly(signed)


DOTNET = {
    "empty elements in one tag": lambda text: text.replace("></CanonicalizationMethod>", " />"),
    "every algorithm in one tag": lambda text: re.sub(r'(Algorithm="[^"]+")></\w+>', r"\1 />", text),
    "the Id after the namespace": lambda text: re.sub(
        r'<Signature (Id="\w+") (xmlns="[^"]+")', r"<Signature \2 \1", text
    ),
    "no Id": lambda text: text.replace('<Signature Id="sigid" ', "<Signature "),
    "no KeyValue": lambda text: re.sub("<KeyValue>.*</KeyValue>", "", text),
    "no subject name": lambda text: re.sub("<X509SubjectName>.*</X509SubjectName>", "", text),
    "no time": lambda text: re.sub("<Object>.*</Object>", "", text),
    "white space at the end": lambda text: text + "\r\n ",
    "another declaration": lambda text: text.replace('encoding="utf-8"', "encoding='UTF-8'"),
    "no declaration": lambda text: text.partition("?>")[2],
    "a mark at the beginning": lambda text: "\ufeff" + text,
    "a subject name with an ampersand": lambda text: text.replace("C=VN,", "O=A &amp; B, C=VN,"),
}


@pytest.mark.parametrize("change", DOTNET.values(), ids=DOTNET)
def test_other_ways_to_write_the_same_take_the_quick_road(signed, change):
    changed = change(signed.decode()).encode()
    assert changed != signed
    assert quickly(changed)
    assert xml.verify(changed) == truly(changed)


@pytest.mark.parametrize(
    "content",
    [
        b"<Hoso><a /><b/><CKy_Dvi/></Hoso>",
        b"<Hoso>\r\n  <a>1\r2</a>\r\n<CKy_Dvi/></Hoso>",
        b'<Hoso xmlns:xsi="urn:i" xmlns:xsd="urn:d"><a/><CKy_Dvi/></Hoso>',
        "<Hoso><a>«A» \"B\" 'C' &amp; &lt;</a><CKy_Dvi/></Hoso>".encode(),
    ],
)
def test_what_dotnet_writes_is_guessed(sign, content):
    signed = sign(content)
    assert quickly(signed)
    assert xml.verify(signed) == truly(signed)


UNUSUAL = [
    b"<Hoso><a>&#65;</a><CKy_Dvi/></Hoso>",
    b"<Hoso><a b='1'/><CKy_Dvi/></Hoso>",
    b"<Hoso><a xmlns='urn:a'/><CKy_Dvi/></Hoso>",
    b"<Hoso a='1'><CKy_Dvi/></Hoso>",
    b"<Hoso><b><CKy_Dvi/></b><CKy_Dvi/></Hoso>",
    b"<Hoso><CKy_Dvi/><a/></Hoso>",
    b"<Hoso><CKy_Dvi/> </Hoso>",
    b'<Hoso xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><CKy_Dvi/></Hoso>',  # <ds:Signature> may follow
    b"<Hoso ><CKy_Dvi/></Hoso>",
]


@pytest.mark.parametrize("content", UNUSUAL)
def test_what_is_unusual_takes_the_true_road(sign, content):
    signed = sign(content)
    assert quickly(signed) != xml.verify(signed).content
    assert xml.verify(signed) == truly(signed)


def test_other_shapes_and_deeper_places_take_the_true_road(form, sign, signed):
    assert quickly(signed, profile=signature_profile("exclusive")) is None
    assert quickly(signed, profile=signature_profile("countersignature")) is None
    assert quickly(signed, profile=signature_profile("referenced-time")) is None
    deep = sign(b"<a><b><c/></b></a>", "a/b/c")
    assert quickly(deep, "a/b/c") is None
    assert xml.verify(deep, at="a/b/c").content == b"<a><b><c></c></b></a>"


def test_another_root_or_place_is_not_taken_for_the_one_asked_for(signed):
    assert quickly(signed, "Other/CKy_Dvi") is None
    assert quickly(signed, "Hoso/CKy_iVan") is None
    assert quickly(signed.replace(b"<Hoso", b"<Hoso\xff", 1)) is None


BROKEN = {
    "a digest written another way": lambda text: re.sub("=</DigestValue>", "h</DigestValue>", text),
    "a value that is no base64": lambda text: re.sub("<SignatureValue>..", "<SignatureValue>==", text),
    "a certificate that is none": lambda text: re.sub("<X509Certificate>....", "<X509Certificate>AAAA", text),
    "base64 cut short": lambda text: re.sub("<X509Certificate>.", "<X509Certificate>", text),
    "another modulus": lambda text: re.sub("<Modulus>....", "<Modulus>AAAA", text),
    "a day that is none": lambda text: text.replace("2026-01-02T", "2026-02-30T"),
    "a control in the subject name": lambda text: text.replace("C=VN,", "C=\x01VN,"),
    "a second certificate": lambda text: text.replace(
        "</X509Data>", "<X509Certificate>AAAA</X509Certificate></X509Data>"
    ),
    "the Id of the properties": lambda text: text.replace('Id="sigid"', 'Id="proid"'),
    "a prefix twice": lambda text: text.replace(' xmlns:xsd="', ' xmlns:xsd="urn:x" xmlns:xsd="', 1),
    "a reserved prefix": lambda text: text.replace(' xmlns:xsd="', ' xmlns:xml="urn:x" xmlns:xsd="', 1),
    "a relative namespace": lambda text: text.replace('http://www.w3.org/2001/XMLSchema"', 'x"', 1),
    "text before the signature": lambda text: text.replace("<CKy_Dvi><Sig", "<CKy_Dvi>x<Sig"),
    "text after the signature": lambda text: text.replace("</Signature></", "</Signature>x</"),
    "a changed letter": lambda text: text.replace("07906", "07907"),
    "a comment": lambda text: text.replace("07906", "07<!-- -->906"),
    "an instruction": lambda text: text.replace("07906", "07<?a?>906"),
    "another method": lambda text: text.replace("xmldsig-more#rsa-sha256", "xmldsig-more#rsa-sha512"),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_what_the_true_road_refuses_is_refused(signed, change):
    changed = change(signed.decode()).encode()
    assert changed != signed
    with pytest.raises(VerificationError) as expected:
        truly(changed)
    with pytest.raises(VerificationError) as caught:
        xml.verify(changed)
    assert (caught.value.code, caught.value.reason) == (expected.value.code, expected.value.reason)


def test_bytes_that_are_no_utf_8_are_left_to_the_true_road(signed, refused):
    name = signed.replace(b"C=VN,", b"C=\xff,")
    with refused(VerificationError, "document.not_well_formed", reason="not-xml"):
        xml.verify(name)


def test_expectations_hold_on_the_quick_road_too(form, sign, signed, issue, small_key):
    with pytest.raises(VerificationError) as caught:
        xml.verify(signed, smallest_key=4096)
    assert caught.value.reason == "key-too-short"
    with pytest.raises(VerificationError) as caught:
        xml.verify(signed, size_limit=100)
    assert caught.value.reason == "unsafe"


def test_signers_with_the_same_beginning_are_told_apart(signed, form, sign, issue, key):
    quick_reading._keys.clear()
    other = CertificateInfo.from_der(issue(key.public_key(), "CÔNG TY KHÁC"))
    again = sign(xml.build(form).content, who=other)
    assert xml.verify(signed).certificate.common_name == "CÔNG TY TNHH VÍ DỤ"
    assert xml.verify(again).certificate.common_name == "CÔNG TY KHÁC"
    assert xml.verify(signed).certificate.common_name == "CÔNG TY TNHH VÍ DỤ"
    assert len(quick_reading._keys) == 1


def test_only_so_many_signers_are_remembered(signed, monkeypatch):
    quick_reading._keys.clear()
    monkeypatch.setattr(quick_reading, "_MOST_KEPT", 2)
    for number in range(5):
        text = f"<KeyInfo>{number}</KeyInfo>"
        quick_reading._known_key(text.encode())
    assert len(quick_reading._keys) <= 2
    assert xml.verify(signed)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=registrations())
def test_both_roads_agree_on_every_form(sign, form):
    document = xml.build(form.dated(date(2026, 1, 2)))
    at = xml.profile(document.profile).signature
    signed = sign(document.content, at)
    assert xml.verify(signed, at=at) == truly(signed, at=at)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_both_roads_agree_on_damaged_documents(signed, data):
    position = data.draw(st.integers(0, len(signed) - 1))
    length = data.draw(st.integers(0, 40))
    piece = data.draw(
        st.sampled_from([b"", b" ", b"/>", b"<a/>", b"&amp;", b"<", b'"', signed[position : position + 9]])
    )
    changed = signed[:position] + piece + signed[position + length :]
    assert _verdict(xml.verify, changed) == _verdict(truly, changed)


def _verdict(verifier, content: bytes) -> object:
    try:
        return verifier(content)
    except BhxhError as error:
        return error.code, getattr(error, "reason", "")


def test_many_empty_elements_and_large_documents_are_left_to_the_true_road(sign):
    many = sign(b"<Hoso>" + b"<a/>" * 50_001 + b"<CKy_Dvi/></Hoso>")
    assert quickly(many) is None
    assert xml.verify(many).content.count(b"<a></a>") == 50_001
    too_many = sign(b"<Hoso><CKy_Dvi/></Hoso>").replace(b"<Hoso>", b"<Hoso>" + b"<a></a>" * 2_000_001, 1)
    assert quickly(too_many) is None
    with pytest.raises(VerificationError) as caught:
        xml.verify(too_many)
    assert caught.value.reason == "unsafe"


def test_the_word_signature_is_a_text_like_others(sign):
    signed = sign(b"<Hoso><a>Signature</a><Signature></Signature><CKy_Dvi/></Hoso>")
    assert quickly(signed) == xml.verify(signed, thorough=True).content


def test_a_large_document_with_attributes_takes_the_true_road(sign):
    signed = sign(b"<Hoso><a b='1'></a>" + b"<a>1</a>" * 130_000 + b"<CKy_Dvi/></Hoso>")
    assert quick_claim(signed, "Hoso/CKy_Dvi", FIELD, xml.SIZE_LIMIT) is None
    assert b"<a>1</a>" in xml.verify(signed).content
    signs = sign(b"<Hoso><a>=</a>" + b"<a>1</a>" * 130_000 + b"<CKy_Dvi/></Hoso>")
    assert quickly(signs) == xml.verify(signs, thorough=True).content


def test_a_large_plain_document_takes_the_quick_road(sign):
    signed = sign(b"<Hoso>" + b"<a>1</a>" * 60_000 + b"<CKy_Dvi/></Hoso>")
    assert quickly(signed) == xml.verify(signed).content


def test_the_digest_is_compared_whole(signed):
    digest = re.search(b"<DigestValue>(.*)</DigestValue>", signed)[1]
    for position in range(0, 43, 6):
        raw = bytearray(base64.b64decode(digest))
        raw[position * 32 // 43] ^= 1
        with pytest.raises(VerificationError):
            xml.verify(signed.replace(digest, base64.b64encode(bytes(raw))))
