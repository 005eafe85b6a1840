"""The sandbox: a portal, an I-VAN, mail and certificates on this machine, to try everything on.

Names are loaded when they are used: pytest imports this room on every start, for its fixtures.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bhxh_sdk.sandbox.agency import SandboxAgency
    from bhxh_sdk.sandbox.case import Case, Submission
    from bhxh_sdk.sandbox.clock import VirtualClock
    from bhxh_sdk.sandbox.faults import Fault
    from bhxh_sdk.sandbox.ivan import Phone
    from bhxh_sdk.sandbox.mail import Mailbox, Outbox
    from bhxh_sdk.sandbox.pki import SandboxPki
    from bhxh_sdk.sandbox.reasons import Reason, Refusal
    from bhxh_sdk.sandbox.serve import Sandbox
    from bhxh_sdk.sandbox.settings import AgencySettings, KnownUnit

__all__ = [
    "AgencySettings",
    "Case",
    "Fault",
    "KnownUnit",
    "Mailbox",
    "Outbox",
    "Phone",
    "Reason",
    "Refusal",
    "Sandbox",
    "SandboxAgency",
    "SandboxPki",
    "Submission",
    "VirtualClock",
]

_HOMES = {
    "AgencySettings": "settings",
    "Case": "case",
    "Fault": "faults",
    "KnownUnit": "settings",
    "Mailbox": "mail",
    "Outbox": "mail",
    "Phone": "ivan",
    "Reason": "reasons",
    "Refusal": "reasons",
    "Sandbox": "serve",
    "SandboxAgency": "agency",
    "SandboxPki": "pki",
    "Submission": "case",
    "VirtualClock": "clock",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  # any of the names above
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
