"""Steps 20 to 23: prepare the document, have its digest signed, and put the signature in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bhxh_sdk import signers, xml
from bhxh_sdk.errors import SetupError, SigningError
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.signers import SigningCertificate, SigningJob
from bhxh_sdk.signers.holding import certificates_of
from bhxh_sdk.transport import SignatureBy
from bhxh_sdk.workflow.state import EventKind

if TYPE_CHECKING:
    from bhxh_sdk.workflow.dossier import Dossier
    from bhxh_sdk.workflow.world import World

__all__ = ["choose_certificate", "finish_signing", "signer_of", "start_signing"]


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
    """Prepare the document and start the signature; what is prepared is kept for another process."""
    world, key = dossier.world, await _key(dossier)
    at = xml.profile(dossier.state.fact("profile")).signature
    prepared = xml.prepare(await dossier.kept("document"), key.certificate, at=at, signing_time=world.now())
    digest = await dossier.keep(prepared.to_bytes())
    transaction = await signer_of(world).start([_job(dossier, prepared)], key, world.ask, world.clock)
    saved = json.dumps(signers.transaction_to_dict(transaction))
    await dossier.add(EventKind.SIGNING_STARTED, prepared=digest, transaction=saved)


async def finish_signing(dossier: Dossier) -> None:
    """Wait for the signature value, check it and complete the document.

    Raises:
        SigningError: declined, expired or failed; the registration is ready to be signed again.
        StillWaitingError: nobody has confirmed yet; ask again later.

    """
    world, key = dossier.world, await _key(dossier)
    prepared = xml.PreparedSignature.from_bytes(await dossier.kept("prepared"))
    transaction = signers.transaction_from_dict(json.loads(dossier.state.fact("transaction")))
    job = _job(dossier, prepared)
    try:
        values = await signers.resume(
            signer_of(world), transaction, [job], key, world.clock, on_pending=world.on_pending
        )
    except SigningError as error:
        await dossier.add(EventKind.SIGNING_ENDED, reason=error.code)
        raise
    signed = xml.complete(prepared, values[job.document_id])
    await dossier.add(EventKind.SIGNED, document=await dossier.keep(signed), at=prepared.at)


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
