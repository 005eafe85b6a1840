from __future__ import annotations

import pytest

from bhxh_sdk.workflow import STEPS, EventKind, Route, StepState, timeline


def states(happened: set[EventKind], route: Route) -> list[StepState]:
    return [status.state for status in timeline(happened, route)]


def test_the_guide_has_29_steps_in_order():
    assert [step.number for step in STEPS] == list(range(1, 30))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_step_has_a_title_of_its_own(language):
    titles = [step.title(language) for step in STEPS]
    assert len(set(titles)) == 29
    assert not any(title.startswith("step.") for title in titles)


def test_nothing_done_makes_the_first_step_current():
    account = states(set(), Route.ACCOUNT)
    assert account[0] is StepState.CURRENT
    assert set(account[1:]) == {StepState.TODO}


def test_everything_done_leaves_no_current_step():
    assert set(states(set(EventKind), Route.ACCOUNT)) == {StepState.DONE}


@pytest.mark.parametrize(
    ("route", "absent"),
    [
        (Route.ACCOUNT, set()),
        (Route.CHANGE, set(range(25, 30))),
        (Route.PAPER, {*range(1, 11), *range(19, 24)}),
        (Route.PAPER_CHANGE, {*range(1, 11), *range(19, 24), *range(25, 30)}),
    ],
)
def test_a_route_leaves_out_what_it_has_no_use_for(route, absent):
    found = {
        status.step.number
        for status in timeline(set(EventKind), route)
        if status.state is StepState.NOT_APPLICABLE
    }
    assert found == absent


def test_at_most_one_step_is_current_and_it_is_the_first_that_is_open():
    happened = {EventKind.STARTED, EventKind.SIGNER_READY, EventKind.CHECKED}
    found = states(happened, Route.ACCOUNT)
    assert found.count(StepState.CURRENT) == 1
    assert found.index(StepState.CURRENT) == 16


def test_a_step_prints_as_number_state_and_title():
    first = timeline(set(), Route.ACCOUNT)[0]
    assert first.as_dict("en") == {
        "number": 1,
        "state": "current",
        "title": "Open the documents and applications",
    }
