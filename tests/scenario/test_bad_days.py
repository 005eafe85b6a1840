"""What goes wrong ends in a named error and a journal that still tells the truth."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve
from workflow_world import Person, a_form

import bhxh_sdk as bhxh
from bhxh_sdk.sandbox import Fault

PLACES = {"portal": bhxh.Portal(), "ivan": bhxh.Ivan("00040")}


def faults_of(sandbox, place):
    return sandbox.portal.faults if place == "portal" else sandbox.ivan.faults


def test_a_lost_answer_is_found_again_without_a_second_submission(open_client, bhxh_sandbox, place):
    faults_of(bhxh_sandbox, place).next("register", Fault.LOSE_REPLY)
    client = open_client(place)
    with pytest.raises(bhxh.UnknownOutcomeError) as caught:
        client.register(a_form(transact_at=PLACES[place]), confirmed=True, key="k")
    assert caught.value.reference == "k"
    assert caught.value.retry is bhxh.Retry.AFTER_RECONCILE
    assert client.status("k").state is bhxh.State.IN_DOUBT
    filing = client.resume("k")
    assert filing.state is bhxh.State.SUBMITTED
    assert (filing.submissions, bhxh_sandbox.agency.submissions) == (1, 1)


@pytest.mark.parametrize("fault", [Fault.HTML_AFTER, Fault.CUT_REPLY])
def test_an_answer_that_cannot_be_read_is_no_refusal(open_client, bhxh_sandbox, place, fault):
    faults_of(bhxh_sandbox, place).next("register", fault)
    client = open_client(place)
    with pytest.raises(bhxh.UnknownOutcomeError):
        client.register(a_form(transact_at=PLACES[place]), confirmed=True, key="k")
    assert client.resume("k").state is bhxh.State.SUBMITTED
    assert bhxh_sandbox.agency.submissions == 1


@pytest.mark.parametrize("fault", [Fault.HTML_PAGE, Fault.SERVER_ERROR, Fault.UNAVAILABLE, Fault.REDIRECT])
def test_a_page_in_place_of_an_answer_leaves_a_doubt_that_only_a_person_ends(
    open_client, bhxh_sandbox, place, fault
):
    faults_of(bhxh_sandbox, place).next("register", fault)
    client = open_client(place)
    with pytest.raises(bhxh.UnknownOutcomeError):
        client.register(a_form(transact_at=PLACES[place]), confirmed=True, key="k")
    with pytest.raises(bhxh.UnknownOutcomeError):
        client.resume("k")
    assert bhxh_sandbox.agency.submissions == 0
    assert client.resume("k", send_again=True).state is bhxh.State.SUBMITTED
    assert bhxh_sandbox.agency.submissions == 1


def test_a_portal_that_is_down_is_certainly_not_reached(open_client, bhxh_sandbox, place):
    client = open_client(place)
    bhxh_sandbox.stop()
    with pytest.raises(bhxh.BhxhError) as caught:
        client.register(a_form(transact_at=PLACES[place]), confirmed=True, key="k")
    assert isinstance(caught.value, bhxh.NotSentError)
    assert client.status("k").state is bhxh.State.READY


def test_a_unit_registers_once(open_client, place):
    client = open_client(place)
    client.register(a_form(transact_at=PLACES[place]), confirmed=True, key="first")
    client.activate("first", code_of(client, place))
    with pytest.raises(bhxh.AlreadyRegisteredError) as caught:
        client.register(a_form(transact_at=PLACES[place]), confirmed=True, key="second")
    assert caught.value.agency_code == "3020"
    assert client.status("second").state is bhxh.State.REFUSED


def code_of(client, place):
    from bhxh_sdk.transport.mailbox import activation_code_in

    sandbox = client.sandbox_for_tests
    eml = sandbox.outbox.as_eml(sandbox.outbox.latest("hr@example.com"))
    return activation_code_in(eml).code


@pytest.fixture(autouse=True)
def _clients_know_their_sandbox(bhxh_sandbox, monkeypatch):
    monkeypatch.setattr(bhxh.Client, "sandbox_for_tests", bhxh_sandbox, raising=False)


def test_a_wrong_code_is_refused_and_the_right_one_still_works(open_client, place):
    client = open_client(place)
    client.register(a_form(transact_at=PLACES[place]), confirmed=True, key="k")
    with pytest.raises(bhxh.WrongCodeError):
        client.activate("k", "AAAAAAAA")
    assert client.status("k").state is bhxh.State.SUBMITTED
    assert client.activate("k", code_of(client, place)).activated


def test_an_expired_code_is_named_so(open_client, bhxh_sandbox, place):
    client = open_client(place)
    client.register(a_form(transact_at=PLACES[place]), confirmed=True, key="k")
    bhxh_sandbox.clock.advance(timedelta(hours=25))
    with pytest.raises(bhxh.CodeExpiredError) as caught:
        client.activate("k", code_of(client, place))
    assert caught.value.hint("vi")
    assert client.status("k").state is bhxh.State.SUBMITTED


def test_an_active_account_is_not_activated_twice(open_client, place, tmp_path):
    client = open_client(place)
    client.register(a_form(transact_at=PLACES[place]), confirmed=True, key="k")
    code = code_of(client, place)
    client.activate("k", code)
    with pytest.raises(bhxh.AlreadyActivatedError):
        client.activate("k", code)
    assert client.status("k").activated


def test_a_lost_answer_to_the_code_is_settled_by_asking(open_client, bhxh_sandbox, place):
    client = open_client(place)
    client.register(a_form(transact_at=PLACES[place]), confirmed=True, key="k")
    faults_of(bhxh_sandbox, place).next("activate", Fault.LOSE_REPLY)
    with pytest.raises(bhxh.UnknownOutcomeError):
        client.activate("k", code_of(client, place))
    assert client.status("k").state is bhxh.State.ACTIVATION_IN_DOUBT
    assert client.resume("k").state is bhxh.State.ACTIVATED


class Misreader(Person):
    """A person who reads every captcha wrongly."""

    async def captcha(self, challenge):
        return "????"


def test_a_wrong_captcha_is_asked_once_and_refused(open_client, mail):
    client = open_client(ask=Misreader())
    client.register(a_form(), confirmed=True, key="k")
    client.activate("k", mail=mail())
    with pytest.raises(bhxh.LogInRefusedError):
        client.log_in("k", mail=mail())
    assert client.status("k").state is bhxh.State.ACTIVATED
    assert open_client().log_in("k", mail=mail()).token


def test_an_agency_that_no_list_holds_is_warned_about(open_client):
    client = open_client()
    agency = bhxh.Agency(code="99999", name="BHXH Ví Dụ")
    report = client.check(a_form(agency=agency))
    assert report.ok
    assert "agency.code" in {finding.field for finding in report.warnings}


def test_the_certificate_of_another_company_never_signs(open_client, bhxh_sandbox):
    other = evolve(a_form().organisation, tax_code="0312345674", name="CÔNG TY KHÁC")
    client = open_client(signer=bhxh_sandbox.signer(other))
    with pytest.raises(bhxh.CertificateUnusableError):
        client.register(a_form(), confirmed=True, key="k")
    assert bhxh_sandbox.agency.submissions == 0
    assert open_client().resume("k", confirmed=True).state is bhxh.State.SUBMITTED


def test_a_certificate_that_nobody_trusts_is_refused_by_the_agency(open_client):
    organisation = a_form().organisation
    signer = bhxh.open_signer(f"softkey:new?tax-code={organisation.tax_code}")
    client = open_client(signer=signer)
    with pytest.raises(bhxh.RefusedError) as caught:
        client.register(a_form(), confirmed=True, key="k")
    assert caught.value.agency_text
    assert client.status("k").agency_text == caught.value.agency_text
