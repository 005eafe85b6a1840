"""Rules about the contact person (step 14): whoever registers must be reachable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bhxh_sdk.rules.rule import FormCase, Hit, error, hit, rule, shown, warning
from bhxh_sdk.rules.sources import DECREE_166, GUIDE_14, GUIDE_24, IVAN_FORM

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["address_given", "email", "mobile", "name_given", "reachable"]


@rule(error("contact.name_missing", GUIDE_14))
def name_given(case: FormCase) -> Iterator[Hit]:
    """The contact person has a name."""
    if case.reaches_people and not case.form.contact.name:
        yield hit("contact.name_missing", "contact.name")


@rule(error("contact.address_missing", GUIDE_14))
def address_given(case: FormCase) -> Iterator[Hit]:
    """The contact address is given."""
    if case.reaches_people and not case.form.contact.address:
        yield hit("contact.address_missing", "contact.address")


@rule(
    error("mobile.missing", IVAN_FORM),
    warning("mobile.missing_at_portal", f"{GUIDE_14}: listed, not starred"),
    error("mobile.malformed", "Vietnamese mobile ranges as of phonenumbers"),
)
def mobile(case: FormCase) -> Iterator[Hit]:
    """The mobile number is given, and is one."""
    number = case.form.contact.mobile
    if number and not number.is_well_formed:
        yield hit("mobile.malformed", "contact.mobile", value=shown(number.value))
    if case.reaches_people and not number:
        yield hit("mobile.missing" if case.ivan else "mobile.missing_at_portal", "contact.mobile")


@rule(
    error("email.missing", f"{GUIDE_24}: the activation code comes by e-mail"),
    warning("email.missing_on_paper", f"{DECREE_166}: listed, not starred"),
    error("email.several", "one address per form; the I-VAN web form takes one, typed twice"),
    error("email.malformed", "rules of e-mail addresses (RFC 5321, RFC 6531)"),
)
def email(case: FormCase) -> Iterator[Hit]:
    """One e-mail address is given: on the electronic route the activation code goes there."""
    address = case.form.contact.email
    if address and not address.is_well_formed:
        several = sum("@" in part for part in re.split(r"[\s,;]+", address.value)) > 1
        code = "email.several" if several else "email.malformed"
        yield hit(code, "contact.email", value=shown(address.value))
    if case.reaches_people and not address:
        electronic = case.form.use_certificate
        yield hit("email.missing" if electronic else "email.missing_on_paper", "contact.email")


@rule(error("contact.unreachable", f"{GUIDE_14}: how the agency reaches the unit"))
def reachable(case: FormCase) -> Iterator[Hit]:
    """There is a way to reach the unit at all."""
    contact = case.form.contact
    if not contact.mobile and not contact.email:
        yield hit("contact.unreachable", "contact")
