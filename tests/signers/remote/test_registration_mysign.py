"""A registration completes with a certificate at MySign, over loopback, with blocking calls and in a loop."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from attrs import evolve, frozen
from batch_world import forms

from bhxh_sdk import AsyncClient, Client, DocumentSigner, SigningDeclinedError, xml
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.cli.demonstration import example_form
from bhxh_sdk.sandbox import Sandbox
from bhxh_sdk.sandbox.remote import Answer, SandboxPhone, SigningDesk
from bhxh_sdk.sandbox.remote.mysign import SandboxMySign
from bhxh_sdk.sandbox.remote.provider import app_of
from bhxh_sdk.sandbox.server import Serving
from bhxh_sdk.signers import SigningState
from bhxh_sdk.signers.remote import RemoteProfile, open_profile
from bhxh_sdk.system import AsyncSystemClock, SystemClock
from bhxh_sdk.transport import AsyncHttpSender, HttpSender

MODES = [0, 1, 3]


@frozen
class World:
    """The agency's sandbox, and a provider whose certificate it trusts."""

    sandbox: Sandbox
    provider: SandboxMySign
    url: str

    def signer(self, senders=HttpSender, **changes):
        """Open a signer; a request has its deadline in real time, as with a real service."""
        real = AsyncSystemClock() if senders is AsyncHttpSender else SystemClock()
        return open_profile(
            RemoteProfile.from_table(self.provider.profile_table(self.url, **changes)),
            clock=self.sandbox.clock,
            senders=lambda _, **options: senders(real, **options),
            secrets=self.provider.secrets,
        )

    @property
    def rings(self):
        return len(self.provider.desk.phone.rings)


@pytest.fixture
def world():
    with Sandbox() as sandbox:
        issued = sandbox.pki.issue(own_key=True)
        sandbox.agency.trust(issued.der)
        desk = SigningDesk(sandbox.clock, SandboxPhone(takes=timedelta(seconds=6)))
        provider = SandboxMySign(desk=desk, passes=sandbox.clock.advance)
        provider.add(issued)
        serving = Serving((app_of(provider),), (0,))
        try:
            yield World(sandbox, provider, serving.urls[0])
        finally:
            serving.stop()


@pytest.fixture
def form(world):
    found = run_blocking(world.signer().certificates())[0].certificate
    form = example_form("portal")
    named = evolve(form.organisation, name=found.common_name, tax_code=found.tax_codes[0])
    return evolve(form, organisation=named)


def activation_of(world, form):
    return world.sandbox.outbox.latest(str(form.contact.email), "activation").as_bytes()


def credentials_of(world, form):
    return world.sandbox.outbox.latest(str(form.contact.email), "credentials").as_bytes()


@pytest.mark.parametrize("mode", MODES)
def test_a_registration_completes_with_blocking_calls(world, form, tmp_path, mode):
    shown = []
    with Client(
        world.sandbox.portal_channel(),
        signer=world.signer(async_mode=mode),
        journal=tmp_path / "journal.db",
        ask=world.sandbox.ask,
        clock=world.sandbox.clock,
        on_pending=shown.append,
    ) as client:
        key = client.register(form, confirmed=True).key
        client.activate(key, mail=activation_of(world, form))
        session = client.log_in(key, mail=credentials_of(world, form))
    assert session.user_name == str(form.organisation.tax_code)
    assert shown[0].state is SigningState.INTENDED
    assert world.rings == 1
    assert len(world.provider.desk.accepted) == 1


@pytest.mark.parametrize("mode", MODES)
def test_a_registration_completes_in_a_loop(world, form, tmp_path, mode):
    async def main():
        async with AsyncClient(
            world.sandbox.portal_channel(sender_factory=AsyncHttpSender),
            signer=world.signer(AsyncHttpSender, async_mode=mode),
            journal=tmp_path / "journal.db",
            ask=world.sandbox.ask,
            clock=world.sandbox.clock,
        ) as client:
            key = (await client.register(form, confirmed=True)).key
            await client.activate(key, mail=activation_of(world, form))
            return await client.log_in(key, mail=credentials_of(world, form))

    assert asyncio.run(main()).user_name == str(form.organisation.tax_code)
    assert world.rings == 1
    assert len(world.provider.desk.accepted) == 1


def test_a_registration_goes_on_after_the_person_refused_once(world, form, tmp_path):
    world.provider.desk.phone.next(Answer.DECLINES)
    with Client(
        world.sandbox.portal_channel(),
        signer=world.signer(),
        journal=tmp_path / "journal.db",
        ask=world.sandbox.ask,
        clock=world.sandbox.clock,
    ) as client:
        with pytest.raises(SigningDeclinedError) as caught:
            client.register(form, confirmed=True)
        assert caught.value.parameters["provider_code"] == "4002"
        (waiting,) = client.statuses()
        assert client.resume(waiting.key, confirmed=True).key == waiting.key
        client.activate(waiting.key, mail=activation_of(world, form))
    assert world.rings == 2


def test_five_hundred_documents_are_signed_with_one_confirmation(world):
    documents = forms(500)
    with DocumentSigner(world.signer(), clock=world.sandbox.clock) as signing:
        outcomes = list(signing.sign_all(documents))
    assert [outcome.index for outcome in outcomes] == list(range(500))
    for outcome in outcomes[::50]:
        assert xml.verify(outcome.signed.content)
    assert world.rings == 1
    assert len(set(world.provider.desk.accepted)) == len(world.provider.desk.accepted) == 500
    assert world.provider.logins == 1
