"""Tokens to measure with: those of the tests, and the C program that is their floor."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from benchmarks.lab.material import Key

    Opener = Callable[[Key], AbstractContextManager["Token"]]

__all__ = ["BINDINGS", "SLOW_MS", "Token", "loop_held_ms", "openers", "token_floor"]

_ROOT = Path(__file__).parents[2]
_TESTS = _ROOT / "tests"
SLOW_MS = 300
BINDINGS = {"python-pkcs11": "pkcs11", "pykcs11": "PyKCS11", "isolated": "pkcs11"}
"""Binding -> the package that it is imported from; `isolated` is the first one in a helper process."""


class Token(NamedTuple):
    """How a token is reached."""

    module: str
    label: str
    pin: str


def openers() -> tuple[dict[str, Opener], type[Exception]]:
    """Give, by name, what makes a token ready, and the error where it is not here."""
    if str(_TESTS) not in sys.path:
        sys.path.append(str(_TESTS))
    missing = importlib.import_module("tokens.processes").MissingError
    return {"softhsm2": _softhsm, "opencryptoki": _opencryptoki}, missing


@contextmanager
def _softhsm(key: Key) -> Iterator[Token]:
    entries = importlib.import_module("tokens.entries")
    world = importlib.import_module("tokens.softhsm").SoftHsm(key.folder / "softhsm")
    entry = entries.Entry(key_id="a1", label="bench", certificate=key.certificate.der, key=key.private)
    world.make_token("bench", entry)
    before = dict(os.environ)
    os.environ.update(world.environment)
    try:
        yield Token(world.module, "bench", entries.PIN)
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _opencryptoki(_key: Key) -> Iterator[Token]:
    with importlib.import_module("tokens.opencryptoki").opencryptoki_running() as token:
        yield Token(token.module, token.label, token.pin)


def token_floor(folder: Path) -> Path:
    """Compile the floor program."""
    program = folder / "token-floor"
    source = Path(__file__).with_name("token_floor.c")
    flags = ["-O2", f"-I{_TESTS / 'tokens'}"]
    subprocess.run(["cc", *flags, "-o", str(program), str(source), "-ldl"], check=True)  # noqa: S607  # the system's compiler
    return program


def loop_held_ms(key: Key, binding: str) -> float:
    """Tell how long an event loop is held beside SoftHSM2's token, slowed down to 300 ms; see `loop_gap`."""
    simulating, pin = (
        importlib.import_module("tokens.simulator"),
        importlib.import_module("tokens.entries").PIN,
    )
    world = importlib.import_module("tokens.softhsm").SoftHsm(key.folder / "softhsm")
    library = simulating.build_simulator(key.folder)
    slow = simulating.Simulator(library, world, key.folder / f"slow-{binding}")
    slow.set(slow_sign_ms=SLOW_MS)
    command = [sys.executable, "-m", "benchmarks.lab.loop_gap", slow.module, binding, pin]
    return float(subprocess.run(command, check=True, capture_output=True, cwd=_ROOT).stdout)
