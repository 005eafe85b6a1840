"""Rules about where to transact and about the confirmation (steps 16 and 17)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bhxh_sdk.errors import UnknownCodeError
from bhxh_sdk.models.text import same_name
from bhxh_sdk.rules.rule import FormCase, Hit, error, hit, rule, shown, warning
from bhxh_sdk.rules.sources import DECREE_166, IVAN_LIST

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["confirmed", "ivan_code", "ivan_known"]


@rule(
    error("ivan.code_missing", "portal guide, step 16"),
    error("ivan.code_malformed", f"{IVAN_LIST}: five digits throughout"),
)
def ivan_code(case: FormCase) -> Iterator[Hit]:
    """The I-VAN's code is given and has five digits."""
    if case.ivan and not case.ivan.code:
        yield hit("ivan.code_missing", "transact_at.code")
    elif case.ivan and not _is_code(case.ivan.code):
        yield hit("ivan.code_malformed", "transact_at.code", value=shown(case.ivan.code))


@rule(warning("ivan.unknown", f"{IVAN_LIST}; it may have grown"), warning("ivan.name_differs", IVAN_LIST))
def ivan_known(case: FormCase) -> Iterator[Hit]:
    """The I-VAN is in the portal's list, under that name."""
    if not case.ivan or not _is_code(case.ivan.code):
        return
    try:
        listed = case.catalogue.ivan(case.ivan.code)
    except UnknownCodeError as unknown:
        similar = unknown.parameters["similar"]
        yield hit("ivan.unknown", "transact_at.code", value=case.ivan.code, similar=similar)
        return
    name = case.ivan.name
    if name and not same_name(name, listed.name):
        yield hit("ivan.name_differs", "transact_at.name", value=shown(name), listed=listed.name)


def _is_code(code: str) -> bool:
    return re.fullmatch("[0-9]{5}", code) is not None


@rule(error("confirmation.missing", f"portal guide, step 17; {DECREE_166}: sentence of liability"))
def confirmed(case: FormCase) -> Iterator[Hit]:
    """A person has confirmed the registration, where that is to be judged."""
    if case.confirmed is False:
        yield hit("confirmation.missing", "confirmed")
