from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError

from bhxh_sdk.models import TaxCode
from bhxh_sdk.sandbox.pki import OTHER_TAX_CODE, SandboxPki

NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def pki():
    return SandboxPki(NOW)


def chain_length(pki, issued, moment=NOW):
    roots = [x509.load_der_x509_certificate(der) for der in pki.roots]
    between = [x509.load_der_x509_certificate(der) for der in pki.intermediates]
    verifier = (
        PolicyBuilder()
        .store(Store(roots))
        .time(moment)
        .extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all()
        )
        .build_client_verifier()
    )
    return len(verifier.verify(issued.certificate, between).chain)


def test_a_certificate_leads_to_the_root(pki):
    assert chain_length(pki, pki.issue()) == 3


def test_a_certificate_of_another_authority_leads_nowhere(pki):
    impostor = SandboxPki(NOW + timedelta(days=20_000))
    with pytest.raises(VerificationError):
        chain_length(impostor, pki.issue())


def test_every_name_of_the_authorities_says_that_nobody_trusts_them(pki):
    for certificate in (pki.root, pki.issuing):
        assert "not trusted" in certificate.subject.rfc4514_string()
    assert pki.issue().info.issuer_name == "bhxh-sdk sandbox CA (not trusted)"


def test_a_certificate_is_of_the_organisation_asked_for(pki):
    info = pki.issue("CHI NHÁNH VÍ DỤ", "0100109106-001").info
    assert info.common_name == "CHI NHÁNH VÍ DỤ"
    assert info.tax_codes == (TaxCode("0100109106-001"),)
    assert info.valid_at(NOW)
    assert info.signing_allowed
    assert info.serial_text.startswith("5401")
    assert len(info.serial_text) == 32


def test_each_variant_has_its_one_flaw(pki):
    tax_code = TaxCode("0100109106")
    assert not pki.expired().info.valid_at(NOW)
    assert pki.expired().info.valid_at(NOW - timedelta(days=2))
    assert not pki.not_yet_valid().info.valid_at(NOW)
    assert not pki.of_another().info.belongs_to(tax_code)
    assert not TaxCode(OTHER_TAX_CODE).check_digit_fits
    assert not pki.not_for_signing().info.signing_allowed
    assert pki.without_tax_code().info.tax_codes == ()
    person = pki.of_a_person_inside().info
    assert person.belongs_to(tax_code)
    assert len(person.personal_ids) == 1


def test_keys_are_shared_unless_one_of_its_own_is_asked_for(pki):
    first, second = pki.issue(), SandboxPki(NOW).issue()
    assert first.key is second.key
    assert first.info.serial != second.info.serial
    assert pki.issue(own_key=True).key is not first.key


def test_validity_can_be_chosen(pki):
    info = pki.issue(not_before=NOW, not_after=NOW + timedelta(hours=1)).info
    assert (info.not_before, info.not_after) == (NOW, NOW + timedelta(hours=1))


@pytest.mark.parametrize("password", ["", "bí mật"])
def test_key_and_certificate_can_be_written_to_files(pki, password):
    issued = pki.issue()
    secret = password.encode() or None
    numbers = issued.key.private_numbers()
    assert load_pem_private_key(issued.key_pem(password), secret).private_numbers() == numbers
    assert len(x509.load_pem_x509_certificates(issued.certificates_pem())) == 3
    assert load_pkcs12(issued.p12(password), secret).key.private_numbers() == numbers


def test_a_file_can_be_encrypted_as_old_programs_do(pki):
    assert load_pkcs12(pki.issue().p12("x", legacy=True), b"x").cert


def test_a_certificate_comes_with_a_signer(pki):
    issued = pki.issue()
    listed = asyncio.run(issued.signer().certificates())
    assert [item.certificate.der for item in listed if item.has_private_key] == [issued.der]
    assert len(listed) == 3


def test_nothing_shows_the_key(pki):
    assert "key=" not in repr(pki.issue())
