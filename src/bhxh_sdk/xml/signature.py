"""Signing in two steps: `prepare` gives the digest, `complete` takes the signature value.

Between the two a person may confirm on a phone for minutes and the process may be started anew: a
`PreparedSignature` is a plain value that can be saved. The document's bytes are never serialised again; the
signature is spliced in.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm

from bhxh_sdk.errors import (
    BhxhError,
    CertificateUnusableError,
    DocumentError,
    SignatureMismatchError,
    WrongTypeError,
)
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.models.text import control_characters
from bhxh_sdk.xml.canonical_bytes import is_canonical
from bhxh_sdk.xml.keys import SignerKey, signer_of, value_fits, wrong_kind
from bhxh_sdk.xml.moments import as_written, in_utc
from bhxh_sdk.xml.places import canonical, check_receivable, element_at, ids, path_of, sha256, signatures
from bhxh_sdk.xml.prepared import PreparedSignature
from bhxh_sdk.xml.reader import SIZE_LIMIT, opened
from bhxh_sdk.xml.signature_profile import as_signature_profile, place_of
from bhxh_sdk.xml.signature_shape import in_scope, signature, signed_info
from bhxh_sdk.xml.tree import name_of

if TYPE_CHECKING:
    from datetime import datetime

    from lxml import etree

    from bhxh_sdk.models import SignatureScheme
    from bhxh_sdk.xml.signature_profile import SignatureProfile
    from bhxh_sdk.xml.signature_shape import Namespaces

__all__ = [
    "check_value",
    "check_written",
    "complete",
    "opened_place",
    "prepare",
    "prepared_here",
    "signature_element",
    "spliced",
    "usable_key",
]

_SMALLEST_KEY = 2048
_LARGE = 100_000


def prepare(
    content: bytes,
    certificate: CertificateInfo | None,
    *,
    at: str | None = None,
    signing_time: datetime,
    profile: SignatureProfile | str = "field",
    size_limit: int = SIZE_LIMIT,
) -> PreparedSignature:
    """Prepare a document for signing.

    Args:
        content: the document's bytes; nothing of them is changed but the tag of the signature's place, `<X/>`
            to `<X></X>`. A counter-signature's place is written when there is none.
        certificate: the signer's certificate, with an RSA key of at least 2048 bits, or one on P-256 for a
            profile that asks for it; None where it comes only with the value: no shape protects it.
        at: path of the empty element that takes the signature; None for the profile's.
        signing_time: when it is signed, with its zone. Written in UTC; only some profiles protect it.
        profile: shape of the signature, or its name.
        size_limit: how many bytes the document may have.

    Returns:
        A plain value: hand its `digest` to a signer, and the signature value to `complete`.

    Raises:
        InputError: the path is not one, the profile is unknown, or the time has no zone.
        DocumentError: the document is unsafe or not XML, has no such place or several, the place is not
            empty, the document is signed already, or is not yet signed where a counter-signature needs it.
        CertificateUnusableError: the key is of another kind or too short, or the certificate cannot be read.

    """
    shape = as_signature_profile(profile)
    at = place_of(shape, at)
    signed_at = in_utc(signing_time, "signing_time").replace(microsecond=0)
    if certificate is not None:
        usable_key(certificate, shape)
    content, body, root = _with_place(content, at, shape, size_limit)
    place = element_at(root, at)
    _check_free(root, body, place, at, shape)
    document, position = opened_place(content, root, place, at)
    return prepared_here(
        document=document,
        position=position,
        content_digest=sha256(_canonical(root, _body_of(document, content, body), shape)),
        namespaces=in_scope(place.nsmap),
        certificate=certificate,
        at=at,
        signing_time=signed_at,
        profile=shape,
    )


def prepared_here(*, namespaces: Namespaces, **parts: Any) -> PreparedSignature:  # noqa: ANN401  # the parts of a prepared value
    """Make a prepared value whose parts were just taken from one document."""
    time = as_written(parts["signing_time"])
    signed = signed_info(parts["profile"], namespaces, parts["content_digest"], time)
    prepared = PreparedSignature(signed_info=signed, **parts)
    object.__setattr__(prepared, "_intact", True)  # the only place that may say so of a frozen value
    return prepared


def complete(
    prepared: PreparedSignature, signature_value: bytes, certificate: CertificateInfo | None = None
) -> bytes:
    """Put the signature value into the document.

    Args:
        prepared: what `prepare` gave, in this process or another.
        signature_value: the raw signature of `prepared.digest`: RSA PKCS#1 v1.5 by SHA-256, or what the
            profile's scheme says.
        certificate: the signer's certificate, where `prepare` was given none.

    Returns:
        The signed document's bytes.

    Raises:
        CertificateUnusableError: there is no certificate, or its key cannot sign in the profile's way.
        SignatureMismatchError: the value has the wrong length or was not made over this document by this key,
            or the prepared value was changed since `prepare` gave it.

    """
    if not isinstance(prepared, PreparedSignature):
        raise WrongTypeError(field="prepared", expected="PreparedSignature", got=type(prepared).__name__)
    if not isinstance(signature_value, bytes):
        raise WrongTypeError(field="signature_value", expected="bytes", got=type(signature_value).__name__)
    own = _certificate_of(prepared, certificate)
    check_value(
        usable_key(own, prepared.profile), signature_value, prepared.signed_info, prepared.profile.scheme
    )
    if not prepared.is_intact:
        _check_unchanged(prepared)
    return spliced(prepared, signature_value, own)


def spliced(
    prepared: PreparedSignature, signature_value: bytes, certificate: CertificateInfo | None = None
) -> bytes:
    """Put a signature value that was verified already into the document.

    Args:
        prepared: what `prepare` gave in this process.
        signature_value: a value known to fit it.
        certificate: as for `complete`.

    """
    element = signature_element(prepared, signature_value, _certificate_of(prepared, certificate))
    document, position = memoryview(prepared.document), prepared.position
    return b"".join((document[:position], element, document[position:]))


def _certificate_of(prepared: PreparedSignature, certificate: CertificateInfo | None) -> CertificateInfo:
    """Return the certificate of a prepared value, or the one that came later."""
    own = prepared.certificate or certificate
    if own is None:
        raise CertificateUnusableError("document.certificate_to_come", field="certificate")
    if certificate is not None and certificate != own:
        raise CertificateUnusableError("document.another_certificate", field="certificate")
    return own


def signature_element(
    prepared: PreparedSignature, signature_value: bytes, certificate: CertificateInfo
) -> bytes:
    """Return the Signature element of a prepared value."""
    return signature(
        prepared.profile,
        prepared.signed_info,
        signature_value,
        certificate.subject,
        certificate.der,
        as_written(prepared.signing_time),
    )


def check_value(key: SignerKey, value: bytes, signed: bytes, scheme: SignatureScheme) -> None:
    """Refuse a signature value that is not one of this key over these bytes.

    Raises:
        SignatureMismatchError: it has the wrong length or was made over something else.

    """
    if len(value) != key.value_length:
        raise SignatureMismatchError("document.value_length", got=len(value), expected=key.value_length)
    if not value_fits(key, value, signed, scheme):
        raise SignatureMismatchError("document.value_mismatch")


def usable_key(certificate: CertificateInfo, profile: SignatureProfile) -> SignerKey:
    """Return the key of a certificate that may sign in a profile's way.

    Raises:
        CertificateUnusableError: the key is of another kind or too short, or the certificate cannot be read.

    """
    if not isinstance(certificate, CertificateInfo):
        raise WrongTypeError(field="certificate", expected="CertificateInfo", got=type(certificate).__name__)
    try:
        key = signer_of(certificate.der)
    except (BhxhError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateUnusableError("document.certificate_unreadable", field="certificate") from error
    if profile.scheme not in key.schemes:
        raise CertificateUnusableError(
            wrong_kind(profile.scheme), field="certificate", kind=certificate.key_kind
        )
    if key.strength < _SMALLEST_KEY:
        raise CertificateUnusableError(
            "document.key_too_short", field="certificate", bits=key.strength, smallest=_SMALLEST_KEY
        )
    if not certificate.subject.isprintable() and control_characters(certificate.subject):
        raise CertificateUnusableError("document.certificate_subject", field="certificate")
    return key


def _check_unchanged(prepared: PreparedSignature) -> None:
    """The document with its place opened, prepared again, gives the very same value."""
    try:
        again = prepare(
            prepared.document,
            prepared.certificate,
            at=prepared.at,
            signing_time=prepared.signing_time,
            profile=prepared.profile,
            size_limit=sys.maxsize,
        )
    except BhxhError as error:
        raise SignatureMismatchError("document.prepared_changed", field="prepared") from error
    if again != prepared:
        raise SignatureMismatchError("document.prepared_changed", field="prepared")


def check_written(content: bytes, at: str, profile: SignatureProfile) -> None:
    """Refuse a document that this package wrote if it could not be signed, or is not canonical.

    Raises:
        DocumentError, InputError: as `prepare`.

    """
    content, body, root = _with_place(content, at, profile, SIZE_LIMIT)
    _check_free(root, body, element_at(root, at), at, profile)
    if canonical(root) != body:
        raise DocumentError("document.no_canonical_form")


def _with_place(
    content: bytes, at: str, profile: SignatureProfile, size_limit: int
) -> tuple[bytes, bytes, etree._Element]:
    """Parse a document; one that is counter-signed gets its place before the root's end if it has none."""
    body, root = opened(content, size_limit=size_limit, to_sign=True)
    parent, _, name = at.rpartition("/")
    if not (profile.over and len(root)) or parent != root.tag or any(child.tag == name for child in root):
        return content, body, root
    end = content.rindex(b"</")
    content = b"%b<%b></%b>%b" % (content[:end], name.encode(), name.encode(), content[end:])
    body, root = opened(content, size_limit=size_limit, to_sign=True)
    return content, body, root


def _check_free(
    root: etree._Element, body: bytes, place: etree._Element, at: str, profile: SignatureProfile
) -> None:
    there = signatures(root, body)
    too_many = len(there) > len(profile.over)  # a path for each would cost much where there are thousands
    if too_many or sorted(path_of(found.getparent()) for found in there) != sorted(profile.over):
        raise DocumentError("document.already_signed" if there else "document.not_signed", field=at)
    if len(place) or place.text or place.attrib:
        raise DocumentError("document.place_not_empty", field=at)
    known = ids(root, body)
    if known and profile.ids.intersection(known):
        raise DocumentError("document.id_taken", field=at)
    check_receivable(place)


def _body_of(document: bytes, content: bytes, body: bytes) -> bytes:
    """Return the body of a document made from content, whose body is at hand: a copy takes time too."""
    return body if document is content else document[len(content) - len(body) :]


def _canonical(root: etree._Element, body: bytes, profile: SignatureProfile) -> bytes:
    """Return the document's canonical form: most large ones are their own, which is told faster than made."""
    if len(body) > _LARGE and not profile.is_exclusive and is_canonical(body):
        return body
    return canonical(root, exclusive=profile.is_exclusive, size=len(body))


def opened_place(content: bytes, root: etree._Element, place: etree._Element, at: str) -> tuple[bytes, int]:
    """Return the document with both tags of the place written, and where the signature goes between them."""
    name = name_of(place).encode()
    is_last = place.getnext() is None and place.getparent() is root
    start = content.rfind(b"<" + name) if is_last else _nth_start(content, root, place)
    position, both = start + len(name) + 2, b"<%b></%b>" % (name, name)
    if content.startswith(both, start):
        return content, position
    tags = re.compile(rb"<%b[ \t\r\n]*(?:/>|></%b[ \t\r\n]*>)" % (re.escape(name), re.escape(name)))
    found = tags.match(content, start)
    if found is None:
        raise DocumentError("document.place_not_empty", field=at)
    return b"".join((content[:start], both, content[found.end() :])), position


def _nth_start(content: bytes, root: etree._Element, place: etree._Element) -> int:
    """Return where the place starts among elements whose names begin like its own.

    Without comments, CDATA sections and processing instructions every `<` opens a tag, so the n-th element of
    that literal name is the n-th match on the bytes.
    """
    same_name = (element for element in root.iter(f"{{*}}{name_of(place)}") if element.prefix is None)
    number = next(number for number, element in enumerate(same_name) if element is place)
    starts = re.finditer(rb"<%b(?=[ \t\r\n/>])" % re.escape(name_of(place).encode()), content)
    return next(match.start() for position, match in enumerate(starts) if position == number)
