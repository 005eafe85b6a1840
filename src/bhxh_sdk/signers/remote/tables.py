"""Tables of a dialect: what a provider's codes and words mean, written as a verdict and perhaps a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.signers.remote.profile import one_of
from bhxh_sdk.signers.verdicts import Meaning, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["meanings"]


def meanings(
    table: Mapping[str, str], place: str, form: Callable[[str], str] = str.upper
) -> dict[str, Meaning]:
    """Return what each code or word of a dialect's table means.

    Args:
        table: a verdict for each, and after a blank the provider's own name where it has one.
        place: the table's name in the dialect.
        form: brings a code or word to the form that it is compared in.

    Raises:
        UnknownCodeError: a verdict is not known; `field` names its entry.

    """
    known = [verdict.value for verdict in Verdict]
    found: dict[str, Meaning] = {}
    for code, text in table.items():
        verdict, _, name = text.partition(" ")
        one_of(f"dialect_changes.{place}.{code}", verdict, known)
        found[form(code)] = Meaning(Verdict(verdict), name)
    return found
