"""Registrations as documents: a form becomes bytes, bytes become a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from bhxh_sdk.errors import DocumentError, InputError, WrongTypeError
from bhxh_sdk.models import (
    Action,
    Agency,
    Contact,
    Document,
    Ivan,
    Organisation,
    Portal,
    Registration,
    Stop,
    without_decree_number,
)
from bhxh_sdk.xml.document_profile import DocumentProfile
from bhxh_sdk.xml.fields import kept_values, misfits, read_values
from bhxh_sdk.xml.profiles import profile as named_profile
from bhxh_sdk.xml.profiles import profile_for, profiles
from bhxh_sdk.xml.reader import SIZE_LIMIT, parsed
from bhxh_sdk.xml.tree import shown_tag
from bhxh_sdk.xml.writing import write_document

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

    from bhxh_sdk.models import CertificateInfo

__all__ = ["build", "carried", "read"]


def build(
    form: Registration,
    profile: DocumentProfile | str | None = None,
    *,
    certificate: CertificateInfo | None = None,
) -> Document:
    """Write a registration as an unsigned document.

    Args:
        form: the registration, dated (`Registration.dated`) and checked.
        profile: the document profile or its name; None for the one that the form needs today.
        certificate: the signer's certificate, for profiles that write its data.

    Returns:
        The document: a declaration, then one line of canonical UTF-8 without a byte order mark.

    Raises:
        InputError: a value that the document must hold is missing or cannot stand in XML, or the profile is
            for another action or place of transaction; `field` names it.

    """
    chosen = fitting_profile(form, profile)
    return Document(
        file_name=chosen.file_name, content=write_document(chosen, form, certificate), profile=chosen.name
    )


def carried(form: Registration, profile: DocumentProfile | str | None = None) -> Registration:
    """Return what is left of a form after it was written and read again.

    What the profile has no element for is back at its default, a telephone that only repeats the contact's
    mobile is empty, and `use_certificate` is true.

    Args:
        form: the registration, dated.
        profile: as for `build`.

    Raises:
        InputError: as `build`.

    """
    chosen = fitting_profile(form, profile)
    values = kept_values(chosen, form)
    files = tuple(
        evolve(file, form_code=without_decree_number(file.form_code))
        for file in values.get("attachments", ())
    )
    return _registration(chosen, {**values, "attachments": files})


def read(
    content: bytes, profile: DocumentProfile | str | None = None, *, size_limit: int = SIZE_LIMIT
) -> Registration:
    """Read a registration document, indented or not, signed or not.

    A signature in it is passed over, not checked: for a signed document call `verify` first and read
    `Verified.content`, so that what is read is what was signed.

    Args:
        content: the document's bytes.
        profile: the document profile or its name; None to find the shipped one that fits.
        size_limit: how many bytes the document may have.

    Raises:
        UnsafeDocumentError: it holds markup that is never accepted, or is too large.
        DocumentError: it is not XML, of no known kind, or an element is unknown, missing, repeated or
            unreadable; `field` names the element.

    """
    root = parsed(content, size_limit=size_limit)
    chosen = _kind_of(root) if profile is None else as_profile(profile)
    if chosen.kind != "registration":
        raise DocumentError("document.not_a_registration", profile=chosen.name)
    return _registration(chosen, read_values(chosen, root))


def as_profile(profile: DocumentProfile | str) -> DocumentProfile:
    """Return the profile itself, or the shipped one of that name."""
    return profile if isinstance(profile, DocumentProfile) else named_profile(profile)


def fitting_profile(form: Registration, profile: DocumentProfile | str | None) -> DocumentProfile:
    """Return the profile that a form is written by.

    Raises:
        WrongTypeError: the form is not a registration.
        InputError: the profile is for another action or place of transaction, or has no place for files.

    """
    if not isinstance(form, Registration):
        raise WrongTypeError(field="form", expected="Registration", got=type(form).__name__)
    chosen = profile_for(form) if profile is None else as_profile(profile)
    place = "ivan" if isinstance(form.transact_at, Ivan) else "portal"
    if chosen.kind != "registration" or form.action is not chosen.action:
        raise InputError("xml.other_profile", field="action", profile=chosen.name)
    if place != chosen.transact_at:
        raise InputError("xml.other_profile", field="transact_at", profile=chosen.name)
    if form.attachments and not any(rule.source == "attachments" for rule in chosen.fields):
        raise InputError("xml.no_place_for_files", field="attachments", profile=chosen.name)
    return chosen


def _kind_of(root: etree._Element) -> DocumentProfile:
    """Return the shipped profile that fits best: the exact one, or the one that explains what is wrong."""
    best: tuple[int, DocumentProfile] | None = None
    for known in profiles():
        count = misfits(known, root)
        if count == 0:
            return known
        if count is not None and (best is None or count < best[0]):
            best = count, known
    if best is None:
        names = ", ".join(known.name for known in profiles())
        raise DocumentError("document.unknown_root", field=shown_tag(root), known=names)
    return best[1]


def _registration(profile: DocumentProfile, values: Mapping[str, Any]) -> Registration:
    plain = {source: value for source, value in values.items() if "." not in source}
    stop = _group(values, "stop")
    why = stop.pop("reason", {})
    ivan = {"code": "", **_group(values, "transact_at")}
    return Registration(
        agency=Agency(**{"code": "", **_group(values, "agency")}),
        organisation=Organisation(**{"name": "", "tax_code": "", **_group(values, "organisation")}),
        contact=Contact(**{"name": "", **_group(values, "contact")}),
        transact_at=Ivan(**ivan) if profile.transact_at == "ivan" else Portal(),
        action=profile.action or Action.REGISTER,
        stop=Stop(**stop, **why) if profile.action is Action.STOP else None,
        **plain,
    )


def _group(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the values whose source starts with the name, by the rest of their source."""
    start = f"{name}."
    return {source.removeprefix(start): value for source, value in values.items() if source.startswith(start)}
