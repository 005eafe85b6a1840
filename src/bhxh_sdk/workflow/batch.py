"""Batches: documents taken from their source in groups, and what became of each.

One bad document never stops the others. An error of the signer stops the batch, after what was signed before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from attrs import field, frozen

from bhxh_sdk.errors import BhxhError, DocumentError, InputError
from bhxh_sdk.models import Registration, SignedDocument
from bhxh_sdk.workflow.signing_batch import Prepared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bhxh_sdk.workflow.signing_batch import Signable, SigningBatch, SigningWay

__all__ = [
    "GROUP_BYTES",
    "BatchDone",
    "BatchGroup",
    "SigningOutcome",
    "grouped",
    "signed_here",
    "signed_there",
]

GROUP_BYTES = 64 * 1024 * 1024
"""How much of documents is held for one call of a signer, however many it would take."""

_OF_THE_DOCUMENT = (InputError, DocumentError)
"""Errors while a document is written or prepared: the next one may be good."""


@frozen(kw_only=True)
class SigningOutcome:
    """Tell what became of one document of a batch.

    Args:
        index: its position among the documents, from 0.
        document: what was given.
        signed: the signed document; None when it could not be signed.
        error: why it could not be signed; None when it was.

    """

    index: int
    document: Signable = field(repr=False)
    signed: SignedDocument | None = None
    error: BhxhError | None = None


class BatchGroup(NamedTuple):
    """Hold documents that are signed together, and the error that ended their source after them."""

    items: Sequence[tuple[int, Signable]]
    failure: Exception | None = None


class BatchDone(NamedTuple):
    """Hold the outcomes of a group, and the error that ended the batch after them."""

    outcomes: Sequence[SigningOutcome]
    failure: Exception | None = None

    def handed_out(self) -> Iterator[SigningOutcome]:
        """Give every outcome, then raise the error."""
        yield from self.outcomes
        if self.failure is not None:
            raise self.failure


def grouped(documents: Iterable[Signable], count: int, size: int = GROUP_BYTES) -> Iterator[BatchGroup]:
    """Take documents from their source, so many at once.

    An error of the source comes with the last group, so that what it gave before is signed first.

    Args:
        documents: the source; no further than the present group is read from it.
        count: how many documents a group has at most.
        size: how many bytes of them end a group.

    """
    items: list[tuple[int, Signable]] = []
    held, source = 0, enumerate(documents)
    while True:
        try:
            item = next(source, None)
        except Exception as error:  # noqa: BLE001  # raised again, after the group
            yield BatchGroup(items, error)
            return
        if item is None:
            break
        items.append(item)
        held += _size(item[1])
        if len(items) >= count or held >= size:
            yield BatchGroup(items)
            items, held = [], 0
    if items:
        yield BatchGroup(items)


def signed_here(batch: SigningBatch, way: SigningWay, group: BatchGroup) -> BatchDone:
    """Sign a group with the key at hand; an error of the signer ends it. May run on any thread."""
    outcomes: list[SigningOutcome] = []
    for index, document in group.items:
        try:
            signed = batch.sign_here(document, way)
        except _OF_THE_DOCUMENT as error:
            outcomes.append(SigningOutcome(index=index, document=document, error=error))
        except Exception as error:  # noqa: BLE001  # raised again, after the outcomes
            return BatchDone(outcomes, error)
        else:
            outcomes.append(SigningOutcome(index=index, document=document, signed=signed))
    return BatchDone(outcomes, group.failure)


async def signed_there(batch: SigningBatch, way: SigningWay, group: BatchGroup) -> BatchDone:
    """Have a group signed in one call of the signer.

    Raises:
        BhxhError: as `SigningBatch.sign_there`; then no document of the group was signed.

    """
    judged: list[tuple[int, Signable, Prepared | BhxhError]] = []
    for index, document in group.items:
        try:
            judged.append((index, document, batch.prepared(document, way)))
        except _OF_THE_DOCUMENT as error:
            judged.append((index, document, error))
    signed = iter(await batch.sign_there([found for *_, found in judged if isinstance(found, Prepared)]))
    outcomes = [
        SigningOutcome(index=index, document=document, error=found)
        if isinstance(found, BhxhError)
        else SigningOutcome(index=index, document=document, signed=next(signed))
        for index, document, found in judged
    ]
    return BatchDone(outcomes, group.failure)


def _size(document: Signable) -> int:
    """Return about how many bytes a document holds in memory; what is none is refused later."""
    if isinstance(document, Registration):
        return sum(len(file.content) for file in document.attachments)
    content = getattr(document, "content", document)
    return len(content) if isinstance(content, bytes) else 0
