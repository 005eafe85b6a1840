"""Signing on the command line: what a signer offers, and documents signed with one of its certificates."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from bhxh_sdk import signers
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.cli.choosing import asking_for
from bhxh_sdk.cli.pending import Waiting
from bhxh_sdk.cli.people import asking
from bhxh_sdk.errors import KeyNotFoundError
from bhxh_sdk.opening import open_signer
from bhxh_sdk.system import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from bhxh_sdk.cli.output import Output
    from bhxh_sdk.document_signer import DocumentSigner
    from bhxh_sdk.ports import Ask
    from bhxh_sdk.signers import Signer, SigningCertificate

__all__ = ["Listed", "listed", "opened", "signing"]


def opened(uri: str, output: Output) -> Signer:
    """Open the signer that an address names; passwords are asked at the terminal.

    Raises:
        DriverError: an environment variable names a driver that is none.
        SetupError: the signer cannot be opened.

    """
    address = signers.SignerAddress.parse(uri)
    if address.scheme == "pkcs11":
        from bhxh_sdk.doctor.variable import demand_named_module

        demand_named_module(address)
    return open_signer(uri, ask=asking(output))


class Listed(NamedTuple):
    """What a signer lists, and whether its certificate comes only with the signature."""

    offered: tuple[SigningCertificate, ...]
    comes_later: bool


def listed(uri: str, output: Output) -> Listed:
    """Return what a signer can show; a token's driver runs in a process of its own, where it cannot print."""
    address = signers.SignerAddress.parse(uri)
    if address.scheme == "pkcs11":
        from bhxh_sdk.doctor.apart import apart

        uri = apart(uri, address)
    signer = opened(uri, output)
    try:
        return _listed(signer)
    finally:
        signer.close()


@contextmanager
def signing(uri: str, output: Output, *, wanted: str) -> Iterator[DocumentSigner]:
    """Open a signer for documents, with the certificate chosen.

    Args:
        uri: the signer's address.
        output: where a password is asked, once.
        wanted: serial number or key id of the certificate; empty when there is only one to take.

    """
    from bhxh_sdk.document_signer import DocumentSigner

    signer = opened(uri, output)
    ask = asking_for(signer, output, "cli.sign.choice_needed")
    try:
        offered, comes_later = _listed(signer)
        # What shows no certificate before it signs is refused for documents by their signer, with the cause.
        chosen = (
            signers.SigningCertificate.to_come()
            if comes_later
            else run_blocking(_chosen(offered, wanted, SystemClock().now(), ask))
        )
    except BaseException:
        signer.close()
        raise
    told = Waiting.on(signer, output)
    with DocumentSigner(signer, certificate=chosen, ask=ask, on_pending=told) as documents:
        yield documents


def _listed(signer: Signer) -> Listed:
    offered = run_blocking(signer.certificates())
    return Listed(offered, not offered and not signer.capabilities.knows_certificate_first)


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
