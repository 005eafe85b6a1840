"""What is accepted of a signature that another program made, and what its references mean.

The schema of XML Signature fixes the elements and their order; this module closes what the schema leaves
open.
Source: XML Signature Syntax and Processing (https://www.w3.org/TR/xmldsig-core1/) and its best practices
(https://www.w3.org/TR/xmldsig-bestpractices/): no transform that runs a program, no reference out of the
document, no HMAC.
"""

from __future__ import annotations

import base64
import copy
import re
from typing import TYPE_CHECKING, NoReturn

from attrs import field, frozen
from lxml import etree

from bhxh_sdk.errors import DocumentError, InputError, VerificationError, WrongTypeError
from bhxh_sdk.xml.places import check_receivable, ids
from bhxh_sdk.xml.signature_shape import DSIG
from bhxh_sdk.xml.tree import shown_tag

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = [
    "CANONICALISATIONS",
    "DIGESTS",
    "MOST_REFERENCES",
    "SIGNATURES",
    "ForeignParts",
    "ForeignReference",
    "element_at",
    "foreign_parts",
    "signature_in",
    "steps_of",
]

MOST_REFERENCES = 10
"""How many references a signature may have; each costs a parse and a canonicalisation of the document."""

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_ENC = "http://www.w3.org/2001/04/xmlenc#"
_DSIG11 = "http://www.w3.org/2009/xmldsig11#"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_INCLUSIVE_NAMESPACES = f"{{{_EXCLUSIVE}}}InclusiveNamespaces"
_ENVELOPED = f"{DSIG}enveloped-signature"

CANONICALISATIONS: Mapping[str, str] = {
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315": "inclusive",
    "http://www.w3.org/2006/12/xml-c14n11": "inclusive-1.1",  # no ancestor has `xml:` attributes: the same
    _EXCLUSIVE: "exclusive",
}
SIGNATURES: Mapping[str, str] = {
    f"{DSIG}rsa-sha1": "rsa-sha1",
    **{f"{_MORE}rsa-sha{bits}": f"rsa-sha{bits}" for bits in (256, 384, 512)},
    **{f"{_MORE}ecdsa-sha{bits}": f"ecdsa-sha{bits}" for bits in (256, 384, 512)},
    **{
        f"http://www.w3.org/2007/05/xmldsig-more#sha{bits}-rsa-MGF1": f"rsa-pss-sha{bits}"
        for bits in (256, 384, 512)
    },
}
DIGESTS: Mapping[str, str] = {
    f"{DSIG}sha1": "sha1",
    f"{_ENC}sha256": "sha256",
    f"{_MORE}sha384": "sha384",
    f"{_ENC}sha512": "sha512",
}

_STEP = r"(?:\{[^{}\s]{1,200}\})?[^\W\d][\w.\-]*"
_PATH = re.compile(f"{_STEP}(?:/{_STEP})*")
_FRAGMENT = re.compile(r"#([\w.\-:{}]{1,200})")
_PREFIXES = re.compile(r"(?:#default|[\w.\-]+)(?: (?:#default|[\w.\-]+)){0,15}")
_BY_ID = etree.XPath("//*[@Id=$id or @ID=$id or @id=$id or @xml:id=$id]")
_NO_ELEMENT = {
    "at": ("place", "document.no_place", "document.several_places"),
    "covers": ("not-covered", "document.missing_element", "document.repeated_element"),
}
_KEY_INFO = tuple(f"{{{DSIG}}}{name}" for name in ("KeyName", "KeyValue", "X509Data"))


@frozen(kw_only=True)
class ForeignReference:
    """Hold one Reference.

    Args:
        uri: empty for the document, `#` and an identifier for an element.
        target: the element that it means.
        position: where that stands, as child numbers from the root.

    """

    uri: str
    target: etree._Element = field(repr=False)
    position: tuple[int, ...]


@frozen(kw_only=True)
class ForeignParts:
    """Hold what a foreign Signature element says, its shape judged.

    Args:
        signature: the element itself.
        location: the signature's place as an ElementPath that ends with a slash, from the root.
        algorithm: name of the signature algorithm.
        canonicalisation: name of the canonicalisation of SignedInfo.
        signature_methods: URIs of the accepted signature algorithms.
        digest_methods: URIs of the accepted digest algorithms.
        references: the references, in order.
        certificate: the embedded certificate in DER; None when there is none.
        key: modulus and exponent, or the curve's point, of KeyValue; None when there is none.

    """

    signature: etree._Element = field(repr=False)
    location: str
    algorithm: str
    canonicalisation: str
    signature_methods: frozenset[str]
    digest_methods: frozenset[str]
    references: tuple[ForeignReference, ...]
    certificate: bytes | None = field(repr=False)
    key: tuple[int, int] | bytes | None


def steps_of(path: str, name: str) -> list[str]:
    """Return the element names of a path such as `Hoso/CKy_Dvi` or `{urn:example}Doc/Sign`.

    Raises:
        InputError: it is no such path; `field` is `name`.

    """
    if not isinstance(path, str):
        raise WrongTypeError(field=name, expected="str", got=type(path).__name__)
    if not _PATH.fullmatch(path):
        raise InputError("xml.not_a_path", field=name, value=path)
    return re.findall(_STEP, path)


def element_at(root: etree._Element, path: str, name: str) -> etree._Element:
    """Return the element at a path, where each step names exactly one element.

    Raises:
        InputError: the path is none.
        VerificationError: there is no such element, or several.

    """
    first, *rest = steps_of(path, name)
    found = [root] if root.tag == first else []
    for step in rest:
        found = [child for child in found[0] if child.tag == step] if len(found) == 1 else found
    if len(found) != 1:
        reason, missing, repeated = _NO_ELEMENT[name]
        raise VerificationError(repeated if found else missing, field=path, reason=reason)
    return found[0]


def signature_in(root: etree._Element, at: str) -> etree._Element:
    """Return the one Signature that is a child of the element at a path.

    Signatures elsewhere in the document are content like any other.

    Raises:
        VerificationError: no such place, not exactly one signature there, an `xml:` attribute above it, an
            identifier that stands twice.

    """
    place = element_at(root, at, "at")
    _check_receivable(place)
    found = [child for child in place if child.tag == f"{{{DSIG}}}Signature"]
    if len(found) > 1:
        raise VerificationError("document.several_signatures", field=at, reason="several-signatures")
    if not found or root.tag == found[0].tag:
        raise VerificationError("document.not_signed", field=at, reason="not-signed")
    known = list(ids(root))
    if len(known) != len(set(known)):
        raise VerificationError("document.repeated_id", field=at, reason="repeated-id")
    return found[0]


def foreign_parts(
    root: etree._Element, at: str, *, algorithms: Collection[str], expected: int
) -> ForeignParts:
    """Judge the shape of the signature at a path and return its parts.

    Args:
        root: the document.
        at: path of the signature's parent.
        algorithms: names of the accepted signature algorithms; with rsa-sha1 SHA-1 digests are accepted too.
        expected: how many references there must be.

    Raises:
        VerificationError: something in it is not accepted; `reason` says what.

    """
    signature = signature_in(root, at)
    _check_schema(signature)
    digests = [name for name in DIGESTS.values() if name != "sha1" or "rsa-sha1" in algorithms]
    info = _child(signature, "SignedInfo")
    canonicalisation = _canonicalisation(_child(info, "CanonicalizationMethod"), "canonicalisation")
    method = _named(_child(info, "SignatureMethod"), SIGNATURES, algorithms, "signature-algorithm")
    _decoded(_child(signature, "SignatureValue"))
    certificate, key = _key_info(signature)
    return ForeignParts(
        signature=signature,
        location="/".join((".", *steps_of(at, "at")[1:], "")),
        algorithm=method,
        canonicalisation=canonicalisation,
        signature_methods=frozenset(uri for uri, name in SIGNATURES.items() if name in algorithms),
        digest_methods=frozenset(uri for uri, name in DIGESTS.items() if name in digests),
        references=tuple(_references(root, signature, info, digests, expected)),
        certificate=certificate,
        key=key,
    )


def _refuse(element: etree._Element, reason: str = "structure") -> NoReturn:
    raise VerificationError("document.signature_shape", reason=reason, element=shown_tag(element))


def _check_receivable(element: etree._Element) -> None:
    try:
        check_receivable(element)
    except DocumentError as error:
        raise VerificationError(error.code, field=shown_tag(element), reason="place") from error


def _check_schema(signature: etree._Element) -> None:
    """Hold the signature to the schema, but for what it would refuse wrongly and what proves nothing.

    Real signers use identifiers that begin with a digit, and write Objects, which are data of any kind, in no
    namespace. The prefixes of exclusive canonicalisation are in no schema; they are judged apart.
    """
    from bhxh_sdk.xml.foreign_verifier import check_schema  # noqa: PLC0415  # signxml takes long to import

    plain = copy.deepcopy(signature)
    while len(plain) and plain[-1].tag in {f"{{{DSIG}}}Object", "Object"}:
        del plain[-1]
    etree.strip_attributes(plain, "Id")
    etree.strip_elements(plain, _INCLUSIVE_NAMESPACES, with_tail=False)
    try:
        check_schema(plain)
    except etree.DocumentInvalid as error:
        raise VerificationError(
            "document.signature_shape", reason="structure", element=shown_tag(signature)
        ) from error


def _child(parent: etree._Element, name: str) -> etree._Element:
    """Return the child that the schema says is there once."""
    return next(parent.iterchildren(f"{{{DSIG}}}{name}"))


def _named(element: etree._Element, known: Mapping[str, str], accepted: Collection[str], reason: str) -> str:
    """Return the name of an algorithm that takes no parameters, such as an HMAC length."""
    uri = element.get("Algorithm", "")
    if known.get(uri) not in accepted:
        raise VerificationError("document.algorithm", reason=reason, algorithm=uri[:80])
    if len(element) or (element.text or "").strip():
        _refuse(element)
    return known[uri]


def _canonicalisation(element: etree._Element, reason: str) -> str:
    """Return the name of a canonicalisation; only the exclusive one has parameters."""
    prefixes = element.find(_INCLUSIVE_NAMESPACES)
    if prefixes is None or element.get("Algorithm") != _EXCLUSIVE:
        return _named(element, CANONICALISATIONS, CANONICALISATIONS.values(), reason)
    listed = prefixes.attrib.get("PrefixList", "")
    if len(element) > 1 or len(prefixes) or len(prefixes.attrib) > 1 or not _PREFIXES.fullmatch(listed):
        _refuse(element)
    return CANONICALISATIONS[_EXCLUSIVE]


def _references(
    root: etree._Element,
    signature: etree._Element,
    info: etree._Element,
    digests: Collection[str],
    expected: int,
) -> Iterator[ForeignReference]:
    found = info.findall(f"{{{DSIG}}}Reference")
    if len(found) != expected:
        raise VerificationError(
            "document.reference_count", reason="reference-count", count=len(found), expected=expected
        )
    if len({element.get("URI") for element in found}) != expected:
        _refuse(info, "reference")
    for element in found:
        _named(_child(element, "DigestMethod"), DIGESTS, digests, "digest-algorithm")
        _decoded(_child(element, "DigestValue"))
        target = _target(root, element.get("URI"))
        _check_transforms(element, enveloped=target in signature.iterancestors())
        yield ForeignReference(
            uri=element.get("URI", ""), target=target, position=tuple(_position(target))[::-1]
        )


def _target(root: etree._Element, uri: str | None) -> etree._Element:
    """Return the element that a reference means; identifiers are known to stand once."""
    if uri == "":
        return root
    named = _FRAGMENT.fullmatch(uri or "")
    found = _BY_ID(root, id=named[1]) if named else []
    if not found:
        raise VerificationError("document.reference", reason="reference", uri=str(uri)[:80])
    target: etree._Element = found[0]
    if (above := target.getparent()) is not None:
        _check_receivable(above)
    return target


def _position(element: etree._Element) -> Iterator[int]:
    while (parent := element.getparent()) is not None:
        yield parent.index(element)
        element = parent


def _check_transforms(reference: etree._Element, *, enveloped: bool) -> None:
    """Accept the enveloped-signature transform where it has a meaning, then at most one canonicalisation."""
    transforms = reference.findall(f"{{{DSIG}}}Transforms/{{{DSIG}}}Transform")
    if enveloped and transforms and transforms[0].get("Algorithm") == _ENVELOPED:
        _named(transforms.pop(0), {_ENVELOPED: "enveloped"}, {"enveloped"}, "transforms")
    for transform in transforms:
        _canonicalisation(transform, "transforms")
    if len(transforms) > 1:
        _refuse(reference, "transforms")


def _key_info(signature: etree._Element) -> tuple[bytes | None, tuple[int, int] | bytes | None]:
    """Return the embedded certificate, the first where there is a chain, and the bare key."""
    info = signature.find(f"{{{DSIG}}}KeyInfo")
    if info is None:
        return None, None
    inside = {child.tag: child for child in info}
    if len(inside) != len(info) or not inside.keys() <= set(_KEY_INFO):
        _refuse(info)
    certificate = info.find(f"{{{DSIG}}}X509Data/{{{DSIG}}}X509Certificate")
    value = inside.get(_KEY_INFO[1])
    return (
        None if certificate is None else _decoded(certificate),
        None if value is None else _key_value(value[0]),
    )


def _key_value(element: etree._Element) -> tuple[int, int] | bytes:
    if element.tag == f"{{{DSIG}}}RSAKeyValue":
        modulus, exponent = (int.from_bytes(_decoded(number), "big") for number in element)
        return modulus, exponent
    point = element.find(f"{{{_DSIG11}}}PublicKey")
    if element.tag != f"{{{_DSIG11}}}ECKeyValue" or point is None:
        _refuse(element)
    return _decoded(point)


def _decoded(element: etree._Element) -> bytes:
    """Return the bytes of a base64 text, which may be wrapped and is else the only way to write them.

    The libraries pass over characters that are not base64, so that one signature could be written in many
    ways.
    """
    text = "".join((element.text or "").split())
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError:
        content = b""
    if not content or base64.b64encode(content).decode() != text:
        _refuse(element)
    return content
