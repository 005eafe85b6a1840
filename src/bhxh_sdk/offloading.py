"""Blocking work beside an event loop: one worker thread for the signer's key, one for the journal.

A token or a disk that takes its time must not hold up the loop, and neither may be used from two threads at
once.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import NotSentError, PersonNeededError
from bhxh_sdk.signers.contract import LocalSigner, NotesSigning
from bhxh_sdk.signers.holding import certificates_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from bhxh_sdk.ports import Ask, CaptchaChallenge, Clock, Event, Journal, Question
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers import (
        Capabilities,
        LocalKey,
        Signer,
        SigningCertificate,
        SigningJob,
        SigningTransaction,
    )

    Keep = Callable[[SigningTransaction], Awaitable[None]]

__all__ = [
    "OffLoopJournal",
    "OffLoopLocalSigner",
    "OffLoopNotingSigner",
    "OffLoopSigner",
    "beside_the_loop",
    "closed",
]

T = TypeVar("T")


def beside_the_loop(signer: Signer) -> Signer:
    """Return a signer that never holds up the event loop: what blocks runs on a thread of its own.

    Args:
        signer: a token or key file, which blocks; a remote signer with a blocking sender, which does too; or
            a signer that waits in the loop, which is given back as it is.

    """
    if getattr(signer, "asynchronous", signer.capabilities.confirms_elsewhere):
        return signer
    if isinstance(signer, LocalSigner):
        return OffLoopLocalSigner(signer)
    return OffLoopNotingSigner(signer) if isinstance(signer, NotesSigning) else OffLoopSigner(signer)


async def closed(what: Signer | Journal) -> None:
    """Close what may run on a thread of its own, and wait for its end without holding up the event loop.

    Args:
        what: a signer or journal, of this module or any other.

    """
    what.close()
    if isinstance(what, OffLoopSigner | OffLoopJournal):
        await what.ended()


class _Worker:
    """One thread that runs calls one after the other."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._bridges: set[_FromThread] = set()
        self._ending: Future[None] | None = None

    async def run(self, call: Callable[[], Coroutine[Any, Any, T]], *bridges: _FromThread) -> T:
        """Run a call on the thread. When nobody waits for it any more, its questions and notes end too."""
        if self._ending is not None:
            return run_blocking(call())  # what is closed says so itself
        self._bridges.update(bridges)
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, lambda: run_blocking(call()))
        except asyncio.CancelledError:
            for bridge in bridges:
                bridge.leave()
            raise
        finally:
            self._bridges.difference_update(bridges)

    def close(self, last: Callable[[], None]) -> None:
        """Make a last call on the thread, and wait for it unless an event loop would be held up: see `ended`.

        The thread may wait for what is done in this very loop, so questions and notes end first.
        """
        if self._ending is None:
            for bridge in self._bridges:
                bridge.leave()
            self._ending = self._executor.submit(last)
            self._executor.shutdown(wait=False)
        if not _in_a_loop():
            self._executor.shutdown()
            self._ending.result()

    async def ended(self) -> None:
        """Wait for the last call."""
        if self._ending is not None:
            try:
                await asyncio.wrap_future(self._ending)
            finally:
                self._executor.shutdown()  # the thread has nothing left to do, so this does not wait


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class _FromThread:
    """Have something done in the event loop for a worker thread, while somebody waits for the thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._awaited: Future[Any] | None = None
        self._left = False

    def leave(self) -> None:
        """End what is being done, and everything later: nobody waits for what it is for."""
        self._left = True
        if self._awaited is not None:
            self._awaited.cancel()

    def _in_loop(self, call: Coroutine[Any, Any, T]) -> T:
        """Return what a call in the loop gives.

        Raises:
            CancelledError: nobody waits any more.

        """
        awaited = asyncio.run_coroutine_threadsafe(call, self._loop)
        self._awaited = awaited
        if self._left:
            awaited.cancel()
        return awaited.result()


class _AskFromThread(_FromThread):
    """Ask in the event loop on behalf of a worker thread, which waits for the answer."""

    def __init__(self, ask: Ask) -> None:
        super().__init__()
        self._ask = ask

    def _answer(self, question: Coroutine[Any, Any, T], purpose: str) -> T:
        try:
            return self._in_loop(question)
        except CancelledError:
            raise PersonNeededError("person_needed.nobody_to_ask", field=purpose) from None

    async def secret(self, question: Question) -> Secret:
        return self._answer(self._ask.secret(question), question.purpose)

    async def captcha(self, challenge: CaptchaChallenge) -> str:
        return self._answer(self._ask.captcha(challenge), challenge.purpose)

    async def choose(self, question: Question) -> int:
        return self._answer(self._ask.choose(question), question.purpose)

    async def confirm(self, question: Question) -> bool:
        return self._answer(self._ask.confirm(question), question.purpose)


class _NoteFromThread(_FromThread):
    """Keep notes in the event loop on behalf of a worker thread, which waits until they are kept.

    A note comes before a step that a person may notice, so where nobody waits any more, that step is not
    taken, also where nobody wants the notes.
    """

    def __init__(self, note: Keep | None) -> None:
        super().__init__()
        self._note = note

    async def keep(self, transaction: SigningTransaction) -> None:
        """Keep a transaction.

        Raises:
            NotSentError: nobody waits any more.

        """
        try:
            if self._note is not None and not self._left:
                self._in_loop(_noted(self._note, transaction))
        except CancelledError:
            raise NotSentError from None
        if self._left:
            raise NotSentError


async def _noted(note: Keep, transaction: SigningTransaction) -> None:
    await note(transaction)


class OffLoopSigner:
    """Run a local signer on a thread of its own; see `bhxh_sdk.signers.Signer`."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._worker = _Worker("bhxh-signer")

    @property
    def capabilities(self) -> Capabilities:
        """What the signer can do."""
        return self._signer.capabilities

    async def certificates(self) -> tuple[SigningCertificate, ...]:
        """List what can sign."""
        return await self._worker.run(self._signer.certificates)

    async def certificates_with(self, ask: Ask) -> tuple[SigningCertificate, ...]:
        """List what can sign, and ask in the event loop where the signer needs a secret."""
        bridge = _AskFromThread(ask)
        return await self._worker.run(lambda: certificates_of(self._signer, bridge), bridge)

    async def start(
        self, jobs: Sequence[SigningJob], certificate: SigningCertificate, ask: Ask, clock: Clock
    ) -> SigningTransaction:
        """Start signing."""
        bridge = _AskFromThread(ask)
        return await self._worker.run(lambda: self._signer.start(jobs, certificate, bridge, clock), bridge)

    async def result(self, transaction: SigningTransaction, clock: Clock) -> SigningTransaction:
        """Ask how a transaction stands."""
        return await self._worker.run(lambda: self._signer.result(transaction, clock))

    def close(self) -> None:
        """Release the signer, on its own thread; inside an event loop, wait for `ended` too."""
        self._worker.close(self._signer.close)

    async def ended(self) -> None:
        """Wait until the signer is released."""
        await self._worker.ended()

    def __repr__(self) -> str:
        return repr(self._signer)


class OffLoopLocalSigner(OffLoopSigner):
    """Open the key of a signer at hand on a thread of its own, too; see `bhxh_sdk.signers.LocalSigner`.

    What is opened signs on whichever thread calls it.
    """

    async def local_key(self, certificate: SigningCertificate, ask: Ask) -> LocalKey:
        """Open the key of a certificate, and ask in the event loop where that needs a secret."""
        bridge, signer = _AskFromThread(ask), cast("LocalSigner", self._signer)
        return await self._worker.run(lambda: signer.local_key(certificate, bridge), bridge)


class OffLoopNotingSigner(OffLoopSigner):
    """Keep notes of a remote signer in the event loop, too; see `bhxh_sdk.signers.NotesSigning`."""

    async def start_noted(
        self,
        jobs: Sequence[SigningJob],
        certificate: SigningCertificate,
        ask: Ask,
        clock: Clock,
        note: Keep | None,
    ) -> SigningTransaction:
        """Start signing, and keep the transaction in the event loop before a person may notice anything."""
        bridge, notes, signer = _AskFromThread(ask), _NoteFromThread(note), cast("NotesSigning", self._signer)
        return await self._worker.run(
            lambda: signer.start_noted(jobs, certificate, bridge, clock, notes.keep), bridge, notes
        )

    async def result_noted(
        self, transaction: SigningTransaction, clock: Clock, note: Keep | None
    ) -> SigningTransaction:
        """Ask how a transaction stands, and keep it in the event loop before a further step."""
        notes, signer = _NoteFromThread(note), cast("NotesSigning", self._signer)
        return await self._worker.run(lambda: signer.result_noted(transaction, clock, notes.keep), notes)


class OffLoopJournal:
    """Run a journal on a thread of its own; see `bhxh_sdk.ports.Journal`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._worker = _Worker("bhxh-journal")

    async def append(self, key: str, position: int, event: Event) -> None:
        """Add an event."""
        await self._worker.run(lambda: self._journal.append(key, position, event))

    async def events(self, key: str) -> tuple[Event, ...]:
        """Return a registration's events."""
        return await self._worker.run(lambda: self._journal.events(key))

    async def keys(self) -> tuple[str, ...]:
        """Return all keys."""
        return await self._worker.run(self._journal.keys)

    async def begun_with(self, fact: str, value: str) -> tuple[str, ...]:
        """Return the keys of the registrations that began with a fact."""
        return await self._worker.run(lambda: self._journal.begun_with(fact, value))

    async def keep(self, content: bytes) -> str:
        """Keep a document."""
        return await self._worker.run(lambda: self._journal.keep(content))

    async def kept(self, digest: str) -> bytes:
        """Return a kept document."""
        return await self._worker.run(lambda: self._journal.kept(digest))

    def close(self) -> None:
        """Close the journal, on its own thread; inside an event loop, wait for `ended` too."""
        self._worker.close(self._journal.close)

    async def ended(self) -> None:
        """Wait until the journal is closed."""
        await self._worker.ended()
