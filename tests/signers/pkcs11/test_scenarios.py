"""A thousand stories of people, programs and tokens: however they go, it is never we who lock a token.

Each story draws a token (its style of counting, its tries and how many are left, a pad, a key that wants
the PIN each time), a way to hold the PIN, and a handful of attempts with right, wrong and impossible entries.
In between the token may be pulled out, or somebody else may enter the right PIN. What may not happen: the
token is locked, an entry is sent twice, a PIN of a wrong form is sent, a batch goes on after a PIN error.
"""

from __future__ import annotations

import asyncio
import random

import pytest
from signers.pkcs11.fakes import PIN, FakeModule, FakeSource, token_of

from bhxh_sdk.errors import BhxhError
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import HashName
from bhxh_sdk.signers.pkcs11 import TokenSigner, pin_memory
from bhxh_sdk.signers.pkcs11.pin_memory import PinMemory
from bhxh_sdk.token_errors import PinError

STORIES = 1000
WRONG = ("0000", "1111", "87654321", "12345679")
IMPOSSIBLE = ("", "12", "1234\n", "1" * 17, "12\x0034")
STYLES = ("plain", "exclusive", "low_only", "none")
ODD = (0xA0, 0xA0, 0xA0, 0xA1, 0xA2, 0x05, 0x06, 0x30, 0x32, 0xE0, 0xB3, 0x80000001)


class Person:
    """Enters what the story says, and counts the entries."""

    def __init__(self, chance):
        self.chance = chance
        self.entries = []

    async def secret(self, question):
        self.entries.append(self.chance.choice((PIN, *WRONG, *WRONG, *IMPOSSIBLE)))
        return Secret(self.entries[-1])

    async def confirm(self, question):
        return self.chance.random() < 0.9


@pytest.fixture
def forgotten(monkeypatch):
    """Begin each story as a process that has seen no token yet."""

    def begin():
        memory = PinMemory()
        for module in ("signer", "opened", "opened_key"):
            monkeypatch.setattr(f"bhxh_sdk.signers.pkcs11.{module}.memory", memory)

    return begin


def drawn_token(chance, shelf):
    style = chance.choice(STYLES)
    tries = chance.choice((3, 3, 5, 10))
    # One who counts in silence and has less than three left when we come cannot be told from a fresh one.
    left = tries if style == "none" else chance.randint(2 if style == "low_only" else 0, tries)
    return token_of(
        shelf.a1,
        flag_style=style,
        tries=tries,
        left=left,
        wrong=chance.choice(ODD),
        last_wrong=chance.choice((0xA0, 0xA4, 0x05)),
        always=chance.random() < 0.25,
        pad=chance.choice((PIN, *WRONG)) if chance.random() < 0.2 else None,
        hide_modulus=chance.random() < 0.3,
    )


def drawn_signer(chance, module, monkeypatch):
    kind = chance.choice(("person", "person", "given", "environment"))
    if kind == "environment":
        monkeypatch.setenv("TOKEN_PIN", chance.choice((PIN, *WRONG, *IMPOSSIBLE[:3])))
        return TokenSigner(FakeSource(module), pin_env="TOKEN_PIN")
    given = Secret(chance.choice((PIN, *WRONG, *IMPOSSIBLE))) if kind == "given" else None
    return TokenSigner(FakeSource(module), pin=given)


def attempt(chance, signer, certificate, person, clock, job):
    """Sign in one of the two ways; the errors of the library are part of the story."""
    jobs = [job(str(number)) for number in range(chance.randint(1, 3))]
    try:
        if chance.random() < 0.5:
            asyncio.run(signer.start(jobs, certificate, person, clock))
        else:
            key = asyncio.run(signer.local_key(certificate, person))
            for one in jobs:
                key(one.digest, HashName.SHA256, one.scheme)
    except BhxhError as error:
        return error
    return None


def happens(chance, token):
    """Let the world do something between two attempts."""
    event = chance.random()
    if event < 0.1:
        token.pull_out()
        token.put_back()
    elif event < 0.2:
        token.log_out()
    elif event < 0.25:
        token.left = token.tries  # the right PIN in the token's own program
    elif event < 0.3:
        token.pin = chance.choice(WRONG)  # changed there


def told(chance, shelf, forgotten, monkeypatch, clock, job):
    forgotten()
    token = drawn_token(chance, shelf)
    module = FakeModule(token)
    person = Person(chance)
    signers = [drawn_signer(chance, module, monkeypatch) for _ in range(chance.choice((1, 1, 2)))]
    certificate = asyncio.run(signers[0].certificates())[0]
    for _ in range(chance.randint(1, 8)):
        signer, was_locked = chance.choice(signers), token.left == 0
        entered, sent, made = len(person.entries), len(module.logins), module.calls["C_Sign"]
        if chance.random() < 0.05:
            module.failures["C_Sign"] = [chance.choice((0xB3, 0x82, 0x05, 0x90))]
        failure = attempt(chance, signer, certificate, person, clock, job)
        users = [user for _, user in module.logins[sent:]]
        assert users.count(1) <= 1
        assert len(person.entries) - entered <= 1
        assert not was_locked or users == []
        if isinstance(failure, PinError) and not token.always:
            assert module.calls["C_Sign"] == made
        if isinstance(failure, PinError) and token.always:
            refused = [user for user in users if user == 2]
            assert len(refused) <= module.calls["C_Sign"] - made
        assert token.left > 0 or was_locked
        module.failures.clear()
        happens(chance, token)
    for text, _ in module.logins:
        assert text is None or text not in IMPOSSIBLE
    for signer in signers:
        signer.close()
    assert module.sessions == []


@pytest.mark.parametrize("part", range(10))
def test_no_story_ends_with_a_token_that_we_locked(shelf, forgotten, monkeypatch, clock, job, part):
    for story in range(STORIES // 10):
        seed = part * STORIES + story
        try:
            chance = random.Random(seed)  # noqa: S311  # a story is told again by its number
            told(chance, shelf, forgotten, monkeypatch, clock, job)
        except AssertionError as error:
            error.add_note(f"story {seed}")
            raise


def test_the_memory_that_the_stories_replace_is_the_one_in_use():
    assert isinstance(pin_memory.memory, PinMemory)
