"""What every test stands on: no outside network, the same language and clock zone everywhere."""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# Examples vary from run to run, and a failure prints the line that repeats it.
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=False)
settings.register_profile("quick", settings.get_profile("ci"), max_examples=10)
settings.register_profile("thorough", settings.get_profile("ci"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(autouse=True)
def _wrong_pins_of_other_tests_are_forgotten() -> Iterator[None]:
    """Let no test find wrong PINs that another gave the same token; logins that last stay known."""
    yield
    if (room := sys.modules.get("bhxh_sdk.signers.pkcs11.pin_memory")) is not None:
        room.memory._tries.clear()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose tool is missing; with CI=true that is a failure."""
    for marker in item.iter_markers("needs_tool"):
        missing = [tool for tool in marker.args if shutil.which(tool) is None]
        if missing and os.environ.get("CI") == "true":
            pytest.fail(f"not installed: {', '.join(missing)}")
        if missing:
            pytest.skip(f"not installed: {', '.join(missing)}")


def _is_local(address: object) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket is a path
    host = str(address[0])
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(autouse=True)
def only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for another machine fails, whatever it would have found there."""

    def guard(name: str) -> None:
        original = getattr(socket.socket, name)

        def guarded(self: socket.socket, address: object) -> object:
            if not _is_local(address):
                pytest.fail(f"a test tried to reach {address!r}; only this machine is allowed")
            return original(self, address)

        monkeypatch.setattr(socket.socket, name, guarded)

    guard("connect")
    guard("connect_ex")


@pytest.fixture(autouse=True)
def neutral_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own language, zone, terminal and proxies change no result."""
    for name in list(os.environ):
        if name.startswith(("LC_", "BHXH_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in {
        "LANG": "C.UTF-8",
        "LANGUAGE": "",
        "TZ": "UTC",
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }.items():
        monkeypatch.setenv(name, value)
    _reread_zone()
    yield
    monkeypatch.undo()
    _reread_zone()


def _reread_zone() -> None:
    if hasattr(time, "tzset"):  # not on Windows
        time.tzset()
