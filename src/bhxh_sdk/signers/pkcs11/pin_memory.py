"""What this process knows of the PINs that it sent: how many were wrong, which they were, who is logged in.

The tries belong to the chip, whichever signer, driver, binding or name it is seen through. What is written
down goes away with a right PIN of our own, and with nothing else: flags that are clear again may mean that
somebody entered the right one elsewhere, or that the driver has forgotten what it knew.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, final
from weakref import WeakKeyDictionary

from attrs import evolve, field, frozen

from bhxh_sdk.signers.pkcs11.criteria import shown
from bhxh_sdk.signers.pkcs11.locks import ModuleLock
from bhxh_sdk.token_errors import PinError

if TYPE_CHECKING:
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.pkcs11.contract import TokenInfo

__all__ = ["PinMemory", "SentPin", "memory"]

_ROUNDS = 20_000
"""Some milliseconds for a mark: few PINs are marked, and who has a mark shall not get its PIN at leisure."""


@frozen
class _Tries:
    """How many entries in a row were wrong, or may have been, and the marks of the PINs that were refused."""

    wrong: int = 0
    refused: frozenset[bytes] = field(default=frozenset(), repr=False)


@frozen
class SentPin:
    """A PIN that is on its way to a token.

    Args:
        chip: whose tries it may spend.
        mark: tells it from other PINs; None for one that is typed on a pad.
        before: what was known of the token.

    """

    chip: tuple[str, ...]
    mark: bytes | None = field(repr=False)
    before: _Tries


@final
class PinMemory:
    """Remember how many wrong PINs in a row each token was given by this process, and who is logged in.

    A login is the process's (PKCS#11 2.40, section 5.6): whoever opens another session with the token has it
    too. Of a PIN only a mark is kept, and only where it was refused.
    """

    __slots__ = ("_locks", "_logins", "_salt", "_tries")

    def __init__(self) -> None:
        self._logins: WeakKeyDictionary[object, tuple[str, ...]] = WeakKeyDictionary()
        self._tries: dict[tuple[str, ...], _Tries] = {}
        self._locks: dict[tuple[str, ...], ModuleLock] = {}
        self._salt = secrets.token_bytes(16)

    def lock(self, token: TokenInfo) -> ModuleLock:
        """Return the token's lock: between a look at the flags and the login nobody else may spend a try."""
        chip = _chip(token)
        if (known := self._locks.get(chip)) is not None and known.forked:
            del self._locks[chip]
        return self._locks.setdefault(chip, ModuleLock())

    def wrong(self, token: TokenInfo) -> int:
        """Return how many wrong entries in a row the token was given."""
        return self._known(_chip(token)).wrong

    def mark(self, token: TokenInfo, pin: Secret | None) -> bytes | None:
        """Return what tells a PIN of a token from its other ones; None for one that is typed on a pad."""
        if pin is None:
            return None
        salt = self._salt + "\0".join(_chip(token)).encode(errors="surrogatepass")
        return hashlib.pbkdf2_hmac("sha256", pin.reveal().encode(), salt, _ROUNDS)  # no local: a traceback's

    def demand_new(self, token: TokenInfo, mark: bytes | None) -> None:
        """Refuse a PIN that the token has refused before; the caller holds the token's lock.

        Args:
            token: the token.
            mark: the PIN's.

        Raises:
            PinError: it was refused.

        """
        if mark in self._known(_chip(token)).refused:
            raise PinError("pin.refused_before", name=shown(token))

    def sent(self, token: TokenInfo, mark: bytes | None) -> SentPin:
        """Count an entry as wrong before it is sent: whatever happens then, a signal or a crash, it counts.

        The caller holds the token's lock until it has said how it went: `right`, `refused`, `not_judged`, or
        nothing where that is not known.
        """
        chip = _chip(token)
        before = self._known(chip)
        self._tries[chip] = evolve(before, wrong=before.wrong + 1)
        return SentPin(chip, mark, before)

    def right(self, sent: SentPin) -> None:
        """Start anew after a right entry."""
        self._tries[sent.chip] = _Tries(refused=sent.before.refused)

    def refused(self, sent: SentPin) -> None:
        """Note that an entry is known to be wrong."""
        if sent.mark is not None:
            known = self._known(sent.chip)
            self._tries[sent.chip] = evolve(known, refused=known.refused | {sent.mark})

    def not_judged(self, sent: SentPin) -> None:
        """Take an entry back that the token did not look at."""
        self._tries[sent.chip] = sent.before

    def logged_in(self, token: TokenInfo, holder: object) -> None:
        """Note that the session of this holder has a login; it lasts as long as one of its holders."""
        self._logins[holder] = _identity(token)

    def logged_out(self, holder: object) -> None:
        """Note that the login of this holder has ended."""
        self._logins.pop(holder, None)

    def is_logged_in(self, token: TokenInfo) -> bool:
        """Tell whether this process is logged in to a token."""
        # Not `values()`: a finaliser, or another thread, may take a holder away while they are gone through.
        holders = [holder for known in self._logins.keyrefs() if (holder := known()) is not None]
        return _identity(token) in {self._logins.get(holder) for holder in holders}

    def holds_login(self, holder: object) -> bool:
        """Tell whether the login of this holder lasts."""
        return holder in self._logins

    def _known(self, chip: tuple[str, ...]) -> _Tries:
        return self._tries.get(chip, _Tries())


memory = PinMemory()
"""The process's own."""


def _chip(token: TokenInfo) -> tuple[str, ...]:
    """Return whose tries a PIN spends: drivers may show one chip by several names, but by its own number."""
    serial = token.serial.strip().casefold()
    return (serial.lstrip("0"),) if serial else _identity(token)


def _identity(token: TokenInfo) -> tuple[str, ...]:
    return token.manufacturer, token.model, token.serial, token.label
