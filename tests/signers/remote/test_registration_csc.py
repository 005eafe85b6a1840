"""A registration completes over real HTTP with a certificate at a CSC service: ours, and that of others."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta

import pytest
from attrs import evolve
from csc_peer import NAME, peer
from tokens.processes import run_tool

from bhxh_sdk import AsyncClient, Client, open_signer
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.cli.demonstration import example_form
from bhxh_sdk.sandbox import Sandbox
from bhxh_sdk.sandbox.remote import SandboxPhone
from bhxh_sdk.sandbox.remote.csc import CscProvider
from bhxh_sdk.sandbox.remote.provider import app_of
from bhxh_sdk.sandbox.server import Serving
from bhxh_sdk.transport import AsyncHttpSender


@pytest.fixture
def sandbox():
    with Sandbox() as made:
        yield made


@pytest.fixture
def ours(sandbox, tmp_path, monkeypatch):
    """Serve a provider of ours that keeps the organisation's certificate, and write its profile."""
    servings = []

    def make(version):
        provider = CscProvider(
            sandbox.clock,
            version=version,
            needs_login=True,
            phone=SandboxPhone(takes=timedelta(seconds=20)),
        )
        provider.add("unit", sandbox.pki.issue(example_form("portal").organisation.name, own_key=True))
        servings.append(Serving((app_of(provider),), (0,)))
        table = provider.profile_table(servings[-1].urls[0])
        file = tmp_path / "csc.toml"
        file.write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items()), "utf-8")
        monkeypatch.setenv("CSC_CLIENT_SECRET", provider.access.client_secret)
        return provider, f"csc:{file}"

    yield make
    for serving in servings:
        serving.stop()


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    with peer(tmp_path_factory.mktemp("peer")) as url:
        yield f"csc:{url}/csc/v1?credential=lab/unit"


def registered(sandbox, uri, form, journal):
    signer = open_signer(uri, clock=sandbox.clock)
    settings = {"journal": journal, "ask": sandbox.ask, "clock": sandbox.clock}
    with Client(sandbox.portal_channel(), signer=signer, **settings) as client:
        key = client.register(form, confirmed=True).key
        client.activate(key, mail=mail(sandbox, form, "activation"))
        return client.log_in(key, mail=mail(sandbox, form, "credentials"))


async def registered_asynchronously(sandbox, uri, form, journal):
    signer = open_signer(uri, clock=sandbox.clock, asynchronous=True)
    settings = {"journal": journal, "ask": sandbox.ask, "clock": sandbox.clock}
    channel = sandbox.portal_channel(sender_factory=AsyncHttpSender)
    async with AsyncClient(channel, signer=signer, **settings) as client:
        key = (await client.register(form, confirmed=True)).key
        await client.activate(key, mail=mail(sandbox, form, "activation"))
        return await client.log_in(key, mail=mail(sandbox, form, "credentials"))


def mail(sandbox, form, kind):
    return sandbox.outbox.latest(str(form.contact.email), kind).as_bytes()


def complete(asynchronous, *arguments):
    if asynchronous:
        return asyncio.run(registered_asynchronously(*arguments))
    return registered(*arguments)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("version", [1, 2])
def test_a_registration_completes_with_our_service(sandbox, ours, tmp_path, version, asynchronous):
    provider, uri = ours(version)
    session = complete(asynchronous, sandbox, uri, example_form("portal"), tmp_path / "journal.db")
    assert session.user_name == "0100109106"
    assert len(provider.desk.accepted) == len(provider.desk.phone.rings) == 1


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_registration_completes_with_a_service_of_others(sandbox, theirs, tmp_path, asynchronous):
    signer = open_signer(theirs)
    [own] = run_blocking(signer.certificates())
    signer.close()
    sandbox.agency.trust(own.certificate.der)
    form = example_form("portal")
    form = evolve(form, organisation=evolve(form.organisation, name=NAME))
    session = complete(asynchronous, sandbox, theirs, form, tmp_path / "journal.db")
    assert session.user_name == "0100109106"


def test_the_demonstration_runs_with_a_service_of_others(theirs):
    program = "import sys; from bhxh_sdk.cli import main; sys.exit(main())"
    assert "29/29" in run_tool([sys.executable, "-c", program, "demo", "--signer", theirs])
