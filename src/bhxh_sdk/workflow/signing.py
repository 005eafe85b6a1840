"""Steps 20 to 23: prepare the document, have its digest signed, and put the signature in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from attrs import evolve

from bhxh_sdk import rules, signers, xml
from bhxh_sdk.errors import (
    CertificateUnusableError,
    DocumentError,
    InputError,
    KeyPasswordError,
    NotSentError,
    PersonNeededError,
    SetupError,
    SigningError,
    StillWaitingError,
    UnexpectedReplyError,
    UnknownOutcomeError,
    WrongStateError,
)
from bhxh_sdk.remote_errors import ProviderLoginError
from bhxh_sdk.signers import (
    NotesSigning,
    SigningCertificate,
    SigningJob,
    SigningState,
    SigningTransaction,
)
from bhxh_sdk.signers.holding import certificates_of
from bhxh_sdk.transport import SignatureBy
from bhxh_sdk.workflow.state import EventKind, State

if TYPE_CHECKING:
    from bhxh_sdk.models import CertificateInfo
    from bhxh_sdk.workflow.dossier import Dossier
    from bhxh_sdk.workflow.world import World

__all__ = [
    "choose_certificate",
    "finish_signing",
    "give_up_signing",
    "open_signature",
    "signer_of",
    "start_signing",
]

_UNDECIDED = frozenset(
    {SigningState.INTENDED, SigningState.PENDING, SigningState.CONFIRMED, SigningState.AMBIGUOUS}
)
_NOT_ASKED = (ProviderLoginError, KeyPasswordError)
"""Errors of our own log-in: the question itself was never put."""
_UNUSABLE = (SigningError, InputError, DocumentError)
"""Errors that a finished signature ends in: the next one may be good."""


def signer_of(world: World) -> signers.Signer:
    """Return the signer.

    Raises:
        SetupError: there is none.

    """
    if world.signer is None:
        raise SetupError("workflow.no_signer", field="signer")
    return world.signer


async def choose_certificate(dossier: Dossier) -> CertificateInfo | None:
    """Find the organisation's own certificate.

    Returns:
        The certificate; None when the channel's service chooses and signs, or when a signer shows its
        certificate only with the signature.

    """
    world = dossier.world
    if world.channel.capabilities.signature_by is SignatureBy.SERVICE:
        await dossier.add(EventKind.SIGNER_READY, backend="service")
        await dossier.add(EventKind.CERTIFICATE_CHOSEN, key_id="")
        return None
    signer = signer_of(world)
    offered = await certificates_of(signer, world.ask)
    await dossier.add(EventKind.SIGNER_READY, backend=signer.capabilities.name, certificates=len(offered))
    if not offered and not signer.capabilities.knows_certificate_first:
        await dossier.add(EventKind.CERTIFICATE_CHOSEN, key_id="", comes_later=True)
        return None
    chosen = await signers.choose(offered, dossier.form.organisation, world.now(), world.ask)
    digest = await dossier.keep(chosen.certificate.der)
    await dossier.add(EventKind.CERTIFICATE_CHOSEN, certificate=digest, key_id=chosen.key_id)
    return chosen.certificate


async def start_signing(dossier: Dossier) -> None:
    """Prepare the document and start the signature; what is prepared is kept for another process.

    A signer that reaches a person has the intent written down first, so that after a crash nobody is asked
    twice blindly.

    Raises:
        SigningError: no signature was started; the registration is ready to be signed again.
        NotSentError: nothing was sent; likewise.
        UnknownOutcomeError: it is not known whether anything was started.

    """
    world, key, signer = dossier.world, await _key(dossier), signer_of(dossier.world)
    at = xml.profile(dossier.state.fact("profile")).signature
    own = await dossier.certificate()
    prepared = xml.prepare(await dossier.kept("document"), own, at=at, signing_time=world.now())
    notes, job = _Notes(dossier, await dossier.keep(prepared.to_bytes())), _job(dossier, prepared)
    try:
        transaction = await signers.started(signer, [job], key, world.ask, world.clock, notes.keep)
    except (SigningError, NotSentError) as error:
        await notes.end(error.code)
        raise
    except UnknownOutcomeError as error:
        if not isinstance(signer, NotesSigning):  # one that does has written down what may have begun
            await notes.write(_doubt(world, key, job, error))
        raise
    await notes.conclude(transaction)


async def finish_signing(dossier: Dossier) -> None:
    """Wait for the signature value, check it and complete the document.

    Raises:
        SigningError: declined, expired or failed; the registration is ready to be signed again. Where the
            provider refused the question alone, the signature is still open.
        StillWaitingError: nobody has confirmed yet; ask again later.
        UnknownOutcomeError: it is not known whether the provider started; a person decides.

    """
    await _follow(dossier, _Notes(dossier, dossier.state.fact("prepared")), _transaction(dossier))


def open_signature(dossier: Dossier) -> str:
    """Return the id of the signature that is waited for; empty where none is."""
    return _transaction(dossier).transaction_id if dossier.state.state is State.SIGNING else ""


async def give_up_signing(dossier: Dossier) -> None:
    """Let a signature go, as a person decided, unless it turns out to have ended after all.

    A question that the provider does not answer well keeps nobody from signing again; one that could not be
    put does. What the question shows to be confirmed is followed, for one of its times to wait; so is what
    the question itself took a step further.

    Raises:
        SigningError: it ended without a signature, and the registration is ready to be signed again; or our
            own log-in was refused, and the signature is still open.
        NotSentError: the question did not leave; the signature is still open.
        StillWaitingError: it was confirmed meanwhile, and is not signed yet; likewise.
        UnknownOutcomeError: the question got no answer, or it is not known whether a further step arrived;
            likewise.

    """
    world, decided_on = dossier.world, _transaction(dossier)
    notes = _Notes(dossier, dossier.state.fact("prepared"))
    try:
        found = await signers.asked_after(signer_of(world), decided_on, world.clock, notes.keep)
    except _NOT_ASKED:
        raise
    except (SigningError, UnexpectedReplyError) as error:
        await notes.let_go(answer=error.code)
        return
    if found.state in _UNDECIDED - {SigningState.CONFIRMED} and not notes.kept:
        await notes.let_go()
        return
    try:
        await _follow(dossier, notes, found)
    except PersonNeededError:
        raise
    except StillWaitingError:
        if decided_on.state is not SigningState.CONFIRMED:
            raise  # that it is confirmed is news to the person, who may want to wait
        await notes.let_go()


async def _follow(dossier: Dossier, notes: _Notes, transaction: SigningTransaction) -> None:
    world = dossier.world
    finished = await signers.followed(signer_of(world), transaction, world.clock, notes.keep)
    await _complete(dossier, notes, finished)


async def _complete(dossier: Dossier, notes: _Notes, finished: SigningTransaction) -> None:
    facts: dict[str, str | int] = {}
    try:
        prepared = xml.PreparedSignature.from_bytes(await dossier.kept("prepared"))
        job, key = _job(dossier, prepared), await _key(dossier)
        own = signers.key_of(finished, key)
        values = signers.values_of(finished, [job], own)
        if key.comes_later:
            facts["warnings"] = _warnings_before(dossier) + _judge(dossier, own)
            facts["certificate"] = await dossier.keep(own.certificate.der)
        signed = xml.complete(prepared, values[job.document_id], own.certificate)
    except _UNUSABLE as error:
        await notes.end(error.code)
        raise
    except UnknownOutcomeError:
        await notes.write(finished)
        raise
    await dossier.add(EventKind.SIGNED, document=await dossier.keep(signed), at=prepared.at, **facts)


def _judge(dossier: Dossier, came: SigningCertificate) -> int:
    """Refuse a certificate that came with the signature as one that was listed would have been.

    It must also name the organisation's tax code: nobody chose it, and nothing else tells whose it is.

    Returns:
        How many warnings the rules have about it.

    Raises:
        SigningError: it is not the organisation's, not valid now or not for signing.
        InputError: a rule has something else against it; the report tells.

    """
    organisation, moment = dossier.form.organisation, dossier.world.now()
    signers.choose_certificate([came], organisation, moment)
    report = rules.check_certificate(came.certificate, organisation, moment)
    if not report.ok:
        raise InputError.of(report)
    if any(finding.code == "certificate.tax_code_absent" for finding in report.warnings):
        raise CertificateUnusableError(
            "signing.late_certificate_unnamed",
            name=came.certificate.common_name,
            serial=came.certificate.serial_text,
            expected=organisation.tax_code.masked,
        )
    return len(report.warnings)


def _warnings_before(dossier: Dossier) -> int:
    return int(dossier.state.fact("warnings") or 0)


def _doubt(
    world: World, key: SigningCertificate, job: SigningJob, error: UnknownOutcomeError
) -> SigningTransaction:
    """Return the transaction of a start that may have arrived, of a signer that keeps no notes."""
    return SigningTransaction(
        transaction_id=world.clock.new_id(),
        backend=signer_of(world).capabilities.name,
        state=SigningState.AMBIGUOUS,
        key_id=key.key_id,
        jobs=(evolve(job, signed_info=b""),),
        reason=error.code,
    )


def _transaction(dossier: Dossier) -> SigningTransaction:
    return signers.transaction_from_dict(json.loads(dossier.state.fact("transaction")))


class _Notes:
    """Write a signature's transactions into the journal, and tell who shows them to a person.

    Args:
        dossier: the registration.
        prepared: where the prepared document is kept.

    Attributes:
        kept: whether a signer has had a transaction kept, as it does before each step that is noticed.

    """

    def __init__(self, dossier: Dossier, prepared: str) -> None:
        self.kept = False
        self._dossier = dossier
        self._prepared = prepared
        self._id = open_signature(dossier)

    async def keep(self, transaction: SigningTransaction) -> None:
        """Write a transaction down before it goes on, and show it.

        An error of who shows it stops the signer; where that was to be its first step, nothing has begun.
        """
        self.kept = True
        is_first = not open_signature(self._dossier)
        await self.write(transaction)
        on_pending = self._dossier.world.on_pending
        if on_pending is None:
            return
        try:
            await on_pending(transaction)
        except Exception:
            if is_first:
                await self.end("not_shown")
            raise

    async def write(self, transaction: SigningTransaction) -> None:
        """Write a transaction down, unless it stands there already."""
        self._id = transaction.transaction_id
        saved = json.dumps(signers.transaction_to_dict(transaction))
        if saved == self._dossier.state.fact("transaction"):
            return
        intended = transaction.state is SigningState.INTENDED
        kind = EventKind.SIGNING_INTENDED if intended else EventKind.SIGNING_STARTED
        await self._dossier.add(kind, prepared=self._prepared, transaction=saved)

    async def conclude(self, transaction: SigningTransaction) -> None:
        """Write down the answer to a start, unless another process has seen to the signature meanwhile."""
        try:
            await self.write(transaction)
        except WrongStateError:
            if await self._is_still_open():
                await self.write(transaction)

    async def end(self, reason: str, **facts: str) -> None:
        """Write down that a signature ended, where one stands there as begun."""
        if self._dossier.state.state is not State.SIGNING:
            return
        try:
            await self._dossier.add(EventKind.SIGNING_ENDED, reason=reason, **facts)
        except WrongStateError:
            if await self._is_still_open():
                await self._dossier.add(EventKind.SIGNING_ENDED, reason=reason, **facts)

    async def let_go(self, **facts: str) -> None:
        """Write down that a person let a signature go; news from another process is looked at first."""
        try:
            await self._dossier.add(EventKind.SIGNING_ENDED, reason="sign_again", **facts)
        except WrongStateError:
            await self._dossier.reload()

    async def _is_still_open(self) -> bool:
        """Read the journal again: whether the same signature is still the one that is waited for."""
        await self._dossier.reload()
        return open_signature(self._dossier) == self._id


def _job(dossier: Dossier, prepared: xml.PreparedSignature) -> SigningJob:
    return SigningJob(
        document_id=dossier.key,
        digest=prepared.digest,
        document_name=dossier.state.fact("file_name"),
        signed_info=prepared.signed_info,
        scheme=prepared.profile.scheme,
    )


async def _key(dossier: Dossier) -> SigningCertificate:
    certificate, key_id = await dossier.certificate(), dossier.state.fact("key_id")
    if certificate is None:
        return SigningCertificate.to_come(key_id)
    return SigningCertificate(certificate=certificate, key_id=key_id)
