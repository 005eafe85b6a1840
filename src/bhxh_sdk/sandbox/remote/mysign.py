"""A sandbox of Viettel MySign v1, as far as its interface is known: log in, list, sign hashes, tell."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import define, field, frozen

from bhxh_sdk.sandbox.remote.desk import DeskState, Mischief
from bhxh_sdk.sandbox.remote.phone import Answer
from bhxh_sdk.sandbox.remote.provider import digest_of, json_of, json_reply, planned_reply, text_base64
from bhxh_sdk.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bhxh_sdk.ports import Reply, Request
    from bhxh_sdk.sandbox.pki import SandboxCertificate
    from bhxh_sdk.sandbox.remote.desk import Credential, SigningDesk, Transaction

__all__ = ["SandboxMySign"]

_LOGIN = "/vtss/service/ras/v1/login"
_CERTIFICATES = "/vtss/service/certificates/info"
_SIGN = "/vtss/service/signHash"
_STATUS = "/vtss/service/requests/status"

_PLAIN = re.compile(rb"[a-zA-Z0-9_\- ]+")
_TEXT_LIMIT = 100
_ALGORITHMS = {"hashAlgo": "2.16.840.1.101.3.4.2.1", "signAlgo": "1.2.840.113549.1.1.1"}
_STATUSES = {
    DeskState.CONFIRMED: "6000",
    DeskState.DONE: "1",
    DeskState.DECLINED: "4002",
    DeskState.EXPIRED: "4001",
    DeskState.FAILED: "4004",
    DeskState.LOCKED: "4004",  # the interface has no word for it
}
_TEXTS = {
    "1": "Success",
    "4001": "Signing request timed out",
    "4002": "User rejected the signing request",
    "4004": "Signing failed",
    "4005": "Out of signing quota",
    "13004": "Certificate is expired or revoked",
    "50000": "Internal error",
}
_MISCHIEF = {Mischief.QUOTA: "4005", Mischief.REVOKED: "13004", Mischief.INTERNAL: "50000"}
_ERRORS: Mapping[str, tuple[int, str]] = {
    "58007": (400, "Client does not exist"),
    "58008": (400, "User does not exist"),
    "59033": (401, "Invalid user or password"),
    "86024": (400, "Invalid client secret"),
    "86002": (400, "TLS client certificate is revoked"),
    "60110": (400, "Extension is already registered"),
}
"""HTTP status and text; only the status of 59033 is known of the provider, the texts are invented."""


@frozen
class _Refusal(Exception):  # noqa: N818  # an answer, not a fault of the program
    """What is answered in place of what was asked for."""

    code: str
    text: str = ""
    status: int = 400

    def reply(self) -> Reply:
        status, text = _ERRORS.get(self.code, (self.status, self.text))
        return json_reply({"error": self.code, "error_description": text}, status)


@frozen
class _Pass:
    """What a token is good for."""

    user: str
    ends: datetime


@define(kw_only=True)
class SandboxMySign:
    """Answer as Viettel MySign v1 does, as far as that is known.

    Args:
        desk: its transactions; keys are added with `add`.
        passes: lets that much time pass, for the call that waits until the person has answered; such as
            `VirtualClock.advance`.
        client_id: the one application that is known.
        client_secret: its secret.
        profile_id: the one signing profile.
        token_seconds: how long a token lives.
        multisign: how many signatures a certificate allows under one confirmation, told as text.
        waiting: the status of a transaction that waits for the person: `4000`, or `0`.
        refuses: the error that every log-in is answered with; empty for none.

    Attributes:
        logins: how often somebody tried to log in.

    """

    desk: SigningDesk
    passes: Callable[[timedelta], object]
    client_id: str = "example-client"
    client_secret: Secret = field(factory=lambda: Secret("example-client-secret"))
    profile_id: str = "adss:ras:profile:001"
    token_seconds: int = 3600
    multisign: int = 2_147_483_647
    waiting: str = "4000"
    refuses: str = ""
    logins: int = field(default=0, init=False)
    _tokens: dict[str, _Pass] = field(factory=dict, init=False, repr=False)

    def add(self, issued: SandboxCertificate, *, owner: str = "MST_0100109106-1", name: str = "") -> str:
        """Keep a key, and return its credential id.

        Args:
            issued: certificate, chain and private key.
            owner: the user that it belongs to.
            name: the credential id; empty to draw one.

        """
        return self.desk.add(name or self.desk.new_id(), issued, owner=owner).name

    def end_tokens(self) -> None:
        """Take no token any more that was given so far."""
        self._tokens.clear()

    def profile_table(self, base_url: str, **changes: object) -> dict[str, Any]:
        """Return the table of a profile for this provider; the secret is in `EXAMPLE_CLIENT_SECRET`.

        Args:
            base_url: where it is served.
            changes: further members, or others.

        """
        owner = next((item.owner for item in self.desk.credentials.values()), "")
        return {
            "kind": "mysign",
            "base_url": base_url,
            "client_id": self.client_id,
            "client_secret_env": "EXAMPLE_CLIENT_SECRET",
            "user_id": owner,
            **changes,
        }

    @property
    def secrets(self) -> dict[str, Secret]:
        """The secrets of `profile_table`, by their name."""
        return {"client_secret": self.client_secret}

    def answer(self, request: Request) -> Reply:
        """Answer one request."""
        path = urlsplit(request.url).path
        roads = {
            _LOGIN: self._log_in,
            _CERTIFICATES: self._list,
            _SIGN: self._sign,
            _STATUS: self._tell,
        }
        if request.method != "POST" or path not in roads:
            return json_reply({"error": "not_found", "error_description": path}, 404)
        if (odd := planned_reply(self.desk, after=False)) is not None:
            return odd
        try:
            return roads[path](request, json_of(request))
        except _Refusal as refusal:
            return refusal.reply()

    def _log_in(self, _request: Request, asked: dict[str, Any]) -> Reply:
        self.logins += 1
        if self.refuses:
            raise _Refusal(self.refuses)
        self._admit(asked)
        token = f"access-{self.desk.new_id()}"
        ends = self.desk.now + timedelta(seconds=self.token_seconds)
        self._tokens[token] = _Pass(_text(asked, "user_id"), ends)
        told = {"access_token": token, "refresh_token": "", "token_type": "Bearer"}
        return json_reply({**told, "expires_in": str(self.token_seconds)})

    def _list(self, request: Request, asked: dict[str, Any]) -> Reply:
        user = self._user(request)
        self._admit(asked)
        if asked["user_id"] != user:
            raise _Refusal("59033")
        if _text(asked, "certificates") != "chain":
            raise _wrong("certificates")
        return json_reply(
            [self._listed(item) for item in self.desk.credentials.values() if item.owner == user]
        )

    def _sign(self, request: Request, asked: dict[str, Any]) -> Reply:
        user = self._user(request)
        self._admit_client(asked)
        credential = self.desk.credentials.get(_text(asked, "credentialID"))
        if credential is None or credential.owner != user:
            raise _wrong("credentialID")
        documents, names = _documents(asked)
        mode = asked.get("async")
        if type(mode) is not int or not 0 <= mode <= 3:  # noqa: PLR2004  # the modes of the interface
            raise _wrong("async")
        begun = self.desk.begin(credential, documents, shown=[_plain(asked, "description"), *names])
        if (odd := planned_reply(self.desk, after=True)) is not None:
            return odd
        if mode != 0:
            return json_reply({"transactionId": begun.name})
        self.passes(self._waits(begun))
        return self._stands(begun, waiting="4001")

    def _waits(self, begun: Transaction) -> timedelta:
        """Return how long a call waits for the person, and for the signature after that."""
        left = begun.ends - begun.begun
        silent = begun.ring.answer in {Answer.IGNORES, Answer.IS_UNREACHABLE}
        return left if silent else min(left, begun.ring.after + self.desk.signing)

    def _tell(self, request: Request, asked: dict[str, Any]) -> Reply:
        user = self._user(request)
        begun = self.desk.transactions.get(_text(asked, "transactionId"))
        if begun is None or begun.credential.owner != user:
            raise _wrong("transactionId")
        return self._stands(begun, waiting=self.waiting)

    def _stands(self, begun: Transaction, *, waiting: str) -> Reply:
        planned = self.desk.takes(*_MISCHIEF)
        state = self.desk.state(begun)
        status = _STATUSES.get(state, waiting) if planned is None else _MISCHIEF[planned]
        if state is DeskState.UNREACHABLE and self.desk.now >= begun.ends:
            status = "4001"
        answer: dict[str, Any] = {"status": status, "description": _TEXTS.get(status, "")}
        if status == "1":
            answer["signatures"] = [text_base64(value, self.desk) for _, value in self.desk.signed(begun)]
        return json_reply(answer)

    def _user(self, request: Request) -> str:
        """Return whose token came along."""
        header = next((value for name, value in request.headers if name == "authorization"), "")
        found = self._tokens.get(header.removeprefix("Bearer "))
        if found is None or self.desk.now >= found.ends:
            raise _Refusal("invalid_token", "The access token is invalid or expired", 401)
        return found.user

    def _admit(self, asked: dict[str, Any]) -> None:
        self._admit_client(asked)
        if _text(asked, "profile_id") != self.profile_id:
            raise _wrong("profile_id")
        owners = {item.owner for item in self.desk.credentials.values()}
        if _text(asked, "user_id") not in owners:
            raise _Refusal("58008")

    def _admit_client(self, asked: dict[str, Any]) -> None:
        if _text(asked, "client_id") != self.client_id:
            raise _Refusal("58007")
        if Secret(_text(asked, "client_secret")) != self.client_secret:
            raise _Refusal("86024")

    def _listed(self, credential: Credential) -> dict[str, Any]:
        """Describe a key; numbers and dates are texts."""
        facts = credential.issued.info
        certificate = {
            "status": "valid",
            "certificates": [base64.b64encode(item).decode() for item in credential.chain],
            "issuerDN": facts.issuer,
            "serialNumber": facts.serial_text,
            "subjectDN": facts.subject,
            "validFrom": f"{facts.not_before:%Y%m%d%H%M%S}+0000",
            "validTo": f"{facts.not_after:%Y%m%d%H%M%S}+0000",
        }
        return {
            "credential_id": credential.name,
            "key": {"status": "enabled", "algo": [_ALGORITHMS["signAlgo"]], "len": str(facts.key_bits)},
            "cert": certificate,
            "authMode": "implicit",
            "multisign": str(self.multisign),
            "scal": "2",
        }


def _wrong(member: str) -> _Refusal:
    """Return the refusal of a member. No source tells the provider's own code for it."""
    return _Refusal("invalid_request", f"{member} is missing or wrong")


def _text(asked: Any, member: str) -> str:  # noqa: ANN401  # what a client sent
    value = asked.get(member) if isinstance(asked, dict) else None
    if not isinstance(value, str) or not value:
        raise _wrong(member)
    return value


def _plain(asked: dict[str, Any], member: str) -> str:
    """Return a text that was sent in base64: plain letters, and base64 under 100 characters."""
    packed = _text(asked, member)
    try:
        text = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raise _wrong(member) from None
    if len(packed) >= _TEXT_LIMIT or not _PLAIN.fullmatch(text):
        raise _wrong(member)
    return text.decode()


def _documents(asked: dict[str, Any]) -> tuple[list[tuple[str, bytes]], list[str]]:
    """Return id and digest of each document, and the names; the three counts must agree."""
    count, hashes, documents = asked.get("numSignatures"), asked.get("hash"), asked.get("documents")
    if not isinstance(hashes, list) or not isinstance(documents, list) or not hashes:
        raise _wrong("hash")
    if not count == len(hashes) == len(documents):
        raise _wrong("numSignatures")
    for member, wanted in _ALGORITHMS.items():
        if asked.get(member) != wanted:
            raise _wrong(member)
    digests = [digest_of(text) for text in hashes]
    if any(digest is None or len(digest) != 32 for digest in digests):  # noqa: PLR2004  # bytes of SHA-256
        raise _wrong("hash")
    ids = [_text(item, "document_id") for item in documents]
    names = [_plain(item, "document_name") for item in documents]
    return [(name, digest or b"") for name, digest in zip(ids, digests, strict=True)], names
