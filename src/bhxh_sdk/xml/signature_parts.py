"""The parts of a Signature element, taken out only when the element has exactly the expected shape.

White space between elements is passed over outside SignedInfo and refused inside it, where it would be
signed.
"""

from __future__ import annotations

import base64
import re
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from lxml import etree

from bhxh_sdk.errors import VerificationError
from bhxh_sdk.xml.signature_shape import (
    DIGEST_HASHES,
    DSIG,
    TIME_NAMESPACE,
    canonicalisation_of,
    in_scope,
    signed_time_object,
    time_transforms,
    transforms,
)
from bhxh_sdk.xml.tree import is_blank, shown_tag

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from bhxh_sdk.xml.signature_profile import SignatureProfile
    from bhxh_sdk.xml.signature_shape import Namespaces

__all__ = ["SignatureParts", "moment_of", "parts_of"]

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_WHITE_SPACE = re.compile(r"[ \t\r\n]+")


class SignatureParts(NamedTuple):
    """Hold what a Signature element says. A tuple, because one is made for each signature verified.

    Args:
        signature_method: URI of the signature algorithm, not judged yet.
        digest_method: URI of the digest algorithm, not judged yet.
        digest: the DigestValue of the document.
        value: the SignatureValue.
        key: modulus and exponent of KeyValue; None when there is none.
        certificate: the certificate in DER.
        signing_time: the claimed time as written; empty when there is none.
        namespaces: the declarations in scope where the signature stands.
        time_digest: the DigestValue of the time; empty when nothing protects it.

    """

    signature_method: str
    digest_method: str
    digest: bytes
    value: bytes
    key: tuple[int, int] | None
    certificate: bytes
    signing_time: str
    namespaces: Namespaces
    time_digest: bytes


def parts_of(signature: etree._Element, profile: SignatureProfile) -> SignatureParts:
    """Return the parts of a Signature element.

    Args:
        signature: the element.
        profile: the one shape that it may have.

    Raises:
        VerificationError: an element, attribute or text is missing, repeated or not expected.

    """
    _plain(signature, attributes=("Id",))
    namespaces = in_scope(signature.nsmap)
    wanted, optional = _objects(profile)
    names = ("SignedInfo", "SignatureValue", "KeyInfo", *wanted)
    found = _children(signature, names, optional=optional)
    signature_method, references = _signed_info(found["SignedInfo"], profile, signature.nsmap)
    key, certificate = _key_info(found["KeyInfo"])
    time = _signing_time(found["Object"], profile, namespaces) if "Object" in found else ""
    (digest_method, digest), *protected = references
    if any(method != digest_method for method, _ in protected):
        _refuse(found["SignedInfo"], "reference")
    return SignatureParts(
        signature_method=signature_method,
        digest_method=digest_method,
        digest=digest,
        time_digest=b"".join(digest for _, digest in protected),
        value=_base64(found["SignatureValue"]),
        key=key,
        certificate=certificate,
        signing_time=time,
        namespaces=namespaces,
    )


def moment_of(signing_time: str) -> datetime | None:
    """Return the point in time that a signature claims; None for a text that is none of the one form."""
    try:
        return datetime.fromisoformat(signing_time) if _TIME.fullmatch(signing_time) else None
    except ValueError:
        return None


def _objects(profile: SignatureProfile) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which Objects must be there and which may."""
    if profile.signing_time == "protected":
        return ("Object",), ()
    return (), ("Object",) if profile.signing_time == "unprotected" else ()


def _refuse(element: etree._Element, reason: str = "structure") -> NoReturn:
    raise VerificationError("document.signature_shape", reason=reason, element=shown_tag(element))


def _plain(element: etree._Element, attributes: Collection[str] = ()) -> None:
    """No prefix, no attribute but those named."""
    if element.prefix is not None or set(element.attrib) - set(attributes):
        _refuse(element)


def _children(
    parent: etree._Element,
    names: tuple[str, ...],
    optional: tuple[str, ...] = (),
    namespace: str = DSIG,
) -> dict[str, etree._Element]:
    """Return the children by name: all of `names`, some of `optional`, in that order and nothing else."""
    if not is_blank(parent.text) or not all(is_blank(child.tail) for child in parent):
        _refuse(parent)
    qualified = {f"{{{namespace}}}{name}" if namespace else name: name for name in (*names, *optional)}
    found = {qualified[str(child.tag)]: child for child in parent if child.tag in qualified}
    in_order = [name for name in (*names, *optional) if name in found]
    if len(found) != len(parent) or list(found) != in_order or not set(names) <= found.keys():
        _refuse(parent)
    return found


def _signed_info(
    element: etree._Element, profile: SignatureProfile, scope: Mapping[str | None, str]
) -> tuple[str, Sequence[tuple[str, bytes]]]:
    """Return the signature's algorithm, and digest algorithm and digest of each reference."""
    _plain(element)
    wanted = _wanted_references(profile)
    methods, references = list(element)[:2], list(element)[2:]
    names = ["CanonicalizationMethod", "SignatureMethod", *("Reference" for _ in wanted)]
    if [child.tag for child in element] != [f"{{{DSIG}}}{name}" for name in names]:
        _refuse(element)
    if _algorithm(methods[0]) != canonicalisation_of(profile):
        _refuse(methods[0], "canonicalisation")
    signature_method = _algorithm(methods[1])
    found = [
        _reference(reference, uri, known) for reference, (uri, known) in zip(references, wanted, strict=True)
    ]
    _check_bare(element, scope)
    return signature_method, found


def _wanted_references(profile: SignatureProfile) -> Sequence[tuple[str, Sequence[str]]]:
    """Return URI and transforms of each reference that a profile has."""
    document = ("", transforms(profile))
    if profile.signing_time != "protected":
        return (document,)
    return document, (f"#{profile.time_id}", time_transforms(profile))


def _check_bare(element: etree._Element, scope: Mapping[str | None, str]) -> None:
    """No white space and no namespace of its own in SignedInfo, whose elements are the expected ones only."""
    for inner in element.iter():
        if inner.nsmap != scope or (len(inner) and inner.text) or inner.tail:
            _refuse(inner)


def _reference(element: etree._Element, uri: str, known: Sequence[str]) -> tuple[str, bytes]:
    if dict(element.attrib) != {"URI": uri} or element.prefix is not None:
        _refuse(element, "reference")
    listed = ("Transforms",) if known else ()
    found = _children(element, (*listed, "DigestMethod", "DigestValue"))
    if known:
        _check_transforms(found["Transforms"], known)
    digest_method = _algorithm(found["DigestMethod"])
    digest = _exact_base64(found["DigestValue"])
    hashing = DIGEST_HASHES.get(digest_method)
    if hashing is not None and len(digest) != hashing.digest_size:
        _refuse(found["DigestValue"])
    return digest_method, digest


def _check_transforms(element: etree._Element, known: Sequence[str]) -> None:
    _plain(element)
    if [child.tag for child in element] != [f"{{{DSIG}}}Transform"] * len(known):
        _refuse(element, "transforms")
    for child, algorithm in zip(element, known, strict=True):
        if _algorithm(child) != algorithm:
            _refuse(child, "transforms")


def _algorithm(element: etree._Element) -> str:
    """Return the Algorithm of an element that holds nothing else, such as an HMAC length."""
    _plain(element, attributes=("Algorithm",))
    if len(element) or element.text:
        _refuse(element)
    return element.get("Algorithm", "")


def _key_info(element: etree._Element) -> tuple[tuple[int, int] | None, bytes]:
    _plain(element)
    names = ("KeyValue", "X509Data") if len(element) > 1 else ("X509Data",)
    found = _children(element, names)
    key = _key_value(found["KeyValue"]) if "KeyValue" in found else None
    data = found["X509Data"]
    _plain(data)
    names = ("X509SubjectName", "X509Certificate") if len(data) > 1 else ("X509Certificate",)
    inside = _children(data, names)
    if "X509SubjectName" in inside:  # not trusted, so not read
        _leaf(inside["X509SubjectName"])
    return key, _base64(inside["X509Certificate"])


def _key_value(element: etree._Element) -> tuple[int, int]:
    _plain(element)
    rsa = _children(element, ("RSAKeyValue",))["RSAKeyValue"]
    _plain(rsa)
    numbers = _children(rsa, ("Modulus", "Exponent"))
    modulus, exponent = _base64(numbers["Modulus"]), _base64(numbers["Exponent"])
    return int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")


def _signing_time(element: etree._Element, profile: SignatureProfile, namespaces: Namespaces) -> str:
    protected = profile.signing_time == "protected"
    _plain(element, attributes=("Id",) if protected else ())
    group = _children(element, ("SignatureProperties",), namespace="")["SignatureProperties"]
    _plain(group, attributes=("Id",))
    single = _children(group, ("SignatureProperty",), namespace="")["SignatureProperty"]
    _plain(single, attributes=("Target", "Id"))
    text = _leaf(_children(single, ("SigningTime",), namespace=TIME_NAMESPACE)["SigningTime"])
    if moment_of(text) is None:
        _refuse(element, "signing-time")
    if protected and _alone(element, exclusive=profile.is_exclusive) != signed_time_object(
        profile, namespaces, text
    ):
        _refuse(element, "signing-time")
    return text


def _alone(element: etree._Element, *, exclusive: bool) -> bytes:
    """Return the canonical form of an element as it stands, its namespaces with it.

    Parsed again by itself: lxml's inclusive form of a part of a tree is wrong below a default namespace.
    """
    copied = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(copied, method="c14n", exclusive=exclusive)


def _leaf(element: etree._Element) -> str:
    _plain(element)
    if len(element):
        _refuse(element)
    return element.text or ""


def _base64(element: etree._Element) -> bytes:
    return _decoded(element, _WHITE_SPACE.sub("", _leaf(element)))


def _exact_base64(element: etree._Element) -> bytes:
    """Return the bytes of a text that is their one canonical base64 form: it is rebuilt to be verified."""
    text = _leaf(element)
    content = _decoded(element, text)
    if base64.b64encode(content).decode() != text:
        _refuse(element)
    return content


def _decoded(element: etree._Element, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return _refuse(element)
