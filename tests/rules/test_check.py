"""`check` reports all at once, in the order of the form, and never raises."""

import unicodedata
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import any_registrations, registrations

from bhxh_sdk.errors import WrongTypeError
from bhxh_sdk.messages import LANGUAGES
from bhxh_sdk.models import Action, Ivan, Portal
from bhxh_sdk.rules import check, verdicts

TODAY = date(2026, 11, 1)
KNOWN = {verdict.code: verdict for verdict in verdicts()}


@settings(max_examples=300)
@given(any_registrations(), st.dates(), st.sampled_from([None, True, False]))
def test_any_form_gets_a_report(form, day, confirmed):
    report = check(form, on=day, confirmed=confirmed)
    for finding in report:
        assert finding.severity is KNOWN[finding.code].severity
        assert finding.source == KNOWN[finding.code].source
        for language in LANGUAGES:
            texts = (finding.message(language), finding.hint(language))
            assert all(text and not steering(text) for text in texts)


def steering(text):
    return [letter for letter in text if unicodedata.category(letter)[0] == "C"]


@settings(max_examples=300)
@given(registrations())
def test_a_valid_form_has_no_error(form):
    assert check(form, on=TODAY, confirmed=True).errors == ()


@pytest.mark.parametrize("channel", [Portal, Ivan])
@pytest.mark.parametrize("use_certificate", [True, False])
@pytest.mark.parametrize("action", Action)
def test_valid_forms_exist_for_every_procedure(action, use_certificate, channel):
    @settings(max_examples=5)
    @given(registrations(action=action, channel=channel, use_certificate=use_certificate))
    def holds(form):
        assert (form.action, form.use_certificate, type(form.transact_at)) == (
            action,
            use_certificate,
            channel,
        )
        assert check(form, on=TODAY).ok

    holds()


@settings(max_examples=20)
@given(registrations(first=True))
def test_valid_first_registrations_exist(form):
    assert form.is_first
    assert form.attachments
    assert check(form, on=TODAY).ok


def test_findings_stand_in_the_order_of_the_form(spoilt):
    form = spoilt(
        agency={"name": "x\x01"},
        organisation={"name": ""},
        contact={"email": ""},
        transact_at=Ivan(""),
        made_on=date(2026, 12, 1),
    )
    assert [finding.field for finding in check(form, on=TODAY, confirmed=False)] == [
        "agency.name",
        "agency.name",
        "organisation.name",
        "contact.email",
        "transact_at.code",
        "confirmed",
        "made_on",
    ]


@pytest.mark.parametrize("day", [datetime(2026, 11, 1, tzinfo=UTC), "2026-11-01", None])
def test_a_day_that_is_none_is_a_wrong_type(form, day):
    with pytest.raises(WrongTypeError) as caught:
        check(form, on=day)
    assert caught.value.field == "on"
