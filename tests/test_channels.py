from __future__ import annotations

import asyncio

import pytest

import bhxh_sdk as bhxh
from bhxh_sdk.blocking import run_blocking

TABLE = {"kind": "portal", "profile": "portal-vss"}


def test_a_channel_is_opened_for_either_client():
    channel = bhxh.open_channel(TABLE)
    assert channel.capabilities.name == "portal"
    assert not channel.capabilities.proven
    run_blocking(channel.close())

    async def asynchronous() -> str:
        channel = bhxh.open_channel(TABLE, asynchronous=True)
        await channel.close()
        return channel.capabilities.name

    assert asyncio.run(asynchronous()) == "portal"


def test_a_wrong_table_names_its_key():
    with pytest.raises(bhxh.InputError) as caught:
        bhxh.open_channel({**TABLE, "bas_url": "https://portal.example"})
    assert "bas_url" in str(caught.value.report.findings[0].field) or "bas_url" in str(caught.value)
