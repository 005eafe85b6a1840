"""Rules about the certificate."""

from datetime import UTC, date, datetime, timedelta

import pytest
from attrs import evolve

from bhxh_sdk.errors import WrongTypeError
from bhxh_sdk.findings import Severity
from bhxh_sdk.models import PersonalId, TaxCode
from bhxh_sdk.rules import check, check_certificate

MOMENT = datetime(2026, 11, 1, 8, tzinfo=UTC)


@pytest.fixture
def judged(form, certificate):
    """Codes found in a changed certificate, for a changed organisation, at a moment."""

    def judge(moment=MOMENT, organisation=None, **changes):
        changed = evolve(certificate, **changes)
        owner = evolve(form.organisation, **(organisation or {}))
        return list(check_certificate(changed, owner, moment).codes)

    return judge


def test_the_organisations_own_certificate_is_fine(judged):
    assert judged() == []


def test_validity_is_judged_to_the_second(judged):
    assert judged(not_after=MOMENT - timedelta(seconds=1)) == ["certificate.expired"]
    assert judged(not_after=MOMENT) == ["certificate.expires_soon"]
    assert judged(not_before=MOMENT + timedelta(seconds=1)) == ["certificate.not_yet_valid"]
    assert judged(not_before=MOMENT) == []


def test_the_last_sixty_days_are_a_warning(judged):
    assert judged(not_after=MOMENT + timedelta(days=60)) == ["certificate.expires_soon"]
    assert judged(not_after=MOMENT + timedelta(days=61)) == []


def test_a_key_that_may_not_sign_is_an_error(judged):
    assert judged(signing_allowed=False) == ["certificate.not_for_signing"]


@pytest.mark.parametrize(("kind", "bits"), [("rsa", 1024), ("ec", 192)])
def test_a_short_key_is_an_error(judged, kind, bits):
    assert judged(key_kind=kind, key_bits=bits) == ["certificate.key_too_short"]


@pytest.mark.parametrize(("kind", "bits"), [("rsa", 2048), ("ec", 256), ("ed25519", 0)])
def test_a_long_key_is_fine(judged, kind, bits):
    assert judged(key_kind=kind, key_bits=bits) == []


def test_no_tax_code_in_the_subject_is_a_warning(judged):
    assert judged(tax_codes=()) == ["certificate.tax_code_absent"]


def test_another_tax_code_is_an_error_that_shows_both(form, certificate):
    other = evolve(certificate, tax_codes=(TaxCode("0200109102"),))
    (finding,) = check_certificate(other, form.organisation, MOMENT)
    assert (finding.code, finding.severity) == ("certificate.tax_code_differs", Severity.ERROR)
    assert finding.parameters == {"expected": "0100109106", "found": "0200109102"}


def test_a_personal_tax_code_is_masked(form, certificate):
    other = evolve(certificate, tax_codes=(TaxCode("001099000002"),))
    organisation = evolve(form.organisation, tax_code="001099000001")
    (finding,) = check_certificate(other, organisation, MOMENT)
    assert finding.parameters == {"expected": "*********001", "found": "*********002"}


def test_a_branch_may_sign_with_the_certificate_of_its_organisation(judged):
    assert judged(organisation={"tax_code": "0100109106-001"}) == []


def test_a_household_may_sign_with_its_owners_certificate(judged):
    owner = {"tax_code": "001099000001"}
    assert judged(organisation=owner, tax_codes=(), personal_ids=(PersonalId("001099000001"),)) == []
    assert judged(organisation=owner, tax_codes=(), personal_ids=(PersonalId("001099000002"),)) == [
        "certificate.tax_code_absent"
    ]


def test_an_organisation_without_a_tax_code_is_not_compared(judged):
    assert judged(organisation={"tax_code": ""}) == []


def test_another_name_is_a_warning(judged):
    assert judged(organisation={"name": "CÔNG TY TNHH KHÁC"}) == ["certificate.name_differs"]
    assert judged(organisation={"name": ""}) == []


def test_the_name_may_stand_in_the_organisation_of_the_subject(judged):
    name = {"name": "CÔNG TY VÍ DỤ, CHI NHÁNH 1"}
    subject = "C=VN, O=CÔNG TY VÍ DỤ\\, CHI NHÁNH 1, CN=Nguyễn An"
    assert judged(organisation=name, subject=subject, common_name="Nguyễn An") == []


@pytest.mark.parametrize("moment", [MOMENT.replace(tzinfo=None), date(2026, 11, 1), None])
def test_a_moment_without_a_zone_is_a_wrong_type(form, certificate, moment):
    with pytest.raises(WrongTypeError) as caught:
        check_certificate(certificate, form.organisation, moment)
    assert caught.value.field == "moment"


def test_a_form_is_checked_with_its_certificate_for_a_whole_vietnamese_day(form, certificate):
    day = date(2026, 11, 1)
    begins = datetime(2026, 10, 31, 17, tzinfo=UTC)
    last_second = evolve(certificate, not_after=begins)
    first_second = evolve(certificate, not_before=begins + timedelta(days=1, seconds=-1))
    assert check(form, on=day, certificate=last_second).ok
    assert check(form, on=day, certificate=first_second).ok
    too_early = evolve(certificate, not_after=begins - timedelta(seconds=1))
    too_late = evolve(certificate, not_before=begins + timedelta(days=1))
    assert check(form, on=day, certificate=too_early).codes == ("certificate.expired",)
    assert check(form, on=day, certificate=too_late).codes == ("certificate.not_yet_valid",)


def test_a_form_on_paper_asks_nothing_of_a_certificate(spoilt, certificate):
    expired = evolve(certificate, not_after=certificate.not_before)
    assert check(spoilt(use_certificate=False), on=date(2026, 11, 1), certificate=expired).codes == ()


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_ends_of_the_calendar_break_nothing(form, certificate, day):
    assert not check(form, on=day, certificate=certificate).ok
