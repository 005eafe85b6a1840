from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from bhxh_sdk import xml
from bhxh_sdk.errors import (
    CertificateUnusableError,
    InputError,
    SignatureMismatchError,
    VerificationError,
    WrongTypeError,
)
from bhxh_sdk.models import CertificateInfo, SignatureScheme

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ALONE = [profile.name for profile in xml.signature_profiles() if not profile.over]
ALGORITHMS = {"rsa-pss": "rsa-pss-sha256", "ecdsa": "ecdsa-sha256"}


@pytest.fixture(scope="module")
def signed_as(form, sign, issue, curve_key, certificate, key):
    """Sign the form's document in a shape."""
    curve = CertificateInfo.from_der(issue(curve_key.public_key()))

    def signed_as(profile: xml.SignatureProfile | str) -> bytes:
        shape = xml.signature_profile(profile) if isinstance(profile, str) else profile
        is_curve = shape.scheme is SignatureScheme.ECDSA
        who, with_key = (curve, curve_key) if is_curve else (certificate, key)
        return sign(xml.build(form).content, profile=shape, who=who, with_key=with_key)

    return signed_as


def test_the_default_is_the_fields_shape():
    first = xml.signature_profiles()[0]
    assert first.name == "field"
    assert xml.SignatureProfile(name="field").to_dict() == {
        **first.to_dict(),
        "title": "",
        "note": "",
        "certainty": "unknown",
    }


@pytest.mark.parametrize("name", ALONE)
def test_a_document_of_each_shape_is_verified_as_that_shape(signed_as, name, form):
    verified = xml.verify(signed_as(name), profile=name)
    assert xml.read(verified.content) == xml.carried(form)
    assert verified.algorithm == ALGORITHMS.get(name, "rsa-sha256")
    assert verified.signing_time == NOON
    assert verified.is_time_protected == (name == "referenced-time")


@pytest.mark.parametrize("name", ALONE)
def test_no_shape_is_taken_for_another(signed_as, name):
    signed = signed_as(name)
    for other in set(ALONE) - {name}:
        with pytest.raises(VerificationError):
            xml.verify(signed, profile=other)


@pytest.mark.parametrize("name", ALONE)
def test_every_byte_of_the_content_is_protected(signed_as, name):
    signed = signed_as(name)
    for position in range(signed.index(b"<MaCoQuan>"), signed.index(b"<DiaChi>"), 7):
        changed = signed[:position] + bytes([signed[position] ^ 1]) + signed[position + 1 :]
        with pytest.raises(VerificationError):
            xml.verify(changed, profile=name)


def test_a_protected_time_cannot_be_changed(signed_as, refused):
    signed = signed_as("referenced-time")
    with refused(VerificationError, "document.signature_wrong", reason="signature-value"):
        xml.verify(signed.replace(b"2026-01-02T", b"2026-01-03T"), profile="referenced-time")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b'<Object Id="SigningTime">', b"<Object>", "signing-time"),
        (b'<Object Id="SigningTime">', b'<Object Id="SigningTime"> ', "signing-time"),
        (b'Target="#sigid"', b'Target="#x"', "signing-time"),
        (b'URI="#SigningTime"', b'URI="#x"', "reference"),
        (b'URI="#SigningTime"', b'URI=""', "reference"),
    ],
)
def test_the_second_reference_and_its_object_are_exactly_as_expected(signed_as, refused, old, new, reason):
    signed = signed_as("referenced-time")
    assert old in signed
    with refused(VerificationError, "document.signature_shape", reason=reason):
        xml.verify(signed.replace(old, new), profile="referenced-time")


def test_the_digest_of_the_time_must_be_the_one_in_the_document(signed_as, refused):
    signed = signed_as("referenced-time")
    second = signed.rindex(b"<DigestValue>") + len(b"<DigestValue>")
    other = signed[:second] + (b"B" if signed[second : second + 1] == b"A" else b"A") + signed[second + 1 :]
    with refused(VerificationError, "document.signature_wrong", reason="signature-value"):
        xml.verify(other, profile="referenced-time")


def test_both_references_have_one_digest_algorithm(signed_as, refused):
    signed = signed_as("referenced-time")
    method = b"http://www.w3.org/2001/04/xmlenc#sha256"
    head, _, tail = signed.rpartition(method)
    second = tail.index(b"<DigestValue>") + len(b"<DigestValue>")
    tail = tail[:second] + b"AAAAAAAAAAAAAAAAAAAAAAAAAAA=" + tail[second + 44 :]
    mixed = head + b"http://www.w3.org/2000/09/xmldsig#sha1" + tail
    with refused(VerificationError, "document.signature_shape", reason="reference"):
        xml.verify(mixed, profile="referenced-time", allow_sha1=True)


def test_a_protected_time_is_canonicalised_with_the_namespaces_around_it(signed_as):
    signed = signed_as("referenced-time")
    assert etree.fromstring(signed).nsmap
    assert xml.verify(signed, profile="referenced-time").is_time_protected


def test_without_a_time_there_is_no_object(signed_as):
    timeless = xml.SignatureProfile(name="timeless", signing_time="none", subject_name=False, key_value=False)
    signed = signed_as(timeless)
    assert b"<Object" not in signed
    assert b"X509SubjectName" not in signed
    assert b"KeyValue" not in signed
    assert xml.verify(signed, profile=timeless).signing_time is None
    assert xml.verify(signed).signing_time is None  # the field's shape may lack a time too


def test_a_protected_time_without_a_name_of_its_own_in_exclusive_form(signed_as):
    both = evolve(
        xml.signature_profile("referenced-time"), canonicalisation="exclusive", properties_id="proid"
    )
    verified = xml.verify(signed_as(both), profile=both)
    assert verified.is_time_protected
    assert b"xmlns:xsd" not in verified.content


def test_an_unprotected_time_may_have_no_id(signed_as):
    bare = xml.SignatureProfile(name="bare", properties_id="")
    assert xml.verify(signed_as(bare), profile=bare).signing_time == NOON
    assert xml.verify(signed_as(bare)).signing_time == NOON


def test_the_scheme_must_fit_the_key(refused, form, issue, curve_key, certificate, sign):
    content = xml.build(form).content
    with refused(CertificateUnusableError, "document.key_not_p256"):
        sign(content, profile="ecdsa")
    curve = CertificateInfo.from_der(issue(curve_key.public_key()))
    with refused(CertificateUnusableError, "document.key_kind"):
        sign(content, profile="rsa-pss", who=curve, with_key=curve_key)


def test_a_value_of_ecdsa_has_64_bytes(refused, form, issue, curve_key):
    curve = CertificateInfo.from_der(issue(curve_key.public_key()))
    prepared = xml.prepare(xml.build(form).content, curve, signing_time=NOON, profile="ecdsa")
    der = curve_key.sign(prepared.signed_info, ec.ECDSA(hashes.SHA256()))
    with refused(SignatureMismatchError, "document.value_length"):
        xml.complete(prepared, der)


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"scheme": "dsa"}, "xml.signature_profile_value", "scheme"),
        ({"canonicalisation": "1.1"}, "xml.signature_profile_value", "canonicalisation"),
        ({"signing_time": "maybe"}, "xml.signature_profile_value", "signing_time"),
        ({"signature_id": ""}, "xml.signature_profile_id", "signature_id"),
        ({"signature_id": 'x"'}, "xml.signature_profile_id", "signature_id"),
        ({"properties_id": "1"}, "xml.signature_profile_id", "properties_id"),
        ({"signing_time": "protected"}, "xml.signature_profile_id", "time_id"),
    ],
)
def test_an_impossible_shape_is_refused_when_it_is_made(refused, change, code, field):
    with refused(InputError, code, field=field):
        xml.SignatureProfile(name="own", **change)


def test_a_shape_is_plain_data_and_back():
    for profile in xml.signature_profiles():
        assert xml.SignatureProfile.from_dict(profile.to_dict()) == profile
        assert hash(xml.SignatureProfile.from_dict(profile.to_dict())) == hash(profile)


@pytest.mark.parametrize("data", [{}, {"name": "x", "more": 1}, {"name": "x", "certainty": "no"}])
def test_data_that_is_no_shape_is_refused(refused, data):
    with refused(InputError, "xml.signature_profile_data", field="profile"):
        xml.SignatureProfile.from_dict(data)


def test_a_name_that_nobody_knows_is_refused(refused, form, certificate):
    with refused(InputError, "xml.unknown_signature_profile", field="profile"):
        xml.verify(b"", profile="other")
    with refused(WrongTypeError, "input.wrong_type", field="profile"):
        xml.verify(b"", profile=None)


def test_prepared_values_keep_their_shape_on_the_way(form, certificate):
    content = xml.build(form).content
    for name in ("field", "exclusive", "referenced-time"):
        prepared = xml.prepare(content, certificate, signing_time=NOON, profile=name)
        assert xml.PreparedSignature.from_bytes(prepared.to_bytes()) == prepared
        assert prepared.is_intact
        assert not xml.PreparedSignature.from_bytes(prepared.to_bytes()).is_intact
