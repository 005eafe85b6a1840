"""From a registration to what a key signs, in one go: what was just written needs no parsing."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from bhxh_sdk.xml.documents import fitting_profile
from bhxh_sdk.xml.moments import in_utc
from bhxh_sdk.xml.places import sha256
from bhxh_sdk.xml.signature import check_written, prepare, prepared_here, usable_key
from bhxh_sdk.xml.signature_profile import as_signature_profile
from bhxh_sdk.xml.writer import DECLARATION
from bhxh_sdk.xml.writing import sample_of, write_body

if TYPE_CHECKING:
    from datetime import datetime

    from bhxh_sdk.models import CertificateInfo, Registration
    from bhxh_sdk.xml.document_profile import DocumentProfile
    from bhxh_sdk.xml.prepared import PreparedSignature
    from bhxh_sdk.xml.signature_profile import SignatureProfile

__all__ = ["check_profile", "prepare_form"]


def prepare_form(
    form: Registration,
    profile: DocumentProfile | str | None = None,
    *,
    certificate: CertificateInfo,
    signing_time: datetime,
    signature: SignatureProfile | str = "field",
) -> PreparedSignature:
    """Write a registration and prepare it for signing; the same as `build`, then `prepare`, in less time.

    Args:
        form: the registration, dated (`Registration.dated`) and checked.
        profile: the document profile or its name; None for the one that the form needs today. The signature
            stands at its place.
        certificate: the signer's certificate.
        signing_time: when it is signed, with its zone. Written in UTC.
        signature: shape of the signature, or its name.

    Returns:
        A plain value: hand its `digest` to a signer, and the signature value to `complete`.

    Raises:
        InputError: as `build` and `prepare`.
        CertificateUnusableError: as `prepare`.

    """
    chosen, shape = fitting_profile(form, profile), as_signature_profile(signature)
    body = write_body(chosen, form, certificate)
    usable_key(certificate, shape)
    if shape.is_exclusive or shape.over:
        content = DECLARATION + body
        return prepare(content, certificate, at=chosen.signature, signing_time=signing_time, profile=shape)
    check_profile(chosen, shape)
    ending = len(f"</{chosen.signature_element}></{chosen.root}>")
    return prepared_here(
        document=DECLARATION + body,
        position=len(DECLARATION) + len(body) - ending,
        content_digest=sha256(body),
        namespaces=tuple(sorted(chosen.namespaces)),
        certificate=certificate,
        at=chosen.signature,
        signing_time=in_utc(signing_time, "signing_time").replace(microsecond=0),
        profile=shape,
    )


@lru_cache(maxsize=64)
def check_profile(profile: DocumentProfile, shape: SignatureProfile) -> None:
    """Refuse a profile whose documents could not be verified: asked once, since its forms are not parsed.

    Raises:
        DocumentError: it has too many elements, too deep ones, no XML names, or no canonical form.

    """
    check_written(DECLARATION + sample_of(profile), profile.signature, shape)
