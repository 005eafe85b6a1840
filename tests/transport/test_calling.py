"""Yes, no, and nobody knows: how answers are told apart."""

from __future__ import annotations

import json

import pytest
from portal_world import run

from bhxh_sdk.errors import (
    AlreadyRegisteredError,
    LogInRefusedError,
    NotSentError,
    RefusedError,
    SessionExpiredError,
    UnexpectedReplyError,
    UnknownOutcomeError,
)
from bhxh_sdk.models import Outcome
from bhxh_sdk.ports import Reply
from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.secret import Secret
from bhxh_sdk.transport import EndpointProfile
from bhxh_sdk.transport.calling import Answer, Caller, as_reading, in_doubt, understood
from bhxh_sdk.transport.writing import Upload


def profile(**endpoint):
    return EndpointProfile.from_data(
        {
            "name": "t",
            "kind": "portal",
            "base_url": "https://portal.example/",
            "allowed_hosts": ["portal.example"],
            "operations": {"ask": {"path": "/ask", **endpoint}},
        }
    )


def endpoint(**members):
    return profile(**members).endpoint("ask")


def reply(value="", status=200, content_type="application/json"):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Reply(status=status, headers=(("content-type", content_type),), body=body)


TOLD = {
    "result": "data",
    "success": {"member": "status", "equals": ["success"]},
    "refusals": {
        "code": "code",
        "text": "msg",
        "kinds": {"3020": "already_registered"},
        "statuses": {"409": "log_in"},
    },
}
PAGE = b"<html>login</html>"


def test_a_yes_gives_its_payload():
    assert understood(endpoint(**TOLD), reply({"Status": "SUCCESS", "data": {"a": 1}})).value == {"a": 1}
    assert understood(endpoint(), reply([1])).value == [1]


def test_a_no_is_of_the_kind_that_its_code_has():
    with pytest.raises(AlreadyRegisteredError) as caught:
        understood(endpoint(**TOLD), reply({"status": "error", "code": 3020.0, "msg": "đã đăng ký"}))
    assert (caught.value.agency_code, caught.value.agency_text) == ("3020", "đã đăng ký")


def test_a_no_with_an_unknown_code_keeps_it():
    with pytest.raises(RefusedError) as caught:
        understood(endpoint(**TOLD), reply({"status": "error", "code": "X9", "msg": "y" * 900}))
    assert type(caught.value) is RefusedError
    assert caught.value.agency_code == "X9"
    assert len(caught.value.agency_text) == 500


@pytest.mark.parametrize("status", [400, 403, 404, 429])
def test_a_no_may_come_with_a_bad_status(status):
    with pytest.raises(AlreadyRegisteredError):
        understood(endpoint(**TOLD), reply({"code": "3020"}, status))


@pytest.mark.parametrize("status", [408, 429])
def test_not_now_is_no_refusal(status):
    with pytest.raises(UnexpectedReplyError):
        understood(endpoint(**TOLD), reply({"msg": "too many requests"}, status))


def test_a_status_may_tell_the_kind():
    with pytest.raises(LogInRefusedError):
        understood(endpoint(**TOLD), reply({"msg": "no"}, 409))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (reply({"status": "other"}), "shape"),
        (reply({"data": {}}), "shape"),
        (reply([]), "shape"),
        (reply(PAGE), "html"),
        (reply(b'{"status": "succ'), "not_json"),
        (reply({"msg": "no"}, 500), "server_error"),
        (reply(PAGE, 503), "server_error"),
        (reply(b"", 302), "status"),
        (reply(PAGE, 403), "html"),
        (reply({}, 401), "status"),
        (reply(b"cut", 400), "status"),
    ],
)
def test_what_is_neither_yes_nor_no_is_unexpected(answer, code):
    with pytest.raises(UnexpectedReplyError) as caught:
        understood(endpoint(**TOLD), answer)
    assert caught.value.code == f"unexpected_reply.{code}"


@pytest.mark.parametrize("answer", [reply(b"", 401), reply(PAGE, 401), reply({"Message": "denied"}, 401)])
def test_401_with_a_token_is_the_end_of_the_session(answer):
    with pytest.raises(SessionExpiredError):
        understood(endpoint(access="bearer", refusals={"text": "Message"}), answer)


def test_401_with_a_token_may_say_more():
    with pytest.raises(AlreadyRegisteredError):
        understood(endpoint(access="bearer", **TOLD), reply({"code": "3020"}, 401))


@pytest.mark.parametrize(
    ("kind", "body", "value"),
    [
        ("text", b"  plain ", "plain"),
        ("text", b'"quoted"', "quoted"),
        ("any", b"", ""),
        ("any", b'{"a": 1}', {"a": 1}),
        ("bytes", b"\x00%PDF", b"\x00%PDF"),
    ],
)
def test_answers_may_be_text_or_bytes(kind, body, value):
    assert understood(endpoint(reply=kind), reply(body)).value == value


def test_a_page_is_never_text():
    with pytest.raises(UnexpectedReplyError):
        understood(endpoint(reply="any"), reply(PAGE))


OPTIONAL = {
    "reply": "any",
    "success": {"member": "success", "equals": ["true", "00"], "optional": True},
    "refusals": {"code": "errorCode", "text": "message"},
}


@pytest.mark.parametrize("value", [b"", {"success": True}, {"message": "done"}, "done"])
def test_where_the_yes_is_unknown_anything_but_a_no_is_one(value):
    assert understood(endpoint(**OPTIONAL), reply(value))


@pytest.mark.parametrize("value", [{"success": False, "message": "no"}, {"errorCode": "9"}])
def test_where_the_yes_is_unknown_a_no_is_still_a_no(value):
    with pytest.raises(RefusedError):
        understood(endpoint(**OPTIONAL), reply(value))


def test_an_answer_is_read_by_our_names():
    names = {"key": ["k", "K2"], "at": "t", "state": "s", "rows": "list", "yes": "y"}
    shaped = endpoint(answer=names, states={"Xong": "accepted"})
    answer = Answer(shaped, {"K2": 5.0, "t": "23/11/2026", "s": "Xong", "list": [{"k": "a"}, "b"], "y": 1})
    assert answer.text("key") == answer.needed("key") == "5"
    assert answer.moment("at").day == 22
    assert answer.outcome() is Outcome.ACCEPTED
    assert answer.flag("yes") is True
    assert [row.text("key") for row in answer.rows()] == ["a", ""]
    assert answer.text("unnamed") == ""
    assert Answer(shaped, {}).outcome() is Outcome.UNKNOWN
    with pytest.raises(UnexpectedReplyError) as caught:
        Answer(shaped, {}).needed("key")
    assert caught.value.field == "key"
    assert [row.value for row in Answer(endpoint(), [{"a": 1}]).rows()] == [{"a": 1}]


def test_doubt_keeps_the_reference():
    with pytest.raises(UnknownOutcomeError) as caught, in_doubt("key-1"):
        raise UnexpectedReplyError("unexpected_reply.html", status=200)
    assert caught.value.reference == "key-1"
    assert caught.value.parameters == {"reason": "unexpected_reply.html", "status": 200}
    with pytest.raises(UnknownOutcomeError) as caught, in_doubt("key-1"):
        raise UnknownOutcomeError("unknown_outcome.deadline", host="portal.example")
    assert (caught.value.reference, caught.value.code) == ("key-1", "unknown_outcome.deadline")
    with pytest.raises(NotSentError), in_doubt("key-1"):
        raise NotSentError


def test_reading_knows_no_doubt():
    with pytest.raises(UnexpectedReplyError) as caught, as_reading():
        raise UnknownOutcomeError("unknown_outcome.deadline", host="portal.example")
    assert caught.value.parameters == {"reason": "unknown_outcome.deadline", "host": "portal.example"}


class Recorder:
    """A sender that remembers what it was given."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.requests = []

    async def send(self, request):
        self.requests.append(request)
        found = self.replies.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


def sent(values=None, bearer=None, headers=None, **members):
    recorder = Recorder(reply({}))
    caller = Caller(profile(**members), recorder, VirtualClock(seed=1))
    run(caller.once("ask", values, bearer=bearer, headers=headers))
    return recorder.requests[0]


def test_once_is_once_and_reading_is_repeated():
    sender = Recorder(UnknownOutcomeError(), reply({}, 503), reply({"a": 1}))
    caller = Caller(profile(), sender, VirtualClock(seed=1))
    with pytest.raises(UnknownOutcomeError):
        run(caller.once("ask"))
    assert run(caller.read("ask")).value == {"a": 1}
    sender.replies = [UnknownOutcomeError()] * 3
    with pytest.raises(UnexpectedReplyError):
        run(caller.read("ask"))


def test_members_go_where_their_wire_names_say():
    request = sent(
        {"key": "a/b c", "unit": "U 1", "tax": 5, "none": None, "unknown": "x"},
        path="/ask/{number}/{missing}",
        request={"key": "{number}", "unit": "?unit", "tax": "Mst", "none": "No"},
        fixed={"kind": "1", "group": {}},
        headers={"X-A": "1"},
    )
    assert request.url == "https://portal.example/ask/a%2Fb%20c/?unit=U+1"
    assert json.loads(request.body) == {"kind": "1", "group": {}, "Mst": 5}
    headers = dict(request.headers)
    assert headers["Content-Type"] == "application/json"
    assert headers["X-A"] == "1"
    assert "Authorization" not in headers


def test_who_may_call_is_told_by_headers():
    assert dict(sent(access="public").headers)["is_public"] == "true"
    request = sent(access="bearer", bearer=Secret("tok"), headers={"X-CLIENT": "c"})
    assert dict(request.headers)["Authorization"] == "Bearer tok"
    assert dict(request.headers)["X-CLIENT"] == "c"
    assert "tok" not in repr(request)
    assert "Authorization" not in dict(sent(bearer=Secret("tok")).headers)


@pytest.mark.parametrize(
    ("place", "url", "body", "header"),
    [
        ("body", "https://portal.example/ask/", {"code": "085", "data": {"a": "1"}}, ""),
        ("header", "https://portal.example/ask/", {"data": {"a": "1"}}, "085"),
        ("path", "https://portal.example/ask/085", {"data": {"a": "1"}}, ""),
    ],
)
def test_the_operation_code_goes_where_the_profile_says(place, url, body, header):
    request = sent(
        {"a": "1"}, path="/ask/{code}", code="085", code_in=place, data_member="data", request={"a": "a"}
    )
    assert request.url == url
    assert json.loads(request.body) == body
    assert dict(request.headers).get("code", "") == header


def test_data_may_travel_as_a_string():
    request = sent({"a": "đ"}, encoding="json_string_data", code="1", data_member="data", request={"a": "a"})
    assert json.loads(request.body) == {"code": "1", "data": '{"a":"đ"}'}


def test_forms_and_bare_calls():
    request = sent({"a": "ă&b"}, encoding="form", request={"a": "a"}, fixed={"n": 1.0})
    assert request.body == b"n=1&a=%C4%83%26b"
    bare = sent(encoding="none", method="GET")
    assert (bare.body, bare.method, "Content-Type" in dict(bare.headers)) == (b"", "GET", False)


def test_files_travel_in_several_parts():
    files = [Upload(file_name="a.xml", content=b"<a/>"), Upload(file_name="b.png", content=b"png")]
    request = sent(
        {"files": files, "note": "x"}, encoding="multipart", request={"files": "Tep[]", "note": "NoiDung"}
    )
    assert dict(request.headers)["Content-Type"].startswith("multipart/form-data; boundary=")
    assert request.body.count(b'name="Tep[]"; filename=') == 2
    assert b'name="NoiDung"\r\n\r\nx' in request.body


def test_a_long_text_is_cut_and_a_long_identifier_refused():
    answer = Answer(endpoint(answer={"text": "text"}), {"text": "x" * 5000})
    assert len(answer.text("text")) == 4000
    assert answer.text("text").endswith("x…")
    with pytest.raises(UnexpectedReplyError):
        answer.needed("text")


@pytest.mark.parametrize("token", ["", None, 5, "to\nken", "to ken", "é", "\ud800", "a\0", {}])
def test_a_token_that_fits_no_header_is_refused_where_it_is_read(token):
    with pytest.raises(UnexpectedReplyError) as caught:
        Answer(endpoint(answer={"token": "token"}), {"token": token}).token("token")
    assert caught.value.field == "token"


def test_a_long_token_is_kept_whole():
    told = {"token": "x" * 9000}
    assert Answer(endpoint(answer={"token": "token"}), told).token("token") == Secret("x" * 9000)
