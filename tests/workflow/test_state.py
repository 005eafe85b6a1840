from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.errors import JournalError, WrongStateError
from bhxh_sdk.ports import Event
from bhxh_sdk.workflow import TRANSITIONS, EventKind, State, StateOfRegistration, folded, mermaid

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def event(kind: EventKind, **data: str | int | bool | None) -> Event:
    return Event(kind=kind.value, at=MOMENT, data=data)


def walk_to(state: State) -> tuple[EventKind, ...]:
    """The shortest list of events that leads to a state, found by the table alone."""
    ways: dict[State, tuple[EventKind, ...]] = {State.NEW: ()}
    open_states = [State.NEW]
    while open_states:
        here = open_states.pop(0)
        for kind, target in TRANSITIONS[here].items():
            if target not in ways:
                ways[target] = (*ways[here], kind)
                open_states.append(target)
    return ways[state]


@pytest.mark.parametrize("state", list(State))
def test_every_state_can_be_reached(state):
    assert folded(event(kind) for kind in walk_to(state)).state is state


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("kind", list(EventKind))
def test_an_event_is_allowed_exactly_where_the_table_says_so(state, kind):
    before = folded(event(past) for past in walk_to(state))
    if kind in TRANSITIONS[state]:
        assert before.after(event(kind)).state is TRANSITIONS[state][kind]
    else:
        with pytest.raises(WrongStateError) as caught:
            before.after(event(kind))
        assert caught.value.code == "workflow.not_now"


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_event_has_a_place_in_the_table(kind):
    assert any(kind in events for events in TRANSITIONS.values())


def test_the_only_ways_to_send_again_are_proof_and_a_decision():
    to_ready = {
        (state, kind)
        for state, events in TRANSITIONS.items()
        for kind, target in events.items()
        if target is State.READY and state in {State.SENDING, State.IN_DOUBT}
    }
    assert to_ready == {(State.SENDING, EventKind.NOT_SENT), (State.IN_DOUBT, EventKind.RESEND_DECIDED)}


def test_accepted_and_activated_may_come_in_either_order():
    submitted = folded(event(kind) for kind in walk_to(State.SUBMITTED))
    first_accepted = submitted.after(event(EventKind.ACCEPTED))
    assert (first_accepted.accepted, first_accepted.activated) == (True, False)
    activated = submitted.after(event(EventKind.ACTIVATION_INTENDED)).after(event(EventKind.ACTIVATED))
    assert (activated.accepted, activated.activated) == (False, True)
    assert activated.after(event(EventKind.ACCEPTED)).accepted


def test_a_sending_that_did_not_leave_is_not_counted():
    ready = folded(event(kind) for kind in walk_to(State.READY))
    sending = ready.after(event(EventKind.SEND_INTENDED))
    assert sending.submissions == 1
    again = sending.after(event(EventKind.NOT_SENT)).after(event(EventKind.SEND_INTENDED))
    assert again.submissions == 1


def test_the_newest_fact_counts_and_a_missing_one_is_empty():
    state = StateOfRegistration().after(event(EventKind.STARTED, form="a", empty=None))
    assert state.fact("form") == "a"
    assert state.fact("empty") == ""
    assert state.fact("nothing") == ""


def test_an_event_of_a_newer_version_is_refused():
    with pytest.raises(JournalError) as caught:
        folded([Event(kind="teleported", at=MOMENT)])
    assert caught.value.parameters["event"] == "teleported"


def test_the_diagram_shows_every_transition():
    diagram = mermaid()
    for state, events in TRANSITIONS.items():
        for kind, target in events.items():
            lines = [
                line
                for line in diagram.splitlines()
                if line.strip().startswith(f"{state.value} --> {target.value}:")
            ]
            assert len(lines) == 1
            assert kind.value in lines[0]


@given(st.lists(st.sampled_from(list(EventKind)), max_size=60))
def test_no_list_of_events_ends_outside_the_table(kinds):
    state = StateOfRegistration()
    for kind in kinds:
        try:
            state = state.after(event(kind))
        except WrongStateError:
            continue
    assert state.state in TRANSITIONS
    assert state.submissions >= 0
