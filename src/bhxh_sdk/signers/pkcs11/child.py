"""What a process does first that is going to load a driver, so that the driver can do no harm through it."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from functools import cache
from importlib import import_module
from typing import IO

__all__ = ["end_at_once", "end_in", "private_pipes"]

_NO_DIALOGUES = 0x8003
"""SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX and SEM_NOOPENFILEERRORBOX of SetErrorMode."""


def private_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Move standard input and output away from where drivers find them, and return them.

    What a driver prints goes nowhere, and what it reads is empty. A crash leaves no memory dump, which could
    hold a PIN, and shows no dialogue that nobody would close. Ctrl-C is for the program that started this
    process, which decides what becomes of it.
    """
    _crash_quietly()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.flush()
    reading, writing = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return os.fdopen(reading, "rb"), os.fdopen(writing, "wb")


def end_in(seconds: float | None) -> None:
    """End this process after some time whatever the driver does then; None takes it back.

    The watch is a thread in C that needs no Python lock: it works while a driver holds everything up, and
    when nobody is left to kill this process.
    """
    if seconds is None:
        faulthandler.cancel_dump_traceback_later()
        return
    faulthandler.dump_traceback_later(seconds, exit=True, file=_nowhere())


@cache
def _nowhere() -> int:
    """Return a file that stays open: the watch writes a traceback to it when it ends the process."""
    return os.open(os.devnull, os.O_WRONLY)


def end_at_once() -> None:
    """End without what drivers do at the end of a process: some hang or crash there."""
    os._exit(0)


def _crash_quietly() -> None:
    if sys.platform == "win32":
        import_module("ctypes").windll.kernel32.SetErrorMode(_NO_DIALOGUES)
        return
    resource = import_module("resource")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
