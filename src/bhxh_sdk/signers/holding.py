"""What the holder of a signer does first: it lists the certificates, with its own person to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.signers.contract import ListsWithSecret

if TYPE_CHECKING:
    from bhxh_sdk.ports import Ask
    from bhxh_sdk.signers.contract import Signer, SigningCertificate

__all__ = ["certificates_of"]


async def certificates_of(signer: Signer, ask: Ask) -> tuple[SigningCertificate, ...]:
    """List what can sign, as the signer does.

    Args:
        signer: the signer.
        ask: the holder's person, for a signer that needs a secret already here.

    Raises:
        SigningError: the certificates cannot be listed; see its subclasses.

    """
    if isinstance(signer, ListsWithSecret):
        return await signer.certificates_with(ask)
    return await signer.certificates()
