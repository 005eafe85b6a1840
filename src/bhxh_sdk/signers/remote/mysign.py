"""Viettel MySign (Cloud-CA), interface v1: log in, list, sign hashes, ask how it stands.

Source: an analysis of the vendor's integration document 1.8/1.9 (2025) and three clients; what they show is
in the shipped dialect `v1`. Nobody has tried this with the live service.

The provider draws the transaction's id and tells it in its answer only: when that answer is lost, nobody can
ask what became of the signature, and it is not sent again.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from attrs import evolve, frozen

from bhxh_sdk.errors import UnexpectedReplyError
from bhxh_sdk.ports import Request
from bhxh_sdk.signers.contract import Capabilities, SigningCertificate, SigningState
from bhxh_sdk.signers.remote.conversation import Effect, called, drawn, needed, noted, refused
from bhxh_sdk.signers.remote.csc_login import secret_of
from bhxh_sdk.signers.remote.mysign_dialect import account_of
from bhxh_sdk.signers.remote.phone_text import plain_base64
from bhxh_sdk.signers.remote.reading import (
    as_number,
    as_text,
    certificate_of,
    json_answer,
    signatures_in_order,
    unexpected,
    word,
)
from bhxh_sdk.signers.verdicts import Meaning, Verdict, concluded, verdict_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from bhxh_sdk.ports import Reply
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.contract import SigningJob, SigningTransaction
    from bhxh_sdk.signers.remote.conversation import Conversation
    from bhxh_sdk.signers.remote.mysign_dialect import Account
    from bhxh_sdk.signers.remote.profile import RemoteProfile
    from bhxh_sdk.signers.remote.protocol import Order

__all__ = ["MySign"]

_SHA256 = "2.16.840.1.101.3.4.2.1"
_RSA = "1.2.840.113549.1.1.1"
_SECRET = "client_secret"  # noqa: S105  # the name of a secret
_SEVERAL = "{count} tài liệu"
_LOGIN_REFUSED, _CLIENT_ERROR, _SERVER_ERROR = 401, 400, 500
_LONGEST_TOKEN_SECONDS = 86_400.0
_OPEN = frozenset({SigningState.PENDING, SigningState.CONFIRMED})
_NO_PROOF = frozenset({Verdict.PENDING, Verdict.CONFIRMED, Verdict.DONE, Verdict.FAILED})
"""What the status of a transaction does not prove where it comes as an error."""


@frozen
class _Token:
    """What a log-in gave, and until when it is used."""

    value: Secret
    ends: datetime


class MySign:
    """Speak Viettel MySign v1 for one signer; see `bhxh_sdk.signers.remote.protocol.RemoteProtocol`.

    A token belongs to the one signer that it was given to. It is kept here, and nowhere else.

    Args:
        account: the account in its dialect.

    """

    chooses_id = False

    def __init__(self, account: Account) -> None:
        self._account = account
        self._settings = account.settings
        self._dialect = account.dialect
        self._token: _Token | None = None
        self._masked: tuple[Secret, ...] = ()
        self._most = max(1, account.settings.largest_batch)

    @classmethod
    def of(cls, profile: RemoteProfile) -> Self:
        """Make the protocol of a profile.

        Raises:
            InputError: a member of the profile is unknown, missing or wrong; `field` names it.

        """
        return cls(account_of(profile))

    @property
    def capabilities(self) -> Capabilities:
        """What the provider can do; the largest batch shrinks to what the listed certificates allow."""
        return Capabilities(
            name="mysign",
            largest_batch=self._most,
            needs_secret=self._account.asks_secret,
            confirms_elsewhere=True,
            resumable=self._settings.async_mode != 0,
        )

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses that it calls."""
        return (self._settings.base_url,)

    @property
    def life_seconds(self) -> float:
        """How long a person has to confirm."""
        return self._dialect.life_seconds

    @property
    def poll_seconds(self) -> float:
        """How long to wait between two questions."""
        return self._dialect.poll_seconds

    def hidden(self) -> Iterable[Secret]:
        """Return the token that is held now, and the one before: an error may repeat either."""
        return self._masked

    def forget(self) -> None:
        """Forget the tokens."""
        self._token, self._masked = None, ()

    def certificates(self, now: datetime) -> Conversation[tuple[SigningCertificate, ...]]:
        """List what can sign. One unreadable certificate does not hide the others."""
        secret = yield from needed(_SECRET, self._settings.client_id)
        reply = yield from self._asked(partial(self._listing, secret), now)
        items = (yield from self._taken(reply)).get("items")
        if not isinstance(items, list):
            raise unexpected(reply)
        wanted = [item for item in items if isinstance(item, dict) and self._is_wanted(item)]
        listed = [(item, found) for item in wanted if (found := _certificate(item)) is not None]
        if wanted and not listed:
            raise unexpected(reply)
        allowed = [as_number(item.get("multisign")) or 0 for item, _ in listed]
        self._most = min(
            [max(1, self._settings.largest_batch), *(int(most) for most in allowed if most >= 1)]
        )
        return tuple(found for _, found in listed)

    def start(self, order: Order) -> Conversation[SigningTransaction]:
        """Start signing. What `signHash` answered, or did not, is never sent again."""
        token = yield from self._logged_in(order.now)
        secret = yield from needed(_SECRET, self._settings.client_id)
        moment = yield from drawn()
        transaction = evolve(
            order.transaction, deadline=moment.now + timedelta(seconds=self._dialect.life_seconds)
        )
        request = self._signing(secret, transaction, token)
        yield from noted(transaction)
        reply = yield from called(request, Effect.STARTS)
        if self._is_doubt(reply):
            raise unexpected(reply)
        answer = yield from self._taken(reply, transaction)
        name = as_text(answer.get("transactionId"))
        if name and not answer.get("signatures"):
            return evolve(transaction, state=SigningState.PENDING, provider_id=name)
        found = self._read(transaction, answer, reply)
        if found.state in _OPEN:  # without an id nobody can ask again
            raise unexpected(reply)
        return found

    def result(self, transaction: SigningTransaction, now: datetime) -> Conversation[SigningTransaction]:
        """Ask how a transaction stands."""
        reply = yield from self._asked(partial(self._question, transaction), now)
        answer = yield from self._taken(reply, transaction)
        return self._read(transaction, answer, reply)

    def _read(
        self, transaction: SigningTransaction, answer: dict[str, Any], reply: Reply
    ) -> SigningTransaction:
        """Return a transaction as an answer leaves it."""
        code, values = word(answer.get("status")), answer.get("signatures")
        verdict = self._account.statuses.get(code)
        if verdict is Verdict.DONE or (not code and values):
            values = values if isinstance(values, list) else []
            signatures = signatures_in_order(transaction, values)
            return evolve(transaction, state=SigningState.DONE, signatures=signatures)
        if verdict is None:
            raise unexpected(reply)
        return concluded(transaction, Meaning(verdict), code=code, text=as_text(answer.get("description")))

    def _asked(self, question: Callable[[Secret], Request], now: datetime) -> Conversation[Reply]:
        """Ask what changes nothing; where a token from before is not taken any more, log in and ask again."""
        is_old = self._is_held(now)
        reply = yield from called(question((yield from self._logged_in(now))))
        if is_old and reply.status == _LOGIN_REFUSED and word(_error(reply)[0]) not in self._account.errors:
            self._token = None
            reply = yield from called(question((yield from self._logged_in(now))))
        return reply

    def _is_held(self, now: datetime) -> bool:
        return self._token is not None and now < self._token.ends

    def _logged_in(self, now: datetime) -> Conversation[Secret]:
        """Return a token, of a new log-in where none is held."""
        if self._token is not None and now < self._token.ends:
            return self._token.value
        self._token = None
        secret = yield from needed(_SECRET, self._settings.client_id)
        reply = yield from called(self._login(secret), Effect.LOGS_IN)
        if reply.status == _LOGIN_REFUSED:
            yield from refused(_SECRET)
        answer = yield from self._taken(reply)
        value, life = secret_of(answer.get("access_token")), self._life(answer.get("expires_in"))
        answer.clear()  # a traceback shows variables, and tokens are among them
        if value is None:
            raise unexpected(reply)
        token = _Token(value, now + life)
        self._token, self._masked = token, (*self._masked[-1:], token.value)
        return token.value

    def _life(self, told: object) -> timedelta:
        """Return how long a token is used; the provider tells its life as text."""
        seconds = as_number(told)
        seconds = self._dialect.token_seconds if seconds is None else seconds
        seconds = min(max(0.0, seconds), _LONGEST_TOKEN_SECONDS)
        return timedelta(seconds=seconds - min(self._dialect.token_margin_seconds, seconds / 2))

    def _taken(
        self, reply: Reply, transaction: SigningTransaction | None = None
    ) -> Conversation[dict[str, Any]]:
        """Return an answer that is no error.

        Raises:
            ProviderError: it is the error of its code; a wrong secret of ours is not sent again.
            UnexpectedReplyError: it cannot be understood.

        """
        code, text = _error(reply)
        if not code and reply.status < _CLIENT_ERROR:
            return json_answer(reply)
        known = self._account.errors.get(word(code))
        verdict = known or self._usual_verdict(reply.status, code)
        if verdict is None:
            raise unexpected(reply)
        if verdict is Verdict.LOGIN:
            self._token = None
        if known is Verdict.LOGIN:
            yield from refused(_SECRET)
        reference = "" if transaction is None else transaction.transaction_id
        raise verdict_error(Meaning(verdict), code=code or str(reply.status), text=text, reference=reference)

    def _is_doubt(self, reply: Reply) -> bool:
        """Tell whether an error in place of an answer to `signHash` proves nothing.

        Something before the service may answer in its place, after the service has taken the request: only
        a known code is a no, and a token that is not taken.
        """
        code = word(_error(reply)[0])
        if not code or reply.status == _LOGIN_REFUSED or code in self._account.errors:
            return False
        told = self._account.statuses.get(code)
        return told is None or told in _NO_PROOF

    def _usual_verdict(self, status: int, code: str) -> Verdict | None:
        """Return what an error means whose code is none of the known ones; None where nobody can tell."""
        if status == _LOGIN_REFUSED:
            return Verdict.LOGIN
        if not code or status >= _SERVER_ERROR:
            return None
        return self._account.statuses.get(word(code), Verdict.REQUEST)

    def _is_wanted(self, item: dict[str, Any]) -> bool:
        return self._settings.credential_id in {"", as_text(item.get("credential_id"))}

    def _login(self, secret: Secret) -> Request:
        return self._request(self._dialect.login_path, {**self._client(secret), **self._signer()})

    def _listing(self, secret: Secret, token: Secret) -> Request:
        members = {"certificates": "chain", "certInfo": True, "authInfo": True}
        body = {**self._client(secret), **self._signer(), **members}
        return self._request(self._dialect.certificates_path, body, token)

    def _question(self, transaction: SigningTransaction, token: Secret) -> Request:
        return self._request(self._dialect.status_path, {"transactionId": transaction.provider_id}, token)

    def _signing(self, secret: Secret, transaction: SigningTransaction, token: Secret) -> Request:
        """Ask for signatures. The three counts agree; the credential is spelt otherwise than in the list."""
        jobs = transaction.jobs
        body = {
            **self._client(secret),
            "credentialID": transaction.key_id,
            "numSignatures": len(jobs),
            "description": plain_base64(self._settings.description or _called(jobs)),
            "documents": [
                {"document_id": job.document_id, "document_name": plain_base64(_name(job))} for job in jobs
            ],
            "hash": [self._digest(job) for job in jobs],
            "hashAlgo": _SHA256,
            "signAlgo": _RSA,
            "async": self._settings.async_mode,
        }
        request = self._request(self._dialect.sign_path, body, token)
        if self._settings.async_mode == 0:
            return evolve(request, deadline_seconds=self._dialect.blocking_seconds)
        return request

    def _client(self, secret: Secret) -> dict[str, str]:
        return {"client_id": self._settings.client_id, _SECRET: secret.reveal()}

    def _signer(self) -> dict[str, str]:
        return {"profile_id": self._settings.profile_id, "user_id": self._settings.user_id}

    def _digest(self, job: SigningJob) -> str:
        is_hex = self._dialect.hash_encoding == "hex"
        return job.digest.hex() if is_hex else base64.b64encode(job.digest).decode()

    def _request(self, path: str, body: dict[str, Any], token: Secret | None = None) -> Request:
        headers = [("content-type", "application/json"), ("accept", "application/json")]
        if token is not None and self._dialect.bearer:
            headers.append(("authorization", f"Bearer {token.reveal()}"))
        return Request(
            method="POST",
            url=self._settings.base_url.rstrip("/") + path,
            headers=tuple(headers),
            body=json.dumps(body).encode(),
        )


def _error(reply: Reply) -> tuple[str, str]:
    """Return code and text of an error; empty where the answer is none, or a page."""
    try:
        answer = json_answer(reply)
    except UnexpectedReplyError:
        return "", ""
    return as_text(answer.get("error")), as_text(answer.get("error_description"))


def _certificate(item: dict[str, Any]) -> SigningCertificate | None:
    """Return a listed certificate; None where it cannot be read. The chain begins with the signer's own."""
    certificate, name = item.get("cert"), as_text(item.get("credential_id"))
    chain = certificate.get("certificates") if isinstance(certificate, dict) else None
    found = certificate_of(chain[0]) if isinstance(chain, list) and chain else None
    if found is None or not name:
        return None
    return SigningCertificate(certificate=found, key_id=name, has_private_key=True)


def _called(jobs: tuple[SigningJob, ...]) -> str:
    return _name(jobs[0]) if len(jobs) == 1 else _SEVERAL.format(count=len(jobs))


def _name(job: SigningJob) -> str:
    return job.document_name or job.document_id
