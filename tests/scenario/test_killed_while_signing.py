"""A process is killed while a person has to confirm elsewhere: the next one asks nobody twice blindly.

The child registers over HTTP on this machine and is gone at a chosen moment; whoever comes next has nothing
but the journal's file.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import field, frozen
from workflow_world import a_form

import bhxh_sdk as bhxh
from bhxh_sdk.sandbox import Fault, Sandbox, VirtualClock
from bhxh_sdk.signers import SigningState, transaction_from_dict
from bhxh_sdk.signers.remote import RemoteProfile, open_profile
from bhxh_sdk.system import AsyncSystemClock, SystemClock
from bhxh_sdk.transport import AsyncHttpSender, HttpSender
from bhxh_sdk.workflow import SqliteJournal, State

if TYPE_CHECKING:
    from collections.abc import Mapping

CHILD = Path(__file__).resolve().parent.parent / "dying_registrant.py"
KILLED = -signal.SIGKILL
LIMIT_SECONDS = 60
WHILE = timedelta(minutes=10)
"""How long a person thinks who has to decide; some providers take no second signature beside an open one."""


@frozen(kw_only=True)
class Way:
    """A provider, and what the next process can find out there.

    Args:
        name: the provider of the sandbox.
        own_id: whether it can be asked with our own id, so that even a lost answer is found.
        blocking: path of the one call that lasts until the person has answered; empty where we ask again.
        changes: members of the profile with another value.

    """

    name: str
    own_id: bool = False
    blocking: str = ""
    changes: Mapping[str, Any] = field(factory=dict)


WAYS = {
    "ca769-plain": Way(name="ca769-plain", own_id=True),
    "ca769-vnpt": Way(name="ca769-vnpt", own_id=True),
    "ca769-ca2": Way(name="ca769-ca2", own_id=True),
    "mysign-1": Way(name="mysign", changes={"async_mode": 1}),
    "mysign-3": Way(name="mysign", changes={"async_mode": 3}),
    "mysign-0": Way(name="mysign", changes={"async_mode": 0}, blocking="/vtss/service/signHash"),
    "csc-v2": Way(name="csc-v2"),
    "csc-v1": Way(name="csc-v1", blocking="/csc/v1/credentials/authorize"),
    "mss-asynch": Way(name="mss", changes={"dialect_changes": {"mode": "asynchClientServer"}}),
    "mss-certificate-comes-later": Way(
        name="mss",
        changes={"dialect_changes": {"mode": "asynchClientServer", "registers_first": False}},
    ),
    "mss-synch": Way(
        name="mss",
        changes={"dialect_changes": {"mode": "synch"}},
        blocking="/soap/services/MSS_SignaturePort",
    ),
}
ASKED_AGAIN = {name: way for name, way in WAYS.items() if not way.blocking}
BLOCKING = {name: way for name, way in WAYS.items() if way.blocking}


class Scene:
    """A portal and a provider on this machine, a journal's file, and the processes that come and go."""

    def __init__(self, sandbox, way, folder):
        self.sandbox, self.way, self.journal = sandbox, way, folder / "journal.db"
        self.provider = sandbox.remote[way.name]
        self.provider.desk.phone.takes = timedelta(seconds=60)
        self.provider.keep_key(a_form().organisation)
        self.profile = self.provider.profile(a_form().organisation)
        for name, value in way.changes.items():
            before = self.profile.get(name)
            self.profile[name] = {**before, **value} if isinstance(before, dict) else value
        self._orders = folder / "orders.json"

    @contextmanager
    def child(self, moment):
        """Start a process that registers."""
        orders = {
            "moment": moment,
            "journal": str(self.journal),
            "portal": self.sandbox.portal_url,
            "passphrase": self.sandbox.passphrase.reveal(),
            "profile": self.profile,
            "environment": self.provider.environment,
        }
        self._orders.write_text(json.dumps(orders), "utf-8")
        command = [sys.executable, str(CHILD), str(self._orders)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            try:
                yield process
            finally:
                process.kill()

    def killed(self, moment):
        """Have a process register until it kills itself."""
        with self.child(moment) as process:
            said, _ = process.communicate(timeout=LIMIT_SECONDS)
            assert process.returncode == KILLED, said.decode()

    def killed_in_a_call(self):
        """Kill a process while it waits for the answer to the call for which the phone rings."""
        self.provider.faults.next(self.way.blocking, Fault.HOLD_REPLY)
        with self.child("call") as process:
            ends = time.monotonic() + LIMIT_SECONDS
            while not self.rings and process.poll() is None and time.monotonic() < ends:
                time.sleep(0.02)
            process.kill()
            said, _ = process.communicate(timeout=LIMIT_SECONDS)
            assert process.returncode == KILLED, said.decode()

    def options(self, senders):
        real = AsyncSystemClock() if senders is AsyncHttpSender else SystemClock()
        return {
            "signer": open_profile(
                RemoteProfile.from_table(self.profile),
                clock=self.sandbox.clock,
                senders=lambda _, **options: senders(real, **options),
                environment=self.provider.environment,
            ),
            "journal": self.journal,
            "ask": self.sandbox.ask,
            "clock": self.sandbox.clock,
        }

    def resumed(self, **decision):
        """Go on in another process: nothing is known there but the journal."""
        with bhxh.Client(self.sandbox.portal_channel(), **self.options(HttpSender)) as client:
            return client.resume("k", **decision).state

    def resumed_in_a_loop(self):
        async def main():
            channel = self.sandbox.portal_channel(sender_factory=AsyncHttpSender)
            async with bhxh.AsyncClient(channel, **self.options(AsyncHttpSender)) as client:
                return (await client.resume("k")).state

        return asyncio.run(main())

    @property
    def stands(self):
        """The state and the transaction that the file holds."""
        journal = SqliteJournal(self.journal)
        try:
            events = asyncio.run(journal.events("k"))
        finally:
            journal.close()
        kept = [event.data["transaction"] for event in events if "transaction" in event.data]
        return events[-1].kind, transaction_from_dict(json.loads(kept[-1])).state

    @property
    def rings(self):
        return len(self.provider.desk.phone.rings)

    @property
    def counts(self):
        """How often the phone rang, a digest was accepted, and a declaration was filed."""
        return self.rings, len(self.provider.desk.accepted), self.sandbox.agency.submissions


@pytest.fixture
def scene(tmp_path):
    """Make a scene in time that flows, as it does in the child; whoever comes next may still jump ahead."""
    with Sandbox(clock=VirtualClock(flowing=True)) as sandbox:
        yield lambda way: Scene(sandbox, way, tmp_path)


def in_doubt(scene):
    """Nobody can tell: the state says so, however often it is asked, and a person decides."""
    for _ in range(2):
        with pytest.raises(bhxh.UnknownOutcomeError) as caught:
            scene.resumed()
        assert caught.value.code == "signing.ambiguous"
    assert scene.stands == ("signing_started", SigningState.AMBIGUOUS)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_right_after_the_intent_was_written_down(scene, way):
    scene = scene(way)
    scene.killed("intent")
    assert scene.stands == ("signing_intended", SigningState.INTENDED)
    assert scene.counts == (0, 0, 0)
    if way.own_id:
        with pytest.raises((bhxh.SigningError, bhxh.StillWaitingError)):
            scene.resumed()  # the provider knows nothing of it, which proves nothing
    else:
        in_doubt(scene)
    assert scene.counts == (0, 0, 0)
    assert scene.resumed(sign_again=True) is State.SUBMITTED
    assert scene.counts == (1, 1, 1)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_after_the_provider_accepted_and_before_its_answer_was_written_down(scene, way):
    scene = scene(way)
    scene.killed("answer")
    assert scene.stands == ("signing_intended", SigningState.INTENDED)
    assert scene.counts == (1, 1, 0)
    if way.own_id:
        assert scene.resumed() is State.SUBMITTED
        assert scene.counts == (1, 1, 1)
        return
    in_doubt(scene)
    assert scene.counts == (1, 1, 0)  # nobody is asked a second time but by a person's decision
    scene.sandbox.clock.advance(WHILE)
    assert scene.resumed(sign_again=True) is State.SUBMITTED
    assert scene.counts == (2, 2, 1)


@pytest.mark.parametrize("face", ["blocking", "loop"])
@pytest.mark.parametrize("way", ASKED_AGAIN.values(), ids=ASKED_AGAIN)
def test_between_two_questions(scene, way, face):
    scene = scene(way)
    scene.killed("polling")
    assert scene.stands == ("signing_started", SigningState.PENDING)
    assert scene.counts == (1, 1, 0)
    state = scene.resumed() if face == "blocking" else scene.resumed_in_a_loop()
    assert state is State.SUBMITTED
    assert scene.counts == (1, 1, 1)


@pytest.mark.parametrize("way", BLOCKING.values(), ids=BLOCKING)
def test_during_the_call_that_waits_for_the_person(scene, way):
    scene = scene(way)
    scene.killed_in_a_call()
    assert scene.stands == ("signing_intended", SigningState.INTENDED)
    assert scene.counts == (1, 1, 0)
    in_doubt(scene)
    assert scene.counts == (1, 1, 0)
    scene.sandbox.clock.advance(WHILE)
    assert scene.resumed(sign_again=True) is State.SUBMITTED
    assert scene.counts == (2, 2, 1)


@pytest.mark.parametrize("moment", ["intent", "second"])
def test_a_provider_without_a_phone_before_one_of_its_two_calls(scene, moment):
    scene = scene(Way(name="ca769-vnpt-th"))
    scene.killed(moment)
    assert scene.stands == ("signing_intended", SigningState.INTENDED)
    with pytest.raises((bhxh.SigningError, bhxh.StillWaitingError, bhxh.UnknownOutcomeError)):
        scene.resumed()  # what the first call gave is a secret, and lost
    assert scene.sandbox.agency.submissions == 0
    scene.sandbox.clock.advance(WHILE)
    try:
        stands = scene.resumed(sign_again=True)
    except bhxh.SigningExpiredError:  # the provider's time was over a moment after ours
        stands = scene.resumed()
    assert stands is State.SUBMITTED
    assert scene.sandbox.agency.submissions == 1
    assert sum(scene.provider.desk.signatures.values()) == 1


def test_a_provider_without_a_phone_before_its_answer_was_written_down(scene):
    scene = scene(Way(name="ca769-vnpt-th"))
    scene.killed("answer")
    assert scene.stands == ("signing_intended", SigningState.INTENDED)
    assert scene.resumed() is State.SUBMITTED
    assert scene.counts == (0, 1, 1)


@pytest.mark.parametrize("name", ["csc-v1", "csc-v2"])
def test_between_the_confirmation_and_the_signature(scene, name):
    scene = scene(WAYS[name])
    scene.provider.desk.phone.takes = timedelta()
    scene.killed("second")
    assert scene.stands == ("signing_intended", SigningState.INTENDED)
    assert scene.counts == (1, 1, 0)
    in_doubt(scene)  # what the confirmation gave is a secret, and lost
    assert scene.counts == (1, 1, 0)
    scene.sandbox.clock.advance(WHILE)
    assert scene.resumed(sign_again=True) is State.SUBMITTED
    assert scene.counts == (2, 2, 1)
