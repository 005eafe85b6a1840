"""How an application is admitted to a CSC service: HTTP Basic, OAuth 2.0, or a token from elsewhere.

Tokens stay in memory and are never written anywhere. A new one is fetched when the old one has expired; a
refused password, client secret or code is not sent again. Source: CSC API 1.0.4 and 2.0, auth/login and
oauth2; RFC 6749.
"""

from __future__ import annotations

import base64
import json
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlencode

from attrs import frozen

from bhxh_sdk.ports import Request
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.remote.conversation import Effect, called, needed, refused
from bhxh_sdk.signers.remote.reading import as_number, json_answer, unexpected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import Any

    from bhxh_sdk.ports import Reply
    from bhxh_sdk.signers.remote.conversation import Conversation
    from bhxh_sdk.signers.remote.csc_dialect import CscDialect, CscSettings
    from bhxh_sdk.signers.remote.csc_errors import CscErrors, Refusal

__all__ = ["CscLogin", "below", "secret_of"]

_USUAL_LIFE = 3600.0
_LONGEST_LIFE = 10.0 * 365 * 86400
_MARGIN = timedelta(seconds=30)
_TOKENS_HIDDEN = 6  # three access tokens, each with what renews it
_ACCESS = "access_token"
_REFRESH = "refresh_token"
_CODE = "authorization_code"
_CLIENT = "client_credentials"
_CLIENT_SECRET = "client_secret"  # noqa: S105  # the name of a secret
_WRONG_CLIENT = "invalid_client"
_PASSWORD = "password"  # noqa: S105  # the name of a secret
_JSON = (("Content-Type", "application/json"), ("Accept", "application/json"))
_FORM = (("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"))


@frozen(kw_only=True)
class _Token:
    """An access token, and what renews it."""

    access: Secret
    refresh: Secret | None
    ends: datetime


def below(base: str, path: str) -> str:
    """Return an address below another."""
    return f"{base.rstrip('/')}/{path}"


class CscLogin:
    """The application's own log-in, with the tokens that it has now.

    Args:
        settings: the profile's settings.
        dialect: the dialect.
        errors: reads errors.

    """

    def __init__(self, settings: CscSettings, dialect: CscDialect, errors: CscErrors) -> None:
        self._settings = settings
        self._dialect = dialect
        self._errors = errors
        self._token: _Token | None = None
        self._refresh: Secret | None = None
        self._masked: deque[Secret] = deque(maxlen=_TOKENS_HIDDEN)

    @property
    def renews(self) -> bool:
        """Whether a token that was refused can be replaced without anybody's help."""
        return self._refresh is not None or self._settings.login in {"basic", _CLIENT}

    def hidden(self) -> Iterable[Secret]:
        """Return the tokens that are held now, and some before: an error may repeat one that was refused."""
        return tuple(self._masked)

    def forget(self) -> None:
        """Forget all tokens."""
        self._token = self._refresh = None
        self._masked.clear()

    def denied(self, refusal: Refusal) -> Conversation[None]:
        """Take note that the token may have been refused: the next call logs in anew."""
        self._token = None
        if self._settings.login == "token" and refusal.names_token:
            yield from refused(_ACCESS)

    def bearer(self, now: datetime, lasting: float = 0.0) -> Conversation[Secret | None]:
        """Return the token for the next call; None where none is wanted.

        Args:
            now: the present moment.
            lasting: for how many seconds it should be good, where a new one needs nobody's help.

        Raises:
            ProviderLoginError: the log-in was refused.
            UnexpectedReplyError: its answer cannot be understood.

        """
        if self._settings.login == "none":
            return None
        if self._settings.login == "token":
            return (yield from self.given())
        needed_until = now + timedelta(seconds=lasting if self.renews else 0.0)
        if self._token is None or needed_until >= self._token.ends:
            self._token = None
            self._token = yield from self._renewed(now)
            self._refresh = self._token.refresh or self._refresh
            self._masked.extend(filter(None, (self._token.access, self._refresh)))
        return self._token.access

    def given(self) -> Conversation[Secret]:
        """Return the access token that somebody else obtained."""
        return (yield from needed(_ACCESS, self._settings.base_url))

    def by_code(self, wanted: Mapping[str, str], now: datetime) -> Conversation[Secret]:
        """Let a person consent in the browser, and return the token that the code is good for.

        Args:
            wanted: what the person consents to, as parameters of the address that is opened.
            now: the present moment.

        """
        token = yield from self._by_code(wanted, now)
        return token.access

    def _renewed(self, now: datetime) -> Conversation[_Token]:
        if self._refresh is not None:
            request = yield from self._refreshing(self._refresh)
            reply = yield from called(request, Effect.LOGS_IN)
            refusal = self._errors.refusal(reply, starts=False)
            if refusal is None:
                return _read(reply, self._refresh, now)
            yield from self._not_refreshed(refusal)
        return (yield from self._logged_in(now))

    def _not_refreshed(self, refusal: Refusal) -> Conversation[None]:
        """Forget a refresh token that was refused; any other error is no reason to.

        Raises:
            ProviderError: it was not the refresh token that was refused.

        """
        if refusal.code == _WRONG_CLIENT:
            yield from refused(_CLIENT_SECRET)
            raise refusal.error()
        # `auth/login` has no name of its own for a refresh token that is not good any more
        is_odd = self._settings.login == "basic" and refusal.code == "invalid_request"
        if not refusal.denies_login and not is_odd:
            raise refusal.error()
        self._refresh = None
        yield from refused(_REFRESH)

    def _logged_in(self, now: datetime) -> Conversation[_Token]:
        if self._settings.login == "basic":
            return (yield from self._by_password(now))
        if self._settings.login == _CLIENT:
            form = {"grant_type": _CLIENT, "scope": self._settings.scope}
            request = yield from self._token_request(form)
            return (yield from self._fetched(request, _CLIENT_SECRET, now))
        if self._settings.login == _REFRESH:
            kept = yield from needed(_REFRESH, self._settings.client_id)
            request = yield from self._refreshing(kept)
            return (yield from self._fetched(request, _REFRESH, now, kept))
        return (yield from self._by_code({"scope": self._settings.scope}, now))

    def _by_password(self, now: datetime) -> Conversation[_Token]:
        password = yield from needed(_PASSWORD, self._settings.user_name)
        return (yield from self._fetched(self._basic_login(password), _PASSWORD, now))

    def _basic_login(self, password: Secret) -> Request:
        headers = (("Authorization", _basic(self._settings.user_name, password)), *_JSON)
        body = json.dumps({"rememberMe": True}).encode()
        return Request(method="POST", url=self._login_url, headers=headers, body=body)

    def _by_code(self, wanted: Mapping[str, str], now: datetime) -> Conversation[_Token]:
        client = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._settings.redirect_uri,
        }
        address = below(self._settings.oauth_base, self._dialect.consent_path)
        code = yield from needed(_CODE, f"{address}?{urlencode({**client, **wanted})}")
        form = {"grant_type": _CODE, "redirect_uri": self._settings.redirect_uri}
        request = yield from self._token_request(form, "code", code)
        yield from refused(_CODE)  # it is good once, whatever the answer
        return (yield from self._fetched(request, _CODE, now))

    def _refreshing(self, held: Secret) -> Conversation[Request]:
        if self._settings.login == "basic":
            body = json.dumps({_REFRESH: held.reveal()}).encode()
            return Request(method="POST", url=self._login_url, headers=_JSON, body=body)
        return (yield from self._token_request({"grant_type": _REFRESH}, _REFRESH, held))

    def _token_request(
        self, form: Mapping[str, str], member: str = "", value: Secret | None = None
    ) -> Conversation[Request]:
        secret = yield from needed(_CLIENT_SECRET, self._settings.client_id)
        headers: tuple[tuple[str, str], ...] = _FORM
        whole = dict(form)
        if value is not None:
            whole[member] = value.reveal()
        if self._dialect.client_in == "header":
            name = quote_plus(self._settings.client_id)
            headers = (("Authorization", _basic(name, secret, quoted=True)), *_FORM)
        else:
            whole |= {"client_id": self._settings.client_id, _CLIENT_SECRET: secret.reveal()}
        url = below(self._settings.oauth_base, self._dialect.token_path)
        return Request(method="POST", url=url, headers=headers, body=urlencode(whole).encode())

    def _fetched(
        self, request: Request, secret: str, now: datetime, held: Secret | None = None
    ) -> Conversation[_Token]:
        reply = yield from called(request, Effect.LOGS_IN)
        refusal = self._errors.refusal(reply, starts=False)
        if refusal is None:
            return _read(reply, held, now)
        if refusal.denies_login:
            yield from refused(_CLIENT_SECRET if refusal.code == _WRONG_CLIENT else secret)
        raise refusal.error()

    @property
    def _login_url(self) -> str:
        return below(self._settings.base_url, self._dialect.login_path)


def _read(reply: Reply, held: Secret | None, now: datetime) -> _Token:
    access, refresh, told = _given(reply)
    if access is None:
        raise unexpected(reply)
    life = _USUAL_LIFE if told is None else min(max(0.0, told), _LONGEST_LIFE)
    ends = now + timedelta(seconds=life) - min(_MARGIN, timedelta(seconds=life / 2))
    return _Token(access=access, refresh=refresh or held, ends=ends)


def _given(reply: Reply) -> tuple[Secret | None, Secret | None, float | None]:
    """Return access token, refresh token and life; no frame that an error may show keeps the answer."""
    answer = json_answer(reply)
    access, refresh = secret_of(answer.get(_ACCESS)), secret_of(answer.get(_REFRESH))
    return access, refresh, as_number(answer.get("expires_in"))


def secret_of(value: Any) -> Secret | None:  # noqa: ANN401  # foreign JSON
    """Return a foreign token as a secret; None for what can stand in no header, or is empty."""
    if isinstance(value, str) and value.isascii() and value.isprintable() and value:
        return Secret(value)
    return None


def _basic(name: str, secret: Secret, *, quoted: bool = False) -> str:
    """Return the header of HTTP Basic; OAuth 2.0 wants both parts form-encoded (RFC 6749, section 2.3.1)."""
    password = quote_plus(secret.reveal()) if quoted else secret.reveal()
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"
