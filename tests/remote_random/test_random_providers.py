"""Random runs against every provider: 360 for each of the ways in `remote_ways`, so 5,040 in all.

A run has 30 events: what the person does with the phone, every mischief of the provider, what a network does
to a request, time that passes, a process that dies anywhere, secrets that are wrong, a person who decides.
After each of them, and at the end:

- no provider accepts a digest twice, unless the attempt before has certainly ended or a person decided;
- a value that comes out fits its digest and the certificate;
- everything ends in an outcome or a typed error;
- no secret is sent again that was refused;
- nothing secret stands in what was written down.
"""

from __future__ import annotations

from collections import Counter

import pytest
import remote_chaos
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from remote_chaos import EVENTS, OUTCOMES, Event, Run, Sending
from remote_ways import WAYS

from bhxh_sdk.errors import UnknownOutcomeError
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.sandbox.remote.desk import Mischief
from bhxh_sdk.sandbox.remote.phone import Answer
from bhxh_sdk.signers import transaction_to_dict
from bhxh_sdk.signers.remote import ProviderSecrets, signer
from bhxh_sdk.signers.remote.mysign import MySign

LENGTH = 30
RUNS = settings.default.max_examples * 18 // 5
runs = st.lists(st.sampled_from(EVENTS), min_size=LENGTH, max_size=LENGTH)


@pytest.fixture(scope="module")
def issued(now):
    return SandboxPki(now).issue()


def played(way, issued, start, events):
    run = Run(way, issued, start)
    for event in events:
        run.happens(event)
        if run.faults:
            return run, ""
    return run, run.ends()


@pytest.mark.parametrize("way", WAYS)
def test_whatever_happens_every_promise_is_kept(way, issued, now):
    ended = Counter()

    @settings(max_examples=RUNS, suppress_health_check=list(HealthCheck))
    @given(runs)
    def holds(events):
        run, outcome = played(way, issued, now, events)
        note(f"{outcome}: {run.outcomes}")
        assert run.faults == []
        assert outcome in OUTCOMES
        ended.update(run.outcomes)
        ended.update([outcome])

    holds()
    assert ended["done"]
    assert ended["refused"]


STEP = Event("step")


def faults_of(way, issued, start, *events):
    return played(way, issued, start, events)[0].faults


def test_a_driver_that_sends_again_what_was_lost_is_found(issued, now, monkeypatch):
    events = [Event("starting", Sending.LOST), STEP]
    assert faults_of("mysign-polled", issued, now, *events) == []
    sent = signer._Talk._sent

    async def twice(talk, call):
        try:
            return await sent(talk, call)
        except UnknownOutcomeError:
            return await sent(talk, call)

    monkeypatch.setattr(signer._Talk, "_sent", twice)
    assert faults_of("mysign-polled", issued, now, *events) == [
        "attempt 1 called signHash twice",
        "attempt 1 had a digest accepted twice",
    ]


def test_a_driver_that_takes_a_lost_answer_for_a_no_is_found(issued, now, monkeypatch):
    events = [Event("phone", Answer.IGNORES), Event("starting", Sending.LOST), STEP]
    assert faults_of("mysign-polled", issued, now, *events) == []
    monkeypatch.setattr(signer.RemoteSigner, "_doubtful", lambda _self, _transaction, error: refuse(error))
    assert "ended attempt 1, which is waiting" in faults_of("mysign-polled", issued, now, *events)[0]


def refuse(error):
    raise remote_chaos.SigningError("signing.failed") from error


def test_a_value_that_was_not_verified_is_found(issued, now, monkeypatch):
    events = [STEP, Event("mischief", Mischief.WRONG_SIGNATURE), STEP]
    assert faults_of("mysign-polled", issued, now, *events) == []
    monkeypatch.setattr(remote_chaos, "values_of", lambda transaction, *_: transaction.signatures)
    assert faults_of("mysign-polled", issued, now, *events) == ["a value came out that does not fit: 0-0"]


def test_a_refused_secret_that_is_sent_again_is_found(issued, now, monkeypatch):
    events = [Event("dies", False), STEP, STEP]
    assert faults_of("mysign-polled", issued, now, *events) == []
    monkeypatch.setattr(ProviderSecrets, "refuse", lambda _self, _name: None)
    assert faults_of("mysign-polled", issued, now, *events) == [
        "a refused secret was sent again: wrong client_secret"
    ]


def test_an_untyped_error_is_found(issued, now, monkeypatch):
    monkeypatch.setattr(MySign, "_taken", lambda *_: {}["access_token"])
    assert faults_of("mysign-polled", issued, now, STEP) == [
        "an untyped error came out: KeyError('access_token')"
    ]


def test_a_secret_that_is_written_down_is_found(issued, now, monkeypatch):
    def open_hearted(transaction):
        return transaction_to_dict(transaction) | {"reason": "example-client-secret"}

    monkeypatch.setattr(remote_chaos, "transaction_to_dict", open_hearted)
    assert faults_of("mysign-polled", issued, now, STEP) == [
        "a secret stands in the transaction that was written down"
    ]
