"""What a rule is: one small function that finds mistakes, and the verdicts that it may give."""

from __future__ import annotations

import unicodedata
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from attrs import field, frozen

from bhxh_sdk.errors import UnknownCodeError
from bhxh_sdk.findings import Finding, Severity
from bhxh_sdk.models import Action, Ivan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date

    from bhxh_sdk.catalogue import Catalogue
    from bhxh_sdk.messages import Parameter
    from bhxh_sdk.models import Agency, Registration

__all__ = ["FormCase", "Hit", "Rule", "Verdict", "error", "hit", "rule", "shown", "warning"]

C = TypeVar("C")

_LONGEST_SHOWN = 60


@frozen(kw_only=True)
class FormCase:
    """What the rules of a form look at.

    Args:
        form: the registration.
        on: the day that counts.
        confirmed: whether a person has confirmed it; None when that is not to be judged yet.
        catalogue: the code lists.

    """

    form: Registration
    on: date
    confirmed: bool | None
    catalogue: Catalogue

    @property
    def ivan(self) -> Ivan | None:
        """The I-VAN, None at the portal."""
        return self.form.transact_at if isinstance(self.form.transact_at, Ivan) else None

    @property
    def reaches_people(self) -> bool:
        """Whether contact data are mandatory: to stop needs none."""
        return self.form.action is not Action.STOP

    @cached_property
    def _listed_agency(self) -> Agency | UnknownCodeError:
        try:
            return self.catalogue.agency(self.form.agency.code)
        except UnknownCodeError as unknown:
            return unknown

    @property
    def listed_agency(self) -> Agency | None:
        """The agency as the catalogue knows it, None when it does not."""
        return None if isinstance(self._listed_agency, UnknownCodeError) else self._listed_agency

    @property
    def similar_agencies(self) -> str:
        """The agencies that an unknown code may stand for."""
        unknown = self._listed_agency
        return str(unknown.parameters["similar"]) if isinstance(unknown, UnknownCodeError) else ""


@frozen
class Verdict:
    """What a rule may say: its code, how bad that is, and what the rule rests on."""

    code: str
    severity: Severity
    source: str


def error(code: str, source: str) -> Verdict:
    """Make a verdict that stops the work."""
    return Verdict(code, Severity.ERROR, source)


def warning(code: str, source: str) -> Verdict:
    """Make a verdict that a person should look at: all that no source proves."""
    return Verdict(code, Severity.WARNING, source)


@frozen
class Hit:
    """One mistake found, before its verdict is looked up."""

    code: str
    path: str
    parameters: Mapping[str, Parameter] = field(factory=dict, hash=False)


def hit(code: str, path: str, **parameters: Parameter) -> Hit:
    """Tell of a mistake in a field."""
    return Hit(code, path, parameters)


@frozen
class Rule(Generic[C]):
    """Examine one matter.

    Args:
        examine: finds the mistakes of a case; it never raises.
        verdicts: everything that it may say.

    """

    examine: Callable[[C], Iterator[Hit]]
    verdicts: tuple[Verdict, ...]

    def findings(self, case: C) -> Iterator[Finding]:
        """Find the mistakes of a case, with their verdicts."""
        verdicts = {verdict.code: verdict for verdict in self.verdicts}
        for found in self.examine(case):
            verdict = verdicts[found.code]
            yield Finding(
                code=found.code,
                severity=verdict.severity,
                field=found.path,
                parameters=found.parameters,
                source=verdict.source,
            )


def rule(*verdicts: Verdict) -> Callable[[Callable[[C], Iterator[Hit]]], Rule[C]]:
    """Make a rule of a function."""

    def made(examine: Callable[[C], Iterator[Hit]]) -> Rule[C]:
        return Rule(examine, verdicts)

    return made


def shown(value: str) -> str:
    """Return a typed value fit to be printed: not too long, characters that hide or steer by their names."""
    text = "".join(_visible(letter) for letter in value[:_LONGEST_SHOWN])
    return f"{text}…" if len(value) > _LONGEST_SHOWN else text


def _visible(letter: str) -> str:
    if unicodedata.category(letter)[0] == "C" or letter in "\u2028\u2029":
        return f"U+{ord(letter):04X}"
    return letter
