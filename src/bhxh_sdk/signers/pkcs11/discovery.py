"""Find the tokens that are inserted, through whichever module shows them.

Where is looked, in this order: what was named explicitly or in the environment, and then nothing else;
p11-kit and the providers in the Windows registry; packages and installed programs; the table of known
modules; OpenSC. Each file's header is read first, then the module is loaded in a process of its own, so that
one that crashes or hangs costs a few seconds and nothing more. No PIN is asked for.

What is kept between two calls: modules that crashed or hung are not tried again for a minute, unless they are
named or have changed. Tokens are never kept: there is no cheap look at all readers without loading drivers
(the list of USB devices knows no card, the smart-card service knows neither soft tokens nor those with
drivers of their own), and a token that was pulled out must not be shown.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from bhxh_sdk.signers.pkcs11.contract import TokenInfo  # noqa: TC001  # attrs reads the annotations at run time
from bhxh_sdk.signers.pkcs11.listed import p11_kit_modules, package_modules
from bhxh_sdk.signers.pkcs11.modules import is_left_out, preference
from bhxh_sdk.signers.pkcs11.places import Machine, in_library_folders, modules_in_places
from bhxh_sdk.signers.pkcs11.probe import ProbeAnswer, header_answer
from bhxh_sdk.signers.pkcs11.probing import HELPER, Candidate, probe_all
from bhxh_sdk.signers.pkcs11.windows import SystemRegistry, installed_modules, provider_modules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bhxh_sdk.ports import Clock
    from bhxh_sdk.signers.pkcs11.windows import Registry

    _Answers = Mapping[Candidate, ProbeAnswer]

__all__ = ["NAMES", "Discovery", "FoundToken", "TriedModule", "discover", "forget"]

NAMES = ("BHXH_PKCS11_MODULE", "PYKCS11LIB")
"""Environment variables that name the module."""

SECONDS = 8.0
"""How long one module may take."""

_TOTAL_SECONDS = 9.0
_REMEMBERED_SECONDS = 60.0


@frozen(kw_only=True)
class FoundToken:
    """A token that is inserted.

    Args:
        module_path: the module to use it through.
        binding: the binding that it was seen with.
        token: the token, its flags as they were a moment ago.
        certificates: the certificates that it shows without a PIN, DER.
        isolated: whether this process cannot load the module, and a helper process must.

    """

    module_path: str
    binding: str
    token: TokenInfo
    certificates: tuple[bytes, ...] = field(repr=lambda found: f"<{len(found)}>")
    isolated: bool = False


@frozen(kw_only=True)
class TriedModule:
    """A module that was looked at.

    Args:
        path: the file.
        origin: how it was found: `explicit`, `environment`, `p11-kit`, `provider`, `package`, `table` or
            `opensc`.
        outcome: `not_there`, `wrong_architecture`, `not_pkcs11`, `crashed`, `hung`, `failed`, `no_token` or
            `token`.
        detail: for `wrong_architecture` the module's architectures, such as `x86`: a helper with a Python of
            one of them can load it; for `not_pkcs11` what the header tells, for `crashed` the signal, for
            `failed` the call and its CKR, or an error's code; for `no_token` what the module calls itself.

    """

    path: str
    origin: str
    outcome: str
    detail: str = ""


@frozen(kw_only=True)
class Discovery:
    """What was found, and where was looked.

    Args:
        tokens: each token once, those of the certification authorities' own modules first.
        tried: every module that was looked at, in the order of looking.

    """

    tokens: tuple[FoundToken, ...] = ()
    tried: tuple[TriedModule, ...] = ()


def discover(
    *,
    module_path: str = "",
    clock: Clock,
    helper: str = "",
    machine: Machine | None = None,
    registry: Registry | None = None,
    seconds: float = SECONDS,
    pin_env: str = "",
) -> Discovery:
    """Look for tokens.

    Args:
        module_path: the only module to look at; a name without a folder is looked for in the usual ones.
            Empty for the environment variable `BHXH_PKCS11_MODULE` or `PYKCS11LIB`, or for all modules.
        clock: time; only its monotonic seconds are used.
        helper: a Python of another architecture, with this package in it; empty for the environment variable
            `BHXH_PKCS11_HELPER`.
        machine: the machine to search; None for this one.
        registry: the Windows registry; None for this machine's.
        seconds: how long one module may take; all together take one second more.
        pin_env: name of an environment variable that holds a PIN, and is kept from drivers.

    Returns:
        The tokens, and what was tried. That nothing was found is no error here.

    """
    machine = machine or Machine()
    helper = helper or machine.variable(HELPER)
    named = _named(module_path, machine)
    origins = named or _search(machine, registry or SystemRegistry())
    tried = {path: (origin, header_answer(path)) for path, origin in origins.items()}
    candidates = {path: _candidate(path, answer, helper) for path, (_, answer) in tried.items()}
    probe = partial(probe_all, pin_env=pin_env)
    waiting = [each for each in candidates.values() if each]
    probed = _probed(waiting, probe, clock, seconds, fresh=bool(named))
    looks = [
        _Look(path, origin, probed.get(candidates[path]) or answer or _UNKNOWN, isolated=answer is not None)
        for path, (origin, answer) in tried.items()
    ]
    return Discovery(tokens=_merged(looks), tried=tuple(look.tried for look in looks))


_UNKNOWN = ProbeAnswer(outcome="failed")


def forget() -> None:
    """Forget which modules crashed or hung."""
    _BAD.clear()


@frozen
class _Look:
    path: str
    origin: str
    answer: ProbeAnswer
    isolated: bool

    @property
    def tried(self) -> TriedModule:
        detail = self.answer.detail or (self.answer.outcome == "no_token" and self.answer.description) or ""
        return TriedModule(path=self.path, origin=self.origin, outcome=self.answer.outcome, detail=detail)

    @property
    def tokens(self) -> Iterator[FoundToken]:
        for found in self.answer.tokens:
            yield FoundToken(
                module_path=self.path,
                binding=self.answer.binding,
                token=found.token,
                certificates=found.certificates,
                isolated=self.isolated,
            )


def _named(module_path: str, machine: Machine) -> dict[str, str]:
    """Return the one module that somebody named, and who did."""
    named = [(module_path, "explicit"), *((machine.variable(name), "environment") for name in NAMES)]
    for path, origin in named:
        if path and Path(path).name == path:
            return {str(in_library_folders(path, machine) or path): origin}
        if path:
            return {path: origin}
    return {}


def _search(machine: Machine, registry: Registry) -> dict[str, str]:
    """Return each module on the machine once, by its path, and how it was found; OpenSC last."""
    found: dict[str, tuple[str, str]] = {}
    for origin, paths in _sources(machine, registry):
        for path in paths:
            if not is_left_out(path.name):
                found.setdefault(os.path.realpath(path), (str(path), origin))
    last = {path: "opensc" for path, _ in found.values() if "opensc" in Path(path).name.lower()}
    return {path: origin for path, origin in found.values() if path not in last} | last


def _sources(machine: Machine, registry: Registry) -> Iterator[tuple[str, Iterable[Path]]]:
    yield "p11-kit", p11_kit_modules(machine)
    if machine.system == "windows":
        yield "provider", provider_modules(machine, registry)
        yield "package", installed_modules(machine, registry)
    yield "package", package_modules(machine)
    yield "table", modules_in_places(machine)


def _candidate(path: str, answer: ProbeAnswer | None, helper: str) -> Candidate | None:
    if answer is None:
        return Candidate(path)
    return Candidate(path, helper) if helper and answer.outcome == "wrong_architecture" else None


_BAD: dict[tuple[Candidate, int, int], tuple[float, ProbeAnswer]] = {}
"""Modules that crashed or hung, as they were then, and when that was."""


def _probed(
    candidates: list[Candidate], probe: partial[_Answers], clock: Clock, seconds: float, *, fresh: bool
) -> dict[Candidate | None, ProbeAnswer]:
    answers: dict[Candidate | None, ProbeAnswer] = {}
    for each in candidates if not fresh else ():
        if (known := _remembered(each, clock)) is not None:
            answers[each] = known
    waiting = [each for each in candidates if each not in answers]
    total = seconds + _TOTAL_SECONDS - SECONDS
    asked = probe(waiting, clock, seconds=seconds, total_seconds=total)
    for each, answer in asked.items():
        if answer.outcome in {"crashed", "hung"}:
            _BAD[_as_it_is(each)] = clock.monotonic(), answer
    return answers | {**asked}


def _remembered(candidate: Candidate, clock: Clock) -> ProbeAnswer | None:
    when, answer = _BAD.get(_as_it_is(candidate), (0.0, None))
    return answer if answer and clock.monotonic() - when < _REMEMBERED_SECONDS else None


def _as_it_is(candidate: Candidate) -> tuple[Candidate, int, int]:
    try:
        status = Path(candidate.path).stat()
    except OSError:
        return candidate, 0, 0
    return candidate, status.st_mtime_ns, status.st_size


def _merged(looks: list[_Look]) -> tuple[FoundToken, ...]:
    """Take each token through the best of the modules that show it."""
    shown = [found for look in looks for found in look.tokens]
    shown.sort(key=_rank)
    best: dict[tuple[str, ...], FoundToken] = {}
    for found in shown:
        token = found.token
        same = (token.manufacturer, token.model, token.serial)
        best.setdefault(same if token.serial else (found.module_path, str(token.slot)), found)
    return tuple(best.values())


def _rank(found: FoundToken) -> tuple[int, bool]:
    return preference(Path(found.module_path).name), not found.certificates
