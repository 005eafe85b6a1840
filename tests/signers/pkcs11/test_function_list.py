"""The function list of a module that is loaded; the bindings' tests show what is done with it."""

from __future__ import annotations

import ctypes
import sys

import pytest

from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.pkcs11.contract import CkrError
from bhxh_sdk.signers.pkcs11.function_list import FunctionList
from bhxh_sdk.signers.pkcs11.loading import load_module

CERTIFICATE, LABEL = 0x1, 0x3


@pytest.mark.needs_tool("softhsm2-util", "cc")
def test_answers_are_errors_with_their_numbers(simulator):
    module = load_module(simulator.module, "python-pkcs11")
    functions = FunctionList(module.path)
    for call in (
        lambda: functions.objects(12345, 3),
        lambda: functions.attributes(12345, 1, (LABEL,)),
        lambda: functions.begin(12345, 1, 1),
        lambda: functions.close(12345),
    ):
        with pytest.raises(CkrError) as caught:
            call()
        assert caught.value.code == 0xB3
    with pytest.raises(CkrError) as caught:
        functions.token_info(12345)
    assert caught.value.code == 0x3
    assert functions.login(12345, 1, Secret("12345678")) == 0xB3
    assert functions.sign(12345, bytes(51)) == (0xB3, b"")


@pytest.mark.needs_tool("softhsm2-util", "cc")
def test_an_attribute_that_alone_is_unavailable_is_not_asked_for_again(simulator):
    functions = load_module(simulator.module, "python-pkcs11").functions
    (slot,) = functions.slots(present=True)
    session = functions.open(slot)
    certificate = functions.objects(session, CERTIFICATE)[0]
    simulator.set(lie={"C_GetAttributeValue": 2**64 - 1})
    simulator.forget_calls()
    assert functions.attributes(session, certificate, (LABEL,)) == {}
    assert len(simulator.calls("C_GetAttributeValue")) == 1


def test_a_module_with_symbols_that_are_nowhere_is_an_error(monkeypatch):
    def refuse(path):
        raise OSError(f"{path}: undefined symbol: vendor_start")

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    with pytest.raises(CkrError) as caught:
        FunctionList(sys.executable)
    assert caught.value.code is None
    assert "vendor_start" in caught.value.name
