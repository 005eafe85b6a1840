"""All procedures and routes reach their end over real HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve
from workflow_world import a_form, a_licence, a_stop

import bhxh_sdk as bhxh
from bhxh_sdk.models import Outcome

PLACES = {"portal": bhxh.Portal(), "ivan": bhxh.Ivan("00040")}


def registered(client, mail, place="portal"):
    filing = client.register(a_form(transact_at=PLACES[place]), confirmed=True)
    filing = client.activate(filing.key, mail=mail())
    client.log_in(filing.key, mail=mail())
    return client.refresh(filing.key)


def test_a_registration_is_numbered_and_accepted(open_client, mail, place):
    filing = registered(open_client(place), mail, place)
    assert (filing.state, filing.accepted, filing.activated) == (bhxh.State.ACTIVE, True, True)
    assert filing.dossier_number.endswith("/07906")


def test_an_adjustment_is_accepted(open_client, mail, place, bhxh_sandbox):
    client = open_client(place)
    registered(client, mail, place)
    contact = evolve(a_form().contact, email="new-hr@example.com")
    form = a_form(action="adjust", transact_at=PLACES[place], contact=contact, changes="Đổi thư điện tử")
    filing = client.refresh(client.register(form, confirmed=True).key)
    assert (filing.state, filing.accepted) == (bhxh.State.COMPLETED, True)
    case = bhxh_sandbox.agency.case(filing.sending_key)
    assert case.form.contact.email.value == "new-hr@example.com"


def test_a_stop_is_accepted_and_ends_the_account(open_client, mail, place):
    client = open_client(place)
    registered(client, mail, place)
    form = a_form(action="stop", transact_at=PLACES[place], stop=a_stop())
    filing = client.refresh(client.register(form, confirmed=True).key)
    assert filing.state is bhxh.State.COMPLETED
    again = a_form(action="adjust", transact_at=PLACES[place], changes="Đổi thư điện tử")
    with pytest.raises(bhxh.NotRegisteredError):
        client.register(again, confirmed=True)


def test_an_adjustment_needs_a_registration(open_client, place):
    client = open_client(place)
    form = a_form(action="adjust", transact_at=PLACES[place], changes="Đổi thư điện tử")
    with pytest.raises(bhxh.NotRegisteredError) as caught:
        client.register(form, confirmed=True, key="k")
    assert caught.value.agency_code == "3021"
    assert client.status("k").state is bhxh.State.REFUSED


@pytest.mark.parametrize(("here", "there"), [("portal", "ivan"), ("ivan", "portal")])
def test_an_organisation_moves(open_client, mail, bhxh_sandbox, here, there):
    client = open_client(here)
    registered(client, mail, here)
    channel = bhxh_sandbox.ivan_channel() if there == "ivan" else bhxh_sandbox.portal_channel()
    stop, registration = client.switch(
        a_form(transact_at=PLACES[here]), to=PLACES[there], channel=channel, stop=a_stop(), confirmed=True
    )
    assert stop.state is bhxh.State.COMPLETED
    assert registration.state is bhxh.State.SUBMITTED
    other = open_client(there)
    assert other.activate(registration.key, mail=mail()).activated


def test_a_first_registration_confirms_the_mail_and_gets_its_code_later(
    open_client, mail, place, bhxh_sandbox
):
    form = a_form(
        transact_at=PLACES[place],
        organisation=evolve(a_form().organisation, unit_code=None),
        attachments=(a_licence(),),
    )
    client = open_client(place)
    filing = client.register(form, confirmed=True)
    filing = client.activate(filing.key, mail=mail())
    filing = client.refresh(filing.key)
    assert (filing.activated, filing.accepted) == (True, False)
    bhxh_sandbox.clock.advance(timedelta(days=2, minutes=1))
    filing = client.refresh(filing.key)
    assert (filing.activated, filing.accepted) == (True, True)
    assert bhxh_sandbox.agency.case(filing.sending_key).outcome is Outcome.ACCEPTED


def test_without_a_certificate_people_carry_the_paper(open_client, mail, bhxh_sandbox):
    client = open_client(signer=None)
    filing = client.register(a_form(use_certificate=False), confirmed=True)
    assert filing.state is bhxh.State.PRINTED
    assert "CÔNG TY TNHH VÍ DỤ" in client.document(filing.key).decode()
    case = bhxh_sandbox.agency.take_paper(a_form(use_certificate=False), key=filing.key)
    assert case.outcome is not Outcome.REFUSED
    filing = client.record_handed_in(filing.key, dossier_number="00001/2026/07906")
    filing = client.record_decision(filing.key, accepted=True)
    assert (filing.state, filing.accepted) == (bhxh.State.SUBMITTED, True)
    assert [step.step.number for step in filing.steps if step.state.value == "not_applicable"] == [
        *range(1, 11),
        *range(19, 24),
    ]


def test_the_service_of_an_ivan_signs_itself(open_client, mail, bhxh_sandbox):
    channel = bhxh_sandbox.ivan_channel(profile="ivan-vbhxh")
    client = open_client(channel=channel, signer=None)
    filing = client.register(a_form(transact_at=bhxh.Ivan("00040")), confirmed=True)
    assert filing.state is bhxh.State.SUBMITTED
    assert client.refresh(filing.key).sending_key == filing.sending_key
    with pytest.raises(bhxh.UnsupportedOperationError) as caught:
        client.activate(filing.key, mail=mail())
    assert client.status(filing.key).state is bhxh.State.SUBMITTED
    assert caught.value.hint("vi")


def test_the_password_can_be_changed(open_client, mail):
    client = open_client()
    filing = client.register(a_form(), confirmed=True)
    filing = client.activate(filing.key, mail=mail())
    account = mail()
    session = client.log_in(filing.key, mail=account)
    old = bhxh_credentials(account).password
    client.change_password(filing.key, session, old, "M0t-mat-khau-moi")
    with pytest.raises(bhxh.LogInRefusedError):
        client.log_in(filing.key, old)
    assert client.log_in(filing.key, "M0t-mat-khau-moi").token


def bhxh_credentials(account):
    from bhxh_sdk.transport.mailbox import credentials_in

    return credentials_in(account)


def test_the_portal_gives_newer_lists(open_client):
    catalogue, differences = open_client().refresh_catalogue()
    assert {difference.list_name for difference in differences} >= {"ivans", "provinces"}
    assert catalogue.ivan("00040").name
