"""From a row of text to a value, one function per list."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

from attrs import evolve

from bhxh_sdk.catalogue.values import Authority, ListedIvan, Province, ProvinceMerge, Ward
from bhxh_sdk.models import Agency, AgencyCode, AgencyLevel, Certainty

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bhxh_sdk.catalogue.files import Row

__all__ = ["agencies", "authorities", "ivans", "province_merges", "provinces", "wards"]

_SEEN_AT = {
    "on_vss_portal_home_2025": "portal_home_2025",
    "in_provider_dropdown": "provider_dropdown",
    "in_public_ca_list_2026_07": "public_list_2026_07",
}


def _certainty(text: str) -> Certainty:
    """Take the first word of a remark such as `SEEN as of 2020`."""
    word = re.match("[A-Z]+", text)
    return Certainty(word[0].lower()) if word else Certainty.UNKNOWN


def _day(text: str, year_end: bool = False) -> date | None:  # noqa: FBT001, FBT002  # two kinds of ends, nothing more
    if re.fullmatch(r"[0-9]{4}", text):
        return date(int(text), 12, 31) if year_end else date(int(text), 1, 1)
    return date.fromisoformat(text) if text else None


def _validity_certainty(row: Row) -> Certainty:
    """A bare year is general knowledge (`RECALLED`); a whole date is as sure as its row."""
    days = [text for text in (row["valid_from"], row["valid_to"]) if text]
    if not days:
        return Certainty.UNKNOWN
    return Certainty.RECALLED if min(map(len, days)) == len("2025") else _certainty(row["certainty"])


def agencies(rows: Iterable[Row]) -> tuple[Agency, ...]:
    """Make agencies."""
    return tuple(
        Agency(
            code=AgencyCode(row["code"]),
            name=row["name"],
            level=AgencyLevel(row["level"]) if row["level"] else None,
            province_code=row["province_code"],
            parent_code=row["parent_code"],
            internal_id=row["vss_internal_id"],
            valid_from=_day(row["valid_from"]),
            valid_to=_day(row["valid_to"], year_end=True),
            source=row["source"],
            certainty=_certainty(row["certainty"]),
            validity_certainty=_validity_certainty(row),
        )
        for row in rows
    )


def ivans(rows: Iterable[Row]) -> tuple[ListedIvan, ...]:
    """Make I-VANs."""
    return tuple(
        ListedIvan(
            code=row["code"],
            name=row["name"],
            site=row["site"],
            site_certainty=_certainty(row["site_certainty"]),
            source=row["source"],
            certainty=_certainty(row["code_certainty"]),
            note=row["note"],
        )
        for row in rows
    )


def provinces(rows: Iterable[Row]) -> tuple[Province, ...]:
    """Make provinces; rows of one code and generation are one province with several names."""
    groups: dict[tuple[str, str], list[Province]] = defaultdict(list)
    for row in rows:
        groups[row["generation"], row["code"]].append(_province(row))
    return tuple(
        evolve(
            first,
            other_names=tuple(other.name for other in others),
            legal_note="; ".join(row.legal_note for row in (first, *others)),
        )
        for first, *others in groups.values()
    )


def _province(row: Row) -> Province:
    return Province(
        code=row["code"],
        generation=int(row["generation"]),
        name=row["name"],
        short_name=row["short_name"],
        valid_from=_day(row["valid_from"]),
        valid_to=_day(row["valid_to"]),
        merged_into=row["merged_into"],
        personal_id_prefix=row["cccd_code"],
        phone_area_code=row["phone_area_code"],
        ward_count=int(row["ward_count"]) if row["ward_count"] else None,
        legal_note=row["legal_note"],
        source=row["source"],
        certainty=_certainty(row["certainty"]),
    )


def province_merges(rows: Iterable[Row]) -> tuple[ProvinceMerge, ...]:
    """Make the map from the 63 provinces to the 34."""
    return tuple(
        ProvinceMerge(
            old_code=row["old_code"],
            old_name=row["old_name"],
            new_code=row["new_code"],
            new_name=row["new_name"],
            effective=date.fromisoformat(row["effective"]),
            law=row["law"],
            source=row["source"],
            certainty=_certainty(row["certainty"]),
            note=row["note"],
        )
        for row in rows
    )


def wards(rows: Iterable[Row]) -> tuple[Ward, ...]:
    """Make wards."""
    return tuple(
        Ward(
            code=row["code"],
            name=row["name"],
            province_code=row["province_code"],
            source=row["source"],
            note=row["note"],
        )
        for row in rows
    )


def authorities(rows: Iterable[Row]) -> tuple[Authority, ...]:
    """Make the names of certification authorities."""
    return tuple(
        Authority(
            name=row["name"],
            operator=row["operator"],
            site=row["site"],
            remote_signing_service=row["remote_signing_service"],
            seen_at=tuple(place for column, place in _SEEN_AT.items() if row[column] == "yes"),
            source=row["source"],
            certainty=_certainty(row["certainty"]),
            note=row["note"],
        )
        for row in rows
    )
