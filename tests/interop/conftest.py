"""One workshop for the whole run of the tests, whichever of its processes a test lands in."""

from __future__ import annotations

import os

import pytest
from interop.workshop import Workshop


@pytest.fixture(scope="session")
def workshop(tmp_path_factory) -> Workshop:
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # every worker has its own below it
    return Workshop(folder / "interop")
