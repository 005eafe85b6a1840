"""A registration completes with the certificate in a SIM, over loopback, blocking and in a loop."""

from __future__ import annotations

import asyncio
import ssl
from datetime import timedelta

import pytest
from attrs import evolve, frozen
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from raw_server import certified, raw_server, read_request

from bhxh_sdk import AsyncClient, Client, SetupError, SigningDeclinedError
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.cli.demonstration import example_form
from bhxh_sdk.errors import NotSentError, UnknownOutcomeError
from bhxh_sdk.ports import Request
from bhxh_sdk.sandbox import Sandbox
from bhxh_sdk.sandbox.remote import Answer, SandboxPhone
from bhxh_sdk.sandbox.remote.mss import MssProvider
from bhxh_sdk.sandbox.remote.provider import app_of
from bhxh_sdk.sandbox.server import Serving
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import SigningState
from bhxh_sdk.signers.remote import RemoteProfile, open_profile
from bhxh_sdk.system import AsyncSystemClock, SystemClock
from bhxh_sdk.transport import AsyncHttpSender, HttpSender

WAYS = {
    "asynchronous": {},
    "synchronous": {"mode": "synch"},
    "certificate with the signature": {"registers_first": False},
    "both": {"mode": "synch", "registers_first": False},
}


@frozen
class World:
    """The agency's sandbox, and a SIM whose certificate it trusts."""

    sandbox: Sandbox
    provider: MssProvider
    url: str

    def signer(self, senders=HttpSender, **changes):
        """Open a signer; a request has its deadline in real time, as with a real service."""
        real = AsyncSystemClock() if senders is AsyncHttpSender else SystemClock()
        table = self.provider.profile_table(self.url)
        return open_profile(
            RemoteProfile.from_table({**table, "dialect_changes": changes}),
            clock=self.sandbox.clock,
            senders=lambda _, **options: senders(real, **options),
            environment=self.provider.environment,
        )

    def mail(self, form, kind):
        return self.sandbox.outbox.latest(str(form.contact.email), kind).as_bytes()


@pytest.fixture
def world():
    with Sandbox() as sandbox:
        issued = sandbox.pki.issue(own_key=True)
        sandbox.agency.trust(issued.der)
        provider = MssProvider(sandbox.clock, phone=SandboxPhone(takes=timedelta(seconds=6)))
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


@pytest.mark.parametrize("changes", WAYS.values(), ids=WAYS)
def test_a_registration_completes_with_blocking_calls(world, form, tmp_path, changes):
    shown = []
    with Client(
        world.sandbox.portal_channel(),
        signer=world.signer(**changes),
        journal=tmp_path / "journal.db",
        ask=world.sandbox.ask,
        clock=world.sandbox.clock,
        on_pending=shown.append,
    ) as client:
        key = client.register(form, confirmed=True).key
        client.activate(key, mail=world.mail(form, "activation"))
        session = client.log_in(key, mail=world.mail(form, "credentials"))
    assert session.user_name == str(form.organisation.tax_code)
    assert shown[0].state is SigningState.INTENDED
    assert len(world.provider.desk.phone.rings) == len(world.provider.desk.accepted) == 1


@pytest.mark.parametrize("changes", WAYS.values(), ids=WAYS)
def test_a_registration_completes_in_a_loop(world, form, tmp_path, changes):
    async def main():
        async with AsyncClient(
            world.sandbox.portal_channel(sender_factory=AsyncHttpSender),
            signer=world.signer(AsyncHttpSender, **changes),
            journal=tmp_path / "journal.db",
            ask=world.sandbox.ask,
            clock=world.sandbox.clock,
        ) as client:
            key = (await client.register(form, confirmed=True)).key
            await client.activate(key, mail=world.mail(form, "activation"))
            return await client.log_in(key, mail=world.mail(form, "credentials"))

    assert asyncio.run(main()).user_name == str(form.organisation.tax_code)
    assert len(world.provider.desk.phone.rings) == len(world.provider.desk.accepted) == 1


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
        assert caught.value.parameters["provider_code"] == "401"
        (waiting,) = client.statuses()
        client.resume(waiting.key, confirmed=True)
        client.activate(waiting.key, mail=world.mail(form, "activation"))
    assert len(world.provider.desk.phone.rings) == 2


class TestMutualTls:
    """The services that are known demand a client certificate: here one really does."""

    @pytest.fixture
    def server(self, world, tmp_path):
        context, bundle = certified(tmp_path)
        context.verify_mode = ssl.CERT_REQUIRED
        issued = world.sandbox.pki.issue("Sandbox AP", own_key=True)
        (tmp_path / "trusted.pem").write_bytes(issued.certificates_pem())
        context.load_verify_locations(tmp_path / "trusted.pem")
        (tmp_path / "client.pem").write_bytes(issued.certificate.public_bytes(serialization.Encoding.PEM))
        (tmp_path / "client.key").write_bytes(issued.key_pem("canary-key"))
        seen = []

        def behave(connection):
            with context.wrap_socket(connection, server_side=True) as sealed:
                seen.append(sealed.getpeercert(binary_form=True))
                sealed.sendall(answered(world.provider, read_request(sealed)))

        with raw_server(behave) as raw:
            table = world.provider.profile_table(f"https://127.0.0.1:{raw.port}")
            yield {**table, "ca_bundle": bundle.name, "client_certificate": "client.pem"}, seen, issued

    @staticmethod
    def signer(table, folder, **secrets):
        return open_profile(
            RemoteProfile.from_table(table, folder=folder),
            clock=SystemClock(),
            senders=HttpSender,
            secrets={name: Secret(value) for name, value in secrets.items()},
            environment={"AP_PASSWORD": "sandbox-ap-password", "KEY_PASSWORD": "canary-key"},
        )

    def test_the_profile_names_certificate_key_and_password(self, server, tmp_path):
        table, seen, issued = server
        table |= {"client_key": "client.key", "client_key_password_env": "KEY_PASSWORD"}
        assert run_blocking(self.signer(table, tmp_path).certificates())
        assert x509.load_der_x509_certificate(seen[0]) == issued.certificate

    def test_without_one_nothing_is_signed(self, server, tmp_path):
        table, _, _ = server
        del table["client_certificate"]
        with pytest.raises((NotSentError, UnknownOutcomeError)):
            run_blocking(self.signer(table, tmp_path).certificates())

    def test_a_missing_password_is_told_when_the_signer_is_opened(self, server, tmp_path):
        table, _, _ = server
        with pytest.raises(SetupError) as caught:
            self.signer({**table, "client_key": "client.key"}, tmp_path)
        assert caught.value.field == "client_key_password"


def answered(provider, raw):
    """Give a request as it came over a socket to a provider, and return the answer for the socket."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = tuple(tuple(line.split(": ", 1)) for line in lines)
    url = f"https://mssp.example{path}"
    reply = provider.answer(Request(method=method, url=url, headers=headers, body=body))
    head = f"HTTP/1.1 {reply.status} X\r\nContent-Length: {len(reply.body)}\r\n\r\n"
    return head.encode() + reply.body
