"""The envelope `BHXHDienTu.xml` of an ordinary dossier, written and read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.errors import DocumentError, InputError, WrongTypeError
from bhxh_sdk.models import Document, DossierEnvelope, Ivan
from bhxh_sdk.xml.documents import as_profile
from bhxh_sdk.xml.fields import read_values
from bhxh_sdk.xml.reader import SIZE_LIMIT, parsed
from bhxh_sdk.xml.writing import write_document

if TYPE_CHECKING:
    from bhxh_sdk.xml.document_profile import DocumentProfile

__all__ = ["build_envelope", "envelope_profile", "read_envelope"]


def build_envelope(envelope: DossierEnvelope, profile: DocumentProfile | str = "envelope") -> Document:
    """Write the envelope of a dossier as an unsigned document.

    Args:
        envelope: what it holds; its files are signed already.
        profile: the document profile or its name.

    Raises:
        InputError: a value is missing or cannot stand in XML; `field` names it.

    """
    if not isinstance(envelope, DossierEnvelope):
        raise WrongTypeError(field="envelope", expected="DossierEnvelope", got=type(envelope).__name__)
    chosen = envelope_profile(profile)
    content = write_document(chosen, envelope, None)
    return Document(file_name=chosen.file_name, content=content, profile=chosen.name)


def read_envelope(
    content: bytes, profile: DocumentProfile | str = "envelope", *, size_limit: int = SIZE_LIMIT
) -> DossierEnvelope:
    """Read the envelope of a dossier.

    A signature in it is passed over, not checked: call `verify` first and read `Verified.content`.

    Args:
        content: the document's bytes.
        profile: the document profile or its name.
        size_limit: how many bytes the document may have.

    Raises:
        UnsafeDocumentError: it holds markup that is never accepted, or is too large.
        DocumentError: it is not XML, or an element is unknown, missing, repeated or unreadable; `field` names
            it.

    """
    chosen = envelope_profile(profile)
    values = read_values(chosen, parsed(content, size_limit=size_limit))
    count = values.pop("file_count", None)
    if count is not None and count != len(values.get("files", ())):
        raise DocumentError("document.file_count", field="file_count", value=count)
    if "period" not in values:
        raise DocumentError("document.missing_element", field="period")
    ivan = Ivan(values.pop("ivan.code", ""), values.pop("ivan.name", ""))
    texts = dict.fromkeys(("organisation_name", "tax_code", "agency_code", "procedure_code"), "")
    return DossierEnvelope(ivan=ivan, **{**texts, **values})


def envelope_profile(profile: DocumentProfile | str) -> DocumentProfile:
    """Return a profile, or the one of that name, if it is an envelope's.

    Raises:
        InputError: it is not.

    """
    chosen = as_profile(profile)
    if chosen.kind != "envelope":
        raise InputError("xml.other_profile", field="profile", profile=chosen.name)
    return chosen
