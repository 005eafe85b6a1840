"""Rules about the contact person."""

import pytest

from bhxh_sdk import catalogue, models
from bhxh_sdk.models import Action

IVAN = catalogue.ivan("00040")


@pytest.mark.parametrize(
    ("member", "code"), [("name", "contact.name_missing"), ("address", "contact.address_missing")]
)
def test_name_and_address_are_mandatory_but_to_stop(findings, member, code):
    expected = (code, f"contact.{member}")
    assert findings(contact={member: ""}) == [expected]
    assert expected not in findings(contact={member: ""}, action=Action.STOP)


def test_no_mobile_is_an_error_through_an_ivan_and_a_warning_at_the_portal(findings):
    assert findings(contact={"mobile": ""}) == [("mobile.missing_at_portal", "contact.mobile")]
    assert findings(contact={"mobile": ""}, transact_at=IVAN) == [("mobile.missing", "contact.mobile")]


@pytest.mark.parametrize("number", ["12345", "0212345678", "abc", "091234567", "+1 212 555 0100"])
def test_what_is_no_mobile_number_is_an_error(findings, number):
    assert findings(contact={"mobile": number}) == [("mobile.malformed", "contact.mobile")]


@pytest.mark.parametrize("number", ["0912345678", "+84 912 345 678", "0912.345.678"])
def test_a_mobile_number_is_fine_however_it_is_written(findings, number):
    assert findings(contact={"mobile": number}) == []


def test_no_email_is_an_error_on_the_electronic_route_and_a_warning_on_paper(findings):
    assert findings(contact={"email": ""}) == [("email.missing", "contact.email")]
    assert findings(contact={"email": ""}, use_certificate=False) == [
        ("email.missing_on_paper", "contact.email")
    ]


@pytest.mark.parametrize("address", ["hr", "hr@", "@example.com", "hr@@example.com", "a b@example.com"])
def test_what_is_no_email_address_is_an_error(findings, address):
    assert findings(contact={"email": address}) == [("email.malformed", "contact.email")]


@pytest.mark.parametrize("separator", [", ", ";", " "])
def test_two_addresses_are_an_error_of_their_own(findings, separator):
    both = f"a@example.com{separator}b@example.com"
    assert findings(contact={"email": both}) == [("email.several", "contact.email")]


def test_neither_mobile_nor_email_is_unreachable(findings):
    nobody = models.Contact(name="Nguyễn An", address="Số 1")
    assert ("contact.unreachable", "contact") in findings(contact=nobody)
    assert ("contact.unreachable", "contact") in findings(contact=nobody, action=Action.STOP)
    assert ("contact.unreachable", "contact") not in findings(contact={"email": ""})
