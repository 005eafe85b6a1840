"""Signing on the command line: what a signer offers, and one signature on one document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk import signers
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.cli.people import asking
from bhxh_sdk.errors import KeyNotFoundError
from bhxh_sdk.system import SystemClock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bhxh_sdk.cli.output import Output
    from bhxh_sdk.ports import Ask
    from bhxh_sdk.signers import Signer, SigningCertificate

__all__ = ["listed", "opened", "signed"]


def opened(uri: str, output: Output) -> Signer:
    """Open the signer that an address names; passwords are asked at the terminal."""
    return signers.open_signer(uri, ask=asking(output), clock=SystemClock())


def listed(uri: str, output: Output) -> tuple[SigningCertificate, ...]:
    """Return what a signer can show."""
    signer = opened(uri, output)
    try:
        return run_blocking(signer.certificates())
    finally:
        signer.close()


def signed(
    content: bytes, name: str, uri: str, output: Output, *, at: str, wanted: str
) -> tuple[bytes, SigningCertificate]:
    """Sign a document.

    Args:
        content: the document's bytes.
        name: its name, shown where a person confirms.
        uri: the signer's address.
        output: where a password is asked.
        at: path of the signature's place.
        wanted: serial number or key id of the certificate; empty when there is only one to take.

    Returns:
        The signed document's bytes, and the certificate.

    """
    clock, ask, signer = SystemClock(), asking(output), opened(uri, output)
    try:
        offered = run_blocking(signer.certificates())
        chosen = run_blocking(_chosen(offered, wanted, clock.now(), ask))
        return _complete(content, name, signer, chosen, ask, at=at), chosen
    finally:
        signer.close()


def _complete(
    content: bytes, name: str, signer: Signer, chosen: SigningCertificate, ask: Ask, *, at: str
) -> bytes:
    from bhxh_sdk import xml

    clock = SystemClock()
    prepared = xml.prepare(content, chosen.certificate, at=at, signing_time=clock.now())
    job = signers.SigningJob(
        document_id="document",
        digest=prepared.digest,
        document_name=name,
        signed_info=prepared.signed_info,
    )
    values = run_blocking(signers.sign(signer, [job], chosen, ask, clock))
    return xml.complete(prepared, values["document"])


async def _chosen(
    offered: Sequence[SigningCertificate], wanted: str, moment: datetime, ask: Ask
) -> SigningCertificate:
    """Take the certificate asked for, or the only one that can sign now; a person decides between several."""
    named = [
        item for item in offered if wanted.upper() in {"", item.key_id.upper(), item.certificate.serial_text}
    ]
    if not named:
        raise KeyNotFoundError("cli.no_certificate", name=wanted, count=len(offered))
    return await signers.choose(named, None, moment, ask)
