from __future__ import annotations

from datetime import date, datetime

import attrs
import pytest
from hypothesis import given
from strategies import any_registrations

from bhxh_sdk.errors import WrongTypeError
from bhxh_sdk.models import (
    Action,
    Agency,
    Attachment,
    Contact,
    Ivan,
    Organisation,
    Portal,
    Registration,
    Stop,
    UnitCode,
)

TODAY = date(2026, 9, 1)


def registration(**changes):
    return Registration(
        **{
            "agency": Agency(code="07906"),
            "organisation": Organisation(
                name="CÔNG TY TNHH VÍ DỤ", tax_code="0100109106", unit_code="TA0001A"
            ),
            "contact": Contact(name="Nguyễn Văn Ví Dụ"),
            **changes,
        }
    )


@given(any_registrations())
def test_models_are_values_that_can_be_kept_in_sets(form):
    assert len({form, attrs.evolve(form)}) == 1


def test_an_employer_without_a_unit_code_registers_for_the_first_time():
    new = Organisation(name="A", tax_code="0100109106", unit_code="")
    assert registration(organisation=new).is_first
    assert registration(organisation=new).unit_code is None
    assert not registration().is_first
    assert registration().unit_code == UnitCode("TA0001A")
    assert not registration(organisation=new, action="adjust").is_first


def test_an_action_may_be_named():
    assert registration(action="stop").action is Action.STOP


def test_empty_dates_are_filled_in():
    assert (registration().dated(TODAY).made_on, registration().dated(TODAY).starts_on) == (TODAY, TODAY)
    made = registration(made_on=date(2026, 8, 1)).dated(TODAY)
    assert (made.made_on, made.starts_on) == (date(2026, 8, 1), date(2026, 8, 1))
    later = registration(starts_on=date(2026, 10, 1)).dated(TODAY)
    assert (later.made_on, later.starts_on) == (TODAY, date(2026, 10, 1))
    assert later.dated(date(2027, 1, 1)) == later


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("agency", "07906"),
        ("organisation", {}),
        ("contact", None),
        ("transact_at", "portal"),
        ("use_certificate", 1),
        ("action", "begin"),
        ("action", ["register"]),
        ("result_delivery", 0),
        ("made_on", "2026-09-01"),
        ("starts_on", datetime(2026, 9, 1)),  # noqa: DTZ001  # the very mistake
        ("changes", 5),
        ("stop", {}),
        ("attachments", 5),
        ("attachments", ["a.pdf"]),
    ],
)
def test_a_wrong_type_is_refused_by_name(member, value):
    with pytest.raises(WrongTypeError) as caught:
        registration(**{member: value})
    assert caught.value.field == f"Registration.{member}"


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Attachment(file_name="a", content="text"), "Attachment.content"),
        (lambda: Attachment(file_name=None, content=b""), "Attachment.file_name"),
        (lambda: Stop(from_date="soon"), "Stop.from_date"),
        (lambda: Stop(reason=1), "Stop.reason"),
        (lambda: Ivan(40), "Ivan.code"),
        (lambda: Organisation(name=1, tax_code=""), "Organisation.name"),
        (lambda: Organisation(name="", tax_code=1), "TaxCode"),
        (lambda: Organisation(name="", tax_code="", unit_code=1), "UnitCode"),
        (lambda: Contact(name="", email=1), "EmailAddress"),
    ],
)
def test_a_wrong_type_inside_is_refused_by_name(make, field):
    with pytest.raises(WrongTypeError) as caught:
        make()
    assert caught.value.field == field


def test_identifiers_may_be_given_ready_made():
    code = UnitCode("TA0001A")
    assert Organisation(name="", tax_code="", unit_code=code).unit_code is code


def test_channels_are_values():
    assert Portal() == Portal()
    assert Ivan("00040") == Ivan(" 00040 ")


def test_the_bytes_of_an_attachment_are_not_shown():
    assert "<3 bytes>" in repr(Attachment(file_name="a", content=b"abc"))
