"""What raw attributes mean."""

from __future__ import annotations

import sys

import pytest

from bhxh_sdk.signers.pkcs11.attributes import certificate_of, key_of, length_of, pss_of, text_of
from bhxh_sdk.signers.pkcs11.contract import CkrError

CKA_LABEL, CKA_VALUE, CKA_CERTIFICATE_TYPE = 0x3, 0x11, 0x80
CKA_KEY_TYPE, CKA_ID, CKA_SIGN, CKA_MODULUS = 0x100, 0x102, 0x108, 0x120
CKA_ALWAYS_AUTHENTICATE = 0x202


def number(value):
    return value.to_bytes(8, sys.byteorder)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"HR token   ", "HR token"),
        (b"HR\0\0\0", "HR"),
        ("Công ty".encode(), "Công ty"),
        (b"\xffHR", "\N{REPLACEMENT CHARACTER}HR"),
        (b"   ", ""),
    ],
)
def test_texts_lose_their_padding(raw, text):
    assert text_of(raw) == text


def test_a_length_that_is_none_is_not_told():
    assert [length_of(number) for number in (0, 4, 255, 2**32 - 1, 2**64 - 1)] == [0, 4, 255, 0, 0]


def test_a_certificate_needs_a_value_only():
    assert certificate_of({CKA_VALUE: b"der"}).der == b"der"
    full = certificate_of(
        {CKA_VALUE: b"der", CKA_ID: b"\xa1", CKA_LABEL: b"sign", CKA_CERTIFICATE_TYPE: number(0)}
    )
    assert (full.key_id, full.label) == (b"\xa1", "sign")


@pytest.mark.parametrize(
    "values",
    [{}, {CKA_VALUE: b""}, {CKA_VALUE: b"der", CKA_CERTIFICATE_TYPE: number(1)}],
)
def test_what_is_no_certificate_is_left_out(values):
    assert certificate_of(values) is None


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({CKA_KEY_TYPE: number(0)}, "rsa"),
        ({CKA_KEY_TYPE: number(3)}, "ec"),
        ({CKA_KEY_TYPE: number(0x80000001)}, "other"),
        ({}, "other"),
    ],
)
def test_a_key_has_a_kind(values, kind):
    assert key_of(7, values).kind == kind


def test_a_key_tells_what_is_known_of_it():
    key = key_of(7, {CKA_MODULUS: b"\1\0", CKA_ALWAYS_AUTHENTICATE: b"\1", CKA_SIGN: b"\1"})
    assert (key.handle, key.modulus, key.always_authenticate) == (7, 256, True)
    assert not key_of(7, {CKA_ALWAYS_AUTHENTICATE: b"\0"}).always_authenticate


def test_a_key_that_does_not_sign_is_left_out():
    assert key_of(7, {CKA_SIGN: b"\0"}) is None


def test_pss_goes_by_the_digests_length():
    assert pss_of(bytes(32)) == (0x250, 2, 32)
    assert pss_of(bytes(64)) == (0x270, 4, 64)
    with pytest.raises(CkrError):
        pss_of(bytes(20))
