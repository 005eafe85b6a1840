"""Values made of any channel's answers, by the names that the endpoint profile gives their members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.models import Account, Progress, ProgressStep

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bhxh_sdk.transport.calling import Answer

__all__ = ["account_of", "progress_of", "step_of"]


def progress_of(answer: Answer, steps: Iterable[ProgressStep], sending_key: str) -> Progress:
    """Return how far a filing is; `sending_key` is what was asked with."""
    return Progress(
        outcome=answer.outcome(),
        steps=steps,
        dossier_number=answer.text("dossier_number"),
        raw_state=answer.text("state"),
        activated=answer.flag("activated"),
        sending_key=answer.text("sending_key") or sending_key,
    )


def step_of(number: int, row: Answer) -> ProgressStep:
    """Return one step of the agency's processing."""
    return ProgressStep(
        number=number,
        at=row.moment("step_at"),
        code=row.text("step_code"),
        text=row.text("step_text"),
        failed=row.flag("failed") is True,
    )


def account_of(answer: Answer) -> Account:
    """Return the account that an activation made."""
    return Account(
        user_name=answer.text("user_name"),
        credentials_by_mail=answer.flag("credentials_by_mail") is not False,
    )
