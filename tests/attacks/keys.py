"""Keys, certificates and signature values: swapped, too weak, of other kinds, wrongly padded."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attacks.attack import (
    CERTIFICATE,
    OTHER_KEY,
    VALUE,
    Attack,
    Change,
    Verdict,
    shape,
)
from attacks.forge import Seed, Shape, base64_of, key_value, signed
from attacks.owners import ATTACKER, DIGEST_INFO, certificate, der, owner, padded, plain_key, rsa_key_info

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ATTACKS", "forged_certificate"]

END = b"</CKy_Dvi></Hoso>"
SHORT = Verdict("key-too-short", "document.key_too_short")
KIND = Verdict("key-kind", "document.key_kind")


NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def forged_certificate() -> bytes:
    """Write a certificate for the signer's key under another name; only a check against roots tells."""
    return certificate(rsa_key_info(owner().modulus, 65537), ATTACKER)


def _by(name: str, **shape: object) -> Change:
    """Sign the document by another owner, whose certificate stands in it unless the shape says otherwise."""
    return lambda seed: seed.made(who=owner(name), **shape)


def _certificate(der: bytes) -> str:
    return f"<X509Certificate>{base64_of(der)}</X509Certificate>"


def _later(shape: Callable[[], dict[str, object]], who: str = "signer") -> Change:
    return lambda seed: seed.made(who=owner(who), **shape())


def _numbers(name: str) -> str:
    return key_value(owner(name).modulus, owner(name).exponent)


_SWAPS = [
    Attack(
        "another's certificate in place of the signer's",
        _later(lambda: {"certificate": owner("attacker").certificate, "key_value": ""}),
        VALUE,
    ),
    Attack(
        "another's certificate and key",
        _later(lambda: {"certificate": owner("attacker").certificate, "key_value": _numbers("attacker")}),
        VALUE,
    ),
    Attack(
        "the attacker's signature and key under the victim's certificate",
        _later(lambda: {"certificate": owner().certificate}, "attacker"),
        OTHER_KEY,
    ),
    Attack(
        "the attacker's signature under the victim's certificate",
        _later(lambda: {"certificate": owner().certificate, "key_value": ""}, "attacker"),
        VALUE,
    ),
    Attack(
        "the attacker's signature under the victim's certificate and key",
        _later(lambda: {"certificate": owner().certificate, "key_value": _numbers("signer")}, "attacker"),
        VALUE,
    ),
    Attack(
        "the attacker's certificate with the victim's key",
        _later(lambda: {"key_value": _numbers("signer")}, "attacker"),
        OTHER_KEY,
    ),
    Attack(
        "a namesake's certificate",
        _later(lambda: {"certificate": owner("namesake").certificate, "key_value": ""}),
        VALUE,
    ),
    Attack(
        "the victim's certificate after the attacker's",
        _later(
            lambda: {"x509": _certificate(owner("attacker").certificate) + _certificate(owner().certificate)},
            "attacker",
        ),
        shape("X509Data"),
    ),
    Attack(
        "the attacker's certificate after the victim's",
        _later(
            lambda: {"x509": _certificate(owner().certificate) + _certificate(owner("attacker").certificate)},
            "attacker",
        ),
        shape("X509Data"),
    ),
    Attack(
        "a chain of certificates",
        _later(lambda: {"x509": _certificate(owner().certificate) * 3}),
        shape("X509Data"),
    ),
    Attack("no certificate, a key alone", lambda seed: _without_x509(seed.made()), shape("KeyInfo")),
    Attack("an empty X509Data", _later(lambda: {"x509": ""}), shape("X509Data")),
    Attack("an empty certificate", _later(lambda: {"x509": _certificate(b"")}), CERTIFICATE),
    Attack("a certificate of zeros", _later(lambda: {"x509": _certificate(bytes(800))}), CERTIFICATE),
    Attack(
        "a certificate with a byte more",
        _later(lambda: {"x509": _certificate(owner().certificate + b"\0")}),
        CERTIFICATE,
    ),
    Attack(
        "a certificate cut short",
        _later(lambda: {"x509": _certificate(owner().certificate[:-1])}),
        CERTIFICATE,
    ),
    Attack(
        "a certificate as PEM",
        _later(lambda: {"x509": "<X509Certificate>-----BEGIN CERTIFICATE-----</X509Certificate>"}),
        shape("X509Certificate"),
    ),
    Attack(
        "a certificate inside another",
        _later(lambda: {"x509": _certificate(der(0x30, owner().certificate))}),
        CERTIFICATE,
    ),
    Attack(
        "a public key as a certificate",
        _later(lambda: {"x509": _certificate(rsa_key_info(owner().modulus, 65537))}),
        CERTIFICATE,
    ),
    Attack(
        "a certificate of the attacker's making for the signer's key",
        _later(lambda: {"certificate": forged_certificate()}),
        Verdict("untrusted", "trust.untrusted"),
        {"roots": (owner("attacker").certificate,), "moment": NOON},
    ),
    Attack("a KeyValue of zero", _later(lambda: {"key_value": key_value(0, 0)}), OTHER_KEY),
    Attack(
        "a KeyValue of exponent 1", _later(lambda: {"key_value": key_value(owner().modulus, 1)}), OTHER_KEY
    ),
    Attack(
        "a KeyValue of exponent 3", _later(lambda: {"key_value": key_value(owner().modulus, 3)}), OTHER_KEY
    ),
    Attack(
        "a KeyValue whose modulus is a multiple",
        _later(lambda: {"key_value": key_value(owner().modulus * 3, 65537)}),
        OTHER_KEY,
    ),
    Attack(
        "a DSAKeyValue",
        _later(lambda: {"key_value": "<KeyValue><DSAKeyValue></DSAKeyValue></KeyValue>"}),
        shape("KeyValue"),
    ),
    Attack(
        "an ECKeyValue",
        _later(
            lambda: {
                "key_value": '<KeyValue><ECKeyValue xmlns="http://www.w3.org/2009/xmldsig11#"></ECKeyValue></KeyValue>'
            }
        ),
        shape("KeyValue"),
    ),
]


def _without_x509(content: bytes) -> bytes:
    start, end = content.index(b"<X509Data>"), content.index(b"</X509Data>") + 11
    return content[:start] + content[end:]


def _hollow(modulus: int, exponent: int) -> Change:
    """Put a certificate with such a key into the document; its owner signed nothing."""

    def change(seed: Seed) -> bytes:
        made = certificate(rsa_key_info(modulus, exponent))
        return seed.made(certificate=made, key_value="")

    return change


def _other_kind(kind: str) -> Change:
    def change(seed: Seed) -> bytes:
        made, value = plain_key(kind)
        return seed.made(certificate=made, key_value="", value=value)

    return change


_WEAK = [
    Attack("a key of 1024 bits", _by("short"), SHORT),
    Attack("a key of 512 bits", _by("tiny"), SHORT),
    Attack("a key of 512 bits where 1024 is asked for", _by("tiny"), SHORT, {"smallest_key": 1024}),
    Attack("a key of 2048 bits where 3072 is asked for", _by("signer"), SHORT, {"smallest_key": 3072}),
    Attack("a key of exponent 1", _by("one"), CERTIFICATE),
    Attack("a key of exponent 2", _hollow(owner("signer").modulus, 2), CERTIFICATE),
    Attack("a key of exponent 0", _hollow(owner("signer").modulus, 0), CERTIFICATE),
    Attack("a key with an even modulus", _hollow(owner("signer").modulus & ~1, 65537), VALUE),
    Attack("a key with a modulus of zero", _hollow(0, 65537), CERTIFICATE),
    Attack(
        "a key with a huge exponent", _hollow(owner("signer").modulus, owner("signer").modulus - 2), VALUE
    ),
    Attack("a key of 65536 bits", _hollow(2**65536 - 1, 65537), VALUE),
    Attack("a key on a curve", _other_kind("ec"), KIND),
    Attack("a key of Ed25519", _other_kind("ed25519"), KIND),
    Attack("a DSA key", _other_kind("dsa"), KIND),
]


def _value(change: Callable[[bytes], bytes]) -> Change:
    return lambda seed: seed.made(value=change(owner().sign(seed.signed_info())))


def _block(make: Callable[[bytes, int], bytes], who: str = "signer") -> Change:
    """Sign a block that is not a right PKCS#1 v1.5 block of SignedInfo, with the private key itself."""

    def change(seed: Seed) -> bytes:
        signer = owner(who)
        return seed.made(who=signer, value=signer.raw(make(seed.signed_info(), signer.size)))

    return change


def _root(make: Callable[[bytes, int], bytes]) -> Change:
    """Forge without the key: the cube root of a block whose end may be anything (Bleichenbacher 2006)."""

    def change(seed: Seed) -> bytes:
        signer = owner("cube")
        wanted = int.from_bytes(make(seed.signed_info(), signer.size), "big")
        root = round(math.exp(math.log(wanted) / 3))
        while root**3 < wanted:
            root += 1 + (wanted - root**3) // (3 * root * root + 1)
        return seed.made(who=signer, value=root.to_bytes(signer.size, "big"))

    return change


def _digest(info: bytes) -> bytes:
    return hashlib.sha256(info).digest()


def _short_padding(info: bytes, size: int) -> bytes:
    start = b"\x00\x01" + b"\xff" * 8 + b"\x00" + DIGEST_INFO["sha256"] + _digest(info)
    return start + bytes(size - len(start))


def _trailing(info: bytes, size: int) -> bytes:
    return padded(info, size - 16) + bytes(16)


_BLOCKS = {
    "padding too short and bytes after the digest": _short_padding,
    "bytes after the digest": _trailing,
    "another first byte": lambda info, size: b"\x00\x02" + padded(info, size)[2:],
    "padding of zeros": lambda info, size: padded(info, size).replace(b"\xff", b"\x00"),
    "one byte of padding changed": lambda info, size: b"\x00\x01\xfe" + padded(info, size)[3:],
    "no DigestInfo": lambda info, size: padded(info, size, information=b""),
    "the DigestInfo of SHA-1": lambda info, size: padded(info, size, information=DIGEST_INFO["sha1"]),
    "the DigestInfo of SHA-512": lambda info, size: padded(info, size, information=DIGEST_INFO["sha512"]),
    "a DigestInfo without its NULL": lambda info, size: padded(
        info, size, information=bytes.fromhex("302f300b0609608648016503040201") + bytes.fromhex("0420")
    ),
    "a DigestInfo with parameters": lambda info, size: padded(
        info, size, information=bytes.fromhex("3033300f06096086480165030402010402414104 20".replace(" ", ""))
    ),
    "SHA-1 inside": lambda info, size: padded(info, size, "sha1"),
    "MD5 inside": lambda info, size: padded(info, size, "md5"),
    "a digest of zeros": lambda info, size: padded(info, size)[:-32] + bytes(32),
    "padding by RSA-PSS's last byte": lambda info, size: padded(info, size)[:-1] + b"\xbc",
    "the bare digest": lambda info, size: bytes(size - 32) + _digest(info),
}

_VALUES = [
    Attack("an empty signature value", _value(lambda value: b""), VALUE),
    Attack("a signature value of zeros", _value(lambda value: bytes(256)), VALUE),
    Attack("a signature value of one", _value(lambda value: bytes(255) + b"\1"), VALUE),
    Attack("a signature value of ones", _value(lambda value: b"\xff" * 256), VALUE),
    Attack(
        "the modulus as signature value", _value(lambda value: owner().modulus.to_bytes(256, "big")), VALUE
    ),
    Attack(
        "the modulus less one as signature value",
        _value(lambda value: (owner().modulus - 1).to_bytes(256, "big")),
        VALUE,
    ),
    Attack("a signature value cut short", _value(lambda value: value[:-1]), VALUE),
    Attack("a signature value cut to half", _value(lambda value: value[:128]), VALUE),
    Attack("a zero before the signature value", _value(lambda value: b"\0" + value), VALUE),
    Attack("a zero after the signature value", _value(lambda value: value + b"\0"), VALUE),
    Attack("the signature value twice over", _value(lambda value: value * 2), VALUE),
    Attack("the signature value backwards", _value(lambda value: value[::-1]), VALUE),
    Attack(
        "the negative of the signature value",
        _value(lambda value: (owner().modulus - int.from_bytes(value, "big")).to_bytes(256, "big")),
        VALUE,
    ),
    Attack(
        "a multiple of the modulus added",
        _value(lambda value: (int.from_bytes(value, "big") + owner().modulus).to_bytes(257, "big")),
        VALUE,
    ),
    Attack(
        "the last bit of the signature value",
        _value(lambda value: value[:-1] + bytes([value[-1] ^ 1])),
        VALUE,
    ),
    Attack("the digest as signature value", lambda seed: seed.made(value=_digest(seed.signed_info())), VALUE),
    Attack(
        "the padded digest as signature value",
        lambda seed: seed.made(value=padded(seed.signed_info(), 256)),
        VALUE,
    ),
    Attack(
        "the DigestValue and the SignatureValue swapped",
        lambda seed: seed.made(digest=owner().sign(seed.signed_info()), value=_digest(seed.content)),
        shape("DigestValue"),
    ),
    Attack(
        "a signature over SignedInfo without its namespaces",
        lambda seed: seed.made(value=owner().sign(seed.shape.info(seed.content).encode())),
        VALUE,
    ),
    Attack(
        "a signature over the document itself",
        lambda seed: seed.made(value=owner().sign(seed.content)),
        VALUE,
    ),
    Attack("a forged cube root", _root(_short_padding), VALUE),
    Attack("a forged cube root with long padding", _root(_trailing), VALUE),
]


def value_and_modulus() -> bytes:
    """Sign documents until the value plus the modulus still fits into its bytes: the same number to RSA."""
    signer = owner()
    for number in range(10_000):
        start = b"<Hoso><a>%d</a><CKy_Dvi>" % number
        info = Shape().canonical_info(start + END)
        value = int.from_bytes(signer.sign(info), "big") + signer.modulus
        if value < 1 << 2048:
            return signed(start, END, value=value.to_bytes(256, "big"))
    raise AssertionError


ATTACKS = [
    *_SWAPS,
    *_WEAK,
    *[Attack(f"signed with {name}", _block(make), VALUE) for name, make in _BLOCKS.items()],
    *_VALUES,
    Attack(
        "the modulus added to the signature value", lambda seed: value_and_modulus(), VALUE, seeds=("portal",)
    ),
]
