from __future__ import annotations

import asyncio
import time
from datetime import UTC

import pytest

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import PersonNeededError
from bhxh_sdk.ports import CaptchaChallenge, Question
from bhxh_sdk.secret import Secret
from bhxh_sdk.system import AskPerson, AsyncSystemClock, SystemClock, telling

QUESTION = Question(purpose="key_password", subject="key.p12", choices=("a", "b"))
PICTURE = CaptchaChallenge(image=b"\x89PNG", purpose="log_in")


def test_the_machines_clock():
    clock = SystemClock()
    assert clock.now().tzinfo == UTC
    before = clock.monotonic()
    run_blocking(clock.sleep(0.001))
    assert clock.monotonic() > before
    assert len(clock.random_bytes(8)) == 8
    assert clock.random_bytes(8) != clock.random_bytes(8)
    assert len(clock.new_id()) == 32
    assert clock.new_id() != clock.new_id()


def test_the_asynchronous_clock_lets_the_loop_go_on():
    async def both() -> float:
        start = time.monotonic()
        await asyncio.gather(*(AsyncSystemClock().sleep(0.05) for _ in range(10)))
        return time.monotonic() - start

    assert asyncio.run(both()) < 0.4


@pytest.mark.parametrize("answer", ["1234", Secret("1234")])
def test_callbacks_answer(answer):
    ask = AskPerson(
        on_secret=lambda question: answer,
        on_captcha=lambda challenge: "abcd",
        on_choose=lambda question: 1,
        on_confirm=lambda question: True,
    )
    assert run_blocking(ask.secret(QUESTION)) == Secret("1234")
    assert run_blocking(ask.captcha(PICTURE)) == "abcd"
    assert run_blocking(ask.choose(QUESTION)) == 1
    assert run_blocking(ask.confirm(QUESTION))


def test_coroutine_callbacks_answer():
    async def later(asked):
        await asyncio.sleep(0)
        return "1234"

    assert asyncio.run(AskPerson(on_secret=later).secret(QUESTION)) == Secret("1234")


@pytest.mark.parametrize("name", ["secret", "captcha", "choose", "confirm"])
def test_nobody_to_ask_is_said(name):
    asked = PICTURE if name == "captcha" else QUESTION
    with pytest.raises(PersonNeededError) as caught:
        run_blocking(getattr(AskPerson(), name)(asked))
    assert caught.value.field in {"captcha", "key_password"}


def test_telling_takes_plain_functions_and_coroutines():
    told = []

    async def tell(value):
        told.append(value)

    run_blocking(telling(told.append)("a"))
    run_blocking(telling(tell)("b"))
    assert told == ["a", "b"]
