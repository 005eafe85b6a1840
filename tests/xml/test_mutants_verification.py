"""What mutation testing found untested in verification: each test stops mutants that no other noticed."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from bhxh_sdk import xml
from bhxh_sdk.errors import UnreadableFileError, VerificationError
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.xml import quick_reading, signature, verification
from bhxh_sdk.xml.countersigned import CounterSigned
from bhxh_sdk.xml.keys import signer_of, value_fits
from bhxh_sdk.xml.reader import opened
from bhxh_sdk.xml.signature_parts import parts_of
from bhxh_sdk.xml.signature_profile import signature_profile

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FIELD = signature_profile("field")
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"


@pytest.fixture(scope="module")
def signed(form, sign) -> bytes:
    return sign(xml.build(form).content)


@pytest.fixture(scope="module")
def countersigned(signed, sign) -> bytes:
    return sign(signed, None, profile="countersignature")


def changed(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new)


def reason_of(content: bytes, **expectations: object) -> str:
    with pytest.raises(VerificationError) as caught:
        xml.verify(content, **expectations)
    return caught.value.reason


def test_a_plain_document_is_verified_without_parsing_it(signed, monkeypatch):
    expected = xml.verify(signed, thorough=True)
    monkeypatch.setattr(verification, "opened_to_verify", None)
    assert xml.verify(signed) == expected


def test_thorough_verification_does_not_guess(signed, monkeypatch):
    monkeypatch.setattr(verification, "quick_claim", None)
    assert xml.verify(signed, thorough=True).content


@pytest.mark.parametrize(
    ("profile", "algorithm"),
    [("field", "rsa-sha256"), ("rsa-pss", "rsa-pss-sha256"), ("ecdsa", "ecdsa-sha256")],
)
def test_the_algorithm_is_told(form, sign, issue, key, curve_key, profile, algorithm):
    own = curve_key if profile == "ecdsa" else key
    who = xml_certificate(issue(own.public_key()))
    content = sign(xml.build(form).content, who=who, with_key=own, profile=profile)
    for thorough in (False, True):
        assert xml.verify(content, profile=profile, thorough=thorough).algorithm == algorithm


def xml_certificate(der: bytes):
    return signer_of(der).certificate


def test_what_was_verified_shows_sizes_instead_of_contents(signed):
    verified = xml.verify(signed)
    assert f"content=<{len(verified.content)} bytes>" in repr(verified)


def test_results_are_made_by_name_and_promise_nothing_unsaid(signed):
    made = xml.verify(signed)
    plain = xml.Verified(
        content=b"", certificate=made.certificate, algorithm="", signing_time=None, at=made.at
    )
    assert not plain.is_time_protected
    with pytest.raises(TypeError):
        xml.Verified(b"", made.certificate, "", None, False, made.at)  # type: ignore[misc]
    with pytest.raises(TypeError):
        CounterSigned(made, made)  # type: ignore[misc]


def test_a_refusal_of_the_reader_keeps_what_it_said(signed):
    with pytest.raises(VerificationError) as caught:
        xml.verify(signed, size_limit=100)
    assert caught.value.parameters["limit"] == 100


LONG = b"http://example.com/" + b"a" * 100


@pytest.mark.parametrize(
    ("old", "reason"),
    [
        (b"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "signature-algorithm"),
        (b"http://www.w3.org/2001/04/xmlenc#sha256", "digest-algorithm"),
    ],
)
def test_an_unknown_algorithm_is_named_in_eighty_letters(signed, old, reason):
    with pytest.raises(VerificationError) as caught:
        xml.verify(changed(signed, old, LONG))
    assert caught.value.reason == reason
    assert caught.value.parameters["algorithm"] == LONG[:80].decode()


def test_a_missing_algorithm_is_an_empty_one(signed):
    missing = b' Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"'
    with pytest.raises(VerificationError) as caught:
        xml.verify(changed(signed, missing, b""))
    assert (caught.value.reason, caught.value.parameters["algorithm"]) == ("signature-algorithm", "")


UNREADABLE = [
    UnreadableFileError("certificate.unreadable"),
    ValueError(),
    TypeError(),
    UnsupportedAlgorithm(""),
]


@pytest.mark.parametrize("error", UNREADABLE, ids=lambda error: type(error).__name__)
def test_whatever_the_library_says_of_a_key_the_document_is_refused(
    signed, certificate, monkeypatch, refused, error
):
    def fails(_der: bytes) -> None:
        raise error

    quick_reading._keys.clear()
    for module in (verification, quick_reading, signature):
        monkeypatch.setattr(module, "signer_of", fails)
    for thorough in (False, True):
        with refused(VerificationError, "document.certificate_unreadable", reason="certificate"):
            xml.verify(signed, thorough=thorough)
    with refused(signature.CertificateUnusableError, "document.certificate_unreadable", field="certificate"):
        xml.prepare(b"<Hoso><CKy_Dvi/></Hoso>", certificate, signing_time=NOON)
    quick_reading._keys.clear()


@pytest.mark.parametrize("error", [UnsupportedAlgorithm(""), ValueError()], ids=["unsupported", "value"])
def test_a_value_that_the_library_cannot_judge_does_not_fit(issue, key, error):
    class Public:
        def verify(self, *_: object) -> None:
            raise error

    own = signer_of(issue(key.public_key()))._replace(public=Public())
    assert value_fits(own, bytes(256), b"", SignatureScheme.RSA_PKCS1) is False


def test_a_value_on_p256_has_exactly_64_bytes(issue, curve_key):
    own = signer_of(issue(curve_key.public_key()))
    first, second = decode_dss_signature(curve_key.sign(b"a", ec.ECDSA(hashes.SHA256())))
    assert value_fits(
        own, first.to_bytes(32, "big") + second.to_bytes(32, "big"), b"a", SignatureScheme.ECDSA
    )
    longer = first.to_bytes(32, "big") + second.to_bytes(33, "big")
    assert value_fits(own, longer, b"a", SignatureScheme.ECDSA) is False


def test_a_key_that_cannot_sign_has_no_strength_and_no_value(issue):
    other = signer_of(issue(ed25519.Ed25519PrivateKey.generate().public_key()))
    assert (other.strength, other.value_length, other.numbers) == (0, 0, None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'<SignatureProperties Id="proid"', b'<SignatureProperties Id="proid" Other="x"'),
        (b'<SignatureProperty Target="#sigid"', b'<SignatureProperty Target="#sigid" Other="x"'),
        (b"<SigningTime ", b'<SigningTime Other="x" '),
    ],
)
def test_another_attribute_beside_the_time_is_refused(signed, old, new):
    for thorough in (False, True):
        assert reason_of(changed(signed, old, new), thorough=thorough) == "structure"


def test_the_property_of_the_time_may_have_an_id(signed):
    named = changed(
        signed, b'<SignatureProperty Target="#sigid"', b'<SignatureProperty Id="p1" Target="#sigid"'
    )
    assert xml.verify(named).signing_time == NOON


def test_parts_that_are_missing_or_empty_are_empty(signed):
    without = re.sub(b"<Object>.*</Object>", b"", signed)
    without = re.sub(b"<SignatureValue>.*</SignatureValue>", b"<SignatureValue/>", without)
    _, root = opened(without)
    parts = parts_of(next(root.iter(SIGNATURE)), FIELD)
    assert (parts.signing_time, parts.value, parts.time_digest) == ("", b"", b"")


def one_signature(content: bytes) -> bytes:
    return re.search(b"<Signature .*?</Signature>", content)[0]


def test_a_second_signature_is_one_too_many_wherever_it_stands(signed, countersigned):
    several = "several-signatures"
    employers = one_signature(countersigned)
    twice = changed(countersigned, employers, employers * 2)
    assert reason_of(twice, profile="countersignature") == several
    without = changed(countersigned, employers, b"")
    ivans = one_signature(without)
    assert reason_of(changed(without, ivans, ivans * 2), profile="countersignature") == several
    assert reason_of(changed(signed, employers, employers * 2)) == several
    assert xml.verify(countersigned, profile="countersignature").at == "Hoso/CKy_iVan"


PLAIN = [
    *("Signature", "SignedInfo", "CanonicalizationMethod", "SignatureMethod", "Reference", "Transforms"),
    *("Transform", "DigestMethod", "DigestValue", "SignatureValue", "KeyInfo", "KeyValue", "RSAKeyValue"),
    *("Modulus", "Exponent", "X509Data", "X509SubjectName", "X509Certificate", "Object"),
    *("SignatureProperties", "SignatureProperty", "SigningTime"),
]


@pytest.mark.parametrize("name", PLAIN)
def test_no_element_of_a_signature_has_an_attribute_more(signed, name):
    expected = "reference" if name == "Reference" else "structure"
    other = re.sub(rf"<{name}(?=[ >])".encode(), f'<{name} Other="x"'.encode(), signed, count=1)
    for thorough in (False, True):
        assert reason_of(other, thorough=thorough) == expected


@pytest.mark.parametrize("name", PLAIN)
def test_no_element_of_a_signature_has_a_prefix(signed, name):
    space = re.search(rf'<{name} [^>]*xmlns="([^"]*)"'.encode(), signed)
    uri = space[1].decode() if space else "http://www.w3.org/2000/09/xmldsig#"
    other = re.sub(rf"<{name}(?=[ >])".encode(), f'<p:{name} xmlns:p="{uri}"'.encode(), signed, count=1)
    other = re.sub(rf"</{name}>".encode(), f"</p:{name}>".encode(), other, count=1)
    assert reason_of(other)


def test_the_subject_name_holds_only_text(signed):
    other = re.sub(b"<X509SubjectName>", b"<X509SubjectName><a></a>", signed)
    assert reason_of(other, thorough=True) == "structure"
