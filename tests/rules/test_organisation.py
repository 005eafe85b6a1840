"""Rules about the organisation."""

from datetime import date

import pytest

from bhxh_sdk import catalogue, models
from bhxh_sdk.models import Action
from bhxh_sdk.rules import check

IVAN = catalogue.ivan("00040")
LICENCE = models.Attachment(file_name="licence.pdf", content=b"%PDF")
TODAY = date(2026, 11, 1)


def test_no_name_is_an_error(findings):
    assert findings(organisation={"name": " "}) == [("organisation.name_missing", "organisation.name")]


@pytest.mark.parametrize("action", [Action.ADJUST, Action.STOP])
def test_no_unit_code_is_an_error_but_for_registering(findings, action):
    expected = ("unit_code.missing", "organisation.unit_code")
    assert expected in findings(organisation={"unit_code": ""}, action=action)
    assert expected not in findings(organisation={"unit_code": ""})


def test_an_odd_unit_code_is_a_warning(findings):
    assert findings(organisation={"unit_code": "1234567890123"}) == [
        ("unit_code.shape", "organisation.unit_code")
    ]


def test_a_unit_code_in_small_letters_is_fine(findings):
    assert findings(organisation={"unit_code": "tz 0001-z"}) == []


def test_no_tax_code_is_an_error_through_an_ivan_and_a_warning_at_the_portal(findings):
    nothing = {"tax_code": ""}
    assert findings(organisation=nothing) == [("tax_code.missing_at_portal", "organisation.tax_code")]
    assert findings(organisation=nothing, transact_at=IVAN) == [("tax_code.missing", "organisation.tax_code")]


@pytest.mark.parametrize("code", ["123", "01001091060", "ABCDEFGHIJ", "0100109106-0011"])
def test_a_malformed_tax_code_is_an_error(findings, code):
    assert findings(organisation={"tax_code": code}) == [("tax_code.malformed", "organisation.tax_code")]


@pytest.mark.parametrize("code", ["0100109107", "0100109107-001"])
def test_a_wrong_check_digit_is_a_warning(findings, code):
    assert findings(organisation={"tax_code": code}) == [("tax_code.check_digit", "organisation.tax_code")]


@pytest.mark.parametrize("code", ["0100109106", "0100109106001", "0100109106-001", "001099000001"])
def test_a_good_tax_code_is_fine(findings, code):
    assert findings(organisation={"tax_code": code}) == []


def test_an_ivan_wants_the_registered_address(findings):
    assert findings(organisation={"address": ""}) == []
    assert findings(organisation={"address": ""}, transact_at=IVAN) == [
        ("organisation.address_missing", "organisation.address")
    ]


def test_a_first_registration_needs_the_licence_and_no_unit_code(spoilt):
    first = spoilt(organisation={"unit_code": None})
    assert check(first, on=TODAY).codes == ("attachment.licence_missing",)
    with_licence = spoilt(organisation={"unit_code": None}, attachments=(LICENCE,))
    assert check(with_licence, on=TODAY).codes == ()
