"""The world of a signer under test: a clock that only moves when told, and a person with prepared answers."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from bhxh_sdk.errors import PersonNeededError
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import SigningJob

NOW = datetime(2026, 9, 1, 3, 0, tzinfo=UTC)


class Clock:
    """A clock whose sleeping takes no time."""

    def __init__(self):
        self.seconds = 0.0
        self.naps = []
        self.ids = 0

    def now(self):
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self):
        return self.seconds

    async def sleep(self, seconds):
        self.naps.append(seconds)
        self.seconds += seconds

    def random_bytes(self, count):
        return bytes(count)

    def new_id(self):
        self.ids += 1
        return f"{self.ids:032x}"


class Person:
    """Answers each question with the next prepared answer and remembers what was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def _answer(self, question):
        self.asked.append(question)
        if not self.answers:
            raise PersonNeededError
        return self.answers.pop(0)

    async def secret(self, question):
        return Secret(await self._answer(question))

    captcha = choose = confirm = _answer


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def person():
    """Make a person who gives these answers in turn, then is gone."""
    return Person


@pytest.fixture
def run():
    return asyncio.run


@pytest.fixture(scope="session")
def now():
    return NOW


@pytest.fixture(scope="session")
def pki():
    return SandboxPki(NOW)


@pytest.fixture
def job():
    """Make the job of signing the SHA-256 of a name."""

    def make(name="one", **changes):
        return SigningJob(
            **{"document_id": name, "digest": hashlib.sha256(name.encode()).digest(), **changes}
        )

    return make
