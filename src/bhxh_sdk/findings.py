"""Findings: what is wrong with our own data, all of it at once."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import attrs
from attrs import frozen

from bhxh_sdk import messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from bhxh_sdk.messages import Language, Parameter

__all__ = ["Finding", "Report", "Severity"]


class Severity(Enum):
    """How bad a finding is: an error stops the work, a warning is for a person to judge."""

    ERROR = "error"
    WARNING = "warning"


@frozen(kw_only=True)
class Finding:
    """Tell one thing that is wrong, where, and what to do about it.

    Args:
        code: stable code of the matter, such as `email.missing`.
        severity: whether it stops the work. What no source proves is only a warning.
        field: dotted path of the field, such as `contact.email`.
        parameters: values that the text names; never a secret.
        source: the law, form or list that the rule rests on.

    """

    code: str
    severity: Severity
    field: str
    parameters: Mapping[str, Parameter] = attrs.field(factory=dict, hash=False)
    source: str = ""

    def message(self, language: Language = "en") -> str:
        """Return what is wrong, as one sentence."""
        return messages.text(self.code, language, self.parameters)

    def hint(self, language: Language = "en") -> str:
        """Return how to mend it."""
        return messages.hint(self.code, language, self.parameters)

    def as_dict(self, language: Language = "en") -> dict[str, Any]:
        """Return the finding in the shape that `bhxh check --json` prints: one language first, then both."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "field": self.field,
            "message": self.message(language),
            "hint": self.hint(language),
            "source": self.source,
            "messages": {each: self.message(each) for each in messages.LANGUAGES},
            "hints": {each: self.hint(each) for each in messages.LANGUAGES},
        }


def _as_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(findings)


@frozen
class Report:
    """Hold every finding of one check, in the order of the form."""

    findings: tuple[Finding, ...] = attrs.field(default=(), converter=_as_findings)

    @property
    def ok(self) -> bool:
        """Whether nothing stops the work; warnings may be left."""
        return not self.errors

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop the work."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that a person should look at."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.WARNING)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all findings, in order."""
        return tuple(finding.code for finding in self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __bool__(self) -> bool:
        """Forbid the trap that an empty report looks false: a report is always true."""
        return True

    def __add__(self, other: Report) -> Report:
        return Report((*self.findings, *other.findings))

    def as_dict(self, language: Language = "en") -> dict[str, Any]:
        """Return the report in the shape that `bhxh check --json` prints."""
        return {"ok": self.ok, "findings": [finding.as_dict(language) for finding in self.findings]}
