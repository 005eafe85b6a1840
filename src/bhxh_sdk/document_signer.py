"""Signing many documents with blocking calls: one login, as many threads as help.

A form signed with a key at hand costs little more than the RSA operation; that one runs outside Python's
lock, so that threads share it out between the cores.
"""

from __future__ import annotations

import os
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, NoReturn, Self, SupportsIndex
from weakref import WeakSet

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import InputError, WrongTypeError
from bhxh_sdk.models import Document, Registration
from bhxh_sdk.signers.holding import checked_signer
from bhxh_sdk.system import SystemClock, ask_of, telling
from bhxh_sdk.workflow.batch import grouped, signed_here, signed_there
from bhxh_sdk.workflow.signing_batch import SigningBatch, SigningWay

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from concurrent.futures import Future
    from datetime import datetime
    from types import TracebackType

    from bhxh_sdk.models import CertificateInfo, SignedDocument
    from bhxh_sdk.ports import Ask, Clock
    from bhxh_sdk.signers import Signer, SigningCertificate
    from bhxh_sdk.system import OnPending
    from bhxh_sdk.workflow import Signable, SigningOutcome
    from bhxh_sdk.workflow.batch import BatchDone, BatchGroup
    from bhxh_sdk.xml import DocumentProfile, SignatureProfile

__all__ = [
    "AHEAD",
    "BYTES_OF_A_THREAD",
    "GROUP_OF_A_THREAD",
    "MOST_THREADS",
    "DocumentSigner",
    "checked_source",
    "checked_workers",
]

GROUP_OF_A_THREAD = 32
"""How many documents a thread takes at once: some eight milliseconds of work, so that handing over costs
nothing beside it."""

BYTES_OF_A_THREAD = 1024 * 1024
"""How many bytes of documents end such a group."""

AHEAD = 2
"""Groups for each thread: one that is signed, one that waits."""


MOST_THREADS = 64
"""More than any key at hand gains from."""


class DocumentSigner:
    """Sign documents, one or a hundred thousand, with one certificate and one login.

    Use it as a context manager, from one thread at a time. The key is opened when the first document is
    signed. It takes over the signer and closes it at its end. What a form says is the caller's business
    (`bhxh_sdk.check`); here it is only dated with the day in Vietnam where it has no date.

    Args:
        signer: who holds the key.
        certificate: the certificate to sign with, one of the signer's; None for the only one that can sign
            now, and a person decides between several.
        ask: whom to ask for a password or PIN; nobody by default.
        clock: the clock; the machine's by default.
        on_pending: called while a person has to confirm a signature on another device.
        workers: how many threads sign in `sign_all` when the key is at hand, 1 to 64; None for as many as
            there are cores. Other signers work one call after the other.

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
        self._signer = checked_signer(signer)
        self._chosen = certificate
        self._ask = ask_of(ask)
        self._clock = clock or SystemClock()
        self._on_pending = None if on_pending is None else telling(on_pending)
        self._workers = checked_workers(workers)
        self._batch: SigningBatch | None = None
        self._runs: WeakSet[Generator[SigningOutcome]] = WeakSet()

    @property
    def certificate(self) -> CertificateInfo:
        """The certificate that signs.

        Raises:
            SigningError: there is no usable one, or several and nobody to choose.

        """
        return self._opened().certificate.certificate

    def sign(
        self,
        document: Signable,
        *,
        at: str | None = None,
        profile: SignatureProfile | str = "field",
        signing_time: datetime | None = None,
        document_profile: DocumentProfile | str | None = None,
    ) -> SignedDocument:
        """Sign one document.

        Args:
            document: a form, a finished document, or a document's bytes.
            at: path of the empty element that takes the signature; None for that of the document's profile,
                or of the signature's.
            profile: shape of the signature, or its name.
            signing_time: when it is signed, with its zone; None for now.
            document_profile: how a form is written; None for the profile that it needs today.

        Returns:
            The signed document, with the name of a form's document; bytes have none.

        Raises:
            InputError: a value is missing or cannot be written; `field` names it.
            DocumentError: the document is unsafe, no XML, signed already or has no such place.
            SigningError: no signature was made; see its subclasses.

        """
        way = SigningWay(at, profile, signing_time, document_profile)
        batch = self._opened()
        if batch.is_local:
            return batch.sign_here(document, way)
        (signed,) = run_blocking(batch.sign_there([batch.prepared(document, way)]))
        return signed

    def sign_all(
        self,
        documents: Iterable[Signable],
        *,
        at: str | None = None,
        profile: SignatureProfile | str = "field",
        signing_time: datetime | None = None,
        document_profile: DocumentProfile | str | None = None,
        workers: int | None = None,
    ) -> Generator[SigningOutcome]:
        """Sign documents as they are asked for, in their order.

        The source is read only a little ahead: one group of 32 for each thread and one that waits, or what
        one call of the signer takes. One bad document never stops the others. An error of the signer (a wrong
        PIN, declined, expired) ends the batch and is raised after what was signed before; so is an error of
        the source.

        Args:
            documents: forms, finished documents or bytes, such as a generator.
            at: as for `sign`.
            profile: as for `sign`.
            signing_time: one time for all of them; None for the time at each.
            document_profile: as for `sign`.
            workers: how many threads sign; None for those of the signer.

        Returns:
            An outcome for each document: the signed document, or why it could not be signed.

        Raises:
            InputError: an option is impossible; nothing was signed.
            SigningError: no signature was made; see its subclasses.

        """
        threads = self._workers if workers is None else checked_workers(workers)
        way, source = SigningWay(at, profile, signing_time, document_profile), checked_source(documents)
        batch = self._opened()
        batch.check(way)
        if not batch.is_local:
            run = _one_by_one(
                grouped(source, batch.largest_group),
                lambda group: run_blocking(signed_there(batch, way, group)),
            )
        elif threads == 1:
            run = _one_by_one(grouped(source, 1), partial(signed_here, batch, way))
        else:
            groups = grouped(source, GROUP_OF_A_THREAD, BYTES_OF_A_THREAD)
            run = _in_threads(groups, partial(signed_here, batch, way), threads)
        self._runs.add(run)
        return run

    def close(self) -> None:
        """Stop what is still being signed, and release the signer."""
        for run in list(self._runs):
            run.close()
        if self._batch is not None:
            self._batch.close()
        self._batch = None
        self._signer.close()

    def _opened(self) -> SigningBatch:
        """Return the open batch; one whose key failed, as when a token was pulled out, is opened anew."""
        if self._batch is None or self._batch.is_lost:
            self._batch = run_blocking(
                SigningBatch.opened_anew(
                    self._batch, self._signer, self._chosen, self._ask, self._clock, self._on_pending
                )
            )
        return self._batch

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"DocumentSigner({self._signer!r})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        msg = "a signer holds a private key and cannot be pickled or copied"
        raise TypeError(msg)


def checked_workers(workers: int | None) -> int:
    """Return how many threads are wanted; as many as this process has cores for None.

    Raises:
        WrongTypeError: it is no number.
        InputError: it is less than one, or more than 64.

    """
    if workers is None:
        return min(os.cpu_count() or 1, MOST_THREADS)
    if not isinstance(workers, int):
        raise WrongTypeError(field="workers", expected="int", got=type(workers).__name__)
    if not 1 <= workers <= MOST_THREADS:
        raise InputError("signing.workers", field="workers", got=workers)
    return workers


def checked_source(documents: Iterable[Signable]) -> Iterable[Signable]:
    """Refuse one document in place of many: bytes can be iterated over, too.

    Raises:
        WrongTypeError: it is one document, or cannot be iterated over.

    """
    if isinstance(documents, bytes | str | Document | Registration) or not hasattr(documents, "__iter__"):
        raise WrongTypeError(field="documents", expected="Iterable", got=type(documents).__name__)
    return documents


def _one_by_one(
    groups: Iterable[BatchGroup], work: Callable[[BatchGroup], BatchDone]
) -> Generator[SigningOutcome]:
    for group in groups:
        yield from work(group).handed_out()


def _in_threads(
    groups: Iterable[BatchGroup], work: Callable[[BatchGroup], BatchDone], threads: int
) -> Generator[SigningOutcome]:
    """Sign groups on threads and give the outcomes in order; no thread outlives the generator."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # not needed for one document

    pool = ThreadPoolExecutor(threads, thread_name_prefix="bhxh-batch")
    window: deque[Future[BatchDone]] = deque()
    try:
        for group in groups:
            window.append(pool.submit(work, group))
            if len(window) >= threads * AHEAD:
                yield from window.popleft().result().handed_out()
        while window:
            yield from window.popleft().result().handed_out()
    finally:
        pool.shutdown(cancel_futures=True)
