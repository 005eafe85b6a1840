"""Activation codes of the sandbox's agency: drawn, handed in, expired, replaced."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  # attrs reads the annotations at run time
from typing import TYPE_CHECKING

from attrs import define, field

from bhxh_sdk.sandbox.reasons import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bhxh_sdk.ports import Clock
    from bhxh_sdk.sandbox.settings import AgencySettings

__all__ = ["Activations"]


@define
class _Code:
    text: str = field(repr=False)
    until: datetime
    tries_left: int
    revoked: bool = False


class Activations:
    """Remember which code was mailed for which case."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._codes: dict[str, _Code] = {}

    def draw(self, sending_key: str, settings: AgencySettings) -> tuple[str, datetime]:
        """Draw a code for a case and return it with the moment until which it is good."""
        alphabet = settings.code_alphabet
        text = "".join(
            alphabet[byte % len(alphabet)] for byte in self._clock.random_bytes(settings.code_length)
        )
        until = self._clock.now() + settings.code_lifetime
        self._codes[sending_key] = _Code(text, until, settings.tries)
        return text, until

    def revoke(self, sending_keys: Iterable[str]) -> None:
        """Make the codes of these cases useless."""
        for sending_key in sending_keys:
            if sending_key in self._codes:
                self._codes[sending_key].revoked = True

    def owner(self, code: str) -> str:
        """Return the sending key of the case that the code was mailed for, or an empty text."""
        return next((key for key, drawn in self._codes.items() if drawn.text == code), "")

    def check(self, sending_key: str, code: str) -> None:
        """Compare a code that was handed in with the one that was mailed.

        Raises:
            Refusal: it is wrong, expired or replaced, or was tried too often.

        """
        drawn = self._codes.get(sending_key)
        if drawn is None:
            raise Refusal(Reason.NOTHING_TO_ACTIVATE)
        if drawn.revoked or self._is_revoked(code):
            raise Refusal(Reason.CODE_REVOKED)
        if drawn.tries_left <= 0:
            raise Refusal(Reason.TOO_MANY_TRIES)
        if self._clock.now() > drawn.until:
            raise Refusal(Reason.CODE_EXPIRED)
        if code != drawn.text:
            drawn.tries_left -= 1
            raise Refusal(Reason.CODE_WRONG)

    def _is_revoked(self, code: str) -> bool:
        return any(drawn.revoked and drawn.text == code for drawn in self._codes.values())
