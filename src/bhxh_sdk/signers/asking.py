"""One login for many signatures: a password or PIN is asked for once and kept until the batch ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, SupportsIndex, final

from bhxh_sdk.secret import Secret

if TYPE_CHECKING:
    from bhxh_sdk.ports import Ask, CaptchaChallenge, Question

__all__ = ["AskOnce"]

_LASTING = frozenset({"key_password", "pin"})  # a one-time code would be wrong the second time


@final
class AskOnce:
    """Ask a person for each password or PIN once; every other question is passed on each time.

    Args:
        ask: the person.

    """

    __slots__ = ("_answers", "_ask")

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._answers: dict[tuple[str, str], Secret] = {}

    async def secret(self, question: Question) -> Secret:
        """Return the secret that the person entered, now or for the same question before."""
        if question.purpose not in _LASTING:
            return await self._ask.secret(question)
        known = question.purpose, question.subject
        if known not in self._answers:
            self._answers[known] = await self._ask.secret(question)
        return Secret(self._answers[known])  # a copy: whoever wipes it wipes its own

    async def captcha(self, challenge: CaptchaChallenge) -> str:
        """Return what the person read."""
        return await self._ask.captcha(challenge)

    async def choose(self, question: Question) -> int:
        """Return the person's choice."""
        return await self._ask.choose(question)

    async def confirm(self, question: Question) -> bool:
        """Return whether the person agrees."""
        return await self._ask.confirm(question)

    def forget(self) -> None:
        """Wipe the answers: at the end, and when a signer failed, for a wrong PIN is never tried again."""
        for answer in self._answers.values():
            answer.wipe()
        self._answers.clear()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        msg = "it may hold a PIN and cannot be pickled or copied"
        raise TypeError(msg)
