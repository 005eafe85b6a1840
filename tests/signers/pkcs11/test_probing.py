"""Children that answer, crash, hang and lie; shell scripts stand in for Python here."""

from __future__ import annotations

import json
import sys
import time

import pytest

from bhxh_sdk.signers.pkcs11 import probing
from bhxh_sdk.signers.pkcs11.probe import BEGUN
from bhxh_sdk.signers.pkcs11.probing import Candidate, child_command, ended, probe_all
from bhxh_sdk.system import SystemClock


class StoppedClock(SystemClock):
    def monotonic(self) -> float:
        return 0.0


@pytest.fixture
def scripted(tmp_path):
    """Make a candidate whose process runs a shell script."""

    def make(name: str, script: str) -> Candidate:
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\necho '{BEGUN.decode().strip()}'\n{script}\n")
        file.chmod(0o755)
        return Candidate("module.so", str(file))

    return make


def outcomes(*candidates: Candidate, seconds: float = 20, total: float = 20, clock=None):
    found = probe_all(candidates, clock or SystemClock(), seconds=seconds, total_seconds=total)
    return [(answer.outcome, answer.detail) for answer in found.values()]


ANSWER = json.dumps({"outcome": "no_token", "detail": "x"})


def test_each_child_has_its_own_end(scripted):
    assert outcomes(
        scripted("good", f"echo '{ANSWER}'"),
        scripted("good, then crashes", f"echo '{ANSWER}'; kill -SEGV $$"),
        scripted("segv", "kill -SEGV $$"),
        scripted("exit", "exit 3"),
        scripted("silent", ""),
        scripted("garbage", "echo nonsense"),
        scripted("wrong", "echo '{\"outcome\": 7}'"),
        Candidate("module.so", "/nowhere/python"),
    ) == [
        ("no_token", "x"),
        ("no_token", "x"),
        ("crashed", "signal 11"),
        ("crashed", "exit 3"),
        ("failed", "garbled"),
        ("failed", "garbled"),
        ("failed", "garbled"),
        ("failed", "interpreter: No such file or directory"),
    ]


@pytest.mark.parametrize("clock", [SystemClock(), StoppedClock()], ids=["clock", "stopped clock"])
def test_a_child_that_hangs_is_ended(scripted, clock):
    begun = time.monotonic()
    hanging = scripted("hangs", "exec sleep 60")
    answered = scripted("answers, then hangs", f"echo '{ANSWER}'; exec sleep 60")
    assert outcomes(hanging, answered, seconds=0.5, clock=clock) == [("hung", ""), ("no_token", "x")]
    assert time.monotonic() - begun < 10


def test_what_was_not_begun_in_time_is_told(scripted, monkeypatch):
    monkeypatch.setattr(probing, "_AT_ONCE", 1)
    hanging = [scripted(f"hangs {number}", "exec sleep 60") for number in range(2)]
    assert outcomes(*hanging, total=0.3) == [("hung", ""), ("failed", "no_time")]


def test_a_process_that_never_began_is_no_drivers_fault(tmp_path):
    file = tmp_path / "python"
    file.write_text("#!/bin/sh\necho 'No module named bhxh_sdk' >&2; exit 1\n")
    file.chmod(0o755)
    assert outcomes(Candidate("module.so", str(file))) == [("failed", "not_started")]


def test_a_flood_is_not_read(scripted):
    flood = scripted("flood", f"head -c 3000000 /dev/zero; echo '{ANSWER}'")
    assert outcomes(flood) == [("failed", "garbled")]


def test_no_process_is_left_behind(scripted, monkeypatch):
    started = []
    start = probing._started

    def counted(*arguments):
        started.append(start(*arguments))
        if len(started) == 2:
            raise KeyboardInterrupt
        return started[-1]

    monkeypatch.setattr(probing, "_started", counted)
    with pytest.raises(KeyboardInterrupt):
        outcomes(scripted("a", "exec sleep 60"), scripted("b", "exec sleep 60"))
    assert started[0].process.returncode is not None
    started[1].process.kill()
    started[1].process.wait()
    started[1].answer.close()


def test_a_process_that_the_kernel_holds_is_left_to_it(scripted, monkeypatch):
    monkeypatch.setattr(probing, "_KILL_SECONDS", 0.05)
    monkeypatch.setattr(probing.subprocess.Popen, "kill", lambda _: None)
    children = []
    monkeypatch.setattr(
        probing, "ended", lambda process, seconds: children.append(process) or ended(process, seconds)
    )
    assert outcomes(scripted("held", "exec sleep 0.6"), seconds=0.1) == [("hung", "")]
    assert children[-1].wait() == 0


def test_a_frozen_program_is_no_python(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert outcomes(Candidate("x.so")) == [("failed", "interpreter: no Python; BHXH_PKCS11_HELPER names one")]
    monkeypatch.setenv("BHXH_PKCS11_HELPER", "/example/python")
    assert Candidate("x").interpreter == "/example/python"


def test_the_working_folder_has_no_say():
    assert child_command("a.b", "python", "x") == ["python", "-P", "-m", "a.b", "x"]
    assert Candidate("x").interpreter == sys.executable


def test_a_child_has_no_variable_that_holds_a_pin(scripted, monkeypatch):
    monkeypatch.setenv("EXAMPLE_TOKEN_PIN", "97531975")
    script = f'[ -n "$PATH" ] && [ -z "$EXAMPLE_TOKEN_PIN" ] && echo \'{ANSWER}\''
    candidate = scripted("good", script)
    more = {"seconds": 20, "total_seconds": 20, "pin_env": "EXAMPLE_TOKEN_PIN"}
    assert probe_all([candidate], SystemClock(), **more)[candidate].outcome == "no_token"
