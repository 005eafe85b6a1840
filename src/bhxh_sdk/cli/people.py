"""The person at the terminal: passwords, captchas, choices and confirmations."""

from __future__ import annotations

import contextlib
import getpass
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from bhxh_sdk import messages
from bhxh_sdk.cli.output import shown
from bhxh_sdk.errors import PersonNeededError
from bhxh_sdk.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bhxh_sdk.cli.output import Output
    from bhxh_sdk.ports import CaptchaChallenge, Question
    from bhxh_sdk.system import AskPerson

__all__ = ["Person", "asking", "interactive", "secret_from"]

_WARNINGS = ("pin.asked.low", "pin.asked.last")


def interactive() -> bool:
    """Tell whether somebody sits at the terminal to read questions and type answers."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def asking(output: Output) -> AskPerson:
    """Return whom to ask: the person at the terminal, or nobody where there is none."""
    from bhxh_sdk.system import AskPerson

    if not interactive():
        return AskPerson()
    person = Person(output)
    return AskPerson(
        on_secret=person.secret, on_captcha=person.captcha, on_choose=person.choose, on_confirm=person.confirm
    )


def secret_from(variable: str, purpose: str, output: Output) -> Secret:
    """Return a secret from an environment variable, or from the person at the terminal.

    Args:
        variable: the variable's name; empty to ask the person.
        purpose: what the secret is for.
        output: where to ask.

    Raises:
        PersonNeededError: the variable is not set, or nobody is there.

    """
    if variable:
        value = os.environ.get(variable, "")
        if not value:
            raise PersonNeededError("cli.variable_empty", field=purpose, name=variable)
        return Secret(value)
    if not interactive():
        raise PersonNeededError("cli.nobody_here", field=purpose)
    return Secret(_typed_secretly(output.text(f"cli.ask.{purpose}")))


@frozen
class Person:
    """Ask on standard error, so that standard output stays the answer's."""

    output: Output

    def secret(self, question: Question) -> Secret:
        """Ask for a password, PIN or code; what is typed is not shown."""
        asked = self.output.text(f"cli.ask.{question.purpose}")
        subject = _in_one_language(question.subject, self.output)
        return Secret(_typed_secretly(f"{asked} ({subject})" if subject else asked))

    def captcha(self, challenge: CaptchaChallenge) -> str:
        """Lay the picture where the person can look at it, and ask for its characters."""
        with _picture(challenge.image) as path:
            self.output.note("cli.captcha_at", path=str(path))
            return _typed(self.output.text("cli.ask.captcha"))

    def choose(self, question: Question) -> int:
        """Ask for one of several; -1 for what is none of them."""
        self.output.aside(self.output.text(f"cli.ask.{question.purpose}"))
        for number, choice in enumerate(question.choices, 1):
            self.output.aside(f"  {number}. {choice}")
        answer = _typed(self.output.text("cli.ask.number"))
        return int(answer) - 1 if answer.isdecimal() and int(answer) <= len(question.choices) else -1

    def confirm(self, question: Question) -> bool:
        """Ask whether the person agrees; only a clear yes is one."""
        subject = _in_one_language(question.subject, self.output)
        text = self.output.text(f"cli.ask.{question.purpose}", subject=subject)
        return _typed(text).casefold() in {"c", "có", "co", "y", "yes"}


def _in_one_language(subject: str, output: Output) -> str:
    """Leave one language of a warning: who asks for a PIN does not know the reader's, and warns in both."""
    for code in _WARNINGS:
        both = " / ".join(messages.text(code, language) for language in messages.LANGUAGES)
        subject = subject.replace(both, output.text(code))
    return subject


@contextlib.contextmanager
def _picture(image: bytes) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(
        prefix="bhxh-captcha-", suffix=".png"
    )  # mkstemp makes it the owner's alone
    try:
        with _ended_like_ctrl_c():
            with os.fdopen(handle, "wb") as file:
                file.write(image)
            yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Let a process that is asked to end, or whose terminal is closed, clear up behind it."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _typed(text: str) -> str:
    print(f"{shown(text)}: ", end="", file=sys.stderr, flush=True)
    try:
        return input().strip()
    except EOFError:
        raise PersonNeededError("cli.nobody_here") from None


def _typed_secretly(text: str) -> str:
    try:
        return getpass.getpass(f"{shown(text)}: ", stream=sys.stderr)
    except EOFError:
        raise PersonNeededError("cli.nobody_here") from None
