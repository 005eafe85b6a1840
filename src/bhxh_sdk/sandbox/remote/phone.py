"""The phone of the person who confirms signatures: it confirms, refuses, stays silent, or is slow."""

from __future__ import annotations

import threading
from collections import deque
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Answer", "Ring", "SandboxPhone"]


class Answer(Enum):
    """What the person does when the phone rings."""

    CONFIRMS = "confirms"
    DECLINES = "declines"
    IGNORES = "ignores"
    CONFIRMS_LATE = "confirms_late"
    IS_UNREACHABLE = "is_unreachable"
    HAS_LOCKED_PIN = "has_locked_pin"


@frozen(kw_only=True)
class Ring:
    """One time that the phone rang.

    Args:
        transaction: the provider's id of the transaction.
        shown: what the phone shows: documents, text, code.
        answer: what the person does.
        after: how long the person takes.

    """

    transaction: str
    shown: str
    answer: Answer
    after: timedelta


class SandboxPhone:
    """A phone whose owner answers as planned.

    Args:
        usual: what the owner does when nothing is planned.
        takes: how long the owner takes to answer.
        late: how long the owner takes who confirms late.

    Attributes:
        rings: every time it rang, oldest first.

    """

    def __init__(
        self,
        usual: Answer = Answer.CONFIRMS,
        *,
        takes: timedelta = timedelta(),
        late: timedelta = timedelta(hours=1),
    ) -> None:
        self.usual = usual
        self.takes = takes
        self.late = late
        self.rings: list[Ring] = []
        self._planned: deque[Answer] = deque()
        self._lock = threading.Lock()

    def next(self, *answers: Answer) -> None:
        """Plan what the owner does at the next rings."""
        with self._lock:
            self._planned.extend(answers)

    def ring(self, transaction: str, shown: Iterable[str] = ()) -> Ring:
        """Let the phone ring for a transaction.

        Args:
            transaction: the provider's id of the transaction.
            shown: the lines that the phone shows.

        """
        with self._lock:
            answer = self._planned.popleft() if self._planned else self.usual
            after = self.late if answer is Answer.CONFIRMS_LATE else self.takes
            ring = Ring(transaction=transaction, shown="\n".join(shown), answer=answer, after=after)
            self.rings.append(ring)
            return ring
