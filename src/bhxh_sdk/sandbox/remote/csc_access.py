"""Who may call the CSC service of the sandbox: HTTP Basic, OAuth 2.0, tokens and their end."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

from attrs import frozen

from bhxh_sdk.sandbox.remote.provider import form_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bhxh_sdk.ports import Request
    from bhxh_sdk.sandbox.remote.desk import SigningDesk

__all__ = ["CREDENTIAL", "SERVICE", "CscAccess", "CscRefusal", "Grant"]

SERVICE = "service"
CREDENTIAL = "credential"
_BAD = 400
_UNAUTHORIZED = 401


class CscRefusal(Exception):  # noqa: N818  # what the service answers, not what went wrong here
    """A refusal as the specification writes it: HTTP status, name and text.

    Args:
        name: the error's name.
        text: its description.
        status: HTTP status.

    """

    def __init__(self, name: str, text: str = "", status: int = _BAD) -> None:
        super().__init__(name, text, status)
        self.name = name
        self.text = text
        self.status = status

    @property
    def body(self) -> dict[str, str]:
        """The JSON body."""
        return {"error": self.name, **({"error_description": self.text} if self.text else {})}


@frozen(kw_only=True)
class Grant:
    """What a token or a code is good for.

    Args:
        scope: `service` or `credential`.
        ends: when it expires.
        wanted: what a person consented to, as the address told it.

    """

    scope: str
    ends: datetime
    wanted: Mapping[str, str]


class CscAccess:
    """The accounts and tokens of the service.

    Args:
        desk: gives time and ids.
        is_demanded: whether calls need a token.
        life: how long a token is good.

    Attributes:
        client_id: the application's id.
        client_secret: its secret.
        user_name: the user's name for HTTP Basic.
        password: its password.
        redirect_uri: the application's address.
        refresh_tokens: those that are good.
        logins: how often somebody logged in, by the way.

    """

    def __init__(self, desk: SigningDesk, *, is_demanded: bool, life: timedelta = timedelta(hours=1)) -> None:
        self.client_id = "sandbox-client"
        self.client_secret = "sandbox-client-secret"
        self.user_name = "sandbox-user"
        self.password = "sandbox-password"
        self.redirect_uri = "https://app.example.com/signed"
        self.refresh_tokens: set[str] = set()
        self.logins: list[str] = []
        self.is_demanded = is_demanded
        self.life = life
        self._desk = desk
        self._tokens: dict[str, Grant] = {}
        self._codes: dict[str, Grant] = {}

    def token_for(self, scope: str = SERVICE, wanted: Mapping[str, str] | None = None) -> str:
        """Return a new access token."""
        token = f"access-{self._desk.new_id()}"
        self._tokens[token] = Grant(scope=scope, ends=self._desk.now + self.life, wanted=wanted or {})
        return token

    def grant_of(self, token: str) -> Grant | None:
        """Return what a token is good for; None where it is unknown or has expired."""
        grant = self._tokens.get(token)
        return None if grant is None or self._desk.now >= grant.ends else grant

    def demand(self, request: Request) -> str:
        """Return the token of a request.

        Raises:
            CscRefusal: it has none, or it is not good.

        """
        header = _header(request, "authorization")
        if not self.is_demanded and not header:
            return ""
        kind, _, token = header.partition(" ")
        if kind != "Bearer" or not token:
            raise CscRefusal("invalid_request", "Malformed authorization header.")
        if token not in self._tokens:
            raise CscRefusal("invalid_token", "Invalid access token", _UNAUTHORIZED)
        if self.grant_of(token) is None:
            raise CscRefusal("expired_token", "The access token has expired", _UNAUTHORIZED)
        return token

    def log_in(self, request: Request, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer `auth/login`."""
        if "refresh_token" in body:
            return self._refreshed(str(body["refresh_token"]), "invalid_request")
        given = _basic(_header(request, "authorization"))
        if given is None:
            raise CscRefusal("invalid_request", "Malformed authorization header.", _UNAUTHORIZED)
        self.logins.append("basic")
        if given != (self.user_name, self.password):
            raise CscRefusal("authentication_error", "An error occurred during authentication", _UNAUTHORIZED)
        return self._tokens_for(with_refresh=body.get("rememberMe") is True)

    def token(self, request: Request) -> dict[str, Any]:
        """Answer `oauth2/token`."""
        form = form_of(request)
        grants: Mapping[str, Callable[[Mapping[str, str]], dict[str, Any]]] = {
            "client_credentials": self._by_client,
            "authorization_code": self._by_code,
            "refresh_token": lambda form: self._refreshed(form.get("refresh_token", ""), "invalid_grant"),
        }
        grant = form.get("grant_type", "")
        self.logins.append(grant)
        basic = _basic(_header(request, "authorization"))
        client = (form.get("client_id"), form.get("client_secret"))
        if basic is not None:
            client = (unquote_plus(basic[0]), unquote_plus(basic[1]))
        if client != (self.client_id, self.client_secret):
            raise CscRefusal("invalid_client", "", _UNAUTHORIZED)
        if grant not in grants:
            raise CscRefusal("unsupported_grant_type")
        return grants[grant](form)

    def consent(self, address: str) -> str:
        """Do what a person does in the browser who opens this address and agrees; return the code.

        Raises:
            CscRefusal: the address asks for something that cannot be granted.

        """
        wanted = {name: values[-1] for name, values in parse_qs(urlsplit(address).query).items()}
        if wanted.get("response_type") != "code":
            raise CscRefusal("unsupported_response_type")
        if (wanted.get("client_id"), wanted.get("redirect_uri")) != (self.client_id, self.redirect_uri):
            raise CscRefusal("unauthorized_client")
        scope = wanted.get("scope", "")
        if scope not in {SERVICE, CREDENTIAL}:
            raise CscRefusal("invalid_scope")
        code = f"code-{self._desk.new_id()}"
        ends = self._desk.now + timedelta(minutes=1)
        self._codes[code] = Grant(scope=scope, ends=ends, wanted=wanted)
        return code

    def _by_client(self, form: Mapping[str, str]) -> dict[str, Any]:
        if form.get("scope") != SERVICE:
            raise CscRefusal("invalid_scope")
        return self._tokens_for(with_refresh=False)

    def _by_code(self, form: Mapping[str, str]) -> dict[str, Any]:
        grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or self._desk.now >= grant.ends or form.get("redirect_uri") != self.redirect_uri:
            raise CscRefusal("invalid_grant", "The code is not good any more")
        if grant.scope == CREDENTIAL:
            return self._told(self.token_for(CREDENTIAL, grant.wanted))
        return self._tokens_for(with_refresh=True)

    def _refreshed(self, token: str, error: str) -> dict[str, Any]:
        if token not in self.refresh_tokens:
            raise CscRefusal(error, "Invalid refresh token")
        self.refresh_tokens.remove(token)
        return self._tokens_for(with_refresh=True)

    def _tokens_for(self, *, with_refresh: bool) -> dict[str, Any]:
        answer = self._told(self.token_for())
        if with_refresh:
            answer["refresh_token"] = f"refresh-{self._desk.new_id()}"
            self.refresh_tokens.add(answer["refresh_token"])
        return answer

    def _told(self, token: str) -> dict[str, Any]:
        seconds = int(self.life.total_seconds())
        return {"access_token": token, "token_type": "Bearer", "expires_in": seconds}


def _header(request: Request, name: str) -> str:
    return next((value for key, value in request.headers if key.lower() == name), "")


def _basic(header: str) -> tuple[str, str] | None:
    kind, _, coded = header.partition(" ")
    try:
        name, colon, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (name, password) if kind == "Basic" and colon else None
