"""Accounts at the sandbox's agency: user names, passwords and their changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.sandbox.reasons import Reason, Refusal

if TYPE_CHECKING:
    from bhxh_sdk.ports import Clock

__all__ = ["Accounts"]

_ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LENGTH = 12
_SHORTEST = 8


class Accounts:
    """Remember the password of each account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._passwords: dict[str, str] = {}

    def issue(self, user_name: str) -> str:
        """Give the account a new password and return it."""
        drawn = self._clock.random_bytes(_LENGTH)
        password = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in drawn)
        self._passwords[user_name] = password
        return password

    def check(self, user_name: str, password: str) -> None:
        """Compare a password.

        Raises:
            Refusal: user name or password is wrong.

        """
        if not password or self._passwords.get(user_name) != password:
            raise Refusal(Reason.LOG_IN_REFUSED)

    def change(self, user_name: str, old: str, new: str) -> None:
        """Change a password.

        Raises:
            Refusal: the old password is wrong, or the new one is short or the same.

        """
        self.check(user_name, old)
        if len(new) < _SHORTEST or new == old:
            raise Refusal(Reason.PASSWORD_WEAK)
        self._passwords[user_name] = new
