"""How a key signs: the algorithms that a signer may be asked for."""

from __future__ import annotations

from enum import Enum

__all__ = ["SignatureScheme"]


class SignatureScheme(Enum):
    """The algorithm of a signature value over a digest.

    RSA_PKCS1 is RSASSA-PKCS1-v1_5 (RFC 8017), the one that every Vietnamese source shows. RSA_PSS uses MGF1
    with the digest's hash and a salt as long as the digest (RFC 9231, section 2.3.10). ECDSA values are r and
    s, each as long as the curve's order, one after the other (XML Signature, section 6.4.3).
    """

    RSA_PKCS1 = "rsa-pkcs1"
    RSA_PSS = "rsa-pss"
    ECDSA = "ecdsa"

    __hash__ = object.__hash__  # a member is one object, and Enum's own hash takes a call into Python
