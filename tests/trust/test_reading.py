from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bhxh_sdk import trust
from bhxh_sdk.errors import InputError, UnreadableFileError, WrongTypeError


def pem(der, label="CERTIFICATE"):
    text = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
    return text.replace(b"CERTIFICATE", label.encode())


def test_certificates_are_read_from_der_from_pem_and_from_bundles(signer, root):
    assert trust.read_certificates(signer.der) == (signer.der,)
    assert trust.read_certificates(b"\r\nsubject=x\r\n" + pem(signer.der)) == (signer.der,)
    bundle = pem(signer.der).replace(b"\n", b"\r\n") + b"text between" + pem(root.der, "X509 CERTIFICATE")
    assert trust.read_certificates(bundle) == (signer.der, root.der)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        b"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----",
        b"-----BEGIN X509 CRL-----\nTUlJ\n-----END X509 CRL-----",
    ],
)
def test_what_is_no_certificate_is_refused(content):
    with pytest.raises(UnreadableFileError):
        trust.read_certificates(content)


def test_a_list_is_read_from_der_and_from_pem(issuing):
    der = issuing.crl()
    assert trust.read_crl(der) == der
    assert trust.read_crl(x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)) == der


def test_what_is_no_list_is_refused(refused, issuing, signer):
    der = issuing.crl()
    two = x509.load_der_x509_crl(der).public_bytes(Encoding.PEM) * 2
    for content in (b"", b"<html>404</html>", signer.der, two):
        with refused("trust.not_a_crl", UnreadableFileError, field="list"):
            trust.read_crl(content, "list")


def test_text_is_no_file():
    for read in (trust.read_certificates, trust.read_crl):
        with pytest.raises(WrongTypeError):
            read("text")


def test_a_policy_names_what_is_wrong_with_it(refused, root):
    with refused("trust.not_a_certificate", InputError, field="roots[1]"):
        trust.TrustPolicy(roots=[root.der, b"nonsense"])
    with refused("trust.not_a_certificate", InputError, field="intermediates[0]"):
        trust.TrustPolicy(roots=[], intermediates=[b""])
    with refused("trust.unknown_mode", InputError, field="revocation"):
        trust.TrustPolicy(roots=[], revocation="maybe")
    for field, value in (
        ("roots", b"DER"),
        ("roots", None),
        ("roots", "file"),
        ("smallest_key", "2048"),
        ("clock_skew", 5),
    ):
        with pytest.raises(WrongTypeError) as caught:
            trust.TrustPolicy(**{"roots": [], field: value})
        assert caught.value.field == field


def test_a_policy_is_strict_unless_told_otherwise(root):
    policy = trust.TrustPolicy(roots=(each for each in [root.der]))
    assert policy.revocation is trust.RevocationMode.REQUIRE
    assert (policy.roots, policy.smallest_key, policy.allow_sha1) == ((root.der,), 2048, False)
    assert str(root.der) not in repr(policy)
