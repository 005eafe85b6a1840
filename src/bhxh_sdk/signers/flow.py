"""The flow that all backends share: split, start, wait, match, and verify every value before it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from bhxh_sdk.errors import (
    CertificateUnusableError,
    InputError,
    NotSentError,
    SignatureMismatchError,
    StillWaitingError,
    UnexpectedReplyError,
    UnknownOutcomeError,
    UnreadableFileError,
)
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.signers.contract import NotesSigning, SigningCertificate, SigningState
from bhxh_sdk.signers.jobs import check_jobs
from bhxh_sdk.signers.values import public_key, signature_fits
from bhxh_sdk.signers.verdicts import failure_of, said_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bhxh_sdk.errors import BhxhError
    from bhxh_sdk.ports import Ask, Clock
    from bhxh_sdk.signers.contract import Signer, SigningJob, SigningTransaction

    OnPending = Callable[[SigningTransaction], Awaitable[None]]

__all__ = [
    "LONGEST_WAIT_SECONDS",
    "asked_after",
    "followed",
    "key_of",
    "looked_after",
    "resume",
    "sign",
    "started",
    "values_of",
]

LONGEST_WAIT_SECONDS = 300.0
"""How long to wait for a person in one go; no known provider allows more."""

_SHORTEST_PAUSE_SECONDS = 1.0
_USUAL_PAUSE_SECONDS = 3.0
_WAITING = frozenset({SigningState.INTENDED, SigningState.PENDING, SigningState.CONFIRMED})
_ASK_AGAIN = (NotSentError, UnknownOutcomeError, UnexpectedReplyError)
"""Errors of a question that changes nothing, so that it may be asked again."""


async def sign(
    signer: Signer,
    jobs: Sequence[SigningJob],
    certificate: SigningCertificate,
    ask: Ask,
    clock: Clock,
    on_pending: OnPending | None = None,
) -> Mapping[str, bytes]:
    """Sign every job, in as few calls as the backend allows.

    Args:
        signer: the backend.
        jobs: what to sign; document ids must differ.
        certificate: one that the signer listed; `SigningCertificate.to_come` where it comes later.
        ask: whom to ask for a PIN or password.
        clock: time.
        on_pending: told the transaction when a person has to confirm elsewhere, and whenever it changes; the
            place to show and to keep it, so that `resume` can go on after a restart.

    Returns:
        The signature value of each document id. Each fits its digest and the certificate's public key.

    Raises:
        InputError: the jobs cannot be signed; nothing was started.
        SigningError: no signature was made; see its subclasses.
        StillWaitingError: nobody confirmed in time; `reference` is the transaction's id.
        UnknownOutcomeError: it is unknown whether the provider started; do not start again blindly.

    """
    check_jobs(jobs, signer.capabilities)
    if not certificate.comes_later:
        public_key(certificate.certificate, {job.scheme for job in jobs})
    size = max(1, signer.capabilities.largest_batch)
    signatures: dict[str, bytes] = {}
    for first in range(0, len(jobs), size):
        batch = jobs[first : first + size]
        transaction = await started(signer, batch, certificate, ask, clock, on_pending)
        life = max(LONGEST_WAIT_SECONDS, _seconds_left(transaction, clock))  # given by this very clock
        finished = await _followed(signer, transaction, clock, on_pending, life)
        signatures |= values_of(finished, batch, certificate)
    return signatures


async def resume(
    signer: Signer,
    transaction: SigningTransaction,
    jobs: Sequence[SigningJob],
    certificate: SigningCertificate,
    clock: Clock,
    on_pending: OnPending | None = None,
) -> Mapping[str, bytes]:
    """Go on with a transaction that was started before, perhaps by another process.

    Args:
        signer: the backend that started it, or one of the same kind.
        transaction: as `on_pending` was told it last.
        jobs: the jobs of this transaction, to match and verify the values.
        certificate: the certificate it was started with.
        clock: time.
        on_pending: as for `sign`.

    Returns:
        The signature value of each document id, verified.

    Raises:
        InputError: the transaction belongs to another backend.
        SigningError: no signature was made; see its subclasses.
        StillWaitingError: nobody confirmed in time; `reference` is the transaction's id.
        UnknownOutcomeError: it is unknown whether the provider started.

    """
    finished = await followed(signer, transaction, clock, on_pending)
    return values_of(finished, jobs, certificate)


async def started(
    signer: Signer,
    jobs: Sequence[SigningJob],
    certificate: SigningCertificate,
    ask: Ask,
    clock: Clock,
    note: OnPending | None = None,
) -> SigningTransaction:
    """Start one transaction; it may still wait for a person, or have ended.

    Args:
        signer: the backend.
        jobs: what to sign, no more than one call of the backend takes.
        certificate: one that the signer listed.
        ask: whom to ask for a PIN or password.
        clock: time.
        note: keeps the transaction before anything is sent that a person may notice, for backends that
            reach one (`NotesSigning`).

    Raises:
        SigningError: no signature was made.
        NotSentError: nothing was sent.
        UnknownOutcomeError: it is unknown whether the provider started.

    """
    if isinstance(signer, NotesSigning):
        return await signer.start_noted(jobs, certificate, ask, clock, note)
    return await signer.start(jobs, certificate, ask, clock)


async def followed(
    signer: Signer, transaction: SigningTransaction, clock: Clock, on_pending: OnPending | None = None
) -> SigningTransaction:
    """Wait until a transaction has ended, and return it. An error leaves it open: ask again later.

    It waits no longer than `LONGEST_WAIT_SECONDS`: where the clock was set back since the deadline was kept,
    that may lie days ahead.

    Args:
        signer: the backend that started it, or one of the same kind.
        transaction: as `on_pending` was told it last.
        clock: time.
        on_pending: as for `sign`.

    Raises:
        InputError: the transaction belongs to another backend.
        StillWaitingError: nobody confirmed in time; `reference` is the transaction's id.
        SigningError: the provider refused the question.

    """
    return await _followed(signer, transaction, clock, on_pending, LONGEST_WAIT_SECONDS)


async def _followed(
    signer: Signer,
    transaction: SigningTransaction,
    clock: Clock,
    on_pending: OnPending | None,
    longest_seconds: float,
) -> SigningTransaction:
    _demand_own(signer, transaction)
    end = clock.monotonic() + min(longest_seconds, _seconds_left(transaction, clock))
    told: SigningTransaction | None = None
    while transaction.state in _WAITING:
        if on_pending is not None and transaction != told:
            await on_pending(transaction)
            told = transaction
        left = end - clock.monotonic()
        await clock.sleep(max(0.0, min(left, _pause(transaction))))
        transaction = await looked_after(signer, transaction, clock, on_pending)
        if left <= 0 and transaction.state in _WAITING:
            reference, said = transaction.transaction_id, said_of(transaction)
            raise StillWaitingError("signing.still_waiting", reference=reference, said=said)
    return transaction


def values_of(
    transaction: SigningTransaction, jobs: Sequence[SigningJob], certificate: SigningCertificate
) -> Mapping[str, bytes]:
    """Return the signature value of each document id, verified; nothing of a transaction that failed.

    Args:
        transaction: a transaction that has ended.
        jobs: its jobs.
        certificate: the certificate that the values must fit; for one that comes later, they must fit the one
            that came with them.

    Raises:
        SigningError: no signature was made; see its subclasses.
        UnknownOutcomeError: it is unknown whether the provider started.

    """
    key = key_of(transaction, certificate).certificate
    return _verified(transaction, jobs, public_key(key, {job.scheme for job in jobs}))


def key_of(transaction: SigningTransaction, certificate: SigningCertificate) -> SigningCertificate:
    """Return the certificate that a transaction was signed with, where it came with the signature too.

    Args:
        transaction: a transaction that has ended.
        certificate: the certificate that it was started with.

    Raises:
        CertificateUnusableError: none came, or it cannot be read.
        SigningError: no signature was made; see its subclasses.
        UnknownOutcomeError: it is unknown whether the provider started.

    """
    if (failure := failure_of(transaction)) is not None:
        raise failure
    if not certificate.comes_later:
        return certificate
    reference = transaction.transaction_id
    if not transaction.certificate:
        raise CertificateUnusableError("signing.no_certificate_came", reference=reference)
    try:
        came = CertificateInfo.from_der(transaction.certificate)
    except UnreadableFileError as error:
        raise CertificateUnusableError(
            "document.certificate_unreadable", field="certificate", reference=reference
        ) from error
    return SigningCertificate(certificate=came, key_id=certificate.key_id)


def _seconds_left(transaction: SigningTransaction, clock: Clock) -> float:
    if transaction.deadline is None:
        return LONGEST_WAIT_SECONDS
    return (transaction.deadline - clock.now()).total_seconds()


def _pause(transaction: SigningTransaction) -> float:
    return max(_SHORTEST_PAUSE_SECONDS, transaction.poll_after_seconds or _USUAL_PAUSE_SECONDS)


async def looked_after(
    signer: Signer, transaction: SigningTransaction, clock: Clock, note: OnPending | None = None
) -> SigningTransaction:
    """Ask once how a transaction stands; without a clear answer it stands as it did.

    Args:
        signer: the backend that started it, or one of the same kind.
        transaction: the transaction.
        clock: time.
        note: as for `started`.

    Raises:
        InputError: the transaction belongs to another backend.
        SigningError: the provider refused the question.

    """
    try:
        return await asked_after(signer, transaction, clock, note)
    except _ASK_AGAIN as error:
        return _heard(transaction, error)


def _heard(transaction: SigningTransaction, error: BhxhError) -> SigningTransaction:
    """Return a transaction with what the provider said last that nobody understood."""
    code, text = (str(error.parameters.get(name, "")) for name in ("provider_code", "provider_text"))
    return evolve(transaction, reason_code=code, reason=text) if code else transaction


async def asked_after(
    signer: Signer, transaction: SigningTransaction, clock: Clock, note: OnPending | None = None
) -> SigningTransaction:
    """Ask once how a transaction stands.

    Args:
        signer: the backend that started it, or one of the same kind.
        transaction: the transaction.
        clock: time.
        note: as for `started`.

    Raises:
        InputError: the transaction belongs to another backend.
        SigningError: the provider refused the question.
        NotSentError: the question did not leave.
        UnknownOutcomeError: the question got no answer.
        UnexpectedReplyError: the answer cannot be understood.

    """
    _demand_own(signer, transaction)
    if not isinstance(signer, NotesSigning):
        return await signer.result(transaction, clock)
    if note is None:
        return await signer.result_noted(transaction, clock, None)
    notes = _Notes(note)
    try:
        return await signer.result_noted(transaction, clock, notes.keep)
    except NotSentError:
        if notes.kept == 1:
            await note(transaction)  # the one step that was noted was not taken: it stands as it did
        raise


class _Notes:
    """Keep transactions, and count them."""

    def __init__(self, note: OnPending) -> None:
        self._note = note
        self.kept = 0

    async def keep(self, transaction: SigningTransaction) -> None:
        """Keep a transaction."""
        self.kept += 1
        await self._note(transaction)


def _demand_own(signer: Signer, transaction: SigningTransaction) -> None:
    own = signer.capabilities.name
    if transaction.backend != own:
        raise InputError(
            "signing.other_backend",
            reference=transaction.transaction_id,
            expected=transaction.backend,
            got=own,
        )


def _verified(
    transaction: SigningTransaction,
    jobs: Sequence[SigningJob],
    key: Any,  # noqa: ANN401  # as `public_key` gives it
) -> Mapping[str, bytes]:
    reference, signatures = transaction.transaction_id, dict(transaction.signatures)
    wanted = {job.document_id for job in jobs}
    if missing := sorted(wanted - signatures.keys()):
        raise SignatureMismatchError(
            "signing.missing_signature", reference=reference, name=missing[0], count=len(missing)
        )
    if extra := sorted(signatures.keys() - wanted):
        raise SignatureMismatchError(
            "signing.unexpected_signature", reference=reference, name=extra[0], count=len(extra)
        )
    for job in jobs:
        if not signature_fits(key, job, signatures[job.document_id]):
            raise SignatureMismatchError(reference=reference, name=job.document_name or job.document_id)
    return signatures
