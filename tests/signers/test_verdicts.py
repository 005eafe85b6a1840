from __future__ import annotations

import pytest

from bhxh_sdk.errors import (
    CertificateUnusableError,
    KeyNotFoundError,
    Retry,
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
from bhxh_sdk.signers import Meaning, SigningState, SigningTransaction, Verdict
from bhxh_sdk.signers.verdicts import concluded, failure_of, verdict_error

ENDS = {
    Verdict.DECLINED: (SigningDeclinedError, SigningState.DECLINED, Retry.NEVER),
    Verdict.EXPIRED: (SigningExpiredError, SigningState.EXPIRED, Retry.NEVER),
    Verdict.FAILED: (ProviderFailedError, SigningState.FAILED, Retry.NEVER),
    Verdict.LOGIN: (ProviderLoginError, SigningState.FAILED, Retry.NEVER),
    Verdict.REQUEST: (ProviderRequestError, SigningState.FAILED, Retry.NEVER),
    Verdict.CERTIFICATE: (CertificateUnusableError, SigningState.FAILED, Retry.NEVER),
    Verdict.NO_CERTIFICATE: (KeyNotFoundError, SigningState.FAILED, Retry.NEVER),
    Verdict.SECRET: (ConfirmationSecretError, SigningState.FAILED, Retry.NEVER),
    Verdict.LOCKED: (ConfirmationLockedError, SigningState.FAILED, Retry.NEVER),
    Verdict.QUOTA: (QuotaExhaustedError, SigningState.FAILED, Retry.NEVER),
    Verdict.BUSY: (ProviderBusyError, SigningState.FAILED, Retry.NOW),
    Verdict.UNREACHABLE: (SignerUnreachableError, SigningState.FAILED, Retry.NOW),
}
OPEN = {
    Verdict.PENDING: SigningState.PENDING,
    Verdict.CONFIRMED: SigningState.CONFIRMED,
}


def transaction(state=SigningState.PENDING, **more):
    return SigningTransaction(transaction_id="t-1", backend="b", state=state, **more)


def test_every_verdict_has_an_end_or_goes_on():
    assert {*ENDS, *OPEN, Verdict.DONE} == set(Verdict)


@pytest.mark.parametrize("verdict", ENDS)
def test_a_verdict_ends_in_its_error(verdict):
    kind, state, retry = ENDS[verdict]
    ended = concluded(transaction(), Meaning(verdict, "USER_CANCEL"), code="401", text="Hủy")
    assert (ended.state, ended.failure) == (state, verdict.value)
    error = failure_of(ended)
    assert type(error) is kind
    assert (error.retry, error.reference) == (retry, "t-1")
    assert error.parameters["provider_code"] == "401"
    for language in ("vi", "en"):
        assert error.message(language)
        assert error.hint(language)
    if verdict not in {Verdict.DECLINED, Verdict.EXPIRED}:
        assert "401 USER_CANCEL: Hủy" in error.message("vi")


@pytest.mark.parametrize("verdict", OPEN)
def test_a_verdict_that_ends_nothing(verdict):
    going_on = concluded(transaction(), Meaning(verdict), code="100", text="wait")
    assert going_on == transaction(OPEN[verdict])
    assert failure_of(going_on) is None


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (SigningState.DECLINED, SigningDeclinedError),
        (SigningState.EXPIRED, SigningExpiredError),
        (SigningState.FAILED, SigningError),
        (SigningState.AMBIGUOUS, UnknownOutcomeError),
    ],
)
def test_signers_that_tell_no_verdict(state, kind):
    assert type(failure_of(transaction(state, reason="E7"))) is kind
    assert type(failure_of(transaction(state, failure="of-a-newer-version"))) is kind


def test_a_verdict_that_is_no_failure_counts_as_a_request_not_taken():
    error = verdict_error(Meaning(Verdict.DONE), code="200")
    assert type(error) is ProviderRequestError
    assert (error.provider_code, error.provider_text) == ("200", "")
