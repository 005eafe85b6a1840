"""Every error of the library, in one tree.

    BhxhError
    ├── InputError                 our data or our call is wrong; carries a report; nothing was sent
    │   ├── WrongTypeError         a value of the wrong Python type (also a TypeError)
    │   ├── UnknownCodeError       a code that the catalogue does not hold (also a LookupError)
    │   ├── UnreadableFileError    a file that cannot be read as what it should be
    │   └── WrongStateError        the call does not fit where the registration stands
    ├── SetupError                 something is missing on this machine or in the configuration
    │   ├── MissingExtraError      an optional dependency is not installed
    │   ├── UnsupportedOperationError   the channel's profile does not have the operation
    │   └── JournalError           the journal cannot be opened, read or written
    ├── SigningError               no signature was made
    │   ├── KeyNotFoundError       no key, or no certificate that fits
    │   ├── CertificateUnusableError    expired, not yet valid, of somebody else, not for signing
    │   ├── KeyPasswordError       the key file's password is missing or wrong
    │   ├── SignatureMismatchError the signature that came back does not fit digest and certificate
    │   ├── SigningDeclinedError   the person said no
    │   └── SigningExpiredError    the time to confirm has run out
    ├── DocumentError              a document is not what it should be
    │   ├── UnsafeDocumentError    a document type, entity or other thing that is never accepted
    │   └── VerificationError      a signature or its certificate is not valid; `reason` says why
    ├── RefusedError               the agency or I-VAN said no; its code and text as received
    │   ├── AlreadyRegisteredError
    │   ├── NotRegisteredError
    │   ├── LogInRefusedError      user name, password or captcha is wrong
    │   ├── SessionExpiredError
    │   └── ActivationError
    │       ├── WrongCodeError
    │       ├── CodeExpiredError
    │       ├── CodeRevokedError   a newer code, or a newer registration, has taken its place
    │       └── AlreadyActivatedError
    ├── NotSentError               certain that nothing reached the other side; safe to repeat
    ├── UnknownOutcomeError        may have arrived: ask first, never resend blindly
    ├── StillWaitingError          a deadline passed; not a failure
    │   └── PersonNeededError      only a person can take the next step
    └── UnexpectedReplyError       the answer is not of the form that the profile describes

Branches for USB tokens and their drivers stand in `bhxh_sdk.token_errors`.

Facts are attributes (`code`, `retry`, `field`, `reference`, …); the text is for people, in two languages.
Errors can be pickled, because every class can be made from its code alone; a secret never hangs on one.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Self

from bhxh_sdk import messages
from bhxh_sdk.findings import Finding, Report, Severity

if TYPE_CHECKING:
    from bhxh_sdk.messages import Language, Parameter

__all__ = [
    "ActivationError",
    "AlreadyActivatedError",
    "AlreadyRegisteredError",
    "BhxhError",
    "CertificateUnusableError",
    "CodeExpiredError",
    "CodeRevokedError",
    "DocumentError",
    "InputError",
    "JournalError",
    "KeyNotFoundError",
    "KeyPasswordError",
    "LogInRefusedError",
    "MissingExtraError",
    "NotRegisteredError",
    "NotSentError",
    "PersonNeededError",
    "RefusedError",
    "Retry",
    "SessionExpiredError",
    "SetupError",
    "SignatureMismatchError",
    "SigningDeclinedError",
    "SigningError",
    "SigningExpiredError",
    "StillWaitingError",
    "UnexpectedReplyError",
    "UnknownCodeError",
    "UnknownOutcomeError",
    "UnreadableFileError",
    "UnsafeDocumentError",
    "UnsupportedOperationError",
    "VerificationError",
    "WrongCodeError",
    "WrongStateError",
    "WrongTypeError",
]


class Retry(Enum):
    """When the same call may be made again."""

    NEVER = "never"
    READS_ONLY = "reads_only"
    AFTER_RECONCILE = "after_reconcile"
    NOW = "now"


class BhxhError(Exception):
    """Base of every error that the library raises on purpose.

    Args:
        code: stable code of the matter; the class has one of its own.
        field: dotted path of the field concerned, when there is one.
        reference: what to ask with later: a registration key, a sending key or a dossier number.
        parameters: values that the text names; never a secret.

    """

    default_code: ClassVar[str] = "error"
    retry: ClassVar[Retry] = Retry.NEVER
    nothing_left: bool = False
    """Whether it is certain that no request left: only then may one that changes something be made again."""

    def __init__(
        self, code: str | None = None, /, *, field: str = "", reference: str = "", **parameters: Parameter
    ) -> None:
        self.code = code or self.default_code
        self.field = field
        self.reference = reference
        self.parameters: dict[str, Parameter] = parameters
        super().__init__(self.code)

    def message(self, language: Language = "en") -> str:
        """Return what happened, as one sentence."""
        return messages.text(self.code, language, self._places())

    def hint(self, language: Language = "en") -> str:
        """Return what to do now."""
        own = messages.hint(self.code, language, self._places())
        return own or messages.hint(self.default_code, language, self._places())

    def as_dict(self, language: Language = "en") -> dict[str, Any]:
        """Return the error in the shape that `--json` prints under `error`."""
        return {
            "code": self.code,
            "message": self.message(language),
            "hint": self.hint(language),
            "retry": self.retry.value,
            "field": self.field,
        }

    def _places(self) -> dict[str, Parameter]:
        return {"field": self.field, "reference": self.reference, **self.parameters}

    def __str__(self) -> str:
        return f"{self.message()} [{self.code}]"


class InputError(BhxhError):
    """Our data or our call is wrong; `report` says all that is, and nothing was sent."""

    default_code = "input"

    def __init__(self, code: str | None = None, /, *, report: Report | None = None, **places: Any) -> None:  # noqa: ANN401  # field and reference are texts, the rest are parameters
        super().__init__(code, **places)
        own = Finding(code=self.code, severity=Severity.ERROR, field=self.field, parameters=self._places())
        self.report = report or Report((own,))

    @classmethod
    def of(cls, report: Report) -> Self:
        """Make the error that carries a report with at least one error in it."""
        first = report.errors[0]
        return cls("input.report", field=first.field, report=report, count=len(report.errors))

    def __str__(self) -> str:
        if self.code != "input.report":
            return super().__str__()
        lines = [f"{finding.field}: {finding.message()} [{finding.code}]" for finding in self.report.errors]
        return "\n".join([super().__str__(), *lines])


class WrongTypeError(InputError, TypeError):
    """A value has the wrong Python type; `field` names it."""

    default_code = "input.wrong_type"


class UnknownCodeError(InputError, LookupError):
    """The catalogue holds no such code."""

    default_code = "input.unknown_code"


class UnreadableFileError(InputError):
    """A file is missing, or is not what it should be."""

    default_code = "input.unreadable_file"


class WrongStateError(InputError):
    """The call does not fit the state in which the registration stands."""

    default_code = "input.wrong_state"


class SetupError(BhxhError):
    """Something is missing on this machine or in the configuration."""

    default_code = "setup"


class MissingExtraError(SetupError, ImportError):
    """An optional dependency is not installed; the text names the extra."""

    default_code = "setup.missing_extra"


class UnsupportedOperationError(SetupError):
    """The channel's profile does not have the operation; the text says what to supply."""

    default_code = "setup.unsupported_operation"
    nothing_left = True


class JournalError(SetupError):
    """The journal cannot be opened, read or written."""

    default_code = "setup.journal"


class SigningError(BhxhError):
    """No signature was made; nothing was sent."""

    default_code = "signing"


class KeyNotFoundError(SigningError):
    """There is no key, or no certificate that fits the organisation."""

    default_code = "signing.key_not_found"


class CertificateUnusableError(SigningError):
    """The certificate is expired, not yet valid, somebody else's or not for signing."""

    default_code = "signing.certificate_unusable"


class KeyPasswordError(SigningError):
    """The password of the key file is missing or wrong; it is never tried again by code."""

    default_code = "signing.key_password"


class SignatureMismatchError(SigningError):
    """The signature that came back does not fit the digest and the certificate."""

    default_code = "signing.mismatch"


class SigningDeclinedError(SigningError):
    """The person who should confirm the signature said no."""

    default_code = "signing.declined"


class SigningExpiredError(SigningError):
    """The time to confirm the signature has run out."""

    default_code = "signing.expired"


class DocumentError(BhxhError):
    """A document is not what it should be."""

    default_code = "document"


class UnsafeDocumentError(DocumentError):
    """A document holds something that is never accepted, such as a document type declaration."""

    default_code = "document.unsafe"


class VerificationError(DocumentError):
    """A signature or its certificate is not valid; `reason` is a stable word that says why."""

    default_code = "document.verification"

    @property
    def reason(self) -> str:
        """The stable word for the expectation that failed."""
        return str(self.parameters.get("reason", self.code))


class RefusedError(BhxhError):
    """The agency or the I-VAN said no; `agency_code` and `agency_text` are as received."""

    default_code = "refused"

    @property
    def agency_code(self) -> str:
        """The refusal code as received, or an empty text."""
        return str(self.parameters.get("agency_code", ""))

    @property
    def agency_text(self) -> str:
        """The refusal text as received, or an empty text."""
        return str(self.parameters.get("agency_text", ""))


class AlreadyRegisteredError(RefusedError):
    """The unit is registered already, here or through another I-VAN."""

    default_code = "refused.already_registered"


class NotRegisteredError(RefusedError):
    """The unit is not registered yet: register before adjusting or stopping."""

    default_code = "refused.not_registered"


class LogInRefusedError(RefusedError):
    """User name, password or captcha answer is wrong; it is never tried again by code."""

    default_code = "refused.log_in"


class SessionExpiredError(RefusedError):
    """The session has ended: log in again."""

    default_code = "refused.session_expired"


class ActivationError(RefusedError):
    """The activation was refused."""

    default_code = "refused.activation"


class WrongCodeError(ActivationError):
    """The activation code is not the one that was sent; it is never tried again by code."""

    default_code = "refused.wrong_code"


class CodeExpiredError(ActivationError):
    """The activation code has expired."""

    default_code = "refused.code_expired"


class CodeRevokedError(ActivationError):
    """The activation code was replaced by a newer one."""

    default_code = "refused.code_revoked"


class AlreadyActivatedError(ActivationError):
    """The account is active already."""

    default_code = "refused.already_activated"


class NotSentError(BhxhError):
    """It is certain that nothing reached the other side; the call may be made again."""

    default_code = "not_sent"
    retry = Retry.NOW
    nothing_left = True


class UnknownOutcomeError(BhxhError):
    """The request may have arrived: ask what became of it, never send it again blindly."""

    default_code = "unknown_outcome"
    retry = Retry.AFTER_RECONCILE


class StillWaitingError(BhxhError):
    """A deadline passed before the other side was done; ask again later with `reference`."""

    default_code = "still_waiting"
    retry = Retry.READS_ONLY


class PersonNeededError(StillWaitingError):
    """Only a person can take the next step."""

    default_code = "person_needed"


class UnexpectedReplyError(BhxhError):
    """The answer is not of the form that the endpoint profile describes."""

    default_code = "unexpected_reply"
    retry = Retry.READS_ONLY
