"""A signer whose person confirms on a phone, told beforehand how each call goes."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import Any

import attrs
from attrs import define, evolve, field

from bhxh_sdk.errors import UnknownOutcomeError
from bhxh_sdk.signers import (
    Capabilities,
    SigningJob,
    SigningState,
    SigningTransaction,
    SoftKeySigner,
)

__all__ = ["Handset", "Killed", "Unnoted", "lost"]

_OPEN = {SigningState.INTENDED, SigningState.PENDING, SigningState.CONFIRMED}


class Killed(BaseException):
    """The process ends here."""


@define
class Handset:
    """A signer that notes its intent, lets a phone ring, and is asked after.

    `before` is raised after the intent was noted and before the phone rings. `starts` and `asks` say how the
    next calls go: a state, an error, or `None` for a signature. `shows` is the certificate that comes with a
    signature; with `lists` off the signer shows none before.
    """

    key: SoftKeySigner
    before: deque[BaseException | None] = field(factory=deque)
    starts: deque[Any] = field(factory=deque, converter=deque)
    asks: deque[Any] = field(factory=deque, converter=deque)
    name: str = "handset"
    lists: bool = True
    shows: bytes = b""
    largest_batch: int = 10
    rings: list[list[SigningJob]] = field(factory=list)
    asked: list[SigningTransaction] = field(factory=list)

    @property
    def capabilities(self):
        return Capabilities(
            name=self.name,
            largest_batch=self.largest_batch,
            confirms_elsewhere=True,
            resumable=True,
            knows_certificate_first=self.lists,
        )

    async def certificates(self):
        return await self.key.certificates() if self.lists else ()

    async def start(self, jobs, certificate, ask, clock):
        return await self.start_noted(jobs, certificate, ask, clock, None)

    async def start_noted(self, jobs, certificate, ask, clock, note):
        intended = SigningTransaction(
            transaction_id=clock.new_id(),
            backend=self.name,
            state=SigningState.INTENDED,
            key_id=certificate.key_id,
            jobs=tuple(evolve(job, signed_info=b"") for job in jobs),
            deadline=clock.now() + timedelta(seconds=60),
            poll_after_seconds=5.0,
        )
        if note is not None:
            await note(intended)
        if self.before and (error := self.before.popleft()) is not None:
            raise error
        self.rings.append(list(jobs))
        return await self._stands(intended, self.starts, clock)

    async def result(self, transaction, clock):
        return await self.result_noted(transaction, clock, None)

    async def result_noted(self, transaction, clock, note):
        self.asked.append(transaction)
        return (
            await self._stands(transaction, self.asks, clock) if transaction.state in _OPEN else transaction
        )

    async def _stands(self, transaction, plan, clock):
        found = plan.popleft() if plan else None
        if isinstance(found, BaseException):
            raise found
        if found is not None:
            return attrs.evolve(transaction, state=found, provider_id="7")
        own = (await self.key.certificates())[0]
        done = await self.key.start(transaction.jobs, own, None, clock)
        return attrs.evolve(
            transaction, state=SigningState.DONE, signatures=done.signatures, certificate=self.shows
        )

    def close(self):
        pass


class Unnoted:
    """The same signer as somebody else may write it: it keeps no notes."""

    def __init__(self, handset: Handset) -> None:
        self.handset = handset
        self.capabilities = handset.capabilities
        self.certificates, self.start = handset.certificates, handset.start
        self.result, self.close = handset.result, handset.close


def lost() -> UnknownOutcomeError:
    """Make the error of an answer that never came."""
    return UnknownOutcomeError("unknown_outcome.connection", host="signing.example")
