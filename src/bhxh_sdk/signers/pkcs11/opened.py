"""One inserted token: a session that is kept, and one login."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, final

from bhxh_sdk.errors import BhxhError
from bhxh_sdk.signers.pkcs11 import outcomes
from bhxh_sdk.signers.pkcs11.ckr import CKR_GONE
from bhxh_sdk.signers.pkcs11.contract import CkrError, TokenFlag
from bhxh_sdk.signers.pkcs11.criteria import shown
from bhxh_sdk.signers.pkcs11.locks import FORKED
from bhxh_sdk.signers.pkcs11.pin import check_flags
from bhxh_sdk.signers.pkcs11.pin_memory import memory
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

_NO_TRY_SPENT = CKR_GONE | {0x01, 0x50, 0xB0, 0xB1, 0xB3, 0x102, 0x104, 0x190, 0x200}
"""Besides: CKR_CANCEL, FUNCTION_CANCELED, SESSION_CLOSED, SESSION_COUNT, SESSION_HANDLE_INVALID,
USER_PIN_NOT_INITIALIZED, USER_ANOTHER_ALREADY_LOGGED_IN, CRYPTOKI_NOT_INITIALIZED, FUNCTION_REJECTED."""

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
        self.refused_entry = False
        """Whether the last PIN was refused, or may have been."""
        self._had_keys = False
        self._lock = memory.lock(token)
        self._session: Session | None = None
        self._certificates: tuple[TokenCertificate, ...] | None = None

    @property
    def session(self) -> Session:
        """The session, opened where there is none.

        Raises:
            CkrError: the driver opens none.

        """
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
        return next((token for token in self.module.tokens() if same_token(token, self.token)), None)

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
        if found and memory.is_logged_in(self.token):
            memory.logged_in(self.token, self)  # another session's login is this one's, too
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
    ) -> None:
        """Log in with one C_Login at most, its flags read just before.

        Another thread may have been faster: its login is this one's, too, and after its wrong PIN this one,
        for which nobody was warned, is not sent.

        Args:
            pin: the PIN; None where it is typed on a pad.
            allow_last_try: whether the last try may be spent.
            wrong_before: how many wrong entries in a row there had been when the PIN was asked for.

        Raises:
            PinError: it was not accepted, or the token must not be tried.
            TokenError: the token or its driver failed.

        """
        with self.alone():
            self.refused_entry = False
            wrong = memory.wrong(self.fresh())
            if memory.is_logged_in(self.token) and self.keys():
                return
            check_flags(self.token, wrong, allow_last_try=allow_last_try)
            mark = memory.mark(self.token, pin)
            memory.demand_new(self.token, mark)
            if wrong_before is not None and wrong > wrong_before:
                raise PinError("pin.meanwhile", name=self.name)
            session = self._ready()
            self.refused_entry = True  # until the token has said otherwise
            sent = memory.sent(self.token, mark)
            try:
                session.login(pin)
                memory.right(sent)
            except CkrError as error:
                if error.code != _ALREADY_LOGGED_IN:
                    raise self.refusal(error, sent) from error
                memory.not_judged(sent)
            except BaseException:  # a crash, or a signal: whether the entry was counted is not known
                self.drop()
                raise
            self.refused_entry = False
            memory.logged_in(self.token, self)

    def refusal(self, error: CkrError, sent: SentPin) -> BhxhError:
        """Return the error for a login that failed; it is never tried again here.

        The flags are read again: they may say locked where the driver only said wrong.

        Args:
            error: what the driver answered.
            sent: the entry.

        """
        if error.code in _WRONG:
            memory.refused(sent)
        elif error.code in _NO_TRY_SPENT:
            memory.not_judged(sent)
            self.refused_entry = False
        try:
            now = self.found()
        except (CkrError, BhxhError):
            now = self.token
        self.drop()
        if now is None:
            return TokenRemovedError(name=self.name)
        return outcomes.login_error(error, self.name, now.flags)

    def trouble(self, error: CkrError) -> BhxhError:
        """Return the error for a call that failed, and let go of the session: nothing is sure of it."""
        self.drop()
        try:
            gone = self.found() is None
        except (CkrError, BhxhError):
            gone = False
        return TokenRemovedError(name=self.name) if gone else outcomes.token_error(error, self.name)

    def drop(self) -> None:
        """Close the session; the next call opens one anew."""
        session, self._session = self._session, None
        self._certificates, self._had_keys = None, False
        memory.logged_out(self)
        if session is not None:
            session.close()

    def close(self) -> None:
        """Close the session for good."""
        self.closed = True
        self.drop()

    def _ready(self) -> Session:
        """Return the session; one that cannot be opened has taken no PIN."""
        try:
            return self.session
        except CkrError as error:
            raise self.trouble(error) from error

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
        self.drop()
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
