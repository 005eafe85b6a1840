from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509

from bhxh_sdk import xml
from bhxh_sdk.errors import InputError, VerificationError
from bhxh_sdk.models import CertificateInfo

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def signed_by(form, sign):
    def signed_by(der: bytes) -> bytes:
        return sign(xml.build(form).content, who=CertificateInfo.from_der(der))

    return signed_by


@pytest.fixture(scope="module")
def signed(signed_by, certificate) -> bytes:
    return signed_by(certificate.der)


def test_a_certificate_of_a_trusted_authority_is_trusted(signed, authority):
    assert xml.verify(signed, roots=[authority], moment=NOON).trusted


def test_a_certificate_that_is_trusted_itself_is_trusted(signed, certificate):
    assert xml.verify(signed, roots=[certificate.der], moment=NOON).trusted


@pytest.mark.parametrize("usage", [("digital_signature",), ("content_commitment",), ()])
def test_signing_or_non_repudiation_or_no_key_usage_at_all_may_sign(signed_by, issue, key, authority, usage):
    signed = signed_by(issue(key.public_key(), usage=usage))
    assert xml.verify(signed, roots=[authority], moment=NOON).trusted


def test_a_certificate_for_encryption_may_not_sign(refused, signed_by, issue, key, authority):
    signed = signed_by(issue(key.public_key(), usage=("key_encipherment",)))
    assert not xml.verify(signed).trusted
    with refused(VerificationError, "document.key_usage", reason="key-usage"):
        xml.verify(signed, roots=[authority], moment=NOON)


def test_no_root_no_trust(refused, signed):
    with refused(VerificationError, "document.untrusted", reason="untrusted"):
        xml.verify(signed, roots=[], moment=NOON)


def test_an_authority_of_the_same_name_with_another_key_is_not_trusted(refused, signed, issue, small_key):
    impostor = issue(
        small_key.public_key(), "CA VÍ DỤ", issuer_key=small_key, authority=True, usage=("key_cert_sign",)
    )
    with refused(VerificationError, "document.untrusted", reason="untrusted"):
        xml.verify(signed, roots=[impostor], moment=NOON)


def test_an_issuer_that_is_no_authority_is_not_trusted(refused, signed, issue, authority_key):
    broken = x509.UnrecognizedExtension(x509.ExtensionOID.KEY_USAGE, b"\x01")
    for options in (
        {"usage": ("key_cert_sign",)},
        {"authority": True, "usage": ()},
        {"authority": True},
        {"authority": True, "usage": (), "extensions": [(broken, True)]},
    ):
        false_authority = issue(authority_key.public_key(), "CA VÍ DỤ", **options)
        with refused(VerificationError, "document.untrusted", reason="untrusted"):
            xml.verify(signed, roots=[false_authority], moment=NOON)


def test_an_authority_that_has_expired_is_not_trusted(refused, signed, issue, authority_key):
    old = issue(
        authority_key.public_key(),
        "CA VÍ DỤ",
        authority=True,
        usage=("key_cert_sign",),
        end=datetime(2025, 6, 1, tzinfo=UTC),
    )
    with refused(VerificationError, "document.untrusted", reason="untrusted"):
        xml.verify(signed, roots=[old], moment=NOON)


def test_a_critical_extension_that_nobody_understands_is_refused(refused, signed_by, issue, key, authority):
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    known = xml.verify(
        signed_by(issue(key.public_key(), extensions=[(odd, False)])), roots=[authority], moment=NOON
    )
    assert known.trusted
    signed = signed_by(issue(key.public_key(), extensions=[(odd, True)]))
    with refused(VerificationError, "document.untrusted", reason="untrusted"):
        xml.verify(signed, roots=[authority], moment=NOON)


def test_validity_is_checked_at_the_moment_asked_for(refused, signed, authority):
    assert not xml.verify(signed, moment=NOON).trusted
    for roots in (None, [authority]):
        with refused(VerificationError, "document.not_yet_valid", reason="not-yet-valid"):
            xml.verify(signed, roots=roots, moment=datetime(2024, 12, 31, tzinfo=UTC))
        with refused(VerificationError, "document.expired", reason="expired"):
            xml.verify(signed, roots=roots, moment=datetime(2030, 1, 2, tzinfo=UTC))


def test_roots_that_are_no_certificates_are_refused(refused, signed):
    for root in (b"", b"x", "x"):
        with refused(InputError, "xml.not_a_certificate", field="roots[0]"):
            xml.verify(signed, roots=[root], moment=NOON)
