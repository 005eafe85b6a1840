"""The shipped catalogue, and its look-ups as plain functions."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from bhxh_sdk.catalogue.lists import Catalogue

if TYPE_CHECKING:
    from datetime import date

    from bhxh_sdk.catalogue.values import Authority, ListSource, Province, ProvinceMerge, Ward
    from bhxh_sdk.models import Agency, AgencyCode, Ivan

__all__ = [
    "agency",
    "authorities",
    "find_agencies",
    "find_ivans",
    "find_provinces",
    "find_wards",
    "ivan",
    "ivans",
    "merged_into",
    "province",
    "shipped",
    "sources",
    "ward",
    "wards",
]


@cache
def shipped() -> Catalogue:
    """Return the catalogue of the shipped lists; nothing is read before it is asked for."""
    return Catalogue()


def agency(code: str | AgencyCode, on: date | None = None) -> Agency:
    """Return a shipped agency by its code: see `Catalogue.agency`."""
    return shipped().agency(code, on)


def find_agencies(text: str, on: date | None = None, limit: int = 10) -> tuple[Agency, ...]:
    """Search the shipped agencies: see `Catalogue.find_agencies`."""
    return shipped().find_agencies(text, on, limit)


def ivan(code: str) -> Ivan:
    """Return a shipped I-VAN by its code: see `Catalogue.ivan`."""
    return shipped().ivan(code)


def ivans() -> tuple[Ivan, ...]:
    """Return the shipped I-VANs: see `Catalogue.ivans`."""
    return shipped().ivans()


def find_ivans(text: str, limit: int = 10) -> tuple[Ivan, ...]:
    """Search the shipped I-VANs: see `Catalogue.find_ivans`."""
    return shipped().find_ivans(text, limit)


def province(code: str, on: date | None = None) -> Province:
    """Return a shipped province by its code: see `Catalogue.province`."""
    return shipped().province(code, on)


def find_provinces(text: str, on: date | None = None, limit: int = 10) -> tuple[Province, ...]:
    """Search the shipped provinces: see `Catalogue.find_provinces`."""
    return shipped().find_provinces(text, on, limit)


def merged_into(old_code: str) -> ProvinceMerge:
    """Tell which of today's provinces one of the 63 went into: see `Catalogue.merged_into`."""
    return shipped().merged_into(old_code)


def ward(code: str) -> Ward:
    """Return a shipped ward by its code: see `Catalogue.ward`."""
    return shipped().ward(code)


def wards(province_code: str) -> tuple[Ward, ...]:
    """Return the shipped wards of a province: see `Catalogue.wards`."""
    return shipped().wards(province_code)


def find_wards(text: str, province_code: str | None = None, limit: int = 10) -> tuple[Ward, ...]:
    """Search the shipped wards: see `Catalogue.find_wards`."""
    return shipped().find_wards(text, province_code, limit)


def authorities() -> tuple[Authority, ...]:
    """Return the names of certification authorities met; no list of licences: see `Catalogue.authorities`."""
    return shipped().authorities()


def sources() -> tuple[ListSource, ...]:
    """Return where every shipped list comes from."""
    return shipped().sources()
