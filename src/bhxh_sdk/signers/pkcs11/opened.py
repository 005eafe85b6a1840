"""One inserted token: a session that is kept, and one login."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, final

from bhxh_sdk.errors import BhxhError, SigningError
from bhxh_sdk.signers.pkcs11 import outcomes
from bhxh_sdk.signers.pkcs11.ckr import CKR_GONE
from bhxh_sdk.signers.pkcs11.contract import CkrError, TokenFlag
from bhxh_sdk.signers.pkcs11.criteria import shown
from bhxh_sdk.signers.pkcs11.locks import FORKED
from bhxh_sdk.signers.pkcs11.pin import check_flags
from bhxh_sdk.signers.pkcs11.pin_memory import memory, same_chip
from bhxh_sdk.token_errors import PinError, TokenRemovedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.pkcs11.contract import (
        Module,
        Session,
        TokenCertificate,
        TokenInfo,
        TokenKey,
    )
    from bhxh_sdk.signers.pkcs11.locks import ModuleLock
    from bhxh_sdk.signers.pkcs11.pin_memory import SentPin

__all__ = ["SESSION_LOST", "OpenedToken", "same_token"]

T = TypeVar("T")

SESSION_LOST = frozenset({0xB3, 0xB0, 0x82, 0x190})
"""CKR_SESSION_HANDLE_INVALID, SESSION_CLOSED, OBJECT_HANDLE_INVALID, CRYPTOKI_NOT_INITIALIZED."""

_LOGIN_LOST = frozenset({0x32, 0xE0, 0xB0, 0xB3, 0x101, 0x190})
"""CKR_DEVICE_REMOVED, TOKEN_NOT_PRESENT, SESSION_CLOSED, SESSION_HANDLE_INVALID, USER_NOT_LOGGED_IN,
CRYPTOKI_NOT_INITIALIZED: no session of this process has the login any more."""

_NOT_JUDGED = frozenset({0x102, 0x104})
"""CKR_USER_PIN_NOT_INITIALIZED, USER_ANOTHER_ALREADY_LOGGED_IN: there was nothing to compare the PIN with.

Not those that tell of a token or a session that is gone: chips count an entry before they answer."""

_CANCELLED = frozenset({0x01, 0x50, 0x200})
"""CKR_CANCEL, FUNCTION_CANCELED, FUNCTION_REJECTED: on a pad, that no PIN was entered there."""

_WRONG = frozenset({0xA0, 0xA1, 0xA2})
"""CKR_PIN_INCORRECT, PIN_INVALID, PIN_LEN_RANGE: this PIN is not the token's."""

_ALREADY_LOGGED_IN = 0x100
"""CKR_USER_ALREADY_LOGGED_IN: the login is there, and nobody has looked at the PIN."""


@final
class OpenedToken:
    """Keep one session with a token that is inserted.

    Args:
        module: the module that shows it.
        token: the token as it was seen last.

    """

    def __init__(self, module: Module, token: TokenInfo) -> None:
        self.module = module
        self.token = token
        self.name = shown(token)
        self.closed = False
        self._had_keys = False
        self._twins = 1
        """How many tokens with this one's number the driver showed last, itself among them."""
        self._lock = memory.lock(token)
        self._session: Session | None = None
        self._certificates: tuple[TokenCertificate, ...] | None = None

    @property
    def session(self) -> Session:
        """The session, opened where there is none.

        Raises:
            CkrError: the driver opens none.
            SigningError: the token was closed.

        """
        if self.closed:  # by a signal's handler, or another thread: nobody would close a session again
            raise SigningError("signing.closed", name=self.name)
        if self._session is None:
            self._session = self.module.open(self.token.slot)
        return self._session

    def fresh(self) -> TokenInfo:
        """Return the token with its flags read anew.

        Raises:
            TokenRemovedError: it is not there any more.
            TokenError: the driver failed.

        """
        try:
            found = self.found()
        except CkrError as error:
            raise outcomes.token_error(error, self.name) from error
        if found is None:
            self.drop()
            raise TokenRemovedError(name=self.name)
        self.token = found
        return found

    def found(self) -> TokenInfo | None:
        """Return the token as it is now; None when it is gone.

        Raises:
            CkrError: the driver failed.

        """
        tokens = self.module.tokens()
        self._twins = sum(same_chip(token, self.token) for token in tokens)
        return next((token for token in tokens if same_token(token, self.token)), None)

    def certificates(self, *, anew: bool = False) -> tuple[TokenCertificate, ...]:
        """List the certificates on the token.

        Args:
            anew: whether to read them again, though they were read in this session.

        Raises:
            TokenError: the token or its driver failed.

        """
        if anew or self._certificates is None or self._session is None:
            self._certificates = self._read(lambda session: session.certificates())
        return self._certificates

    def keys(self) -> tuple[TokenKey, ...]:
        """List the private keys that are visible now.

        Raises:
            TokenError: the token or its driver failed.

        """
        found = self._read(lambda session: session.keys())
        if found and memory.is_logged_in(self.token, self.module):
            memory.logged_in(self.token, self, self.module)  # another session's login is this one's, too
        elif self._had_keys and not found:
            memory.logged_out(self)  # by another program
        self._had_keys = bool(found)
        return found

    @property
    def is_open(self) -> bool:
        """Whether it needs no login, or has one: a key that is not listed is not there."""
        return memory.holds_login(self) or not self.token.flags & TokenFlag.LOGIN_REQUIRED

    def mechanisms(self) -> frozenset[int]:
        """Return the token's mechanisms.

        Raises:
            TokenError: the token or its driver failed.

        """
        try:
            return self.module.mechanisms(self.token.slot)
        except CkrError as error:
            raise self.trouble(error) from error

    def alone(self) -> ModuleLock:
        """Return what holds off every other signer of this token: `with token.alone(): …`.

        Raises:
            TokenError: this process is a fork of the one that opened the token.

        """
        if self._lock.forked:
            raise outcomes.token_error(CkrError(0x190, "", FORKED), self.name)
        return self._lock

    def log_in(
        self,
        pin: Secret | None,
        *,
        allow_last_try: bool,
        wrong_before: int | None = None,
        at_hand: bool = False,
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        """Log in with one C_Login at most, flags and session looked at just before.

        Another thread may have been faster: its login is this one's, too, and after its wrong PIN this one,
        for which nobody was warned, is not sent.

        Args:
            pin: the PIN; None where it is typed on a pad.
            allow_last_try: whether the last try may be spent, and a PIN sent that was refused before.
            wrong_before: how many wrong entries in a row there had been when the PIN was asked for.
            at_hand: whether nobody typed the PIN for this login.
            refused: told when the PIN was sent and not accepted, or may not have been.

        Raises:
            PinError: it was not accepted, or the token must not be tried.
            SigningError: the token was closed.
            TokenError: the token or its driver failed.

        """
        with self.alone():
            wrong = memory.wrong(self.fresh())
            shows_keys = bool(self.keys())  # a session that was lost meanwhile is opened anew, before the PIN
            if shows_keys and memory.is_logged_in(self.token, self.module):
                return
            check_flags(self.token, wrong, allow_last_try=allow_last_try)
            mark = memory.mark(self.token, pin)
            if not allow_last_try:
                memory.demand_new(self.token, mark, at_hand=at_hand)
            if wrong_before is not None and wrong > wrong_before:
                raise PinError("pin.meanwhile", name=self.name)
            self._send(pin, self.session, memory.sent(self.token, mark, self.module), refused)
            if not self.closed:
                memory.logged_in(self.token, self, self.module)

    def _send(self, pin: Secret | None, session: Session, sent: SentPin, refused: Callable[[], None]) -> None:
        """Call C_Login once, and note what became of the entry."""
        try:
            session.login(pin)
            self.accepted(sent)
        except CkrError as error:
            if error.code == _ALREADY_LOGGED_IN:
                memory.not_judged(sent)
                return
            if self.judged(error, sent):
                refused()
            raise self.refusal(error) from error
        except BaseException:  # a crash, or a signal: whether the entry was counted is not known
            refused()
            self.drop()
            raise

    def accepted(self, sent: SentPin) -> None:
        """Note that an entry was right; wrong ones stay where another chip may have had them.

        Args:
            sent: the entry.

        """
        memory.right(sent, alone=self._twins <= 1)

    def judged(self, error: CkrError, sent: SentPin) -> bool:
        """Note what became of an entry that was not accepted; tell whether it may have spent a try.

        Args:
            error: what the driver answered.
            sent: the entry.

        """
        if error.code in _WRONG:
            memory.refused(sent)
        elif error.code in _NOT_JUDGED or (sent.mark is None and error.code in _CANCELLED):
            memory.not_judged(sent)
            return False
        return True

    def refusal(self, error: CkrError) -> BhxhError:
        """Return the error for a login that failed; it is never tried again here.

        The flags are read again: they may say locked where the driver only said wrong.

        Args:
            error: what the driver answered.

        """
        try:
            now = self.found()
        except (CkrError, BhxhError):
            now = self.token
        self.drop(error)
        if now is None:
            return TokenRemovedError(name=self.name)
        return outcomes.login_error(error, self.name, now.flags)

    def trouble(self, error: CkrError) -> BhxhError:
        """Return the error for a call that failed, and let go of the session: nothing is sure of it."""
        self.drop(error)
        try:
            gone = self.found() is None
        except (CkrError, BhxhError):
            gone = False
        return TokenRemovedError(name=self.name) if gone else outcomes.token_error(error, self.name)

    def drop(self, error: CkrError | None = None) -> None:
        """Close the session; the next call opens one anew.

        Args:
            error: what the driver answered, where that is why: the login may be lost for everybody.

        """
        session, self._session = self._session, None
        self._certificates, self._had_keys = None, False
        memory.logged_out(self)
        if error is not None and error.code in _LOGIN_LOST:
            memory.login_lost(self.token, self.module)
        if session is not None:
            self.module.lock.outside(session.close)

    def close(self) -> None:
        """Close the session for good."""
        self.closed = True
        self.drop()

    def _read(self, call: Callable[[Session], T]) -> T:
        """Ask what changes nothing; a session that was lost meanwhile is opened anew, once."""
        kept = self._session is not None
        try:
            return call(self.session)
        except BhxhError:
            self.drop()
            raise
        except CkrError as error:
            if not kept or error.code not in SESSION_LOST | CKR_GONE:
                raise self.trouble(error) from error
            self.drop(error)
        try:
            return call(self.session)
        except CkrError as error:
            raise self.trouble(error) from error


def same_token(one: TokenInfo, other: TokenInfo) -> bool:
    """Tell whether two looks at a slot saw the same token there."""
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("slot", "label", "manufacturer", "model", "serial")
    )
