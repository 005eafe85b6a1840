"""Steps 20 to 23: prepare the document, have its digest signed, and put the signature in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bhxh_sdk import signers, xml
from bhxh_sdk.errors import NotSentError, SetupError, SigningError, UnknownOutcomeError
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.signers import SigningCertificate, SigningJob, SigningState
from bhxh_sdk.signers.holding import certificates_of
from bhxh_sdk.transport import SignatureBy
from bhxh_sdk.workflow.state import EventKind, State

if TYPE_CHECKING:
    from bhxh_sdk.signers import SigningTransaction
    from bhxh_sdk.workflow.dossier import Dossier
    from bhxh_sdk.workflow.world import World

__all__ = ["choose_certificate", "finish_signing", "give_up_signing", "signer_of", "start_signing"]

_UNDECIDED = frozenset(
    {SigningState.INTENDED, SigningState.PENDING, SigningState.CONFIRMED, SigningState.AMBIGUOUS}
)


def signer_of(world: World) -> signers.Signer:
    """Return the signer.

    Raises:
        SetupError: there is none.

    """
    if world.signer is None:
        raise SetupError("workflow.no_signer", field="signer")
    return world.signer


async def choose_certificate(dossier: Dossier) -> CertificateInfo | None:
    """Find the organisation's own certificate; None when the channel's service chooses and signs."""
    world = dossier.world
    if world.channel.capabilities.signature_by is SignatureBy.SERVICE:
        await dossier.add(EventKind.SIGNER_READY, backend="service")
        await dossier.add(EventKind.CERTIFICATE_CHOSEN, key_id="")
        return None
    signer = signer_of(world)
    offered = await certificates_of(signer, world.ask)
    await dossier.add(EventKind.SIGNER_READY, backend=signer.capabilities.name, certificates=len(offered))
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

    """
    world, key = dossier.world, await _key(dossier)
    at = xml.profile(dossier.state.fact("profile")).signature
    prepared = xml.prepare(await dossier.kept("document"), key.certificate, at=at, signing_time=world.now())
    notes = _Notes(dossier, await dossier.keep(prepared.to_bytes()))
    try:
        transaction = await signers.started(
            signer_of(world), [_job(dossier, prepared)], key, world.ask, world.clock, notes.keep
        )
    except (SigningError, NotSentError) as error:
        await _ended(dossier, error.code)
        raise
    await notes.write(transaction)


async def finish_signing(dossier: Dossier) -> None:
    """Wait for the signature value, check it and complete the document.

    Raises:
        SigningError: declined, expired or failed; the registration is ready to be signed again. Where the
            provider refused the question alone, the signature is still open.
        StillWaitingError: nobody has confirmed yet; ask again later.
        UnknownOutcomeError: it is not known whether the provider started; a person decides.

    """
    world, transaction = dossier.world, _transaction(dossier)
    notes = _Notes(dossier, dossier.state.fact("prepared"))
    finished = await signers.followed(signer_of(world), transaction, world.clock, notes.keep)
    await _complete(dossier, notes, finished)


async def give_up_signing(dossier: Dossier) -> None:
    """Let a signature go, as a person decided, unless it turns out to have ended after all.

    Raises:
        SigningError: it ended without a signature; the registration is ready to be signed again.

    """
    world = dossier.world
    notes = _Notes(dossier, dossier.state.fact("prepared"))
    found = await signers.looked_after(signer_of(world), _transaction(dossier), world.clock, notes.keep)
    if found.state in _UNDECIDED:
        await _ended(dossier, "sign_again")
    else:
        await _complete(dossier, notes, found)


async def _complete(dossier: Dossier, notes: _Notes, finished: SigningTransaction) -> None:
    prepared = xml.PreparedSignature.from_bytes(await dossier.kept("prepared"))
    job = _job(dossier, prepared)
    try:
        values = signers.values_of(finished, [job], await _key(dossier))
    except SigningError as error:
        await _ended(dossier, error.code)
        raise
    except UnknownOutcomeError:
        await notes.write(finished)
        raise
    signed = xml.complete(prepared, values[job.document_id])
    await dossier.add(EventKind.SIGNED, document=await dossier.keep(signed), at=prepared.at)


async def _ended(dossier: Dossier, reason: str) -> None:
    """Write down that a signature ended, where one was written down as begun."""
    if dossier.state.state is State.SIGNING:
        await dossier.add(EventKind.SIGNING_ENDED, reason=reason)


def _transaction(dossier: Dossier) -> SigningTransaction:
    return signers.transaction_from_dict(json.loads(dossier.state.fact("transaction")))


class _Notes:
    """Write a signature's transactions into the journal, and tell who shows them to a person.

    Args:
        dossier: the registration.
        prepared: where the prepared document is kept.

    """

    def __init__(self, dossier: Dossier, prepared: str) -> None:
        self._dossier = dossier
        self._prepared = prepared

    async def keep(self, transaction: SigningTransaction) -> None:
        """Write a transaction down before it goes on, and show it."""
        await self.write(transaction)
        on_pending = self._dossier.world.on_pending
        if on_pending is not None:
            await on_pending(transaction)

    async def write(self, transaction: SigningTransaction) -> None:
        """Write a transaction down, unless it stands there already."""
        saved = json.dumps(signers.transaction_to_dict(transaction))
        if saved == self._dossier.state.fact("transaction"):
            return
        intended = transaction.state is SigningState.INTENDED
        kind = EventKind.SIGNING_INTENDED if intended else EventKind.SIGNING_STARTED
        await self._dossier.add(kind, prepared=self._prepared, transaction=saved)


def _job(dossier: Dossier, prepared: xml.PreparedSignature) -> SigningJob:
    return SigningJob(
        document_id=dossier.key,
        digest=prepared.digest,
        document_name=dossier.state.fact("file_name"),
        signed_info=prepared.signed_info,
        scheme=prepared.profile.scheme,
    )


async def _key(dossier: Dossier) -> SigningCertificate:
    certificate = CertificateInfo.from_der(await dossier.kept("certificate"))
    return SigningCertificate(certificate=certificate, key_id=dossier.state.fact("key_id"))
