from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from signers.pkcs11.fakes import certificate

from bhxh_sdk.errors import KeyNotFoundError
from bhxh_sdk.signers.pkcs11.contract import TokenCertificate, TokenKey
from bhxh_sdk.signers.pkcs11.pairing import candidates, paired


def key(entry, *, hidden=False, **changes):
    public = entry.key.public_key().public_numbers()
    is_rsa = hasattr(public, "n")
    given = {
        "handle": entry.label,
        "key_id": bytes.fromhex(entry.key_id),
        "kind": "rsa" if is_rsa else "ec",
        "modulus": public.n if is_rsa and not hidden else None,
    }
    return TokenKey(**given | changes)


def pair(own, keys, others=()):
    return paired(own, keys, [own, *others], name="HR", owner="CÔNG TY VÍ DỤ")


def code_of(own, keys, others=()):
    with pytest.raises(KeyNotFoundError) as caught:
        pair(own, keys, others)
    assert "HR" in caught.value.message("vi")
    assert "CÔNG TY VÍ DỤ" in caught.value.message("en")
    assert caught.value.hint("vi")
    return caught.value.code


@pytest.mark.parametrize("hidden", [False, True])
def test_a_key_is_found_by_its_id(shelf, hidden):
    keys = [key(shelf.a2, hidden=hidden), key(shelf.a1, hidden=hidden)]
    assert pair(certificate(shelf.a1), keys) is keys[1]


def test_a_key_under_another_id_is_found_by_its_modulus(shelf):
    keys = [key(shelf.a1), key(shelf.e5)]
    assert pair(certificate(shelf.d4), keys) is keys[1]


def test_the_only_key_is_taken_where_its_modulus_is_hidden(shelf):
    (only,) = keys = [key(shelf.e5, hidden=True)]
    assert pair(certificate(shelf.d4), keys) is only
    assert pair(TokenCertificate(der=shelf.d4.certificate), keys) is only


def test_the_only_key_is_not_taken_when_it_has_another_certificates_id(shelf):
    keys = [key(shelf.a1, hidden=True)]
    others = [certificate(shelf.a1)]
    assert code_of(certificate(shelf.b2), keys, others) == "pairing.no_key"


def test_a_key_with_another_modulus_is_never_taken(shelf):
    assert code_of(certificate(shelf.a1), [key(shelf.a2)]) == "pairing.no_key"
    lying = key(shelf.a2, key_id=bytes.fromhex("a1"))
    assert code_of(certificate(shelf.a1), [lying]) == "pairing.no_key"
    assert pair(certificate(shelf.a1), [lying, key(shelf.a1, key_id=b"x")]).key_id == b"x"


def test_between_several_keys_nobody_guesses(shelf):
    keys = [key(shelf.a1, hidden=True, key_id=b""), key(shelf.a2, hidden=True, key_id=b"")]
    assert code_of(certificate(shelf.a1), keys) == "pairing.several_keys"
    same = [key(shelf.a1, hidden=True, handle=n) for n in range(2)]
    assert code_of(certificate(shelf.a1), same) == "pairing.several_keys"


def test_one_key_that_is_listed_twice_is_one_key(shelf):
    keys = [key(shelf.a1, handle=n) for n in range(2)]
    assert pair(certificate(shelf.a1), keys) is keys[0]


def test_a_certificate_alone_has_no_key(shelf):
    assert code_of(certificate(shelf.b2), []) == "pairing.no_keys_at_all"


def test_a_key_on_a_curve_belongs_to_a_certificate_on_a_curve(shelf):
    keys = [key(shelf.a1), key(shelf.f6)]
    assert pair(certificate(shelf.f6), keys) is keys[1]
    assert candidates(certificate(shelf.f6), keys[:1], []) == []
    assert candidates(certificate(shelf.a1), keys[1:], []) == []


def test_a_certificate_that_cannot_be_read_has_no_key(shelf):
    assert candidates(TokenCertificate(der=b"junk", key_id=b"\xa1"), [key(shelf.a1)], []) == []


def test_a_key_of_another_kind_is_other(shelf, monkeypatch):
    edwards = ed25519.Ed25519PrivateKey.generate().public_key()

    class Read:
        def public_key(self):
            return edwards

    monkeypatch.setattr("bhxh_sdk.signers.pkcs11.pairing.x509.load_der_x509_certificate", lambda der: Read())
    assert candidates(certificate(shelf.a1), [key(shelf.a1)], []) == []
