"""An event loop beside a slow token goes on, and a thousand documents cost one login and one question."""

from __future__ import annotations

import asyncio
import hashlib
import time
from itertools import pairwise

import pytest
from batch_world import forms
from tokens.entries import NOW, PIN

from bhxh_sdk import AsyncDocumentSigner, DocumentSigner, xml
from bhxh_sdk.offloading import OffLoopSigner
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import SigningJob, choose_certificate, sign
from bhxh_sdk.signers.pkcs11 import TokenSigner
from bhxh_sdk.system import AskPerson, AsyncSystemClock

pytestmark = pytest.mark.needs_tool("softhsm2-util", "cc")

SIGNING_MS = 300
LONGEST_GAP_SECONDS = 0.1
"""The promise is 20 ms. These tests share their cores with others, whose pauses are none of the token's."""


@pytest.fixture
def asked():
    return []


@pytest.fixture
def person(asked):
    def enter(question):
        asked.append(question.purpose)
        return Secret(PIN)

    return AskPerson(on_secret=enter)


@pytest.fixture
def token(simulator):
    return TokenSigner.from_module(simulator.module, binding="python-pkcs11")


async def longest_gap(work):
    """Run work beside a loop that beats every two milliseconds, and return the longest pause of its beat."""
    beats, task = [time.perf_counter()], asyncio.ensure_future(work)
    while not task.done():
        await asyncio.sleep(0.002)
        beats.append(time.perf_counter())
    await task
    return max(later - earlier for earlier, later in pairwise(beats))


def quiet(make):
    """Return the smallest of a few longest pauses: what the work itself causes, not the machine."""
    for _ in range(3):
        gap = asyncio.run(make())
        if gap < LONGEST_GAP_SECONDS / 5:
            break
    return gap


def test_documents_signed_with_a_slow_token_do_not_hold_up_the_loop(simulator, person, asked):
    simulator.set(slow_sign_ms=SIGNING_MS, slow_login_ms=SIGNING_MS)

    async def signed():
        token = TokenSigner.from_module(simulator.module, binding="python-pkcs11")

        async def work():
            async with AsyncDocumentSigner(token, ask=person) as signing:
                return [outcome.error async for outcome in signing.sign_all(forms(3))]

        return await longest_gap(work())

    assert quiet(signed) < LONGEST_GAP_SECONDS
    assert set(asked) == {"pin"}


def test_a_registrations_signature_does_not_hold_up_the_loop(simulator, person, token):
    simulator.set(slow_sign_ms=SIGNING_MS)
    beside = OffLoopSigner(token)
    job = SigningJob(document_id="one", digest=hashlib.sha256(b"one").digest())

    async def signed():
        offered = await beside.certificates()
        chosen = choose_certificate(offered, None, NOW)
        return await longest_gap(sign(beside, [job], chosen, person, AsyncSystemClock()))

    assert quiet(signed) < LONGEST_GAP_SECONDS
    beside.close()


def test_a_thousand_documents_cost_one_login_and_one_question(simulator, person, asked, token):
    with DocumentSigner(token, ask=person, workers=2) as signing:
        outcomes = list(signing.sign_all(forms(1000)))
    assert not any(outcome.error for outcome in outcomes)
    for outcome in outcomes[::100]:
        assert xml.verify(outcome.signed.content)
    assert asked == ["pin"]
    assert [call.result for call in simulator.calls("C_Login")] == [0]
    assert simulator.overlaps == []
