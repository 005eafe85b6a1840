"""A driver that tells lengths that are none: typed errors, and no memory taken for them."""

from __future__ import annotations

import pytest
from tokens.entries import PIN

from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.pkcs11.contract import CkrError, Mechanism
from bhxh_sdk.signers.pkcs11.loading import BINDINGS, load_module
from bhxh_sdk.signers.pkcs11.outcomes import token_error
from bhxh_sdk.token_errors import TokenError

pytestmark = pytest.mark.needs_tool("softhsm2-util", "cc")

HUGE = 2**62
"""More than any computer has."""
WIDE = 5000
"""What there is memory for, but not the memory that was taken."""


@pytest.fixture
def lied_to(simulator):
    """A module, a session that is logged in, and what calls each function that tells a length."""
    module = load_module(simulator.module, "python-pkcs11")
    slot = module.tokens()[0].slot
    session = module.open(slot)
    session.login(Secret(PIN))
    (key,) = session.keys()
    return {
        "C_GetSlotList": module.tokens,
        "C_GetMechanismList": lambda: module.mechanisms(slot),
        "C_FindObjects": session.keys,
        "C_GetAttributeValue": session.certificates,
        "C_Sign": lambda: session.sign(key, Mechanism.RSA_PKCS, bytes(51)),
    }


def refusal(call):
    with pytest.raises(CkrError) as caught:
        call()
    error = token_error(caught.value, "HR")
    assert (type(error), error.code) == (TokenError, "token.driver_fault")
    return caught.value


@pytest.mark.parametrize("length", [WIDE, HUGE])
@pytest.mark.parametrize("name", ["C_GetSlotList", "C_GetMechanismList", "C_FindObjects", "C_Sign"])
def test_a_length_beyond_all_bounds_is_an_error(lied_to, simulator, name, length):
    simulator.set(lie={name: length})
    error = refusal(lied_to[name])
    assert (error.code, error.call, error.name) == (None, name, f"length {length}")
    simulator.set(lie=None)
    assert lied_to[name]()


def test_an_attribute_beyond_all_bounds_is_an_error(lied_to, simulator):
    simulator.set(lie={"C_GetAttributeValue": HUGE})
    assert refusal(lied_to["C_GetAttributeValue"]).call == "C_GetAttributeValue"


@pytest.mark.parametrize("name", ["C_GetSlotList", "C_GetMechanismList", "C_GetAttributeValue"])
def test_a_length_beyond_the_memory_that_was_taken_is_an_error(lied_to, simulator, name):
    lies = {"C_GetSlotList": 2, "C_GetMechanismList": 500, "C_GetAttributeValue": WIDE}
    simulator.set(lie={name: (lies[name], 1)})
    assert refusal(lied_to[name]).call == name


@pytest.mark.parametrize("length", [2**32 - 1, 2**64 - 1])
def test_an_attribute_that_is_told_to_be_unavailable_is_left_out(lied_to, simulator, length):
    simulator.set(lie={"C_GetAttributeValue": length})
    assert lied_to["C_GetAttributeValue"]() == ()


def test_a_search_without_an_end_is_ended(lied_to, simulator):
    simulator.set(lie={"C_FindObjects": 64})
    assert refusal(lied_to["C_FindObjects"]).name == "length 4160"
    simulator.set(lie=None)
    assert lied_to["C_FindObjects"]()


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("kind", [MemoryError, OverflowError])
def test_want_of_memory_is_an_error_that_holds_no_other(simulator, binding, kind):
    def refuse():
        raise kind

    module = load_module(simulator.module, binding)
    error = refusal(lambda: module.ask("C_Sign", refuse))
    assert (error.call, error.name) == ("C_Sign", kind.__name__)
    assert error.__context__ is None
    assert module.tokens()
