from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bhxh_sdk import trust, xml
from bhxh_sdk.errors import InputError, VerificationError, WrongTypeError
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
    with refused(VerificationError, "trust.key_usage", reason="key-usage"):
        xml.verify(signed, roots=[authority], moment=NOON)


def test_no_root_no_trust(refused, signed):
    with refused(VerificationError, "trust.untrusted", reason="untrusted"):
        xml.verify(signed, roots=[], moment=NOON)


def test_the_path_that_was_found_is_handed_out(signed, authority):
    policy = trust.TrustPolicy(roots=[authority], revocation="soft")
    report = xml.verify(signed, trust=policy, moment=NOON).trust
    assert [step.certificate.common_name for step in report.path] == ["CÔNG TY TNHH VÍ DỤ", "CA VÍ DỤ"]
    assert not report.revocation_proven


def test_a_policy_that_requires_it_refuses_what_nobody_proved(refused, signed, authority):
    policy = trust.TrustPolicy(roots=[authority])
    with refused(VerificationError, "trust.revocation_unknown", reason="revocation-unknown"):
        xml.verify(signed, trust=policy, moment=NOON)


def test_what_cannot_be_asked_is_said_before_anything_is_verified(refused, authority):
    policy = trust.TrustPolicy(roots=[authority])
    with refused(InputError, "xml.roots_and_policy", field="roots"):
        xml.verify(b"", trust=policy, roots=[authority], moment=NOON)
    with refused(InputError, "xml.moment_needed", field="moment"):
        xml.verify(b"", trust=policy)
    with refused(WrongTypeError, "input.wrong_type", field="trust"):
        xml.verify(b"", trust=[authority], moment=NOON)


def test_validity_is_checked_at_the_moment_asked_for(refused, signed, authority):
    assert not xml.verify(signed, moment=NOON).trusted
    for roots in (None, [authority]):
        with refused(VerificationError, "trust.not_yet_valid", reason="not-yet-valid"):
            xml.verify(signed, roots=roots, moment=datetime(2024, 12, 31, tzinfo=UTC))
        with refused(VerificationError, "trust.expired", reason="expired"):
            xml.verify(signed, roots=roots, moment=datetime(2030, 1, 2, tzinfo=UTC))


def test_roots_that_are_no_certificates_are_refused(refused, signed):
    for root in (b"", b"x", "x"):
        with refused(InputError, "trust.not_a_certificate", field="roots[0]"):
            xml.verify(signed, roots=[root], moment=NOON)
