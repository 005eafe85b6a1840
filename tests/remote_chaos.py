"""Runs of remote signing in which everything may go wrong at any moment, and what has to hold all the same.

A run is one organisation that wants documents signed, one batch after the other. It does what the workflow
does: it writes an intent down before a phone may ring, goes on from what stands written, starts again after a
clear no, and otherwise only when a person decides so. `Run.happens` takes an event; `Run.faults` tells which
promise was broken.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from remote_ways import WAYS

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import (
    BhxhError,
    NotSentError,
    PersonNeededError,
    SignatureMismatchError,
    SigningError,
    UnknownOutcomeError,
)
from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.sandbox.remote.desk import Mischief
from bhxh_sdk.sandbox.remote.phone import Answer
from bhxh_sdk.sandbox.remote.provider import page_reply
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import (
    SigningJob,
    SigningState,
    looked_after,
    started,
    transaction_from_dict,
    transaction_to_dict,
    values_of,
)
from bhxh_sdk.signers.remote import ProviderSecrets, RemoteSigner
from bhxh_sdk.signers.remote.opening import protocol_of

if TYPE_CHECKING:
    from datetime import datetime

    from remote_ways import Place

    from bhxh_sdk.ports import Reply, Request
    from bhxh_sdk.sandbox.pki import SandboxCertificate
    from bhxh_sdk.sandbox.remote.desk import Transaction

__all__ = ["EVENTS", "OUTCOMES", "Event", "Run", "Sending"]

OUTCOMES = ("done", "refused", "expired", "ambiguous", "waiting")
"""What a run may end in; whatever else it ends in is a fault."""

_OPEN = frozenset({SigningState.INTENDED, SigningState.PENDING, SigningState.CONFIRMED})
_LIES = frozenset({Mischief.QUOTA, Mischief.BUSY, Mischief.INTERNAL, Mischief.REVOKED, Mischief.FAILS})
"""What a provider tells about a transaction that is still waiting behind its interface."""
_TOKENS = re.compile(rb'"(?:access_token|refresh_token|SAD|sad)": "([^"]+)"')
_REFUSALS = (
    (b"SP_CREDENTIAL_INVALID", "sp_password"),
    (b"PASSWORD_INVALID", "password"),
    (b"authentication_error", "password"),
    (b"invalid_client", "client_secret"),
    (b"86024", "client_secret"),
    (b"UNAUTHORIZED_ACCESS", "ap_password"),
    (b"The PIN is invalid", "pin"),
    (b"The OTP is invalid", "otp"),
    (b"invalid_grant", "authorization_code"),
)
"""What a provider says that refuses a secret, and which."""


class Killed(BaseException):
    """The process is gone in the middle of a call; nothing catches it."""


class Sending(Enum):
    """What happens to a request on its way."""

    NOT_SENT = "not_sent"
    NEVER_SENT = "never_sent"
    LOST_BEFORE = "lost_before"
    LOST = "lost"
    CUT = "cut"
    PAGE = "page"
    BAD_GATEWAY = "bad_gateway"
    DOUBLED = "doubled"
    KILLED_BEFORE = "killed_before"
    KILLED_AFTER = "killed_after"


@frozen
class Event:
    """One thing that happens.

    Args:
        kind: name of the method of `Run` that does it.
        what: its argument, if it has one.

    """

    kind: str
    what: Any = None

    def __repr__(self) -> str:
        return f"{self.kind}({getattr(self.what, 'name', self.what) if self.what is not None else ''})"


def _events() -> tuple[Event, ...]:
    """Return every event; those that carry a run on come more often."""
    often = [Event("step")] * 24 + [Event("passes", seconds) for seconds in (1, 3, 10, 100, 400, 7200)] * 2
    return (
        *often,
        *(Event("phone", answer) for answer in Answer),
        *(Event("mischief", mischief) for mischief in Mischief),
        *(Event("sending", kind) for kind in Sending),
        *(Event("starting", kind) for kind in Sending),
        *(Event("dies", right) for right in (True, True, True, False)),
        *(Event("person", mood) for mood in ("right", "right", "wrong", "gone")),
        *[Event("decides")] * 4,
    )


EVENTS = _events()


@define
class Person:
    """Answers what is asked: rightly, wrongly, or not at all."""

    place: Place
    mood: str = "right"

    async def secret(self, question):
        name = question.purpose.removeprefix("remote_")
        if self.mood == "gone":
            raise PersonNeededError("person_needed.nobody_to_ask", field=name)
        if self.mood == "wrong":
            return Secret(wrong(name))
        if name == "authorization_code":
            return Secret(self.place.consent(question.subject))
        return self.place.secrets[name]

    captcha = choose = confirm = secret


def wrong(name: str) -> str:
    """Return what somebody enters who errs: base64 where only that is taken."""
    return base64.b64encode(f"wrong {name}".encode()).decode()


@define
class Road:
    """The way to the provider, on which requests are lost and answers spoilt; it remembers what it carried.

    Args:
        place: the provider.
        clock: its time.
        faults: where broken promises are written down.

    Attributes:
        next: what happens to the next request.
        next_start: what happens to the next request that starts something.
        attempt: number of the attempt that is under way.
        accepted: for each attempt the transactions that the provider took, without repetitions on the way.
        sent: paths of the starting calls that arrived, for each attempt.
        refused: wrong secrets that were refused in the life of this process.
        tokens: tokens that the provider gave out.

    """

    place: Place
    clock: VirtualClock
    faults: list[str]
    next: Sending | None = None
    next_start: Sending | None = None
    attempt: int = 0
    accepted: dict[int, list[Transaction]] = field(factory=dict)
    sent: dict[int, list[str]] = field(factory=dict)
    refused: set[str] = field(factory=set)
    tokens: set[str] = field(factory=set)
    unsent: int = 0
    asynchronous = False

    async def send(self, request):
        kind = self._planned(request)
        if kind is Sending.NOT_SENT or self.unsent:
            self.unsent = max(0, self.unsent - 1)
            raise NotSentError("not_sent.connection", host=request.host)
        if kind is Sending.NEVER_SENT:
            self.unsent = 2
            raise NotSentError("not_sent.connection", host=request.host)
        if kind is Sending.KILLED_BEFORE:
            raise Killed
        if kind is Sending.LOST_BEFORE:
            raise UnknownOutcomeError("unknown_outcome.connection", host=request.host)
        before = self.clock.now()
        reply = self._carried(request, doubled=kind is Sending.DOUBLED)
        if kind is Sending.KILLED_AFTER:
            raise Killed
        late = self.clock.now() - before > timedelta(seconds=request.deadline_seconds)
        if late or kind is Sending.LOST:
            raise UnknownOutcomeError("unknown_outcome.timeout", host=request.host)
        if kind in {Sending.CUT, Sending.PAGE, Sending.BAD_GATEWAY}:
            return _spoilt(reply, kind)
        self._read(request, reply)
        return reply

    def _planned(self, request: Request) -> Sending | None:
        if self.next_start is not None and self._starts(request):
            kind, self.next_start = self.next_start, None
        else:
            kind, self.next = self.next, None
        return kind

    def _starts(self, request: Request) -> bool:
        return request.url.endswith(self.place.starts)

    def _carried(self, request: Request, *, doubled: bool) -> Reply:
        self._watch(request)
        desk = self.place.provider.desk
        before = len(desk.transactions)
        reply = self.place.provider.answer(request)
        self._took(list(desk.transactions.values())[before:])
        if doubled:
            self._repeat(request)
        return reply

    def _repeat(self, request: Request) -> None:
        """Have something on the way repeat a request: what that starts and signs is not ours."""
        desk = self.place.provider.desk
        signatures, planned = dict(desk.signatures), list(desk._planned)
        desk._planned.clear()
        self.place.provider.answer(request)
        desk.signatures.clear()
        desk.signatures.update(signatures)
        desk._planned.extend(planned)

    def _watch(self, request: Request) -> None:
        """Write down what must not be sent a second time."""
        text = _text(request)
        for value in self.refused:
            if value in text:
                self.faults.append(f"a refused secret was sent again: {base64.b64decode(value).decode()}")
        if self._starts(request):
            path = request.url.rpartition("/")[2]
            sent = self.sent.setdefault(self.attempt, [])
            if path in sent:
                self.faults.append(f"attempt {self.attempt} called {path} twice")
            sent.append(path)

    def _took(self, new: list[Transaction]) -> None:
        own = self.accepted.setdefault(self.attempt, [])
        own.extend(new)
        digests = [digest for item in own for _, digest in item.documents]
        if len(set(digests)) < len(digests):
            self.faults.append(f"attempt {self.attempt} had a digest accepted twice")

    def _read(self, request: Request, reply: Reply) -> None:
        """Remember what an answer that arrives gives out and refuses."""
        self.tokens |= {token.decode() for token in _TOKENS.findall(reply.body)}
        text = _text(request)
        for mark, name in _REFUSALS:
            if mark in reply.body and (value := wrong(name)) in text:
                self.refused.add(value)


def _text(request: Request) -> str:
    return request.body.decode() + "".join(value for _, value in request.headers)


def _spoilt(reply: Reply, kind: Sending) -> Reply:
    if kind is Sending.CUT:
        return evolve(reply, body=reply.body[: len(reply.body) // 2])
    return page_reply(200 if kind is Sending.PAGE else 502)


class Run:
    """One run.

    Args:
        way: name of the way in `remote_ways`.
        issued: certificate and key.
        start: when it begins.

    Attributes:
        faults: promises that were broken.
        outcomes: what ended, in turn.

    """

    def __init__(self, way: str, issued: SandboxCertificate, start: datetime) -> None:
        self.clock = VirtualClock(start, seed=7)
        self.place = WAYS[way](self.clock, issued)
        self.faults: list[str] = []
        self.outcomes: list[str] = []
        self.road = Road(self.place, self.clock, self.faults)
        self.saved = ""  # the transaction as it was written down last; empty where none is open
        self.certificate: Any = None  # written down too, once it is chosen
        self._public_key = issued.certificate.public_key()
        self._person = Person(self.place)
        self._given = True
        self._batch = 0
        self._lies: set[Mischief] = set()
        self._signed_before: dict[bytes, int] = {}
        self._watch_desk()
        self._live()

    def _watch_desk(self) -> None:
        desk = self.place.provider.desk
        takes = desk.takes

        def watched(*kinds: Mischief) -> Mischief | None:
            taken = takes(*kinds)
            if taken is not None:
                self._lies.add(taken)
            return taken

        desk.takes = watched

    # what happens

    def happens(self, event: Event) -> None:
        """Let an event happen; whatever promise it breaks stands in `faults` afterwards."""
        method = getattr(self, event.kind)
        try:
            method() if event.what is None else method(event.what)
        except Killed:
            self._live()
        except BhxhError as error:
            self._told(error)
        except Exception as error:  # noqa: BLE001  # that none of these comes out is what is tested
            self.faults.append(f"an untyped error came out: {error!r}")
        self._look_for_secrets()

    def step(self) -> None:
        """Go on as the workflow does."""
        if not self.saved:
            self._start()
            return
        found = self._transaction()
        if found.state in _OPEN:
            self._finish(self._asked(found))

    def decides(self) -> None:
        """Have a person decide to sign again; nobody does while there is time to confirm."""
        if not self.saved:
            return
        found = self._transaction()
        if found.state in _OPEN:
            if found.deadline is not None and self.clock.now() < found.deadline:
                return
            found = self._asked(found)
        if found.state in _OPEN or found.state is SigningState.AMBIGUOUS:
            self._ended("expired" if found.state in _OPEN else "ambiguous")
        else:
            self._finish(found)

    def phone(self, answer: Answer) -> None:
        self.place.provider.desk.phone.next(answer)

    def mischief(self, mischief: Mischief) -> None:
        """Plan trouble in place of what was planned before, which may never come."""
        desk = self.place.provider.desk
        desk._planned.clear()
        desk.misbehave(mischief)

    def sending(self, kind: Sending) -> None:
        self.road.next = kind

    def starting(self, kind: Sending) -> None:
        self.road.next_start = kind

    def passes(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def person(self, mood: str) -> None:
        self._person.mood = mood

    def dies(self, right: bool) -> None:
        """End the process; the next one may be given wrong secrets."""
        self._given = right
        self._live()

    def ends(self) -> str:
        """Let everything be calm, and say where the run stands."""
        self.road.next = self.road.next_start = None
        self.road.unsent = 0
        self.place.provider.desk._planned.clear()
        self.person("right")
        self.dies(right=True)
        self.happens(Event("step"))
        if not self.saved:
            return self.outcomes[-1] if self.outcomes else "waiting"
        found = self._transaction()
        if found.state is SigningState.AMBIGUOUS:
            return "ambiguous"
        return "expired" if found.deadline and self.clock.now() >= found.deadline else "waiting"

    # what the workflow does

    def _live(self) -> None:
        """Begin a process: nothing is known but what was written down."""
        secrets = dict(self.place.secrets)
        asked = {"pin", "otp", "authorization_code"}
        given = {name: value if self._given else Secret(wrong(name)) for name, value in secrets.items()}
        self.road.refused.clear()
        self.signer = RemoteSigner(
            protocol_of(self.place.profile),
            self.road,
            self.clock,
            secrets=ProviderSecrets(given={k: v for k, v in given.items() if k not in asked}),
            ask=self._person,
        )

    def _start(self) -> None:
        if self.certificate is None:
            found = run_blocking(self.signer.certificates_with(self._person))
            if not found:
                return
            self.certificate = found[0]
        self.road.attempt += 1
        self._lies.clear()
        self._signed_before = dict(self.place.provider.desk.signatures)
        call = started(self.signer, self._jobs(), self.certificate, self._person, self.clock, self._keep)
        try:
            transaction = run_blocking(call)
        except (SigningError, NotSentError) as error:
            self._certainly_ended(error)
            raise
        self._finish(transaction)

    def _asked(self, transaction):
        return run_blocking(looked_after(self.signer, transaction, self.clock, self._keep))

    def _finish(self, transaction) -> None:
        """Take what an answer left of a transaction."""
        if transaction.state in _OPEN:
            run_blocking(self._keep(transaction))
            return
        try:
            values = values_of(transaction, self._jobs(), self.certificate)
        except SigningError as error:
            self._certainly_ended(error)
            raise
        except UnknownOutcomeError:
            run_blocking(self._keep(transaction))
            raise
        self._demand_verified(values)
        self._batch += 1
        self._ended("done")

    async def _keep(self, transaction) -> None:
        self.saved = json.dumps(transaction_to_dict(transaction))

    def _transaction(self):
        return transaction_from_dict(json.loads(self.saved))

    def _jobs(self) -> list[SigningJob]:
        names = [f"{self._batch}-{number}" for number in range(self.place.batch)]
        return [
            SigningJob(
                document_id=name, digest=hashlib.sha256(name.encode()).digest(), document_name=f"{name}.xml"
            )
            for name in names
        ]

    def _ended(self, outcome: str) -> None:
        self.outcomes.append(outcome)
        self.saved = ""

    def _told(self, error: BhxhError) -> None:
        """A typed error has a code and a text in both languages."""
        if not (error.code and error.message("vi") and error.message("en")):
            self.faults.append(f"an error without a text: {error!r}")

    # what has to hold

    def _certainly_ended(self, error: BhxhError) -> None:
        """Signing again is allowed without a person: nothing of the attempt may be alive at the provider."""
        outcome = "expired" if error.code == "signing.expired" else "refused"
        self._ended(outcome)
        desk = self.place.provider.desk
        for item in self.road.accepted.get(self.road.attempt, ()):
            state = desk.state(item)
            alive = state in self.place.open_states
            made = (
                desk.signatures[digest] - self._signed_before.get(digest, 0) for _, digest in item.documents
            )
            used = any(made)
            is_told = isinstance(error, SignatureMismatchError) or bool(self._lies & _LIES)
            if isinstance(error, NotSentError) or ((alive or used) and not is_told):
                self.faults.append(f"{error!r} ended attempt {self.road.attempt}, which is {state.value}")

    def _demand_verified(self, values) -> None:
        for job in self._jobs():
            try:
                self._public_key.verify(values[job.document_id], job.digest, PKCS1v15(), Prehashed(SHA256()))
            except InvalidSignature:
                self.faults.append(f"a value came out that does not fit: {job.document_id}")

    def _look_for_secrets(self) -> None:
        if not self.saved:
            return
        secrets = {secret.reveal() for secret in self.place.secrets.values()} | self.road.tokens
        for value in secrets | {wrong(name) for name in self.place.secrets}:
            if value and value in self.saved:
                self.faults.append("a secret stands in the transaction that was written down")
