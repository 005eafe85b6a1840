"""The sandbox: a portal, an I-VAN, mail and certificates on this machine, to try everything on."""

from bhxh_sdk.sandbox.agency import (
    AgencySettings,
    Case,
    KnownUnit,
    Reason,
    Refusal,
    SandboxAgency,
    Submission,
)
from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.sandbox.mail import Outbox
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.sandbox.serve import Sandbox

__all__ = [
    "AgencySettings",
    "Case",
    "KnownUnit",
    "Outbox",
    "Reason",
    "Refusal",
    "Sandbox",
    "SandboxAgency",
    "SandboxPki",
    "Submission",
    "VirtualClock",
]
