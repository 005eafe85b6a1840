"""The state of a registration: a fold over its events, by one table.

Everything that changes the state stands in `TRANSITIONS`; what is not in it cannot happen. `accepted` and
`activated` are two flags beside the state, because no source proves which comes first. The documentation's
diagram and the tests are made from the table.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from bhxh_sdk.errors import JournalError, WrongStateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bhxh_sdk.ports import Event

__all__ = ["TRANSITIONS", "EventKind", "State", "StateOfRegistration", "folded", "mermaid"]


class State(Enum):
    """Where a registration stands."""

    NEW = "new"
    STARTED = "started"
    CHECKED = "checked"
    CONFIRMED = "confirmed"
    BUILT = "built"
    SIGNING = "signing"
    READY = "ready"
    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    PRINTED = "printed"
    SUBMITTED = "submitted"
    ACTIVATING = "activating"
    ACTIVATION_IN_DOUBT = "activation_in_doubt"
    ACTIVATED = "activated"
    ACTIVE = "active"
    COMPLETED = "completed"
    REFUSED = "refused"


class EventKind(Enum):
    """What may happen to a registration."""

    STARTED = "started"
    SIGNER_READY = "signer_ready"
    CERTIFICATE_CHOSEN = "certificate_chosen"
    CHECKED = "checked"
    CONFIRMED = "confirmed"
    BUILT = "built"
    SIGNING_INTENDED = "signing_intended"
    SIGNING_STARTED = "signing_started"
    SIGNING_ENDED = "signing_ended"
    SIGNED = "signed"
    LEFT_TO_SERVICE = "left_to_service"
    PRINTED = "printed"
    HANDED_IN = "handed_in"
    SEND_INTENDED = "send_intended"
    NOT_SENT = "not_sent"
    SEND_UNKNOWN = "send_unknown"
    RESEND_DECIDED = "resend_decided"
    SUBMITTED = "submitted"
    NUMBERED = "numbered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    COMPLETED = "completed"
    CODE_RECEIVED = "code_received"
    ACTIVATION_INTENDED = "activation_intended"
    ACTIVATION_NOT_SENT = "activation_not_sent"
    ACTIVATION_REFUSED = "activation_refused"
    ACTIVATION_UNKNOWN = "activation_unknown"
    ACTIVATED = "activated"
    LOGGED_IN = "logged_in"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # the name of an event


TRANSITIONS: Mapping[State, Mapping[EventKind, State]] = {
    State.NEW: {EventKind.STARTED: State.STARTED},
    State.STARTED: {
        EventKind.SIGNER_READY: State.STARTED,
        EventKind.CERTIFICATE_CHOSEN: State.STARTED,
        EventKind.CHECKED: State.CHECKED,
    },
    State.CHECKED: {EventKind.CONFIRMED: State.CONFIRMED},
    State.CONFIRMED: {EventKind.BUILT: State.BUILT},
    State.BUILT: {
        EventKind.SIGNING_INTENDED: State.SIGNING,
        EventKind.SIGNING_STARTED: State.SIGNING,
        EventKind.LEFT_TO_SERVICE: State.READY,
        EventKind.PRINTED: State.PRINTED,
    },
    # An intent is written down before a phone may ring; from a doubt only a person's decision leads back.
    State.SIGNING: {
        EventKind.SIGNING_INTENDED: State.SIGNING,
        EventKind.SIGNING_STARTED: State.SIGNING,
        EventKind.SIGNED: State.READY,
        EventKind.SIGNING_ENDED: State.BUILT,
    },
    State.READY: {EventKind.SEND_INTENDED: State.SENDING},
    State.SENDING: {
        EventKind.SUBMITTED: State.SUBMITTED,
        EventKind.REFUSED: State.REFUSED,
        EventKind.NOT_SENT: State.READY,
        EventKind.SEND_UNKNOWN: State.IN_DOUBT,
    },
    # The only way from doubt to a second sending is a person's decision.
    State.IN_DOUBT: {
        EventKind.SUBMITTED: State.SUBMITTED,
        EventKind.REFUSED: State.REFUSED,
        EventKind.RESEND_DECIDED: State.READY,
    },
    State.PRINTED: {EventKind.HANDED_IN: State.SUBMITTED},
    State.SUBMITTED: {
        EventKind.NUMBERED: State.SUBMITTED,
        EventKind.ACCEPTED: State.SUBMITTED,
        EventKind.REFUSED: State.REFUSED,
        EventKind.COMPLETED: State.COMPLETED,
        EventKind.CODE_RECEIVED: State.SUBMITTED,
        EventKind.ACTIVATION_INTENDED: State.ACTIVATING,
    },
    State.ACTIVATING: {
        EventKind.ACTIVATED: State.ACTIVATED,
        EventKind.ACTIVATION_REFUSED: State.SUBMITTED,
        EventKind.ACTIVATION_NOT_SENT: State.SUBMITTED,
        EventKind.ACTIVATION_UNKNOWN: State.ACTIVATION_IN_DOUBT,
    },
    # A wrong code is counted by the other side, so a lost answer is asked after, not repeated; a person may
    # decide to.
    State.ACTIVATION_IN_DOUBT: {
        EventKind.ACTIVATED: State.ACTIVATED,
        EventKind.ACTIVATION_REFUSED: State.SUBMITTED,
        EventKind.RESEND_DECIDED: State.SUBMITTED,
    },
    State.ACTIVATED: {
        EventKind.NUMBERED: State.ACTIVATED,
        EventKind.ACCEPTED: State.ACTIVATED,
        EventKind.REFUSED: State.REFUSED,
        EventKind.LOGGED_IN: State.ACTIVE,
    },
    State.ACTIVE: {
        EventKind.NUMBERED: State.ACTIVE,
        EventKind.ACCEPTED: State.ACTIVE,
        EventKind.REFUSED: State.REFUSED,
        EventKind.LOGGED_IN: State.ACTIVE,
        EventKind.PASSWORD_CHANGED: State.ACTIVE,
    },
    State.COMPLETED: {EventKind.NUMBERED: State.COMPLETED},
    State.REFUSED: {},
}
"""The allowed events of every state, and the state that each leads to."""


@frozen(kw_only=True)
class StateOfRegistration:
    """Where a registration stands, and the facts that its events have brought.

    Args:
        state: the state by the table.
        position: number of events so far; the next one takes this place in the journal.
        accepted: whether the agency has accepted.
        activated: whether the account is active.
        submissions: how many sendings may have arrived: intended ones less those that certainly did not
            leave.
        happened: the kinds of event so far, without those that a later one has undone.
        facts: the newest value of each fact in the events.

    """

    state: State = State.NEW
    position: int = 0
    accepted: bool = False
    activated: bool = False
    submissions: int = 0
    happened: frozenset[EventKind] = frozenset()
    facts: Mapping[str, str | int | bool | None] = field(factory=dict, hash=False)

    def fact(self, name: str) -> str:
        """Return a fact as text, empty when no event has brought it."""
        value = self.facts.get(name)
        return "" if value is None else str(value)

    def after(self, event: Event) -> StateOfRegistration:
        """Return the state after one more event.

        Raises:
            WrongStateError: the table does not allow the event here.
            JournalError: the event's kind is not known: a newer version of the library wrote it.

        """
        kind = _kind_of(event)
        target = TRANSITIONS[self.state].get(kind)
        if target is None:
            raise WrongStateError("workflow.not_now", event=kind.value, state=self.state.value)
        return evolve(
            self,
            state=target,
            position=self.position + 1,
            accepted=_ACCEPTANCE.get(kind, self.accepted),
            activated=self.activated or kind is EventKind.ACTIVATED,
            submissions=self.submissions + _SENDINGS.get(kind, 0),
            happened=(self.happened | {kind}) - _UNDONE.get(kind, frozenset()),
            facts={**self.facts, **event.data},
        )


_SENDINGS = {EventKind.SEND_INTENDED: 1, EventKind.NOT_SENT: -1}
_ACCEPTANCE = {EventKind.ACCEPTED: True, EventKind.COMPLETED: True, EventKind.REFUSED: False}
# A code that was refused, or did not leave, has to be received and handed in anew.
_CODE = frozenset({EventKind.CODE_RECEIVED, EventKind.ACTIVATION_INTENDED})
_UNDONE = {EventKind.ACTIVATION_REFUSED: _CODE, EventKind.ACTIVATION_NOT_SENT: _CODE}


def _kind_of(event: Event) -> EventKind:
    try:
        return EventKind(event.kind)
    except ValueError:
        raise JournalError("workflow.unknown_event", event=event.kind) from None


def folded(events: Iterable[Event]) -> StateOfRegistration:
    """Return the state that a list of events leads to."""
    state = StateOfRegistration()
    for event in events:
        state = state.after(event)
    return state


def mermaid() -> str:
    """Return the table as a Mermaid state diagram, for the documentation."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.NEW.value}"]
    for state, events in TRANSITIONS.items():
        by_target: dict[State, list[str]] = {}
        for kind, target in events.items():
            by_target.setdefault(target, []).append(kind.value)
        lines += [
            f"    {state.value} --> {target.value}: {', '.join(kinds)}" for target, kinds in by_target.items()
        ]
    return "\n".join(lines)
