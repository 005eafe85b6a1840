"""Signature values: made with a private key over a digest, and judged with the certificate's public key.

RSA PKCS#1 v1.5 is the one form that every Vietnamese source shows. RSA-PSS and ECDSA on P-256 are there for
who asks for them; `SignatureScheme` tells their sources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)

from bhxh_sdk.errors import CertificateUnusableError, InputError, SigningError, UnreadableFileError
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.signers.contract import HashName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bhxh_sdk.models import CertificateInfo
    from bhxh_sdk.signers.contract import SigningJob

__all__ = ["demand_kind", "digest_info", "public_key", "schemes_of", "signature_fits", "signed"]

_HALF = 32  # bytes of r and of s on P-256
_RSA = frozenset({SignatureScheme.RSA_PKCS1, SignatureScheme.RSA_PSS})
_ECDSA = frozenset({SignatureScheme.ECDSA})
_ALGORITHMS: dict[HashName, hashes.HashAlgorithm] = {
    HashName.SHA256: hashes.SHA256(),
    HashName.SHA384: hashes.SHA384(),
    HashName.SHA512: hashes.SHA512(),
}
_HASHES = {name: Prehashed(algorithm) for name, algorithm in _ALGORITHMS.items()}
_PKCS1 = padding.PKCS1v15()
_PSS = {
    name: padding.PSS(mgf=padding.MGF1(algorithm), salt_length=algorithm.digest_size)
    for name, algorithm in _ALGORITHMS.items()
}

_DIGEST_INFO = {
    HashName.SHA256: bytes.fromhex("3031300d060960864801650304020105000420"),
    HashName.SHA384: bytes.fromhex("3041300d060960864801650304020205000430"),
    HashName.SHA512: bytes.fromhex("3051300d060960864801650304020305000440"),
}


def digest_info(digest: bytes, hash_name: HashName) -> bytes:
    """Return the DER that PKCS#1 v1.5 pads: 51 bytes for SHA-256.

    Source: RFC 8017, section 9.2, note 1.
    """
    return _DIGEST_INFO[hash_name] + digest


def signed(key: Any, digest: bytes, hash_name: HashName, scheme: SignatureScheme) -> bytes:  # noqa: ANN401  # RSA or P-256; each has a `sign` of its own
    """Sign a digest.

    Args:
        key: a private key that can sign in that way.
        digest: the raw digest.
        hash_name: the function that made it.
        scheme: the way to sign.

    Returns:
        The raw value; for ECDSA r and s of 32 bytes each, one after the other.

    Raises:
        InputError: the digest has not the length of its hash function.
        SigningError: the key is too short for it.

    """
    hashing = _HASHES[hash_name]
    try:
        if scheme is SignatureScheme.ECDSA:
            return _raw(key.sign(digest, ec.ECDSA(hashing)))
        padded = _PKCS1 if scheme is SignatureScheme.RSA_PKCS1 else _PSS[hash_name]
        value: bytes = key.sign(digest, padded, hashing)
    except ValueError as error:
        expected = _ALGORITHMS[hash_name].digest_size
        if len(digest) == expected:
            raise SigningError("signing.failed", reason=str(error)) from error
        raise InputError(
            "signing.digest_length", field="digest", name="", expected=expected, got=len(digest)
        ) from error
    return value


def signature_fits(key: Any, job: SigningJob, value: bytes) -> bool:  # noqa: ANN401  # as above
    """Tell whether a signature value belongs to the job's digest and the public key."""
    hashing = _HASHES[job.hash_name]
    try:
        if job.scheme is SignatureScheme.ECDSA:
            key.verify(_pair(value), job.digest, ec.ECDSA(hashing))
        else:
            padded = _PKCS1 if job.scheme is SignatureScheme.RSA_PKCS1 else _PSS[job.hash_name]
            key.verify(value, job.digest, padded, hashing)
    except InvalidSignature:
        return False
    return True


def public_key(certificate: CertificateInfo, schemes: Iterable[SignatureScheme]) -> Any:  # noqa: ANN401  # as above
    """Return the public key of a certificate that can sign in all of these ways.

    Raises:
        CertificateUnusableError: its key is of another kind; whether BHXH takes other keys than RSA is not
            known.
        UnreadableFileError: the certificate has no bytes, or they are not a certificate.

    """
    try:
        key = x509.load_der_x509_certificate(certificate.der).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnreadableFileError("input.not_a_certificate", field="certificate") from error
    for scheme in schemes:
        demand_kind(key, scheme, certificate)
    return key


def demand_kind(key: object, scheme: SignatureScheme, certificate: CertificateInfo) -> None:
    """Refuse a key, private or public, that cannot sign in that way.

    Raises:
        CertificateUnusableError: its key is of another kind.

    """
    if scheme not in schemes_of(key):
        kind = "p256" if scheme is SignatureScheme.ECDSA else "rsa"
        raise CertificateUnusableError(
            f"signing.certificate_not_{kind}", name=certificate.common_name, kind=certificate.key_kind
        )


def schemes_of(key: object) -> frozenset[SignatureScheme]:
    """Return the ways in which a key, private or public, can sign."""
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        return _RSA
    curve = isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) and key.curve.name
    return _ECDSA if curve == "secp256r1" else frozenset()


def _raw(value: bytes) -> bytes:
    """Return r and s, one after the other, of the DER that libraries give."""
    return b"".join(number.to_bytes(_HALF, "big") for number in decode_dss_signature(value))


def _pair(value: bytes) -> bytes:
    """Return r and s, one after the other, as the DER that libraries take."""
    if len(value) != 2 * _HALF:
        raise InvalidSignature
    return encode_dss_signature(int.from_bytes(value[:_HALF], "big"), int.from_bytes(value[_HALF:], "big"))
