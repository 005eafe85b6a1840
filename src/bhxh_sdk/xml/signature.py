"""Signing in two steps: `prepare` gives the digest, `complete` takes the signature value.

Between the two a person may confirm on a phone for minutes and the process may be started anew: a
`PreparedSignature` is a plain value that can be saved. The document's bytes are never serialised again; the
signature is spliced in.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bhxh_sdk.errors import (
    BhxhError,
    CertificateUnusableError,
    DocumentError,
    SignatureMismatchError,
    WrongTypeError,
)
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.models.text import control_characters
from bhxh_sdk.xml.moments import in_utc
from bhxh_sdk.xml.places import canonical, check_receivable, element_at, ids, sha256, signatures
from bhxh_sdk.xml.prepared import PreparedSignature
from bhxh_sdk.xml.reader import SIZE_LIMIT, parsed
from bhxh_sdk.xml.signature_shape import signature, signed_info
from bhxh_sdk.xml.tree import name_of

if TYPE_CHECKING:
    from datetime import datetime

    from lxml import etree

__all__ = ["PLACE", "complete", "prepare"]

PLACE = "Hoso/CKy_Dvi"
"""Where the employer signs registrations and envelopes."""

_SMALLEST_KEY = 2048
_OWN_IDS = {"sigid", "proid"}


def prepare(
    content: bytes,
    certificate: CertificateInfo,
    *,
    at: str = PLACE,
    signing_time: datetime,
    size_limit: int = SIZE_LIMIT,
) -> PreparedSignature:
    """Prepare a document for signing.

    Args:
        content: the document's bytes; nothing of them is changed but the tag of the signature's place, `<X/>`
            to `<X></X>`.
        certificate: the signer's certificate, with an RSA key of at least 2048 bits.
        at: path of the empty element that takes the signature.
        signing_time: when it is signed, with its zone. Written in UTC; the signature does not protect it.
        size_limit: how many bytes the document may have.

    Returns:
        A plain value: hand its `digest` to a signer, and the signature value to `complete`.

    Raises:
        InputError: the path is not one, or the time has no zone or cannot be said in UTC.
        DocumentError: the document is unsafe or not XML, has no such place or several, the place is not
            empty, or the document is signed already.
        CertificateUnusableError: the key is not RSA or too short, or the certificate cannot be read.

    """
    signed_at = in_utc(signing_time, "signing_time").replace(microsecond=0)
    _check_length(_public_key(certificate))
    root = parsed(content, size_limit=size_limit)
    place = element_at(root, at)
    _check_free(root, place, at)
    start, end = _span(content, root, place, at)
    name = name_of(place).encode()
    opened = content[:start] + b"<" + name + b">"
    digest = sha256(canonical(root))
    return PreparedSignature(
        document=opened + b"</" + name + b">" + content[end:],
        position=len(opened),
        content_digest=digest,
        signed_info=signed_info(place.nsmap, digest),
        certificate=certificate,
        at=at,
        signing_time=signed_at,
    )


def complete(prepared: PreparedSignature, signature_value: bytes) -> bytes:
    """Put the signature value into the document.

    Args:
        prepared: what `prepare` gave, in this process or another.
        signature_value: the raw RSA PKCS#1 v1.5 signature of `prepared.digest` by SHA-256.

    Returns:
        The signed document's bytes.

    Raises:
        SignatureMismatchError: the value has the wrong length or was not made over this document by this key,
            or the prepared value was changed since `prepare` gave it.

    """
    if not isinstance(prepared, PreparedSignature):
        raise WrongTypeError(field="prepared", expected="PreparedSignature", got=type(prepared).__name__)
    if not isinstance(signature_value, bytes):
        raise WrongTypeError(field="signature_value", expected="bytes", got=type(signature_value).__name__)
    key = _public_key(prepared.certificate)
    _check_value(key, signature_value, prepared.signed_info)
    _check_unchanged(prepared)
    element = signature(
        prepared.content_digest,
        signature_value,
        key.public_numbers(),
        prepared.certificate.subject,
        prepared.certificate.der,
        f"{prepared.signing_time.replace(tzinfo=None).isoformat()}Z",
    )
    return prepared.document[: prepared.position] + element + prepared.document[prepared.position :]


def _check_unchanged(prepared: PreparedSignature) -> None:
    """The document with its place opened, prepared again, gives the very same value."""
    try:
        again = prepare(
            prepared.document,
            prepared.certificate,
            at=prepared.at,
            signing_time=prepared.signing_time,
            size_limit=sys.maxsize,
        )
    except BhxhError as error:
        raise SignatureMismatchError("document.prepared_changed", field="prepared") from error
    if again != prepared:
        raise SignatureMismatchError("document.prepared_changed", field="prepared")


def _public_key(certificate: CertificateInfo) -> RSAPublicKey:
    if not isinstance(certificate, CertificateInfo):
        raise WrongTypeError(field="certificate", expected="CertificateInfo", got=type(certificate).__name__)
    if control_characters(certificate.subject):
        raise CertificateUnusableError("document.certificate_subject", field="certificate")
    try:
        key = x509.load_der_x509_certificate(certificate.der).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateUnusableError("document.certificate_unreadable", field="certificate") from error
    if not isinstance(key, RSAPublicKey):
        raise CertificateUnusableError("document.key_kind", field="certificate", kind=certificate.key_kind)
    return key


def _check_length(key: RSAPublicKey) -> None:
    if key.key_size < _SMALLEST_KEY:
        raise CertificateUnusableError(
            "document.key_too_short", field="certificate", bits=key.key_size, smallest=_SMALLEST_KEY
        )


def _check_free(root: etree._Element, place: etree._Element, at: str) -> None:
    if signatures(root):
        raise DocumentError("document.already_signed", field=at)
    if len(place) or place.text or place.attrib:
        raise DocumentError("document.place_not_empty", field=at)
    if _OWN_IDS & set(ids(root)):
        raise DocumentError("document.id_taken", field=at)
    check_receivable(place)


def _span(content: bytes, root: etree._Element, place: etree._Element, at: str) -> tuple[int, int]:
    """Return where the place's tags stand in the bytes.

    Without comments, CDATA sections and processing instructions every `<` opens a tag, so the n-th element of
    that literal name is the n-th match on the bytes.
    """
    same_name = (element for element in root.iter(f"{{*}}{name_of(place)}") if element.prefix is None)
    number = next(number for number, element in enumerate(same_name) if element is place)
    name = re.escape(name_of(place).encode())
    starts = re.finditer(rb"<%b(?=[ \t\r\n/>])" % name, content)
    start = next(match.start() for position, match in enumerate(starts) if position == number)
    tags = re.compile(rb"<%b[ \t\r\n]*(?:/>|></%b[ \t\r\n]*>)" % (name, name)).match(content, start)
    if tags is None:
        raise DocumentError("document.place_not_empty", field=at)
    return start, tags.end()


def _check_value(key: RSAPublicKey, value: bytes, signed: bytes) -> None:
    expected = (key.key_size + 7) // 8
    if len(value) != expected:
        raise SignatureMismatchError("document.value_length", got=len(value), expected=expected)
    try:
        key.verify(value, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise SignatureMismatchError("document.value_mismatch") from error
