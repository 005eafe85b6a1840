"""What a token says of itself and of its objects, made of raw bytes: the same for both bindings.

Bytes, because the bindings' own readings fail where a token has a label that is not UTF-8, or a type of key
or certificate of its maker's own.

Source: PKCS#11 2.40, sections 3.2 (CK_TOKEN_INFO), 4.6 (certificates), 4.7 to 4.9 (keys), and pkcs11t.h.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bhxh_sdk.signers.pkcs11.contract import CkrError, TokenCertificate, TokenKey

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CERTIFICATE_ATTRIBUTES",
    "CKA_ALWAYS_AUTHENTICATE",
    "CKA_CLASS",
    "CKO_CERTIFICATE",
    "CKO_PRIVATE_KEY",
    "KEY_ATTRIBUTES",
    "certificate_of",
    "key_of",
    "length_of",
    "pss_of",
    "text_of",
]

CKA_CLASS = 0x0
CKA_LABEL = 0x3
CKA_VALUE = 0x11
CKA_CERTIFICATE_TYPE = 0x80
CKA_KEY_TYPE = 0x100
CKA_ID = 0x102
CKA_SIGN = 0x108
CKA_MODULUS = 0x120
CKA_ALWAYS_AUTHENTICATE = 0x202

CKO_CERTIFICATE = 0x1
CKO_PRIVATE_KEY = 0x3

CERTIFICATE_ATTRIBUTES = (CKA_VALUE, CKA_ID, CKA_LABEL, CKA_CERTIFICATE_TYPE)
KEY_ATTRIBUTES = (CKA_KEY_TYPE, CKA_ID, CKA_LABEL, CKA_SIGN, CKA_ALWAYS_AUTHENTICATE, CKA_MODULUS)

_X_509 = 0
_PSS = {32: (0x250, 2), 48: (0x260, 3), 64: (0x270, 4)}  # length of the digest: CKM_SHA…, CKG_MGF1_SHA…
_DATA_LEN_RANGE = 0x21
_KINDS = {0: "rsa", 3: "ec"}
_LONGEST = 1024
"""Lengths above it are no lengths: CK_UNAVAILABLE_INFORMATION, or what a driver left in place of one."""


def text_of(raw: bytes) -> str:
    """Return a text without its padding; bytes that are not UTF-8 become the replacement character."""
    return raw.rstrip(b"\0 ").decode(errors="replace").strip()


def length_of(number: int) -> int:
    """Return a length of a PIN as the token tells it; 0 where it is none."""
    return number if number <= _LONGEST else 0


def certificate_of(values: Mapping[int, bytes]) -> TokenCertificate | None:
    """Return the certificate of an object; None where it is not X.509 or holds no value.

    Args:
        values: the attributes that could be read, of `CERTIFICATE_ATTRIBUTES`.

    """
    der = values.get(CKA_VALUE, b"")
    if not der or _number(values.get(CKA_CERTIFICATE_TYPE, b"")) != _X_509:
        return None
    return TokenCertificate(
        der=der, key_id=values.get(CKA_ID, b""), label=text_of(values.get(CKA_LABEL, b""))
    )


def key_of(handle: int, values: Mapping[int, bytes]) -> TokenKey | None:
    """Return the key of an object; None where the token says that it does not sign.

    Args:
        handle: CK_OBJECT_HANDLE.
        values: the attributes that could be read, of `KEY_ATTRIBUTES`.

    """
    if values.get(CKA_SIGN) == b"\0":
        return None
    modulus = values.get(CKA_MODULUS, b"")
    kind = values.get(CKA_KEY_TYPE)
    return TokenKey(
        handle=handle,
        key_id=values.get(CKA_ID, b""),
        label=text_of(values.get(CKA_LABEL, b"")),
        kind="other" if kind is None else _KINDS.get(_number(kind), "other"),
        modulus=int.from_bytes(modulus) if modulus else None,
        always_authenticate=values.get(CKA_ALWAYS_AUTHENTICATE, b"\0") != b"\0",
    )


def pss_of(digest: bytes) -> tuple[int, int, int]:
    """Return hash mechanism, mask generation function and length of the salt for CKM_RSA_PKCS_PSS.

    Args:
        digest: what is signed; its length tells the hash function, and is the length of the salt.

    Raises:
        CkrError: it is not as long as a digest.

    """
    if (length := len(digest)) not in _PSS:
        raise CkrError(_DATA_LEN_RANGE, "C_SignInit")
    return (*_PSS[length], length)


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, sys.byteorder)
