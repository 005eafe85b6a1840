"""Rules about the managing agency."""

from datetime import date

import pytest

from bhxh_sdk import catalogue, models
from bhxh_sdk.catalogue import Catalogue, ListUpdate
from bhxh_sdk.findings import Severity
from bhxh_sdk.models import AgencyLevel, Certainty
from bhxh_sdk.rules import check

TODAY = date(2026, 11, 1)
LAST_DAY = date(2025, 12, 31)


def agency(code, name="", **facts):
    return models.Agency(code=code, name=name, **facts)


def test_a_listed_base_office_is_fine(findings):
    assert findings() == []


def test_no_code_is_an_error(findings):
    assert findings(agency=agency("")) == [("agency.code_missing", "agency.code")]


@pytest.mark.parametrize("code", ["12", "123456", "AB123", "٠٧٩٠٦"])
def test_an_odd_code_is_a_warning(findings, code):
    assert findings(agency=agency(code, "BHXH Ví Dụ")) == [("agency.code_shape", "agency.code")]


def test_an_unlisted_code_is_a_warning_that_names_what_may_be_meant(spoilt):
    report = check(spoilt(agency=agency("07960", "BHXH cơ sở Ví Dụ")), on=TODAY)
    assert report.ok
    assert report.codes == ("agency.unknown",)
    assert "07906" in report.findings[0].hint("vi")


def test_a_code_like_no_other_gets_a_hint_without_a_suggestion(spoilt):
    (finding,) = check(spoilt(agency=agency("99999", "BHXH Ví Dụ")), on=TODAY)
    assert finding.parameters["similar"] == ""
    assert "?" not in finding.hint("en")


@pytest.mark.parametrize(("code", "meant"), [("7906", "07906"), ("01", "001")])
def test_a_code_that_lost_its_first_zero_is_offered_with_it(spoilt, code, meant):
    (finding,) = check(spoilt(agency=agency(code, "BHXH Ví Dụ")), on=TODAY).findings
    assert str(finding.parameters["similar"]).startswith(meant)
    assert meant in finding.hint("vi")
    assert meant in finding.hint("en")


@pytest.mark.parametrize("code", ["99999", "001"])
def test_an_agency_whose_name_nobody_knows_is_an_error(spoilt, code):
    report = check(spoilt(agency=agency(code)), on=TODAY)
    assert [(finding.code, finding.field) for finding in report.errors] == [
        ("agency.name_missing", "agency.name")
    ]


def test_another_name_is_a_warning(findings):
    assert findings(agency=agency("07906", "BHXH cơ sở Bình Thanh")) == [
        ("agency.name_differs", "agency.name")
    ]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "BHXH cơ sở Bình Thạnh",
        "bảo  hiểm xã hội CƠ SỞ bình thạnh",
        "Bảo hiểm xã hội cơ sở Bình Tha\u0323nh",
    ],
)
def test_the_same_name_in_other_letters_is_fine(findings, name):
    assert findings(agency=agency("07906", name)) == []


def test_a_listed_agency_without_a_name_accepts_any(findings):
    assert findings(agency=agency("001", "BHXH thành phố Hà Nội")) == [
        ("agency.province_level", "agency.code")
    ]


def test_an_office_that_may_have_ended_is_a_warning(spoilt):
    report = check(spoilt(agency=catalogue.agency("00101")), on=TODAY)
    assert report.codes == ("agency.maybe_not_in_force",)
    assert report.ok
    assert "2025-12-31" in report.findings[0].message("vi")
    assert "BHXH cơ sở" in report.findings[0].hint("vi")


def test_the_list_tells_the_end_of_an_agency_typed_by_hand(findings):
    assert ("agency.maybe_not_in_force", "agency.code") in findings(
        agency=agency("00101", "BHXH Quận Ba Đình")
    )


def test_an_office_is_fine_on_a_day_when_it_existed(findings):
    assert findings(agency=catalogue.agency("00101"), on=LAST_DAY) == []


def test_a_proven_end_is_an_error(spoilt):
    ended = agency("07906", valid_to=LAST_DAY, validity_certainty=Certainty.SEEN)
    (finding,) = check(spoilt(agency=ended), on=TODAY)
    assert (finding.code, finding.severity) == ("agency.not_in_force", Severity.ERROR)


def test_an_agency_that_is_yet_to_start_is_found(spoilt):
    future = agency("07906", valid_from=date(2027, 1, 1), validity_certainty=Certainty.LIKELY)
    (finding,) = check(spoilt(agency=future), on=TODAY)
    assert finding.code == "agency.maybe_not_in_force"
    assert "2027-01-01" in finding.message("en")
    assert "until" not in finding.message("en")


@pytest.mark.parametrize(
    "chosen", [agency("040"), agency("99998", level=AgencyLevel.PROVINCE), agency("001")], ids=str
)
def test_a_province_level_agency_is_a_warning(findings, chosen):
    assert ("agency.province_level", "agency.code") in findings(agency=chosen)


def test_a_short_code_known_as_a_base_office_is_fine(findings):
    assert ("agency.province_level", "agency.code") not in findings(
        agency=agency("903", level=AgencyLevel.BASE)
    )


def test_another_catalogue_decides_when_it_is_given(findings):
    row = agency("07999", "BHXH cơ sở Ví Dụ")
    lists = Catalogue().refreshed(ListUpdate(list_name="agencies", rows=(row,), source="test", as_of=TODAY))
    assert findings(agency=row, lists=lists) == []
    assert findings(agency=row) == [("agency.unknown", "agency.code")]
