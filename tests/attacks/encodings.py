"""Bytes: other encodings, marks, leading and trailing bytes, and documents that cost too much."""

from __future__ import annotations

import codecs

from attacks.attack import (
    CHANGED,
    ENCODING,
    NOT_XML,
    SEVERAL,
    Attack,
    Change,
    Verdict,
    after,
    swap,
)
from attacks.forge import DECLARATION, Seed

__all__ = ["ATTACKS"]

TEXT = b"0100109106"
FIELD = b"<MaSoThue>"


def _declared(name: str, codec: str, mark: bytes = b"") -> Change:
    """Encode the document anew, and say so truly."""

    def change(seed: Seed) -> bytes:
        text = seed.signed.decode().replace('encoding="utf-8"', f'encoding="{name}"')
        return mark + text.encode(codec, "xmlcharrefreplace")

    return change


def _undeclared(codec: str, mark: bytes = b"") -> Change:
    return lambda seed: mark + seed.signed.removeprefix(DECLARATION).decode().encode(codec)


def _start(added: bytes) -> Change:
    return lambda seed: added + seed.signed


def _end(added: bytes) -> Change:
    return lambda seed: seed.signed + added


_ENCODINGS = {
    "UTF-16, little end first, marked": _declared("utf-16", "utf-16-le", codecs.BOM_UTF16_LE),
    "UTF-16, big end first, marked": _declared("utf-16", "utf-16-be", codecs.BOM_UTF16_BE),
    "UTF-16, little end first, not marked": _declared("utf-16", "utf-16-le"),
    "UTF-16, big end first, not marked": _declared("utf-16", "utf-16-be"),
    "UTF-16 without a declaration": _undeclared("utf-16-le", codecs.BOM_UTF16_LE),
    "UTF-32, little end first, marked": _declared("utf-32", "utf-32-le", codecs.BOM_UTF32_LE),
    "UTF-32, big end first, marked": _declared("utf-32", "utf-32-be", codecs.BOM_UTF32_BE),
    "UTF-32, little end first, not marked": _declared("utf-32", "utf-32-le"),
    "Latin-1": _declared("iso-8859-1", "iso-8859-1"),
    "Windows-1258": _declared("windows-1258", "cp1258"),
    "US-ASCII with character references": _declared("us-ascii", "ascii"),
    "UTF-7": _declared("utf-7", "utf-7"),
    "a zero byte at the start": _start(b"\0"),
    "UTF-8 that says it is UTF-16": swap(b'"utf-8"', b'"utf-16"'),
    "UTF-8 that says it is Latin-1": swap(b'"utf-8"', b'"iso-8859-1"'),
    "UTF-8 that says it is EBCDIC": swap(b'"utf-8"', b'"cp037"'),
    "UTF-8 of an unknown name": swap(b'"utf-8"', b'"x-unknown"'),
}
_NOT_XML = {
    "EBCDIC": _declared("cp037", "cp037"),
    "a mark of UTF-8 twice": _start(codecs.BOM_UTF8 * 2),
    "a mark of UTF-8 after the declaration": after(DECLARATION, codecs.BOM_UTF8),
    "Latin-1 that says it is UTF-8": lambda seed: seed.signed.replace("Ví".encode(), b"V\xed").replace(
        "ẫu".encode(), b"\xe3u"
    ),
    "an overlong less-than": swap(FIELD, b"\xc0\xbcMaSoThue>"),
    "an overlong zero": swap(TEXT, TEXT + b"\xc0\x80"),
    "an overlong slash": swap(TEXT, TEXT + b"\xe0\x80\xaf"),
    "half a surrogate pair": swap(TEXT, TEXT + b"\xed\xa0\x80"),
    "a surrogate pair in UTF-8": swap(TEXT, TEXT + b"\xed\xa0\xbd\xed\xb8\x80"),
    "a character beyond Unicode": swap(TEXT, TEXT + b"\xf4\x90\x80\x80"),
    "half a character": swap(TEXT, TEXT + b"\xe1\xbb"),
    "a lone continuation byte": swap(TEXT, TEXT + b"\x80"),
    "a zero byte in a text": swap(TEXT, TEXT + b"\0"),
    "a zero byte in a tag": swap(FIELD, b"<MaSoThue\0>"),
    "a zero byte at the end": _end(b"\0"),
    "a zero byte and the rest": lambda seed: seed.signed + b"\0" + seed.content,
    "a control character": swap(TEXT, TEXT + b"\x0b"),
    "an escape character": swap(TEXT, TEXT + b"\x1b[2J"),
    "a reference to the zero character": swap(TEXT, b"&#0;"),
    "a reference to a control character": swap(TEXT, b"&#x1B;"),
    "a reference to a surrogate": swap(TEXT, b"&#xD800;"),
    "a reference to no character": swap(TEXT, b"&#xFFFE;"),
    "a reference beyond Unicode": swap(TEXT, b"&#x110000;"),
    "a reference of many digits": swap(TEXT, b"&#x" + b"0" * 10_000 + b"110000;"),
    "a reference without its semicolon": swap(TEXT, b"&#48 100109106"),
    "the character U+FFFF": swap(TEXT, TEXT + "\uffff".encode()),
    "a byte before the declaration": _start(b"x"),
    "text after the root": _end(b"x"),
    "an element after the root": _end(b"<a></a>"),
    "an end tag after the root": _end(b"</Hoso>"),
    "the first half": lambda seed: seed.signed[: len(seed.signed) // 2],
    "the last byte missing": lambda seed: seed.signed[:-1],
    "nothing": lambda seed: b"",
    "white space alone": lambda seed: b" \n\t",
    "a mark alone": lambda seed: codecs.BOM_UTF8,
    "a declaration alone": lambda seed: DECLARATION,
    "no XML": lambda seed: b'{"Hoso": {"CKy_Dvi": null}}',
    "compressed": lambda seed: b"\x1f\x8b\x08" + seed.signed,
}
_INSTRUCTION = {
    "white space before the declaration": _start(b"\n"),
    "a tag closed before the declaration": _start(b"</a>"),
    "the declaration twice": _start(DECLARATION),
    "the declaration in capitals": swap(b"<?xml", b"<?XML"),
    "XML 1.1": swap(b'version="1.0"', b'version="1.1"'),
    "XML 2.0": swap(b'version="1.0"', b'version="2.0"'),
    "a declaration without a version": swap(b' version="1.0"', b""),
    "a declaration with standalone=maybe": swap(b"?>", b' standalone="maybe"?>'),
    "the parts of the declaration in another order": swap(
        b'version="1.0" encoding="utf-8"', b'encoding="utf-8" version="1.0"'
    ),
    "a declaration after the root": _end(DECLARATION),
    "an encoding of many letters": swap(b'"utf-8"', b'"' + b"a" * 5000 + b'"'),
    "a style sheet": after(DECLARATION, b'<?xml-stylesheet href="http://192.0.2.1/a.xsl"?>'),
}


def _nested(count: int) -> Change:
    return swap(TEXT, b"<a>" * count + b"</a>" * count)


def _unsafe(code: str) -> Verdict:
    return Verdict("unsafe", f"document.{code}")


_COSTS = [
    Attack("33 elements deep", _nested(33), _unsafe("too_deep")),
    Attack("300 elements deep", _nested(300), _unsafe("too_deep")),
    Attack("200,000 elements deep", _nested(200_000), _unsafe("too_deep"), seeds=("portal",)),
    Attack(
        "open tags that never close", swap(TEXT, b"<a>" * 100_000), _unsafe("too_deep"), seeds=("portal",)
    ),
    Attack(
        "2,100,000 elements", swap(TEXT, b"<a/>" * 2_100_000), _unsafe("too_many_elements"), seeds=("portal",)
    ),
    Attack(
        "2,100,000 end tags", swap(TEXT, b"</a>" * 2_100_000), _unsafe("too_many_elements"), seeds=("portal",)
    ),
    Attack(
        "prefixes of 20,000 letters",
        swap(TEXT, b"<a" + b"".join(b' xmlns:%b%d="urn:a"' % (b"n" * 20_000, i) for i in range(13)) + b"/>"),
        _unsafe("long_namespace"),
        seeds=("portal",),
    ),
    Attack(
        "an address of 500,000 letters",
        swap(TEXT, b'<a xmlns="urn:%b">' % (b"n" * 500_000) + b"<a/>" * 80_000 + b"</a>"),
        _unsafe("long_namespace"),
        seeds=("portal",),
    ),
    Attack(
        "2,000 signatures below long names",
        swap(
            TEXT,
            b'<a xmlns:d="http://www.w3.org/2000/09/xmldsig#">'
            + b"<%b>" % (b"n" * 30_000) * 25
            + b"<d:Signature/>" * 2000
            + b"</%b>" % (b"n" * 30_000) * 25
            + b"</a>",
        ),
        SEVERAL,
        seeds=("portal",),
    ),
    Attack("100,000 elements", swap(TEXT, b"<a/>" * 100_000), CHANGED, seeds=("portal",)),
    Attack("a million elements", swap(TEXT, b"<a/>" * 1_000_000), CHANGED, seeds=("portal",)),
    Attack("a text of 9 megabytes", swap(TEXT, b"x" * 9_000_000), CHANGED, seeds=("portal",)),
    Attack("a text of 20 megabytes", swap(TEXT, b"x" * 20_000_000), CHANGED, seeds=("portal",)),
    Attack(
        "an attribute of 3 megabytes",
        swap(FIELD, b'<MaSoThue a="%b">' % (b"x" * 3_000_000)),
        CHANGED,
        seeds=("portal",),
    ),
    Attack(
        "a name of 60,000 letters",
        swap(FIELD, b'<MaSoThue %b="">' % (b"a" * 60_000)),
        NOT_XML,
        seeds=("portal",),
    ),
    Attack(
        "a comment of 5 megabytes",
        swap(TEXT, b"<!--" + b"x" * 5_000_000),
        _unsafe("comment"),
        seeds=("portal",),
    ),
    Attack(
        "10,000 attributes",
        swap(FIELD, b"<MaSoThue %b>" % b" ".join(b'a%d=""' % number for number in range(10_000))),
        _unsafe("too_many_attributes"),
    ),
    Attack(
        "17 attributes",
        swap(FIELD, b"<MaSoThue %b>" % b" ".join(b'a%d=""' % number for number in range(17))),
        _unsafe("too_many_attributes"),
    ),
    Attack(
        "10,000 declarations",
        swap(FIELD, b"<MaSoThue %b>" % b" ".join(b'xmlns:a%d="urn:a"' % number for number in range(10_000))),
        _unsafe("too_many_namespaces"),
    ),
    Attack(
        "17 declarations, one on each field",
        swap(TEXT, b"".join(b'<a xmlns:a%d="urn:a"/>' % number for number in range(17))),
        _unsafe("too_many_namespaces"),
    ),
    Attack(
        "declarations over many elements",
        swap(
            TEXT,
            b"<a %b>%b</a>"
            % (b" ".join(b'xmlns:a%d="urn:a"' % number for number in range(10)), b"<b/>" * 800_000),
        ),
        _unsafe("namespaces_over_elements"),
        seeds=("portal",),
    ),
    Attack(
        "a tag that never ends",
        swap(TEXT, b"<a " + b'b="" ' * 200_000),
        _unsafe("too_many_attributes"),
        seeds=("portal",),
    ),
    Attack(
        "an attribute that never ends", swap(TEXT, b'<a b="' + b"x=' " * 200_000), NOT_XML, seeds=("portal",)
    ),
    Attack("equals signs without end", swap(TEXT, b"<a " + b"=" * 500_000), NOT_XML, seeds=("portal",)),
    Attack(
        "a SignatureValue of 3 megabytes",
        after(b"<SignatureValue>", b"AAAA" * 750_000),
        Verdict("signature-value", "document.signature_wrong"),
        seeds=("portal",),
    ),
    Attack(
        "a certificate of 3 megabytes",
        after(b"<X509Certificate>", b"AAAA" * 750_000),
        Verdict("certificate", "document.certificate_unreadable"),
        seeds=("portal",),
    ),
    Attack(
        "a modulus of 3 megabytes",
        after(b"<Modulus>", b"/AAA" * 750_000),
        Verdict("key-mismatch", "document.other_key"),
        seeds=("portal",),
    ),
    Attack(
        "an algorithm of 3 megabytes",
        swap(b"#rsa-sha256", b"#" + b"a" * 3_000_000),
        Verdict("signature-algorithm", "document.algorithm"),
        seeds=("portal",),
    ),
    Attack(
        "white space of 5 megabytes in the signature value",
        after(b"<SignatureValue>", b" " * 5_000_000 + b"!"),
        Verdict("structure", "document.signature_shape"),
        seeds=("portal",),
    ),
    Attack("larger than the limit", lambda seed: seed.signed, _unsafe("too_large"), {"size_limit": 100}),
    Attack(
        "larger than the limit by white space",
        _end(b" " * 64 * 1024 * 1024),
        _unsafe("too_large"),
        seeds=("portal",),
    ),
]

ATTACKS = [
    *[Attack(name, change, ENCODING) for name, change in _ENCODINGS.items()],
    *[Attack(name, change, NOT_XML) for name, change in _NOT_XML.items()],
    *[
        Attack(name, change, Verdict("unsafe", "document.processing_instruction"))
        for name, change in _INSTRUCTION.items()
    ],
    *_COSTS,
]
