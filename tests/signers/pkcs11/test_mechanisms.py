from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.errors import InputError, UnsupportedOperationError
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.signers.contract import HashName
from bhxh_sdk.signers.pkcs11.contract import Mechanism
from bhxh_sdk.signers.pkcs11.mechanisms import data_of, mechanism_of

RSA, PSS, ECDSA = SignatureScheme.RSA_PKCS1, SignatureScheme.RSA_PSS, SignatureScheme.ECDSA
SHA256 = HashName.SHA256


@pytest.mark.parametrize(
    ("scheme", "hash_name", "offered", "chosen"),
    [
        (RSA, SHA256, {0x1}, Mechanism.RSA_PKCS),
        (RSA, SHA256, {0x40, 0x1, 0xD}, Mechanism.RSA_PKCS),
        (RSA, SHA256, {0x40}, Mechanism.SHA256_RSA_PKCS),
        (RSA, SHA256, set(), Mechanism.RSA_PKCS),
        (RSA, HashName.SHA512, {0x1, 0x40}, Mechanism.RSA_PKCS),
        (PSS, SHA256, {0x1, 0xD}, Mechanism.RSA_PKCS_PSS),
        (ECDSA, SHA256, {0x1041}, Mechanism.ECDSA),
    ],
)
def test_the_mechanism_is_chosen_from_what_the_token_offers(scheme, hash_name, offered, chosen):
    assert mechanism_of(scheme, hash_name, offered, "HR") is chosen


@pytest.mark.parametrize(
    ("scheme", "hash_name", "offered"),
    [(RSA, SHA256, {0x1041}), (RSA, HashName.SHA384, {0x40}), (PSS, SHA256, {0x1}), (ECDSA, SHA256, {0x1})],
)
def test_a_token_that_signs_in_another_way_is_told_by_name(scheme, hash_name, offered):
    with pytest.raises(UnsupportedOperationError) as caught:
        mechanism_of(scheme, hash_name, offered, "HR")
    assert caught.value.code == "pkcs11.mechanism_missing"
    assert "HR" in caught.value.message("vi")
    assert hash_name.value in caught.value.message("en")


@pytest.mark.parametrize(("hash_name", "size"), [(SHA256, 51), (HashName.SHA384, 67), (HashName.SHA512, 83)])
def test_a_digest_info_is_what_openssl_signs(shelf, hash_name, size):
    digest = hashlib.new(hash_name.value, b"document").digest()
    data = data_of(Mechanism.RSA_PKCS, digest, hash_name, b"", "HR")
    assert len(data) == size
    key = shelf.a1.key
    value = key.sign(b"document", padding.PKCS1v15(), getattr(hashes, hash_name.name)())
    numbers = key.public_key().public_numbers()
    opened = pow(int.from_bytes(value, "big"), numbers.e, numbers.n).to_bytes(256, "big")
    assert opened.endswith(b"\0" + data)


@given(st.binary(min_size=1, max_size=300))
def test_a_token_that_hashes_itself_gets_the_document(content):
    digest = hashlib.sha256(content).digest()
    assert data_of(Mechanism.SHA256_RSA_PKCS, digest, SHA256, content, "HR") == content
    with pytest.raises(InputError) as caught:
        data_of(Mechanism.SHA256_RSA_PKCS, bytes(32), SHA256, content, "HR")
    assert caught.value.code == "pkcs11.other_digest"


def test_a_token_that_hashes_itself_cannot_sign_a_digest_alone():
    with pytest.raises(UnsupportedOperationError) as caught:
        data_of(Mechanism.SHA256_RSA_PKCS, bytes(32), SHA256, b"", "HR")
    assert caught.value.code == "pkcs11.whole_document_needed"


@pytest.mark.parametrize("mechanism", [Mechanism.ECDSA, Mechanism.RSA_PKCS_PSS])
def test_other_mechanisms_take_the_digest(mechanism):
    assert data_of(mechanism, bytes(range(32)), SHA256, b"", "HR") == bytes(range(32))


@pytest.mark.parametrize("mechanism", list(Mechanism))
def test_a_digest_of_another_length_is_refused(mechanism):
    with pytest.raises(InputError) as caught:
        data_of(mechanism, bytes(20), SHA256, b"", "HR")
    assert (caught.value.code, caught.value.field) == ("signing.digest_length", "digest")
