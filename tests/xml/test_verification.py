from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree
from signxml import CanonicalizationMethod, DigestAlgorithm, SignatureMethod, XMLSigner, methods
from signxml.algorithms import DigestAlgorithm as Digest

from bhxh_sdk import xml
from bhxh_sdk.errors import InputError, VerificationError, WrongTypeError
from bhxh_sdk.models import CertificateInfo

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DSIG = "http://www.w3.org/2000/09/xmldsig#"


@pytest.fixture(scope="module")
def content(form) -> bytes:
    return xml.build(form).content


@pytest.fixture(scope="module")
def signed(content, sign) -> bytes:
    return sign(content)


def test_what_was_signed_is_handed_out(content, signed, certificate, form):
    verified = xml.verify(signed)
    assert b'<?xml version="1.0" encoding="utf-8"?>' + verified.content == content
    assert xml.read(verified.content) == form
    assert verified.certificate == certificate
    assert (verified.algorithm, verified.at, verified.signing_time) == ("rsa-sha256", "Hoso/CKy_Dvi", NOON)
    assert not verified.trusted
    assert "0912345678" not in repr(verified)


def between(content: bytes, start: bytes, end: bytes) -> slice:
    first = content.index(start)
    return slice(first, content.index(end, first) + len(end))


def test_every_changed_byte_of_the_signed_content_is_refused(signed, content):
    outside = between(signed, b"<Signature ", b"</Signature>")
    body = signed.index(b"<Hoso")
    for position in range(body, len(signed)):
        if outside.start <= position < outside.stop:
            continue
        changed = signed[:position] + bytes([signed[position] ^ 1]) + signed[position + 1 :]
        with pytest.raises(VerificationError):
            xml.verify(changed)


def test_every_changed_byte_of_the_signed_info_and_the_value_is_refused(signed):
    inside = between(signed, b"<SignedInfo>", b"</SignatureValue>")
    for position in range(inside.start, inside.stop):
        changed = signed[:position] + bytes([signed[position] ^ 1]) + signed[position + 1 :]
        with pytest.raises(VerificationError):
            xml.verify(changed)


def test_a_truncated_document_is_refused_wherever_it_ends(signed):
    for length in range(0, len(signed), 7):
        with pytest.raises(VerificationError):
            xml.verify(signed[:length])


def signature_of(signed: bytes) -> bytes:
    return signed[between(signed, b"<Signature ", b"</Signature>")]


ATTACKS = {
    "a value changed": (b">07906<", b">00101<", "content-changed"),
    "text moved into another element": (
        b"<MaCoQuan>07906</MaCoQuan>",
        b"<MaCoQuan></MaCoQuan>07906",
        "content-changed",
    ),
    "a comment in a text": (b"07906", b"07<!-- -->906", "unsafe"),
    "a processing instruction": (b"07906", b"07<?x?>906", "unsafe"),
    "a document type": (b"<Hoso", b"<!DOCTYPE Hoso><Hoso", "unsafe"),
    "the string of a spurious declaration in a text": (b"07906", b'07906 xmlns=""', "content-changed"),
    "a namespace on the root": (b"<Hoso", b"<Hoso xmlns:a='urn:a'", "signature-value"),
    "a relative namespace": (b"<NoiDung>", b"<NoiDung xmlns:a='b'>", "not-canonical"),
    "a namespace in the content": (b"<NoiDung>", b"<NoiDung xmlns:a='urn:b'>", "content-changed"),
    "a namespace on the signature": (b"<Signature ", b"<Signature xmlns:a='urn:a' ", "signature-value"),
    "a namespace in SignedInfo": (b"<Reference ", b"<Reference xmlns:a='urn:a' ", "structure"),
    "white space in SignedInfo": (b"<SignedInfo>", b"<SignedInfo> ", "structure"),
    "white space between its elements": (b"<Reference ", b" <Reference ", "structure"),
    "an attribute on SignedInfo": (b"<SignedInfo>", b"<SignedInfo Id='a'>", "structure"),
    "an attribute on Transforms": (b"<Transforms>", b"<Transforms Id='a'>", "structure"),
    "an xml attribute above": (b"<Hoso", b"<Hoso xml:space='preserve'", "place"),
    "SHA-1 as signature": (
        b"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        b"http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "signature-algorithm",
    ),
    "HMAC with the public key": (
        b"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        b"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "signature-algorithm",
    ),
    "an HMAC length": (
        b'rsa-sha256"></Sig',
        b'rsa-sha256"><HMACOutputLength>1</HMACOutputLength></Sig',
        "structure",
    ),
    "MD5 as digest": (
        b"http://www.w3.org/2001/04/xmlenc#sha256",
        b"http://www.w3.org/2001/04/xmldsig-more#md5",
        "digest-algorithm",
    ),
    "another digest method of the same length": (
        b"http://www.w3.org/2001/04/xmlenc#sha256",
        b"http://www.w3.org/2007/05/xmldsig-more#sha3-256",
        "digest-algorithm",
    ),
    "another canonicalisation": (
        b"REC-xml-c14n-20010315",
        b"REC-xml-c14n-20010315#WithComments",
        "canonicalisation",
    ),
    "an exclusive canonicalisation": (
        b"http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        b"http://www.w3.org/2001/10/xml-exc-c14n#",
        "canonicalisation",
    ),
    "the transform removed": (
        b'<Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></Transform>',
        b"",
        "transforms",
    ),
    "another transform": (b"#enveloped-signature", b"#base64", "transforms"),
    "an XPath in the transform": (b'signature"></Tr', b'signature"><XPath>true()</XPath></Tr', "structure"),
    "a reference by id": (b'URI=""', b'URI="#a"', "reference"),
    "a reference with a type": (b'URI=""', b'URI="" Type="a"', "reference"),
    "no URI": (b' URI=""', b"", "reference"),
    "a digest of another length": (b"<DigestValue>", b"<DigestValue>AAAA", "structure"),
    "a digest that is no base64": (b"<DigestValue>", b"<DigestValue>!", "structure"),
    "a signature value that is no base64": (b"<SignatureValue>", b"<SignatureValue>=", "structure"),
    "an attribute on the signature value": (b"<SignatureValue>", b"<SignatureValue Id='a'>", "structure"),
    "an element in the signature value": (b"<SignatureValue>", b"<SignatureValue><a/>", "structure"),
    "another key": (b"<Modulus>", b"<Modulus>AQAB", "key-mismatch"),
    "another exponent": (b">AQAB<", b">Aw==<", "key-mismatch"),
    "no certificate": (b"X509Certificate>", b"X509CRL>", "structure"),
    "a second certificate": (
        b"</X509Data>",
        b"<X509Certificate>AA==</X509Certificate></X509Data>",
        "structure",
    ),
    "a certificate that is none": (b"<X509Certificate>", b"<X509Certificate>AAAA", "certificate"),
    "text in KeyInfo": (b"<KeyInfo>", b"<KeyInfo>x", "structure"),
    "a name for the key": (b"<KeyInfo>", b"<KeyInfo><KeyName>a</KeyName>", "structure"),
    "an extra Object": (b"</Signature>", b"<Object></Object></Signature>", "structure"),
    "a Manifest in the Object": (b"<Object>", b"<Object><Manifest></Manifest>", "structure"),
    "a time that is none": (b"2026-01-02T03", b"2026-01-02T3", "signing-time"),
    "a day that is none": (b"2026-01-02T03", b"2026-13-02T03", "signing-time"),
    "an element beside the signature": (b"</Signature>", b"</Signature><a></a>", "place"),
    "text beside the signature": (b"</Signature>", b"</Signature>x", "place"),
    "text before the signature": (b"<Signature ", b"x<Signature ", "place"),
    "the place twice": (b"</Hoso>", b"<CKy_Dvi></CKy_Dvi></Hoso>", "place"),
    "another root": (b"Hoso", b"Hoxo", "place"),
    "an Id of the signature in the content": (b"<NoiDung>", b"<NoiDung ID='sigid'>", "repeated-id"),
    "an Id twice in the content": (b"<NoiDung>", b"<NoiDung Id='a' id='a'>", "repeated-id"),
    "a prefix": (
        b'<Signature Id="sigid" xmlns=',
        b'<Signature Id="sigid" xmlns:p="urn:p" xmlns=',
        "signature-value",
    ),
}


@pytest.mark.parametrize(("old", "new", "reason"), ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_refused_with_its_reason(refused, signed, old, new, reason):
    changed = signed.replace(old, new)
    assert changed != signed
    with pytest.raises(VerificationError) as caught:
        xml.verify(changed)
    assert caught.value.reason == reason
    for language in ("vi", "en"):
        assert caught.value.message(language) != caught.value.code


def test_two_signed_infos_are_refused(refused, signed):
    inside = signed[between(signed, b"<SignedInfo>", b"</SignedInfo>")]
    for changed in (signed.replace(inside, inside * 2), signed.replace(b"<KeyInfo>", inside + b"<KeyInfo>")):
        with refused(VerificationError, "document.signature_shape", reason="structure"):
            xml.verify(changed)


def test_two_transforms_are_refused(refused, signed):
    one = signed[between(signed, b"<Transform ", b"</Transform>")]
    with refused(VerificationError, "document.signature_shape", reason="transforms"):
        xml.verify(signed.replace(one, one * 2))


def test_two_references_are_refused(refused, signed):
    one = signed[between(signed, b"<Reference ", b"</Reference>")]
    with refused(VerificationError, "document.signature_shape", reason="structure"):
        xml.verify(signed.replace(one, one * 2))


def test_a_document_without_a_signature_is_refused(refused, content):
    with refused(VerificationError, "document.not_signed", reason="not-signed"):
        xml.verify(content)


def test_two_signatures_are_refused(refused, signed):
    again = signed.replace(b"</NoiDung>", signature_of(signed) + b"</NoiDung>")
    with refused(VerificationError, "document.several_signatures", reason="several-signatures"):
        xml.verify(again)


def test_a_signature_elsewhere_is_refused(refused, signed):
    one = signature_of(signed)
    moved = signed.replace(one, b"").replace(b"<NoiDung>", b"<NoiDung>" + one)
    with refused(VerificationError, "document.signature_elsewhere", reason="place"):
        xml.verify(moved)
    deeper = signed.replace(one, b"<a>" + one + b"</a>")
    with refused(VerificationError, "document.signature_elsewhere", reason="place"):
        xml.verify(deeper)


def test_the_signed_document_wrapped_in_another_is_refused(signed):
    inner = signed[signed.index(b"<Hoso") :]
    evil = inner[: inner.index(b"<CKy_Dvi>")].replace(b"07906", b"00101")
    wrapped = evil + b"<CKy_Dvi>" + inner + b"</CKy_Dvi></Hoso>"
    with pytest.raises(VerificationError):
        xml.verify(wrapped)


def test_the_signature_of_one_document_is_refused_in_another(refused, signed, content):
    other = content.replace(b"07906", b"00101")
    foreign = other.replace(b"<CKy_Dvi></CKy_Dvi>", b"<CKy_Dvi>" + signature_of(signed) + b"</CKy_Dvi>")
    with refused(VerificationError, "document.changed", reason="content-changed"):
        xml.verify(foreign)


def test_a_prefixed_signature_is_refused(signed):
    prefixed = re.sub(rb"<(/?)(?=[A-Z])", rb"<\1ds:", signature_of(signed)).replace(
        b"xmlns=", b"xmlns:ds=", 1
    )
    with pytest.raises(VerificationError) as caught:
        xml.verify(signed.replace(signature_of(signed), prefixed))
    assert caught.value.reason == "structure"


def test_optional_parts_may_be_missing_and_values_wrapped(signed, certificate):
    for start, end in (
        (b"<KeyValue>", b"</KeyValue>"),
        (b"<X509SubjectName>", b"</X509SubjectName>"),
        (b"<Object>", b"</Object>"),
    ):
        signed = signed.replace(signed[between(signed, start, end)], b"")
    value = signed[between(signed, b"<SignatureValue>", b"</SignatureValue>")]
    wrapped = signed.replace(value, re.sub(rb"([^<>]{60})(?=[^<>]{10})", rb"\1\r\n", value))
    wrapped = wrapped.replace(b"<KeyInfo>", b"\n <KeyInfo>\n ").replace(b' Id="sigid"', b"")
    verified = xml.verify(wrapped)
    assert verified.certificate == certificate
    assert verified.signing_time is None


def test_white_space_around_the_signature_belongs_to_the_content(certificate, key, sign):
    """A foreign signer's digest keeps the white space around its signature."""
    form = b"<Hoso><CKy_Dvi>\n \n</CKy_Dvi></Hoso>"
    digest = hashes.Hash(hashes.SHA256())
    digest.update(form)
    made = signature_by_hand(digest.finalize(), key, certificate)
    signed = form.replace(b"\n \n", b"\n " + made + b"\n")
    assert xml.verify(signed).content == form


def signature_by_hand(digest: bytes, key, certificate: CertificateInfo, *, sha1: bool = False) -> bytes:
    more = (
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
        if sha1
        else "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    )
    hashed = "http://www.w3.org/2000/09/xmldsig#sha1" if sha1 else "http://www.w3.org/2001/04/xmlenc#sha256"
    info = (
        "<SignedInfo{}>"
        '<CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"></CanonicalizationMethod>'
        f'<SignatureMethod Algorithm="{more}"></SignatureMethod><Reference URI=""><Transforms>'
        '<Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></Transform></Transforms>'
        f'<DigestMethod Algorithm="{hashed}"></DigestMethod>'
        f"<DigestValue>{base64.b64encode(digest).decode()}</DigestValue></Reference></SignedInfo>"
    )
    function = hashes.SHA1() if sha1 else hashes.SHA256()  # noqa: S303  # what old signers made
    value = key.sign(info.format(f' xmlns="{DSIG}"').encode(), padding.PKCS1v15(), function)
    return (
        f'<Signature xmlns="{DSIG}">{info.format("")}'
        f"<SignatureValue>{base64.b64encode(value).decode()}</SignatureValue><KeyInfo><X509Data><X509Certificate>"
        f"{base64.b64encode(certificate.der).decode()}</X509Certificate></X509Data></KeyInfo></Signature>"
    ).encode()


def test_sha1_is_accepted_only_when_asked_for(refused, key, certificate):
    form = b"<Hoso><CKy_Dvi></CKy_Dvi></Hoso>"
    digest = hashes.Hash(hashes.SHA1())  # noqa: S303  # what old signers made
    digest.update(form)
    made = signature_by_hand(digest.finalize(), key, certificate, sha1=True)
    signed = form.replace(b"></C", b">" + made + b"</C")
    assert xml.verify(signed, allow_sha1=True).algorithm == "rsa-sha1"
    with refused(VerificationError, "document.algorithm", reason="signature-algorithm"):
        xml.verify(signed)
    mixed = signed.replace(b"2000/09/xmldsig#rsa-sha1", b"2001/04/xmldsig-more#rsa-sha256")
    with refused(VerificationError, "document.algorithm", reason="digest-algorithm"):
        xml.verify(mixed)
    with pytest.raises(VerificationError):
        xml.verify(signed.replace(b"<Hoso>", b"<Hoso>x"), allow_sha1=True)


def test_short_keys_and_other_kinds_are_refused(refused, issue, small_key, curve_key, key):
    form = b"<Hoso><CKy_Dvi></CKy_Dvi></Hoso>"
    digest = hashes.Hash(hashes.SHA256())
    digest.update(form)
    value = digest.finalize()
    small = CertificateInfo.from_der(issue(small_key.public_key()))
    signed = form.replace(b"></C", b">" + signature_by_hand(value, small_key, small) + b"</C")
    with refused(VerificationError, "document.key_too_short", reason="key-too-short"):
        xml.verify(signed)
    assert xml.verify(signed, smallest_key=1024).certificate == small
    curve = CertificateInfo.from_der(issue(curve_key.public_key()))
    signed = form.replace(b"></C", b">" + signature_by_hand(value, key, curve) + b"</C")
    with refused(VerificationError, "document.key_kind", reason="key-kind"):
        xml.verify(signed)


class FieldSigner(XMLSigner):
    """signxml in the field's shape, with lxml's faulty canonical form of a part of a tree mended."""

    def _c14n(self, nodes, algorithm, **options):
        return super()._c14n(etree.fromstring(etree.tostring(nodes, with_tail=False)), algorithm, **options)


def test_a_document_of_signxml_in_the_same_shape_is_verified(content, key, certificate):
    signer = FieldSigner(
        method=methods.enveloped,
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_0,
    )
    signer.namespaces = {None: DSIG}
    root = etree.fromstring(content)
    place = root.find("CKy_Dvi")
    etree.SubElement(place, f"{{{DSIG}}}Signature", Id="placeholder", nsmap={None: DSIG})
    pem = (
        b"-----BEGIN CERTIFICATE-----\n"
        + base64.encodebytes(certificate.der)
        + b"-----END CERTIFICATE-----\n"
    )
    made = signer.sign(root, key=key, cert=pem.decode(), exclude_c14n_transform_element=True)
    signed = etree.tostring(made, encoding="utf-8")
    assert Digest.SHA256.value.encode() in signed
    assert b"ds:" not in signed
    verified = xml.verify(signed)
    assert b'<?xml version="1.0" encoding="utf-8"?>' + verified.content == content


def test_parameters_are_checked(refused, signed):
    with refused(InputError, "xml.not_a_path", field="at"):
        xml.verify(signed, at="Hoso")
    with refused(InputError, "xml.no_zone", field="moment"):
        xml.verify(signed, moment=datetime(2026, 1, 1))  # noqa: DTZ001  # the mistake under test
    with refused(InputError, "xml.moment_needed", field="moment"):
        xml.verify(signed, roots=())
    with refused(InputError, "xml.time_out_of_range", field="moment"):
        xml.verify(signed, moment=datetime.min.replace(tzinfo=timezone(timedelta(hours=7))))
    for field, value in (("moment", "x"), ("roots", 5), ("smallest_key", "x"), ("size_limit", None)):
        with refused(WrongTypeError, "input.wrong_type", field=field):
            xml.verify(signed, **{field: value})
    with refused(WrongTypeError, "input.wrong_type", field="content"):
        xml.verify("x")
