"""Signers for the clients: opened with the machine's own clock and the sender that fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bhxh_sdk import signers
from bhxh_sdk.system import AsyncSystemClock, SystemClock

if TYPE_CHECKING:
    from pathlib import Path

    from bhxh_sdk.ports import Ask, Clock, Sender
    from bhxh_sdk.signers import Signer

__all__ = ["blocking_sender", "open_signer"]


def open_signer(
    uri: str,
    *,
    base_dir: Path | None = None,
    ask: Ask | None = None,
    clock: Clock | None = None,
    asynchronous: bool = False,
) -> Signer:
    """Open the signer that an address names. Nothing is connected yet.

    Args:
        uri: the address, such as `softkey:key.p12`, `pkcs11:token=HR` or `ca769:smartca.toml`; see
            `bhxh_sdk.signers.uri`.
        base_dir: the folder that relative paths start from; None for the working folder.
        ask: whom to ask for a secret when certificates are listed.
        clock: time; the machine's by default.
        asynchronous: whether a remote signer waits in the event loop, for `AsyncClient` with many signatures
            at once. Without it `AsyncClient` runs the signer on a thread of its own.

    Raises:
        SetupError: the address names no backend, or one that is not installed.
        InputError: a part of the address or of the profile is wrong, or would hold a secret.
        SigningError: the backend has no usable key.

    """
    usual = AsyncSystemClock() if asynchronous else SystemClock()
    senders = _waiting_sender if asynchronous else blocking_sender
    return signers.open_signer(uri, base_dir=base_dir, ask=ask, clock=clock or usual, senders=senders)


def blocking_sender(*args: Any, **options: Any) -> Sender:  # noqa: ANN401  # the arguments of `HttpSender`
    """Return an `HttpSender`, which is loaded when the first one is wanted."""
    from bhxh_sdk.transport import HttpSender  # noqa: PLC0415  # a token or key file needs no HTTP library

    return HttpSender(*args, **options)


def _waiting_sender(*args: Any, **options: Any) -> Sender:  # noqa: ANN401  # as above
    from bhxh_sdk.transport import AsyncHttpSender  # noqa: PLC0415  # as above

    return AsyncHttpSender(*args, **options)
