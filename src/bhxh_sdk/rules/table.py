"""Every rule of the house, in the order of the form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.rules import acts, agency, attachments, certificate, contact, organisation, place, text

if TYPE_CHECKING:
    from bhxh_sdk.rules.certificate import CertificateCase
    from bhxh_sdk.rules.rule import FormCase, Rule, Verdict

__all__ = ["CERTIFICATE_RULES", "FIELDS", "FORM_RULES", "verdicts"]

FORM_RULES: tuple[Rule[FormCase], ...] = (
    agency.code_given,
    agency.code_known,
    agency.name_given,
    agency.in_force,
    agency.managing_level,
    agency.name_as_listed,
    organisation.name_given,
    organisation.unit_code,
    organisation.tax_code_given,
    organisation.tax_code_shape,
    organisation.address_given,
    contact.name_given,
    contact.address_given,
    contact.mobile,
    contact.email,
    contact.reachable,
    place.ivan_code,
    place.ivan_known,
    place.confirmed,
    acts.made_on,
    acts.starts_on,
    acts.changes_given,
    acts.stop_complete,
    acts.other_reason_told,
    acts.stop_date,
    acts.stop_wanted,
    attachments.licence,
    attachments.names,
    attachments.name_lengths,
    attachments.unique_names,
    attachments.contents,
    text.controls,
    text.marks,
    text.invisible,
    text.look_alikes,
    text.too_long,
)

CERTIFICATE_RULES: tuple[Rule[CertificateCase], ...] = (
    certificate.validity,
    certificate.usage,
    certificate.key,
    certificate.tax_code,
    certificate.owner_name,
)

FIELDS = (
    "agency",
    "organisation.name",
    "organisation.unit_code",
    "organisation.tax_code",
    "organisation",
    "contact",
    "certificate",
    "transact_at",
    "confirmed",
    "made_on",
    "starts_on",
    "changes",
    "stop",
    "attachments",
)
"""The order in which findings are told: that of the form. A field that is not named stands with its room."""


def verdicts() -> tuple[Verdict, ...]:
    """Return everything that any rule may say, in the order of the form."""
    form = (verdict for rule in FORM_RULES for verdict in rule.verdicts)
    of_certificate = (verdict for rule in CERTIFICATE_RULES for verdict in rule.verdicts)
    return (*form, *of_certificate)
