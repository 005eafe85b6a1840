"""One line out, one line back, with a limit to waiting."""

from __future__ import annotations

import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.pkcs11 import messages_on_pipes
from bhxh_sdk.signers.pkcs11.messages_on_pipes import (
    LONGEST_REQUEST,
    PipeEndedError,
    PipeHungError,
    Pipes,
    RequestTooLongError,
)
from bhxh_sdk.signers.pkcs11.wire import GarbledError


@pytest.fixture
def start():
    """Start a process that runs a shell script, and give its pipes."""
    started = []

    def begin(script: str) -> Pipes:
        process = subprocess.Popen(
            ["/bin/sh", "-c", script], bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        started.append(process)
        return Pipes(process)

    yield begin
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_what_is_told_is_heard(start):
    pipes = start("cat")
    pipes.tell({"a": 1, "long": "x" * 30_000})
    assert pipes.hear(10) == {"a": 1, "long": "x" * 30_000}
    pipes.tell({"b": None})
    assert pipes.hear(10) == {"b": None}


def test_a_secret_is_revealed_in_the_line_alone(start):
    pipes = start("cat")
    pipes.tell({"pin": Secret("135790")})
    assert pipes.hear(10) == {"pin": "135790"}


@pytest.mark.parametrize("script", ["exec sleep 9", "printf '{'; exec sleep 9"])
def test_waiting_has_a_limit(start, monkeypatch, script):
    monkeypatch.setattr(messages_on_pipes, "_PIECE_SECONDS", 0.2)
    with pytest.raises(PipeHungError):
        start(script).hear(0.2)


def test_drops_do_not_stretch_the_limit(start, monkeypatch):
    monkeypatch.setattr(messages_on_pipes, "_PIECE_SECONDS", 0.3)
    pipes = start("while :; do printf x; sleep 0.05; done")
    begun = time.monotonic()
    with pytest.raises(PipeHungError):
        pipes.hear(1)
    assert time.monotonic() - begun < 3


def test_a_line_may_come_in_pieces(start):
    assert start("""printf '{"a":'; sleep 0.1; printf ' 1}\\n'; exec sleep 9""").hear(5) == {"a": 1}


def test_telling_a_child_that_does_not_read_has_a_limit(start, monkeypatch):
    monkeypatch.setattr(messages_on_pipes, "_TELLING_SECONDS", 0.2)
    pipes = start("exec sleep 9")
    pipes.tell({"long": "x" * 60_000})  # the pipe itself takes so much
    with pytest.raises(PipeHungError):
        pipes.tell({"long": "x" * 60_000})


def test_a_long_message_is_told_as_it_is_read(start):
    pipes = start("while head -c 3000 >/dev/null; do sleep 0.01; done; exec sleep 9")
    for _ in range(5):
        pipes.tell({"long": "x" * 60_000})
    assert pipes._process.poll() is None


def test_an_end_is_noticed(start):
    pipes = start("exit 0")
    with pytest.raises(PipeEndedError):
        pipes.hear(10)
    pipes._process.wait()
    with pytest.raises(PipeEndedError):
        pipes.tell({"a": 1})
    pipes._process.stdin.close()
    pipes._process.stdout.close()
    with pytest.raises(PipeEndedError):
        pipes.tell({"a": 1})
    with pytest.raises(PipeEndedError):
        pipes.hear(10)


def test_a_message_that_is_longer_than_any_is_not_told(start):
    pipes = start("cat")
    with pytest.raises(RequestTooLongError):
        pipes.tell({"long": "x" * LONGEST_REQUEST})
    pipes.tell({"a": 1})
    assert pipes.hear(10) == {"a": 1}


def test_a_child_that_closed_its_ears_alone_has_ended(start):
    pipes = start("exec <&-; echo '{}'; exec sleep 9")
    assert pipes.hear(10) == {}
    with pytest.raises(PipeEndedError):
        pipes.tell({"a": 1})


def test_nothing_is_told_to_who_has_spoken_without_being_asked(start):
    pipes = start("echo '{}'; exec cat")
    assert pipes._readable(10)
    with pytest.raises(GarbledError):
        pipes.tell({"a": 1})


@pytest.mark.parametrize("script", ["echo nonsense", "echo '{}'; echo '{}'", "echo '[]'"])
def test_nonsense_is_garbled(start, script):
    pipes = start(script)
    pipes._process.wait()  # both lines are there now, and are read as one
    with pytest.raises(GarbledError):
        pipes.hear(10)


def test_a_line_without_end_is_not_read_to_its_end(start, monkeypatch):
    monkeypatch.setattr(messages_on_pipes, "LONGEST_LINE", 1000)
    with pytest.raises(GarbledError):
        start("head -c 5000 /dev/zero; exec sleep 9").hear(10)


def test_a_pipe_that_fails_has_ended(start, monkeypatch):
    pipes = start("echo '{}'; exec sleep 9")
    monkeypatch.setattr(messages_on_pipes.os, "read", lambda *_: (_ for _ in ()).throw(OSError()))
    with pytest.raises(PipeEndedError):
        pipes.hear(10)


def test_windows_looks_again_and_again(start, monkeypatch):
    looks = iter([(0, 0), (0, 0), (3, 0), OSError(), *[(0, 0)] * 100])

    def peek(handle, size):
        assert (handle, size) == ("handle", 0)
        found = next(looks)
        if isinstance(found, OSError):
            raise found
        return found

    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(get_osfhandle=lambda _: "handle"))
    monkeypatch.setitem(sys.modules, "_winapi", SimpleNamespace(PeekNamedPipe=peek))
    monkeypatch.setattr(messages_on_pipes, "sys", SimpleNamespace(platform="win32"))
    pipes = start("exec sleep 9")
    assert pipes._readable(1)
    assert pipes._readable(1)
    assert not pipes._readable(0.05)
    begun = time.monotonic()
    assert not any(pipes._readable(0) for _ in range(50))
    assert time.monotonic() - begun < 0.4, "one look waits for nothing"
