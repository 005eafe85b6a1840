"""The encrypted client header `X-CLIENT` of the portal.

The portal hands out an opaque client id and expects it back, encrypted, in a header. The container is
OpenSSL's (`Salted__`, salt, ciphertext), as the script library CryptoJS writes it: key and vector by MD5 from
passphrase and salt (EVP_BytesToKey, one round), AES-256-CBC with PKCS#7 padding, Base64; then every `+` is
written `teca`. Source: captures of 2026. The passphrase is a constant of the portal's web page: it rotates,
is not shipped, and comes from the caller.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bhxh_sdk.secret import Secret

__all__ = ["SALT_BYTES", "encrypted_client_id", "key_and_vector"]

SALT_BYTES = 8
_KEY_BYTES = 32
_VECTOR_BYTES = 16
_MARK = b"Salted__"


def key_and_vector(passphrase: bytes, salt: bytes) -> tuple[bytes, bytes]:
    """Derive AES key and vector as OpenSSL's EVP_BytesToKey does with MD5 and one round."""
    block = material = b""
    while len(material) < _KEY_BYTES + _VECTOR_BYTES:
        block = hashlib.md5(block + passphrase + salt, usedforsecurity=False).digest()
        material += block
    return material[:_KEY_BYTES], material[_KEY_BYTES : _KEY_BYTES + _VECTOR_BYTES]


def encrypted_client_id(
    client_id: str,
    passphrase: Secret,
    salt: bytes,
    *,
    quoted: bool = True,
    spelling: Mapping[str, str] | None = None,
) -> str:
    """Return the header value for a client id.

    Args:
        client_id: the opaque id as the portal gave it.
        passphrase: the constant of the portal's web page.
        salt: eight random bytes.
        quoted: whether the id is encrypted as a JSON string, with its quotes; one variant encrypts it bare.
        spelling: what to write for single characters of the Base64 text, `{"+": "teca"}` at the portal.

    """
    plain = json.dumps(client_id, ensure_ascii=False) if quoted else client_id
    padder = PKCS7(algorithms.AES.block_size).padder()
    padded = padder.update(plain.encode()) + padder.finalize()
    key, vector = key_and_vector(passphrase.reveal().encode(), salt)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    sealed = encryptor.update(padded) + encryptor.finalize()
    text = base64.b64encode(_MARK + salt + sealed).decode()
    return "".join((spelling or {}).get(letter, letter) for letter in text)
