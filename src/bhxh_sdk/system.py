"""The real world behind the ports: the machine's clock, and people who are asked through callbacks."""

from __future__ import annotations

import asyncio
import inspect
import secrets
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from attrs import frozen

from bhxh_sdk.errors import InputError, PersonNeededError, WrongTypeError
from bhxh_sdk.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bhxh_sdk.ports import Ask, CaptchaChallenge, Question
    from bhxh_sdk.signers import SigningTransaction

    OnPending = Callable[[SigningTransaction], Awaitable[None] | None]

__all__ = ["AskPerson", "AsyncSystemClock", "SystemClock", "ask_of", "demand_calls", "telling"]

T = TypeVar("T")


class SystemClock:
    """The machine's clock and random source; waiting blocks the thread."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Block the thread."""
        time.sleep(seconds)  # noqa: ASYNC251  # the blocking client has no event loop to hold up

    def random_bytes(self, count: int) -> bytes:
        """Return bytes fit for keys and salts."""
        return secrets.token_bytes(count)

    def new_id(self) -> str:
        """Return 32 hexadecimal digits that nobody else will draw."""
        return uuid.uuid4().hex


class AsyncSystemClock(SystemClock):
    """The machine's clock; waiting lets the event loop go on."""

    async def sleep(self, seconds: float) -> None:
        """Wait in the event loop."""
        await asyncio.sleep(seconds)


@frozen(kw_only=True)
class AskPerson:
    """Ask a person through callbacks; what has none raises `PersonNeededError`.

    A callback may be a plain function, or a coroutine function for the asynchronous client.

    Args:
        on_secret: is given the question and returns a password, PIN or code.
        on_captcha: is given the picture and returns the characters in it.
        on_choose: is given the question and returns the position of the choice.
        on_confirm: is given the question and returns whether the person agrees.

    """

    on_secret: Callable[[Question], str | Secret | Awaitable[str | Secret]] | None = None
    on_captcha: Callable[[CaptchaChallenge], str | Awaitable[str]] | None = None
    on_choose: Callable[[Question], int | Awaitable[int]] | None = None
    on_confirm: Callable[[Question], bool | Awaitable[bool]] | None = None

    async def secret(self, question: Question) -> Secret:
        """Return the secret that the person entered.

        Raises:
            WrongTypeError: the callback returned something else.
            InputError: what it returned is no valid text.

        """
        return _secret(await _answer(self.on_secret, question, question.purpose), question.purpose)

    async def captcha(self, challenge: CaptchaChallenge) -> str:
        """Return what the person read."""
        return await _answer(self.on_captcha, challenge, "captcha")

    async def choose(self, question: Question) -> int:
        """Return the person's choice."""
        return await _answer(self.on_choose, question, question.purpose)

    async def confirm(self, question: Question) -> bool:
        """Return whether the person agrees."""
        return await _answer(self.on_confirm, question, question.purpose)


def _secret(value: str | Secret, field: str) -> Secret:
    """Return a secret; whatever is wrong with it, no frame of the error's traceback holds it."""
    kind = type(value).__name__
    is_text = isinstance(value, str | Secret)
    try:
        if is_text:
            return Secret(value)
    except ValueError:
        pass  # Python's own error has frames with the value in them
    del value
    if not is_text:
        raise WrongTypeError(field=field, expected="str or Secret", got=kind)
    raise InputError("input.secret_encoding", field=field)


async def _answer(callback: Callable[..., T | Awaitable[T]] | None, asked: object, purpose: str) -> T:
    if callback is None:
        raise PersonNeededError("person_needed.nobody_to_ask", field=purpose)
    return await _called(callback, asked)


async def _called(callback: Callable[..., T | Awaitable[T]], given: object) -> T:
    """Call what may be a plain function or a coroutine function."""
    answer = callback(given)
    return await answer if inspect.isawaitable(answer) else answer


def demand_calls(field: str, given: object, *calls: str) -> None:
    """Refuse something of the wrong kind when it is given, not when it is first used.

    Raises:
        WrongTypeError: it lacks one of the calls.

    """
    if not all(callable(getattr(given, call, None)) for call in calls):
        raise WrongTypeError(field=field, expected=field.capitalize(), got=type(given).__name__)


def ask_of(given: Ask | None) -> Ask:
    """Return whom to ask: nobody where none is given.

    Raises:
        WrongTypeError: it is something else, such as a function that asks.

    """
    if given is None:
        return AskPerson()
    demand_calls("ask", given, "secret", "captcha", "choose", "confirm")
    return given


def telling(callback: OnPending) -> Callable[[SigningTransaction], Awaitable[None]]:
    """Make a callback, plain or a coroutine function, one that the core can await."""

    async def tell(transaction: SigningTransaction) -> None:
        await _called(callback, transaction)

    return tell
