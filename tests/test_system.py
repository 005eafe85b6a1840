from __future__ import annotations

import asyncio
import time
import traceback
from datetime import UTC

import pytest

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import InputError, PersonNeededError, WrongTypeError
from bhxh_sdk.ports import CaptchaChallenge, Question
from bhxh_sdk.secret import Secret
from bhxh_sdk.system import AskPerson, AsyncSystemClock, SystemClock, ask_of, telling

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


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ("4711\udcff", InputError, "input.secret_encoding"),
        (4711, WrongTypeError, "input.wrong_type"),
        (b"4711", WrongTypeError, "input.wrong_type"),
        (None, WrongTypeError, "input.wrong_type"),
    ],
)
def test_an_answer_that_is_no_secret_is_a_typed_error_without_it(answer, kind, code):
    answers = [answer]
    del answer
    with pytest.raises(kind) as caught:
        run_blocking(AskPerson(on_secret=lambda _: answers.pop()).secret(QUESTION))
    error = caught.value
    assert (error.code, error.field) == (code, "key_password")
    assert "4711" not in f"{error} {error.message('vi')} {error.hint('en')}"
    assert error.__context__ is None
    frames = [frame.f_locals for frame, _ in traceback.walk_tb(error.__traceback__)]
    assert not any("4711" in repr(value) for found in frames[1:] for value in found.values())


def test_whom_to_ask_is_looked_at_when_it_is_given():
    person = AskPerson()
    assert ask_of(person) is person
    assert ask_of(None) == AskPerson()
    with pytest.raises(WrongTypeError) as caught:
        ask_of(lambda question: "1234")
    assert (caught.value.field, caught.value.parameters["got"]) == ("ask", "function")
