"""Checks of the way to a token: binding, module, architecture, what the driver did, slots."""

from __future__ import annotations

import ntpath
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bhxh_sdk import messages
from bhxh_sdk.doctor.machine import BINDINGS
from bhxh_sdk.doctor.making import Maker
from bhxh_sdk.doctor.values import Check, CheckState
from bhxh_sdk.doctor.variable import naming_variable
from bhxh_sdk.messages import Term
from bhxh_sdk.signers.pkcs11.probe import header_answer
from bhxh_sdk.signers.pkcs11.probing import HELPER, own_interpreter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bhxh_sdk.doctor.machine import Machine
    from bhxh_sdk.signers.pkcs11.discovery import TriedModule

__all__ = ["bindings_check", "driver_checks", "outcome_of", "was_pulled_out", "was_run"]

_USABLE = frozenset({"no_token", "token"})
_FAILURES = frozenset({"crashed", "hung", "failed"})
_NAMED = frozenset({"explicit", "environment"})
_OWN_DETAILS = frozenset({"no_time", "garbled", "not_a_library", "unreadable", "damaged", "no_entry"})
_RUN = _USABLE | _FAILURES
_NOT_STARTED = "not_started"
_NO_INTERPRETER = "interpreter: "
_REMOVED = frozenset({"0x32", "0xe0", "0xe1", "DeviceRemoved", "TokenNotPresent", "TokenNotRecognised"})
"""CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT, CKR_TOKEN_NOT_RECOGNIZED, and the binding's names for them."""


def bindings_check(machine: Machine, wanted: str = "") -> Check:
    """Tell whether Python can speak to drivers here.

    Args:
        machine: this machine.
        wanted: the binding that an address names; empty for any.

    """
    make = Maker("bindings")
    if wanted and wanted not in machine.bindings:
        _, extra = BINDINGS.get(wanted, ("", "token"))
        return make.failed("not_installed", name=wanted, extra=extra)
    if not machine.bindings:
        return make.failed("none")
    return make.ok(names=", ".join(sorted(machine.bindings)))


def driver_checks(tried: Sequence[TriedModule], machine: Machine) -> Iterator[Check]:
    """Tell which drivers are there and what is wrong with them.

    Args:
        tried: where a driver was looked for, and what was found.
        machine: this machine.

    """
    seen = any(module.outcome == "token" for module in tried)
    usable = [module for module in tried if module.outcome in _USABLE]
    yield from _module_checks(tried, usable, machine)
    yield from _architecture_checks(tried, usable, machine, seen=seen)
    for module in tried:
        make, name = Maker("driver", module.path), _file(module)
        if module.outcome == "not_pkcs11" and module.origin in _NAMED:
            yield make.failed(
                "not_pkcs11",
                grave=not seen,
                name=module.path,
                detail=_detail(module),
                variable=_naming(module),
            )
        elif was_pulled_out(module):
            yield Maker("token", module.path).failed("removed", grave=not seen, name=name)
        elif _never_began(module):
            yield _not_tried(module, grave=not seen)
        elif module.outcome in _FAILURES and machine.bindings:
            yield _own_words(module, grave=not seen) or make.failed(
                module.outcome, grave=not seen, name=name, detail=_detail(module)
            )


def was_pulled_out(module: TriedModule) -> bool:
    """Tell whether a driver failed because its token went away while it was looked at."""
    return module.outcome == "failed" and module.detail.rpartition(": ")[2] in _REMOVED


def was_run(module: TriedModule) -> bool:
    """Tell whether a driver came so far that it may have asked for the smart-card service."""
    return module.outcome in _RUN and not _never_began(module)


def outcome_of(module: TriedModule) -> str:
    """Return what came of a driver, for people: one whose process did not start has not failed itself."""
    return "not_tried" if _never_began(module) else module.outcome


def _not_tried(module: TriedModule, *, grave: bool) -> Check:
    """Say why the process did not start in which a driver would have been tried; the driver may be good."""
    make, helper = Maker("driver", module.path), _helper_of(module)
    why = module.detail.removeprefix(_NOT_STARTED).removeprefix(_NO_INTERPRETER)
    matter = "helper_not_started" if helper else "not_started"
    return make.failed(matter, grave=grave, name=_file(module), detail=why, helper=helper)


def _helper_of(module: TriedModule) -> str:
    """Return the Python that a variable names to load a driver with; empty where it is this one."""
    helper = os.environ.get(HELPER, "")
    return helper if helper == own_interpreter() or header_answer(module.path) is not None else ""


def _never_began(module: TriedModule) -> bool:
    """Tell whether the process in which the driver would have been tried did not start."""
    detail = module.detail
    return module.outcome == "failed" and (detail == _NOT_STARTED or detail.startswith(_NO_INTERPRETER))


def _module_checks(
    tried: Sequence[TriedModule], usable: Sequence[TriedModule], machine: Machine
) -> Iterator[Check]:
    for module in usable:
        origin = Term(f"doctor.origin.{module.origin}")
        yield Maker("module", module.path).ok(name=module.path, origin=origin)
    if usable:
        return
    absent = [module for module in tried if module.outcome == "not_there"]
    there = len(tried) - len(absent)
    if there and not machine.bindings:
        yield Maker("module").skipped("no_binding", count=there)
    elif there and all(map(_never_began, tried)):
        yield Maker("module").skipped("not_tried", count=there)
    elif there:
        yield Maker("module").failed("none_usable", count=there)
    elif absent:
        first = absent[0]
        matter = "folder" if Path(first.path).is_dir() else "not_there"
        yield Maker("module", first.path).failed(matter, name=first.path, variable=_naming(first))
    else:
        yield Maker("module").failed("none", folders=", ".join(machine.folders))


def _architecture_checks(
    tried: Sequence[TriedModule], usable: Sequence[TriedModule], machine: Machine, *, seen: bool
) -> Iterator[Check]:
    wrong = [module for module in tried if module.outcome == "wrong_architecture"]
    twins = {_file(module).lower() for module in usable}  # System32 and SysWOW64 have one file name
    facts: dict[str, Any] = {"bits": machine.bits, "architecture": machine.architecture}
    for module in wrong:
        if not seen and _file(module).lower() not in twins:
            make = Maker("architecture", module.path)
            yield make.failed("wrong", grave=not usable, name=_file(module), detail=module.detail, **facts)
    if usable:
        yield Maker("architecture").ok(**facts)


def _naming(module: TriedModule) -> str:
    """Return the environment variable that names a file; empty where none does."""
    return naming_variable() if module.origin == "environment" else ""


def _detail(module: TriedModule) -> str:
    return Term(f"doctor.detail.{module.detail}") if module.detail in _OWN_DETAILS else module.detail


def _own_words(module: TriedModule, *, grave: bool) -> Check | None:
    """Return the check of a failure that is the code of an error, in that error's own words."""
    if module.outcome != "failed" or messages.text(module.detail) == module.detail:
        return None
    state = CheckState.FAILED if grave else CheckState.WARNING
    named = {"name": _file(module)}
    return Check(
        name="driver",
        state=state,
        code=module.detail,
        subject=module.path,
        parameters=named,
        general="driver",
    )


def _file(module: TriedModule) -> str:
    return ntpath.basename(module.path)  # it takes both kinds of slashes
