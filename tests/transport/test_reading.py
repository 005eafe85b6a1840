"""Tolerant reading of irregular answers."""

from __future__ import annotations

import json
import time
import tracemalloc
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.errors import UnexpectedReplyError
from bhxh_sdk.ports import Reply
from bhxh_sdk.transport.outbound import Limits
from bhxh_sdk.transport.reading import (
    VIETNAM,
    as_flag,
    as_list,
    as_moment,
    as_object,
    as_text,
    json_object,
    json_value,
    member,
    unexpected,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def reply(body, content_type="application/json; charset=utf-8", status=200):
    return Reply(status=status, headers=(("content-type", content_type),), body=body)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<!DOCTYPE html><p>Log in", "unexpected_reply.html"),
        (b"\xef\xbb\xbf\r\n <html>", "unexpected_reply.html"),
        (b'{"a": 1', "unexpected_reply.not_json"),
        (b"", "unexpected_reply.not_json"),
        (b"\xff\xfe", "unexpected_reply.not_json"),
        (b'"{cut"', "unexpected_reply.not_json"),
        (b"[" * 100_000, "unexpected_reply.not_json"),
        (b"[" * 200 + b"]" * 200, "unexpected_reply.not_json"),
        (b"9" * 5000, "unexpected_reply.not_json"),
        (b"[1]", "unexpected_reply.shape"),
    ],
)
def test_what_is_no_json_object_is_told_without_its_body(body, code):
    with pytest.raises(UnexpectedReplyError) as caught:
        json_object(reply(body, "text/html; charset=utf-8", 403))
    error = caught.value
    assert error.code == code
    assert error.parameters == {"status": 403, "content_type": "text/html"}


def test_json_may_have_a_mark_and_hide_in_a_string():
    assert json_object(reply(b'\xef\xbb\xbf{"a": 1}')) == {"a": 1}
    assert json_object(reply(json.dumps('{"a": 1}').encode())) == {"a": 1}
    assert json_value(reply(b'"text"')) == "text"


def test_a_content_type_is_not_shown_at_any_length():
    assert len(unexpected(reply(b"", "x" * 500)).parameters["content_type"]) == 80


@given(JSON)
def test_any_json_is_read_or_refused(value):
    try:
        json_value(reply(json.dumps(value).encode()))
    except UnexpectedReplyError as error:
        assert error.code.startswith("unexpected_reply.")  # noqa: PT017  # most values raise nothing


def test_members_are_found_whatever_their_case():
    value = {"MaCoquan": "07906", ".expires": 5, "info": '{"Tthoso": {"Sohoso": "1"}}', "gone": None}
    assert member(value, "macoquan") == "07906"
    assert member(value, "missing", "MACOQUAN") == "07906"
    assert member(value, ".expires") == 5
    assert member(value, "INFO.tthoso.sohoso") == "1"
    assert member(value, "gone", "info.none.none") is None
    assert member([1], "x") is None
    assert member("no json", "x") is None
    assert member("{cut", "x") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (123.0, "123"),
        (1.5, "1.5"),
        (7, "7"),
        (True, "true"),
        (None, ""),
        (" Hoà ", "Hoà"),
        ([1], ""),
        ({}, ""),
        (1e300, "1e+300"),
    ],
)
def test_scalars_become_text(value, text):
    assert as_text(value) == text


def test_a_lone_surrogate_becomes_a_replacement_mark():
    told = json_object(reply(b'{"a": "x\\ud800", "b": "\\ud83d\\ude00"}'))
    assert as_text(told["a"]) == "x\ufffd"
    assert as_text(told["b"]) == "\U0001f600"


def test_endless_marks_on_a_letter_cost_no_time():
    begun = time.process_time()
    as_text("a" + "\u0301" * 40_000 + "\u0327" * 40_000)
    assert time.process_time() - begun < 0.5


def test_the_heaviest_answer_within_the_limit_stays_small():
    size = Limits().decoded_bytes
    for piece in (b"[],", b"{},", b'{"":0},', b"1.5,"):
        body = b"[" + piece * (size // len(piece) - 1) + b"0]"
        tracemalloc.start()
        json_value(reply(body))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 100_000_000


def test_lists_may_be_null_or_packed():
    assert as_list(None) == as_list("") == []
    assert as_list("[1]") == as_list([1]) == [1]
    assert as_list("[cut") == []
    with pytest.raises(UnexpectedReplyError):
        as_list({"error": "no"})


def test_objects_may_be_packed():
    assert as_object('{"a": 1}') == as_object({"a": 1}) == {"a": 1}
    assert as_object("[1]") == as_object(None) == as_object("{cut") == {}


@pytest.mark.parametrize(
    ("value", "flag"), [(1.0, True), ("TRUE", True), ("0", False), (False, False), ("có", None), (None, None)]
)
def test_flags_are_yes_no_or_unsaid(value, flag):
    assert as_flag(value) is flag


NOON = datetime(2026, 11, 23, 12, 0, tzinfo=VIETNAM)


@pytest.mark.parametrize(
    "value",
    [
        "23/11/2026 12:00:00",
        "23/11/2026 12:00",
        "23-11-2026 12:00",
        "2026-11-23T12:00:00",
        "2026-11-23T12:00:00+07:00",
        "2026-11-23T05:00:00Z",
        "Mon, 23 Nov 2026 05:00:00 GMT",
        int(NOON.timestamp()),
        NOON.timestamp() * 1000,
        f"/Date({int(NOON.timestamp() * 1000)})/",
        f"/Date({int(NOON.timestamp() * 1000)}+0700)/",
    ],
)
def test_moments_are_read_in_every_form(value):
    assert as_moment(value) == NOON
    assert as_moment(value).tzinfo is UTC


def test_a_day_alone_begins_in_vietnam():
    assert as_moment("1/7/2025") == as_moment("2025-07-01") == datetime(2025, 7, 1, tzinfo=VIETNAM)


@pytest.mark.parametrize(
    "value",
    ["", None, "31/02/2026", "soon", "0001-01-01T00:00:00", "Mon, 99 Nov 2026", [1]],
)
def test_what_is_no_moment_is_none(value):
    assert as_moment(value) is None


@given(st.text())
def test_no_text_breaks_the_reading_of_moments(text):
    assert as_moment(text) is None or as_moment(text).tzinfo is UTC
