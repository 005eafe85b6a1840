"""What the sandbox's CSC service demands of a request's members, and how it writes keys and values."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from bhxh_sdk.sandbox.remote.csc_access import CscRefusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bhxh_sdk.sandbox.remote.desk import Credential

__all__ = [
    "RSA",
    "SHA256",
    "SHA256_RSA",
    "algorithms_of",
    "described",
    "digests_of",
    "in_der",
    "is_curve",
    "missing",
    "unpadded",
]

SHA256 = "2.16.840.1.101.3.4.2.1"
RSA = "1.2.840.113549.1.1.1"
SHA256_RSA = "1.2.840.113549.1.1.11"
_SHA256_ECDSA = "1.2.840.10045.4.3.2"
_DIGEST = 32


def is_curve(credential: Credential) -> bool:
    """Tell whether a credential has a key on a curve."""
    return isinstance(credential.issued.key, ec.EllipticCurvePrivateKey)


def algorithms_of(credential: Credential, of_rsa: Sequence[str]) -> list[str]:
    """Return the OIDs that a credential signs with."""
    return [_SHA256_ECDSA] if is_curve(credential) else list(of_rsa)


def described(
    credential: Credential, certificates: str, of_rsa: Sequence[str], now: datetime
) -> dict[str, Any]:
    """Return key and certificate as `credentials/info` writes them.

    Args:
        credential: the credential.
        certificates: `none`, `single` or `chain`.
        of_rsa: what RSA keys sign with.
        now: the present moment.

    """
    facts = credential.issued.info
    wanted = {"none": 0, "chain": len(credential.chain)}.get(certificates, 1)
    return {
        "key": {
            "status": "enabled",
            "algo": algorithms_of(credential, of_rsa),
            "len": facts.key_bits,
        },
        "cert": {
            "status": "expired" if now > facts.not_after else "valid",
            "certificates": [base64.b64encode(der).decode() for der in credential.chain[:wanted]],
            "serialNumber": facts.serial_text,
        },
    }


def missing(what: str) -> CscRefusal:
    """Return the refusal of a request that lacks a member."""
    return CscRefusal("invalid_request", f"Missing (or invalid type) {what}")


def digests_of(body: Mapping[str, Any], member: str) -> list[bytes]:
    """Return the digests of a request.

    Raises:
        CscRefusal: there are none, one is no base64, or not of the right length.

    """
    texts = body.get(member)
    if not isinstance(texts, list) or not texts:
        raise missing(f"array parameter {member}")
    try:
        digests = [base64.b64decode(str(text), validate=True) for text in texts]
    except (binascii.Error, ValueError):
        raise CscRefusal("invalid_request", "Invalid Base64 hash string parameter") from None
    if any(len(digest) != _DIGEST for digest in digests):
        raise CscRefusal("invalid_request", "Invalid digest value length")
    return digests


def in_der(value: bytes) -> bytes:
    """Return r and s as DER, as services answer them."""
    half = len(value) // 2
    return encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))


def unpadded(text: str) -> bytes:
    """Return the bytes of a base64 text in the URL alphabet, without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
