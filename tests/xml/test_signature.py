from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest
from attrs import evolve
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from bhxh_sdk import xml
from bhxh_sdk.errors import (
    CertificateUnusableError,
    DocumentError,
    InputError,
    SignatureMismatchError,
    WrongTypeError,
)
from bhxh_sdk.models import CertificateInfo

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def prepared(content: bytes, certificate: CertificateInfo, at: str = xml.PLACE) -> xml.PreparedSignature:
    return xml.prepare(content, certificate, at=at, signing_time=NOON)


@pytest.fixture
def content(form) -> bytes:
    return xml.build(form).content


def test_the_signature_has_exactly_the_shape_of_the_field(content, certificate, key, sign):
    waiting = prepared(content, certificate)
    value = base64.b64encode(key.sign(waiting.signed_info, padding.PKCS1v15(), hashes.SHA256())).decode()
    digest = base64.b64encode(waiting.content_digest).decode()
    modulus = base64.b64encode(key.public_key().public_numbers().n.to_bytes(256, "big")).decode()
    expected = (
        '<CKy_Dvi><Signature Id="sigid" xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>'
        '<CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"></CanonicalizationMethod>'
        '<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></SignatureMethod>'
        '<Reference URI=""><Transforms>'
        '<Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></Transform></Transforms>'
        '<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></DigestMethod>'
        f"<DigestValue>{digest}</DigestValue></Reference></SignedInfo><SignatureValue>{value}</SignatureValue>"
        f"<KeyInfo><KeyValue><RSAKeyValue><Modulus>{modulus}</Modulus><Exponent>AQAB</Exponent></RSAKeyValue></KeyValue>"
        "<X509Data><X509SubjectName>C=VN, CN=CÔNG TY TNHH VÍ DỤ, UID=MST:0100109106</X509SubjectName>"
        f"<X509Certificate>{base64.b64encode(certificate.der).decode()}</X509Certificate></X509Data></KeyInfo>"
        '<Object><SignatureProperties Id="proid" xmlns=""><SignatureProperty Target="#sigid">'
        '<SigningTime xmlns="http://example.org/#signatureProperties">2026-01-02T03:04:05Z</SigningTime>'
        "</SignatureProperty></SignatureProperties></Object></Signature></CKy_Dvi></Hoso>"
    )
    assert sign(content) == content.replace(b"<CKy_Dvi></CKy_Dvi></Hoso>", expected.encode())


def test_the_signed_bytes_repeat_the_namespaces_in_scope(content, certificate):
    assert prepared(content, certificate).signed_info.startswith(
        b'<SignedInfo xmlns="http://www.w3.org/2000/09/xmldsig#" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><CanonicalizationMethod '
    )


def test_the_signing_time_is_written_in_utc_without_fractions(content, certificate):
    hanoi = datetime(2026, 1, 2, 10, 4, 5, 999, tzinfo=timezone(timedelta(hours=7)))
    assert xml.prepare(content, certificate, signing_time=hanoi).signing_time == NOON


FOREIGN = [
    (
        b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\r\n"
        b"<Hoso>\r\n  <NoiDung a = '>' />\r\n  <CKy_Dvi />\r\n</Hoso>\r\n"
    ),
    b"<Hoso><N><CKy_Dvi/></N><CKy_Dvi/></Hoso>",
    b"<Hoso><CKy_Dvi xmlns='urn:x'/><CKy_Dvi\n></CKy_Dvi ></Hoso>",
    (
        b"<Hoso xmlns:b='urn:b' xmlns:a='urn:a?b=1;c'><b:CKy_Dvi/><CKy_DviX/><CKy_Dvi\t/>"
        b"<z b='1'>\xe1\xbb\x87&#13;</z></Hoso>"
    ),
]


@pytest.mark.parametrize("content", FOREIGN)
def test_nothing_but_the_tag_of_the_place_is_changed(content, sign):
    signed = sign(content)
    verified = xml.verify(signed)
    start, end = signed.index(b"<CKy_Dvi><Signature"), signed.index(b"</Signature>") + len(b"</Signature>")
    before, after = signed[:start], signed[end + len(b"</CKy_Dvi>") :]
    assert content.startswith(before)
    assert content.endswith(after)
    assert b"<CKy_Dvi></CKy_Dvi>" in verified.content


def test_a_form_is_signed_at_its_own_place(sign):
    signed = sign(b"<TK1-TS><Ten>A</Ten><Cky/></TK1-TS>", "TK1-TS/Cky")
    assert xml.verify(signed, at="TK1-TS/Cky").content == b"<TK1-TS><Ten>A</Ten><Cky></Cky></TK1-TS>"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<Other><CKy_Dvi/></Other>", "no_place"),
        (b"<Hoso/>", "no_place"),
        (b"<Hoso><N><CKy_Dvi/></N></Hoso>", "no_place"),
        (b"<Hoso><CKy_Dvi/><CKy_Dvi/></Hoso>", "several_places"),
        (b"<Hoso><CKy_Dvi>x</CKy_Dvi></Hoso>", "place_not_empty"),
        (b"<Hoso><CKy_Dvi> </CKy_Dvi></Hoso>", "place_not_empty"),
        (b"<Hoso><CKy_Dvi><a/></CKy_Dvi></Hoso>", "place_not_empty"),
        (b"<Hoso><CKy_Dvi a='1'/></Hoso>", "place_not_empty"),
        (b"<Hoso><CKy_Dvi xmlns:a='urn:a'/></Hoso>", "place_not_empty"),
        (b"<Hoso><a Id='sigid'/><CKy_Dvi/></Hoso>", "id_taken"),
        (b"<Hoso xml:lang='vi'><CKy_Dvi/></Hoso>", "xml_attribute"),
        (b"<Hoso xmlns:a='b'><CKy_Dvi/></Hoso>", "no_canonical_form"),
        (b"<Hoso><!-- --><CKy_Dvi/></Hoso>", "comment"),
        (b"<!DOCTYPE Hoso><Hoso><CKy_Dvi/></Hoso>", "doctype"),
        (b"<Hoso>", "not_well_formed"),
    ],
)
def test_a_document_that_cannot_be_signed_is_refused(refused, certificate, content, code):
    with refused(DocumentError, f"document.{code}"):
        prepared(content, certificate)


def test_a_signed_document_is_not_signed_again(refused, content, certificate, sign):
    with refused(DocumentError, "document.already_signed"):
        prepared(sign(content), certificate)


@pytest.mark.parametrize("at", ["", "Hoso", "/Hoso/CKy_Dvi", "Hoso//CKy_Dvi", "{urn:x}Hoso/{urn:x}CKy_Dvi"])
def test_a_path_that_is_none_is_refused(refused, content, certificate, at):
    with refused(InputError, "xml.not_a_path", field="at"):
        prepared(content, certificate, at)


def test_a_time_without_a_zone_is_refused(refused, content, certificate):
    with refused(InputError, "xml.no_zone", field="signing_time"):
        xml.prepare(content, certificate, signing_time=NOON.replace(tzinfo=None))


@pytest.mark.parametrize(
    "moment",
    [
        datetime.min.replace(tzinfo=timezone(timedelta(hours=7))),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=7))),
    ],
)
def test_a_time_that_utc_cannot_say_is_refused(refused, content, certificate, moment):
    with refused(InputError, "xml.time_out_of_range", field="signing_time"):
        xml.prepare(content, certificate, signing_time=moment)


def test_an_early_year_is_written_with_four_digits(content, certificate, key):
    early = xml.prepare(content, certificate, signing_time=NOON.replace(year=1))
    signed = xml.complete(early, key.sign(early.signed_info, padding.PKCS1v15(), hashes.SHA256()))
    assert xml.verify(signed).signing_time == early.signing_time


def test_wrong_types_are_refused(refused, content, certificate):
    for field, call in {
        "signing_time": lambda: xml.prepare(content, certificate, signing_time="now"),
        "at": lambda: xml.prepare(content, certificate, at=5, signing_time=NOON),
        "content": lambda: xml.prepare(content.decode(), certificate, signing_time=NOON),
        "certificate": lambda: xml.prepare(content, certificate.der, signing_time=NOON),
        "signature_value": lambda: xml.complete(prepared(content, certificate), "x"),
    }.items():
        with refused(WrongTypeError, "input.wrong_type", field=field):
            call()


def test_only_rsa_of_2048_bits_signs(refused, content, issue, curve_key, small_key, certificate):
    curve = CertificateInfo.from_der(issue(curve_key.public_key()))
    with refused(CertificateUnusableError, "document.key_kind"):
        prepared(content, curve)
    small = CertificateInfo.from_der(issue(small_key.public_key()))
    with refused(CertificateUnusableError, "document.key_too_short"):
        prepared(content, small)
    for der in (b"", b"x", None):
        with refused(CertificateUnusableError, "document.certificate_unreadable"):
            prepared(content, evolve(certificate, der=der))
    with refused(CertificateUnusableError, "document.certificate_subject"):
        prepared(content, evolve(certificate, subject="CN=\x01"))


def test_a_subject_that_looks_like_markup_is_only_text(issue, key, content, sign):
    odd = CertificateInfo.from_der(issue(key.public_key(), "A <b>&\"'</b>"))
    assert xml.verify(sign(content, who=odd)).certificate == odd


def test_a_value_of_another_key_or_document_is_refused(refused, content, certificate, key, authority_key):
    waiting = prepared(content, certificate)
    other = prepared(content.replace(b"07906", b"00101"), certificate)
    for signer, signed_info in ((authority_key, waiting.signed_info), (key, other.signed_info)):
        value = signer.sign(signed_info, padding.PKCS1v15(), hashes.SHA256())
        with refused(SignatureMismatchError, "document.value_mismatch"):
            xml.complete(waiting, value)
    with refused(SignatureMismatchError, "document.value_length"):
        xml.complete(waiting, b"x" * 255)


def test_the_digest_is_what_a_remote_signer_receives(content, certificate, key):
    waiting = prepared(content, certificate)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(waiting.signed_info)
    assert waiting.digest == digest.finalize()
