"""One module, looked at in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from signers.pkcs11.fakes import FakeModule, FakeToken
from signers.pkcs11.made_libraries import elf

from bhxh_sdk.signers.pkcs11 import loading, probe
from bhxh_sdk.signers.pkcs11.contract import CkrError, TokenCertificate
from bhxh_sdk.signers.pkcs11.probe import answer_for
from bhxh_sdk.signers.pkcs11.wire import decoded, value_of
from bhxh_sdk.token_errors import DriverError


@pytest.fixture
def loaded(monkeypatch):
    """Let a fake module be loaded, whatever the file."""

    def load(module):
        monkeypatch.setattr(probe, "header_answer", lambda _: None)
        monkeypatch.setattr(loading, "load_module", lambda *_: module)

    return load


def test_tokens_and_their_certificates_are_told(loaded):
    token = FakeToken(certificates=[TokenCertificate(der=b"one"), TokenCertificate(der=b"two")])
    loaded(FakeModule(token))
    found = answer_for("x.so")
    assert found.outcome == "token"
    assert found.tokens[0].token == token.info
    assert found.tokens[0].certificates == (b"one", b"two")


def test_an_empty_slot_is_told(loaded):
    loaded(FakeModule())
    assert answer_for("x.so").outcome == "no_token"


@pytest.mark.parametrize("call", ["open", "certificates"])
def test_a_token_that_shows_nothing_is_a_token(loaded, monkeypatch, call):
    module = FakeModule(FakeToken())
    closed = []

    class Session:
        def certificates(self):
            raise CkrError(0x101, "C_FindObjectsInit")

        def close(self):
            closed.append(True)

    def open_(_):
        if call == "open":
            raise CkrError(0xE0, "C_OpenSession")
        return Session()

    monkeypatch.setattr(module, "open", open_)
    loaded(module)
    found = answer_for("x.so")
    assert (found.outcome, found.tokens[0].certificates) == ("token", ())
    assert closed == ([] if call == "open" else [True])


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (CkrError(0x30, "C_GetSlotList"), "C_GetSlotList: 0x30"),
        (CkrError(None, "C_Initialize", "DeviceError"), "C_Initialize: DeviceError"),
        (CkrError(None, "C_Initialize"), "C_Initialize: ?"),
        (DriverError("token.driver_missing", name="x", path="x"), "token.driver_missing"),
    ],
)
def test_a_failure_is_told(loaded, monkeypatch, error, detail):
    module = FakeModule()
    monkeypatch.setattr(module, "tokens", lambda: (_ for _ in ()).throw(error))
    loaded(module)
    found = answer_for("x.so")
    assert (found.outcome, found.detail) == ("failed", detail)


def test_files_are_judged_without_loading_them(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "load_module", lambda *_: pytest.fail("loaded"))
    monkeypatch.setattr(probe, "fits_this_process", lambda header: header.machines == ("x86_64",))

    def answer(content: bytes) -> tuple[str, str]:
        file = tmp_path / "module.so"
        file.write_bytes(content)
        found = answer_for(str(file))
        return found.outcome, found.detail

    (tmp_path / "good.so").write_bytes(elf())
    assert probe.header_answer(str(tmp_path / "good.so")) is None
    assert answer_for(str(tmp_path / "none.so")).outcome == "not_there"
    assert answer(b"text") == ("not_pkcs11", "not_a_library")
    assert answer(elf((b"other",))) == ("not_pkcs11", "no_entry")
    assert answer(elf(dynamic=False)) == ("not_pkcs11", "damaged")
    assert answer(elf(machine=183)) == ("wrong_architecture", "arm64")
    assert answer(elf(wide=False, machine=3)) == ("wrong_architecture", "x86")


def test_the_process_prints_one_line_and_nothing_of_the_driver(tmp_path):
    file = tmp_path / "module.so"
    file.write_bytes(elf(machine=8))
    command = [sys.executable, "-P", "-m", "bhxh_sdk.signers.pkcs11.probe", str(file)]
    done = subprocess.run(command, capture_output=True, check=True)
    begun, line = done.stdout.splitlines(keepends=True)
    assert begun == probe.BEGUN
    assert value_of(probe.ProbeAnswer, decoded(line)).outcome == "wrong_architecture"
    assert done.stderr == b""


def test_the_main_function_answers(tmp_path):
    code = """
import runpy
from bhxh_sdk.signers.pkcs11 import child
child.end_at_once = lambda: None  # so that coverage is written
runpy.run_module("bhxh_sdk.signers.pkcs11.probe", run_name="__main__", alter_sys=True)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=True)
    assert json.loads(done.stdout.splitlines()[1])["outcome"] == "not_there"


@pytest.mark.needs_tool("softhsm2-util")
def test_a_real_module_is_looked_at_in_its_own_process(softhsm):
    command = [sys.executable, "-P", "-m", "bhxh_sdk.signers.pkcs11.probe", softhsm.module]
    done = subprocess.run(command, capture_output=True, check=True, env={**os.environ, **softhsm.environment})
    found = value_of(probe.ProbeAnswer, decoded(done.stdout.splitlines()[1]))
    tokens = {each.token.label: each for each in found.tokens}
    assert {"single", "pairs", "empty"} <= tokens.keys()
    assert len(tokens["single"].certificates) == 2
    assert tokens["empty"].certificates == ()
