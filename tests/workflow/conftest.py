from __future__ import annotations

import pytest
from workflow_world import NOW, TAX_CODE, Person, StillClock, ToldChannel

from bhxh_sdk import catalogue, signers
from bhxh_sdk.workflow import MemoryJournal, World


@pytest.fixture
def channel() -> ToldChannel:
    return ToldChannel()


@pytest.fixture(scope="session")
def soft_key():
    return signers.throwaway(tax_code=TAX_CODE, common_name="CÔNG TY TNHH VÍ DỤ", now=NOW)


@pytest.fixture
def world(channel, soft_key) -> World:
    return World(
        channel=channel,
        signer=soft_key,
        journal=MemoryJournal(),
        clock=StillClock(),
        ask=Person(),
        catalogue=catalogue.shipped(),
    )
