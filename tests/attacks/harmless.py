"""Changes that are accepted, because they change nothing that was signed: each must leave no lie behind.

What is accepted here is either not signed and not relied on, or another way to write the very same canonical
bytes. `Verified.content` is the signed bytes in every case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from attacks.attack import Change, after, before, inside, swap
from attacks.forge import DECLARATION, SEEDS, Seed, base64_of, key_value
from attacks.keys import forged_certificate
from attacks.owners import ATTACKER, owner

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HARMLESS", "Harmless"]


@dataclass(frozen=True)
class Harmless:
    """Hold a change that is accepted.

    Args:
        name: what is changed.
        change: makes the changed document.
        lie: what must stand nowhere in what the verifier hands out.
        seeds: the documents that it is tried on.

    """

    name: str
    change: Change
    lie: str = ""
    seeds: tuple[str, ...] = SEEDS


def _without(name: bytes) -> Change:
    return inside(b"<%b>" % name, b"</%b>" % name, lambda found: b"")


def _wrapped(name: bytes) -> Change:
    return inside(
        b"<%b>" % name, b"</", lambda found: re.sub(rb"([^<>]{60})(?=[^<>]{10})", rb"\1\r\n", found)
    )


def _unused_bits(name: bytes) -> Change:
    """Set a bit of the last base64 letter that stands for no byte."""
    return inside(b"<%b>" % name, b"=</", lambda found: re.sub(rb"([AQgw])==", _next, found))


def _next(match: re.Match[bytes]) -> bytes:
    return bytes([match[1][0] + 1]) + b"=="


def _in_signed_info(old: bytes, new: bytes) -> Change:
    return inside(b"<SignedInfo>", b"</SignedInfo>", lambda found: found.replace(old, new))


def _on_field(added: bytes) -> Change:
    return swap(b"<MaSoThue>", b"<MaSoThue%b>" % added)


def _single(seed: Seed) -> bytes:
    start = seed.start.replace(b'"', b"'")
    return seed.signed.replace(seed.start, start, 1)


def _order(seed: Seed) -> bytes:
    declarations = re.findall(rb' xmlns:\w+="[^"]*"', seed.start)
    start = b"<" + seed.root + b"".join(reversed(declarations)) + b">"
    return seed.signed.replace(seed.start, start, 1)


def _key(value: Callable[[], str]) -> Change:
    return lambda seed: seed.made(key_value=value())


def _with_zero() -> str:
    signer = owner()
    plain = base64_of(signer.modulus.to_bytes(256, "big"))
    return key_value(signer.modulus, signer.exponent).replace(
        plain, base64_of(signer.modulus.to_bytes(257, "big"))
    )


_EMPTY = re.compile(rb"></(?:CanonicalizationMethod|SignatureMethod|Transform|DigestMethod)>")

HARMLESS = [
    # Not signed, and not relied on.
    Harmless("another time in SigningTime", swap(b"2026-01-02T03:04:05Z", b"1999-12-31T23:59:59Z")),
    Harmless("a lie in the subject name", swap("CN=VÍ DỤ".encode(), "CN=KẺ GIẢ MẠO".encode()), "KẺ GIẢ MẠO"),
    Harmless("an empty subject name", swap("CN=VÍ DỤ".encode(), b"")),
    Harmless("a long subject name", swap("CN=VÍ DỤ".encode(), b"x" * 100_000), "xxx"),
    Harmless("without the subject name", _without(b"X509SubjectName")),
    Harmless("without the key", _without(b"KeyValue")),
    Harmless("without the SigningTime", _without(b"Object")),
    Harmless("another Id of the signature", swap(b'Id="sigid"', b'Id="id-lie"'), "id-lie"),
    Harmless("no Id of the signature", swap(b' Id="sigid"', b"")),
    Harmless("another Id of the properties", swap(b'Id="proid"', b'Id="id-lie"'), "id-lie"),
    Harmless("another target of the properties", swap(b'Target="#sigid"', b'Target="#id-lie"'), "id-lie"),
    Harmless("a zero byte before the modulus", _key(_with_zero)),
    # Other ways to write the same.
    Harmless("the signature value on many lines", _wrapped(b"SignatureValue")),
    Harmless("the certificate on many lines", _wrapped(b"X509Certificate")),
    Harmless("white space before KeyInfo", before(b"<KeyInfo>", b"\r\n\t ")),
    Harmless("white space after KeyInfo's tag", after(b"<KeyInfo>", b"\n")),
    Harmless("a byte order mark", lambda seed: b"\xef\xbb\xbf" + seed.signed),
    Harmless("no declaration", lambda seed: seed.signed.removeprefix(DECLARATION)),
    Harmless("a declaration in single quotes", swap(DECLARATION, DECLARATION.replace(b'"', b"'"))),
    Harmless("a declaration of standalone", swap(b"?>", b' standalone="yes"?>')),
    Harmless("a declaration in capitals", swap(b'"utf-8"', b'"UTF-8"')),
    Harmless("a line break after the declaration", after(DECLARATION, b"\r\n")),
    Harmless("a line break after the root", lambda seed: seed.signed + b"\r\n"),
    Harmless("a digit as character reference", swap(b"0100109106", b"&#48;1&#x30;0109106")),
    Harmless(
        "a letter as character reference",
        swap("Ví".encode(), b"V&#237;"),
        seeds=("portal", "ivan", "envelope"),
    ),
    Harmless("a greater-than as it is", swap(b"&amp; CON", b"&#38; CON"), seeds=("portal", "ivan")),
    Harmless("line ends of Windows", lambda seed: seed.signed.replace(b"\n", b"\r\n"), seeds=("form",)),
    Harmless("line ends of old computers", lambda seed: seed.signed.replace(b"\n", b"\r"), seeds=("form",)),
    Harmless("declarations in single quotes", _single),
    Harmless("declarations in another order", _order),
    Harmless("white space in a tag", _on_field(b" \n")),
    Harmless("white space in an end tag", swap(b"</MaSoThue>", b"</MaSoThue\t>")),
    Harmless("an empty default namespace said again", _on_field(b' xmlns=""')),
    Harmless(
        "a declaration said again", _on_field(b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"')
    ),
    Harmless("the prefix xml declared", _on_field(b' xmlns:xml="http://www.w3.org/XML/1998/namespace"')),
    Harmless("single quotes in SignedInfo", _in_signed_info(b'"', b"'")),
    Harmless(
        "short forms in SignedInfo",
        inside(b"<SignedInfo>", b"</SignedInfo>", lambda found: _EMPTY.sub(b"/>", found)),
    ),
    Harmless("white space in SignedInfo's tag", swap(b"<SignedInfo>", b"<SignedInfo >")),
    Harmless("an algorithm with character references", _in_signed_info(b"http:", b"&#104;ttp:")),
    Harmless(
        "the namespace of signatures said again",
        swap(b"<SignedInfo>", b'<SignedInfo xmlns="http://www.w3.org/2000/09/xmldsig#">'),
    ),
    Harmless("unused bits set in the signature value", _unused_bits(b"SignatureValue")),
]

UNTRUSTED = Harmless(
    "a certificate of the attacker's making for the signer's key",
    lambda seed: seed.made(certificate=forged_certificate()),
    ATTACKER,
)
"""Accepted where no roots are given, and then the name in it is the attacker's word: `trusted` is false."""
