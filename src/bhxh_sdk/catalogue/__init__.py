"""Catalogue: agencies, I-VANs, provinces, wards, certification authorities, as of a date, with their sources.

The shipped lists are small and partly old; each says so in `sources()`. A newer list is laid over with
`Catalogue.refreshed`, never silently.
"""

from bhxh_sdk.catalogue.lists import Catalogue
from bhxh_sdk.catalogue.refresh import ListDifference, ListUpdate, Renamed
from bhxh_sdk.catalogue.shipped import (
    agency,
    authorities,
    find_agencies,
    find_ivans,
    find_provinces,
    find_wards,
    ivan,
    ivans,
    merged_into,
    province,
    shipped,
    sources,
    ward,
    wards,
)
from bhxh_sdk.catalogue.values import Authority, ListedIvan, ListSource, Province, ProvinceMerge, Ward

__all__ = [
    "Authority",
    "Catalogue",
    "ListDifference",
    "ListSource",
    "ListUpdate",
    "ListedIvan",
    "Province",
    "ProvinceMerge",
    "Renamed",
    "Ward",
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
