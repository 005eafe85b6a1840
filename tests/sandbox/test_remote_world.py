"""The remote signing providers of a sandbox: each completes a registration; unasked, they cost nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from bhxh_sdk import AsyncClient, Client, SetupError, SigningDeclinedError
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.cli.demonstration import example_form
from bhxh_sdk.errors import UnknownCodeError
from bhxh_sdk.models import Organisation
from bhxh_sdk.sandbox import Sandbox
from bhxh_sdk.sandbox.remote import Answer
from bhxh_sdk.sandbox.remote.world import NAMES
from bhxh_sdk.signers import SigningState
from bhxh_sdk.signers.remote import RemoteProfile, protocol_of
from bhxh_sdk.transport import AsyncHttpSender

OTHER = Organisation(name="CÔNG TY TNHH KHÁC", tax_code="0305149765")


@pytest.fixture
def sandbox():
    with Sandbox() as running:
        yield running


def form():
    return example_form("portal")


@pytest.mark.parametrize("name", NAMES)
def test_a_registration_completes_with_a_key_at_each_provider(sandbox, name):
    told = []
    signer = sandbox.remote_signer(name, form().organisation)
    with Client(
        sandbox.portal_channel(), signer=signer, ask=sandbox.ask, clock=sandbox.clock, on_pending=told.append
    ) as client:
        key = client.register(form(), confirmed=True).key
        client.activate(key, mail=sandbox.outbox.latest("hr@example.com", "activation").as_bytes())
        session = client.log_in(key, mail=sandbox.outbox.latest("hr@example.com", "credentials").as_bytes())
    assert session.user_name == "0100109106"
    assert told[0].state is SigningState.INTENDED
    assert len(sandbox.remote[name].desk.accepted) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_registration_completes_in_an_event_loop(sandbox, name):
    async def main():
        async with AsyncClient(
            sandbox.portal_channel(sender_factory=AsyncHttpSender),
            signer=sandbox.remote_signer(name, form().organisation, sender_factory=AsyncHttpSender),
            ask=sandbox.ask,
            clock=sandbox.clock,
        ) as client:
            return await client.register(form(), confirmed=True)

    assert asyncio.run(main()).submissions == 1
    assert len(sandbox.remote[name].desk.accepted) == 1


@pytest.mark.parametrize("name", NAMES)
def test_two_organisations_may_keep_keys_at_one_provider(sandbox, name):
    for organisation in (form().organisation, OTHER, form().organisation):
        signer = sandbox.remote_signer(name, organisation)
        listed = [item.certificate for item in run_blocking(signer.certificates())]
        assert str(organisation.tax_code) in {str(code) for item in listed for code in item.tax_codes}
    assert len(sandbox.remote[name].desk.credentials) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_holds_no_secret_and_names_the_variables(sandbox, name):
    provider = sandbox.remote[name]
    provider.keep_key(form().organisation)
    table = provider.profile()
    assert protocol_of(RemoteProfile.from_table(table)).capabilities.name == table["kind"]
    named = {value for key, value in table.items() if key.endswith("_env")}
    assert named == set(provider.environment)
    assert not set(provider.environment.values()) & {str(value) for value in table.values()}


def test_variables_of_one_name_hold_one_value(sandbox):
    found = {}
    for provider in sandbox.remote.values():
        for name, value in provider.environment.items():
            assert found.setdefault(name, value) == value


def test_the_phone_decides(sandbox):
    sandbox.remote["ca769-vnpt"].desk.phone.next(Answer.DECLINES)
    signer = sandbox.remote_signer("ca769-vnpt", form().organisation)
    with (
        Client(sandbox.portal_channel(), signer=signer, ask=sandbox.ask, clock=sandbox.clock) as client,
        pytest.raises(SigningDeclinedError),
    ):
        client.register(form(), confirmed=True)
    assert sandbox.agency.submissions == 0


def test_a_provider_is_served_when_its_address_is_asked_for_and_not_before(sandbox):
    before = threading.active_count()
    provider = sandbox.remote["mysign"]
    assert provider.desk.accepted == ()
    assert threading.active_count() == before
    assert provider.url == provider.url
    assert threading.active_count() == before + 1


def test_without_a_running_sandbox_there_is_no_address():
    sandbox = Sandbox()
    provider = sandbox.remote["csc-v2"]
    with pytest.raises(SetupError):
        _ = provider.url
    with sandbox:
        assert provider.url.startswith("http://127.0.0.1:")
    with pytest.raises(SetupError):
        _ = provider.url


def test_an_unknown_provider_is_named_with_those_there_are(sandbox):
    with pytest.raises(UnknownCodeError) as caught:
        sandbox.remote_signer("fax", form().organisation)
    assert "mysign" in caught.value.hint("en")
    assert "fax" not in sandbox.remote
    assert len(sandbox.remote) == len(NAMES)
    assert repr(sandbox.remote["mss"]) == "RemoteProvider('mss')"


def test_ports_may_be_chosen():
    with Sandbox(remote_port=0) as free:
        port = int(free.remote["ca769-plain"].url.rpartition(":")[2])
    with Sandbox(remote_port=port) as chosen:
        assert chosen.remote["ca769-plain"].url.endswith(f":{port}")


def test_a_sandbox_loads_no_provider_that_nobody_asks_for():
    code = "import sys; from bhxh_sdk.sandbox import Sandbox; Sandbox().start().stop(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "bhxh_sdk.sandbox.remote.world" not in done.stdout.split()
    assert "bhxh_sdk.signers.remote.mss" not in done.stdout.split()
