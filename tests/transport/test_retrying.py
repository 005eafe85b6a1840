"""How reading calls are repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from portal_world import run

from bhxh_sdk.errors import NotSentError, UnknownOutcomeError
from bhxh_sdk.ports import Reply, Request
from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.transport.retrying import NO_RETRY, RetryPolicy, send_reading

START = datetime(2026, 11, 23, tzinfo=UTC)
REQUEST = Request(method="GET", url="https://portal.example/")
GOOD = Reply(status=200)


class Scripted:
    """A sender that does what the script says."""

    def __init__(self, *script):
        self.script = list(script)
        self.sent = 0

    async def send(self, request):
        self.sent += 1
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


def busy(status=503, **headers):
    return Reply(
        status=status, headers=tuple((name.replace("_", "-"), value) for name, value in headers.items())
    )


def attempt(sender, policy=None, clock=None):
    clock = clock or VirtualClock(START, seed=1)
    try:
        return run(send_reading(sender, clock, REQUEST, policy or RetryPolicy())), clock.monotonic()
    except (NotSentError, UnknownOutcomeError) as error:
        return error, clock.monotonic()


@pytest.mark.parametrize(
    "trouble", [NotSentError(), UnknownOutcomeError(), busy(), busy(429), busy(502), busy(504)]
)
def test_passing_trouble_is_sat_out(trouble):
    sender = Scripted(trouble, trouble, GOOD)
    result, waited = attempt(sender)
    assert result is GOOD
    assert 1.5 <= waited <= 3.0


def test_the_last_answer_stands():
    sender = Scripted(busy(), busy(), busy())
    assert attempt(sender)[0].status == 503
    last = NotSentError()
    assert attempt(Scripted(NotSentError(), busy(), last))[0] is last


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 500])
def test_an_answer_that_is_no_wait_is_final(status):
    sender = Scripted(Reply(status=status))
    assert attempt(sender)[0].status == status
    assert sender.sent == 1


def test_a_wrong_certificate_is_not_tried_again():
    sender = Scripted(NotSentError("not_sent.certificate"))
    assert attempt(sender)[0].code == "not_sent.certificate"
    assert sender.sent == 1


def test_one_try_is_one_try():
    sender = Scripted(busy())
    assert attempt(sender, NO_RETRY) == (busy(), 0)


def test_the_servers_wish_is_honoured():
    assert attempt(Scripted(busy(retry_after="7"), GOOD))[1] == 7
    later = (START + timedelta(seconds=9)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert attempt(Scripted(busy(retry_after=later), GOOD))[1] == 9


@pytest.mark.parametrize("wish", ["", "soon", "Mon, 01 Jan 2024 00:00:00 GMT"])
def test_a_wish_without_sense_is_no_wish(wish):
    assert attempt(Scripted(busy(retry_after=wish), GOOD))[1] <= 1


def test_a_server_that_wants_long_rest_is_left_alone():
    sender = Scripted(busy(429, retry_after="3600"))
    result, waited = attempt(sender)
    assert (result.status, waited, sender.sent) == (429, 0, 1)


def test_waits_double_and_have_an_end():
    policy = RetryPolicy(longest_wait_seconds=5)
    assert [policy.wait(tries, 0, 0) for tries in (1, 2, 3, 4)] == [1, 2, 4, 5]
    assert policy.wait(1, 0, 1) == 0.5
