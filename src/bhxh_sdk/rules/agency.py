"""Rules about the managing agency (step 14)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bhxh_sdk.errors import UnknownCodeError
from bhxh_sdk.models import Agency, AgencyLevel, Certainty
from bhxh_sdk.models.text import normalised, same_name
from bhxh_sdk.rules.rule import FormCase, Hit, error, hit, rule, shown, warning
from bhxh_sdk.rules.sources import AGENCY_LIST, GUIDE_14

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

__all__ = ["code_given", "code_known", "in_force", "managing_level", "name_as_listed", "name_given"]

_PROVINCE_LEVEL_DIGITS = 3
_SHAPES = "codes met in documents: 5 digits, 3 at province level"


@rule(error("agency.code_missing", GUIDE_14), warning("agency.code_shape", _SHAPES))
def code_given(case: FormCase) -> Iterator[Hit]:
    """The agency's code is given and has 3 to 5 digits."""
    code = case.form.agency.code
    if not code:
        yield hit("agency.code_missing", "agency.code")
    elif not code.is_well_formed:
        yield hit("agency.code_shape", "agency.code", value=shown(code.value), similar=_with_zero(case))


@rule(warning("agency.unknown", AGENCY_LIST))
def code_known(case: FormCase) -> Iterator[Hit]:
    """The code is in the list of agencies; the list is incomplete."""
    code = case.form.agency.code
    if code.is_well_formed and case.listed_agency is None:
        yield hit(
            "agency.unknown",
            "agency.code",
            value=code.value,
            similar=_with_zero(case) or case.similar_agencies,
        )


def _with_zero(case: FormCase) -> str:
    """Return the listed agency whose code is the given one with a zero before it: spreadsheets drop it."""
    try:
        meant = case.catalogue.agency(f"0{case.form.agency.code.value}")
    except UnknownCodeError:
        return ""
    return f"{meant.code} {meant.name}".strip()


@rule(error("agency.name_missing", GUIDE_14))
def name_given(case: FormCase) -> Iterator[Hit]:
    """The name is given, or the list has it: no declaration can be drawn up without one."""
    agency, listed = case.form.agency, case.listed_agency
    if agency.code and not agency.name and not (listed and listed.name):
        yield hit("agency.name_missing", "agency.name", value=shown(agency.code.value))


@rule(warning("agency.name_differs", AGENCY_LIST))
def name_as_listed(case: FormCase) -> Iterator[Hit]:
    """The name is the one in the list, marks included; the usual abbreviation counts as the full words."""
    name, listed = case.form.agency.name, case.listed_agency
    if listed and name and listed.name and not same_name(_abbreviated(name), _abbreviated(listed.name)):
        yield hit("agency.name_differs", "agency.name", value=shown(name), listed=listed.name)


def _abbreviated(name: str) -> str:
    return re.sub(r"bảo\s+hiểm\s+xã\s+hội", "BHXH", normalised(name), flags=re.IGNORECASE)


@rule(
    error("agency.not_in_force", "the agency's dates in the list, proven"),
    warning("agency.maybe_not_in_force", "the agency's dates in the list, not proven"),
)
def in_force(case: FormCase) -> Iterator[Hit]:
    """The agency exists on the day; its own dates count before those of the list."""
    own = case.form.agency
    dated = own if own.valid_from or own.valid_to else case.listed_agency
    if dated is not None and not dated.in_force_on(case.on):
        proven = dated.validity_certainty is Certainty.SEEN
        code = "agency.not_in_force" if proven else "agency.maybe_not_in_force"
        yield hit(code, "agency.code", value=shown(own.code.value), **_limits(dated, case.on))


def _limits(agency: Agency, on: date) -> dict[str, str]:
    days = {"on": on, "valid_from": agency.valid_from, "valid_to": agency.valid_to}
    return {name: day.isoformat() if day else "" for name, day in days.items()}


@rule(warning("agency.province_level", GUIDE_14))
def managing_level(case: FormCase) -> Iterator[Hit]:
    """The agency is the one that manages directly, not the one above it."""
    agency = case.form.agency
    listed = case.listed_agency
    level = agency.level or (listed.level if listed else None)
    short = agency.code.is_well_formed and len(agency.code.value) == _PROVINCE_LEVEL_DIGITS
    if level is AgencyLevel.PROVINCE or (level is None and short):
        yield hit("agency.province_level", "agency.code", value=shown(agency.code.value))
