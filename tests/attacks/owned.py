"""An attacker who owns a valid key signs raw bytes: the digest is right over them, whatever they are.

A verifier that compares the digest with the bytes before it canonicalises finds them right. A thorough one
refuses each: what XML canonicalisation makes of these bytes is something else, or they are no XML, or they
hold what is never accepted. Of the first two kinds, those that look like plain elements and text may be
handed out as signed by one that was not asked to be thorough. The document of every attack is complete; the
seed is not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attacks.attack import (
    CDATA,
    CHANGED,
    COMMENT,
    DOCTYPE,
    ELSEWHERE,
    ENCODING,
    INSTRUCTION,
    NO_PLACE,
    NOT_CANONICAL,
    NOT_XML,
    REPEATED_ID,
    SEVERAL,
    SEVERAL_PLACES,
    VALUE,
    XML_ATTRIBUTE,
    Attack,
    Verdict,
    shape,
)
from attacks.forge import DECLARATION, DSIG, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ATTACKS"]

START, END = b"<Hoso>", b"</Hoso>"
PLACE = b"<CKy_Dvi>", b"</CKy_Dvi>"
TAIL = PLACE[1] + END
IDS = ("Id", "ID", "id", "xml:id")


def _inside(content: bytes) -> tuple[bytes, bytes]:
    """Return what stands before and after the signature of a document with this content."""
    return START + content + PLACE[0], TAIL


# name: (before the signature, after it), verdict
_RAW: dict[str, tuple[tuple[bytes, bytes], Verdict]] = {
    # Not in canonical form: another digest than that of the canonical form.
    "an empty element's short form": (_inside(b"<a/>"), CHANGED),
    "an empty element's short form with a blank": (_inside(b"<a />"), CHANGED),
    "a blank in a start tag": (_inside(b"<a ></a>"), CHANGED),
    "a blank in an end tag": (_inside(b"<a></a >"), CHANGED),
    "two blanks before an attribute": (_inside(b'<a  b="1"></a>'), CHANGED),
    "a line break before an attribute": (_inside(b'<a\nb="1"></a>'), CHANGED),
    "blanks around an equals sign": (_inside(b'<a b = "1"></a>'), CHANGED),
    "single quotes": (_inside(b"<a b='1'></a>"), CHANGED),
    "attributes out of order": (_inside(b'<a c="1" b="2"></a>'), CHANGED),
    "an attribute before a declaration": (_inside(b'<a b="1" xmlns:p="urn:p"></a>'), CHANGED),
    "declarations out of order": (_inside(b'<a xmlns:q="urn:q" xmlns:p="urn:p"></a>'), CHANGED),
    "attributes out of their namespaces' order": (
        _inside(b'<a xmlns:p="urn:z" xmlns:q="urn:a" p:b="1" q:b="2"></a>'),
        CHANGED,
    ),
    "a prefixed attribute before a plain one": (_inside(b'<a xmlns:p="urn:p" p:b="1" c="2"></a>'), CHANGED),
    "a declaration said twice": (_inside(b'<a xmlns:p="urn:p"><b xmlns:p="urn:p"></b></a>'), CHANGED),
    "a default namespace said twice": (_inside(b'<a xmlns="urn:p"><b xmlns="urn:p"></b></a>'), CHANGED),
    "an empty default namespace": (_inside(b'<a xmlns=""></a>'), CHANGED),
    "an empty default namespace on the root": ((b'<Hoso xmlns="">' + PLACE[0], TAIL), CHANGED),
    "the prefix xml declared": (
        _inside(b'<a xmlns:xml="http://www.w3.org/XML/1998/namespace"></a>'),
        CHANGED,
    ),
    "a carriage return and line feed": (_inside(b"<a>1\r\n2</a>"), CHANGED),
    "a carriage return": (_inside(b"<a>1\r2</a>"), CHANGED),
    "a carriage return between elements": (_inside(b"\r\n<a></a>\r\n"), CHANGED),
    "a decimal reference": (_inside(b"<a>&#65;</a>"), CHANGED),
    "a hexadecimal reference": (_inside(b"<a>&#x41;</a>"), CHANGED),
    "a carriage return's reference in small letters": (_inside(b"<a>&#xd;</a>"), CHANGED),
    "a carriage return's decimal reference": (_inside(b"<a>&#13;</a>"), CHANGED),
    "a reference of another script's digit": (_inside(b"<a>&#x0D;</a>"), CHANGED),
    "a greater-than as it is": (_inside(b"<a>1>2</a>"), CHANGED),
    "a quotation mark escaped in a text": (_inside(b"<a>&quot;</a>"), CHANGED),
    "an apostrophe escaped in a text": (_inside(b"<a>&apos;</a>"), CHANGED),
    "an equals sign as reference": (_inside(b"<a>&#61;</a>"), CHANGED),
    "a tab in an attribute": (_inside(b'<a b="1\t2"></a>'), CHANGED),
    "a line break in an attribute": (_inside(b'<a b="1\n2"></a>'), CHANGED),
    "a greater-than escaped in an attribute": (_inside(b'<a b="&gt;"></a>'), CHANGED),
    "an apostrophe escaped in an attribute": (_inside(b'<a b="&apos;"></a>'), CHANGED),
    "a line break's decimal reference in an attribute": (_inside(b'<a b="&#10;"></a>'), CHANGED),
    "a blank as reference": (_inside(b"<a>&#32;</a>"), CHANGED),
    "white space before the root": ((b"\n" + START + PLACE[0], TAIL), CHANGED),
    "white space after the root": ((START + PLACE[0], TAIL + b"\n"), CHANGED),
    "a blank in the place's start tag": ((START + b"<CKy_Dvi >", TAIL), CHANGED),
    "a blank in the place's end tag": ((START + PLACE[0], b"</CKy_Dvi >" + END), CHANGED),
    "a blank in the root's end tag": ((START + PLACE[0], PLACE[1] + b"</Hoso >"), CHANGED),
    "the declaration hashed as well": ((DECLARATION + START + PLACE[0], TAIL), CHANGED),
    "the byte order mark hashed as well": ((b"\xef\xbb\xbf" + START + PLACE[0], TAIL), CHANGED),
    # Markup that is never accepted.
    "a comment": (_inside(b"<a>1<!-- -->2</a>"), COMMENT),
    "a comment before the root": ((b"<!-- -->" + START + PLACE[0], TAIL), COMMENT),
    "a comment after the root": ((START + PLACE[0], TAIL + b"<!-- -->"), COMMENT),
    "a comment in the place": ((START + PLACE[0] + b"<!-- -->", TAIL), COMMENT),
    "a CDATA section": (_inside(b"<a><![CDATA[1]]></a>"), CDATA),
    "a CDATA section that holds markup": (_inside(b"<a><![CDATA[</a><b></b>]]></a>"), CDATA),
    "a CDATA section around the place": ((START + b"<![CDATA[" + PLACE[0], PLACE[1] + b"]]>" + END), CDATA),
    "a processing instruction": (_inside(b"<?a b?>"), INSTRUCTION),
    "a style sheet": ((b'<?xml-stylesheet href="a"?>\n' + START + PLACE[0], TAIL), INSTRUCTION),
    "a document type": ((b"<!DOCTYPE Hoso>" + START + PLACE[0], TAIL), DOCTYPE),
    "a document type with an entity": (
        (b'<!DOCTYPE Hoso [<!ENTITY a "1">]>' + START + b"<a>&a;</a>" + PLACE[0], TAIL),
        DOCTYPE,
    ),
    "a document type with a default attribute": (
        (b'<!DOCTYPE Hoso [<!ATTLIST a b CDATA "1">]>' + START + b"<a></a>" + PLACE[0], TAIL),
        DOCTYPE,
    ),
    # No XML, though every byte is signed.
    "an element not closed": (_inside(b"<a>"), NOT_XML),
    "an element closed twice": (_inside(b"<a></a></a>"), NOT_XML),
    "elements that overlap": (_inside(b"<a><b></a></b>"), NOT_XML),
    "an end tag of another name": (_inside(b"<a></b>"), NOT_XML),
    "an attribute twice": (_inside(b'<a b="1" b="1"></a>'), NOT_XML),
    "an attribute twice by two prefixes": (
        _inside(b'<a xmlns:p="urn:a" xmlns:q="urn:a" p:b="1" q:b="2"></a>'),
        NOT_XML,
    ),
    "an attribute without a value": (_inside(b"<a b></a>"), NOT_XML),
    "a prefix that is not bound": (_inside(b"<p:a></p:a>"), NOT_XML),
    "a prefix bound to nothing": (_inside(b'<a xmlns:p=""></a>'), NOT_XML),
    "the prefix xml bound to something else": (_inside(b'<a xmlns:xml="urn:a"></a>'), NOT_XML),
    "the prefix xmlns bound": (_inside(b'<a xmlns:xmlns="urn:a"></a>'), NOT_XML),
    "a prefix bound to the namespace of xml": (
        _inside(b'<a xmlns:p="http://www.w3.org/XML/1998/namespace"></a>'),
        NOT_XML,
    ),
    "a prefix bound to the namespace of xmlns": (
        _inside(b'<a xmlns:p="http://www.w3.org/2000/xmlns/"></a>'),
        NOT_XML,
    ),
    "a name with two colons": (_inside(b"<a:b:c></a:b:c>"), NOT_XML),
    "a name that ends with a colon": (_inside(b"<a:></a:>"), NOT_XML),
    "an ampersand alone": (_inside(b"<a>&</a>"), NOT_XML),
    "an entity that nobody declared": (_inside(b"<a>&nbsp;</a>"), NOT_XML),
    "the end of a CDATA section": (_inside(b"<a>]]></a>"), NOT_XML),
    "a zero byte": (_inside(b"<a>\0</a>"), NOT_XML),
    "a control character": (_inside(b"<a>\x01</a>"), NOT_XML),
    "an overlong character": (_inside(b"<a>\xc0\xbc</a>"), NOT_XML),
    "a surrogate": (_inside(b"<a>\xed\xa0\x80</a>"), NOT_XML),
    "a character beyond Unicode": (_inside(b"<a>\xf4\x90\x80\x80</a>"), NOT_XML),
    "half a character": (_inside(b"<a>\xe1\xbb</a>"), NOT_XML),
    "the character U+FFFF": (_inside(b"<a>\xef\xbf\xbf</a>"), NOT_XML),
    "a reference to the zero character": (_inside(b"<a>&#0;</a>"), NOT_XML),
    "a less-than in an attribute": (_inside(b'<a b="<"></a>'), NOT_XML),
    "text before the root": ((b"x" + START + PLACE[0], TAIL), NOT_XML),
    "text after the root": ((START + PLACE[0], TAIL + b"x"), NOT_XML),
    "two roots": ((b"<Hoso></Hoso><Hoso>" + PLACE[0], TAIL), NOT_XML),
    "an element after the root": ((START + PLACE[0], TAIL + b"<Hoso></Hoso>"), NOT_XML),
    "no root": (PLACE, NO_PLACE),
    "a root that is never closed": ((START + PLACE[0], PLACE[1]), NOT_XML),
    "a root inside a root that is never closed": ((b"<Hoso><Hoso>" + PLACE[0], TAIL), NOT_XML),
    "a place inside a place that is never closed": ((START + PLACE[0] * 2, TAIL), NOT_XML),
    "a root that nobody opened": ((PLACE[0], TAIL), NOT_XML),
    "another root that is never closed": ((b"<a><Hoso>" + PLACE[0], TAIL), NOT_XML),
    "a name that begins with a digit": (_inside(b"<1a></1a>"), NOT_XML),
    "a blank before a name": (_inside(b"< a></ a>"), NOT_XML),
    # XML, and not what may be signed.
    "a relative namespace": (_inside(b'<a xmlns:p="p"></a>'), NOT_CANONICAL),
    "a relative default namespace": (_inside(b'<a xmlns="../p"></a>'), NOT_CANONICAL),
    "the place under another root": ((b"<Dossier>" + PLACE[0], PLACE[1] + b"</Dossier>"), NO_PLACE),
    "the place deeper": ((b"<Hoso><a>" + PLACE[0], PLACE[1] + b"</a></Hoso>"), NO_PLACE),
    "the place under two roots": ((b"<Hoso><Hoso>" + PLACE[0], TAIL + END), NO_PLACE),
    "the document in another": ((b"<a><Hoso>" + PLACE[0], TAIL + b"</a>"), NO_PLACE),
    "the place twice, signed in the second": (_inside(PLACE[0] + PLACE[1]), SEVERAL_PLACES),
    "the place twice, signed in the first": (
        (START + PLACE[0], PLACE[1] + b"<CKy_Dvi></CKy_Dvi></Hoso>"),
        SEVERAL_PLACES,
    ),
    "the place in a namespace": ((b'<Hoso><CKy_Dvi xmlns="urn:a">', TAIL), NO_PLACE),
    "the root in a namespace": ((b'<Hoso xmlns="urn:a">' + PLACE[0], TAIL), NO_PLACE),
    "the root with a prefix": ((b'<p:Hoso xmlns:p="urn:a">' + PLACE[0], PLACE[1] + b"</p:Hoso>"), NO_PLACE),
    "text in the place, before the signature": ((START + PLACE[0] + b"x", TAIL), ELSEWHERE),
    "text in the place, after the signature": ((START + PLACE[0], b"x" + TAIL), ELSEWHERE),
    "an element in the place, before the signature": ((START + PLACE[0] + b"<a></a>", TAIL), ELSEWHERE),
    "an element in the place, after the signature": ((START + PLACE[0], b"<a></a>" + TAIL), ELSEWHERE),
    "a signature of no namespace in the place": (
        (START + PLACE[0] + b"<Signature></Signature>", TAIL),
        ELSEWHERE,
    ),
    "a second signature in the content": (
        _inside(b'<Signature xmlns="%b"></Signature>' % DSIG.encode()),
        SEVERAL,
    ),
    "a second signature with a prefix": (
        _inside(b'<p:Signature xmlns:p="%b"></p:Signature>' % DSIG.encode()),
        SEVERAL,
    ),
    "a second signature after the place": (
        (START + PLACE[0], b'</CKy_Dvi><Signature xmlns="%b"></Signature></Hoso>' % DSIG.encode()),
        SEVERAL,
    ),
    "xml:lang on the root": ((b'<Hoso xml:lang="vi">' + PLACE[0], TAIL), XML_ATTRIBUTE),
    "xml:space on the place": ((b'<Hoso><CKy_Dvi xml:space="preserve">', TAIL), XML_ATTRIBUTE),
    "17 namespaces": (
        _inside(b"<a%b></a>" % b"".join(b' xmlns:a%02d="urn:a"' % number for number in range(17))),
        Verdict("unsafe", "document.too_many_namespaces"),
    ),
    "17 attributes": (
        _inside(b"<a%b></a>" % b"".join(b' a%02d=""' % number for number in range(17))),
        Verdict("unsafe", "document.too_many_attributes"),
    ),
    "33 elements deep": (_inside(b"<a>" * 33 + b"</a>" * 33), Verdict("unsafe", "document.too_deep")),
    # Declarations that SignedInfo inherits, and that its bytes leave out.
    "a declaration on the root that SignedInfo leaves out": (
        (b'<Hoso xmlns:p="urn:p">' + PLACE[0], TAIL),
        VALUE,
    ),
    "a declaration on the place that SignedInfo leaves out": (
        (b'<Hoso><CKy_Dvi xmlns:p="urn:p">', TAIL),
        VALUE,
    ),
}

# The digest proves that these bytes are what the owner signed, and nothing unsafe is in them: a verifier that
# is not asked to be thorough hands out exactly them, and whoever reads them finds what is wrong.
_AS_SIGNED = frozenset(
    {
        "a greater-than as it is",
        "an element not closed",
        "an element closed twice",
        "elements that overlap",
        "an end tag of another name",
        "an attribute without a value",
        "a prefix that is not bound",
        "a name with two colons",
        "a name that ends with a colon",
        "the end of a CDATA section",
        "a zero byte",
        "a control character",
        "an overlong character",
        "a surrogate",
        "a character beyond Unicode",
        "half a character",
        "the character U+FFFF",
        "two roots",
        "a root inside a root that is never closed",
        "a name that begins with a digit",
        "a blank before a name",
        "33 elements deep",
        "a blank in a start tag",
        "a blank in an end tag",
    }
)

# name: (what is spliced between, its digest is right), verdict: how the signature itself may be written
_SIGNATURE: dict[str, tuple[dict[str, object], Verdict]] = {
    "the signature's Id is that of the content": ({"attributes": f' Id="a" xmlns="{DSIG}"'}, REPEATED_ID),
    "the signature has an attribute more": (
        {"attributes": f' Id="sigid" a="1" xmlns="{DSIG}"'},
        shape("Signature"),
    ),
    "the signature's Id by another name": ({"attributes": f' ID="sigid" xmlns="{DSIG}"'}, shape("Signature")),
    "the signature declares another prefix": ({"attributes": f' xmlns="{DSIG}" xmlns:p="urn:p"'}, VALUE),
}


def _pairs() -> Iterator[Attack]:
    """Two elements of one identifier, in every combination of the attributes that verifiers take for one."""
    for first in IDS:
        for second in IDS:
            content = f'<a {first}="x"></a><a {second}="x"></a>'.encode()
            yield _attack(f"{first} and {second} of the same value", _inside(content), REPEATED_ID)
    for first in IDS:
        content = f'<a {first}="sigid"></a>'.encode()
        yield _attack(f"{first} of the signature's value", _inside(content), REPEATED_ID)
    for first, second in (("Id", "id"), ("ID", "Id"), ("ID", "id")):
        pair = f'<a {first}="x" {second}="x"></a>'.encode()
        yield _attack(f"{first} and {second} of one element", _inside(pair), REPEATED_ID)


def _attack(name: str, parts: tuple[bytes, bytes], verdict: Verdict, **shape: object) -> Attack:
    return Attack(
        f"signed by its owner: {name}",
        lambda seed: signed(*parts, **shape),
        verdict,
        seeds=("portal",),
        raw=b"".join(parts) if name in _AS_SIGNED else b"",
    )


def _encoded(seed: object) -> bytes:
    return DECLARATION.replace(b"utf-8", b"iso-8859-1") + signed(START + b"<a>\xed</a>" + PLACE[0], TAIL)


ATTACKS = [
    *[_attack(name, parts, verdict) for name, (parts, verdict) in _RAW.items()],
    *[
        _attack(name, _inside(b'<a Id="a"></a>'), verdict, **shape)
        for name, (shape, verdict) in _SIGNATURE.items()
    ],
    *_pairs(),
    Attack("signed by its owner: Latin-1", _encoded, ENCODING, seeds=("portal",)),
]
