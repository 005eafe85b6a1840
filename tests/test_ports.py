from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bhxh_sdk.ports import CaptchaChallenge, Event, Question, Reply, Request


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://API.Example.com:8443/a?b=c", "api.example.com"),
        ("https://[::1]/a", "::1"),
        ("mailto:nobody", ""),
        ("", ""),
    ],
)
def test_a_request_knows_its_host(url, host):
    assert Request(method="GET", url=url).host == host


def test_what_may_hold_secrets_is_not_shown():
    request = Request(
        method="POST", url="https://example.com/", headers=(("authorization", "hunter2"),), body=b"hunter2"
    )
    reply = Reply(status=200, headers=(("set-cookie", "hunter2"),), body=b"hunter2")
    assert "hunter2" not in f"{request!r}{reply!r}"
    assert "secret picture" not in repr(CaptchaChallenge(image=b"secret picture", purpose="log_in"))


def test_a_reply_finds_its_first_header_in_any_case():
    reply = Reply(status=200, headers=(("content-type", "a"), ("content-type", "b")))
    assert reply.header("Content-Type") == "a"
    assert reply.header("etag") == ""


def test_questions_and_events_are_plain_values():
    assert Question(purpose="otp") == Question(purpose="otp", subject="", choices=())
    at = datetime(2026, 9, 1, tzinfo=UTC)
    assert Event(kind="built", at=at, data={"a": 1}) == Event(kind="built", at=at, data={"a": 1})
    assert hash(Event(kind="built", at=at, data={"a": 1}))
