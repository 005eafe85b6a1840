"""What this process knows of the PINs that it sent: how many were wrong, which they were, who is logged in.

The tries belong to the chip, whichever signer, driver, binding or name it is seen through. What is written
down goes away with a right PIN of our own, and with nothing else: flags that are clear again may mean that
somebody entered the right one elsewhere, or that the driver has forgotten what it knew. Two chips may have
one serial number: what was entered under it anywhere is added up, and a right PIN clears its own place only.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, final
from weakref import WeakKeyDictionary

from attrs import evolve, field, frozen

from bhxh_sdk.signers.pkcs11.contract import TokenFlag
from bhxh_sdk.signers.pkcs11.criteria import shown
from bhxh_sdk.signers.pkcs11.locks import ModuleLock
from bhxh_sdk.token_errors import PinError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.pkcs11.contract import Module, TokenInfo

__all__ = ["PinMemory", "SentPin", "memory", "same_chip"]

_ROUNDS = 20_000
"""Some milliseconds for a mark: few PINs are marked, and who has a mark shall not get its PIN at leisure."""


@frozen
class _Tries:
    """What is known of the tokens with one number.

    Args:
        wrong: how many entries in a row were wrong, or may have been, by the place of the token.
        refused: mark of each PIN that was refused -> how often.
        doubted: marks of those that were sent and not accepted, or not yet.

    """

    wrong: Mapping[tuple[object, ...], int] = field(factory=dict)
    refused: Mapping[bytes, int] = field(factory=dict, repr=False)
    doubted: frozenset[bytes | None] = field(default=frozenset(), repr=False)


@frozen
class SentPin:
    """A PIN that is on its way to a token.

    Args:
        chip: whose tries it may spend.
        place: through which driver and slot, and under which name.
        mark: tells it from other PINs; None for one that is typed on a pad.
        before: what was known of the token.

    """

    chip: tuple[str, ...]
    place: tuple[object, ...]
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
        self._logins: WeakKeyDictionary[object, tuple[object, ...]] = WeakKeyDictionary()
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
        """Return how many wrong entries in a row the tokens with its number were given."""
        return sum(self._known(_chip(token)).wrong.values())

    def mark(self, token: TokenInfo, pin: Secret | None) -> bytes | None:
        """Return what tells a PIN of a token from its other ones; None for one that is typed on a pad."""
        if pin is None:
            return None
        names = *_chip(token), token.manufacturer, token.model, token.label
        salt = self._salt + "\0".join(names).encode(errors="surrogatepass")
        return hashlib.pbkdf2_hmac("sha256", pin.reveal().encode(), salt, _ROUNDS)  # no local: a traceback's

    def refusals(self, token: TokenInfo, mark: bytes | None) -> int:
        """Return how often the token has refused a PIN."""
        return 0 if mark is None else self._known(_chip(token)).refused.get(mark, 0)

    def demand_new(
        self, token: TokenInfo, mark: bytes | None, *, at_hand: bool = False, allowed: int = 0
    ) -> None:
        """Refuse a PIN that the token has refused before; the caller holds the token's lock.

        Args:
            token: the token.
            mark: the PIN's.
            at_hand: whether nobody typed it for this entry: then it is enough that it was not accepted.
            allowed: how many refusals were known to whoever said that it may be sent again.

        Raises:
            PinError: it was refused.

        """
        doubted = at_hand and mark in self._known(_chip(token)).doubted
        if doubted or self.refusals(token, mark) > allowed:
            raise PinError("pin.refused_before", name=shown(token))

    def sent(self, token: TokenInfo, mark: bytes | None, module: Module | None = None) -> SentPin:
        """Count an entry as wrong before it is sent: whatever happens then, a signal or a crash, it counts.

        A flag that told of a wrong entry before our first one counts, too: somebody else's. The caller holds
        the token's lock until it has said how it went: `right`, `refused`, `not_judged`, or nothing where it
        is not known.

        Args:
            token: the token, its flags read anew.
            mark: the PIN's.
            module: through which it is sent.

        """
        chip, place = _chip(token), _place(token, module and module.path)
        before = self._known(chip)
        told = not any(before.wrong.values()) and bool(token.flags & TokenFlag.USER_PIN_COUNT_LOW)
        self._tries[chip] = evolve(
            before,
            wrong={**before.wrong, place: before.wrong.get(place, 0) + 1 + told},
            doubted=before.doubted | {mark} - {None},
        )
        return SentPin(chip, place, mark, before)

    def right(self, sent: SentPin, *, alone: bool = True) -> None:
        """Start anew after a right entry, at the place where it was entered.

        Args:
            sent: the entry.
            alone: whether no other token with that number is inserted: which of the two was given the wrong
                entries is not known.

        """
        before = sent.before
        self._tries[sent.chip] = _Tries(
            wrong={**before.wrong, sent.place: 0} if alone else before.wrong,
            refused={mark: count for mark, count in before.refused.items() if mark != sent.mark},
            doubted=before.doubted - {sent.mark},
        )

    def refused(self, sent: SentPin) -> None:
        """Note that an entry is known to be wrong."""
        if sent.mark is not None:
            known = self._known(sent.chip)
            count = known.refused.get(sent.mark, 0) + 1
            self._tries[sent.chip] = evolve(known, refused={**known.refused, sent.mark: count})

    def not_judged(self, sent: SentPin) -> None:
        """Take an entry back that the token did not look at."""
        self._tries[sent.chip] = sent.before

    def logged_in(self, token: TokenInfo, holder: object, module: Module | None = None) -> None:
        """Note that the session of this holder has a login; it lasts as long as one of its holders."""
        self._logins[holder] = _place(token, module and id(module))

    def logged_out(self, holder: object) -> None:
        """Note that the login of this holder has ended."""
        self._logins.pop(holder, None)

    def is_logged_in(self, token: TokenInfo, module: Module | None = None) -> bool:
        """Tell whether this process is logged in to a token, through a module."""
        return bool(self._holders(token, module))

    def login_lost(self, token: TokenInfo, module: Module | None = None) -> None:
        """Note that a token has no login any more, whoever of us had it."""
        for holder in self._holders(token, module):
            self.logged_out(holder)

    def _holders(self, token: TokenInfo, module: Module | None) -> list[object]:
        place = _place(token, module and id(module))
        # Not `items()`: a finaliser, or another thread, may take a holder away while they are gone through.
        holders = [holder for known in self._logins.keyrefs() if (holder := known()) is not None]
        return [holder for holder in holders if self._logins.get(holder) == place]

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


def _place(token: TokenInfo, module: object) -> tuple[object, ...]:
    """Return where a token is: two that call themselves the same are never in one slot."""
    return module, token.slot, *_identity(token)


def same_chip(one: TokenInfo, other: TokenInfo) -> bool:
    """Tell whether two tokens may be one chip."""
    return _chip(one) == _chip(other)


def _identity(token: TokenInfo) -> tuple[str, ...]:
    return token.manufacturer, token.model, token.serial, token.label
