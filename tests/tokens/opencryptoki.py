"""openCryptoki's soft token as the second real driver: real PIN counters and flags, nearly OpenSSL's speed.

Its daemon and its token belong to the whole machine, so that only root may use them here, one test at a time.
A token that is not ours (by its label) is never touched; ours is kept from run to run. The daemon is ended
where tests started it and nobody else needs it any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tokens.entries import SO_PIN, shelf
from tokens.processes import MissingError, need, run_tool, write_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["OpenCryptoki", "alone", "opencryptoki_running"]

_MODULES = ("/usr/lib/*/pkcs11/libopencryptoki.so", "/usr/lib64/opencryptoki/libopencryptoki.so")
_PID_FILE = Path("/run/pkcsslotd.pid")
_PARTS = ("", "icsf", "swtok", "tpm", "lite", "ccatok", "ep11tok")
_SHARED = Path(tempfile.gettempdir()) / "bhxh-sdk-test-opencryptoki"
_NEW_SO_PIN = "97531864"
_FIRST_PIN = "31415926"


class OpenCryptoki:
    """The soft token: `module`, `label`, `pin`, and the `certificate` (DER) of its one pair, id `a1`."""

    label = "bhxh-sdk test"
    pin = "24681357"
    key_id = "a1"

    def __init__(self) -> None:
        if os.geteuid() != 0:
            raise MissingError("openCryptoki's daemon and its token are root's")
        need("pkcsslotd", "pkcs11-tool")
        found = [path for pattern in _MODULES for path in sorted(Path("/").glob(pattern.lstrip("/")))]
        if not found:
            raise MissingError("not found: libopencryptoki.so")
        self.module = str(found[0])

    @property
    def certificate(self) -> bytes:
        """The certificate, as the token has it."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "certificate.der"
            self._tool("--read-object", "--type", "cert", "--id", self.key_id, "--output-file", str(file))
            return file.read_bytes()

    def prepare(self) -> None:
        """Make the token ready: ours, with its PIN, all tries left and one pair.

        A fresh token takes its PINs in this order only: first PINs have to be changed before they serve.
        """
        state = self._tool("--list-slots")
        if "uninitialized" in state:
            self._tool("--init-token", "--label", self.label, "--so-pin", SO_PIN)
            officer = ("--login", "--login-type", "so", "--so-pin")
            self._tool(*officer, SO_PIN, "--change-pin", "--new-pin", _NEW_SO_PIN)
            self._renew_pin()
        elif self.label not in state:
            raise MissingError("openCryptoki's token is not of these tests")
        elif "user PIN count low" in state or "final user PIN try" in state or "user PIN locked" in state:
            self._renew_pin()
        objects = self._tool("--login", "--pin", self.pin, "--list-objects")
        if "Private Key Object" not in objects or "Certificate Object" not in objects:
            write_entries(self.module, self.pin, {self.label: [shelf().a1]})

    def restore_pin(self) -> None:
        """Give the PIN all its tries back, whatever a test did to it."""
        self._renew_pin()

    def _renew_pin(self) -> None:
        officer = ("--login", "--login-type", "so", "--so-pin", _NEW_SO_PIN)
        self._tool(*officer, "--init-pin", "--new-pin", _FIRST_PIN)
        self._tool("--login", "--pin", _FIRST_PIN, "--change-pin", "--new-pin", self.pin)

    def _tool(self, *arguments: str) -> str:
        return run_tool(["pkcs11-tool", "--module", self.module, "--slot-index", "0", *arguments])


@contextmanager
def opencryptoki_running() -> Iterator[OpenCryptoki]:
    """Have the daemon run and the token ready, for a session of tests.

    Raises:
        MissingError: it is not installed, or may not be used here.

    """
    token = OpenCryptoki()
    _SHARED.mkdir(mode=0o700, exist_ok=True)
    with (_SHARED / "users").open("w", encoding="ascii") as users:
        with alone("start"):
            fcntl.flock(users, fcntl.LOCK_SH)
            _start()
            token.prepare()
        try:
            yield token
        finally:
            with alone("start"):
                _end_after_the_last(users.fileno())


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Keep all other processes' tests away."""
    with (_SHARED / name).open("w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _daemon() -> int:
    """Return the daemon's process id; 0 where it does not run."""
    try:
        process = int(_PID_FILE.read_text(encoding="ascii"))
        command = Path(f"/proc/{process}/cmdline").read_bytes()  # empty where it only waits to be buried
    except (OSError, ValueError):
        return 0
    return process if b"pkcsslotd" in command else 0


def _start() -> None:
    if _daemon():
        return
    for part in _PARTS:
        folder = Path("/run/lock/opencryptoki") / part
        folder.mkdir(mode=0o770, parents=True, exist_ok=True)
        shutil.chown(folder, group="pkcs11")
    run_tool(["pkcsslotd"])
    _wait(lambda: _daemon() != 0, 10)
    (_SHARED / "started").write_text(str(_daemon()), encoding="ascii")


def _end_after_the_last(users: int) -> None:
    started = _SHARED / "started"
    fcntl.flock(users, fcntl.LOCK_UN)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    if started.exists() and int(started.read_text(encoding="ascii")) == _daemon() != 0:
        os.kill(_daemon(), signal.SIGTERM)
        with suppress(
            TimeoutError
        ):  # it stays while a process has the module loaded; the next session ends it
            _wait(lambda: _daemon() == 0, 1)


def _wait(until: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not until():
        if time.monotonic() > end:
            raise TimeoutError("pkcsslotd")
        time.sleep(0.02)
