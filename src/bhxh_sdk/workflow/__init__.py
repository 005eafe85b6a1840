"""Workflow: the 29 steps, the state of a registration, its journal, and the flow that leads it through."""

from bhxh_sdk.workflow.batch import SigningOutcome
from bhxh_sdk.workflow.desk import Desk
from bhxh_sdk.workflow.dossier import Dossier
from bhxh_sdk.workflow.following import (
    activate,
    change_password,
    follow,
    log_in,
    record_decision,
    record_handed_in,
    settle_activation,
    wait_for_decision,
)
from bhxh_sdk.workflow.journal import MemoryJournal, SqliteJournal
from bhxh_sdk.workflow.paper import declaration_html
from bhxh_sdk.workflow.registering import preflight, register, resume
from bhxh_sdk.workflow.renewing import refreshed_catalogue
from bhxh_sdk.workflow.signing_batch import Signable
from bhxh_sdk.workflow.state import TRANSITIONS, EventKind, State, StateOfRegistration, folded, mermaid
from bhxh_sdk.workflow.status import RegistrationStatus, status_of
from bhxh_sdk.workflow.steps import STEPS, GuideStep, Route, StepState, StepStatus, timeline
from bhxh_sdk.workflow.switching import Switch, switch
from bhxh_sdk.workflow.world import World, completed, vietnamese_date

__all__ = [
    "STEPS",
    "TRANSITIONS",
    "Desk",
    "Dossier",
    "EventKind",
    "GuideStep",
    "MemoryJournal",
    "RegistrationStatus",
    "Route",
    "Signable",
    "SigningOutcome",
    "SqliteJournal",
    "State",
    "StateOfRegistration",
    "StepState",
    "StepStatus",
    "Switch",
    "World",
    "activate",
    "change_password",
    "completed",
    "declaration_html",
    "folded",
    "follow",
    "log_in",
    "mermaid",
    "preflight",
    "record_decision",
    "record_handed_in",
    "refreshed_catalogue",
    "register",
    "resume",
    "settle_activation",
    "status_of",
    "switch",
    "timeline",
    "vietnamese_date",
    "wait_for_decision",
]
