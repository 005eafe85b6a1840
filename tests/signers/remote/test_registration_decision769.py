"""A registration completes over real HTTP with a certificate that a provider of Decision 769 keeps."""

from __future__ import annotations

import asyncio
import json
import tomllib
from datetime import timedelta

import pytest

from bhxh_sdk import AsyncClient, Client, open_signer
from bhxh_sdk.cli.demonstration import example_form
from bhxh_sdk.errors import SigningDeclinedError
from bhxh_sdk.sandbox import Sandbox
from bhxh_sdk.sandbox.remote import Answer, SandboxPhone
from bhxh_sdk.sandbox.remote.ca769 import Decision769Provider
from bhxh_sdk.sandbox.remote.provider import app_of
from bhxh_sdk.sandbox.server import Serving
from bhxh_sdk.transport import AsyncHttpSender

DIALECTS = ("plain", "vnpt", "vnpt-th", "ca2")


def toml_of(table):
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items() if not isinstance(value, dict)]
    for name, inner in table.items():
        if isinstance(inner, dict):
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in inner.items())]
    return "\n".join(lines)


class World:
    """The portal, and a provider that keeps the organisation's certificate."""

    def __init__(self, sandbox, dialect, folder, monkeypatch, phone):
        self.sandbox = sandbox
        self.provider = Decision769Provider(sandbox.clock, dialect, phone=phone)
        self.form = example_form("portal")
        issued = sandbox.pki.issue(self.form.organisation.name, own_key=True)
        self.provider.add(issued)
        self.serving = Serving((app_of(self.provider),), (0,))
        self.journal = folder / "journal.db"
        self.profile = folder / "signer.toml"
        self.profile.write_text(toml_of(self.provider.profile_table(self.serving.urls[0])), "utf-8")
        assert tomllib.loads(self.profile.read_text("utf-8"))["kind"] == "ca769"
        for name, value in self.provider.environment.items():
            monkeypatch.setenv(name, value)

    @property
    def email(self):
        return str(self.form.contact.email)

    def mail(self, kind):
        return self.sandbox.outbox.latest(self.email, kind).as_bytes()


@pytest.fixture
def registering(tmp_path, monkeypatch):
    """Make a world in one dialect."""
    made = []
    with Sandbox() as sandbox:

        def make(dialect, phone=None):
            made.append(World(sandbox, dialect, tmp_path, monkeypatch, phone))
            return made[-1]

        yield make
        for world in made:
            world.serving.stop()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_registration_completes_with_a_remote_certificate(registering, dialect):
    world = registering(dialect, SandboxPhone(takes=timedelta(seconds=20)))
    signer = open_signer(f"ca769:{world.profile}", clock=world.sandbox.clock)
    with Client(
        world.sandbox.portal_channel(),
        signer=signer,
        journal=world.journal,
        ask=world.sandbox.ask,
        clock=world.sandbox.clock,
    ) as client:
        key = client.register(world.form, confirmed=True).key
        client.activate(key, mail=world.mail("activation"))
        session = client.log_in(key, mail=world.mail("credentials"))
    assert session.user_name == "0100109106"
    assert len(world.provider.desk.accepted) == 1


@pytest.mark.parametrize("dialect", ["vnpt", "vnpt-th"])
def test_an_asynchronous_registration_completes_with_a_remote_certificate(registering, dialect):
    world = registering(dialect, SandboxPhone(takes=timedelta(seconds=20)))

    async def registered():
        signer = open_signer(f"ca769:{world.profile}", clock=world.sandbox.clock, asynchronous=True)
        async with AsyncClient(
            world.sandbox.portal_channel(sender_factory=AsyncHttpSender),
            signer=signer,
            journal=world.journal,
            ask=world.sandbox.ask,
            clock=world.sandbox.clock,
        ) as client:
            key = (await client.register(world.form, confirmed=True)).key
            await client.activate(key, mail=world.mail("activation"))
            return await client.log_in(key, mail=world.mail("credentials"))

    assert asyncio.run(registered()).user_name == "0100109106"
    assert len(world.provider.desk.accepted) == 1


def test_a_person_who_declines_ends_the_signature_and_nothing_is_filed(registering):
    world = registering("vnpt", SandboxPhone(Answer.DECLINES))
    signer = open_signer(f"ca769:{world.profile}", clock=world.sandbox.clock)
    with (
        Client(
            world.sandbox.portal_channel(),
            signer=signer,
            journal=world.journal,
            ask=world.sandbox.ask,
            clock=world.sandbox.clock,
        ) as client,
        pytest.raises(SigningDeclinedError) as caught,
    ):
        client.register(world.form, confirmed=True)
    assert caught.value.parameters["provider_code"] == "REJECTED"
    assert len(world.provider.desk.phone.rings) == 1


class Killed(BaseException):
    """The program ends while it waits for the phone."""


class LastClock:
    """A clock of a program that is killed when it begins to wait."""

    def __init__(self, clock):
        self.clock = clock

    def __getattr__(self, name):
        return getattr(self.clock, name)

    async def sleep(self, seconds):
        raise Killed


def test_a_signature_that_was_under_way_when_the_program_was_killed_is_taken_up(registering):
    world = registering("vnpt", SandboxPhone(takes=timedelta(seconds=20)))

    def client(clock):
        return Client(
            world.sandbox.portal_channel(),
            signer=open_signer(f"ca769:{world.profile}", clock=clock),
            journal=world.journal,
            ask=world.sandbox.ask,
            clock=clock,
        )

    with client(LastClock(world.sandbox.clock)) as first, pytest.raises(Killed):
        first.register(world.form, confirmed=True, key="mine")
    world.sandbox.clock.advance(timedelta(seconds=30))
    with client(world.sandbox.clock) as second:
        second.resume("mine")
        second.activate("mine", mail=world.mail("activation"))
    assert len(world.provider.desk.accepted) == len(world.provider.desk.phone.rings) == 1
