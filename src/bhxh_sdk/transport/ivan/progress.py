"""How an I-VAN tells progress: one member per step, and a history with one row per sending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.models import Outcome, Progress, ProgressStep
from bhxh_sdk.transport.calling import Answer
from bhxh_sdk.transport.reading import VIETNAM, as_object
from bhxh_sdk.transport.records import progress_of, step_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from bhxh_sdk.models import Registration
    from bhxh_sdk.transport.profile import EndpointProfile

__all__ = ["matching", "past", "progress"]

_STEPS = range(1, 5)


def progress(answer: Answer, sending_key: str = "") -> Progress:
    """Read the answer to a question by sending key: `{buoc_1, …, trangThai, soHoSo}`."""
    parts = ((number, as_object(answer.raw(f"step_{number}"))) for number in _STEPS)
    steps = (step_of(number, Answer(answer.endpoint, part)) for number, part in parts if part)
    return progress_of(answer, steps, sending_key)


def past(row: Answer) -> Progress:
    """Read a row of the history: results and their states stand side by side."""
    outcome = row.outcome()
    results = [
        ProgressStep(
            number=number,
            at=row.moment("sent_at") if number == 1 else None,
            text=row.text(f"result_{number}"),
            code=row.text(f"result_state_{number}"),
        )
        for number in _STEPS
        if row.text(f"result_{number}") or row.text(f"result_state_{number}")
    ]
    if results and outcome is Outcome.REFUSED:
        results[-1] = ProgressStep(
            number=results[-1].number, code=results[-1].code, text=results[-1].text, failed=True
        )
    return Progress(
        outcome=outcome,
        steps=tuple(results),
        dossier_number=row.text("dossier_number"),
        raw_state=row.text("state"),
        sending_key=row.text("sending_key"),
    )


def matching(rows: Iterable[Answer], form: Registration, profile: EndpointProfile) -> list[Answer]:
    """Return the rows of the history that may be a filing: of its kind, and not sent before its day.

    Args:
        rows: the history.
        form: what was filed.
        profile: knows how the history names each kind.

    """
    kind = profile.settings.get(f"kind_{form.action.value}", "")
    return [row for row in rows if row.text("kind") == kind and not _is_older(row, form.made_on)]


def _is_older(row: Answer, day: date | None) -> bool:
    sent_at = row.moment("sent_at")
    return day is not None and sent_at is not None and sent_at.astimezone(VIETNAM).date() < day
