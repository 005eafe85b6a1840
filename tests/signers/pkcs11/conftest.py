"""Drivers and tokens for the tests of this room; see tests/tokens."""

from __future__ import annotations

import pytest
from tokens.entries import shelf as shelf_of_this_process
from tokens.softhsm import SoftHsm


@pytest.fixture(scope="session")
def shelf():
    """Entries that stand on the tokens: `shelf.a1`, `shelf.b2` ..."""
    return shelf_of_this_process()


@pytest.fixture(scope="session")
def softhsm(shelf, tmp_path_factory):
    """SoftHSM2 with tokens `single`, `pairs`, `expired`, `two`, `elliptic` and `empty`; read only.

    Its `environment` is for processes that a test starts; a test that loads the module in this process takes
    `softhsm_here`.
    """
    world = SoftHsm(tmp_path_factory.mktemp("softhsm"))
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
