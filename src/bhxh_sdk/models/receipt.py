"""What comes back: receipts, progress and notices."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  # attrs and cattrs read the annotations at run time
from enum import Enum
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Notice", "Outcome", "Progress", "ProgressStep", "Receipt"]


class Outcome(Enum):
    """Where a filing stands at the agency."""

    PROCESSING = "processing"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@frozen(kw_only=True)
class Receipt:
    """Acknowledge that a filing has arrived.

    Args:
        sending_key: the identifier known at once: ask for progress with it.
        dossier_number: the agency's number `NNNNN/YYYY/agency`; empty until it is given, which may take long.
        received_at: when the other side took it; None when it does not say.
        text: what the other side says, as received.
        activation_by_mail: whether an activation code comes by e-mail.

    """

    sending_key: str
    dossier_number: str = ""
    received_at: datetime | None = None
    text: str = ""
    activation_by_mail: bool = True


@frozen(kw_only=True)
class ProgressStep:
    """One step of the agency's processing.

    Args:
        number: position, from 1.
        at: when it ended; None when it has not.
        code: result code as received.
        text: result text as received.
        failed: whether the step ended in failure.

    """

    number: int
    at: datetime | None = None
    code: str = ""
    text: str = ""
    failed: bool = False


def _as_steps(steps: Iterable[ProgressStep]) -> tuple[ProgressStep, ...]:
    return tuple(steps)


@frozen(kw_only=True)
class Progress:
    """Tell how far the agency is with a filing.

    Args:
        outcome: the overall state; `UNKNOWN` when the raw state is not one that is known.
        steps: the steps in order.
        dossier_number: the agency's number, empty until it is given.
        raw_state: the overall state as received.
        activated: whether the account is active, None when the answer does not tell.
        sending_key: the identifier asked with, or found.

    """

    outcome: Outcome
    steps: tuple[ProgressStep, ...] = field(default=(), converter=_as_steps)
    dossier_number: str = ""
    raw_state: str = ""
    activated: bool | None = None
    sending_key: str = ""

    @property
    def reason(self) -> tuple[str, str]:
        """Code and text of the first failed step, as received; two empty texts when none failed."""
        return next(((step.code, step.text) for step in self.steps if step.failed), ("", ""))


@frozen(kw_only=True)
class Notice:
    """A notice of the agency about a filing.

    Args:
        number: the notice's number as received.
        title: its title as received.
        issued_at: its date; None when it cannot be read.
        text: its result text as received.
        link: where its file lies at the sender, as received; never followed by the library.

    """

    number: str
    title: str = ""
    issued_at: datetime | None = None
    text: str = ""
    link: str = ""
