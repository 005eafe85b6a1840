"""The inside of the signature: repeated, missing, moved, renamed and added parts; base64 with garbage."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from attacks.attack import (
    CDATA,
    COMMENT,
    INSTRUCTION,
    REFERENCE,
    SIGNING_TIME,
    TRANSFORM,
    TRANSFORMS,
    VALUE,
    Attack,
    Change,
    Verdict,
    after,
    before,
    inside,
    shape,
    swap,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ATTACKS"]

NO_SIGNATURE = Verdict("not-signed", "document.not_signed")


def _twice(name: bytes) -> Change:
    return inside(b"<%b" % name, b"</%b>" % name, lambda found: found * 2)


def _without(name: bytes) -> Change:
    return inside(b"<%b" % name, b"</%b>" % name, lambda found: b"")


def _renamed(old: bytes, new: bytes) -> Change:
    return inside(
        b"<%b" % old, b"</%b>" % old, lambda found: re.sub(rb"(</?)%b\b" % old, rb"\1" + new, found)
    )


def _last(name: bytes) -> Change:
    """Move a part to the end of the signature."""

    def move(signature: bytes) -> bytes:
        start, end = signature.index(b"<%b" % name), signature.index(b"</%b>" % name) + len(name) + 3
        part = signature[start:end]
        return (signature[:start] + signature[end:]).replace(b"</Signature>", part + b"</Signature>")

    return inside(b"<Signature ", b"</Signature>", move)


def _more(name: str) -> tuple[bytes, bytes]:
    """Return the start of an element's tag without and with an attribute more."""
    tag = f"<{name}>" if f"<{name} " not in _ATTRIBUTED else f"<{name} "
    return tag.encode(), f'<{name} Extra="1"{tag[-1]}'.encode()


# The copy repeats an Id as well, and that is told first.
REPEATED = dict.fromkeys(("Object", "SignatureProperties"), Verdict("repeated-id", "document.repeated_id"))

_TWICE = {
    "SignedInfo": "Signature",
    "CanonicalizationMethod": "SignedInfo",
    "SignatureMethod": "SignedInfo",
    "Reference": "SignedInfo",
    "Transforms": "Reference",
    "DigestMethod": "Reference",
    "DigestValue": "Reference",
    "SignatureValue": "Signature",
    "KeyInfo": "Signature",
    "KeyValue": "KeyInfo",
    "RSAKeyValue": "KeyValue",
    "Modulus": "RSAKeyValue",
    "Exponent": "RSAKeyValue",
    "X509Data": "KeyInfo",
    "X509SubjectName": "X509Data",
    "X509Certificate": "X509Data",
    "Object": "Signature",
    "SignatureProperties": "Object",
    "SignatureProperty": "SignatureProperties",
    "SigningTime": "SignatureProperty",
}
_NEEDED = {
    "SignedInfo": "Signature",
    "CanonicalizationMethod": "SignedInfo",
    "SignatureMethod": "SignedInfo",
    "Reference": "SignedInfo",
    "Transforms": "Reference",
    "DigestMethod": "Reference",
    "DigestValue": "Reference",
    "SignatureValue": "Signature",
    "KeyInfo": "Signature",
    "RSAKeyValue": "KeyValue",
    "Modulus": "RSAKeyValue",
    "Exponent": "RSAKeyValue",
    "X509Data": "KeyInfo",
    "X509Certificate": "X509Data",
    "SigningTime": "SignatureProperty",
}
_MOVED = {"SignedInfo": "Signature", "SignatureValue": "Signature", "KeyInfo": "Signature"}
_ATTRIBUTE = (
    "SignedInfo",
    "CanonicalizationMethod",
    "SignatureMethod",
    "Transforms",
    "Transform",
    "DigestMethod",
    "DigestValue",
    "SignatureValue",
    "KeyInfo",
    "KeyValue",
    "RSAKeyValue",
    "Modulus",
    "Exponent",
    "X509Data",
    "X509SubjectName",
    "X509Certificate",
    "Object",
    "SigningTime",
)
_ATTRIBUTED = "<CanonicalizationMethod <SignatureMethod <Transform <DigestMethod <SigningTime "
_WHITE_SPACE = {
    "after SignedInfo's tag": (b"<SignedInfo>", "SignedInfo"),
    "before SignatureMethod": (b"</CanonicalizationMethod>", "CanonicalizationMethod"),
    "before Reference": (b"</SignatureMethod>", "SignatureMethod"),
    "before Transforms": (b'<Reference URI="">', "Reference"),
    "inside Transforms": (b"<Transforms>", "Transforms"),
    "before DigestMethod": (b"</Transforms>", "Transforms"),
    "before DigestValue": (b"</DigestMethod>", "DigestMethod"),
    "at the end of Reference": (b"</DigestValue>", "DigestValue"),
    "at the end of SignedInfo": (b"</Reference>", "Reference"),
}


def _parts() -> list[Attack]:
    found = [
        Attack(f"{name} twice", _twice(name.encode()), REPEATED.get(name, shape(parent)))
        for name, parent in _TWICE.items()
    ]
    found += [
        Attack(f"without {name}", _without(name.encode()), shape(parent)) for name, parent in _NEEDED.items()
    ]
    found += [
        Attack(f"{name} at the end", _last(name.encode()), shape(parent)) for name, parent in _MOVED.items()
    ]
    found += [
        Attack(
            f"an attribute on {name}",
            swap(*_more(name)),
            shape(name),
        )
        for name in _ATTRIBUTE
    ]
    found += [
        Attack(f"white space {where}", after(mark, b"\n  "), shape(element))
        for where, (mark, element) in _WHITE_SPACE.items()
    ]
    return found


_TRANSFORM = b'<Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature">'
_METHOD = b'<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256">'
_SECOND = (
    b'<Reference URI="#proid"><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></DigestMethod>'
    b"<DigestValue>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=</DigestValue></Reference>"
)


def _value(name: bytes, change: Callable[[bytes], bytes]) -> Change:
    """Change the bytes that a base64 text stands for."""
    start, end = b"<%b>" % name, b"</%b>" % name

    def changed(found: bytes) -> bytes:
        value = base64.b64decode(found.removeprefix(start).removesuffix(end))
        return start + base64.b64encode(change(value)) + end

    return inside(start, end, changed)


def _as_hex(found: bytes) -> bytes:
    text = found.removeprefix(b"<DigestValue>").removesuffix(b"</")
    return b"<DigestValue>" + base64.b64decode(text).hex().encode() + b"</"


def _next(letter: bytes) -> bytes:
    """Return the base64 letter that differs only in its last bit, which the padding makes unused."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return bytes([alphabet[alphabet.index(letter) ^ 1]])


_VALUES = {
    "DigestValue": shape("DigestValue"),
    "SignatureValue": shape("SignatureValue"),
    "X509Certificate": shape("X509Certificate"),
    "Modulus": shape("Modulus"),
}
_GARBAGE = {
    "a letter outside the alphabet": b"!",
    "the other alphabet's letters": b"-_-_",
    "padding before its end": b"AA==",
    "a zero-width space": "\u200b".encode(),
    "a full-width letter": "\uff21".encode(),
    "an element": b"<a></a>",
}


def _values() -> list[Attack]:
    found = []
    for name, verdict in _VALUES.items():
        mark = f"<{name}>".encode()
        found += [
            Attack(f"{what} in {name}", after(mark, added), verdict) for what, added in _GARBAGE.items()
        ]
        found += [
            Attack(f"a comment in {name}", after(mark, b"<!-- x -->"), COMMENT),
            Attack(f"a CDATA section in {name}", after(mark, b"<![CDATA[]]>"), CDATA),
            Attack(f"a processing instruction in {name}", after(mark, b"<?x?>"), INSTRUCTION),
        ]
    return found


_OTHERS = [
    Attack(
        "a forged digest in a comment before the right one",
        after(b"<DigestValue>", b"<!--AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=-->"),
        COMMENT,
    ),
    Attack("white space in DigestValue", after(b"<DigestValue>", b" "), shape("DigestValue")),
    Attack(
        "a character reference for white space in DigestValue",
        after(b"<DigestValue>", b"&#32;"),
        shape("DigestValue"),
    ),
    Attack(
        "the padding of DigestValue left out",
        swap(b"=</DigestValue>", b"</DigestValue>"),
        shape("DigestValue"),
    ),
    Attack(
        "the padding of SignatureValue left out",
        swap(b"==</SignatureValue>", b"</SignatureValue>"),
        shape("SignatureValue"),
    ),
    Attack(
        "unused bits set in DigestValue",
        inside(b"<DigestValue>", b"=</", lambda found: found[:-4] + _next(found[-4:-3]) + found[-3:]),
        shape("DigestValue"),
    ),
    Attack(
        "the DigestValue empty",
        inside(b"<DigestValue>", b"</DigestValue>", lambda found: b"<DigestValue></DigestValue>"),
        shape("DigestValue"),
    ),
    Attack(
        "the DigestValue one byte longer",
        _value(b"DigestValue", lambda value: value + b"\0"),
        shape("DigestValue"),
    ),
    Attack(
        "the DigestValue one byte shorter",
        _value(b"DigestValue", lambda value: value[:-1]),
        shape("DigestValue"),
    ),
    Attack("the DigestValue of zeros", _value(b"DigestValue", lambda value: bytes(32)), VALUE),
    Attack(
        "the DigestValue of another document", _value(b"DigestValue", lambda value: bytes(range(32))), VALUE
    ),
    Attack("the DigestValue backwards", _value(b"DigestValue", lambda value: value[::-1]), VALUE),
    Attack(
        "the DigestValue as hexadecimal digits",
        inside(b"<DigestValue>", b"</", _as_hex),
        shape("DigestValue"),
    ),
    Attack("an Id on the Reference", swap(b'<Reference URI=""', b'<Reference Id="r" URI=""'), REFERENCE),
    Attack(
        "a Type on the Reference", swap(b'<Reference URI=""', b'<Reference Type="urn:x" URI=""'), REFERENCE
    ),
    Attack("no URI", swap(b'<Reference URI=""', b"<Reference"), REFERENCE),
    Attack("another URI", swap(b'URI=""', b'URI="#sigid"'), REFERENCE),
    Attack("a URI of the file system", swap(b'URI=""', b'URI="file:///etc/passwd"'), REFERENCE),
    Attack("a URI of another machine", swap(b'URI=""', b'URI="http://192.0.2.1/x.xml"'), REFERENCE),
    Attack("an XPointer of the root", swap(b'URI=""', b'URI="#xpointer(/)"'), REFERENCE),
    Attack("an XPointer by Id", swap(b'URI=""', b"URI=\"#xpointer(id('sigid'))\""), REFERENCE),
    Attack("a URI of white space", swap(b'URI=""', b'URI=" "'), REFERENCE),
    Attack("a URI in another case", swap(b'URI=""', b'Uri=""'), REFERENCE),
    Attack("a second Reference to the SigningTime", after(b"</Reference>", _SECOND), shape("SignedInfo")),
    Attack("a second Reference before the first", before(b"<Reference ", _SECOND), shape("SignedInfo")),
    Attack(
        "an empty Transforms",
        inside(b"<Transforms>", b"</Transforms>", lambda found: b"<Transforms></Transforms>"),
        TRANSFORMS,
    ),
    Attack(
        "an Id on the Signature twice",
        swap(b'Id="sigid"', b'Id="sigid" ID="sigid"'),
        Verdict("repeated-id", "document.repeated_id"),
    ),
    Attack("the Signature named in small letters", _renamed(b"Signature", b"signature"), NO_SIGNATURE),
    Attack("SignedInfo in another case", _renamed(b"SignedInfo", b"SIGNEDINFO"), shape("Signature")),
    Attack("DigestValue in another case", _renamed(b"DigestValue", b"digestValue"), shape("Reference")),
    Attack(
        "X509Certificate in another case", _renamed(b"X509Certificate", b"X509certificate"), shape("X509Data")
    ),
    Attack("text before SignedInfo", before(b"<SignedInfo>", b"x"), shape("Signature")),
    Attack("text after SignedInfo", after(b"</SignedInfo>", b"x"), shape("Signature")),
    Attack("text in KeyInfo", after(b"<KeyInfo>", b"x"), shape("KeyInfo")),
    Attack("text in X509Data", after(b"<X509Data>", b"x"), shape("X509Data")),
    Attack("text in Transform", after(_TRANSFORM, b"x"), shape("Transform")),
    Attack("text in SignatureMethod", after(_METHOD, b"x"), shape("SignatureMethod")),
    Attack("a KeyName", after(b"<KeyInfo>", b"<KeyName>x</KeyName>"), shape("KeyInfo")),
    Attack(
        "a RetrievalMethod",
        after(b"<KeyInfo>", b'<RetrievalMethod URI="http://192.0.2.1/"></RetrievalMethod>'),
        shape("KeyInfo"),
    ),
    Attack("a PGPData", after(b"<KeyInfo>", b"<PGPData></PGPData>"), shape("KeyInfo")),
    Attack("an X509CRL", after(b"<X509Data>", b"<X509CRL>AA==</X509CRL>"), shape("X509Data")),
    Attack(
        "an X509IssuerSerial",
        after(b"<X509Data>", b"<X509IssuerSerial></X509IssuerSerial>"),
        shape("X509Data"),
    ),
    Attack("an empty Object more", before(b"</Signature>", b"<Object></Object>"), shape("Signature")),
    Attack(
        "an element in the subject name", after(b"<X509SubjectName>", b"<a></a>"), shape("X509SubjectName")
    ),
    Attack("an element in the SigningTime", before(b"</SigningTime>", b"<a></a>"), shape("SigningTime")),
    Attack("a comment in the SigningTime", after(b">2026-01-02", b"<!-- -->"), COMMENT),
    Attack("a SigningTime without a zone", swap(b":05Z<", b":05<"), SIGNING_TIME),
    Attack("a SigningTime that is no day", swap(b"2026-01-02T", b"2026-02-30T"), SIGNING_TIME),
    Attack("a SigningTime in other digits", swap(b">2026-", ">٢٠٢٦-".encode()), SIGNING_TIME),
    Attack("an empty SigningTime", swap(b"2026-01-02T03:04:05Z", b""), SIGNING_TIME),
    Attack("a SigningTime with a line break", swap(b":05Z<", b":05Z\n<"), SIGNING_TIME),
    Attack(
        "a SigningTime of another namespace",
        swap(b"http://example.org/#signatureProperties", b"urn:x"),
        shape("SignatureProperty"),
    ),
    Attack(
        "the enveloped transform twice",
        inside(b"<Transform ", b"</Transform>", lambda found: found * 2),
        TRANSFORMS,
    ),
    Attack(
        "the transform without its name",
        inside(b"<Transform ", b">", lambda found: b"<Transform>"),
        TRANSFORM,
    ),
    Attack("an XPath in the enveloped transform", after(_TRANSFORM, b"<XPath>1</XPath>"), shape("Transform")),
]

ATTACKS = [*_parts(), *_values(), *_OTHERS]
