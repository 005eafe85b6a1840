"""Nothing secret comes out: every protocol over HTTP, everything that can go wrong, every place looked at.

The canaries are what the profile's secrets hold, what a person enters, and every token that a provider gives
out: access and refresh tokens, codes, activation data. They are looked for as they are, in base64 (at every
alignment), in hexadecimal and written for an address: in the addresses of requests, in the log at DEBUG with
httpx and httpcore, in transactions that are kept, in errors with all that hangs on them and the variables of
every frame below them, and in the `repr` of signer, protocol, profile and secrets.
"""

from __future__ import annotations

import base64
import json
import logging
import pickle
import re
import signal
import threading
import time
import traceback
from collections import deque
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import attrs
import pytest
from remote_chaos import Person, wrong
from remote_spellings import SPELLINGS
from remote_ways import BASE, WAYS

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import BhxhError
from bhxh_sdk.ports import Reply
from bhxh_sdk.sandbox import Fault
from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.sandbox.faults import Faults
from bhxh_sdk.sandbox.remote import Answer, Mischief
from bhxh_sdk.sandbox.remote.provider import app_of
from bhxh_sdk.sandbox.server import Serving
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import SigningState, started, transaction_to_dict, values_of
from bhxh_sdk.signers.remote import ProviderSecrets, RemoteProfile, RemoteSigner, protocol_of
from bhxh_sdk.signers.verdicts import failure_of
from bhxh_sdk.system import SystemClock
from bhxh_sdk.transport import HttpSender

OPEN = {SigningState.INTENDED, SigningState.PENDING, SigningState.CONFIRMED}
TOKENS = re.compile(rb'"(?:access_token|refresh_token|SAD|sad)": "([^"]+)"')
FAULTS = [fault for fault in Fault if fault is not Fault.HOLD_REPLY]
ENTERED = {"pin", "otp", "authorization_code"}
CALLS = range(5)
STATUSES = (400, 401, 403, 500)
PASSWORD = 'mật"khẩu\\1&<x>/+é_'
CUT = 300  # characters that are kept of a provider's text

FAULT = """<?xml version="1.0"?><env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Body>
<env:Fault><env:Code><env:Value>env:Sender</env:Value><env:Subcode><env:Value
xmlns:mss="http://uri.etsi.org/TS102204/v1.1.2#">mss:_101</env:Value></env:Subcode></env:Code>
<env:Reason><env:Text xml:lang="en">{}</env:Text></env:Reason></env:Fault></env:Body></env:Envelope>"""


def spellings(secret):
    raw = secret.encode()
    found = {secret, raw.hex(), quote(secret, safe=""), quote_plus(secret)}
    for start in range(3):
        inner = base64.b64encode(b"-" * start + raw).decode()
        found.add(inner[4 * (start > 0) :].rstrip("=")[:-1])
    return found


def written(secret):
    """Return every way to write a secret that is looked for where a provider spells it oddly."""
    ways = {spelling(secret).strip("\"'&quot;b\\") for spelling in SPELLINGS.values()}
    return ways | spellings(secret)


class AnyPath(Faults):
    """Faults of whichever call comes next."""

    def __init__(self):
        super().__init__()
        self.planned = deque()

    def take(self, path):
        return self.planned.popleft() if self.planned else None


class BrokenOffError(BaseException):
    """A person has lost patience, as with Ctrl-C."""


class Talkative:
    """A provider that is served; it hears every secret, and may repeat what it was sent in its errors."""

    def __init__(self):
        self.place = None
        self.canaries = set()
        self.echoes = None  # from which call on it repeats
        self.is_cutting = False
        self.spelling = None  # how it writes what it repeats
        self.status = 400
        self.is_in_codes = False
        self.breaks_off = None  # at which call a person loses patience
        self.calls = 0

    @property
    def desk(self):
        return self.place.provider.desk

    def answer(self, request):
        self.calls += 1
        if self.calls == self.breaks_off:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGALRM)
            time.sleep(0.1)
        if self.echoes is not None and self.calls > self.echoes:
            return self._repeating(request)
        reply = self.place.provider.answer(request)
        self.canaries |= {token.decode() for token in TOKENS.findall(reply.body)}
        return reply

    def _repeating(self, request):
        text = request.body.decode() + " ".join(value for _, value in request.headers)
        code = "4004"
        if self.is_cutting:
            held = sorted(canary for canary in self.canaries if canary in text)
            text = "x" * (CUT - 9) + "".join(held[-1:])
        elif self.spelling:
            held = sorted(canary for canary in self.canaries if any(one in text for one in written(canary)))
            text = " ".join(self.spelling(canary) for canary in held)
            code = text if self.is_in_codes else code
        if b"Envelope" in request.body:
            fault = FAULT.replace("_101", "_" + escape(code)) if self.is_in_codes else FAULT
            return Reply(status=500, body=fault.format(escape(text)).encode())
        told = {"error": "invalid_request", "status_code": self.status, "status": code}
        if self.is_in_codes:
            told |= dict.fromkeys(("error", "code", "status_code"), code)
        told |= dict.fromkeys(("error_description", "message", "description"), text)
        return Reply(
            status=self.status,
            headers=(("content-type", "application/json"),),
            body=json.dumps(told).encode(),
        )


class Watched:
    """A sender over HTTP that remembers addresses; deadlines run in real time."""

    asynchronous = False

    def __init__(self, host):
        self.seen = []
        self._sender = HttpSender(SystemClock(), allowed_hosts=[host])

    async def send(self, request):
        self.seen.append(request.url + repr(request))
        return await self._sender.send(request)


class World:
    """A signer at a provider that is served, and everything that it let out."""

    def __init__(self, provider, faults, url, issued):
        self.provider = provider
        self.faults = faults
        self.url = url
        self.issued = issued
        self.texts = []
        self.frames = []
        self.broken_off = 0

    def signer_of(self, way, *, right=True, entered="right", other=None):
        """Begin anew with a provider and a signer."""
        self.clock = VirtualClock(datetime(2026, 9, 1, 3, 0, tzinfo=UTC), seed=7)
        place = self.provider.place = WAYS[way](self.clock, self.issued)
        self.provider.calls, self.provider.echoes, self.provider.is_cutting = 0, None, False
        self.provider.spelling, self.provider.status, self.provider.is_in_codes = None, 400, False
        self.provider.breaks_off = None
        self.faults.planned.clear()
        table = dict(place.table) | {"base_url": place.table["base_url"].replace(BASE, self.url)}
        given = {name: value if right else Secret(wrong(name)) for name, value in place.secrets.items()}
        if other:
            given = {name: Secret(other) for name in given}
        self.provider.canaries |= {value.reveal() for value in (*place.secrets.values(), *given.values())}
        self.provider.canaries -= {""}
        profile = RemoteProfile.from_table(table)
        protocol = protocol_of(profile)
        secrets = ProviderSecrets(given={k: v for k, v in given.items() if k not in ENTERED})
        self.person = Person(attrs.evolve(place, consent=self.consented), mood=entered)
        self.sender = Watched(self.url.removeprefix("http://"))
        self.signer = RemoteSigner(protocol, self.sender, self.clock, secrets=secrets, ask=self.person)
        self.looked_at = (self.signer, protocol, profile, secrets, place)
        return self.provider

    def consented(self, address):
        code = self.provider.place.provider.access.consent(address)
        self.provider.canaries.add(code)
        return code

    def signs(self, job):
        """List, sign and ask until the end; what comes out on the way is kept."""
        self._caught(self._signing, job)
        codes = getattr(self.provider.place.provider, "used_codes", ())
        self.provider.canaries.update(codes)
        self.texts += self.sender.seen
        self.texts += map(repr, self.looked_at)

    def _signing(self, job):
        certificates = run_blocking(self.signer.certificates())
        if not certificates:
            return
        jobs = [job(str(number)) for number in range(self.provider.place.batch)]
        call = started(self.signer, jobs, certificates[0], self.person, self.clock, self._keep)
        transaction = run_blocking(call)
        for _ in range(3):
            self._shown(transaction)
            if transaction.state in OPEN:
                transaction = self._caught(self._asked, transaction) or transaction
                self.clock.advance(timedelta(seconds=150))
        values_of(transaction, jobs, certificates[0])

    def _asked(self, transaction):
        return run_blocking(self.signer.result_noted(transaction, self.clock, self._keep))

    async def _keep(self, transaction):
        self._shown(transaction)

    def _shown(self, transaction):
        self.texts += [json.dumps(transaction_to_dict(transaction)), repr(transaction)]
        if (failure := failure_of(transaction)) is not None:
            self._told(failure)

    def _caught(self, call, *arguments):
        try:
            return call(*arguments)
        except BhxhError as error:
            self._told(error)
        except BrokenOffError as error:
            self.broken_off += 1
            self._traced(error)

    def _told(self, error):
        """Keep an error with everything on it; of the frames those that are not the test's own."""
        self.texts += [str(error), repr(error), repr(error.args), repr(error.parameters), repr(vars(error))]
        self.texts += [json.dumps(error.as_dict("vi"), default=str), error.message("vi"), error.hint("vi")]
        self.texts += traceback.format_exception(error)
        self.texts.append(pickle.dumps(error).decode("latin-1"))
        self._traced(error)

    def _traced(self, error):
        whole = traceback.TracebackException.from_exception(error, capture_locals=True)
        while whole is not None:
            self.frames += [
                f"{frame.filename} {frame.name} {frame.locals}"
                for frame in whole.stack
                if "/tests/" not in frame.filename
            ]
            whole = whole.__cause__ or whole.__context__


@pytest.fixture(scope="module")
def served(pki):
    provider, faults = Talkative(), AnyPath()
    serving = Serving((app_of(provider, faults),), (0,))
    yield provider, faults, serving.urls[0]
    serving.stop()


@pytest.fixture
def world(served, pki):
    provider, faults, url = served
    provider.canaries.clear()
    return World(provider, faults, url, pki.issue())


def leaks(world, texts):
    """Return each canary that was found, with what stands around it."""
    whole = "\n".join(set(texts))
    found = set()
    for canary in world.provider.canaries:
        for form in spellings(canary):
            edge = "[0-9A-Za-z]" if form.isdecimal() else ""  # a PIN: not these digits in a longer number
            wanted = re.escape(form)
            pattern = rf"(?<!{edge}){wanted}(?!{edge})" if edge else wanted
            hits = re.finditer(pattern, whole)
            found |= {(canary, whole[max(0, hit.start() - 80) : hit.end() + 20]) for hit in hits}
    return sorted(found)


def logged_in(caplog):
    formatter = logging.Formatter("%(name)s %(message)s")
    return [formatter.format(record) + repr(record.args) for record in caplog.records]


@pytest.fixture
def log(caplog):
    for name in ("", "httpx", "httpcore", "bhxh_sdk"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


@pytest.mark.parametrize("way", WAYS)
def test_no_canary_sings(way, world, log, job):
    world.signer_of(way)
    world.signs(job)
    for mischief in Mischief:
        for after in (0, 1, 2):  # at the log-in, the list, and what comes then
            desk = world.signer_of(way).desk
            if not after:
                desk.misbehave(mischief)
            else:
                desk.phone.ring = planning(desk, mischief, desk.phone.ring)
            world.signs(job)
    for answer in Answer:
        world.signer_of(way).desk.phone.next(answer)
        world.signs(job)
    for fault in FAULTS:
        for call in CALLS:
            world.signer_of(way)
            world.faults.planned.extend([*[None] * call, fault])
            world.signs(job)
    assert any(record.name.startswith("httpcore") for record in log.records)
    given_out = world.provider.canaries - {value.reveal() for value in world.provider.place.secrets.values()}
    assert given_out or way.startswith(("ca769-plain", "ca769-vnpt", "ca769-ca2", "mss"))
    assert leaks(world, [*world.texts, *world.frames, *logged_in(log)]) == []


def planning(desk, mischief, ring):
    """Let mischief begin when the phone rings: the person is reached, and then it goes wrong."""

    def rings(*arguments):
        desk.misbehave(mischief)
        return ring(*arguments)

    return rings


@pytest.mark.parametrize("way", WAYS)
def test_no_canary_sings_where_a_secret_is_wrong(way, world, log, job):
    for right, entered in ((False, "right"), (True, "wrong"), (False, "wrong"), (True, "gone")):
        world.signer_of(way, right=right, entered=entered)
        world.signs(job)
        world.signs(job)
    assert leaks(world, [*world.texts, *world.frames, *logged_in(log)]) == []


@pytest.mark.parametrize("way", WAYS)
def test_no_canary_sings_where_a_provider_repeats_what_it_heard(way, world, log, job):
    for call in CALLS:
        world.signer_of(way).echoes = call
        world.signs(job)
    assert leaks(world, [*world.texts, *logged_in(log)]) == []


@pytest.mark.parametrize("way", WAYS)
def test_no_canary_sings_however_a_provider_spells_it(way, world, job):
    for number, spelling in enumerate(SPELLINGS.values()):
        for call in (0, number % 4 + 1):
            provider = world.signer_of(way, other=None if call else PASSWORD)
            provider.echoes, provider.spelling = call, spelling
            provider.status = STATUSES[(number + call) % len(STATUSES)]
            provider.is_in_codes = number % 2 == call % 2
            world.signs(job)
    whole = "\n".join(set(world.texts)).lower()
    wanted = {
        form for canary in world.provider.canaries for form in written(canary) if not canary.isdecimal()
    }
    assert [form for form in wanted if form.lower() in whole] == []
    assert leaks(world, world.texts) == []


@pytest.mark.parametrize("way", WAYS)
def test_no_canary_sings_where_a_person_breaks_off(way, world, job):
    def break_off(*_):
        raise BrokenOffError

    before = signal.signal(signal.SIGALRM, break_off)
    try:
        for call in CALLS:
            world.signer_of(way).breaks_off = call + 1
            world.signs(job)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert world.broken_off > 1
    assert leaks(world, [*world.texts, *world.frames]) == []


@pytest.mark.parametrize("way", WAYS)
def test_no_half_of_a_canary_is_left_where_a_text_is_cut(way, world, job):
    for call in CALLS:
        world.signer_of(way).echoes = call
        world.provider.is_cutting = True
        world.signs(job)
    tails = {canary[:8] for canary in world.provider.canaries if len(canary) > 8}
    assert [text for text in world.texts if any(f"xx{tail}" in text for tail in tails)] == []


@pytest.mark.parametrize("way", WAYS)
def test_nothing_with_a_secret_can_be_pickled(way, world, job):
    world.signer_of(way)
    world.signs(job)
    signer, protocol, profile, secrets, _ = world.looked_at
    for held in (signer, secrets):
        with pytest.raises(TypeError):
            pickle.dumps(held)
    if any(protocol.hidden()):
        with pytest.raises(TypeError):
            pickle.dumps(protocol)
    kept = pickle.dumps(profile)
    assert not any(canary.encode() in kept for canary in world.provider.canaries)


def test_a_leak_would_be_found(world, log, job):
    world.signer_of("csc-v1-pin")
    world.signs(job)
    secret = "sandbox-password"
    basic = base64.b64encode(f"somebody:{secret}".encode()).decode()
    for text in (secret, f"Basic {basic}", secret.encode().hex()):
        logging.getLogger("anything").debug("sent %s", text)
        assert leaks(world, logged_in(log))
        log.clear()
        assert leaks(world, [f"x {text} y"])
    assert leaks(world, world.texts) == []
