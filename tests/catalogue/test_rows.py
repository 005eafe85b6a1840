"""Rows of text become values."""

from datetime import date

from bhxh_sdk.catalogue import rows
from bhxh_sdk.models import Certainty

ROW = {
    "code": "00199",
    "name": "Example",
    "province_code": "01",
    "parent_code": "",
    "level": "",
    "vss_internal_id": "",
    "valid_from": "2025",
    "valid_to": "2026-03-31",
    "source": "test",
    "certainty": "LIKELY name",
}


def test_a_first_year_begins_on_its_first_day():
    (agency,) = rows.agencies([ROW])
    assert (agency.valid_from, agency.valid_to) == (date(2025, 1, 1), date(2026, 3, 31))
    assert agency.level is None
    assert agency.validity_certainty is Certainty.RECALLED


def test_whole_dates_are_as_sure_as_their_row():
    (agency,) = rows.agencies([ROW | {"valid_from": ""}])
    assert agency.validity_certainty is Certainty.LIKELY
