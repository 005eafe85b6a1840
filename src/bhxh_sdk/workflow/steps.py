"""The 29 steps of the portal's guide as one table.

A step is done when one of its events stands in the journal. Steps that a route has no use for are not
applicable: nobody installs a signing application or enters a PIN for a declaration on paper, and only a
registration ends with an account. The documentation's table, the demo's timeline and the tests are made from
here.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from attrs import frozen

from bhxh_sdk import messages
from bhxh_sdk.workflow.state import EventKind

if TYPE_CHECKING:
    from collections.abc import Collection

    from bhxh_sdk.messages import Language

__all__ = ["STEPS", "GuideStep", "Route", "StepState", "StepStatus", "timeline"]


class Route(Enum):
    """Which way a declaration goes."""

    ACCOUNT = "account"
    CHANGE = "change"
    PAPER = "paper"
    PAPER_CHANGE = "paper_change"


class StepState(Enum):
    """Where a step stands."""

    DONE = "done"
    CURRENT = "current"
    TODO = "todo"
    NOT_APPLICABLE = "not_applicable"


_ELECTRONIC = frozenset({Route.ACCOUNT, Route.CHANGE})
_WITH_ACCOUNT = frozenset({Route.ACCOUNT, Route.PAPER})
_EVERY = frozenset(Route)


@frozen
class GuideStep:
    """One step of the guide.

    Args:
        number: 1 to 29, as in the guide.
        done_by: the events that finish it, any one of them.
        routes: the routes that it belongs to.

    """

    number: int
    done_by: frozenset[EventKind]
    routes: frozenset[Route]

    def title(self, language: Language = "en") -> str:
        """Return what the step is about."""
        return messages.text(f"step.{self.number}", language)


@frozen(kw_only=True)
class StepStatus:
    """Where one registration stands at one step."""

    step: GuideStep
    state: StepState

    def as_dict(self, language: Language = "en") -> dict[str, Any]:
        """Return the step in the shape that `--json` prints."""
        return {"number": self.step.number, "state": self.state.value, "title": self.step.title(language)}


def _steps(numbers: range, routes: frozenset[Route], *events: EventKind) -> tuple[GuideStep, ...]:
    return tuple(GuideStep(number, frozenset(events), routes) for number in numbers)


def _step(number: int, routes: frozenset[Route], *events: EventKind) -> tuple[GuideStep, ...]:
    return _steps(range(number, number + 1), routes, *events)


STEPS: tuple[GuideStep, ...] = (
    # The guide installs an application; here it is enough that a signer shows its certificates.
    *_steps(range(1, 11), _ELECTRONIC, EventKind.SIGNER_READY),
    *_steps(range(11, 14), _EVERY, EventKind.STARTED),
    *_steps(range(14, 17), _EVERY, EventKind.CHECKED),
    *_step(17, _EVERY, EventKind.CONFIRMED),
    *_step(18, _EVERY, EventKind.BUILT),
    *_steps(range(19, 21), _ELECTRONIC, EventKind.CERTIFICATE_CHOSEN),
    *_steps(range(21, 24), _ELECTRONIC, EventKind.SIGNED, EventKind.LEFT_TO_SERVICE),
    *_step(24, _EVERY, EventKind.SUBMITTED, EventKind.HANDED_IN),
    *_step(25, _WITH_ACCOUNT, EventKind.CODE_RECEIVED, EventKind.ACTIVATED),
    *_steps(range(26, 28), _WITH_ACCOUNT, EventKind.ACTIVATION_INTENDED),
    *_step(28, _WITH_ACCOUNT, EventKind.ACTIVATED),
    *_step(29, _WITH_ACCOUNT, EventKind.LOGGED_IN),
)
"""Every step of the guide, in its order."""


def timeline(happened: Collection[EventKind], route: Route) -> tuple[StepStatus, ...]:
    """Return where each of the 29 steps stands.

    Args:
        happened: the kinds of event in the journal.
        route: which way the declaration goes.

    """
    statuses: list[StepStatus] = []
    current_found = False
    for step in STEPS:
        state = _state_of(step, happened, route)
        if state is StepState.TODO and not current_found:
            state, current_found = StepState.CURRENT, True
        statuses.append(StepStatus(step=step, state=state))
    return tuple(statuses)


def _state_of(step: GuideStep, happened: Collection[EventKind], route: Route) -> StepState:
    if route not in step.routes:
        return StepState.NOT_APPLICABLE
    return StepState.TODO if step.done_by.isdisjoint(happened) else StepState.DONE
