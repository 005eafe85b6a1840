"""Virtual time passes when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bhxh_sdk.blocking import run_blocking as run
from bhxh_sdk.sandbox import VirtualClock

START = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


def test_time_stands_still_until_somebody_waits():
    clock = VirtualClock(START)
    assert clock.now() == clock.now() == START
    run(clock.sleep(90))
    assert clock.now() == START + timedelta(seconds=90)
    assert clock.monotonic() == 90
    run(clock.sleep(-5))
    assert clock.monotonic() == 90


def test_time_never_goes_back():
    with pytest.raises(ValueError, match="never goes back"):
        VirtualClock(START).advance(timedelta(seconds=-1))


def test_watchers_see_the_new_time():
    clock, seen = VirtualClock(START), []
    clock.watch(lambda: seen.append(clock.now()))
    assert clock.advance(timedelta(days=2)) == START + timedelta(days=2)
    assert seen == [START + timedelta(days=2)]


def test_a_clock_may_begin_now_and_flow():
    before = datetime.now(UTC)
    clock = VirtualClock(flowing=True)
    first = clock.monotonic()
    while clock.monotonic() == first:
        pass
    assert before <= clock.now() <= datetime.now(UTC) + timedelta(seconds=1)


def test_a_seed_makes_chance_repeatable():
    drawn = [
        (clock.random_bytes(9), clock.new_id()) for clock in (VirtualClock(seed=7), VirtualClock(seed=7))
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0][1] != VirtualClock().new_id()
    clock = VirtualClock()
    assert len({clock.new_id() for _ in range(1000)}) == 1000
    assert len(clock.new_id()) == 32
