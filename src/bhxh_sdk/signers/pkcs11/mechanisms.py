"""How a token signs a digest: the mechanism, and the bytes that it takes.

CKM_RSA_PKCS over a DigestInfo made here is what every RSA token in the sources can do; CKM_SHA256_RSA_PKCS
hashes the document on the token and is for those that offer nothing else.

Sources: PKCS#11 2.40 mechanisms (https://docs.oasis-open.org/pkcs11/pkcs11-curr/v2.40/os/), sections 2.1.6
(RSA), 2.1.13 (PSS) and 2.3.6 (ECDSA: r and s, one after the other); RFC 8017, section 9.2 (DigestInfo).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bhxh_sdk.errors import InputError, UnsupportedOperationError
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.signers.contract import HashName
from bhxh_sdk.signers.pkcs11.contract import Mechanism
from bhxh_sdk.signers.values import digest_info

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

__all__ = ["data_of", "demand_length", "mechanism_of"]

_LENGTHS = {name: hashlib.new(name.value).digest_size for name in HashName}


def mechanism_of(
    scheme: SignatureScheme, hash_name: HashName, offered: AbstractSet[int], name: str
) -> Mechanism:
    """Choose the mechanism.

    Args:
        scheme: the way to sign.
        hash_name: the function that made the digest.
        offered: the token's mechanisms; an empty set where it does not tell them.
        name: the token, for people.

    Raises:
        UnsupportedOperationError: the token offers none that signs in that way.

    """
    wanted = _wanted(scheme, hash_name)
    if not offered:
        return wanted[0]
    for mechanism in wanted:
        if mechanism in offered:
            return mechanism
    raise UnsupportedOperationError(
        "pkcs11.mechanism_missing", name=name, operation=scheme.value, hash_name=hash_name.value
    )


def data_of(mechanism: Mechanism, digest: bytes, hash_name: HashName, signed_info: bytes, name: str) -> bytes:
    """Return the bytes that the mechanism takes.

    Args:
        mechanism: one that `mechanism_of` chose.
        digest: the raw digest.
        hash_name: the function that made it.
        signed_info: what was hashed; needed only by a token that hashes itself.
        name: the token, for people.

    Raises:
        InputError: the digest has another length, or is not that of `signed_info`.
        UnsupportedOperationError: the token wants to hash itself, and what was hashed is not at hand.

    """
    demand_length(digest, hash_name)
    if mechanism is Mechanism.RSA_PKCS:
        return digest_info(digest, hash_name)
    if mechanism is not Mechanism.SHA256_RSA_PKCS:
        return digest
    if not signed_info:
        raise UnsupportedOperationError("pkcs11.whole_document_needed", name=name)
    if hashlib.sha256(signed_info).digest() != digest:
        raise InputError("pkcs11.other_digest", field="signed_info", name=name)
    return signed_info


def demand_length(digest: bytes, hash_name: HashName) -> None:
    """Refuse a digest that its hash function cannot have made.

    Raises:
        InputError: it has another length.

    """
    expected = _LENGTHS[hash_name]
    if len(digest) != expected:
        raise InputError("signing.digest_length", field="digest", name="", expected=expected, got=len(digest))


def _wanted(scheme: SignatureScheme, hash_name: HashName) -> tuple[Mechanism, ...]:
    """Return the mechanisms that sign in that way, best first."""
    if scheme is SignatureScheme.ECDSA:
        return (Mechanism.ECDSA,)
    if scheme is SignatureScheme.RSA_PSS:
        return (Mechanism.RSA_PKCS_PSS,)
    if hash_name is HashName.SHA256:
        return (Mechanism.RSA_PKCS, Mechanism.SHA256_RSA_PKCS)
    return (Mechanism.RSA_PKCS,)
