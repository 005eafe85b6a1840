"""Drivers and tokens for the tests of this room."""

from __future__ import annotations

import pytest
from signers.pkcs11.fakes import FakeModule, FakeToken, token_of
from tokens.fixtures import *  # noqa: F403  # fixtures are found by their names

from bhxh_sdk.signers.pkcs11.pin_memory import PinMemory


@pytest.fixture
def token(shelf) -> FakeToken:
    """A token that is no real one, with one certificate and its key."""
    return token_of(shelf.a1)


@pytest.fixture
def module(token) -> FakeModule:
    """A module in Python that shows that token."""
    return FakeModule(token)


@pytest.fixture
def fresh_memory(monkeypatch) -> PinMemory:
    """Forget wrong PINs and logins of other tests; `pin_memory.memory` itself is left as it is."""
    memory = PinMemory()
    for module in ("signer", "opened", "opened_key"):
        monkeypatch.setattr(f"bhxh_sdk.signers.pkcs11.{module}.memory", memory)
    return memory
