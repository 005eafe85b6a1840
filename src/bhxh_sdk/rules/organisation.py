"""Rules about the organisation (step 14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.models import Action
from bhxh_sdk.rules.rule import FormCase, Hit, error, hit, rule, shown, warning
from bhxh_sdk.rules.sources import GUIDE_14, IVAN_FORM, TAX_LAW

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["address_given", "name_given", "tax_code_given", "tax_code_shape", "unit_code"]


@rule(error("organisation.name_missing", GUIDE_14))
def name_given(case: FormCase) -> Iterator[Hit]:
    """The organisation has a name."""
    if not case.form.organisation.name:
        yield hit("organisation.name_missing", "organisation.name")


@rule(
    error("unit_code.missing", f"{GUIDE_14}; {IVAN_FORM}"),
    warning("unit_code.shape", "codes met until 2026-08; the format since 2026-09 is not public"),
)
def unit_code(case: FormCase) -> Iterator[Hit]:
    """A unit code is given, unless it is a first registration, and has the shape used until August 2026."""
    code = case.form.unit_code
    if code is None:
        if case.form.action is not Action.REGISTER:
            yield hit("unit_code.missing", "organisation.unit_code")
    elif not code.is_well_formed:
        yield hit("unit_code.shape", "organisation.unit_code", value=shown(code.value))


@rule(
    error("tax_code.missing", IVAN_FORM),
    warning("tax_code.missing_at_portal", "not proven: whether the portal asks for it is unknown"),
)
def tax_code_given(case: FormCase) -> Iterator[Hit]:
    """The tax code is given: I-VANs ask for it."""
    if not case.form.organisation.tax_code:
        code = "tax_code.missing" if case.ivan else "tax_code.missing_at_portal"
        yield hit(code, "organisation.tax_code")


@rule(
    error("tax_code.malformed", TAX_LAW),
    warning("tax_code.check_digit", "formula that two packages agree on; no law text found"),
)
def tax_code_shape(case: FormCase) -> Iterator[Hit]:
    """The tax code has 10, 10 and 3, or 12 digits, and its check digit is right."""
    code = case.form.organisation.tax_code
    if code and not code.is_well_formed:
        yield hit("tax_code.malformed", "organisation.tax_code", value=shown(code.masked))
    elif code and not code.check_digit_fits:
        yield hit("tax_code.check_digit", "organisation.tax_code", value=code.masked)


@rule(warning("organisation.address_missing", IVAN_FORM))
def address_given(case: FormCase) -> Iterator[Hit]:
    """The registered address is given where an I-VAN's form asks for it."""
    if case.ivan and case.reaches_people and not case.form.organisation.address:
        yield hit("organisation.address_missing", "organisation.address")
