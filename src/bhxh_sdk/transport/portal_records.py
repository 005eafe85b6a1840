"""Values made of the portal's answers: progress, past filings, notices, list rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from bhxh_sdk.models import Agency, AgencyCode, Notice, Progress, ProgressStep
from bhxh_sdk.transport.channel import ListEntry
from bhxh_sdk.transport.reading import as_list, as_moment, as_text, member
from bhxh_sdk.transport.records import progress_of, step_of

if TYPE_CHECKING:
    from bhxh_sdk.transport.calling import Answer

__all__ = [
    "ProcedureForm",
    "agency",
    "entries",
    "entry",
    "notice",
    "numbered_progress",
    "past_filing",
    "procedure_form",
    "total_of",
    "traced",
]


@frozen(kw_only=True)
class ProcedureForm(ListEntry):
    """A form that belongs to a procedure.

    Args:
        required: whether the procedure demands it; None when the portal does not say.

    """

    required: bool | None = None


def numbered_progress(answer: Answer, sending_key: str) -> Progress:
    """Return how far a filing is: one row per step, which may tell its number."""
    rows = enumerate(answer.rows(), start=1)
    steps = (step_of(_whole(row.text("step"), position), row) for position, row in rows)
    return progress_of(answer, steps, sending_key)


def past_filing(row: Answer) -> Progress:
    """Return one line of the history; its only step is the sending."""
    sent = ProgressStep(number=1, at=row.moment("sent_at"), text=row.text("title"))
    return Progress(
        outcome=row.outcome(),
        steps=(sent,),
        dossier_number=row.text("dossier_number"),
        raw_state=row.text("state"),
        sending_key=row.text("sending_key"),
    )


def traced(number: int, row: Answer) -> ProgressStep:
    """Return one department's step of the processing trace; its last act ends it."""
    acts = as_list(row.raw("acts"))
    at = as_moment(member(acts[-1], *row.endpoint.answer.get("act_at", ()))) if acts else None
    text = ": ".join(part for part in (row.text("department"), row.text("state")) if part)
    return ProgressStep(number=number, at=at, code=row.text("step"), text=text)


def entries(answer: Answer, parent_code: str = "") -> tuple[ListEntry, ...]:
    """Return the rows of a list."""
    return tuple(entry(row, parent_code) for row in answer.rows())


def entry(row: Answer, parent_code: str = "") -> ListEntry:
    """Return a row of a list."""
    return ListEntry(
        code=row.text("code"),
        name=row.text("name"),
        parent_code=parent_code,
        internal_id=as_text(row.raw("internal_id")),
    )


def procedure_form(row: Answer, procedure_code: str) -> ProcedureForm:
    """Return a form of a procedure."""
    return ProcedureForm(
        code=row.text("code"),
        name=row.text("name"),
        parent_code=procedure_code,
        internal_id=row.text("internal_id"),
        required=row.flag("required"),
    )


def total_of(answer: Answer, otherwise: int) -> int:
    """Return how many rows there are in all, or what is given when the answer does not tell."""
    return _whole(answer.text("total"), otherwise)


def _whole(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise  # noqa: PLR2004  # a count of ten digits is none


def notice(row: Answer) -> Notice:
    """Return a notice about a dossier."""
    return Notice(
        number=row.text("number"),
        title=row.text("title"),
        issued_at=row.moment("issued_at"),
        text=row.text("text"),
        link=row.text("link"),
    )


def agency(row: Answer, source: str) -> Agency:
    """Return an agency as a list serves it."""
    return Agency(
        code=AgencyCode(row.text("code")),
        name=row.text("name"),
        parent_code=row.text("parent_code"),
        internal_id=row.text("internal_id"),
        source=source,
        certainty=row.endpoint.certainty,
    )
