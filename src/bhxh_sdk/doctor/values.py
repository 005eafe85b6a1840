"""What an examination says: checks as data, each with its cause and its fix in two languages."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import attrs
from attrs import frozen

from bhxh_sdk import messages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bhxh_sdk.errors import BhxhError
    from bhxh_sdk.messages import Language, Parameter
    from bhxh_sdk.signers.pkcs11.discovery import TriedModule

__all__ = ["Check", "CheckState", "Examination"]


_NAMES = {
    "signing.several_fit": "choice",
    "signing.certificate_expired": "validity",
    "signing.certificate_not_yet_valid": "validity",
    "signing.certificate_other_tax_code": "owner",
    "signing.certificate_no_tax_code": "owner",
    "MissingExtraError": "bindings",
    "DriverError": "module",
    "DriverCrashedError": "driver",
    "TokenError": "token",
    "PinError": "pin",
    "KeyNotFoundError": "key",
    "CertificateUnusableError": "certificates",
}
"""Which check an error belongs to: by its code, else by its class or the nearest one above."""

_LEFT_OUT = "doctor.owner.other_beside"


class CheckState(Enum):
    """What came of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@frozen(kw_only=True)
class Check:
    """One thing that was looked at.

    Args:
        name: stable name of the check, such as `module` or `pin`; several checks may have the same one, for
            different tokens or certificates.
        state: what came of it; `SKIPPED` where it cannot be told, or nobody asked.
        code: stable code of the matter, such as `doctor.pin.locked`.
        subject: the token, certificate or file that it speaks of; empty for the machine as a whole.
        parameters: values that the texts name; never a secret.
        general: code whose fix is told where the matter has none of its own.
        headings: what a list of checks may name once above those that speak of it: a token or key file, and a
            certificate on it; empty for the machine as a whole.

    """

    name: str
    state: CheckState
    code: str
    subject: str = ""
    parameters: Mapping[str, Parameter] = attrs.field(factory=dict, hash=False)
    general: str = ""
    headings: tuple[str, ...] = ()

    @classmethod
    def of_error(cls, error: BhxhError) -> Check:
        """Make the line of an error that was raised while something was signed or listed."""
        known = (error.code, *(kind.__name__ for kind in type(error).__mro__))
        return cls(
            name=next((_NAMES[each] for each in known if each in _NAMES), "signer"),
            state=CheckState.FAILED,
            code=error.code,
            parameters={"field": error.field, "reference": error.reference, **error.parameters},
            general=error.default_code,
        )

    def title(self, language: Language = "en") -> str:
        """Return what was looked at, in a few words."""
        return messages.text(f"doctor.name.{self.name}", language)

    def cause(self, language: Language = "en", *, below_headings: bool = False) -> str:
        """Return what was found, as a sentence or two.

        Args:
            language: `vi` or `en`.
            below_headings: whether it is read below its headings, and need not name them again.

        """
        named = self.parameters.get("name") in self.headings
        left_out = {"name": ""} if below_headings and named else {}
        return messages.text(self.code, language, {**self.parameters, **left_out})

    def fix(self, language: Language = "en") -> str:
        """Return what to do about it; empty where nothing has to be done."""
        own = messages.hint(self.code, language, self.parameters)
        return own or messages.hint(self.general, language, self.parameters)

    def as_dict(self, language: Language = "en") -> dict[str, Any]:
        """Return the check in the shape that `bhxh doctor --json` prints: one language first, then both."""
        return {
            "name": self.name,
            "state": self.state.value,
            "cause": self.cause(language),
            "fix": self.fix(language),
            "code": self.code,
            "subject": self.subject,
            "causes": {each: self.cause(each) for each in messages.LANGUAGES},
            "fixes": {each: self.fix(each) for each in messages.LANGUAGES},
        }


@frozen(kw_only=True)
class Examination:
    """Everything that was looked at, in the order in which it matters.

    Args:
        checks: the checks.
        looked: every driver file that was looked at, and what came of it.

    """

    checks: tuple[Check, ...]
    looked: tuple[TriedModule, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing failed; warnings may be left."""
        return not self.failed

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.state is CheckState.FAILED)

    @property
    def warnings(self) -> tuple[Check, ...]:
        """The checks that a person should look at."""
        return tuple(check for check in self.checks if check.state is CheckState.WARNING)

    @property
    def unknown(self) -> tuple[Check, ...]:
        """The checks that could not be made; a certificate that is left out beside the right one is none."""
        skipped = (check for check in self.checks if check.state is CheckState.SKIPPED)
        return tuple(check for check in skipped if check.code != _LEFT_OUT)

    def __iter__(self) -> Iterator[Check]:
        return iter(self.checks)

    def as_dict(self, language: Language = "en") -> dict[str, Any]:
        """Return the examination in the shape that `bhxh doctor --json` prints."""
        return {
            "ok": self.ok,
            "checks": [check.as_dict(language) for check in self.checks],
            "looked": [
                {"path": at.path, "origin": at.origin, "outcome": at.outcome, "detail": at.detail}
                for at in self.looked
            ],
        }
