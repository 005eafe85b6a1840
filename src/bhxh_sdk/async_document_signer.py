"""Signing many documents in an event loop: the calls of `bhxh_sdk.DocumentSigner`, awaited."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, NoReturn, Self, SupportsIndex

from bhxh_sdk.document_signer import (
    AHEAD,
    BYTES_OF_A_THREAD,
    GROUP_OF_A_THREAD,
    checked_source,
    checked_workers,
)
from bhxh_sdk.offloading import beside_the_loop, closed
from bhxh_sdk.signers.holding import checked_signer
from bhxh_sdk.system import AsyncSystemClock, ask_of, telling
from bhxh_sdk.workflow.batch import grouped, signed_here, signed_there
from bhxh_sdk.workflow.signing_batch import SigningBatch, SigningWay

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable
    from datetime import datetime
    from types import TracebackType

    from bhxh_sdk.models import SignedDocument
    from bhxh_sdk.ports import Ask, Clock
    from bhxh_sdk.signers import Signer, SigningCertificate
    from bhxh_sdk.system import OnPending
    from bhxh_sdk.workflow import Signable, SigningOutcome
    from bhxh_sdk.workflow.batch import BatchDone
    from bhxh_sdk.xml import DocumentProfile, SignatureProfile

__all__ = ["AsyncDocumentSigner"]


class AsyncDocumentSigner:
    """Sign documents with one certificate and one login, in an event loop.

    Every call is that of `bhxh_sdk.DocumentSigner`, awaited. A local signer runs on threads, so that the loop
    goes on meanwhile.

    Args:
        signer: who holds the key.
        certificate: the certificate to sign with; None for the only one that can sign now.
        ask: whom to ask for a password or PIN; nobody by default.
        clock: the clock; the machine's by default.
        on_pending: called while a person has to confirm a signature on another device.
        workers: how many threads sign when the key is at hand, 1 to 64; None for as many as there are
            cores.

    Raises:
        InputError: there cannot be so many threads.
        WrongTypeError: `signer` is no signer, or `workers` no number.

    """

    def __init__(
        self,
        signer: Signer,
        *,
        certificate: SigningCertificate | None = None,
        ask: Ask | None = None,
        clock: Clock | None = None,
        on_pending: OnPending | None = None,
        workers: int | None = None,
    ) -> None:
        workers, signer = checked_workers(workers), checked_signer(signer)
        self._signer = beside_the_loop(signer)
        self._chosen = certificate
        self._ask = ask_of(ask)
        self._clock = clock or AsyncSystemClock()
        self._on_pending = None if on_pending is None else telling(on_pending)
        self._workers = workers
        self._batch: SigningBatch | None = None

    async def sign(
        self,
        document: Signable,
        *,
        at: str | None = None,
        profile: SignatureProfile | str = "field",
        signing_time: datetime | None = None,
        document_profile: DocumentProfile | str | None = None,
    ) -> SignedDocument:
        """See `DocumentSigner.sign`."""
        way, batch = SigningWay(at, profile, signing_time, document_profile), await self._opened()
        if batch.is_local:
            return await asyncio.to_thread(batch.sign_here, document, way)
        (signed,) = await batch.sign_there([batch.prepared(document, way)])
        return signed

    async def sign_all(
        self,
        documents: Iterable[Signable],
        *,
        at: str | None = None,
        profile: SignatureProfile | str = "field",
        signing_time: datetime | None = None,
        document_profile: DocumentProfile | str | None = None,
    ) -> AsyncGenerator[SigningOutcome]:
        """See `DocumentSigner.sign_all`; what is impossible is refused with the first outcome.

        Close it (`contextlib.aclosing`) when it is not read to its end.
        """
        way, source = SigningWay(at, profile, signing_time, document_profile), checked_source(documents)
        batch = await self._opened()
        batch.check(way)
        if batch.is_local:
            run = _in_threads(batch, way, source, self._workers)
        else:
            run = _one_by_one(batch, way, source)
        try:
            async for done in run:
                for outcome in done.handed_out():
                    yield outcome
        finally:
            await run.aclose()

    async def close(self) -> None:
        """Release the signer."""
        if self._batch is not None:
            self._batch.close()
        self._batch = None
        await closed(self._signer)

    async def _opened(self) -> SigningBatch:
        if self._batch is None or self._batch.is_lost:
            self._batch = await SigningBatch.opened_anew(
                self._batch, self._signer, self._chosen, self._ask, self._clock, self._on_pending
            )
        return self._batch

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncDocumentSigner({self._signer!r})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        msg = "a signer holds a private key and cannot be pickled or copied"
        raise TypeError(msg)


async def _one_by_one(
    batch: SigningBatch, way: SigningWay, source: Iterable[Signable]
) -> AsyncGenerator[BatchDone]:
    for group in grouped(source, batch.largest_group):
        yield await signed_there(batch, way, group)


async def _in_threads(
    batch: SigningBatch, way: SigningWay, source: Iterable[Signable], threads: int
) -> AsyncGenerator[BatchDone]:
    loop, work = asyncio.get_running_loop(), partial(signed_here, batch, way)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="bhxh-batch")
    window: deque[asyncio.Future[BatchDone]] = deque()
    try:
        for group in grouped(source, GROUP_OF_A_THREAD, BYTES_OF_A_THREAD):
            window.append(loop.run_in_executor(pool, work, group))
            if len(window) >= threads * AHEAD:
                yield await window.popleft()
        while window:
            yield await window.popleft()
    finally:
        pool.shutdown(cancel_futures=True)
