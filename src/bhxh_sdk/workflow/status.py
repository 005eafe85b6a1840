"""What a caller sees of a registration: key, state, steps and facts, and what to do next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from bhxh_sdk import messages
from bhxh_sdk.signers import SigningState
from bhxh_sdk.workflow.state import State
from bhxh_sdk.workflow.steps import StepState, StepStatus, timeline

if TYPE_CHECKING:
    from bhxh_sdk.messages import Language
    from bhxh_sdk.workflow.dossier import Dossier
    from bhxh_sdk.workflow.state import StateOfRegistration

__all__ = ["RegistrationStatus", "status_of"]


@frozen(kw_only=True)
class RegistrationStatus:
    """Where a registration stands.

    Args:
        key: what to ask with.
        state: the state by the table.
        accepted: whether the agency has accepted.
        activated: whether the account is active.
        steps: the 29 steps of the guide.
        submissions: how many sendings may have arrived; more than one only by a person's decision.
        sending_key: the channel's identifier; empty before submission.
        dossier_number: the agency's number; empty until it is given.
        user_name: the account's name, once known.
        agency_code: the agency's refusal code as received.
        agency_text: the agency's refusal text as received.
        organisation: the organisation's name.
        document: SHA-256 of the document in the journal: signed, or printable.
        signing_in_doubt: whether nobody can tell if a signature was asked for, so that a person has to decide
            whether to sign again.

    """

    key: str
    state: State
    accepted: bool = False
    activated: bool = False
    steps: tuple[StepStatus, ...] = field(repr=False)
    submissions: int = 0
    sending_key: str = ""
    dossier_number: str = ""
    user_name: str = ""
    agency_code: str = ""
    agency_text: str = ""
    organisation: str = ""
    document: str = field(default="", repr=False)
    signing_in_doubt: bool = False

    @property
    def current_step(self) -> StepStatus | None:
        """The first step that is not done; None when all are."""
        return next((step for step in self.steps if step.state is StepState.CURRENT), None)

    def next_action(self, language: Language = "en") -> str:
        """Return what somebody has to do now, as one sentence."""
        doubt = "_in_doubt" if self.signing_in_doubt else ""
        return messages.text(f"next.{self.state.value}{doubt}", language, {"key": self.key})

    def as_dict(self, language: Language = "en") -> dict[str, Any]:
        """Return the status in the shape that `--json` prints."""
        return {
            "key": self.key,
            "state": self.state.value,
            "accepted": self.accepted,
            "activated": self.activated,
            "signing_in_doubt": self.signing_in_doubt,
            "steps": [step.as_dict(language) for step in self.steps],
            "submissions": self.submissions,
            "sending_key": self.sending_key,
            "dossier_number": self.dossier_number,
            "user_name": self.user_name,
            "agency_code": self.agency_code,
            "agency_text": self.agency_text,
            "organisation": self.organisation,
            "next": self.next_action(language),
        }


def _is_in_doubt(state: StateOfRegistration) -> bool:
    if state.state is not State.SIGNING:
        return False
    transaction = json.loads(state.fact("transaction"))
    return bool(transaction["state"] == SigningState.AMBIGUOUS.value)


def status_of(dossier: Dossier) -> RegistrationStatus:
    """Return what a caller sees of a registration."""
    state = dossier.state
    facts = (
        "sending_key", "dossier_number", "user_name", "agency_code", "agency_text", "organisation",
        "document",
    )  # fmt: skip
    return RegistrationStatus(
        key=dossier.key,
        state=state.state,
        accepted=state.accepted,
        activated=state.activated,
        steps=timeline(state.happened, dossier.route),
        signing_in_doubt=_is_in_doubt(state),
        submissions=state.submissions,
        **{name: state.fact(name) for name in facts},
    )
