"""A service with the API of the Cloud Signature Consortium to try everything on: versions 1.0.4 and 2.0.

It asks for every member that the specification demands, and refuses with its errors and texts. What it shows
beyond a public test server of others: log-ins, JSON errors, PIN and one-time codes, activation data that
expire and are used up, limits, and the asynchronous answers of version 2.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import define, evolve

from bhxh_sdk.sandbox.remote.csc_access import CREDENTIAL, CscAccess, CscRefusal
from bhxh_sdk.sandbox.remote.csc_demands import (
    RSA,
    SHA256,
    SHA256_RSA,
    algorithms_of,
    described,
    digests_of,
    in_der,
    is_curve,
    missing,
    unpadded,
)
from bhxh_sdk.sandbox.remote.csc_people import CscPerson
from bhxh_sdk.sandbox.remote.desk import DeskState, Mischief, SigningDesk
from bhxh_sdk.sandbox.remote.phone import SandboxPhone
from bhxh_sdk.sandbox.remote.provider import json_of, json_reply, planned_reply, text_base64

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bhxh_sdk.ports import Clock, Reply, Request
    from bhxh_sdk.sandbox.pki import SandboxCertificate
    from bhxh_sdk.sandbox.remote.desk import Credential, Transaction

__all__ = ["CscProvider"]

_ACCEPTED = 202
_NO_CONTENT = 204
_NOT_FOUND = 404
_SERVER = 500
_AUTHORIZED = frozenset({DeskState.CONFIRMED, DeskState.DONE, DeskState.FAILED})
_DISABLED = "The credential identified by credentialID is disabled"


@define(kw_only=True)
class _Activation:
    """Activation data: what they are good for, and how much of it is left."""

    transaction: Transaction
    allowed: frozenset[bytes]
    left: int
    ends: datetime
    is_spent: bool = False


@define(kw_only=True)
class _Job:
    """Signatures that are asked after."""

    transaction: Transaction
    ready: datetime


class CscProvider:
    """A CSC service.

    Args:
        clock: the time that the service lives in.
        version: 1 or 2.
        mode: `implicit` (the phone rings; version 1 blocks, version 2 gives a handle), `explicit` (PIN and
            one-time code) or `oauth2code` (consent in the browser).
        phone: the phone of the person who confirms.
        life: how long a person has to confirm.
        signing: how long signing takes.
        needs_login: whether calls need a token.
        person: PIN and one-time code of the person.

    Attributes:
        desk: its transactions.
        access: its accounts.
        person: what the person knows.
        sad_life: how long activation data are good.
        multisign: the most hashes of one authorisation.
        scal: `2` where hashes are bound to the activation data, else `1`.
        disabled: the ids of keys that are disabled.
        trouble_at: which call planned trouble hits: `authorize` or `sign`.
        page_size: how many credentials one page of the list holds; 0 for all.
        algorithms: what RSA keys sign with.
        sads: the activation data that were given out.

    """

    def __init__(
        self,
        clock: Clock,
        *,
        version: int = 1,
        mode: str = "implicit",
        phone: SandboxPhone | None = None,
        life: timedelta = timedelta(seconds=300),
        signing: timedelta = timedelta(),
        needs_login: bool = False,
        person: CscPerson | None = None,
    ) -> None:
        self.desk = SigningDesk(clock, phone or SandboxPhone(), life=life, signing=signing)
        self.access = CscAccess(self.desk, is_demanded=needs_login)
        self.person = person or CscPerson(version)
        self.version = version
        self.mode = mode
        self.sad_life = timedelta(hours=1)
        self.multisign = 10
        self.scal = "2"
        self.trouble_at = "authorize"
        self.page_size = 0
        self.algorithms = (RSA, SHA256_RSA)
        self.disabled: set[str] = set()
        self.sads: dict[str, _Activation] = {}
        self._jobs: dict[str, _Job] = {}
        self._refusals: dict[str, CscRefusal] = {}
        self._hashes = "hash" if version == 1 else "hashes"
        self._hash_name = "hashAlgo" if version == 1 else "hashAlgorithmOID"

    def add(self, name: str, issued: SandboxCertificate) -> Credential:
        """Keep a key under a credential's id."""
        return self.desk.add(name, issued)

    def refuse(self, path: str, name: str, text: str = "", status: int = 400) -> None:
        """Plan a refusal of the next call to a path, such as `signatures/signHash`."""
        self._refusals[path] = CscRefusal(name, text, status)

    def profile_table(self, address: str, **settings: Any) -> dict[str, Any]:  # noqa: ANN401  # what TOML holds
        """Return a profile for this service, as a TOML file would hold it.

        Args:
            address: where it is served, without path.
            settings: further members.

        """
        table = {"kind": "csc", "dialect": f"v{self.version}", "base_url": f"{address}/csc/v{self.version}"}
        login = {"login": "client_credentials", "client_id": self.access.client_id}
        own = {**login, "client_secret_env": "CSC_CLIENT_SECRET"} if self.access.is_demanded else {}
        return {**table, **own, **settings}

    @property
    def secrets(self) -> dict[str, str]:
        """The secrets of the profile by their names."""
        return {
            "client_secret": self.access.client_secret,
            "password": self.access.password,
            "pin": self.person.pin,
            "otp": self.person.otp,
        }

    def answer(self, request: Request) -> Reply:
        """Answer one request."""
        path = urlsplit(request.url).path.removeprefix(f"/csc/v{self.version}/")
        try:
            if path in self._refusals:
                raise self._refusals.pop(path)
            return self._answered(path, request)
        except CscRefusal as refusal:
            return json_reply(refusal.body, refusal.status)

    def _answered(self, path: str, request: Request) -> Reply:
        body = json_of(request)
        if path == "auth/login":
            return json_reply(self.access.log_in(request, body))
        if path == "oauth2/token":
            return json_reply(self.access.token(request))
        calls: Mapping[str, Callable[[Mapping[str, Any], str], Reply]] = {
            "credentials/list": self._list,
            "credentials/info": self._info,
            "credentials/authorize": self._authorize,
            "credentials/sendOTP": self._send_otp,
            "credentials/extendTransaction": self._extend,
            "signatures/signHash": self._sign,
        }
        if self.version != 1:
            calls = {
                **calls,
                "credentials/authorizeCheck": self._check,
                "signatures/signPolling": self._poll,
            }
        if path not in calls or request.method != "POST":
            raise CscRefusal("invalid_request", "Unknown method", _NOT_FOUND)
        return calls[path](body, self.access.demand(request))

    def _list(self, body: Mapping[str, Any], _token: str) -> Reply:
        names = list(self.desk.credentials)
        first = int(body.get("pageToken") or 0)
        last = first + (self.page_size or len(names))
        answer: dict[str, Any] = {"credentialIDs": names[first:last]}
        if last < len(names):
            answer["nextPageToken"] = str(last)
        if self.version != 1 and body.get("credentialInfo") is True:
            answer["credentialInfos"] = [
                {"credentialID": name, **self._described(self.desk.credentials[name], body)}
                for name in names[first:last]
            ]
        return json_reply(answer)

    def _info(self, body: Mapping[str, Any], _token: str) -> Reply:
        return json_reply(self._described(self._credential(body), body))

    def _described(self, credential: Credential, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = described(credential, str(body.get("certificates")), self.algorithms, self.desk.now)
        if credential.name in self.disabled:
            answer["key"]["status"] = "disabled"
        limits = {"SCAL": self.scal, "multisign": self.multisign}
        return {**answer, **limits, **self.person.asked(self.mode)}

    def _authorize(self, body: Mapping[str, Any], _token: str) -> Reply:
        credential = self._credential(body)
        self._demand_able(credential)
        count = body.get("numSignatures")
        if not isinstance(count, int):
            raise missing("integer parameter numSignatures")
        if count > self.multisign:
            raise CscRefusal("invalid_request", "Numbers of signatures is too high")
        hashes = digests_of(body, self._hashes) if self._hashes in body or self.scal == "2" else []
        if hashes and len(hashes) != count:
            raise CscRefusal("invalid_request", "Invalid parameter numSignatures")
        if self.mode == "oauth2code":
            raise CscRefusal("invalid_request", "Invalid parameter credentialID")
        self.person.judge(body)
        odd = self._trouble("authorize", after=False)
        if odd is not None:
            return odd
        shown = (str(body.get("description", "")),)
        documents = [(base64.b64encode(item).decode(), item) for item in hashes]
        begun = self.desk.begin(credential, documents, shown=shown)
        odd = self._trouble("authorize", after=True)
        if odd is not None:
            return odd
        if self.version != 1 and self.mode == "implicit":
            return json_reply({"handle": begun.name}, _ACCEPTED)
        return self._activated(begun, count, self.desk.state(begun, begun.ends))

    def _check(self, body: Mapping[str, Any], _token: str) -> Reply:
        begun = self.desk.transactions.get(str(body.get("handle")))
        if begun is None:
            raise CscRefusal("invalid_request", "Invalid parameter handle")
        state = self.desk.state(begun)
        if state is DeskState.WAITING:
            return json_reply({"handle": begun.name}, _ACCEPTED)
        return self._activated(begun, len(begun.documents), state)

    def _activated(self, begun: Transaction, count: int, state: DeskState) -> Reply:
        if state not in _AUTHORIZED:
            raise self.person.refusal(state)
        name = base64.b64encode(f"sad-{self.desk.new_id()}".encode()).decode()
        allowed = frozenset(digest for _, digest in begun.documents)
        ends = self.desk.now + self.sad_life
        self.sads[name] = _Activation(transaction=begun, allowed=allowed, left=count, ends=ends)
        return json_reply({"SAD": name, "expiresIn": int(self.sad_life.total_seconds())})

    def _send_otp(self, body: Mapping[str, Any], _token: str) -> Reply:
        self._credential(body)
        self.person.send()
        return evolve(json_reply({}), status=_NO_CONTENT, body=b"")

    def _extend(self, body: Mapping[str, Any], _token: str) -> Reply:
        credential = self._credential(body)
        held = self._activation(body, credential)
        if held.left < 1:
            raise CscRefusal("invalid_request", "Invalid parameter SAD")
        del self.sads[str(body["SAD"])]
        name = base64.b64encode(f"sad-{self.desk.new_id()}".encode()).decode()
        self.sads[name] = evolve(held, is_spent=False, ends=self.desk.now + self.sad_life)
        return json_reply({"SAD": name, "expiresIn": int(self.sad_life.total_seconds())})

    def _sign(self, body: Mapping[str, Any], token: str) -> Reply:
        credential = self._credential(body)
        self._demand_able(credential)
        held = self._consented(body, credential, token) or self._activation(body, credential)
        digests = digests_of(body, self._hashes)
        self._demand_allowed(held, digests)
        self._demand_algorithm(body, credential)
        odd = self._trouble("sign", after=False)
        if odd is not None:
            return odd
        held.left -= len(digests)
        held.is_spent = True
        if held.transaction.fails:
            raise CscRefusal("server_error", "The hash could not be signed", _SERVER)
        odd = self._trouble("sign", after=True)
        if odd is not None:
            return odd
        documents = tuple((base64.b64encode(item).decode(), item) for item in digests)
        chosen = evolve(held.transaction, documents=documents)
        if body.get("operationMode") != "A":
            return json_reply({"signatures": self._values(chosen)})
        name = self.desk.new_id()
        self._jobs[name] = _Job(transaction=chosen, ready=self.desk.now + self.desk.signing)
        return json_reply({"responseID": name})

    def _poll(self, body: Mapping[str, Any], _token: str) -> Reply:
        job = self._jobs.get(str(body.get("requestID")))
        if job is None:
            raise CscRefusal("invalid_request", "Invalid parameter requestID")
        if self.desk.now < job.ready:
            return json_reply({"error": "accepted_request"}, _ACCEPTED)
        return json_reply({"signatures": self._values(job.transaction)})

    def _values(self, transaction: Transaction) -> list[str]:
        written = in_der if is_curve(transaction.credential) else bytes
        return [text_base64(written(value), self.desk) for _, value in self.desk.signed(transaction)]

    def _consented(self, body: Mapping[str, Any], credential: Credential, token: str) -> _Activation | None:
        """Return what a token stands for that a person consented to; None where it is no such token."""
        grant = self.access.grant_of(str(body.get("SAD") or token))
        if grant is None or grant.scope != CREDENTIAL:
            return None
        allowed = frozenset(unpadded(item) for item in grant.wanted.get(self._hashes, "").split(","))
        if grant.wanted.get("credentialID") != credential.name:
            raise CscRefusal("invalid_request", "Invalid parameter credentialID")
        documents = [(base64.b64encode(item).decode(), item) for item in sorted(allowed)]
        begun = self.desk.begin(credential, documents)
        count = int(grant.wanted["numSignatures"])
        return _Activation(transaction=begun, allowed=allowed, left=count, ends=grant.ends)

    def _activation(self, body: Mapping[str, Any], credential: Credential) -> _Activation:
        held = self.sads.get(str(body.get("SAD")))
        if held is None or held.transaction.credential.name != credential.name:
            raise CscRefusal("invalid_request", "Invalid parameter SAD")
        if self.desk.now >= held.ends:
            raise CscRefusal("invalid_request", "SAD expired")
        return held

    def _demand_allowed(self, held: _Activation, digests: Sequence[bytes]) -> None:
        if held.is_spent or len(digests) > held.left:
            raise CscRefusal("invalid_request", "Numbers of signatures is too high")
        if self.scal == "2" and not held.allowed.issuperset(digests):
            raise CscRefusal("invalid_request", "Hash is not authorized by the SAD.")

    def _demand_algorithm(self, body: Mapping[str, Any], credential: Credential) -> None:
        algorithm = body.get("signAlgo")
        if algorithm not in algorithms_of(credential, self.algorithms):
            raise CscRefusal("invalid_request", "Invalid parameter signAlgo")
        if algorithm == RSA and body.get(self._hash_name) != SHA256:
            raise missing(f"string parameter {self._hash_name}")

    def _credential(self, body: Mapping[str, Any]) -> Credential:
        name = body.get("credentialID")
        if not isinstance(name, str):
            raise missing("string parameter credentialID")
        if name not in self.desk.credentials:
            raise CscRefusal("invalid_request", "Invalid parameter credentialID")
        return self.desk.credentials[name]

    def _demand_able(self, credential: Credential) -> None:
        if credential.name in self.disabled or self.desk.takes(Mischief.REVOKED):
            raise CscRefusal("invalid_request", _DISABLED)
        facts = credential.issued.info
        if self.desk.now > facts.not_after:
            raise CscRefusal("invalid_request", f"Signing certificate '{facts.subject}' is expired.")

    def _trouble(self, place: str, *, after: bool) -> Reply | None:
        if self.trouble_at != place:
            return None
        if not after and self.desk.takes(Mischief.INTERNAL):
            raise CscRefusal("server_error", "An internal error occurred", _SERVER)
        return planned_reply(self.desk, after=after)
