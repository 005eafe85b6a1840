from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import any_text, emails, mobiles, tax_codes, unit_codes

from bhxh_sdk.errors import WrongTypeError
from bhxh_sdk.models import AgencyCode, EmailAddress, MobileNumber, PersonalId, TaxCode, TaxCodeKind, UnitCode
from bhxh_sdk.models.identifiers import Identifier

KINDS = (AgencyCode, EmailAddress, MobileNumber, PersonalId, TaxCode, UnitCode, Identifier)


@given(st.sampled_from(KINDS), any_text())
def test_every_text_is_kept_and_judged_never_refused(kind, value):
    identifier = kind(value)
    assert kind(identifier.value) == identifier
    assert str(identifier) == identifier.value
    assert bool(identifier) == bool(identifier.value)
    assert identifier.is_well_formed in {True, False}
    if kind is TaxCode:
        assert identifier.check_digit_fits in {True, False}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [5, None, b"0100109106"])
def test_what_is_not_text_is_refused_by_name(kind, value):
    with pytest.raises(WrongTypeError) as caught:
        kind(value)
    assert caught.value.field == kind.__name__


@pytest.mark.parametrize(
    ("typed", "value", "kind", "organisation"),
    [
        ("0100109106", "0100109106", TaxCodeKind.ORGANISATION, "0100109106"),
        (" 0100 109.106 ", "0100109106", TaxCodeKind.ORGANISATION, "0100109106"),
        ("0100109106001", "0100109106-001", TaxCodeKind.BRANCH, "0100109106"),
        ("0100109106-001", "0100109106-001", TaxCodeKind.BRANCH, "0100109106"),
        ("001099000001", "001099000001", TaxCodeKind.PERSON, "001099000001"),
        ("12345", "12345", TaxCodeKind.OTHER, "12345"),
        ("", "", TaxCodeKind.OTHER, ""),
        ("٠١٠٠١٠٩١٠٦", "٠١٠٠١٠٩١٠٦", TaxCodeKind.OTHER, "٠١٠٠١٠٩١٠٦"),
    ],
)
def test_a_tax_code_is_known_by_its_shape(typed, value, kind, organisation):
    code = TaxCode(typed)
    assert (code.value, code.kind, code.organisation) == (value, kind, organisation)
    assert code.is_well_formed == (kind is not TaxCodeKind.OTHER)


@given(tax_codes())
def test_a_right_check_digit_fits(value):
    assert TaxCode(value).check_digit_fits


@given(tax_codes(), st.integers(1, 9))
def test_a_wrong_check_digit_does_not_fit(value, step):
    code = TaxCode(value)
    if code.kind is not TaxCodeKind.PERSON:
        wrong = f"{value[:9]}{(int(value[9]) + step) % 10}{value[10:]}"
        assert not TaxCode(wrong).check_digit_fits


def test_personal_data_is_masked():
    assert TaxCode("001099000123").masked == "*********123"
    assert TaxCode("0100109106").masked == "0100109106"
    assert "00109900" not in repr(PersonalId("001099000123"))


@given(unit_codes())
def test_unit_codes_are_written_in_upper_case(value):
    code = UnitCode(value.lower())
    assert code.value == value
    assert code.is_well_formed


@pytest.mark.parametrize(
    ("value", "well_formed"), [("07906", True), ("001", True), ("79", False), ("7906a", False)]
)
def test_an_agency_code_has_three_to_five_digits(value, well_formed):
    assert AgencyCode(value).is_well_formed is well_formed


@pytest.mark.parametrize(("value", "well_formed"), [("001 099 000 001", True), ("00109900000", False)])
def test_a_personal_id_has_twelve_digits(value, well_formed):
    assert PersonalId(value).is_well_formed is well_formed


@given(mobiles())
def test_a_mobile_number_is_read_in_every_usual_form(value):
    forms = [
        value,
        f"+84{value[1:]}",
        f"0084 {value[1:]}",
        f"84{value[1:]}",
        f"({value[:4]}) {value[4:7]}-{value[7:]}",
    ]
    assert {MobileNumber(form).value for form in forms} == {value}
    assert MobileNumber(value).is_well_formed


@pytest.mark.parametrize("value", ["02438252412", "0123456789", "091234567", "+12025550123", "mobile", ""])
def test_other_numbers_are_no_mobile_numbers(value):
    assert not MobileNumber(value).is_well_formed


@given(emails())
def test_a_mail_address_is_well_formed(value):
    assert EmailAddress(value).is_well_formed


@pytest.mark.parametrize(
    "value", ["", "a", "a@b@example.com", "a@example.com, b@example.com", "a@exa mple.com"]
)
def test_other_texts_are_no_mail_addresses(value):
    assert not EmailAddress(value).is_well_formed
