"""The main job over real HTTP: each of the 29 steps, blocking, asynchronous, and inside a running loop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from workflow_world import a_form

import bhxh_sdk as bhxh
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.transport import AsyncHttpSender, HttpSender
from bhxh_sdk.workflow import STEPS, EventKind, StepState
from bhxh_sdk.workflow.state import folded

WAYS = ("blocking", "asynchronous", "blocking_inside_a_loop")
PLACES = {"portal": bhxh.Portal(), "ivan": bhxh.Ivan("00040")}


class Calls:
    """Call either client with `await`: a blocking call is over before anything could be awaited."""

    def __init__(self, client: bhxh.Client | bhxh.AsyncClient) -> None:
        self._client = client

    async def __call__(self, name: str, *arguments: Any, **named: Any) -> Any:
        answer = getattr(self._client, name)(*arguments, **named)
        return await answer if isinstance(self._client, bhxh.AsyncClient) else answer


async def register_and_log_in(call: Calls, sandbox: Any, place: bhxh.Portal | bhxh.Ivan) -> Any:
    """Walk the 29 steps; after each call, exactly the steps that the table names for it are done."""
    form = a_form(transact_at=place)
    filing = await call("register", form, confirmed=True)
    assert done(filing) == numbers(1, 24)
    assert filing.current_step.step.number == 25

    code_mail = sandbox.outbox.as_eml(sandbox.outbox.latest("hr@example.com"))
    filing = await call("activate", filing.key, mail=code_mail)
    assert done(filing) == numbers(1, 28)

    account_mail = sandbox.outbox.as_eml(sandbox.outbox.latest("hr@example.com"))
    session = await call("log_in", filing.key, mail=account_mail)
    filing = await call("status", filing.key)
    assert done(filing) == numbers(1, 29)
    assert session.token
    assert session.unit.unit_code == "TZ0001Z"
    return filing


def numbers(first: int, last: int) -> set[int]:
    return set(range(first, last + 1))


def done(filing: bhxh.RegistrationStatus) -> set[int]:
    return {status.step.number for status in filing.steps if status.state is StepState.DONE}


def options(sandbox: Any, journal: Any) -> dict[str, Any]:
    organisation = a_form().organisation
    return {
        "signer": sandbox.signer(organisation),
        "journal": journal,
        "ask": sandbox.ask,
        "clock": sandbox.clock,
    }


def connected(sandbox: Any, channel: str, sender: type = HttpSender) -> Any:
    opened = sandbox.portal_channel if channel == "portal" else sandbox.ivan_channel
    return opened(sender_factory=sender)


def walk_blocking(sandbox: Any, channel: str, journal: Any) -> Any:
    with bhxh.Client(connected(sandbox, channel), **options(sandbox, journal)) as client:
        return run_blocking(register_and_log_in(Calls(client), sandbox, PLACES[channel]))


async def walk_in_a_loop(sandbox: Any, channel: str, journal: Any) -> Any:
    return walk_blocking(sandbox, channel, journal)


async def walk_asynchronously(sandbox: Any, channel: str, journal: Any) -> Any:
    channel_to = connected(sandbox, channel, AsyncHttpSender)
    async with bhxh.AsyncClient(channel_to, **options(sandbox, journal)) as client:
        return await register_and_log_in(Calls(client), sandbox, PLACES[channel])


def walk(way: str, sandbox: Any, channel: str, journal: Any) -> Any:
    if way == "blocking":
        return walk_blocking(sandbox, channel, journal)
    inside = walk_in_a_loop if way == "blocking_inside_a_loop" else walk_asynchronously
    return asyncio.run(inside(sandbox, channel, journal))


@pytest.mark.parametrize("channel", list(PLACES))
@pytest.mark.parametrize("way", WAYS)
def test_an_organisation_registers_and_logs_in(bhxh_sandbox, tmp_path, way, channel):
    path = tmp_path / "journal.db"
    filing = walk(way, bhxh_sandbox, channel, path)
    assert filing.state is bhxh.State.ACTIVE
    assert filing.submissions == 1
    assert bhxh_sandbox.agency.submissions == 1
    assert [status.state for status in filing.steps] == [StepState.DONE] * len(STEPS)
    assert every_step_is_in_the_journal(path, filing.key)


def every_step_is_in_the_journal(path: Any, key: str) -> bool:
    """Read the journal file anew: each step's own event stands in it."""
    journal = bhxh.SqliteJournal(path)
    happened: set[EventKind] = set(folded(run_blocking(journal.events(key))).happened)
    journal.close()
    return all(step.done_by & happened for step in STEPS)
