"""Refusals of the command line's own that say more than a text can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bhxh_sdk.errors import PersonNeededError

if TYPE_CHECKING:
    from bhxh_sdk.signers import SigningCertificate

__all__ = ["ChoiceNeededError"]


class ChoiceNeededError(PersonNeededError):
    """Several certificates could sign, and nobody is there to choose; `offered` are those that could."""

    default_code = "cli.choice_needed"

    def __init__(
        self,
        code: str | None = None,
        /,
        *,
        offered: tuple[SigningCertificate, ...] = (),
        **places: Any,  # noqa: ANN401  # field and reference are texts, the rest are parameters
    ) -> None:
        super().__init__(code, **places)
        self.offered = offered
