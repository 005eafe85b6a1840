"""What becomes of a call that changes something when any of its requests fails, in both channels."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from portal_world import PortalWorld, run, served
from workflow_world import a_form

from bhxh_sdk.errors import (
    BhxhError,
    InputError,
    JournalError,
    NotSentError,
    RefusedError,
    SetupError,
    UnknownOutcomeError,
    UnsupportedOperationError,
)
from bhxh_sdk.models import Account, Ivan, Session
from bhxh_sdk.ports import Reply
from bhxh_sdk.sandbox import Sandbox, VirtualClock
from bhxh_sdk.secret import Secret
from bhxh_sdk.transport import EndpointProfile, Filing, HttpSender, Operation, PortalChannel
from bhxh_sdk.transport.calling import before_change, in_doubt
from bhxh_sdk.transport.ivan import IvanChannel
from bhxh_sdk.transport.retrying import NO_RETRY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bhxh_sdk.ports import Request, Sender

FAILURES: dict[str, Callable[[], Any]] = {
    "lost": lambda: UnknownOutcomeError("unknown_outcome.connection"),
    "unusable": lambda: InputError("input.request", field="request"),
    "set up wrongly": lambda: SetupError("setup.proxy"),
    "any": BhxhError,
    "server error": lambda: Reply(status=502),
    "page": lambda: Reply(status=200, body=b"<html>"),
    "cut": lambda: Reply(status=200, body=b'{"a": '),
    "empty": lambda: Reply(status=200),
    "odd token": lambda: Reply(status=200, body=b'{"code": "00", "result": "to\\nken"}'),
    "odd letter": lambda: Reply(status=200, body=b'{"code": "00", "result": "\\ud800"}'),
}


class FailingSender:
    """Passes requests on; from one of them on, their answers are replaced by a failure."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.paths: list[str] = []
        self.failure: Callable[[], Any] | None = None
        self.first = 0

    def fail(self, failure: Callable[[], Any], first: int) -> None:
        self.paths, self.failure, self.first = [], failure, first

    async def send(self, request: Request) -> Reply:
        self.paths.append(request.url.partition("?")[0])
        reply = await self.sender.send(request)
        if self.failure is None or len(self.paths) <= self.first:
            return reply
        failed = self.failure()
        if isinstance(failed, Reply):
            return failed
        raise failed


class Portal:
    """The portal, and how to file, activate and change the password there."""

    effects = ("submit", "activate", "change_password")

    def __init__(self) -> None:
        self.world = PortalWorld()

    @property
    def submissions(self) -> int:
        return self.world.agency.submissions

    def channel(self) -> tuple[PortalChannel, FailingSender]:
        profile = self.world.profile()
        sender = FailingSender(HttpSender(self.world.clock, allowed_hosts=profile.allowed_hosts))
        options: dict[str, Any] = {"passphrase": self.world.portal.passphrase, "retry": NO_RETRY}
        return PortalChannel(profile, sender, self.world.clock, **options), sender

    def filing(self) -> Filing:
        return self.world.filing()


class ServiceIvan:
    """An I-VAN that signs itself, answers without a key and is asked for its history before and after."""

    effects = ("submit",)
    name = "ivan-vbhxh"

    def __init__(self) -> None:
        self.sandbox = Sandbox()

    @property
    def submissions(self) -> int:
        return self.sandbox.agency.submissions

    def channel(self) -> tuple[IvanChannel, FailingSender]:
        profile = self.sandbox.ivan_channel(profile=self.name).profile
        sender = FailingSender(HttpSender(self.sandbox.clock, allowed_hosts=profile.allowed_hosts))
        account = self.sandbox.ivan_account
        return IvanChannel(profile, sender, self.sandbox.clock, account=account, retry=NO_RETRY), sender

    def filing(self) -> Filing:
        form = a_form(transact_at=Ivan("00040", "I-VAN VÍ DỤ")).dated(self.sandbox.clock.now().date())
        return Filing(key="key-1", form=form)


class ClientIvan(ServiceIvan):
    """An I-VAN that is handed the document, and knows activation and passwords."""

    effects = ("submit", "activate", "change_password")
    name = "ivan-sandbox"

    def filing(self) -> Filing:
        world = PortalWorld()
        return evolve(super().filing(), document=world.filing().document)


def _of(service: Any, effect: str) -> Any:
    """Return a call of one effect on a fresh channel, and its sender."""
    channel, sender = service.channel()
    session = Session(user_name="0100109106", token=Secret("token"))
    calls = {
        "submit": lambda: channel.submit(service.filing()),
        "activate": lambda: channel.activate(service.filing(), "S-1", Secret("ABCD1234")),
        "change_password": lambda: channel.change_password(session, Secret("old-pw"), Secret("new-pw")),
    }
    return calls[effect], sender


CASES = [(kind, effect) for kind in (Portal, ServiceIvan, ClientIvan) for effect in kind.effects]


@pytest.fixture
def service(request) -> Iterator[Any]:
    service = request.param()
    if isinstance(service, Portal):
        with served(service.world.portal.app) as service.world.base_url:
            yield service
    else:
        with service.sandbox:
            yield service


def _effect_at(service: Any, effect: str) -> tuple[int, int]:
    """Return the position of the request with the effect, and how many requests there are."""
    call, sender = _of(service, effect)
    with suppress(RefusedError):
        run(call())
    words = ("/register", "activate", "kich-hoat", "thaydoimatkhau", "change-password")
    found = [at for at, path in enumerate(sender.paths) if any(word in path for word in words)]
    return found[0], len(sender.paths)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize(("service", "effect"), CASES, indirect=["service"])
def test_only_what_precedes_the_effect_says_that_nothing_left(service, effect, failure):
    position, count = _effect_at(service, effect)
    for first in range(count):
        call, sender = _of(service, effect)
        sender.fail(FAILURES[failure], first)
        error = None
        try:
            run(call())
        except BhxhError as caught:
            error = caught
        if len(sender.paths) <= position:
            assert error is not None
            assert error.nothing_left
        elif error is not None:
            assert not error.nothing_left
            assert isinstance(error, UnknownOutcomeError | RefusedError)


@pytest.mark.parametrize("service", [ServiceIvan], indirect=True)
def test_a_session_that_ends_after_the_filing_and_cannot_be_renewed_costs_only_the_key(service):
    channel, sender = service.channel()
    filed = []

    class Renewing(FailingSender):
        async def send(self, request: Request) -> Reply:
            reply = await sender.send(request)
            filed.append("register-new-service" in request.url)
            if any(filed[:-1]) and "get-histories" in request.url:
                return Reply(status=401)
            if any(filed) and "auth" in request.url:
                return Reply(status=200, body=b'{"code": "00", "result": "to\\nken"}')
            return reply

    channel._caller._sender = Renewing(sender)
    assert run(channel.submit(service.filing())).sending_key == ""
    assert service.submissions == 1


def test_what_is_missing_for_a_filing_is_marked():
    world = PortalWorld()
    with served(world.portal.app) as world.base_url:
        bare = evolve(world.filing(), document=None)
        for error, channel, filing in (
            (InputError, world.channel(), bare),
            (SetupError, world.channel(passphrase=None), world.filing()),
        ):
            with pytest.raises(error) as caught:
                run(channel.submit(filing))
            assert caught.value.nothing_left


def test_an_unusable_token_of_the_callers_own_is_marked(bhxh_sandbox):
    profile = bhxh_sandbox.ivan_channel().profile
    sender = HttpSender(bhxh_sandbox.clock, allowed_hosts=profile.allowed_hosts)
    channel = IvanChannel(profile, sender, bhxh_sandbox.clock, token=Secret("to\nken"))
    with pytest.raises(InputError) as caught:
        run(channel.submit(ClientIvan().filing()))
    assert caught.value.nothing_left


def test_an_account_that_cannot_be_made_of_the_answer_leaves_the_outcome_unknown(monkeypatch):
    class Telling:
        async def send(self, request: Request) -> Reply:
            return Reply(status=200, body=b'"client"' if "ClientId" in request.url else b"{}")

    def unmade(*_: object) -> Account:
        raise InputError

    monkeypatch.setattr("bhxh_sdk.transport.portal.account_of", unmade)
    profile = EndpointProfile.shipped("portal-sandbox").with_overrides({"base_url": "http://127.0.0.1:1"})
    channel = PortalChannel(profile, Telling(), VirtualClock(), passphrase=Secret("p"))
    with pytest.raises(UnknownOutcomeError):
        run(channel.activate(PortalWorld().filing(), "S-1", Secret("ABCD1234")))


def test_marks_and_doubts():
    with pytest.raises(JournalError) as marked, before_change():
        raise JournalError
    assert marked.value.nothing_left
    with pytest.raises(JournalError), in_doubt("key-1"):
        raise marked.value
    with pytest.raises(UnknownOutcomeError) as doubted, in_doubt("key-1"):
        raise JournalError
    assert doubted.value.reference == "key-1"
    with pytest.raises(NotSentError), in_doubt("key-1"):
        raise NotSentError


@pytest.mark.parametrize("name", ["portal-vss", "ivan-vbhxh"])
def test_an_operation_that_the_profile_lacks_is_told_before_anything_is_done(name):
    kind = {"portal-vss": PortalChannel, "ivan-vbhxh": IvanChannel}[name]
    profile = EndpointProfile.shipped(name).with_overrides({"base_url": "http://127.0.0.1:1"})
    channel = kind(profile, HttpSender(VirtualClock(), allowed_hosts=()), VirtualClock())
    channel.demand(Operation.HISTORY)
    with pytest.raises(UnsupportedOperationError) as caught:
        channel.demand(Operation.ACTIVATE)
    assert caught.value.nothing_left
