from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.xml.keys import signer_of, value_fits


def test_a_key_knows_the_ways_in_which_it_signs(issue, key, curve_key):
    rsa = signer_of(issue(key.public_key()))
    assert rsa.schemes == {SignatureScheme.RSA_PKCS1, SignatureScheme.RSA_PSS}
    assert (rsa.strength, rsa.value_length) == (2048, 256)
    curve = signer_of(issue(curve_key.public_key()))
    assert curve.schemes == {SignatureScheme.ECDSA}
    assert (curve.strength, curve.value_length, curve.numbers) == (3072, 64, None)


def test_other_keys_sign_in_no_way(issue):
    for key in (ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()):
        assert signer_of(issue(key.public_key())).schemes == frozenset()


def test_a_value_of_another_length_does_not_fit(issue, key, curve_key):
    curve, rsa = signer_of(issue(curve_key.public_key())), signer_of(issue(key.public_key()))
    assert not value_fits(curve, bytes(63), b"", SignatureScheme.ECDSA)
    assert not value_fits(curve, bytes(64), b"", SignatureScheme.ECDSA)
    assert not value_fits(rsa, bytes(255), b"", SignatureScheme.RSA_PKCS1)


def test_a_certificate_is_read_once(issue, key):
    der = issue(key.public_key())
    assert signer_of(der) is signer_of(bytes(bytearray(der)))
