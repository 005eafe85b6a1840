"""Write keys and certificates onto a token, in a process of its own: `python writing.py < orders.json`.

An order names a module, a token's label, its user PIN and the objects; binary values are in base64.
"""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from typing import Any

import pkcs11
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key
from pkcs11 import Attribute
from pkcs11.util.ec import encode_named_curve_parameters
from pkcs11.util.x509 import decode_x509_certificate

__all__ = ["main"]


def main(order: dict[str, Any]) -> None:
    """Write all objects of one order."""
    token = pkcs11.lib(order["module"]).get_token(token_label=order["label"])
    with token.open(rw=True, user_pin=order["pin"]) as session:
        for entry in order["objects"]:
            name = {Attribute.ID: bytes.fromhex(entry["key_id"]), Attribute.LABEL: entry["label"]}
            on_token = name | {Attribute.TOKEN: True}
            if entry["key"]:
                private = _private(b64decode(entry["key"]))
                session.create_object(
                    private | on_token | {Attribute.PRIVATE: True, Attribute.SENSITIVE: True}
                )
            if entry["certificate"]:
                certificate = decode_x509_certificate(b64decode(entry["certificate"]))
                session.create_object(certificate | on_token | {Attribute.PRIVATE: False})


def _private(der: bytes) -> dict[Attribute, Any]:
    key = load_der_private_key(der, None)
    common = {
        Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY,
        Attribute.SIGN: True,
        Attribute.PRIVATE: True,
        Attribute.SENSITIVE: True,
    }
    numbers = key.private_numbers()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return common | {
            Attribute.KEY_TYPE: pkcs11.KeyType.EC,
            Attribute.EC_PARAMS: encode_named_curve_parameters(key.curve.name),
            Attribute.VALUE: _bytes(numbers.private_value),
        }
    return common | {
        Attribute.KEY_TYPE: pkcs11.KeyType.RSA,
        Attribute.MODULUS: _bytes(numbers.public_numbers.n),
        Attribute.PUBLIC_EXPONENT: _bytes(numbers.public_numbers.e),
        Attribute.PRIVATE_EXPONENT: _bytes(numbers.d),
        Attribute.PRIME_1: _bytes(numbers.p),
        Attribute.PRIME_2: _bytes(numbers.q),
        Attribute.EXPONENT_1: _bytes(numbers.dmp1),
        Attribute.EXPONENT_2: _bytes(numbers.dmq1),
        Attribute.COEFFICIENT: _bytes(numbers.iqmp),
    }


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


if __name__ == "__main__":
    for each in json.load(sys.stdin):
        main(each)
