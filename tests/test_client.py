from __future__ import annotations

import asyncio
import inspect
import threading

import pytest
from workflow_world import IVAN, NOW, TAX_CODE, Person, StillClock, ToldChannel, a_form, a_stop

from bhxh_sdk.async_client import AsyncClient
from bhxh_sdk.client import Client, check, journal_of
from bhxh_sdk.errors import SetupError, WrongTypeError
from bhxh_sdk.models import Ivan, Outcome, Progress
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import SoftKeySigner, throwaway
from bhxh_sdk.system import AskPerson
from bhxh_sdk.workflow import MemoryJournal, SqliteJournal, State


def calls(client: type) -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(member)
        for name, member in vars(client).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }


def test_both_clients_have_the_same_calls_in_the_same_order():
    assert list(calls(Client)) == list(calls(AsyncClient))
    for name, signature in calls(Client).items():
        assert signature == calls(AsyncClient)[name], name
    assert inspect.signature(Client) == inspect.signature(AsyncClient)


def test_every_call_of_the_asynchronous_client_is_awaited():
    assert all(inspect.iscoroutinefunction(vars(AsyncClient)[name]) for name in calls(AsyncClient))


@pytest.fixture
def soft_key():
    return throwaway(tax_code=TAX_CODE, common_name="CÔNG TY TNHH VÍ DỤ", now=NOW)


def options(signer):
    return {"signer": signer, "ask": Person(), "clock": StillClock()}


def whole_way(channel):
    """Every call once, as (name, arguments): both clients take the same way."""
    yield "check", (a_form(),), {}
    yield "register", (a_form(),), {"confirmed": True, "key": "k"}
    yield "resume", ("k",), {}
    yield "refresh", ("k",), {}
    yield "activate", ("k", "K7M4"), {}
    channel.tell("progress", Progress(outcome=Outcome.ACCEPTED))
    yield "wait_for_decision", ("k",), {"seconds": 1}
    yield "log_in", ("k", "password"), {}
    yield "status", ("k",), {}
    yield "statuses", (), {}
    yield "find", (a_form(),), {}
    yield "document", ("k",), {}
    yield "refresh_catalogue", (), {}
    yield "register", (a_form(use_certificate=False),), {"confirmed": True, "key": "p"}
    yield "record_handed_in", ("p",), {}
    yield "record_decision", ("p",), {"accepted": True}
    move = {
        "to": Ivan("00040"),
        "channel": ToldChannel(capabilities=IVAN),
        "stop": a_stop(),
        "confirmed": True,
    }
    yield "switch", (a_form(),), move


def test_the_blocking_client_goes_the_whole_way(soft_key):
    channel = ToldChannel()
    results = {}
    with Client(channel, **options(soft_key)) as client:
        for name, arguments, named in whole_way(channel):
            results[name] = getattr(client, name)(*arguments, **named)
        client.change_password("k", results["log_in"], "password", "n3w")
        assert client.status("k").state is State.ACTIVE
    assert channel.closed


def test_the_asynchronous_client_goes_the_whole_way(soft_key, tmp_path):
    async def main() -> None:
        channel = ToldChannel()
        results = {}
        async with AsyncClient(channel, journal=tmp_path / "j.db", **options(soft_key)) as client:
            for name, arguments, named in whole_way(channel):
                results[name] = await getattr(client, name)(*arguments, **named)
            await client.change_password("k", results["log_in"], "password", "n3w")
            assert (await client.status("k")).state is State.ACTIVE
        assert channel.closed

    asyncio.run(main())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("bhxh-")]


def test_a_paper_client_needs_no_signer():
    async def main() -> State:
        async with AsyncClient(ToldChannel(), ask=Person()) as client:
            return (await client.register(a_form(use_certificate=False), confirmed=True)).state

    assert asyncio.run(main()) is State.PRINTED
    with Client(ToldChannel()) as client:
        assert client.register(a_form(use_certificate=False), confirmed=True).state is State.PRINTED


def test_an_asynchronous_callback_does_not_fit_the_blocking_client(soft_key):
    async def later(question):
        await asyncio.sleep(0)
        return True

    with (
        Client(ToldChannel(), signer=soft_key, ask=AskPerson(on_confirm=later), clock=StillClock()) as client,
        pytest.raises(SetupError) as caught,
    ):
        client.register(a_form())
    assert caught.value.code == "setup.suspended"


def test_the_blocking_client_works_inside_a_running_loop(soft_key):
    async def notebook() -> State:
        with Client(ToldChannel(), **options(soft_key)) as client:
            return client.register(a_form(), confirmed=True).state

    assert asyncio.run(notebook()) is State.SUBMITTED


def test_a_journal_is_given_in_three_ways(tmp_path):
    assert isinstance(journal_of(None), MemoryJournal)
    for path in (tmp_path / "a.db", str(tmp_path / "b.db")):
        journal = journal_of(path)
        assert isinstance(journal, SqliteJournal)
        journal.close()
    own = MemoryJournal()
    assert journal_of(own) is own


@pytest.mark.parametrize("wrong", ["portal.toml", 5])
def test_what_is_no_channel_is_refused_at_once(wrong):
    for client in (Client, AsyncClient):
        with pytest.raises(WrongTypeError) as caught:
            client(wrong)
        assert caught.value.field == "channel"


def test_without_a_channel_there_is_paper(soft_key):
    with Client(None, signer=soft_key, clock=StillClock()) as client:
        assert client.register(a_form(use_certificate=False), confirmed=True).state is State.PRINTED
        with pytest.raises(SetupError) as caught:
            client.register(a_form(), confirmed=True)
    assert caught.value.code == "setup.no_channel"


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_what_asks_nobody_is_refused_at_once(client):
    with pytest.raises(WrongTypeError) as caught:
        client(None, ask=input)
    assert caught.value.field == "ask"


@pytest.mark.parametrize("wrong", [b"x.db", 5])
def test_what_is_no_journal_is_refused_at_once(wrong):
    with pytest.raises(WrongTypeError) as caught:
        Client(ToldChannel(), journal=wrong)
    assert caught.value.field == "journal"


@pytest.mark.parametrize(("client", "asynchronous"), [(Client, True), (AsyncClient, False)])
def test_a_channel_of_the_other_kind_is_refused_at_once(client, asynchronous):
    channel = ToldChannel()
    channel.asynchronous = asynchronous
    with pytest.raises(SetupError) as caught:
        client(channel)
    assert caught.value.code == "setup.other_kind_of_channel"


def test_a_form_is_checked_without_a_client():
    assert check(a_form()).ok
    assert check(a_form(), on=NOW.date(), confirmed=False).codes.count("confirmation.missing") == 1


def test_who_waits_is_told(soft_key):
    told = []
    with Client(ToldChannel(), on_pending=told.append, **options(soft_key)) as client:
        client.register(a_form(), confirmed=True)
    assert told == []


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_the_holder_asks_for_the_password_of_a_key_file_once(tmp_path, kind):
    path, asked = tmp_path / "k.p12", []
    issued = SandboxPki(NOW).issue("CÔNG TY TNHH VÍ DỤ", TAX_CODE)
    path.write_bytes(issued.p12("bí mật"))

    class Asked(Person):
        async def secret(self, question):
            asked.append(question.purpose)
            return Secret("bí mật")

    with_ask = {"signer": SoftKeySigner.from_file(path), "ask": Asked(), "clock": StillClock()}

    async def asynchronous():
        async with AsyncClient(ToldChannel(), **with_ask) as client:
            return await client.register(a_form(), confirmed=True, key="k")

    if kind is Client:
        with Client(ToldChannel(), **with_ask) as client:
            client.register(a_form(), confirmed=True, key="k")
    else:
        asyncio.run(asynchronous())
    assert asked == ["key_password"]


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_what_is_no_signer_is_refused_at_once(client):
    with pytest.raises(WrongTypeError, match="signer"):
        client(ToldChannel(), signer="softkey:new")
