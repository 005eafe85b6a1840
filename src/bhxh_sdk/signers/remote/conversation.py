"""Conversations with a provider, without I/O: a protocol says what it needs next, and is handed the answer.

A conversation is a generator. It yields steps (a call, a secret, a note to keep) and returns its result. Who
drives it sends requests, asks people and writes the journal; see `bhxh_sdk.signers.remote.signer`.
"""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

if TYPE_CHECKING:
    from datetime import datetime

    from bhxh_sdk.ports import Reply, Request
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.contract import SigningTransaction

__all__ = [
    "Call",
    "Conversation",
    "Effect",
    "Moment",
    "MomentNeed",
    "Note",
    "SecretNeed",
    "SecretRefused",
    "Step",
    "called",
    "drawn",
    "needed",
    "noted",
    "refused",
]

T = TypeVar("T")


class Effect(Enum):
    """What a call does on the other side, which decides what a lost answer means."""

    READS = "reads"
    LOGS_IN = "logs_in"
    STARTS = "starts"


@frozen(kw_only=True)
class Call:
    """A request to send once.

    Args:
        request: the request.
        effect: `READS` changes nothing. `LOGS_IN` may be counted against an account. `STARTS` may make a
            phone ring or use up a signature: when its answer is lost, nobody knows whether it did.

    """

    request: Request
    effect: Effect = Effect.READS


@frozen(kw_only=True)
class SecretNeed:
    """A secret that the next call takes.

    Args:
        name: its name in the profile, such as `sp_password`, `pin` or `otp`.
        subject: whom or what it concerns, for people.

    """

    name: str
    subject: str = ""


@frozen(kw_only=True)
class SecretRefused:
    """Say that the provider refused a secret: it is never sent again.

    Args:
        name: its name in the profile.

    """

    name: str


@frozen(kw_only=True)
class Note:
    """A transaction to be kept before the conversation goes on, so that another process can take over.

    Args:
        transaction: the transaction, without secrets.

    """

    transaction: SigningTransaction


@frozen(kw_only=True)
class MomentNeed:
    """The present moment and an id that nobody drew before: people may have thought for minutes by now.

    Args:
        not_before: wait until then; None for no wait.

    """

    not_before: datetime | None = None


@frozen(kw_only=True)
class Moment:
    """What the clock gives.

    Args:
        now: the present moment.
        new_id: a new identifier.

    """

    now: datetime
    new_id: str


Step = Call | SecretNeed | SecretRefused | Note | MomentNeed
"""What a conversation may ask for."""

Conversation = Generator[Step, Any, T]
"""A generator of steps that returns its result."""


def called(request: Request, effect: Effect = Effect.READS) -> Conversation[Reply]:
    """Send a request and return its answer."""
    reply: Reply = yield Call(request=request, effect=effect)
    return reply


def needed(name: str, subject: str = "") -> Conversation[Secret]:
    """Return a secret of the profile."""
    secret: Secret = yield SecretNeed(name=name, subject=subject)
    return secret


def refused(name: str) -> Conversation[None]:
    """Say that a secret was refused."""
    yield SecretRefused(name=name)


def noted(transaction: SigningTransaction) -> Conversation[None]:
    """Have a transaction kept."""
    yield Note(transaction=transaction)


def drawn(not_before: datetime | None = None) -> Conversation[Moment]:
    """Return the present moment and a new identifier, after waiting for a moment where one is given."""
    moment: Moment = yield MomentNeed(not_before=not_before)
    return moment
