"""Strict verification: one shape of signature is accepted, everything else is refused with a reason.

The SignedInfo bytes are not canonicalised out of the document: they are rebuilt from the expected pieces, so
a document can only say what this module understands. What was verified is handed out as `Verified.content`;
read nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime  # noqa: TC003  # attrs reads the annotations at run time
from typing import TYPE_CHECKING

from attrs import field, frozen
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding

from bhxh_sdk.errors import (
    BhxhError,
    DocumentError,
    InputError,
    UnsafeDocumentError,
    VerificationError,
    WrongTypeError,
)
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.xml.chain import certificate_key, check_chain, check_validity
from bhxh_sdk.xml.moments import in_utc
from bhxh_sdk.xml.places import canonical, check_receivable, element_at, ids, signatures
from bhxh_sdk.xml.reader import SIZE_LIMIT, parsed
from bhxh_sdk.xml.signature import PLACE
from bhxh_sdk.xml.signature_parts import SignatureParts, parts_of
from bhxh_sdk.xml.signature_shape import DIGEST_HASHES, SIGNATURE_HASHES, signed_info
from bhxh_sdk.xml.tree import is_blank

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from lxml import etree

__all__ = ["Verified", "verify"]


@frozen(kw_only=True)
class Verified:
    """Hold what a valid signature covers.

    Args:
        content: the canonical bytes that were signed: the document without the signature. Read only these.
        certificate: the signer's certificate.
        algorithm: `rsa-sha256`, or `rsa-sha1` when that was allowed.
        signing_time: the time that the document claims, which nothing protects; None when it claims none.
        at: path of the signature's place.
        trusted: whether the certificate was checked against roots.

    """

    content: bytes = field(repr=lambda content: f"<{len(content)} bytes>")
    certificate: CertificateInfo
    algorithm: str
    signing_time: datetime | None
    at: str
    trusted: bool


def verify(
    content: bytes,
    *,
    at: str = PLACE,
    allow_sha1: bool = False,
    smallest_key: int = 2048,
    roots: Sequence[bytes] | None = None,
    moment: datetime | None = None,
    size_limit: int = SIZE_LIMIT,
) -> Verified:
    """Verify the signature of a document.

    Args:
        content: the signed document's bytes.
        at: path of the element that holds the signature.
        allow_sha1: accept rsa-sha1 and SHA-1 digests, for documents of old signers.
        smallest_key: fewest bits that the RSA key may have.
        roots: certificates in DER that are trusted to issue signers' certificates; None not to check the
            issuer.
        moment: when the certificate must have been valid; None not to check. Needed with `roots`.
        size_limit: how many bytes the document may have.

    Returns:
        What was signed and by whom.

    Raises:
        VerificationError: the signature is not valid, or not of the one shape accepted; `reason` says why.
        InputError: a parameter is wrong.

    """
    _check_parameters(moment, roots, smallest_key)
    root = _safe_tree(content, size_limit)
    place, signature = _only_signature(root, at)
    parts = parts_of(signature)
    _check_algorithms(parts, allow_sha1=allow_sha1)
    certificate, key = _signer(parts, smallest_key)
    _check_value(parts, signature, key)
    signed = _without(signature, place, root)
    _check_digest(parts, signed)
    _check_certificate(certificate, roots, moment)
    return Verified(
        content=signed,
        certificate=certificate,
        algorithm=f"rsa-{SIGNATURE_HASHES[parts.signature_method].name}",
        signing_time=parts.signing_time,
        at=at,
        trusted=roots is not None,
    )


def _check_parameters(moment: datetime | None, roots: Sequence[bytes] | None, smallest_key: int) -> None:
    if not isinstance(smallest_key, int):
        raise WrongTypeError(field="smallest_key", expected="int", got=type(smallest_key).__name__)
    if not isinstance(roots, Sequence | None):
        raise WrongTypeError(field="roots", expected="Sequence", got=type(roots).__name__)
    if moment is not None:
        in_utc(moment, "moment")
    elif roots is not None:
        raise InputError("xml.moment_needed", field="moment")


def _check_certificate(
    certificate: CertificateInfo, roots: Sequence[bytes] | None, moment: datetime | None
) -> None:
    if moment is None:
        return
    check_validity(certificate, moment)
    if roots is not None:
        check_chain(certificate, roots, moment)


def _safe_tree(content: bytes, size_limit: int) -> etree._Element:
    try:
        return parsed(content, size_limit=size_limit)
    except DocumentError as error:
        reason = "unsafe" if isinstance(error, UnsafeDocumentError) else "not-xml"
        refusal = VerificationError(error.code, reason=reason)
        refusal.parameters.update(error.parameters)
        raise refusal from error


def _only_signature(root: etree._Element, at: str) -> tuple[etree._Element, etree._Element]:
    """Return the signature's place and the signature, which stands there alone."""
    try:
        place = element_at(root, at)
        check_receivable(place)
    except DocumentError as error:
        raise VerificationError(error.code, field=at, reason="place") from error
    found = signatures(root)
    if len(found) > 1:
        raise VerificationError("document.several_signatures", field=at, reason="several-signatures")
    if not found:
        raise VerificationError("document.not_signed", field=at, reason="not-signed")
    alone = len(place) == 1 and is_blank(place.text) and is_blank(found[0].tail)
    if found[0].getparent() is not place or not alone:
        raise VerificationError("document.signature_elsewhere", field=at, reason="place")
    known = list(ids(root))
    if len(known) != len(set(known)):
        raise VerificationError("document.repeated_id", field=at, reason="repeated-id")
    return place, found[0]


def _check_algorithms(parts: SignatureParts, *, allow_sha1: bool) -> None:
    signing = SIGNATURE_HASHES.get(parts.signature_method)
    if signing is None or (signing.name == "sha1" and not allow_sha1):
        raise VerificationError(
            "document.algorithm", reason="signature-algorithm", algorithm=parts.signature_method[:80]
        )
    digesting = DIGEST_HASHES.get(parts.digest_method)
    if digesting is None or (digesting.name == "sha1" and not allow_sha1):
        raise VerificationError(
            "document.algorithm", reason="digest-algorithm", algorithm=parts.digest_method[:80]
        )


def _signer(parts: SignatureParts, smallest_key: int) -> tuple[CertificateInfo, RSAPublicKey]:
    try:
        certificate = CertificateInfo.from_der(parts.certificate)
    except (BhxhError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion) as error:
        raise VerificationError("document.certificate_unreadable", reason="certificate") from error
    key = certificate_key(certificate)
    if key.key_size < smallest_key:
        raise VerificationError(
            "document.key_too_short", reason="key-too-short", bits=key.key_size, smallest=smallest_key
        )
    numbers = key.public_numbers()
    if parts.key is not None and parts.key != (numbers.n, numbers.e):
        raise VerificationError("document.other_key", reason="key-mismatch")
    return certificate, key


def _check_value(parts: SignatureParts, signature: etree._Element, key: RSAPublicKey) -> None:
    expected = signed_info(
        signature.nsmap,
        parts.digest,
        signature_method=parts.signature_method,
        digest_method=parts.digest_method,
    )
    try:
        key.verify(parts.value, expected, padding.PKCS1v15(), SIGNATURE_HASHES[parts.signature_method])
    except (InvalidSignature, UnsupportedAlgorithm) as error:
        raise VerificationError("document.signature_wrong", reason="signature-value") from error


def _without(signature: etree._Element, place: etree._Element, root: etree._Element) -> bytes:
    """Return the canonical document as the enveloped-signature transform leaves it: the tail stays."""
    place.text = (place.text or "") + (signature.tail or "")
    place.remove(signature)
    try:
        return canonical(root)
    except DocumentError as error:
        raise VerificationError(error.code, reason="not-canonical") from error


def _check_digest(parts: SignatureParts, signed: bytes) -> None:
    found = hashlib.new(DIGEST_HASHES[parts.digest_method].name, signed).digest()
    if not hmac.compare_digest(found, parts.digest):
        raise VerificationError("document.changed", reason="content-changed")
