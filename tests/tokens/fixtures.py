"""The fixtures of drivers and tokens: a conftest takes them with `from tokens.fixtures import *`.

What is slow to make is made once for each process, whichever folders' tests ask for it.
"""

from __future__ import annotations

import itertools
import os
from contextlib import contextmanager
from functools import cache

import pytest
from tokens.entries import shelf as shelf_of_this_process
from tokens.opencryptoki import alone, opencryptoki_running
from tokens.processes import MissingError
from tokens.simulator import Simulator, build_simulator
from tokens.softhsm import SoftHsm

__all__ = [
    "make_simulator",
    "opencryptoki",
    "opencryptoki_for_all",
    "shelf",
    "simulator",
    "simulator_library",
    "softhsm",
    "softhsm_here",
    "token_alone",
]


@contextmanager
def _or_skip():
    """Skip where something is missing; with CI=true that is a failure."""
    try:
        yield
    except MissingError as error:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(error))


@pytest.fixture(scope="session")
def shelf():
    """Entries that stand on the tokens: `shelf.a1`, `shelf.b2` ..."""
    return shelf_of_this_process()


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory):
    """SoftHSM2 with tokens `single`, `pairs`, `expired`, `two`, `elliptic` and `empty`; to be read only.

    Its `environment` is for processes that a test starts; a test that loads the module in this process takes
    `softhsm_here`.
    """
    with _or_skip():
        return _softhsm(tmp_path_factory.getbasetemp())


@cache
def _softhsm(base):
    world, shelf = SoftHsm(base / "every-softhsm"), shelf_of_this_process()
    world.make_tokens(
        {
            "single": [shelf.a1, shelf.authority],
            "pairs": [shelf.a1, shelf.b2, shelf.d4, shelf.e5],
            "expired": [shelf.c3],
            "two": [shelf.a1, shelf.a2],
            "elliptic": [shelf.f6],
            "empty": [],
        }
    )
    return world


@pytest.fixture
def softhsm_here(softhsm, tmp_path, monkeypatch):
    """A copy of `softhsm`, module file included, to be loaded by this process: its own driver, fresh."""
    world = softhsm.copy(tmp_path / "softhsm-here")
    monkeypatch.setenv("SOFTHSM2_CONF", str(world.configuration))
    return world


@pytest.fixture(scope="session")
def token_alone(tmp_path_factory):
    """SoftHSM2 with the token `single` and nothing else; to be read only."""
    with _or_skip():
        return _token_alone(tmp_path_factory.getbasetemp())


@cache
def _token_alone(base):
    world, shelf = SoftHsm(base / "every-alone"), shelf_of_this_process()
    world.make_token("single", shelf.a1, shelf.authority)
    return world


@pytest.fixture(scope="session")
def simulator_library(tmp_path_factory):
    """The compiled simulator."""
    with _or_skip():
        return _simulator_library(tmp_path_factory.getbasetemp())


@cache
def _simulator_library(base):
    folder = base / "every-simulator"
    folder.mkdir()
    return build_simulator(folder)


@pytest.fixture
def make_simulator(simulator_library, softhsm, tmp_path):
    """Make simulators: each a driver file of its own, with copies of `softhsm`'s tokens or of a `world`'s."""
    numbers = itertools.count()

    def make(world=None, *, shares=False):
        folder = tmp_path / f"simulator-{next(numbers)}"
        return Simulator(simulator_library, world or softhsm, folder, shares=shares)

    return make


@pytest.fixture
def simulator(simulator_library, token_alone, tmp_path):
    """A USB token: the token `single` alone behind the simulator; for this process and any other to load."""
    return Simulator(simulator_library, token_alone, tmp_path / "simulator")


@pytest.fixture(scope="session")
def opencryptoki_for_all():
    """The running soft token; take `opencryptoki`."""
    with _or_skip(), opencryptoki_running() as token:
        yield token


@pytest.fixture
def opencryptoki(opencryptoki_for_all):
    """openCryptoki's soft token, with `module`, `label`, `pin` and `certificate`: for one test at a time.

    Load the module in processes that the test starts: it can be loaded once in a process, by one binding.
    """
    with alone("test"):
        yield opencryptoki_for_all
