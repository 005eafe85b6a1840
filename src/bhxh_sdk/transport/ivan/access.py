"""Who calls an I-VAN: with a token that the integrator brings, or one that an account is given."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bhxh_sdk.errors import NotSentError, RefusedError, SessionExpiredError, SetupError
from bhxh_sdk.transport.calling import as_reading, before_change
from bhxh_sdk.transport.profile import Access

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bhxh_sdk.models import Credentials
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.transport.calling import Answer, Caller

__all__ = ["IvanAccess", "preparing"]


class IvanAccess:
    """Call operations as the integrator's account.

    Args:
        caller: calls the I-VAN.
        token: a bearer token of the caller's own; None to log in with `account`.
        account: the integrator's account at the I-VAN; None with a token, or where no call needs one.

    """

    def __init__(self, caller: Caller, token: Secret | None, account: Credentials | None) -> None:
        self._caller = caller
        self._token = token
        self._account = account

    async def log_in(self, account: Credentials) -> Secret:
        """Return the token of an account.

        Raises:
            LogInRefusedError: user name or password is wrong; never tried again by code.
            UnexpectedReplyError: the answer is lost or cannot be understood.

        """
        values = {"user_name": account.user_name, "password": account.password}
        with as_reading():
            answer = await self._caller.once("log_in", values)
        return answer.token("token")

    async def read(self, operation: str, values: Mapping[str, Any] | None = None) -> Answer:
        """Call an operation that changes nothing; a session that has ended is opened again, once.

        Raises:
            SessionExpiredError: the token has ended and there is no account to log in with.

        """
        try:
            return await self._caller.read(operation, values, bearer=await self.bearer(operation))
        except SessionExpiredError:
            if self._account is None:
                raise
            self._token = None
        return await self._caller.read(operation, values, bearer=await self.bearer(operation))

    async def change(self, operation: str, values: Mapping[str, Any]) -> Answer:
        """Call an operation that changes something, sending it one time.

        It is sent once more, after logging in anew, when the I-VAN answers that the session has ended: by
        that it says itself that it did nothing.

        Raises:
            NotSentError: the session had ended, and with a caller's own token nobody can log in anew, or the
                new session was not taken either. Nothing was done.
            SetupError: the I-VAN refused to log the account in. Nothing was done.
            RefusedError: the other side said no.
            UnknownOutcomeError: no complete answer came.
            UnexpectedReplyError: the answer cannot be understood.

        """
        bearer = await self._bearer_for_change(operation)
        try:
            return await self._caller.once(operation, values, bearer=bearer)
        except SessionExpiredError as error:
            if bearer is None or self._account is None:
                raise NotSentError("not_sent.token" if bearer else "not_sent.session") from error
            self._forget(bearer)
        return await self._change_once_more(operation, values)

    async def _change_once_more(self, operation: str, values: Mapping[str, Any]) -> Answer:
        bearer = await self._bearer_for_change(operation)
        try:
            return await self._caller.once(operation, values, bearer=bearer)
        except SessionExpiredError as error:
            self._forget(bearer)
            raise NotSentError("not_sent.session") from error

    async def _bearer_for_change(self, operation: str) -> Secret | None:
        with preparing():
            return await self.bearer(operation)

    def _forget(self, bearer: Secret | None) -> None:
        """Drop a token that has ended, unless another call has already brought a newer one."""
        if self._token is bearer:
            self._token = None

    async def bearer(self, operation: str) -> Secret | None:
        """Return the token that an operation needs; None when it needs none.

        Raises:
            UnsupportedOperationError: the profile does not have the operation.
            SetupError: it needs one, and neither a token nor an account was given.

        """
        if self._caller.profile.endpoint(operation).access is not Access.BEARER:
            return None
        if self._token is None:
            if self._account is None:
                raise SetupError("setup.ivan_account", profile=self._caller.profile.name, operation=operation)
            self._token = await self.log_in(self._account)
        return self._token


@contextmanager
def preparing() -> Iterator[None]:
    """Say that nothing was filed when a call that only prepares a change fails."""
    with before_change():
        try:
            yield
        except RefusedError as error:
            said = {"agency_code": error.agency_code, "agency_text": error.agency_text}
            raise SetupError("setup.ivan_refused", **said) from error
