"""Checks of what surrounds a token: the smart-card service, the session, the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bhxh_sdk.doctor.machine import ServiceState
from bhxh_sdk.doctor.making import Maker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bhxh_sdk.doctor.machine import Machine
    from bhxh_sdk.doctor.values import Check
    from bhxh_sdk.models import CertificateInfo

__all__ = ["clock_check", "service_check", "session_check"]

_DAY = timedelta(days=1)
_LONG = timedelta(days=3650)
"""No certificate of a public authority and hardly an installation lasts so long."""


def service_check(machine: Machine, *, seen: bool, grave: bool = True) -> Check:
    """Tell whether the smart-card service runs.

    Args:
        machine: this machine.
        seen: whether a token is seen, so that it can be had without the service.
        grave: whether the service may be what is in the way: not where no driver came so far as to need it.

    """
    make = Maker("service")
    if machine.service is ServiceState.UNKNOWN:
        return make.skipped("unknown")
    if machine.service is ServiceState.RUNNING:
        return make.ok()
    if seen:
        return make.ok("not_needed")
    return make.failed("stopped_windows" if machine.system == "windows" else "stopped", grave=grave)


def session_check(machine: Machine, *, seen: bool) -> Check:
    """Tell whether somebody sits at another machine than the token."""
    make = Maker("session")
    if not machine.session:
        return make.ok()
    if seen:
        return make.ok("seen_all_the_same", kind=machine.session)
    if machine.session == "unknown":
        return make.skipped("unknown")
    return make.warning(machine.session)


def clock_check(certificates: Sequence[CertificateInfo], machine: Machine, now: datetime) -> Check:
    """Tell whether the clock can be right, by dates that are known without a network.

    Args:
        certificates: those that were seen; they were issued in the past.
        machine: this machine; its package was installed in the past.
        now: the clock's moment.

    """
    make, shown = Maker("clock"), f"{now:%d/%m/%Y %H:%M} UTC"
    begins = [certificate.not_before for certificate in certificates]
    known = [*begins, *filter(None, [machine.installed_at])]
    if machine.installed_at and now < machine.installed_at - _DAY:
        return make.failed("behind", now=shown, known=f"{machine.installed_at:%d/%m/%Y}")
    if begins and now < min(begins):
        return make.warning("before_certificates", now=shown, known=f"{min(begins):%d/%m/%Y}")
    if known and now > max(known) + _LONG:
        return make.warning("ahead", now=shown, known=f"{max(known):%d/%m/%Y}")
    return make.ok(now=shown)
