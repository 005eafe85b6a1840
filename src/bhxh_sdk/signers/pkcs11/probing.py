"""Probe several modules at once, each in a process of its own, within a time that nobody can stretch."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import tempfile
from typing import IO, TYPE_CHECKING

from attrs import field, frozen

from bhxh_sdk.signers.pkcs11.probe import BEGUN, ProbeAnswer
from bhxh_sdk.signers.pkcs11.wire import GarbledError, decoded, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bhxh_sdk.ports import Clock

__all__ = [
    "HELPER",
    "Candidate",
    "child_command",
    "ended",
    "environment_without",
    "own_interpreter",
    "probe_all",
]

HELPER = "BHXH_PKCS11_HELPER"
"""Environment variable that names a Python of another architecture, with this package in it."""

_AT_ONCE = 4
_PAUSE_SECONDS = 0.02
_KILL_SECONDS = 1.0
_LARGEST_ANSWER = 1 << 20


def own_interpreter() -> str:
    """Return the Python for child processes that are as this one.

    A program that was frozen into one file, or that embeds Python, is no Python: started again it would begin
    from the start. There the environment variable `BHXH_PKCS11_HELPER` names one; empty where it does not.
    """
    if getattr(sys, "frozen", False) or not sys.executable:
        return os.environ.get(HELPER, "")
    return sys.executable


@frozen
class Candidate:
    """A module to be probed.

    Args:
        path: the file.
        interpreter: the Python that loads it.

    """

    path: str
    interpreter: str = field(factory=own_interpreter)


@frozen(kw_only=True)
class _Running:
    candidate: Candidate
    process: subprocess.Popen[bytes]
    answer: IO[bytes]
    until: float


def child_command(module: str, interpreter: str, *arguments: str) -> list[str]:
    """Return the command of a child process; `-P` keeps the working folder's modules out of it.

    Raises:
        FileNotFoundError: there is no Python to start.

    """
    if not interpreter:
        raise FileNotFoundError(errno.ENOENT, f"no Python; {HELPER} names one")
    return [interpreter, "-P", "-m", module, *arguments]


def environment_without(name: str) -> dict[str, str]:
    """Return this process's environment for a child that loads a driver, but for one variable.

    Args:
        name: the variable that holds a PIN; in any case, as on Windows. Empty where there is none.

    """
    return {key: value for key, value in os.environ.items() if key.lower() != name.lower()}


def ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for a process, and tell whether it has ended."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def probe_all(
    candidates: Sequence[Candidate],
    clock: Clock,
    *,
    seconds: float,
    total_seconds: float,
    pin_env: str = "",
) -> Mapping[Candidate, ProbeAnswer]:
    """Probe modules, a few at a time.

    Args:
        candidates: the modules, the most promising first.
        clock: time.
        seconds: how long one of them may take.
        total_seconds: how long all of them together may take; what was not begun then is `failed` with
            `no_time`.
        pin_env: name of an environment variable that holds a PIN, and is kept from drivers.

    Returns:
        The answer of each. No process is left behind, whatever happens.

    """
    waiting = list(candidates)
    running: list[_Running] = []
    answers: dict[Candidate, ProbeAnswer] = {}
    time = _Time(clock)
    environment = environment_without(pin_env)
    try:
        while running or (waiting and time.now() < total_seconds):
            while waiting and len(running) < _AT_ONCE:
                candidate = waiting.pop(0)
                try:
                    running.append(_started(candidate, min(total_seconds, time.now() + seconds), environment))
                except OSError as error:
                    detail = f"interpreter: {error.strerror}"
                    answers[candidate] = ProbeAnswer(outcome="failed", detail=detail)
            for child in list(running):
                if time.sees_end(child.process) or time.now() >= child.until:
                    running.remove(child)
                    answers[child.candidate] = _taken(child)
    finally:
        for child in running:
            _taken(child)
    return {each: answers.get(each, _NO_TIME) for each in candidates}


class _Time:
    """Seconds since the beginning: those of the clock, but never fewer than were spent with waiting."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start = clock.monotonic()
        self._waited = 0.0

    def now(self) -> float:
        return max(self._clock.monotonic() - self._start, self._waited)

    def sees_end(self, process: subprocess.Popen[bytes]) -> bool:
        if ended(process, _PAUSE_SECONDS):
            return True
        self._waited += _PAUSE_SECONDS
        return False


_NO_TIME = ProbeAnswer(outcome="failed", detail="no_time")


def _started(candidate: Candidate, until: float, environment: Mapping[str, str]) -> _Running:
    answer = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the child; a file cannot hold anybody up as a pipe can
    try:
        process = subprocess.Popen(  # noqa: S603  # our own module; the path is an argument, there is no shell
            child_command("bhxh_sdk.signers.pkcs11.probe", candidate.interpreter, candidate.path),
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            env=environment,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except BaseException:
        answer.close()
        raise
    return _Running(candidate=candidate, process=process, answer=answer, until=until)


def _taken(child: _Running) -> ProbeAnswer:
    """Return the answer of a child that has ended, or that ends now."""
    code = child.process.poll()
    if code is None:
        child.process.kill()
        ended(child.process, _KILL_SECONDS)  # one that the kernel holds is left to it
    with child.answer:
        child.answer.seek(0)
        begun, _, line = child.answer.read(_LARGEST_ANSWER).partition(b"\n")
    if begun + b"\n" != BEGUN:
        return ProbeAnswer(outcome="failed", detail="not_started")
    with contextlib.suppress(GarbledError):
        return value_of(ProbeAnswer, decoded(line))
    if code is None:
        return ProbeAnswer(outcome="hung")
    if code == 0:
        return ProbeAnswer(outcome="failed", detail="garbled")
    return ProbeAnswer(outcome="crashed", detail=f"signal {-code}" if code < 0 else f"exit {code}")
