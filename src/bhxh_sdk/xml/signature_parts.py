"""The parts of a Signature element, taken out only when the element has exactly the expected shape.

White space between elements is passed over outside SignedInfo and refused inside it, where it would be
signed.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from attrs import field, frozen

from bhxh_sdk.errors import VerificationError
from bhxh_sdk.xml.signature_shape import (
    CANONICALISATION,
    DIGEST_HASHES,
    DSIG,
    ENVELOPED,
    TIME_NAMESPACE,
)
from bhxh_sdk.xml.tree import is_blank, shown_tag

if TYPE_CHECKING:
    from collections.abc import Collection

    from lxml import etree

__all__ = ["SignatureParts", "parts_of"]

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_WHITE_SPACE = re.compile(r"[ \t\r\n]+")


@frozen(kw_only=True)
class SignatureParts:
    """Hold what a Signature element says.

    Args:
        signature_method: URI of the signature algorithm, not judged yet.
        digest_method: URI of the digest algorithm, not judged yet.
        digest: the DigestValue.
        value: the SignatureValue.
        key: modulus and exponent of KeyValue; None when there is none.
        certificate: the certificate in DER.
        signing_time: the claimed time; None when there is none.

    """

    signature_method: str
    digest_method: str
    digest: bytes
    value: bytes = field(repr=False)
    key: tuple[int, int] | None
    certificate: bytes = field(repr=False)
    signing_time: datetime | None


def parts_of(signature: etree._Element) -> SignatureParts:
    """Return the parts of a Signature element.

    Raises:
        VerificationError: an element, attribute or text is missing, repeated or not expected.

    """
    _plain(signature, attributes=("Id",))
    found = _children(signature, ("SignedInfo", "SignatureValue", "KeyInfo"), optional=("Object",))
    signature_method, digest_method, digest = _signed_info(found["SignedInfo"])
    key, certificate = _key_info(found["KeyInfo"])
    time = _signing_time(found["Object"]) if "Object" in found else None
    return SignatureParts(
        signature_method=signature_method,
        digest_method=digest_method,
        digest=digest,
        value=_base64(found["SignatureValue"]),
        key=key,
        certificate=certificate,
        signing_time=time,
    )


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


def _signed_info(element: etree._Element) -> tuple[str, str, bytes]:
    _plain(element)
    found = _children(element, ("CanonicalizationMethod", "SignatureMethod", "Reference"))
    if _algorithm(found["CanonicalizationMethod"]) != CANONICALISATION:
        _refuse(found["CanonicalizationMethod"], "canonicalisation")
    digest_method, digest = _reference(found["Reference"])
    signature_method = _algorithm(found["SignatureMethod"])
    _check_bare(element)
    return signature_method, digest_method, digest


def _check_bare(element: etree._Element) -> None:
    """No white space and no namespace of its own in SignedInfo, whose elements are the expected ones only."""
    scope = element.nsmap
    for inner in element.iter():
        if inner.nsmap != scope or (len(inner) and inner.text) or inner.tail:
            _refuse(inner)


def _reference(element: etree._Element) -> tuple[str, bytes]:
    if dict(element.attrib) != {"URI": ""} or element.prefix is not None:
        _refuse(element, "reference")
    found = _children(element, ("Transforms", "DigestMethod", "DigestValue"))
    _plain(found["Transforms"])
    if len(found["Transforms"]) != 1:
        _refuse(found["Transforms"], "transforms")
    transform = _children(found["Transforms"], ("Transform",))["Transform"]
    if _algorithm(transform) != ENVELOPED:
        _refuse(transform, "transforms")
    digest_method = _algorithm(found["DigestMethod"])
    digest = _exact_base64(found["DigestValue"])
    known = DIGEST_HASHES.get(digest_method)
    if known is not None and len(digest) != known.digest_size:
        _refuse(found["DigestValue"])
    return digest_method, digest


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


def _signing_time(element: etree._Element) -> datetime:
    _plain(element)
    group = _children(element, ("SignatureProperties",), namespace="")["SignatureProperties"]
    _plain(group, attributes=("Id",))
    single = _children(group, ("SignatureProperty",), namespace="")["SignatureProperty"]
    _plain(single, attributes=("Target", "Id"))
    text = _leaf(_children(single, ("SigningTime",), namespace=TIME_NAMESPACE)["SigningTime"])
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        pass
    return _refuse(element, "signing-time")


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
    except (binascii.Error, ValueError):
        return _refuse(element)
