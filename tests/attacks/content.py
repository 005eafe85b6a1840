"""The signed content and its markup: text, comments, document types, namespaces, attributes, positions."""

from __future__ import annotations

import re
import unicodedata

from attacks.attack import (
    CDATA,
    CHANGED,
    COMMENT,
    ELSEWHERE,
    INSTRUCTION,
    NOT_CANONICAL,
    NOT_XML,
    REPEATED_ID,
    VALUE,
    XML_ATTRIBUTE,
    Attack,
    Change,
    Verdict,
    after,
    before,
    inside,
    shape,
    swap,
)
from attacks.forge import DECLARATION, DSIG, Seed

__all__ = ["ATTACKS"]

TEXT = b"0100109106"
FIELD = b"<MaSoThue>"


def _on_place(added: bytes) -> Change:
    return lambda seed: seed.signed.replace(b"<%b>" % seed.place, b"<%b %b>" % (seed.place, added), 1)


def _on_root(added: bytes) -> Change:
    return lambda seed: seed.signed.replace(b"<" + seed.root, b"<%b %b" % (seed.root, added), 1)


def _typed(declarations: bytes, name: bytes = b"") -> Change:
    """Put a document type before the root."""

    def change(seed: Seed) -> bytes:
        kind = b"<!DOCTYPE %b %b>" % (name or seed.root, declarations)
        return DECLARATION + kind + seed.signed.removeprefix(DECLARATION)

    return change


def _entity(declaration: bytes, use: bytes) -> Change:
    typed = _typed(b"[%b]" % declaration)
    return lambda seed: typed(seed).replace(TEXT, use, 1)


_LAUGHS = b'<!ENTITY a "haha">' + b"".join(
    b'<!ENTITY %c "%b">' % (98 + number, b"&%c;" % (97 + number) * 10) for number in range(10)
)
_QUADRATIC = b'<!ENTITY a "%b">' % (b"x" * 50_000)

_DOCUMENT_TYPES = {
    "an empty document type": _typed(b""),
    "a document type of another root": _typed(b"", b"other"),
    "a document type in small letters": swap(DECLARATION, DECLARATION + b"<!doctype Hoso>"),
    "a billion laughs": _entity(_LAUGHS, b"&k;"),
    "a quadratic bomb": _entity(_QUADRATIC, b"&a;" * 20_000),
    "an entity for the signed value": _entity(b'<!ENTITY a "0100109106">', b"&a;"),
    "an entity that refers to itself": _entity(b'<!ENTITY a "&b;"><!ENTITY b "&a;">', b"&a;"),
    "an external entity": _entity(b'<!ENTITY a SYSTEM "file:///etc/passwd">', b"&a;"),
    "an external entity of another machine": _entity(b'<!ENTITY a SYSTEM "http://192.0.2.1/a">', b"&a;"),
    "a parameter entity": _entity(b"<!ENTITY % a \"<!ENTITY b 'x'>\">%a;", b"&b;"),
    "an external parameter entity": _typed(b'[<!ENTITY % a SYSTEM "http://192.0.2.1/a.dtd">%a;]'),
    "an external document type": _typed(b'SYSTEM "http://192.0.2.1/a.dtd"'),
    "a public document type": _typed(b'PUBLIC "-//A//B" "http://192.0.2.1/a.dtd"'),
    "an unparsed entity": _entity(b'<!NOTATION n SYSTEM "n"><!ENTITY a SYSTEM "a" NDATA n>', TEXT),
    "a default attribute": _typed(b'[<!ATTLIST MaSoThue Loai CDATA "x">]'),
    "a default attribute of the signature": _typed(b'[<!ATTLIST Signature Extra CDATA "x">]'),
    "a default namespace by default attribute": _typed(b'[<!ATTLIST NoiDung xmlns CDATA "urn:x">]'),
    "a fixed namespace by default attribute": _typed(b'[<!ATTLIST Object xmlns:a CDATA #FIXED "urn:x">]'),
    "an ID declared": _typed(b"[<!ATTLIST MaSoThue Ma ID #IMPLIED>]"),
    "an attribute declared to be normalised": _typed(b"[<!ATTLIST Reference URI NMTOKENS #IMPLIED>]"),
    "elements declared": _typed(b"[<!ELEMENT Hoso ANY>]"),
    "a conditional section": _typed(b"[<![IGNORE[x]]>]"),
    "a document type in the content": after(FIELD, b"<!DOCTYPE a>"),
    "a document type after the root": lambda seed: seed.signed + b"<!DOCTYPE Hoso>",
}


def _markup() -> list[Attack]:
    found = [
        Attack(name, change, Verdict("unsafe", "document.doctype"))
        for name, change in _DOCUMENT_TYPES.items()
    ]
    return found + [
        Attack(f"{what} {where}", _added(where, markup), verdict)
        for where in (*_MARKS, "after the root")
        for what, markup, verdict in (
            ("a comment", b"<!-- x -->", COMMENT),
            ("a CDATA section", b"<![CDATA[]]>", CDATA),
            ("a processing instruction", b"<?x y?>", INSTRUCTION),
        )
    ]


_MARKS = {
    "in a signed text": (b">01001", True),
    "before the root": (DECLARATION, True),
    "between elements": (FIELD, False),
    "in the place, before the signature": (b"<Signature ", False),
    "in the place, after the signature": (b"</Signature>", True),
    "in SignedInfo": (b"<SignedInfo>", True),
    "in the Signature": (b"</SignedInfo>", True),
    "in the subject name": (b"<X509SubjectName>", True),
}


def _added(where: str, markup: bytes) -> Change:
    if where == "after the root":
        return lambda seed: seed.signed + markup
    mark, behind = _MARKS[where]
    return after(mark, markup) if behind else before(mark, markup)


def _nfd(seed: Seed) -> bytes:
    return unicodedata.normalize("NFD", seed.signed.decode()).encode()


def _pretty(seed: Seed) -> bytes:
    return seed.signed.replace(b"<MaSoThue>", b"\n  <MaSoThue>").replace(b"</NoiDung>", b"\n</NoiDung>")


def _squeezed(seed: Seed) -> bytes:
    return re.sub(rb">[ \n]+<", b"><", seed.signed)


_TEXTS = {
    "a digit changed": swap(TEXT, b"0100109107"),
    "a digit added": swap(TEXT, TEXT + b"0"),
    "a text emptied": swap(TEXT, b""),
    "a field taken out": inside(FIELD, b"</MaSoThue>", lambda found: b""),
    "a field twice": inside(FIELD, b"</MaSoThue>", lambda found: found * 2),
    "a field renamed": lambda seed: seed.signed.replace(b"MaSoThue>", b"MaSoThuE>"),
    "a field put into another": inside(FIELD, b"</MaSoThue>", lambda found: b"<a>" + found + b"</a>"),
    "a value moved out of its field": swap(FIELD + TEXT + b"</MaSoThue>", FIELD + b"</MaSoThue>" + TEXT),
    "a field split into two": swap(TEXT, b"01001</MaSoThue><MaSoThue>09106"),
    "an element in a text": swap(TEXT, b"01001<a></a>09106"),
    "white space at the end of a text": swap(TEXT, TEXT + b" "),
    "a line break in a text": swap(TEXT, TEXT + b"\n"),
    "a carriage return as character reference": swap(TEXT, TEXT + b"&#13;"),
    "a carriage return as hexadecimal reference": swap(TEXT, TEXT + b"&#xD;"),
    "the next-line character": swap(TEXT, TEXT + "\u0085".encode()),
    "the line separator": swap(TEXT, TEXT + "\u2028".encode()),
    "a no-break space": swap(TEXT, TEXT + "\u00a0".encode()),
    "a zero-width space": swap(TEXT, TEXT + "\u200b".encode()),
    "a soft hyphen": swap(TEXT, TEXT + "\u00ad".encode()),
    "a direction override": swap(TEXT, "\u202e6019010010\u202c".encode()),
    "a byte order mark in a text": swap(TEXT, "\ufeff".encode() + TEXT),
    "full-width digits": swap(TEXT, "０１００１０９１０６".encode()),
    "a Cyrillic look-alike": after(b"</MaSoThue>", "і".encode()),
    "the text decomposed": _nfd,
    "a character reference escaped": swap(TEXT, b"&amp;#48;100109106"),
    "an escaped less-than": swap(TEXT, TEXT + b"&lt;"),
    "a character reference for another digit": swap(TEXT, b"010010910&#55;"),
    "a spurious declaration in a text": swap(TEXT, TEXT + b' xmlns=""'),
    "a spurious declaration in a text, escaped": swap(TEXT, TEXT + b" xmlns=&quot;&quot;"),
    "the document indented": _pretty,
    "text before the place": lambda seed: seed.signed.replace(b"<%b>" % seed.place, b"x<%b>" % seed.place),
    "text after the place": lambda seed: seed.signed.replace(b"</%b>" % seed.place, b"</%b>x" % seed.place),
    "white space before the signature": before(b"<Signature ", b"\n"),
    "white space after the signature": after(b"</Signature>", b" "),
    "white space before the place": lambda seed: seed.signed.replace(
        b"<%b>" % seed.place, b" <%b>" % seed.place
    ),
    "an attribute on a field": swap(FIELD, b'<MaSoThue a="1">'),
    "an Id on a field": swap(FIELD, b'<MaSoThue Id="a">'),
    "an attribute on the content": swap(b"<NoiDung>", b'<NoiDung a="">'),
    "an attribute on the place": _on_place(b'a="1"'),
    "an attribute on the root": _on_root(b'a="1"'),
    "an attribute of XML Schema on the root": _on_root(b'xsi:type="a"'),
    "xml:lang on a field": swap(FIELD, b'<MaSoThue xml:lang="vi">'),
    "xml:space on the content": swap(b"<NoiDung>", b'<NoiDung xml:space="preserve">'),
    "xml:base on a field": swap(FIELD, b'<MaSoThue xml:base="http://example.com/">'),
    "xml:id on a field": swap(FIELD, b'<MaSoThue xml:id="a">'),
    "a namespace on a field": swap(FIELD, b'<MaSoThue xmlns:a="urn:a">'),
    "a default namespace on the content": swap(b"<NoiDung>", b'<NoiDung xmlns="urn:a">'),
    "a prefix bound again": swap(b"<NoiDung>", b'<NoiDung xmlns:xsi="urn:a">'),
    "the namespace of signatures on the content": swap(b"<NoiDung>", b'<NoiDung xmlns="%b">' % DSIG.encode()),
    "a field in the namespace of signatures": swap(FIELD, b'<MaSoThue xmlns="%b">' % DSIG.encode()),
}


def _ds(found: bytes) -> bytes:
    return found.replace(b"</", b"\0").replace(b"<", b"<ds:").replace(b"\0", b"</ds:")


def _prefixed(seed: Seed) -> bytes:
    signature = seed.signature.replace(b'Id="sigid" xmlns=', b'Id="sigid" xmlns:ds=')
    start = signature.index(b"<Object>")
    return DECLARATION + seed.before + _ds(signature[:start]) + b"</ds:Signature>" + seed.after


_OTHERS = [
    Attack("text before the signature", before(b"<Signature ", b"x"), ELSEWHERE),
    Attack("text after the signature", after(b"</Signature>", b"x"), ELSEWHERE),
    Attack("a no-break space after the signature", after(b"</Signature>", b"&#160;"), ELSEWHERE),
    Attack("an element before the signature", before(b"<Signature ", b"<a></a>"), ELSEWHERE),
    Attack("an element after the signature", after(b"</Signature>", b"<a></a>"), ELSEWHERE),
    Attack(
        "the document squeezed",
        _squeezed,
        CHANGED,
        seeds=("form",),
    ),
    Attack("a declaration on the root", _on_root(b'xmlns:a="urn:a"'), VALUE),
    Attack("a declaration on the place", _on_place(b'xmlns:a="urn:a"'), VALUE),
    Attack(
        "a declaration on the signature",
        swap(b'<Signature Id="sigid"', b'<Signature Id="sigid" xmlns:a="urn:a"'),
        VALUE,
    ),
    Attack(
        "a declaration on SignedInfo",
        swap(b"<SignedInfo>", b'<SignedInfo xmlns:a="urn:a">'),
        shape("SignedInfo"),
    ),
    Attack(
        "a declaration on the Reference",
        swap(b"<Reference ", b'<Reference xmlns:a="urn:a" '),
        shape("Reference"),
    ),
    Attack(
        "a declaration on DigestValue",
        swap(b"<DigestValue>", b'<DigestValue xmlns:a="urn:a">'),
        shape("DigestValue"),
    ),
    Attack(
        "a declaration taken from the root",
        swap(b' xmlns:xsd="http://www.w3.org/2001/XMLSchema"', b""),
        VALUE,
    ),
    Attack(
        "a declaration of the root changed",
        swap(b"2001/XMLSchema-instance", b"2001/XMLSchema-instancf"),
        VALUE,
    ),
    Attack("a prefix of the root bound again on the place", _on_place(b'xmlns:xsi="urn:a"'), VALUE),
    Attack(
        "a prefix of the root bound again on the signature",
        swap(b'<Signature Id="sigid"', b'<Signature Id="sigid" xmlns:xsi="urn:a"'),
        VALUE,
    ),
    Attack(
        "a default namespace on the root", _on_root(b'xmlns="urn:a"'), Verdict("place", "document.no_place")
    ),
    Attack(
        "a default namespace on the place", _on_place(b'xmlns="urn:a"'), Verdict("place", "document.no_place")
    ),
    Attack(
        "the signature in no namespace",
        swap(b' xmlns="%b"' % DSIG.encode(), b' xmlns=""'),
        Verdict("not-signed", "document.not_signed"),
    ),
    Attack(
        "the signature in a look-alike namespace",
        swap(b' xmlns="%b"' % DSIG.encode(), b' xmlns="%b"' % DSIG.rstrip("#").encode()),
        Verdict("not-signed", "document.not_signed"),
    ),
    Attack(
        "the signature in the namespace of version 1.1",
        swap(b' xmlns="%b"' % DSIG.encode(), b' xmlns="http://www.w3.org/2009/xmldsig11#"'),
        Verdict("not-signed", "document.not_signed"),
    ),
    Attack("SignedInfo in no namespace", swap(b"<SignedInfo>", b'<SignedInfo xmlns="">'), shape("Signature")),
    Attack("a Reference in no namespace", swap(b"<Reference ", b'<Reference xmlns="" '), shape("SignedInfo")),
    Attack("an Object in no namespace", swap(b"<Object>", b'<Object xmlns="">'), shape("Signature")),
    Attack("a prefixed signature", _prefixed, shape("Signature")),
    Attack(
        "a prefixed SignedInfo",
        inside(
            b"<SignedInfo>",
            b"</SignedInfo>",
            lambda found: _ds(found).replace(
                b"<ds:SignedInfo", b'<ds:SignedInfo xmlns:ds="%b"' % DSIG.encode()
            ),
        ),
        shape("SignedInfo"),
    ),
    Attack(
        "a relative namespace on the content", swap(b"<NoiDung>", b'<NoiDung xmlns:a="b">'), NOT_CANONICAL
    ),
    Attack("a relative default namespace on a field", swap(FIELD, b'<MaSoThue xmlns="../b">'), NOT_CANONICAL),
    Attack("a prefix bound to nothing", swap(FIELD, b'<MaSoThue xmlns:a="">'), NOT_XML),
    Attack("a prefix that is not bound", swap(FIELD, b"<MaSoThue a:b='1'>"), NOT_XML),
    Attack("the prefix xml bound to something else", swap(FIELD, b'<MaSoThue xmlns:xml="urn:a">'), NOT_XML),
    Attack("the prefix xmlns bound", swap(FIELD, b'<MaSoThue xmlns:xmlns="urn:a">'), NOT_XML),
    Attack(
        "the namespace of xml as default",
        swap(FIELD, b'<MaSoThue xmlns="http://www.w3.org/XML/1998/namespace">'),
        NOT_XML,
    ),
    Attack("an attribute twice", swap(FIELD, b'<MaSoThue a="1" a="2">'), NOT_XML),
    Attack(
        "an attribute twice by two prefixes",
        swap(FIELD, b'<MaSoThue xmlns:p="urn:a" xmlns:q="urn:a" p:a="1" q:a="2">'),
        NOT_XML,
    ),
    Attack("an attribute without a value", swap(FIELD, b"<MaSoThue a>"), NOT_XML),
    Attack("an attribute without quotes", swap(FIELD, b"<MaSoThue a=1>"), NOT_XML),
    Attack("a less-than in an attribute", swap(FIELD, b'<MaSoThue a="<">'), NOT_XML),
    Attack("an entity that nobody declared", swap(TEXT, b"&a;"), NOT_XML),
    Attack("an ampersand alone", swap(TEXT, TEXT + b"&"), NOT_XML),
    Attack("an element not closed", swap(b"</MaSoThue>", b""), NOT_XML),
    Attack("an element closed twice", swap(b"</MaSoThue>", b"</MaSoThue></MaSoThue>"), NOT_XML),
    Attack("elements that overlap", swap(b"</MaSoThue>", b"<a></MaSoThue></a>"), NOT_XML),
    Attack("an element closed in another case", swap(b"</MaSoThue>", b"</masothue>"), NOT_XML),
    Attack("the end of a CDATA section in a text", swap(TEXT, TEXT + b"]]>"), NOT_XML),
    Attack("a name with two colons", swap(FIELD, b'<MaSoThue a:b:c="1">'), NOT_XML),
    Attack("a name that begins with a digit", swap(FIELD, b'<MaSoThue 1a="1">'), NOT_XML),
    *[
        Attack(f"{name} on {where}", change(f'{name}="x"'.encode()), XML_ATTRIBUTE)
        for name in ("xml:lang", "xml:space", "xml:base", "xml:id")
        for where, change in (("the root", _on_root), ("the place", _on_place))
    ],
    *[
        Attack(
            f"the signature's {value} as {name} of a field",
            swap(FIELD, f'<MaSoThue {name}="{value}">'.encode()),
            REPEATED_ID,
        )
        for name in ("Id", "ID", "id", "xml:id")
        for value in ("sigid", "proid")
    ],
]


ATTACKS = [*_markup(), *[Attack(name, change, CHANGED) for name, change in _TEXTS.items()], *_OTHERS]
