"""No secret stands in a crash report, not even in one that shows every variable of every frame."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import suppress
from traceback import TracebackException
from typing import TYPE_CHECKING, Any

import pytest
from portal_world import PortalWorld, run
from raw_server import raw_server, read_request, reset
from workflow_world import a_form

from bhxh_sdk.errors import BhxhError, InputError
from bhxh_sdk.models import Credentials, Ivan, Session
from bhxh_sdk.ports import Request
from bhxh_sdk.sandbox import VirtualClock
from bhxh_sdk.secret import Secret
from bhxh_sdk.system import SystemClock
from bhxh_sdk.transport import AsyncHttpSender, EndpointProfile, Filing, HttpSender, PortalChannel
from bhxh_sdk.transport.exchange import Unseen
from bhxh_sdk.transport.ivan import IvanChannel
from bhxh_sdk.transport.retrying import NO_RETRY
from bhxh_sdk.transport.writing import _json

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

CANARY = "kanari" + "-7301"
SECRET = Secret(CANARY)

HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
ANSWERS = {
    "401": (b"401 No", b'{"message": "no"}'),
    "502": (b"502 Bad", b""),
    "page": (b"200 OK", b"<html>"),
    "cut": (b"200 OK", b'{"a": '),
    "empty": (b"200 OK", b"{}"),
    "no code": (b"200 OK", b'{"code": "99"}'),
    "odd letter": (b"200 OK", b'{"access_token": "\\ud800", "result": "\\ud800", "code": "00"}'),
}
CAPTCHA = b'{"image": "aGk=", "code": "\\ud800"}'


def answering(name: str) -> Any:
    """Answer what leads up to the call, then fail as told."""

    def behave(connection: socket.socket) -> None:
        asked = read_request(connection)
        if b"GetClientId" in asked:
            status, body = b"200 OK", b'"client\\ud800"'
        elif b"getCaptchaImage" in asked:
            status, body = b"200 OK", CAPTCHA
        elif name == "reset":
            reset(connection)
            return
        else:
            status, body = ANSWERS[name]
        connection.sendall(HEAD % (status, len(body)) + body)

    return behave


class Person:
    async def captcha(self, _: object) -> str:
        return "ab12"


def portal(profile: EndpointProfile, sender: Any) -> Any:
    return PortalChannel(profile, sender, VirtualClock(), passphrase=SECRET, retry=NO_RETRY)


def ivan(profile: EndpointProfile, sender: Any) -> Any:
    return IvanChannel(profile, sender, VirtualClock(), token=SECRET, retry=NO_RETRY)


KINDS = {"portal-sandbox": portal, "ivan-sandbox": ivan}
FORM = a_form(transact_at=Ivan("00040", "I-VAN VÍ DỤ"))


async def called(channel: Any, call: str) -> None:
    if call == "log_in":
        await channel.log_in(Credentials(user_name="0100109106", password=SECRET), Person())
    elif call == "activate":
        await channel.activate(Filing(key="key-1", form=FORM), "S-1", SECRET)
    else:
        session = Session(user_name="0100109106", token=SECRET)
        await channel.change_password(session, SECRET, SECRET)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if error.__cause__ is not None:
            yield from chain(error.__cause__)
        error = error.__context__


def reported(error: BaseException | None) -> str:
    """Return everything that a crash reporter could show of an error and what led to it."""
    parts = []
    for one in chain(error):
        parts += TracebackException.from_exception(one, capture_locals=True).format()
        parts += [repr(one), repr(one.args), repr(vars(one)), repr(getattr(one, "object", ""))]
    return "".join(parts)


@pytest.mark.parametrize("waiting", [False, True], ids=["blocking", "asynchronous"])
@pytest.mark.parametrize("answer", [*ANSWERS, "reset"])
@pytest.mark.parametrize("call", ["log_in", "activate", "change_password"])
@pytest.mark.parametrize("name", KINDS)
def test_a_crash_report_shows_no_secret(name, call, answer, waiting):
    with raw_server(answering(answer)) as server:
        base_url = f"http://127.0.0.1:{server.port}"
        profile = EndpointProfile.shipped(name).with_overrides({"base_url": base_url})
        kind = AsyncHttpSender if waiting else HttpSender
        channel = KINDS[name](profile, kind(SystemClock(), allowed_hosts=profile.allowed_hosts))
        work = called(channel, call)
        error = None
        try:
            asyncio.run(work) if waiting else run(work)
        except BhxhError as caught:
            error = caught
    assert CANARY not in reported(error)
    assert error is not None or answer in {"cut", "empty", "odd letter", "no code"}


@pytest.mark.parametrize("kind", [HttpSender, AsyncHttpSender])
def test_a_broken_connection_shows_no_secret_while_writing(kind):
    big = Secret(CANARY * 600_000)

    def hanging_up(connection: socket.socket) -> None:
        connection.recv(10)
        reset(connection)

    with raw_server(hanging_up) as server:
        base_url = f"http://127.0.0.1:{server.port}"
        profile = EndpointProfile.shipped("ivan-sandbox").with_overrides({"base_url": base_url})
        channel = ivan(profile, kind(SystemClock(), allowed_hosts=profile.allowed_hosts))
        session = Session(user_name="0100109106", token=SECRET)
        work = channel.change_password(session, big, big)
        with pytest.raises(BhxhError) as caught:
            asyncio.run(work) if kind is AsyncHttpSender else run(work)
    assert CANARY not in reported(caught.value)


def silent(connection: socket.socket) -> None:
    """Take the request, begin an answer that holds a secret too, and say no more."""
    read_request(connection)
    connection.sendall(HEAD % (b"200 OK", 10_000) + CANARY.encode())
    with suppress(OSError):
        connection.recv(1)


@pytest.fixture
def changing():
    """Return a call that never ends at a server that says no more."""
    with raw_server(silent) as server:
        overrides = {"base_url": f"http://127.0.0.1:{server.port}"}
        profile = EndpointProfile.shipped("ivan-sandbox").with_overrides(overrides)

        def call(kind):
            sender = kind(SystemClock(), allowed_hosts=profile.allowed_hosts)
            session = Session(user_name="0100109106", token=SECRET)
            return ivan(profile, sender).change_password(session, SECRET, SECRET)

        yield call


def test_a_call_that_is_cancelled_shows_no_secret(changing):
    async def cancelled():
        async with asyncio.timeout(0.5):
            await changing(AsyncHttpSender)

    with pytest.raises(TimeoutError) as caught:
        asyncio.run(cancelled())
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)
    assert "in send" in reported(caught.value)
    assert CANARY not in reported(caught.value)


def test_a_call_that_a_person_breaks_off_shows_no_secret(changing):
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            run(changing(HttpSender))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert "in send" in reported(caught.value)
    assert CANARY not in reported(caught.value)


def test_an_error_with_more_errors_below_it_and_around_it_shows_no_frames():
    def failing(error, cause=None):
        held = CANARY
        raise error from (cause if held else None)

    def failed(error, cause=None):
        with suppress(type(error)):
            failing(error, cause)
        return error

    inner = failed(OSError())
    group = ExceptionGroup("several", [inner, failed(ValueError(), inner)])
    inner.__context__ = group
    with pytest.raises(KeyboardInterrupt) as caught, Unseen():
        failing(KeyboardInterrupt(), group)
    error = caught.value
    assert [one.__traceback__ for one in (inner, *group.exceptions)] == [None, None, None]
    assert CANARY not in reported(error.__cause__.exceptions[1])


def test_an_address_that_cannot_be_called_shows_no_header():
    sender = HttpSender(SystemClock(), allowed_hosts=["127.0.0.1"])
    asked = Request(method="POST", url="http://127.0.0.1/\x7f", headers=(("X-CLIENT", CANARY),))
    with pytest.raises(InputError) as caught:
        run(sender.send(asked))
    assert CANARY not in reported(caught.value)


def test_a_header_that_cannot_be_sent_shows_no_secret():
    profile = EndpointProfile.shipped("ivan-sandbox").with_overrides({"base_url": "http://127.0.0.1:1"})
    sender = HttpSender(VirtualClock(), allowed_hosts=profile.allowed_hosts)
    for odd in ("\n", "é"):
        channel = IvanChannel(profile, sender, VirtualClock(), token=Secret(CANARY + odd))
        with pytest.raises(InputError) as caught:
            run(channel.progress("S-1"))
        assert CANARY not in reported(caught.value)


@pytest.mark.parametrize("wire", ["?ma", "{ma}"])
def test_a_secret_is_never_put_into_an_address(wire):
    operation = {"path": "/x/{ma}", "request": {"code": wire}}
    overrides = {"base_url": "http://127.0.0.1:1", "operations": {"activate": operation}}
    profile = EndpointProfile.shipped("ivan-sandbox").with_overrides(overrides)
    channel = ivan(profile, HttpSender(VirtualClock(), allowed_hosts=profile.allowed_hosts))
    with pytest.raises(InputError) as caught:
        run(called(channel, "activate"))
    assert (caught.value.code, caught.value.field) == ("input.secret_in_address", "request.code")
    assert caught.value.nothing_left


@pytest.mark.parametrize("encoding", ["json", "json_string_data", "form", "multipart"])
def test_a_value_that_cannot_be_written_shows_no_secret_and_sends_nothing(encoding):
    operation = {"encoding": encoding, "data_member": "data", "request": {"key": "khoa", "code": "ma"}}
    overrides = {"base_url": "http://127.0.0.1:1", "operations": {"activate": operation}}
    profile = EndpointProfile.shipped("ivan-sandbox").with_overrides(overrides)
    channel = ivan(profile, HttpSender(VirtualClock(), allowed_hosts=profile.allowed_hosts))
    with pytest.raises(BhxhError) as caught:
        run(channel.activate(Filing(key="\ud800", form=FORM), "S-1", SECRET))
    assert caught.value.nothing_left
    assert CANARY not in reported(caught.value)


def test_the_log_of_everything_shows_no_secret_that_we_send(caplog):
    caplog.set_level(logging.DEBUG)
    test_a_crash_report_shows_no_secret("portal-sandbox", "log_in", "401", waiting=False)
    assert CANARY not in caplog.text


def test_secrets_are_written_as_they_are():
    world = PortalWorld()
    requests = []

    class Telling:
        async def send(self, request: Any) -> Any:
            requests.append(request)
            raise BhxhError

    for encoding in ("form", "json", "json_string_data"):
        member = "d" if "json" in encoding else ""
        operation = {"encoding": encoding, "request": {"code": "ma"}, "data_member": member}
        overrides = {"base_url": "http://127.0.0.1:1", "operations": {"activate": operation}}
        profile = EndpointProfile.shipped("ivan-sandbox").with_overrides(overrides)
        with pytest.raises(BhxhError):
            run(ivan(profile, Telling()).activate(world.filing(), "S-1", Secret(" a'b ")))
    form, plain, packed = (request.body for request in requests)
    assert b"ma=+a%27b+" in form
    assert b'"ma":" a\'b "' in plain
    assert b'\\"ma\\":\\" a\'b \\"' in packed


def test_only_values_that_json_knows_are_written():
    with pytest.raises(TypeError, match="object"):
        _json(object())
