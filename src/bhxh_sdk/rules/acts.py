"""Rules about dates and about what each act needs: to adjust, to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.models import Action, Stop, StopReason
from bhxh_sdk.rules.rule import FormCase, Hit, error, hit, rule, warning
from bhxh_sdk.rules.sources import FORM_06

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "changes_given",
    "made_on",
    "other_reason_told",
    "starts_on",
    "stop_complete",
    "stop_date",
    "stop_wanted",
]

_NO_DATE_RULE = "not proven: no text on dates was found"


@rule(warning("made_on.in_future", _NO_DATE_RULE))
def made_on(case: FormCase) -> Iterator[Hit]:
    """The form is not drawn up in the future."""
    day = case.form.made_on
    if day and day > case.on:
        yield hit("made_on.in_future", "made_on", value=day.isoformat(), on=case.on.isoformat())


@rule(warning("starts_on.before_made_on", _NO_DATE_RULE))
def starts_on(case: FormCase) -> Iterator[Hit]:
    """It holds from the day it is drawn up at the earliest."""
    day, made = case.form.starts_on, case.form.made_on or case.on
    if day and day < made:
        yield hit("starts_on.before_made_on", "starts_on", value=day.isoformat(), made_on=made.isoformat())


@rule(warning("changes.missing", "not proven: the text of form 05/SĐ-IVAN is not known"))
def changes_given(case: FormCase) -> Iterator[Hit]:
    """An adjustment says what it changes."""
    if case.form.action is Action.ADJUST and not case.form.changes:
        yield hit("changes.missing", "changes")


@rule(error("stop.from_date_missing", FORM_06), error("stop.reason_missing", FORM_06))
def stop_complete(case: FormCase) -> Iterator[Hit]:
    """To stop needs a first day and a reason."""
    if case.form.action is not Action.STOP:
        return
    stop = case.form.stop or Stop()
    if stop.from_date is None:
        yield hit("stop.from_date_missing", "stop.from_date")
    if stop.reason is None and not stop.text:
        yield hit("stop.reason_missing", "stop.reason")


@rule(warning("stop.words_missing", "plausibility: the form prints the reason as a text"))
def other_reason_told(case: FormCase) -> Iterator[Hit]:
    """Another reason than the listed ones is told in words."""
    stop = case.form.stop
    if stop is not None and stop.reason is StopReason.OTHER and not stop.text:
        yield hit("stop.words_missing", "stop.text")


@rule(warning("stop.before_made_on", _NO_DATE_RULE))
def stop_date(case: FormCase) -> Iterator[Hit]:
    """Nothing stops before the form is drawn up."""
    day = case.form.stop.from_date if case.form.stop else None
    made = case.form.made_on or case.on
    if day and day < made:
        yield hit("stop.before_made_on", "stop.from_date", value=day.isoformat(), made_on=made.isoformat())


@rule(warning("stop.not_asked", "plausibility: a date to stop in a form that does not stop"))
def stop_wanted(case: FormCase) -> Iterator[Hit]:
    """Data on stopping belong to a form that stops."""
    if case.form.stop is not None and case.form.action is not Action.STOP:
        yield hit("stop.not_asked", "stop", action=case.form.action.value)
