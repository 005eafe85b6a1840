"""The whole sandbox on loopback: started, used, stopped."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from datetime import timedelta

import pytest
from workflow_world import a_form

import bhxh_sdk as bhxh
import bhxh_sdk.sandbox
from bhxh_sdk.blocking import run_blocking as run
from bhxh_sdk.errors import MissingExtraError, SetupError
from bhxh_sdk.models import Credentials
from bhxh_sdk.ports import Question, Request
from bhxh_sdk.sandbox import AgencySettings, Phone, Sandbox, VirtualClock
from bhxh_sdk.sandbox import server as server_room
from bhxh_sdk.secret import Secret
from bhxh_sdk.transport import AsyncHttpSender, HttpSender

IVAN = bhxh.Ivan("00040")


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "bhxh-sandbox"]


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def test_it_answers_while_it_runs_and_leaves_nothing_behind():
    sandbox = Sandbox()
    for address in ("portal_url", "ivan_url"):
        with pytest.raises(SetupError, match="sandbox_stopped"):
            getattr(sandbox, address)
    before = len(threads())
    with sandbox:
        assert len(threads()) == before + 1
        assert run(sandbox.portal_channel().ivans())
    assert len(threads()) == before
    sandbox.stop()


def test_it_can_be_started_again():
    sandbox = Sandbox()
    for _ in range(2):
        with sandbox:
            assert sandbox.portal_url != sandbox.ivan_url


def test_a_port_can_be_chosen_and_a_taken_one_is_named():
    port = free_port()
    with Sandbox(port=port) as sandbox:
        assert sandbox.portal_url == f"http://127.0.0.1:{port}"
        for ports in ({"port": port}, {"ivan_port": port}, {"port": 99_999}):
            with pytest.raises(SetupError) as caught:
                Sandbox(**ports).start()
            assert caught.value.code == "setup.sandbox_port"


def test_a_server_that_does_not_come_up_is_an_error(monkeypatch):
    async def nothing(self, sockets):
        for sock in sockets:
            sock.close()

    monkeypatch.setattr(server_room.uvicorn.Server, "serve", nothing)
    with pytest.raises(SetupError, match="sandbox_start"):
        Sandbox().start()


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_a_missing_extra_is_named(monkeypatch, missing):
    for name in [*sys.modules]:
        if name.startswith(
            (missing, "bhxh_sdk.sandbox.portal", "bhxh_sdk.sandbox.ivan", "bhxh_sdk.sandbox.server")
        ):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError) as caught:
        Sandbox().start()
    assert caught.value.parameters["extra"] == "sandbox"
    assert "bhxh-sdk[sandbox]" in caught.value.hint("vi")


def test_a_broken_room_of_our_own_is_no_missing_extra(monkeypatch):
    for name in ("portal", "portal_answers"):
        monkeypatch.delitem(sys.modules, f"bhxh_sdk.sandbox.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "bhxh_sdk.sandbox.portal_answers", None)
    monkeypatch.delattr(bhxh_sdk.sandbox, "portal_answers", raising=False)
    with pytest.raises(ImportError) as caught:
        Sandbox()
    assert not isinstance(caught.value, MissingExtraError)


def test_the_person_of_the_sandbox_agrees_to_everything(bhxh_sandbox):
    question = Question(purpose="anything")
    assert run(bhxh_sandbox.ask.confirm(question))
    assert run(bhxh_sandbox.ask.choose(question)) == 0
    assert not run(bhxh_sandbox.ask.secret(question))


def test_settings_clock_and_passphrase_can_be_given():
    clock, settings = VirtualClock(seed=1), AgencySettings(activation_link="https://own.example/")
    with Sandbox(clock=clock, settings=settings, passphrase=Secret("own")) as sandbox:
        assert sandbox.clock is clock
        assert sandbox.agency.settings.activation_link == "https://own.example/"
        assert sandbox.passphrase == Secret("own")
        assert sandbox.faults is sandbox.portal.faults
    with Sandbox() as sandbox:
        assert sandbox.agency.settings.activation_link.startswith(sandbox.portal_url)


def test_an_asynchronous_client_is_served_too(bhxh_sandbox):
    async def walk():
        channel = bhxh_sandbox.ivan_channel(sender_factory=AsyncHttpSender)
        signer = bhxh_sandbox.signer(a_form().organisation)
        async with bhxh.AsyncClient(channel, signer=signer, clock=bhxh_sandbox.clock) as client:
            return await client.register(a_form(transact_at=IVAN), confirmed=True)

    assert asyncio.run(walk()).state is bhxh.State.SUBMITTED


def test_the_room_names_what_it_has():
    assert set(bhxh_sdk.sandbox.__all__) <= set(dir(bhxh_sdk.sandbox))
    assert Phone is bhxh_sdk.sandbox.Phone
    with pytest.raises(AttributeError, match="nothing"):
        _ = bhxh_sdk.sandbox.nothing


# The I-VAN's wire, where a client of ours never goes


def call(sandbox, path, body=None, held="none"):
    sender = HttpSender(sandbox.clock, allowed_hosts=[sandbox.ivan_url.removeprefix("http://")])
    request = Request(
        method="GET" if body is None else "POST",
        url=f"{sandbox.ivan_url}{path}",
        headers=(("Authorization", f"Bearer {held}"),),
        body=body or b"",
    )
    reply = run(sender.send(request))
    return reply.status, json.loads(reply.body)


def token(sandbox):
    _, answer = call(sandbox, "/api/Authen/auth", b'{"userName": "sandbox", "password": "sandbox-ivan"}')
    return answer["result"]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/api/Authen/auth", b"{", "SBX-101"),
        ("/api/Authen/auth", b"[]", "SBX-301"),
        ("/api/Authen/forgot-password", b"{}", "SBX-303"),
        ("/api/RegisterService/register-new-service", b"{", "SBX-101"),
        ("/api/RegisterService/register-new-service", b'{"noiDungFile": "%%"}', "SBX-101"),
        ("/api/RegisterService/register-new-service?credentialID=other", b"{}", "SBX-402"),
        ("/api/TraCuu/tien-do-dang-ky?ma_tra_cuu=1", None, "SBX-206"),
        ("/sandbox/activate", b"{}", "SBX-201"),
    ],
)
def test_the_ivan_refuses_in_its_own_envelope(bhxh_sandbox, path, body, code):
    status, answer = call(bhxh_sandbox, path, body, token(bhxh_sandbox))
    assert (status, answer["code"], answer["result"]) == (200, code, None)
    assert answer["errorMessage"]


def test_the_ivan_wants_a_token_that_still_holds(bhxh_sandbox):
    held = token(bhxh_sandbox)
    path = "/api/History/get-histories-register"
    assert call(bhxh_sandbox, path, held=held)[0] == 200
    bhxh_sandbox.clock.advance(timedelta(hours=1))
    assert call(bhxh_sandbox, path, held=held) == call(bhxh_sandbox, path)
    assert call(bhxh_sandbox, path)[0] == 401


def test_an_account_of_the_portal_is_none_of_the_ivan(bhxh_sandbox):
    case = bhxh_sandbox.agency.take_paper(a_form(use_certificate=False))
    mail = bhxh_sandbox.outbox.latest("hr@example.com")
    code = bhxh.transport.mailbox.activation_code_in(mail.as_bytes()).code.reveal()
    bhxh_sandbox.agency.activate(case.sending_key, code)
    account = bhxh.transport.mailbox.credentials_in(bhxh_sandbox.outbox.latest("hr@example.com").as_bytes())
    assert isinstance(account, Credentials)
    with pytest.raises(bhxh.LogInRefusedError):
        run(bhxh_sandbox.ivan_channel().log_in(account, bhxh_sandbox.ask))
    held = token(bhxh_sandbox)
    path = f"/api/TraCuu/tien-do-dang-ky?ma_tra_cuu={case.sending_key}"
    assert call(bhxh_sandbox, path, held=held)[1]["code"] == "SBX-206"
