from __future__ import annotations

import asyncio

import pytest
from workflow_world import a_form

import bhxh_sdk as bhxh
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.channels import NoChannel

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


def test_no_channel_refuses_everything_but_closing():
    channel = NoChannel()
    with pytest.raises(bhxh.SetupError) as caught:
        channel.submit(None)
    assert caught.value.code == "setup.no_channel"
    assert caught.value.nothing_left
    run_blocking(channel.close())


def test_the_channels_say_which_client_they_are_for():
    for asynchronous in (False, True):
        assert bhxh.open_channel(TABLE, asynchronous=asynchronous).asynchronous is asynchronous


def test_a_channel_of_the_other_kind_is_refused_at_once():
    with pytest.raises(bhxh.SetupError):
        bhxh.Client(bhxh.open_channel(TABLE, asynchronous=True))
    with pytest.raises(bhxh.SetupError):
        bhxh.AsyncClient(bhxh.open_channel(TABLE))


def test_a_missing_operation_says_what_to_supply():
    with bhxh.Client(bhxh.open_channel(TABLE), signer=bhxh.open_signer("softkey:new")) as client:
        with pytest.raises(bhxh.UnsupportedOperationError) as caught:
            client.register(a_form(), confirmed=True)
        assert "register" in caught.value.hint("en")
        assert client.statuses() == ()
