"""Signatures of every shape that other programs write, and every attack on what a reference means."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
import signxml
from attrs import evolve, frozen
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from lxml import etree

from bhxh_sdk.errors import InputError, SetupError, VerificationError, WrongTypeError
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.xml import foreign_shape, foreign_verifier
from bhxh_sdk.xml.foreign import verify_foreign

DSIG = "http://www.w3.org/2000/09/xmldsig#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
INCLUSIVE_11 = "http://www.w3.org/2006/12/xml-c14n11"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = f"{DSIG}enveloped-signature"
RSA_SHA256 = f"{MORE}rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
OFFICE = "http://schemas.openxmlformats.org/package/2006/digital-signature"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
GUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

XSI = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
BODY = f"<Hoso{XSI}><NoiDung><Ten>VÍ DỤ &amp; CON</Ten><Ma>07906</Ma></NoiDung><CKy_Dvi>@</CKy_Dvi></Hoso>"
PARTS = (
    '<Hoso xmlns="urn:example:form" xmlns:a="urn:example:unused"><NoiDung Id="data"><Ten><Ho>MẪU</Ho></Ten>'
    '<Ma a:b="c">07906</Ma></NoiDung><CKy_Dvi>@</CKy_Dvi></Hoso>'
)
PARTS_AT = "{urn:example:form}Hoso/{urn:example:form}CKy_Dvi"
PARTS_DATA = "{urn:example:form}Hoso/{urn:example:form}NoiDung"

TIME = (
    '<Object{own}><SignatureProperties Id="proid" xmlns=""><SignatureProperty Target="#sigid">'
    '<SigningTime xmlns="http://example.org/#signatureProperties">{time}</SigningTime>'
    "</SignatureProperty></SignatureProperties></Object>"
)


@frozen(kw_only=True)
class Shape:
    """What a signer writes; `@` in the body is where the signature goes."""

    body: str = BODY
    prefix: str = ""
    signature_id: str = ' Id="sigid"'
    info_id: str = ""
    c14n: str = INCLUSIVE
    c14n_inside: str = ""
    method: str = RSA_SHA256
    digest: str = SHA256
    references: tuple[tuple[str, tuple[str, ...]], ...] = (("", (ENVELOPED,)),)
    objects: str = ""
    key_value: bool = True
    certificate: bool = True
    wrapped: bool = False
    between: str = ""
    apart: bool = False


ALGORITHMS = {
    RSA_SHA256: (hashes.SHA256(), "rsa"),
    f"{MORE}rsa-sha384": (hashes.SHA384(), "rsa"),
    f"{MORE}rsa-sha512": (hashes.SHA512(), "rsa"),
    f"{DSIG}rsa-sha1": (hashes.SHA1(), "rsa"),  # noqa: S303  # an old signer is imitated
    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1": (hashes.SHA256(), "pss"),
    f"{MORE}ecdsa-sha256": (hashes.SHA256(), "ec"),
}
DIGESTS = {
    SHA256: "sha256",
    f"{DSIG}sha1": "sha1",
    f"{MORE}sha384": "sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}


def canonical(element, uri: str) -> bytes:
    """Return the canonical form of an element, as that of a document of its own."""
    alone = etree.fromstring(etree.tostring(element, encoding="utf-8", with_tail=False))
    return etree.tostring(alone, method="c14n", exclusive=uri == EXCLUSIVE)


def lines(content: bytes, *, wrapped: bool) -> str:
    text = base64.b64encode(content).decode()
    return "\n".join(text[at : at + 64] for at in range(0, len(text), 64)) if wrapped else text


def value_of(key, method: str, info: bytes) -> bytes:
    algorithm, kind = ALGORITHMS[method]
    if kind == "ec":
        r, s = utils.decode_dss_signature(key.sign(info, ec.ECDSA(algorithm)))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
    return key.sign(info, pss if kind == "pss" else padding.PKCS1v15(), algorithm)


def key_info(shape: Shape, key, der: bytes) -> str:
    public = key.public_key()
    value = data = ""
    if shape.key_value and isinstance(public, ec.EllipticCurvePublicKey):
        numbers = public.public_numbers()
        point = b"\4" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        value = (
            '<ECKeyValue xmlns="http://www.w3.org/2009/xmldsig11#">'
            '<NamedCurve URI="urn:oid:1.2.840.10045.3.1.7"/>'
            f"<PublicKey>{lines(point, wrapped=False)}</PublicKey></ECKeyValue>"
        )
    elif shape.key_value:
        modulus = public.public_numbers().n.to_bytes(public.key_size // 8, "big")
        value = (
            f"<~RSAKeyValue><~Modulus>{lines(modulus, wrapped=shape.wrapped)}</~Modulus>"
            "<~Exponent>AQAB</~Exponent></~RSAKeyValue>"
        )
    if shape.certificate:
        text = lines(der, wrapped=shape.wrapped)
        data = f"<~X509Data><~X509Certificate>{text}</~X509Certificate></~X509Data>"
    value = f"<~KeyValue>{value}</~KeyValue>" if value else ""
    return f"<~KeyInfo>{value}{data}</~KeyInfo>" if value or data else ""


def reference_text(shape: Shape, uri: str, transforms: tuple[str, ...], digest: str) -> str:
    inside = "".join(f'<~Transform Algorithm="{name}"/>' for name in transforms)
    inside = f"<~Transforms>{inside}</~Transforms>" if inside else ""
    return (
        f'<~Reference URI="{uri}">{inside}<~DigestMethod Algorithm="{shape.digest}"/>'
        f"<~DigestValue>{digest}</~DigestValue></~Reference>{shape.between}"
    )


def signature_text(shape: Shape, info: str, value: str, keys: str) -> str:
    prefix = f"{shape.prefix}:" if shape.prefix else ""
    declared = f' xmlns:{shape.prefix}="{DSIG}"' if prefix else f' xmlns="{DSIG}"'
    text = (
        f"<~Signature{shape.signature_id}{declared}>{info}<~SignatureValue>{value}</~SignatureValue>"
        f"{keys}{shape.objects}</~Signature>"
    )
    return text.replace("</~", f"</{prefix}").replace("<~", f"<{prefix}")


def info_text(shape: Shape, digests: list[str]) -> str:
    references = "".join(
        reference_text(shape, *reference, digest)
        for reference, digest in zip(shape.references, digests, strict=True)
    )
    return (
        f"<~SignedInfo{shape.info_id}>{shape.between}"
        f'<~CanonicalizationMethod Algorithm="{shape.c14n}">{shape.c14n_inside}</~CanonicalizationMethod>'
        f'<~SignatureMethod Algorithm="{shape.method}"/>{references}</~SignedInfo>'
    )


def digest_of(shape: Shape, unfinished: str, uri: str, transforms: tuple[str, ...]) -> str:
    text = shape.body.replace("@", "") if ENVELOPED in transforms else unfinished
    root = etree.fromstring(text)
    element = root if uri == "" else root.xpath("//*[@Id=$id or @ID=$id or @xml:id=$id]", id=uri[1:])[0]
    form = canonical(element, next((name for name in transforms if name != ENVELOPED), INCLUSIVE))
    return base64.b64encode(hashlib.new(DIGESTS[shape.digest], form).digest()).decode()


def signed(shape: Shape, key, der: bytes) -> bytes:
    """Return a document signed as a program of that kind signs."""
    keys = key_info(shape, key, der)
    empty = [""] * len(shape.references)
    unfinished = shape.body.replace("@", signature_text(shape, info_text(shape, empty), "", keys))
    if shape.apart:
        unfinished = unfinished.replace(XSI, "")
    info = info_text(shape, [digest_of(shape, unfinished, *reference) for reference in shape.references])
    whole = etree.fromstring(shape.body.replace("@", signature_text(shape, info, "", keys)))
    found = next(whole.iter(f"{{{DSIG}}}SignedInfo"))
    value = lines(value_of(key, shape.method, canonical(found, shape.c14n)), wrapped=shape.wrapped)
    text = shape.body.replace("@", signature_text(shape, info, value, keys))
    return b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>' + text.encode()


@pytest.fixture(scope="module")
def make(key, certificate):
    def make(shape: Shape | None = None, **changed) -> bytes:
        return signed(evolve(shape or Shape(), **changed), key, certificate.der)

    return make


ENVELOPE = '<~Object Id="idPackageObject"><~SignatureProperties>{}</~SignatureProperties></~Object>'.format(
    '<~SignatureProperty Id="idSignatureTime" Target="#sigid">'
    f'<mdssi:SignatureTime xmlns:mdssi="{OFFICE}"><mdssi:Format>YYYY-MM-DDThh:mm:ssTZD</mdssi:Format>'
    "<mdssi:Value>2026-01-02T10:04:05+07:00</mdssi:Value></mdssi:SignatureTime></~SignatureProperty>"
)
QUALIFYING = (
    f'<~Object><x:QualifyingProperties xmlns:x="{XADES}" Target="#sigid"><x:SignedProperties Id="props">'
    "<x:SignedSignatureProperties><x:SigningTime>2026-01-02T03:04:05.25Z</x:SigningTime>"
    "</x:SignedSignatureProperties></x:SignedProperties></x:QualifyingProperties></~Object>"
)
PLAIN_TIME = TIME.format(own="", time="2026-01-02T03:04:05Z")
TIME_BY_ID = TIME.format(own=f' Id="SigningTime-{GUID}"', time="2026-01-02T03:04:05Z")
SHA1 = {"method": f"{DSIG}rsa-sha1", "digest": f"{DSIG}sha1"}
SIM = {"objects": ENVELOPE, "key_value": False, **SHA1}

SHAPES = {
    "the field's own": (Shape(objects=PLAIN_TIME), {}),
    "a prefix": (Shape(prefix="ds", objects=QUALIFYING), {}),
    "exclusive canonicalisation": (Shape(c14n=EXCLUSIVE, references=(("", (ENVELOPED, EXCLUSIVE)),)), {}),
    "exclusive canonicalisation with prefixes kept": (
        Shape(c14n=EXCLUSIVE, c14n_inside=f'<InclusiveNamespaces xmlns="{EXCLUSIVE}" PrefixList="none"/>'),
        {},
    ),
    "canonicalisation 1.1": (Shape(c14n=INCLUSIVE_11, references=(("", (ENVELOPED, INCLUSIVE_11)),)), {}),
    "a canonicalisation as second transform": (Shape(references=(("", (ENVELOPED, INCLUSIVE)),)), {}),
    "longer digests": (
        Shape(method=f"{MORE}rsa-sha384", digest="http://www.w3.org/2001/04/xmlenc#sha512"),
        {},
    ),
    "the certificate alone": (Shape(key_value=False), {}),
    "wrapped base64": (Shape(wrapped=True), {}),
    "white space between the elements of SignedInfo": (Shape(between="\n  "), {}),
    "an identifier that begins with a digit": (Shape(signature_id=f' Id="{GUID}"'), {}),
    "an Object in no namespace": (Shape(objects='<Object Id="proid" xmlns=""/>'), {}),
    "no identifier": (Shape(signature_id=""), {}),
    "the time by a second reference": (
        Shape(
            references=(("", (ENVELOPED,)), (f"#SigningTime-{GUID}", ())),
            signature_id=f' Id="{GUID}"',
            objects=TIME_BY_ID,
        ),
        {"expected_references": 2},
    ),
    "XAdES": (
        Shape(
            prefix="ds",
            c14n=EXCLUSIVE,
            references=(("", (ENVELOPED, EXCLUSIVE)), ("#props", (EXCLUSIVE,))),
            objects=QUALIFYING,
        ),
        {"expected_references": 2},
    ),
    "XAdES, inclusive": (
        Shape(references=(("", (ENVELOPED,)), ("#props", ())), objects=QUALIFYING),
        {"expected_references": 2},
    ),
    "the SIM signer of 2016": (
        Shape(body='<BHXH xmlns:a="urn:a"><DKI_BHXH>1</DKI_BHXH><CKYDTU_DVI>@</CKYDTU_DVI></BHXH>', **SIM),
        {"allow_sha1": True, "at": "BHXH/CKYDTU_DVI"},
    ),
    "the root by its identifier": (
        Shape(
            body='<Envelope ID="Envelope"><Content>1</Content>@tail</Envelope>',
            references=(("#Envelope", (ENVELOPED,)),),
        ),
        {"at": "Envelope"},
    ),
    "an element beside the signature, default namespace above": (
        Shape(body=PARTS, references=(("#data", ()),)),
        {"at": PARTS_AT, "covers": PARTS_DATA},
    ),
    "an element beside the signature, exclusive": (
        Shape(body=PARTS, c14n=EXCLUSIVE, references=(("#data", (EXCLUSIVE,)),)),
        {"at": PARTS_AT, "covers": PARTS_DATA},
    ),
    "an element by xml:id": (
        Shape(body=PARTS.replace("Id=", "xml:id="), references=(("#data", ()),)),
        {"at": PARTS_AT, "covers": PARTS_DATA},
    ),
    "the element around the signature": (
        Shape(body='<a><b Id="b">1@2</b></a>', references=(("#b", (ENVELOPED,)),)),
        {"at": "a/b", "covers": "a/b"},
    ),
    "a signed Object": (
        Shape(references=(("#o", ()),), objects='<~Object Id="o"><v xmlns="">1</v></~Object>'),
        {"covers": f"Hoso/CKy_Dvi/{{{DSIG}}}Signature/{{{DSIG}}}Object"},
    ),
}


def verified(content: bytes, **expected):
    return verify_foreign(content, **{"at": "Hoso/CKy_Dvi", **expected})


@pytest.mark.parametrize(("shape", "expected"), SHAPES.values(), ids=SHAPES)
def test_a_signature_of_that_shape_verifies(make, certificate, shape, expected):
    result = verified(make(shape), **expected)
    assert result.certificate == certificate
    assert result.contents.keys() == {uri for uri, _ in shape.references}
    assert result.content == result.contents[shape.references[0][0]]
    assert b"SignedInfo" not in result.content
    assert not result.trusted
    assert result.at == expected.get("at", "Hoso/CKy_Dvi")


@pytest.mark.needs_tool("xmlsec1")
@pytest.mark.parametrize("shape", [shape for shape, _ in SHAPES.values()], ids=SHAPES)
def test_an_independent_verifier_says_the_same(make, shape, tmp_path):
    path = tmp_path / "signed.xml"
    path.write_bytes(make(shape).replace(b'<Object Id="proid" xmlns=""/>', b""))  # unknown to xmlsec1
    names = (
        f"Id={DSIG}:Object",
        "Id=urn:example:form:NoiDung",
        f"Id={XADES}:SignedProperties",
        "ID=Envelope",
        "Id=b",
    )
    options = [f"--id-attr:{attribute}" for attribute, _ in (name.split("=", 1) for name in names)]
    nodes = [name.split("=", 1)[1] for name in names]
    command = ["xmlsec1", "--verify", "--insecure"]
    for option, node in zip(options, nodes, strict=True):
        command += [option, node]
    found = subprocess.run([*command, path], capture_output=True, check=False)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(
    "shape",
    [Shape(), SHAPES["an element beside the signature, default namespace above"][0]],
    ids=["no prefix", "a reference below a default namespace"],
)
def test_signxml_alone_refuses_that_shape(make, certificate, shape):
    """If this fails, lxml or signxml was mended: parsing every part anew may have become needless."""
    expected = signxml.SignatureConfiguration(
        ignore_ambiguous_key_info=True, verification_time=certificate.not_before
    )
    pem = "-----BEGIN CERTIFICATE-----\n" + base64.b64encode(certificate.der).decode()
    with pytest.raises(signxml.InvalidSignature):
        signxml.XMLVerifier().verify(
            make(shape),
            x509_cert=pem + "\n-----END CERTIFICATE-----",
            expect_config=expected,
            validate_schema=False,
        )


def test_what_was_signed_is_handed_out_and_nothing_else(make):
    shape, expected = SHAPES["an element beside the signature, default namespace above"]
    result = verified(make(shape), **expected)
    assert result.content == (
        b'<NoiDung xmlns="urn:example:form" xmlns:a="urn:example:unused" Id="data">'
        b"<Ten><Ho>M\xe1\xba\xaaU</Ho>"
        b'</Ten><Ma a:b="c">07906</Ma></NoiDung>'
    )
    assert "07906" not in repr(result)
    with pytest.raises(TypeError):
        result.contents[""] = b""


def test_text_behind_the_signature_stays_signed(make):
    shape, expected = SHAPES["the root by its identifier"]
    assert verified(make(shape), **expected).content.endswith(b"<Content>1</Content>tail</Envelope>")
    with pytest.raises(VerificationError) as caught:
        verified(make(shape).replace(b"tail", b"TAIL"), **expected)
    assert caught.value.reason == "content-changed"


@pytest.mark.parametrize(
    ("shape", "protected", "time"),
    [
        ("the field's own", False, NOON),
        ("the time by a second reference", True, NOON),
        ("XAdES", True, NOON.replace(microsecond=250_000)),
        ("a prefix", False, NOON.replace(microsecond=250_000)),
        ("the SIM signer of 2016", False, NOON),
        ("the certificate alone", False, None),
        ("a signed Object", False, None),
    ],
)
def test_the_claimed_time_says_whether_the_signature_protects_it(make, shape, protected, time):
    result = verified(make(SHAPES[shape][0]), **SHAPES[shape][1])
    assert (result.signing_time_protected, result.signing_time) == (protected, time)


@pytest.mark.parametrize(
    "text",
    ["2026-01-02 03:04:05", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "0001-01-01T00:00:00+14:00", ""],
)
def test_a_time_that_cannot_be_told_is_none(make, text):
    assert verified(make(objects=TIME.format(own="", time=text))).signing_time is None


def test_two_claimed_times_are_none(make):
    assert (
        verified(make(objects=PLAIN_TIME * 2, body=BODY).replace(b"proid", b"other", 1)).signing_time is None
    )


def test_a_time_added_later_does_not_replace_the_signed_one(make):
    shape, expected = SHAPES["the time by a second reference"]
    added = TIME.format(own="", time="2027-01-01T00:00:00Z").replace("proid", "added").encode()
    result = verified(make(shape).replace(b"</Signature>", added + b"</Signature>"), **expected)
    assert (result.signing_time_protected, result.signing_time) == (True, NOON)


def test_a_signed_time_that_cannot_be_told_is_not_replaced(make):
    shape, expected = SHAPES["the time by a second reference"]
    unclear = evolve(shape, objects=shape.objects.replace("T03:04:05Z", " 03:04:05"))
    added = TIME.format(own="", time="2027-01-01T00:00:00Z").replace("proid", "added").encode()
    result = verified(make(unclear).replace(b"</Signature>", added + b"</Signature>"), **expected)
    assert (result.signing_time_protected, result.signing_time) == (False, None)


def between(content: bytes, start: bytes, end: bytes) -> bytes:
    first = content.index(start)
    return content[first : content.index(end, first) + len(end)]


ATTACKS = {
    "a value changed": (b">07906<", b">00101<", "content-changed"),
    "the string of a spurious declaration in a text": (b"07906", b'07906 xmlns=""', "content-changed"),
    "a spurious declaration": (b"<NoiDung>", b'<NoiDung xmlns="urn:a">', "content-changed"),
    "a comment in a text": (b"07906", b"07<!-- -->906", "unsafe"),
    "a comment in a digest": (b"<DigestValue>", b"<DigestValue><!---->", "unsafe"),
    "a processing instruction": (b"07906", b"07<?x?>906", "unsafe"),
    "a CDATA section": (b"07906", b"<![CDATA[07906]]>", "unsafe"),
    "a document type": (b"<Hoso", b"<!DOCTYPE Hoso><Hoso", "unsafe"),
    "no XML": (b"</Hoso>", b"", "not-xml"),
    "a namespace on the root": (b"<Hoso", b"<Hoso xmlns:a='urn:a'", "signature-value"),
    "a relative namespace": (b"<NoiDung>", b"<NoiDung xmlns:a='b'>", "not-canonical"),
    "white space in SignedInfo": (b"<SignedInfo>", b"<SignedInfo> ", "signature-value"),
    "text in SignedInfo": (b"<SignedInfo>", b"<SignedInfo>x", "structure"),
    "an attribute on SignedInfo": (b"<SignedInfo>", b"<SignedInfo a='a'>", "structure"),
    "an xml attribute above": (b"<Hoso", b"<Hoso xml:space='preserve'", "place"),
    "SHA-1 as signature": (RSA_SHA256.encode(), f"{DSIG}rsa-sha1".encode(), "signature-algorithm"),
    "HMAC with the public key": (
        RSA_SHA256.encode(),
        f"{MORE}hmac-sha256".encode(),
        "signature-algorithm",
    ),
    "no algorithm": (RSA_SHA256.encode(), b"", "signature-algorithm"),
    "another algorithm of the same kind": (
        RSA_SHA256.encode(),
        f"{MORE}rsa-sha512".encode(),
        "signature-value",
    ),
    "an algorithm that was not asked for": (
        RSA_SHA256.encode(),
        f"{MORE}ecdsa-sha256".encode(),
        "signature-algorithm",
    ),
    "an HMAC length": (
        b'rsa-sha256"/>',
        b'rsa-sha256"><HMACOutputLength>1</HMACOutputLength></SignatureMethod>',
        "structure",
    ),
    "text in an algorithm": (b'rsa-sha256"/>', b'rsa-sha256">a</SignatureMethod>', "structure"),
    "MD5 as digest": (SHA256.encode(), f"{MORE}md5".encode(), "digest-algorithm"),
    "SHA-1 as digest": (SHA256.encode(), f"{DSIG}sha1".encode(), "digest-algorithm"),
    "canonicalisation with comments": (
        INCLUSIVE.encode(),
        f"{INCLUSIVE}#WithComments".encode(),
        "canonicalisation",
    ),
    "prefixes for an inclusive canonicalisation": (
        b'20010315"></Can',
        f'20010315"><InclusiveNamespaces xmlns="{EXCLUSIVE}" PrefixList="xsi"/></Can'.encode(),
        "structure",
    ),
    "no transform": (f'<Transform Algorithm="{ENVELOPED}"/>'.encode(), b"", "structure"),
    "an XPath transform": (
        ENVELOPED.encode(),
        b"http://www.w3.org/TR/1999/REC-xpath-19991116",
        "transforms",
    ),
    "an XPath filter": (ENVELOPED.encode(), b"http://www.w3.org/2002/06/xmldsig-filter2", "transforms"),
    "an XSLT transform": (ENVELOPED.encode(), b"http://www.w3.org/TR/1999/REC-xslt-19991116", "transforms"),
    "a base64 transform": (ENVELOPED.encode(), f"{DSIG}base64".encode(), "transforms"),
    "an XPath in the enveloped transform": (
        b'signature"/>',
        b'signature"><XPath>true()</XPath></Transform>',
        "structure",
    ),
    "a reference out of the document": (b'URI=""', b'URI="http://example.com/a"', "reference"),
    "a reference to a file": (b'URI=""', b'URI="file:///etc/hostname"', "reference"),
    "an XPointer": (b'URI=""', b'URI="#xpointer(/)"', "reference"),
    "a reference to nothing": (b'URI=""', b'URI="#nothing"', "reference"),
    "no URI": (b' URI=""', b"", "reference"),
    "a reference to the signature": (b'URI=""', b'URI="#sigid"', "transforms"),
    "a digest that is no base64": (b"<DigestValue>", b"<DigestValue>!", "structure"),
    "a signature value with other characters": (b"<SignatureValue>", b"<SignatureValue>!", "structure"),
    "a certificate with other characters": (b"<X509Certificate>", b"<X509Certificate>!", "structure"),
    "a digest that is written another way": (b"=</DigestValue>", b"</DigestValue>", "structure"),
    "a signature value that is no base64": (b"<SignatureValue>", b"<SignatureValue>=", "structure"),
    "a signature value that is longer": (b"<SignatureValue>", b"<SignatureValue>AAAA", "signature-value"),
    "another key": (b"<Modulus>", b"<Modulus>AQAB", "key-mismatch"),
    "another exponent": (b">AQAB<", b">Aw==<", "key-mismatch"),
    "a certificate that is none": (b"<X509Certificate>", b"<X509Certificate>AAAA", "certificate"),
    "a name for the certificate": (b"X509Certificate>", b"X509SubjectName>", "no-certificate"),
    "a second X509Data": (b"</KeyInfo>", b"<X509Data><X509CRL/></X509Data></KeyInfo>", "structure"),
    "a retrieval method": (b"</KeyInfo>", b'<RetrievalMethod URI="#a"/></KeyInfo>', "structure"),
    "no signature": (b"Signature", b"Signatura", "not-signed"),
    "the signature elsewhere": (b"CKy_Dvi>", b"CKy_Kia>", "place"),
    "the place twice": (b"</Hoso>", b"<CKy_Dvi></CKy_Dvi></Hoso>", "place"),
    "another root": (b"Hoso", b"Hoxo", "place"),
    "an Id of the signature in the content": (b"<NoiDung>", b"<NoiDung ID='sigid'>", "repeated-id"),
    "an Id twice in the content": (b"<NoiDung>", b"<NoiDung Id='a' xml:id='a'>", "repeated-id"),
}


@pytest.mark.parametrize(("old", "new", "reason"), ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_refused_with_its_reason(make, old, new, reason):
    content = make()
    changed = content.replace(old, new)
    assert changed != content
    started = time.perf_counter()
    with pytest.raises(VerificationError) as caught:
        verified(changed)
    assert time.perf_counter() - started < 1
    assert caught.value.reason == reason
    for language in ("vi", "en"):
        assert caught.value.message(language) not in {"", caught.value.code}


def refused(reason: str, content: bytes, **expected) -> None:
    with pytest.raises(VerificationError) as caught:
        verified(content, **expected)
    assert caught.value.reason == reason


def test_every_changed_byte_is_refused(make):
    content = make()
    body, signature = content.index(b"<Hoso"), content.index(b"<Signature ")
    info, keys, end = (content.index(tag) for tag in (b"<SignedInfo>", b"<KeyInfo>", b"</KeyInfo>"))
    for position in (*range(body, signature), *range(info, keys, 3), *range(end, len(content))):
        changed = content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
        with pytest.raises(VerificationError):
            verified(changed)


def test_two_signed_infos_are_refused(make):
    content = make()
    info = between(content, b"<SignedInfo>", b"</SignedInfo>")
    for old, new in ((info, info * 2), (b"<KeyInfo>", info + b"<KeyInfo>"), (info, b"")):
        refused("structure", content.replace(old, new))


def test_two_signatures_at_the_place_are_refused(make):
    content = make(signature_id="")
    one = between(content, b"<Signature ", b"</Signature>")
    refused("several-signatures", content.replace(one, one * 2))


def test_an_identifier_on_signature_and_signed_info_is_refused_as_the_sim_signer_wrote_it(make):
    shape, expected = SHAPES["the SIM signer of 2016"]
    refused("repeated-id", make(shape, info_id=' Id="sigid"'), **expected)


def test_sha_1_is_refused_unless_asked_for(make):
    shape, expected = SHAPES["the SIM signer of 2016"]
    refused("signature-algorithm", make(shape), at=expected["at"])
    refused("digest-algorithm", make(shape, method=RSA_SHA256), at=expected["at"])


def test_a_signature_that_is_the_root_is_no_place(make):
    one = between(make(), b"<Signature ", b"</Signature>")
    inside = b"<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'>" + one + b"</Signature>"
    refused("not-signed", inside, at=f"{{{DSIG}}}Signature")


@pytest.mark.parametrize("prefixes", ["", "a  b", " a", "a/b"])
def test_odd_prefixes_of_an_exclusive_canonicalisation_are_refused(make, prefixes):
    inside = f'<InclusiveNamespaces xmlns="{EXCLUSIVE}" PrefixList="{prefixes}"/>'
    refused("structure", make(c14n=EXCLUSIVE, c14n_inside=inside))


def test_a_second_canonicalisation_is_refused(make):
    refused("transforms", make(references=(("", (ENVELOPED, INCLUSIVE, INCLUSIVE)),)))


def test_the_number_of_references_is_the_expected_one(make):
    shape, _ = SHAPES["the time by a second reference"]
    refused("reference-count", make(shape))
    refused("reference-count", make(), expected_references=2)
    refused("reference", make(references=(("", (ENVELOPED,)),) * 2), expected_references=2)


def test_the_changed_part_of_several_is_refused(make):
    shape, expected = SHAPES["the time by a second reference"]
    refused("content-changed", make(shape).replace(b"T03:04:05Z", b"T03:04:06Z"), **expected)
    refused("content-changed", make(shape).replace(b"07906", b"07907"), **expected)


def test_a_digest_of_the_object_without_its_surroundings_is_refused(make):
    """As the hash-signature library wrote it: the Object was digested apart from the document."""
    shape, expected = SHAPES["the time by a second reference"]
    refused("content-changed", make(shape, apart=True), **expected)


# Wrapping: the signed element is moved, another one stands where a reader would look.

SIGNED_PART = Shape(
    body='<Hoso><NoiDung Id="data"><Ma>07906</Ma></NoiDung><Khac></Khac><CKy_Dvi>@</CKy_Dvi></Hoso>',
    c14n=EXCLUSIVE,
    references=(("#data", (EXCLUSIVE,)),),
)
PART = b'<NoiDung Id="data"><Ma>07906</Ma></NoiDung>'
FALSE = b"<NoiDung><Ma>99999</Ma></NoiDung>"
FALSE_ID = b'<NoiDung Id="data"><Ma>99999</Ma></NoiDung>'
OTHER_ID = b'<NoiDung Id="other"><Ma>99999</Ma></NoiDung>'

WRAPPINGS = {
    "moved into another element": ((PART, FALSE), (b"<Khac>", b"<Khac>" + PART), "not-covered"),
    "moved, the false one with another identifier": (
        (PART, OTHER_ID),
        (b"<Khac>", b"<Khac>" + PART),
        "not-covered",
    ),
    "moved, the false one with the same identifier": (
        (PART, FALSE_ID),
        (b"<Khac>", b"<Khac>" + PART),
        "repeated-id",
    ),
    "moved, the false one with an identifier of another kind": (
        (PART, FALSE_ID.replace(b"Id=", b"ID=")),
        (b"<Khac>", b"<Khac>" + PART),
        "repeated-id",
    ),
    "put inside the false one": (
        (PART, b"<NoiDung><Ma>99999</Ma>" + PART + b"</NoiDung>"),
        (b"", b""),
        "not-covered",
    ),
    "put into an Object of the signature": (
        (PART, FALSE),
        (b"</Signature>", b"<Object>" + PART + b"</Object></Signature>"),
        "not-covered",
    ),
    "put into the signature's key": (
        (PART, FALSE),
        (b"</KeyInfo>", PART + b"</KeyInfo>"),
        "structure",
    ),
    "beside the false one, before": ((PART, PART + FALSE), (b"", b""), "not-covered"),
    "beside the false one, behind": ((PART, FALSE + PART), (b"", b""), "not-covered"),
    "under a root of the attacker's": (
        (b"<Hoso>", b"<Hoso><NoiDung><Ma>99999</Ma></NoiDung><Hoso>"),
        (b"</Hoso>", b"</Hoso></Hoso>"),
        "place",
    ),
    "the false one below another element": ((b"<Khac>", b"<Khac>" + FALSE), (b"", b""), None),
    "the signature in the signed element": (
        (b"<CKy_Dvi>", b"<CKy_Dvi><CKy_Dvi></CKy_Dvi>"),
        (b"", b""),
        None,
    ),
}


@pytest.mark.parametrize(("first", "second", "reason"), WRAPPINGS.values(), ids=WRAPPINGS)
def test_wrapping_is_refused_or_hands_out_the_signed_element_alone(make, first, second, reason):
    content = make(SIGNED_PART).replace(*first).replace(*second)
    assert content != make(SIGNED_PART)
    if reason is None:
        assert verified(content, covers="Hoso/NoiDung").content == PART
    else:
        refused(reason, content, covers="Hoso/NoiDung")


def test_a_moved_element_is_handed_out_only_where_it_is_asked_for(make):
    content = make(SIGNED_PART).replace(PART, FALSE).replace(b"<Khac>", b"<Khac>" + PART)
    assert verified(content, covers="Hoso/Khac/NoiDung").content == PART
    refused("not-covered", content)
    refused("not-covered", content, covers="Hoso/Khac")
    refused("not-covered", content, covers="Hoso/Nothing")


def test_an_xml_attribute_above_a_signed_element_is_refused(make):
    content = make(SIGNED_PART).replace(PART, b"").replace(b"<Khac>", b"<Khac xml:lang='vi'>" + PART)
    refused("place", content, covers="Hoso/Khac/NoiDung")


# Keys and certificates.


def test_the_bare_key_needs_a_certificate(make, certificate, issue, key):
    content = make(certificate=False)
    refused("no-certificate", content)
    assert verified(content, certificate=certificate).certificate == certificate
    refused("no-certificate", make(certificate=False, key_value=False))
    assert verified(make(certificate=False, key_value=False), certificate=certificate).content


def test_the_given_certificate_is_the_embedded_one(make, certificate, issue, key, curve_key):
    other = CertificateInfo.from_der(issue(key.public_key()))
    assert verified(make(), certificate=certificate).certificate == certificate
    refused("other-certificate", make(), certificate=other)


def test_another_key_than_the_certificates_is_refused(make, issue, authority_key, key):
    stranger = CertificateInfo.from_der(issue(authority_key.public_key()))
    refused("key-mismatch", make(certificate=False), certificate=stranger)
    refused("signature-value", make(certificate=False, key_value=False), certificate=stranger)


def test_a_short_key_is_refused_unless_asked_for(small_key, issue):
    der = issue(small_key.public_key())
    content = signed(Shape(), small_key, der)
    refused("key-too-short", content)
    assert verified(content, smallest_key=1024).certificate.key_bits == 1024


def test_rsa_pss_is_refused_unless_asked_for(make):
    content = make(method="http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1")
    refused("signature-algorithm", content)
    assert verified(content, algorithms=["rsa-pss-sha256"]).algorithm == "rsa-pss-sha256"


def test_a_curve_is_refused_unless_asked_for(curve_key, issue):
    der = issue(curve_key.public_key())
    content = signed(Shape(method=f"{MORE}ecdsa-sha256"), curve_key, der)
    refused("signature-algorithm", content)
    assert verified(content, algorithms={"ecdsa-sha256"}).algorithm == "ecdsa-sha256"
    value = between(content, b"<SignatureValue>", b"</SignatureValue>")
    short = b"<SignatureValue>AAAA</SignatureValue>"
    refused("signature-value", content.replace(value, short), algorithms={"ecdsa-sha256"})
    other = content.replace(between(content, b"<PublicKey>", b"B"), b"<PublicKey>A")
    refused("key-mismatch", other, algorithms={"ecdsa-sha256"})


def test_a_key_of_another_kind_than_the_algorithm_is_refused(make, curve_key, issue):
    content = make().replace(RSA_SHA256.encode(), f"{MORE}ecdsa-sha256".encode())
    refused("key-kind", content, algorithms={"ecdsa-sha256"})
    curve = CertificateInfo.from_der(issue(curve_key.public_key()))
    refused("key-kind", make(certificate=False, key_value=False), certificate=curve)
    small = ec.generate_private_key(ec.SECP224R1())
    weak = CertificateInfo.from_der(issue(small.public_key()))
    bare = make(certificate=False, key_value=False)
    bare = bare.replace(RSA_SHA256.encode(), f"{MORE}ecdsa-sha256".encode())
    refused("key-kind", bare, certificate=weak, algorithms={"ecdsa-sha256"})


@pytest.mark.parametrize(
    "value",
    [
        "<DSAKeyValue><Y>AQAB</Y></DSAKeyValue>",
        '<ECKeyValue xmlns="http://www.w3.org/2009/xmldsig11#"><NamedCurve URI="a"/></ECKeyValue>',
    ],
)
def test_a_bare_key_of_another_kind_is_refused(make, value):
    content = make()
    old = between(content, b"<RSAKeyValue>", b"</RSAKeyValue>")
    refused("structure", content.replace(old, value.encode()))


def test_validity_and_issuer_are_checked_where_asked(make, authority):
    assert verified(make(), moment=NOON).trusted is False
    assert verified(make(), moment=NOON, roots=[authority]).trusted is True
    refused("untrusted", make(), moment=NOON, roots=[])
    refused("expired", make(), moment=NOON + timedelta(days=9999))
    refused("not-yet-valid", make(), moment=NOON - timedelta(days=9999))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (WrongTypeError, {"at": 1}),
        (InputError, {"at": "Hoso//a"}),
        (InputError, {"at": ""}),
        (InputError, {"at": "Hoso/*"}),
        (InputError, {"at": "Hoso/a[1]"}),
        (InputError, {"covers": ".."}),
        (WrongTypeError, {"expected_references": "1"}),
        (InputError, {"expected_references": 0}),
        (InputError, {"expected_references": 11}),
        (WrongTypeError, {"algorithms": 1}),
        (InputError, {"algorithms": ["hmac-sha256"]}),
        (InputError, {"algorithms": ["rsa-sha1"]}),
        (InputError, {"algorithms": "rsa-sha256"}),
        (WrongTypeError, {"certificate": b""}),
        (WrongTypeError, {"smallest_key": "2048"}),
        (WrongTypeError, {"roots": 1}),
        (InputError, {"roots": []}),
        (InputError, {"moment": datetime(2026, 1, 1)}),  # noqa: DTZ001  # the missing zone is the fault
    ],
)
def test_a_wrong_parameter_is_named(make, kind, expected):
    with pytest.raises(kind) as caught:
        verified(make(), **expected)
    for language in ("vi", "en"):
        assert caught.value.message(language) not in {"", caught.value.code} or kind is WrongTypeError
    assert caught.value.field in {*expected, "moment"}


def test_a_large_document_is_refused_by_its_size(make):
    refused("unsafe", make(), size_limit=100)


def test_a_text_over_ten_megabytes_verifies(make, monkeypatch):
    parse = etree.fromstring
    huge = etree.XMLParser(huge_tree=True)
    monkeypatch.setattr(etree, "fromstring", lambda text, parser=huge: parse(text, parser))  # for `make`
    content = make(body=BODY.replace("07906", "A" * 10_500_000))
    monkeypatch.undo()
    assert len(verified(content).content) > 10_500_000


# The library.


@pytest.mark.parametrize("name", ["_c14n", "_tostring", "_resolve_reference"])
def test_a_library_that_renames_what_is_overridden_is_refused(make, monkeypatch, name):
    owner = next(kind for kind in signxml.XMLVerifier.__mro__ if name in vars(kind))
    monkeypatch.delattr(owner, name)
    with pytest.raises(SetupError) as caught:
        verified(make())
    assert caught.value.code == "setup.foreign_verifier"
    assert caught.value.message("vi") != caught.value.code


def test_a_library_that_no_longer_asks_the_override_is_refused(make, monkeypatch):
    def apply(self, payload, **_):
        return etree.tostring(etree.fromstring(BODY.replace("@", "")), method="c14n")

    monkeypatch.setattr(signxml.XMLVerifier, "_apply_transforms", apply)
    with pytest.raises(SetupError):
        verified(make())


def test_whatever_the_library_throws_is_a_refusal(make, monkeypatch):
    for error, reason in (
        (signxml.exceptions.SignXMLException("odd"), "structure"),
        (etree.XMLSyntaxError("odd", 1, 1, 1), "not-canonical"),
        (TypeError("odd"), "structure"),
    ):

        def verify(self, *_, error=error, **__):
            raise error

        monkeypatch.setattr(foreign_verifier.ForeignVerifier, "verify", verify)
        refused(reason, make())


def test_the_flag_that_deletes_declarations_in_text_does_nothing_here(make, monkeypatch):
    monkeypatch.setattr(signxml.XMLVerifier, "excise_empty_xmlns_declarations", True)
    refused("content-changed", make().replace(b"07906", b'07906 xmlns=""'))


def test_the_library_is_imported_when_it_is_needed():
    code = "import sys, bhxh_sdk.xml.foreign; sys.exit('signxml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_algorithm_is_one_that_the_library_knows():
    for uri in foreign_shape.SIGNATURES:
        signxml.SignatureMethod(uri)
    for uri in foreign_shape.DIGESTS:
        signxml.DigestAlgorithm(uri)
    for uri in foreign_shape.CANONICALISATIONS:
        signxml.CanonicalizationMethod(uri)
