"""The signer's public key: read from the certificate once, judged, and used to verify signature values."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from bhxh_sdk.models import CertificateInfo, SignatureScheme
from bhxh_sdk.models.certificate import load_certificate

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SignerKey", "digest_of", "signer_of", "value_fits", "wrong_kind"]

_RSA = frozenset({SignatureScheme.RSA_PKCS1, SignatureScheme.RSA_PSS})
_P256_VALUE = 64
_PREHASHED: Mapping[str, Prehashed] = {
    "sha256": Prehashed(hashes.SHA256()),
    "sha1": Prehashed(hashes.SHA1()),  # noqa: S303  # verified only, and only when asked for
}
_PKCS1 = padding.PKCS1v15()
_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)


class SignerKey(NamedTuple):
    """Hold a certificate and the facts of its key that are asked for with each signature.

    Args:
        certificate: what the certificate says.
        public: the public key.
        numbers: modulus and exponent of an RSA key; None for another.
        schemes: the ways in which it can sign.
        strength: bits of an RSA key; for P-256 those of an RSA key as strong (NIST SP 800-57, table 2).
        value_length: how many bytes a signature value has.

    """

    certificate: CertificateInfo
    public: Any
    numbers: tuple[int, int] | None
    schemes: frozenset[SignatureScheme]
    strength: int
    value_length: int


def signer_of(der: bytes) -> SignerKey:
    """Return what a certificate says, and its key; an I-VAN meets the same certificates again and again.

    Raises:
        UnreadableFileError: the bytes are not a certificate.
        ValueError, TypeError, UnsupportedAlgorithm: the key in it cannot be read.

    """
    return _signer_of(der) if len(der) <= _LONGEST_KEPT else _signer_of.__wrapped__(der)


_LONGEST_KEPT = 20_000


@lru_cache(maxsize=512)
def _signer_of(der: bytes) -> SignerKey:
    certificate = CertificateInfo.from_der(der)
    key = load_certificate(der).public_key()
    if isinstance(key, RSAPublicKey):
        own = key.public_numbers()
        length = (key.key_size + 7) // 8
        return SignerKey(certificate, key, (own.n, own.e), _RSA, key.key_size, length)
    if isinstance(key, EllipticCurvePublicKey) and key.curve.name == "secp256r1":
        return SignerKey(certificate, key, None, frozenset({SignatureScheme.ECDSA}), 3072, _P256_VALUE)
    return SignerKey(certificate, key, None, frozenset(), 0, 0)


def wrong_kind(scheme: SignatureScheme) -> str:
    """Return the code of the error that a key cannot sign in that way."""
    return "document.key_not_p256" if scheme is SignatureScheme.ECDSA else "document.key_kind"


def digest_of(content: bytes, hash_name: str) -> bytes:
    """Return the digest of bytes by `sha256` or `sha1`."""
    if hash_name == "sha256":
        return hashlib.sha256(content).digest()
    return hashlib.new(hash_name, content, usedforsecurity=False).digest()


def value_fits(
    key: SignerKey, value: bytes, signed: bytes, scheme: SignatureScheme, hash_name: str = "sha256"
) -> bool:
    """Tell whether a signature value was made over those bytes with that key.

    Args:
        key: the key; the scheme is one of its own.
        value: the value as it stands in a signature: for ECDSA r and s, one after the other.
        signed: the bytes that were hashed.
        scheme: the signature scheme.
        hash_name: `sha256` or `sha1`.

    """
    digest = digest_of(signed, hash_name)
    try:
        if scheme is SignatureScheme.ECDSA:
            key.public.verify(_pair(value), digest, ECDSA(_PREHASHED[hash_name]))
        else:
            padded = _PSS if scheme is SignatureScheme.RSA_PSS else _PKCS1
            key.public.verify(value, digest, padded, _PREHASHED[hash_name])
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _pair(value: bytes) -> bytes:
    """Return r and s, one after the other, as the DER that libraries take."""
    if len(value) != _P256_VALUE:
        raise InvalidSignature
    half = _P256_VALUE // 2
    return encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
