"""The server side of a module in a process of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest
from signers.pkcs11.fakes import PIN, FakeModule, FakeToken, certificate

from bhxh_sdk.errors import InputError, MissingExtraError
from bhxh_sdk.signers.pkcs11 import helper as helper_module
from bhxh_sdk.signers.pkcs11.contract import CkrError, ModuleInfo, TokenCertificate, TokenInfo, TokenKey
from bhxh_sdk.signers.pkcs11.helper import HELLO, VERSION, Helper, serve
from bhxh_sdk.signers.pkcs11.wire import encoded, value_of
from bhxh_sdk.token_errors import DriverError


@pytest.fixture(autouse=True)
def watches(monkeypatch):
    """Do not end the process of the tests."""
    seconds = []
    monkeypatch.setattr(helper_module, "end_in", seconds.append)
    return seconds


@pytest.fixture
def helper(module):
    made = Helper(lambda path, binding: module)
    assert made.answer({"call": "load", "path": "x.so", "binding": ""}) == {"value": "fake"}
    return made


def value(helper: Helper, call: str, **arguments):
    return helper.answer({"call": call, **arguments})["value"]


def test_the_modules_own_words_are_passed_on(helper, module, token):
    assert value_of(ModuleInfo, value(helper, "info")) == module.info()
    assert value(helper, "slot_count") == 1
    assert value_of(tuple[TokenInfo, ...], value(helper, "tokens")) == (token.info,)
    assert value(helper, "mechanisms", slot=0) == sorted(token.mechanisms)


def test_a_session_logs_in_and_signs(helper, module, token, shelf):
    session = value(helper, "open", slot=0)
    found = value_of(tuple[TokenCertificate, ...], value(helper, "certificates", session=session))
    assert found == (certificate(shelf.a1),)
    assert value(helper, "keys", session=session) == []
    assert value(helper, "login", session=session, pin=PIN) is None
    (key,) = value_of(tuple[TokenKey, ...], value(helper, "keys", session=session))
    assert isinstance(key.handle, int)
    asked = {"session": session, "key": key.handle, "mechanism": 0x40, "data": "aGVsbG8=", "pin": None}
    assert len(value_of(bytes, value(helper, "sign", **asked))) == 256
    assert module.logins == [(PIN, 1)]
    assert value(helper, "close", session=session) is None
    assert not module.sessions


def test_a_pin_pad_gets_no_pin(helper, module, token):
    token.pad = PIN
    session = value(helper, "open", slot=0)
    value(helper, "login", session=session, pin=None)
    assert module.logins == [(None, 1)]


def test_a_key_belongs_to_its_session(helper, token):
    one = value(helper, "open", slot=0)
    value(helper, "login", session=one, pin=PIN)
    (key,) = value(helper, "keys", session=one)
    two = value(helper, "open", slot=0)
    asked = {"call": "sign", "key": key["handle"], "mechanism": 1, "data": "AA==", "pin": None}
    assert helper.answer({**asked, "session": two})["ckr"]["code"] == 0x82
    value(helper, "close", session=one)
    assert helper.answer({**asked, "session": one})["ckr"]["code"] == 0xB3
    assert value(helper, "open", slot=0) not in {one, two}


def test_what_the_driver_says_is_told(helper, module):
    module.failures["C_OpenSession"] = [CkrError(None, "C_OpenSession", "SessionCount")]
    assert helper.answer({"call": "open", "slot": 0}) == {
        "ckr": {"code": None, "call": "C_OpenSession", "name": "SessionCount"}
    }


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (DriverError("token.driver_missing", name="x", path="y"), "DriverError", "token.driver_missing"),
        (
            MissingExtraError("setup.missing_extra", extra="token", number=1),
            "MissingExtraError",
            "setup.missing_extra",
        ),
        (InputError("token.unknown_binding", got="x", known="y"), "InputError", "token.unknown_binding"),
        (RuntimeError("with a secret"), "", "driver.helper_failed"),
    ],
)
def test_a_module_that_cannot_be_loaded_is_told(error, kind, code):
    def load(path, binding):
        raise error

    said = Helper(load).answer({"call": "load", "path": "x.so", "binding": ""})["error"]
    assert (said["kind"], said["code"]) == (kind, code)
    assert "secret" not in json.dumps(said)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"call": 7},
        {"call": "unknown"},
        {"call": "open"},
        {"call": "open", "slot": "0"},
        {"call": "answer"},
    ],
)
def test_a_request_that_is_none_gets_an_answer(helper, asked):
    assert helper.answer(asked)["error"]["code"] == "driver.helper_failed"


def test_nothing_can_be_asked_before_a_module_is_loaded():
    assert "error" in Helper(lambda *_: FakeModule()).answer({"call": "info"})


@pytest.mark.parametrize("session", [7, None, [], "1"])
def test_an_unknown_session_is_invalid(helper, session):
    for call in ("certificates", "keys", "login", "close"):
        assert helper.answer({"call": call, "session": session, "pin": None})["ckr"]["code"] == 0xB3


def served(helper: Helper, *lines: bytes) -> list[dict]:
    answers = io.BytesIO()
    serve(helper, io.BytesIO(b"".join(lines)), answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()]


def test_it_says_who_it_is_and_answers_in_order(helper, watches):
    hello, *answers = served(
        helper,
        encoded({"call": "slot_count", "number": 7, "limit": 9}),
        encoded({"call": "info", "number": 8, "limit": 9.5}),
    )
    assert (hello["hello"], hello["version"]) == (HELLO, VERSION)
    assert hello["machine"]
    assert answers[0] == {"number": 7, "value": 1}
    assert answers[1]["value"]["manufacturer"] == "Example"
    assert watches == [14.0, None, 14.5, None]


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b"{}\n",
        b'{"number": 1, "limit": "x"}\n',
        b'{"number": 1, "limit": null}\n',
        b'{"limit": 1}\n',
    ],
)
def test_nonsense_ends_it(helper, line):
    assert len(served(helper, line, encoded({"call": "info", "number": 1, "limit": 1}))) == 1


START = """
import runpy
from bhxh_sdk.signers.pkcs11 import child
child.end_at_once = lambda: None  # so that coverage is written
runpy.run_module("bhxh_sdk.signers.pkcs11.helper", run_name="__main__", alter_sys=True)
"""


def test_the_process_ends_with_its_input():
    asked = encoded({"call": "load", "path": "/nowhere/x.so", "binding": "", "number": 1, "limit": 20})
    done = subprocess.run([sys.executable, "-c", START], input=asked, capture_output=True, check=True)
    hello, answer = map(json.loads, done.stdout.splitlines())
    assert hello["hello"] == HELLO
    assert answer["error"]["kind"] == "DriverError"
    assert done.stderr == b""


def test_the_process_ends_when_nobody_reads():
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-c", START], stdout=writing, input=b"", check=False, stderr=-1)
    os.close(writing)
    assert b"Traceback" not in done.stderr


def test_tokens_without_login_are_served_too():
    module = FakeModule(FakeToken(login_required=False))
    made = Helper(lambda *_: module)
    made.answer({"call": "load", "path": "x", "binding": ""})
    assert value(made, "keys", session=value(made, "open", slot=0)) == []
