from __future__ import annotations

import asyncio

import pytest

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import SetupError


async def forty_two():
    return 42


async def nested():
    return await forty_two() + 1


async def suspends():
    await asyncio.sleep(0)


async def fails():
    raise KeyError("x")


def test_a_core_that_never_suspends_runs_to_its_end():
    assert run_blocking(nested()) == 43


def test_it_runs_inside_a_running_loop():
    async def inside():
        return run_blocking(nested())

    assert asyncio.run(inside()) == 43


def test_a_port_that_suspends_is_a_mistake_of_set_up():
    with pytest.raises(SetupError) as caught:
        run_blocking(suspends())
    assert caught.value.code == "setup.suspended"
    assert "setup.suspended" not in caught.value.message("vi")


def test_an_error_of_the_core_comes_through():
    with pytest.raises(KeyError):
        run_blocking(fails())
