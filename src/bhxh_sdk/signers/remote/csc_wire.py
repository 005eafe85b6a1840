"""Calls of a CSC service: JSON below one address, with the application's token; errors are read here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bhxh_sdk.ports import Request
from bhxh_sdk.signers.remote.conversation import Effect, called, noted
from bhxh_sdk.signers.remote.csc_login import below
from bhxh_sdk.signers.remote.reading import unexpected

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bhxh_sdk.ports import Reply
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.contract import SigningTransaction
    from bhxh_sdk.signers.remote.conversation import Conversation
    from bhxh_sdk.signers.remote.csc_dialect import CscSettings
    from bhxh_sdk.signers.remote.csc_errors import CscErrors, Refusal
    from bhxh_sdk.signers.remote.csc_login import CscLogin

__all__ = ["CscWire"]

_USUAL_SECONDS = 30.0


class CscWire:
    """Send the calls of one service.

    Args:
        settings: the profile's settings.
        login: the application's log-in.
        errors: reads errors.

    """

    def __init__(self, settings: CscSettings, login: CscLogin, errors: CscErrors) -> None:
        self._settings = settings
        self._login = login
        self._errors = errors

    def asked(
        self, path: str, members: Mapping[str, Any], now: datetime, effect: Effect = Effect.READS
    ) -> Conversation[Reply]:
        """Send a call that starts nothing, and return its answer, which is a yes.

        Raises:
            ProviderError: the service refused; see its subclasses.
            UnexpectedReplyError: the answer cannot be understood.

        """
        reply, refusal = yield from self.polled(path, members, now, effect, about_signature=False)
        if refusal is not None:
            raise refusal.error()
        return reply

    def polled(
        self,
        path: str,
        members: Mapping[str, Any],
        now: datetime,
        effect: Effect = Effect.READS,
        *,
        about_signature: bool = True,
    ) -> Conversation[tuple[Reply, Refusal | None]]:
        """Send a call that starts nothing, and return its answer and the clear no in it.

        A token that has just expired is replaced once.

        Args:
            path: path below the address.
            members: the members of the body.
            now: the present moment.
            effect: what it does.
            about_signature: whether a no may be a person's.

        Raises:
            ProviderLoginError: the log-in was refused.
            UnexpectedReplyError: the answer cannot be understood.

        """
        tries = 2 if self._login.renews else 1
        while True:
            token = yield from self._login.bearer(now)
            reply = yield from called(self._request(path, members, token, _USUAL_SECONDS), effect)
            refusal = self._errors.refusal(reply, starts=about_signature)
            tries -= 1
            if refusal is None or not refusal.denies_token:
                return reply, refusal
            yield from self._login.denied(refusal)
            if not tries:
                return reply, refusal

    def started(
        self,
        path: str,
        members: Mapping[str, Any],
        transaction: SigningTransaction,
        token: Secret | None,
        seconds: float,
    ) -> Conversation[tuple[Reply, Refusal | None]]:
        """Send a call that a person may notice, once, and return its answer and the clear no in it.

        Args:
            path: path below the address.
            members: the members of the body; secrets among them are written out in the body alone.
            transaction: what is kept before it is sent.
            token: the token, fetched before.
            seconds: how long it may take.

        Raises:
            UnexpectedReplyError: the answer cannot be understood, or does not say what became of the call.

        """
        request = self._request(path, members, token, seconds)
        yield from noted(transaction)
        reply = yield from called(request, Effect.STARTS)
        refusal = self._errors.refusal(reply, starts=True)
        if refusal is not None and refusal.denies_token:
            yield from self._login.denied(refusal)
        if refusal is not None and not refusal.is_final:
            raise unexpected(reply)
        return reply, refusal

    def _request(
        self, path: str, members: Mapping[str, Any], token: Secret | None, seconds: float
    ) -> Request:
        headers = [("Content-Type", "application/json"), ("Accept", "application/json")]
        if token is not None:
            headers.append(("Authorization", f"Bearer {token.reveal()}"))
        if self._settings.client_data:
            members = {**members, "clientData": self._settings.client_data}
        body = json.dumps(members, default=_written).encode()
        url = below(self._settings.base_url, path)
        return Request(method="POST", url=url, headers=tuple(headers), body=body, deadline_seconds=seconds)


def _written(secret: Secret) -> str:
    """Write a secret into the body; nothing else in it is unknown to JSON."""
    return secret.reveal()
