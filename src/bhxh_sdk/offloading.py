"""Blocking work beside an event loop: one worker thread for the signer's key, one for the journal.

A token or a disk that takes its time must not hold up the loop, and neither may be used from two threads at
once.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import PersonNeededError
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
        self._asking: set[_AskFromThread] = set()
        self._ending: Future[None] | None = None

    async def run(
        self, call: Callable[[], Coroutine[Any, Any, T]], asking: _AskFromThread | None = None
    ) -> T:
        """Run a call on the thread. When nobody waits for it any more, its questions end too."""
        if self._ending is not None:
            return run_blocking(call())  # what is closed says so itself
        bridges = set() if asking is None else {asking}
        self._asking |= bridges
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, lambda: run_blocking(call()))
        except asyncio.CancelledError:
            for bridge in bridges:
                bridge.leave()
            raise
        finally:
            self._asking -= bridges

    def close(self, last: Callable[[], None]) -> None:
        """Make a last call on the thread, and wait for it unless an event loop would be held up: see `ended`.

        The thread may wait for an answer that is given in this very loop, so the questions end first.
        """
        if self._ending is None:
            for bridge in self._asking:
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


class _AskFromThread:
    """Ask in the event loop on behalf of a worker thread, which waits for the answer."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._loop = asyncio.get_running_loop()
        self._question: Future[Any] | None = None
        self._left = False

    def leave(self) -> None:
        """End the question that is being asked, and every later one: nobody waits for what it is for."""
        self._left = True
        if self._question is not None:
            self._question.cancel()

    def _in_loop(self, question: Coroutine[Any, Any, T], purpose: str) -> T:
        asked = asyncio.run_coroutine_threadsafe(question, self._loop)
        self._question = asked
        if self._left:
            asked.cancel()
        try:
            return asked.result()
        except CancelledError:
            raise PersonNeededError("person_needed.nobody_to_ask", field=purpose) from None

    async def secret(self, question: Question) -> Secret:
        return self._in_loop(self._ask.secret(question), question.purpose)

    async def captcha(self, challenge: CaptchaChallenge) -> str:
        return self._in_loop(self._ask.captcha(challenge), challenge.purpose)

    async def choose(self, question: Question) -> int:
        return self._in_loop(self._ask.choose(question), question.purpose)

    async def confirm(self, question: Question) -> bool:
        return self._in_loop(self._ask.confirm(question), question.purpose)


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
        bridge, keep, signer = _AskFromThread(ask), _from_thread(note), cast("NotesSigning", self._signer)
        return await self._worker.run(
            lambda: signer.start_noted(jobs, certificate, bridge, clock, keep), bridge
        )

    async def result_noted(
        self, transaction: SigningTransaction, clock: Clock, note: Keep | None
    ) -> SigningTransaction:
        """Ask how a transaction stands, and keep it in the event loop before a further step."""
        keep, signer = _from_thread(note), cast("NotesSigning", self._signer)
        return await self._worker.run(lambda: signer.result_noted(transaction, clock, keep))


def _from_thread(note: Keep | None) -> Keep | None:
    """Return a note that a worker thread awaits and the event loop takes."""
    if note is None:
        return None
    loop = asyncio.get_running_loop()

    async def kept(transaction: SigningTransaction) -> None:
        asyncio.run_coroutine_threadsafe(_noted(note, transaction), loop).result()

    return kept


async def _noted(note: Keep, transaction: SigningTransaction) -> None:
    await note(transaction)


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
