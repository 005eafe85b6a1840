"""What the holder of a signer does first: it looks whether it is one, and lists the certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bhxh_sdk.errors import WrongTypeError
from bhxh_sdk.signers.contract import ListsWithSecret

if TYPE_CHECKING:
    from bhxh_sdk.ports import Ask
    from bhxh_sdk.signers.contract import Signer, SigningCertificate

__all__ = ["certificates_of", "checked_signer"]

_CALLS = ("certificates", "start", "result", "close")


def checked_signer(signer: Any) -> Signer:  # noqa: ANN401  # what a caller gave
    """Return a signer, or refuse what is none, such as its address.

    Raises:
        WrongTypeError: it lacks what every signer offers.

    """
    if isinstance(signer, type) or not all(callable(getattr(signer, name, None)) for name in _CALLS):
        raise WrongTypeError(field="signer", expected="Signer (open_signer)", got=type(signer).__name__)
    return signer  # type: ignore[no-any-return]  # it has the calls of a signer


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
