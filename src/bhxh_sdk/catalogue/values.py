"""What the code lists hold, besides `models.Agency` and `models.Ivan`."""

from __future__ import annotations

from datetime import date  # noqa: TC003  # attrs reads the annotations at run time

from attrs import field, frozen

from bhxh_sdk.models import Certainty, Ivan

__all__ = ["Authority", "ListSource", "ListedIvan", "Province", "ProvinceMerge", "Ward"]


@frozen(kw_only=True)
class Province:
    """A province or centrally governed city.

    Two provinces are equal when code and generation are: names move, as with the upgrades to cities in 2026.

    Args:
        code: two digits as text, such as `79`.
        generation: 63 for the provinces until 2025-06-30, 34 for those from 2025-07-01.
        name: full name, such as `Tỉnh Quảng Ninh`.
        other_names: further names of the same province whose first day is not known.
        short_name: the name without its unit word.
        valid_from: first day, None when unknown.
        valid_to: last day, None when open.
        merged_into: code since 2025-07-01, for the 63.
        personal_id_prefix: first three digits of personal ids registered there, for the 63.
        phone_area_code: area code of fixed lines, for the 34.
        ward_count: number of wards, None when unknown.
        legal_note: the law that made it.
        source: where the facts were seen.
        certainty: how well they are proven.

    """

    code: str
    generation: int
    name: str = field(eq=False)
    other_names: tuple[str, ...] = field(default=(), eq=False)
    short_name: str = field(default="", eq=False)
    valid_from: date | None = field(default=None, eq=False)
    valid_to: date | None = field(default=None, eq=False)
    merged_into: str = field(default="", eq=False)
    personal_id_prefix: str = field(default="", eq=False)
    phone_area_code: str = field(default="", eq=False)
    ward_count: int | None = field(default=None, eq=False)
    legal_note: str = field(default="", eq=False)
    source: str = field(default="", eq=False)
    certainty: Certainty = field(default=Certainty.UNKNOWN, eq=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that may be printed for it."""
        return (self.name, *self.other_names)

    def in_force_on(self, day: date) -> bool:
        """Tell whether the known dates allow the province to exist on that day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


@frozen(kw_only=True)
class ProvinceMerge:
    """Tell which of today's provinces one of the 63 went into.

    Source: Resolution 202/2025/QH15.

    Args:
        old_code: code until 2025-06-30.
        old_name: name until then.
        new_code: code from the effective day; it may be the old one although the name changed.
        new_name: name from then.
        effective: first day.
        law: the law behind it.
        source: where the row was seen.
        certainty: how well it is proven.
        note: what else is known.

    """

    old_code: str
    old_name: str
    new_code: str
    new_name: str
    effective: date
    law: str = ""
    source: str = ""
    certainty: Certainty = Certainty.UNKNOWN
    note: str = ""


@frozen(kw_only=True)
class Ward:
    """A ward, commune or special zone (phường, xã, đặc khu) since July 2025.

    Args:
        code: five digits as text.
        name: full name.
        province_code: today's province.
        source: where it was seen.
        note: what is odd about the row, empty for nearly all.

    """

    code: str
    name: str
    province_code: str
    source: str = ""
    note: str = ""


@frozen(kw_only=True)
class ListedIvan:
    """An I-VAN as the portal lists it.

    Args:
        code: five digits as text, also the code inside documents.
        name: name as the portal prints it.
        site: the address linked on the portal's home page; empty when unknown.
        site_certainty: how well the site is proven.
        source: where the row was seen.
        certainty: how well code and name are proven.
        note: what else is known.

    """

    code: str
    name: str
    site: str = ""
    site_certainty: Certainty = Certainty.UNKNOWN
    source: str = ""
    certainty: Certainty = Certainty.UNKNOWN
    note: str = ""

    @property
    def ivan(self) -> Ivan:
        """The value that a registration takes in `transact_at`."""
        return Ivan(self.code, self.name)


@frozen(kw_only=True)
class Authority:
    """The name of a certification authority or signing provider met around social insurance.

    It says nothing about a licence and gives no trust: identify an authority by its certificate chain.

    Args:
        name: the name met.
        operator: who runs it; empty when unknown.
        site: its address; empty when unknown.
        remote_signing_service: name of its remote signing service; empty when none is known.
        seen_at: the lists that name it: `portal_home_2025`, `provider_dropdown`, `public_list_2026_07`.
        source: where the name was seen.
        certainty: how well the name is proven.
        note: what else is known.

    """

    name: str
    operator: str = ""
    site: str = ""
    remote_signing_service: str = ""
    seen_at: tuple[str, ...] = ()
    source: str = ""
    certainty: Certainty = Certainty.UNKNOWN
    note: str = ""


@frozen(kw_only=True)
class ListSource:
    """Tell where a list comes from.

    Args:
        name: the list's name, such as `agencies`.
        rows: how many rows it has.
        as_of: when it was true, in words or as a date.
        source: where it was seen.
        certainty: how well it is proven, in words.
        gaps: what is missing, in words.
        sha256: checksum of the shipped file in hexadecimal; empty for an update.
        refreshed: whether it is an update laid over the shipped list.

    """

    name: str
    rows: int
    as_of: str
    source: str
    certainty: str = ""
    gaps: str = ""
    sha256: str = ""
    refreshed: bool = False
