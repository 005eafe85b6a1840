"""A process that is going to load a driver is made safe first."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from bhxh_sdk.signers.pkcs11 import child

START = "import os, resource, signal, sys, time\nfrom bhxh_sdk.signers.pkcs11.child import *\n"


def run(code: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-c", START + code], input=given, capture_output=True, check=False)


def test_what_a_driver_prints_and_reads_is_not_ours():
    done = run(
        "reading, writing = private_pipes()\n"
        "print('printed'); sys.stdout.flush(); os.write(1, b'written')\n"
        "assert os.read(0, 9) == b''\n"
        "writing.write(reading.readline()); writing.flush()\n",
        b"line\n",
    )
    assert (done.returncode, done.stdout) == (0, b"line\n"), done.stderr


def test_a_crash_leaves_no_dump_and_ctrl_c_is_for_others():
    done = run(
        "private_pipes()\n"
        "assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
    )
    assert done.returncode == 0, done.stderr


def test_a_process_ends_itself_though_a_driver_holds_everything_up():
    done = run("import ctypes\nend_in(0.2)\nctypes.PyDLL(None).sleep(60)\n")
    assert (done.returncode, done.stdout) == (1, b"")


def test_the_end_can_be_taken_back():
    assert run("end_in(0.5); end_in(None); time.sleep(0.7)").returncode == 0


def test_an_end_at_once_runs_nothing_more():
    done = run("import atexit\natexit.register(os.write, 1, b'later')\nend_at_once()")
    assert (done.returncode, done.stdout) == (0, b"")


def test_windows_shows_no_dialogue(monkeypatch):
    modes = []
    kernel = SimpleNamespace(SetErrorMode=modes.append)
    monkeypatch.setattr(child, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setattr(
        child, "import_module", lambda _: SimpleNamespace(windll=SimpleNamespace(kernel32=kernel))
    )
    child._crash_quietly()
    assert modes == [0x8003]


def test_the_end_is_the_processes_own(monkeypatch):
    monkeypatch.setattr(child.os, "_exit", lambda code: pytest.fail("ended") if code else None)
    child.end_at_once()
