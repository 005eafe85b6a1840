from __future__ import annotations

import pytest
from attrs import evolve
from workflow_world import IVAN, ToldChannel, a_form, a_stop

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import InputError, RefusedError
from bhxh_sdk.models import Action, Ivan, Outcome, Progress, ProgressStep, Stop
from bhxh_sdk.workflow import State, switch


@pytest.fixture
def other():
    return ToldChannel(capabilities=IVAN)


def moved(world, other, **options):
    new = evolve(world, channel=other)
    options = {"to": Ivan("00040"), "stop": a_stop(), "key": "move", "confirmed": True, **options}
    return run_blocking(switch(world, new, a_form(), **options))


def test_the_new_place_begins_when_the_old_one_has_ended(world, channel, other):
    channel.tell("progress", Progress(outcome=Outcome.ACCEPTED))
    move = moved(world, other)
    assert move.stop.state.state is State.COMPLETED
    assert move.registration.state.state is State.SUBMITTED
    ((stop,),) = [arguments for name, arguments in channel.calls if name == "submit"]
    ((registration,),) = [arguments for name, arguments in other.calls if name == "submit"]
    assert stop.form.action is Action.STOP
    assert (registration.form.action, registration.form.transact_at.code) == (Action.REGISTER, "00040")


def test_while_the_old_place_has_not_ended_nothing_is_registered(world, channel, other):
    move = moved(world, other)
    assert move.stop.state.state is State.SUBMITTED
    assert move.registration is None
    assert other.count("submit") == 0
    channel.tell("progress", Progress(outcome=Outcome.ACCEPTED))
    assert moved(world, other).registration is not None
    assert (channel.count("submit"), other.count("submit")) == (1, 1)


def test_a_refused_stop_ends_the_move(world, channel, other):
    failed = ProgressStep(number=1, code="9", text="Còn nợ hồ sơ", failed=True)
    channel.tell("progress", Progress(outcome=Outcome.REFUSED, steps=(failed,)))
    with pytest.raises(RefusedError) as caught:
        moved(world, other)
    assert caught.value.agency_text == "Còn nợ hồ sơ"
    with pytest.raises(RefusedError):
        moved(world, other)
    assert other.count("submit") == 0


def test_a_move_that_could_not_be_finished_is_not_begun(world, channel, other):
    with pytest.raises(InputError):
        moved(world, other, to=Ivan(""))
    assert channel.calls == []


def test_a_move_without_a_reason_is_not_begun(world, channel, other):
    with pytest.raises(InputError):
        moved(world, other, stop=Stop())
    assert channel.calls == []


def test_a_key_is_drawn_when_none_is_given(world, channel, other):
    channel.tell("progress", Progress(outcome=Outcome.ACCEPTED))
    move = moved(world, other, key="")
    assert move.stop.key.endswith("-stop")
    assert move.registration.key == move.stop.key.replace("-stop", "-register")
