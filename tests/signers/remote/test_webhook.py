"""A webhook's body: a hint to ask, and nothing that is trusted."""

from __future__ import annotations

import json

import pytest
from ca769_world import World, jobs
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.signers import SigningState
from bhxh_sdk.signers.remote.webhook import webhook_transaction


def test_the_transaction_of_a_providers_post_is_asked_after(direct):
    there = World(direct)
    signer = there.signer()
    started = there.start(signer, jobs())
    name = webhook_transaction(there.provider.webhook(started.transaction_id))
    assert name == started.transaction_id
    assert there.result(signer, started).state is SigningState.DONE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        "",
        b"<html>",
        b"[]",
        b'["transaction_id"]',
        b"{}",
        b'{"transaction_id": 7}',
        b'{"transaction_id": null}',
        b'{"transaction_id": "a\\nb"}',
        json.dumps({"transaction_id": "x" * 129}),
        b"[" * 100_000,
        b" " * ((1 << 20) + 1),
        '{"transaction_id": "\ud800"}',
    ],
)
def test_a_body_that_names_none(body):
    assert webhook_transaction(body) == ""


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_body_raises(body):
    assert isinstance(webhook_transaction(body), str)
