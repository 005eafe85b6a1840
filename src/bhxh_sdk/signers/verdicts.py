"""What a provider's answer means, whatever numbers or words it uses, and the error that it ends in."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from bhxh_sdk.errors import (
    BhxhError,
    CertificateUnusableError,
    KeyNotFoundError,
    SigningDeclinedError,
    SigningError,
    SigningExpiredError,
    UnknownOutcomeError,
)
from bhxh_sdk.remote_errors import (
    ConfirmationLockedError,
    ConfirmationSecretError,
    ProviderBusyError,
    ProviderFailedError,
    ProviderLoginError,
    ProviderRequestError,
    QuotaExhaustedError,
    SignerUnreachableError,
)
from bhxh_sdk.signers.contract import SigningState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bhxh_sdk.signers.contract import SigningTransaction

__all__ = ["Meaning", "Verdict", "concluded", "failure_of", "said_of", "verdict_error"]


class Verdict(Enum):
    """What a provider's answer means."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    DONE = "done"
    DECLINED = "declined"
    EXPIRED = "expired"
    FAILED = "failed"
    LOGIN = "login"
    REQUEST = "request"
    CERTIFICATE = "certificate"
    NO_CERTIFICATE = "no_certificate"
    SECRET = "secret"  # noqa: S105  # the name of a verdict
    LOCKED = "locked"
    QUOTA = "quota"
    BUSY = "busy"
    UNREACHABLE = "unreachable"


@frozen
class Meaning:
    """What a code of a provider means.

    Args:
        verdict: the meaning that all providers share.
        name: the provider's own name for the code, such as `USER_CANCEL`; empty where it has none.

    """

    verdict: Verdict
    name: str = ""


_STATES = {
    Verdict.PENDING: SigningState.PENDING,
    Verdict.CONFIRMED: SigningState.CONFIRMED,
    Verdict.DONE: SigningState.DONE,
    Verdict.DECLINED: SigningState.DECLINED,
    Verdict.EXPIRED: SigningState.EXPIRED,
}

_ERRORS: Mapping[Verdict, tuple[type[BhxhError], str]] = {
    Verdict.DECLINED: (SigningDeclinedError, "signing.declined"),
    Verdict.EXPIRED: (SigningExpiredError, "signing.expired"),
    Verdict.FAILED: (ProviderFailedError, "remote.failed"),
    Verdict.LOGIN: (ProviderLoginError, "remote.login"),
    Verdict.REQUEST: (ProviderRequestError, "remote.request"),
    Verdict.CERTIFICATE: (CertificateUnusableError, "remote.certificate"),
    Verdict.NO_CERTIFICATE: (KeyNotFoundError, "remote.no_certificate"),
    Verdict.SECRET: (ConfirmationSecretError, "remote.secret"),
    Verdict.LOCKED: (ConfirmationLockedError, "remote.locked"),
    Verdict.QUOTA: (QuotaExhaustedError, "remote.quota"),
    Verdict.BUSY: (ProviderBusyError, "remote.busy"),
    Verdict.UNREACHABLE: (SignerUnreachableError, "remote.unreachable"),
}

_BY_STATE: Mapping[SigningState, tuple[type[BhxhError], str]] = {
    SigningState.DECLINED: (SigningDeclinedError, "signing.declined"),
    SigningState.EXPIRED: (SigningExpiredError, "signing.expired"),
    SigningState.FAILED: (SigningError, "signing.failed"),
    SigningState.AMBIGUOUS: (UnknownOutcomeError, "signing.ambiguous"),
}


def verdict_error(meaning: Meaning, *, code: str = "", text: str = "", reference: str = "") -> BhxhError:
    """Return the error that a verdict ends in, for answers to which no transaction belongs.

    Args:
        meaning: what the answer means; a verdict that is no failure counts as a request that was not taken.
        code: the provider's code as received.
        text: the provider's text as received.
        reference: our transaction's id, where there is one.

    """
    kind, own = _ERRORS.get(meaning.verdict, _ERRORS[Verdict.REQUEST])
    return kind(
        own,
        reference=reference,
        provider_code=code,
        provider_name=meaning.name,
        provider_text=text,
        reason=_reason(code, meaning.name, text),
    )


def concluded(
    transaction: SigningTransaction, meaning: Meaning, *, code: str = "", text: str = ""
) -> SigningTransaction:
    """Return a transaction after an answer that brought no signatures.

    Args:
        transaction: as it stood.
        meaning: what the answer means.
        code: the provider's code as received.
        text: the provider's text as received.

    """
    state = _STATES.get(meaning.verdict, SigningState.FAILED)
    if state in {SigningState.PENDING, SigningState.CONFIRMED}:
        return evolve(transaction, state=state)
    return evolve(
        transaction,
        state=state,
        failure=meaning.verdict.value,
        reason_code=code,
        reason_name=meaning.name,
        reason=text,
    )


def failure_of(transaction: SigningTransaction) -> BhxhError | None:
    """Return the error that a transaction ended in; None while it goes on, and when it is done."""
    if transaction.state not in _BY_STATE:
        return None
    if transaction.failure in {verdict.value for verdict in _ERRORS}:
        return verdict_error(
            Meaning(Verdict(transaction.failure), transaction.reason_name),
            code=transaction.reason_code,
            text=transaction.reason,
            reference=transaction.transaction_id,
        )
    kind, code = _BY_STATE[transaction.state]
    said, reference = said_of(transaction), transaction.transaction_id
    return kind(code, reference=reference, reason=transaction.reason, said=said)


def said_of(transaction: SigningTransaction) -> str:
    """Return what the provider said last that nobody understood; empty where it said nothing of the kind."""
    return _reason(transaction.reason_code, "", transaction.reason) if transaction.reason_code else ""


def _reason(code: str, name: str, text: str) -> str:
    """Return code, name and text on one line, as a log or a person reads it."""
    head = " ".join(filter(None, (code, name)))
    return ": ".join(filter(None, (head, text)))
