"""What a person has to confirm on another device, told while the command waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from bhxh_sdk.signers import SigningState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bhxh_sdk.cli.output import Output
    from bhxh_sdk.signers import Signer, SigningTransaction

__all__ = ["Waiting"]

_NAMED = 3
"""More documents than these are counted, not named."""


@define
class Waiting:
    """Tell on standard error what a signing service waits for; each thing once.

    Args:
        output: where to tell.
        elsewhere: whether a person confirms on another device.

    """

    output: Output
    elsewhere: bool = True
    _told: tuple[str, ...] = field(default=(), init=False)
    _announced: set[str] = field(factory=set, init=False)

    @classmethod
    def on(cls, signer: Signer | None, output: Output) -> Waiting:
        """Return what tells of a signer's transactions."""
        return cls(output, signer is None or signer.capabilities.confirms_elsewhere)

    def __call__(self, transaction: SigningTransaction) -> None:
        """Tell how a transaction stands now, unless that was told already."""
        if transaction.state is SigningState.INTENDED and transaction.transaction_id in self._announced:
            return  # a further step of the same signature
        self._announced.add(transaction.transaction_id)
        lines = tuple(self._lines(transaction))
        if lines != self._told:
            self._told = lines
            for line in lines:
                self.output.aside(line)

    def _lines(self, transaction: SigningTransaction) -> Iterable[str]:
        documents, until = self._documents(transaction), _time_of_day(transaction.deadline)
        if transaction.state is SigningState.CONFIRMED:
            yield self.output.text("cli.pending.confirmed")
            return
        if transaction.state is SigningState.INTENDED:
            code = "cli.pending.intended" if self.elsewhere else "cli.pending.asking"
            yield self.output.text(code, documents=documents)
            return
        code = "cli.pending" if self.elsewhere else "cli.pending.waiting"
        yield self.output.text(code, documents=documents, until=until)
        if transaction.show:
            code = "cli.pending.shows" if _names_documents(transaction) else "cli.pending.code"
            yield self.output.text(code, show=transaction.show)

    def _documents(self, transaction: SigningTransaction) -> str:
        names = [job.document_name or job.document_id for job in transaction.jobs]
        named = ", ".join(names[:_NAMED])
        if len(names) <= _NAMED:
            return named
        return self.output.text("cli.pending.more", documents=named, count=len(names) - _NAMED)


def _names_documents(transaction: SigningTransaction) -> bool:
    """Tell whether the phone shows documents' names, which a second request would show too, and no code."""
    names = {name for job in transaction.jobs for name in (job.document_id, job.document_name)}
    return transaction.show in names or set(transaction.show.split(", ")) <= names


def _time_of_day(moment: datetime | None) -> str:
    """Return a moment as the clock on the wall shows it."""
    return "" if moment is None else f"{moment.astimezone():%H:%M:%S}"
