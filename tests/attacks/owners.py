"""Throwaway owners of keys: the signer, the attacker, and owners of keys that nobody should accept.

Everything is made when it is needed and opens nothing. Certificates are written in DER by hand, because no
library would write a key of exponent 1.
"""

from __future__ import annotations

import hashlib
import math
import random
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

__all__ = ["DIGEST_INFO", "Owner", "certificate", "owner", "padded", "plain_key"]

SUBJECT = "CÔNG TY TNHH VÍ DỤ"
ATTACKER = "CÔNG TY KẺ GIẢ MẠO"

DIGEST_INFO = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "md5": bytes.fromhex("3020300c06082a864886f70d020505000410"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
"""What stands before a digest in a PKCS#1 v1.5 signature (RFC 8017, 9.2, note 1)."""


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def der_integer(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _object_id(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    encoded = bytes([first * 40 + second])
    for number in rest:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.insert(0, number & 0x7F | 0x80)
        encoded += bytes(groups)
    return der(0x06, encoded)


def _name(common_name: str) -> bytes:
    value = der(0x0C, common_name.encode())
    return der(0x30, der(0x31, der(0x30, _object_id("2.5.4.3"), value)))


def rsa_key_info(modulus: int, exponent: int) -> bytes:
    numbers = der(0x30, der_integer(modulus), der_integer(exponent))
    algorithm = der(0x30, _object_id("1.2.840.113549.1.1.1"), der(0x05))
    return der(0x30, algorithm, der(0x03, b"\x00", numbers))


def certificate(key_info: bytes, subject: str = SUBJECT, serial: int = 7) -> bytes:
    """Write a certificate in DER; its own signature is nobody's."""
    algorithm = der(0x30, _object_id("1.2.840.113549.1.1.11"), der(0x05))
    validity = der(0x30, der(0x17, b"250101000000Z"), der(0x17, b"350101000000Z"))
    owner = (_name("CA VÍ DỤ"), validity, _name(subject))
    to_be_signed = der(0x30, der(0xA0, der_integer(2)), der_integer(serial), algorithm, *owner, key_info)
    return der(0x30, to_be_signed, algorithm, der(0x03, b"\x00", bytes(256)))


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Hold an RSA key as numbers, and its certificate."""

    modulus: int
    exponent: int
    private: int
    certificate: bytes
    primes: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        return (self.modulus.bit_length() + 7) // 8

    def raw(self, block: bytes) -> bytes:
        """Apply the private key to a block as it is, by the Chinese remainder theorem."""
        number = int.from_bytes(block, "big")
        if not self.primes:
            return pow(number, self.private, self.modulus).to_bytes(self.size, "big")
        first, second = self.primes
        low = pow(number % second, self.private % (second - 1), second)
        high = pow(number % first, self.private % (first - 1), first)
        found = low + second * ((high - low) * pow(second, -1, first) % first)
        return found.to_bytes(self.size, "big")

    def sign(self, content: bytes, name: str = "sha256") -> bytes:
        """Sign by PKCS#1 v1.5."""
        return self.raw(padded(content, self.size, name))


def padded(content: bytes, size: int, name: str = "sha256", *, information: bytes | None = None) -> bytes:
    """Return the block that a PKCS#1 v1.5 signature holds."""
    prefix = DIGEST_INFO[name] if information is None else information
    tail = prefix + hashlib.new(name, content, usedforsecurity=False).digest()
    return b"\x00\x01" + b"\xff" * (size - len(tail) - 3) + b"\x00" + tail


def _from_primes(first: int, second: int, exponent: int, subject: str) -> Owner:
    modulus = first * second
    private = pow(exponent, -1, math.lcm(first - 1, second - 1))
    made = certificate(rsa_key_info(modulus, exponent), subject)
    return Owner(
        modulus=modulus, exponent=exponent, private=private, certificate=made, primes=(first, second)
    )


def _of_size(bits: int, exponent: int = 65537, subject: str = SUBJECT) -> Owner:
    numbers = rsa.generate_private_key(public_exponent=exponent, key_size=bits).private_numbers()
    return _from_primes(numbers.p, numbers.q, exponent, subject)


def _is_prime(number: int, source: random.Random) -> bool:
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(24):
        power = pow(source.randrange(2, number - 1), odd, number)
        if power not in {1, number - 1} and not any(
            (power := power * power % number) == number - 1 for _ in range(twos - 1)
        ):
            return False
    return True


def _tiny() -> Owner:
    """Make a key of 512 bits, which libraries no longer make."""
    source = random.Random(512)  # noqa: S311  # a key that opens nothing
    primes: list[int] = []
    while len(primes) < 2:
        found = source.getrandbits(256) | 3 << 254 | 1
        if found % 65537 != 1 and _is_prime(found, source):
            primes.append(found)
    return _from_primes(primes[0], primes[1], 65537, SUBJECT)


def _without_secret() -> Owner:
    """Make a key of exponent 1: every block is its own signature, so anybody can sign."""
    modulus = owner("signer").modulus
    return Owner(modulus=modulus, exponent=1, private=1, certificate=certificate(rsa_key_info(modulus, 1)))


def owner(name: str = "signer") -> Owner:
    """Return an owner of an RSA key: signer, attacker, namesake, short, tiny, cube, one."""
    return _owner(name)


@cache
def _owner(name: str) -> Owner:
    if name == "tiny":
        return _tiny()
    if name == "one":
        return _without_secret()
    if name == "short":
        return _of_size(1024)
    if name == "cube":
        return _of_size(2048, 3)
    return _of_size(2048, subject=ATTACKER if name == "attacker" else SUBJECT)


@cache
def plain_key(kind: str) -> tuple[bytes, bytes]:
    """Return a certificate with a key of another kind (dsa, ec, ed25519), and a signature by that key."""
    if kind == "dsa":  # any numbers of the right size: no DSA key is ever used
        parameters = dsa.DSAParameterNumbers(p=2**2048 - 1942289, q=2**256 - 189, g=2)
        public = dsa.DSAPublicNumbers(y=4, parameter_numbers=parameters).public_key()
        value = bytes(64)
    elif kind == "ec":
        curve = ec.generate_private_key(ec.SECP256R1())
        public, value = curve.public_key(), bytes(range(64))
    else:
        edwards = ed25519.Ed25519PrivateKey.generate()
        public, value = edwards.public_key(), edwards.sign(b"")
    kept = serialization.PublicFormat.SubjectPublicKeyInfo
    return certificate(public.public_bytes(serialization.Encoding.DER, kept)), value
