"""The BHXH agency that a registration goes to, and how sure a fact about it is."""

from __future__ import annotations

from datetime import date  # noqa: TC003  # attrs and cattrs read the annotations at run time
from enum import Enum

from attrs import field, frozen

from bhxh_sdk.models.identifiers import AgencyCode, as_agency_code
from bhxh_sdk.models.text import as_text, is_text

__all__ = ["Agency", "AgencyLevel", "Certainty"]


class Certainty(Enum):
    """How well a fact is proven."""

    SEEN = "seen"
    LIKELY = "likely"
    RECALLED = "recalled"
    UNKNOWN = "unknown"


class AgencyLevel(Enum):
    """Where an agency stands in the organisation of Vietnam Social Security."""

    PROVINCE = "province"
    DISTRICT = "district"
    BASE = "base"


@frozen(kw_only=True)
class Agency:
    """Name a BHXH agency.

    Two agencies are equal when code and name are; the rest tells where the facts come from.

    Args:
        code: agency code as text of 3 to 5 digits, such as `07906`.
        name: name as the list prints it; empty where no source gives one.
        level: province level, district office (until 2025) or base office (BHXH cơ sở); None when unknown.
        province_code: the two province digits inside the code, numbering from before July 2025.
        parent_code: code of the province-level agency; empty when unknown.
        internal_id: the numeric id that some portal calls use in place of the code; empty when unknown.
        valid_from: first day, None when unknown.
        valid_to: last day, None when open or unknown. Where only the year is known, its last day.
        source: where the facts were seen.
        certainty: how well code and name are proven.
        validity_certainty: how well the two dates are proven.

    """

    code: AgencyCode = field(converter=as_agency_code)
    name: str = field(converter=as_text, validator=is_text, default="")
    level: AgencyLevel | None = field(default=None, eq=False)
    province_code: str = field(converter=as_text, validator=is_text, default="", eq=False)
    parent_code: str = field(converter=as_text, validator=is_text, default="", eq=False)
    internal_id: str = field(converter=as_text, validator=is_text, default="", eq=False)
    valid_from: date | None = field(default=None, eq=False)
    valid_to: date | None = field(default=None, eq=False)
    source: str = field(converter=as_text, validator=is_text, default="", eq=False)
    certainty: Certainty = field(default=Certainty.UNKNOWN, eq=False)
    validity_certainty: Certainty = field(default=Certainty.UNKNOWN, eq=False)

    def in_force_on(self, day: date) -> bool:
        """Tell whether the known dates allow the agency to be in force on that day."""
        started = self.valid_from is None or self.valid_from <= day
        ended = self.valid_to is not None and self.valid_to < day
        return started and not ended
