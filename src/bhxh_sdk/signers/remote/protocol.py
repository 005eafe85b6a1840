"""What a protocol offers: requests to build and answers to read, as conversations without I/O."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from attrs import evolve, frozen

from bhxh_sdk.signers.contract import SigningState, SigningTransaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.contract import Capabilities, SigningCertificate, SigningJob
    from bhxh_sdk.signers.remote.conversation import Conversation

__all__ = ["Order", "RemoteProtocol", "planned"]


@frozen(kw_only=True)
class Order:
    """What is to be signed.

    Args:
        transaction: the transaction, intended and not yet sent; it holds the jobs.
        certificate: what to sign with.
        now: the present moment.

    """

    transaction: SigningTransaction
    certificate: SigningCertificate
    now: datetime


class RemoteProtocol(Protocol):
    """A protocol in one dialect, for one account with one provider. It holds no connection.

    A conversation raises `ProviderError` and its kind for a certain no, and `UnexpectedReplyError` for an
    answer that cannot be understood. After a call that `STARTS`, the driver takes the latter as a doubt.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What the provider can do."""
        ...

    @property
    def chooses_id(self) -> bool:
        """Whether the provider can be asked with our own transaction id, so that a lost answer is polled."""
        ...

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses that it calls, for the list of allowed hosts."""
        ...

    @property
    def life_seconds(self) -> float:
        """How long a person has to confirm, where the provider does not tell."""
        ...

    @property
    def poll_seconds(self) -> float:
        """How long to wait between two questions, where the provider does not tell."""
        ...

    def hidden(self) -> Iterable[Secret]:
        """Return the tokens that are held now, so that they are masked in a provider's text."""
        ...

    def certificates(self, now: datetime) -> Conversation[tuple[SigningCertificate, ...]]:
        """List what can sign."""
        ...

    def start(self, order: Order) -> Conversation[SigningTransaction]:
        """Start signing. It yields a `Note` of the transaction before each call that `STARTS`."""
        ...

    def result(self, transaction: SigningTransaction, now: datetime) -> Conversation[SigningTransaction]:
        """Ask how a transaction stands."""
        ...

    def forget(self) -> None:
        """Forget tokens."""
        ...


def planned(
    protocol: RemoteProtocol,
    jobs: Sequence[SigningJob],
    certificate: SigningCertificate,
    now: datetime,
    transaction_id: str,
) -> SigningTransaction:
    """Return the transaction that is about to be started: nothing is sent yet.

    Args:
        protocol: the protocol.
        jobs: what to sign.
        certificate: what to sign with.
        now: the present moment.
        transaction_id: our own identifier.

    """
    return SigningTransaction(
        transaction_id=transaction_id,
        backend=protocol.capabilities.name,
        state=SigningState.INTENDED,
        key_id=certificate.key_id,
        deadline=now + timedelta(seconds=protocol.life_seconds),
        poll_after_seconds=protocol.poll_seconds,
        jobs=tuple(evolve(job, signed_info=b"") for job in jobs),
    )
