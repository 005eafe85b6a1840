"""PIN care: a PIN is asked for late, checked for its form first, sent once, and never sent as the last try.

Tokens lock after a few wrong PINs in a row, and many do not tell when one try is left: flags that are not set
promise nothing. So wrong entries are counted in this process, too; see `pin_memory`.

Source of the flags: PKCS#11 2.40, CK_TOKEN_INFO
(https://docs.oasis-open.org/pkcs11/pkcs11-base/v2.40/os/pkcs11-base-v2.40-os.html).
"""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING, NoReturn, SupportsIndex, final

from bhxh_sdk import messages
from bhxh_sdk.errors import PersonNeededError, SigningDeclinedError, WrongTypeError
from bhxh_sdk.messages import Term
from bhxh_sdk.ports import Question
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.pkcs11.contract import TokenFlag
from bhxh_sdk.signers.pkcs11.criteria import shown
from bhxh_sdk.token_errors import PinError, PinLastTryError, PinLockedError

if TYPE_CHECKING:
    from bhxh_sdk.ports import Ask
    from bhxh_sdk.signers.pkcs11.contract import TokenInfo

__all__ = ["PinSource", "check_flags", "check_form", "has_pad", "tell_of_pad"]

_ENOUGH_WRONG = 2
"""After so many wrong entries in a row the next may be the last: no token in the sources has fewer tries than
three."""


@final
class PinSource:
    """Know where the PIN comes from: given, in an environment variable, or from the person.

    One that was given, or read from the environment, and was not accepted is never sent again.

    Args:
        given: the PIN.
        variable: name of an environment variable that holds it.

    Raises:
        WrongTypeError: the PIN has another type.

    """

    __slots__ = ("_given", "_refused_by", "_variable")

    def __init__(self, given: Secret | str | None, variable: str) -> None:
        self._given: Secret | None = None
        self._variable = variable
        self._refused_by = ""
        if given is not None:
            self._given = _secret(given, "")

    @property
    def asks(self) -> bool:
        """Whether a person is asked."""
        return self._given is None and not self._variable

    async def pin(self, token: TokenInfo, owner: str, ask: Ask, wrong: int) -> Secret:
        """Return a PIN of a possible form, for one entry; the caller wipes it.

        Args:
            token: the token, its flags read anew.
            owner: the certificate's owner, whom the person is shown.
            ask: the person.
            wrong: how many wrong entries in a row the token was given before.

        Raises:
            PinError: there is none, it cannot be right by its form, or it was refused before.

        """
        name = shown(token)
        if self.asks:
            pin = _secret(await ask.secret(_question(token, owner, wrong)), name)
        elif self._refused_by:
            raise PinError("pin.refused_before", name=self._refused_by)
        else:
            pin = self._at_hand(name)
        try:
            check_form(pin, token)
        except PinError:
            pin.wipe()
            raise
        return pin

    def _at_hand(self, name: str) -> Secret:
        if self._given is not None:
            return Secret(self._given)
        if self._variable not in os.environ:
            raise PinError("pin.env_missing", name=name, variable=self._variable)
        return _secret(os.environ[self._variable], name)

    def refused(self, name: str) -> None:
        """Never send a PIN again that is at hand: it was not accepted.

        Args:
            name: the token that did not accept it.

        """
        self._refused_by = "" if self.asks else name
        self.wipe()

    def wipe(self) -> None:
        """Forget the PIN that was given."""
        if self._given is not None:
            self._given.wipe()

    def __repr__(self) -> str:
        return f"PinSource({'asked' if self.asks else self._variable or 'given'})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        msg = "it may hold a PIN and cannot be pickled or copied"
        raise TypeError(msg)


def check_form(pin: Secret, token: TokenInfo) -> None:
    """Refuse a PIN that cannot be right, before the token counts it.

    The standard counts bytes and some tokens count characters; a PIN is refused when it is wrong by both.

    Raises:
        PinError: it is empty, too short or too long for the token, or has control characters.

    """
    fault = _fault(pin.reveal(), token.shortest_pin, token.longest_pin)
    if fault:
        raise PinError(
            "pin.form",
            name=shown(token),
            reason=Term(f"pin.form.{fault}"),
            shortest=token.shortest_pin or "",
            longest=token.longest_pin or "",
        )


def _fault(text: str, shortest: int, longest: int) -> str:
    """Return the stable word for what is wrong with a PIN, in a frame of its own: no traceback holds it."""
    told = shortest <= longest or not longest
    faults = {
        "empty": not text,
        "characters": any(unicodedata.category(character) == "Cc" for character in text),
        "short": told and len(text.encode()) < shortest,
        "long": told and 0 < longest < len(text),
    }
    return next((word for word, holds in faults.items() if holds), "")


def check_flags(token: TokenInfo, wrong: int, *, allow_last_try: bool) -> None:
    """Refuse to log in where the token is locked, or would be after one wrong PIN.

    Args:
        token: the token, its flags read anew.
        wrong: how many wrong entries in a row this process gave it.
        allow_last_try: whether the caller said that the last try may be spent.

    Raises:
        PinLockedError: it takes no PIN any more.
        PinLastTryError: one try is left, or may be.

    """
    if token.flags & TokenFlag.USER_PIN_LOCKED:
        raise PinLockedError(name=shown(token), tries_left=0)
    if allow_last_try:
        return
    if token.flags & TokenFlag.USER_PIN_FINAL_TRY:
        raise PinLastTryError(name=shown(token), tries_left=1)
    if wrong >= _ENOUGH_WRONG:
        raise PinLastTryError("pin.maybe_last_try", name=shown(token), count=wrong)


def has_pad(token: TokenInfo) -> bool:
    """Tell whether the PIN is typed on the token or its reader."""
    return bool(token.flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH)


async def tell_of_pad(token: TokenInfo, owner: str, ask: Ask, wrong: int) -> None:
    """Tell the person that the PIN is wanted on the pad; nobody there means that the pad alone says so.

    Raises:
        SigningDeclinedError: the person said no.

    """
    question = Question(purpose="pin_pad", subject=_question(token, owner, wrong).subject)
    try:
        agreed = await ask.confirm(question)
    except PersonNeededError:
        return
    if not agreed:
        raise SigningDeclinedError("pin.pad_declined", name=shown(token))


def _question(token: TokenInfo, owner: str, wrong: int) -> Question:
    """Say which token asks and for whom, and warn, in both languages, where tries have been spent."""
    named = ", ".join(filter(None, (shown(token), owner)))
    code = ""
    if token.flags & TokenFlag.USER_PIN_FINAL_TRY:
        code = "pin.asked.last"
    elif wrong or token.flags & TokenFlag.USER_PIN_COUNT_LOW:
        code = "pin.asked.low"
    warning = " / ".join(messages.text(code, language) for language in messages.LANGUAGES) if code else ""
    return Question(purpose="pin", subject="; ".join(filter(None, (named, warning))))


def _secret(value: Secret | str, name: str) -> Secret:
    """Return a PIN as a secret; whatever is wrong with it, no frame of the error's traceback holds it."""
    kind = type(value).__name__
    is_text = isinstance(value, Secret | str)
    try:
        if is_text:
            return Secret(value)
    except ValueError:
        pass  # Python's own error carries the value
    del value
    if not is_text:
        raise WrongTypeError(field="pin", expected="Secret or str", got=kind)
    raise PinError("pin.form", name=name, reason=Term("pin.form.encoding"))
