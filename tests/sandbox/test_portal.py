"""The sandbox's portal seen from the wire, by a caller that is not our channel."""

from __future__ import annotations

import base64
import http.client
import json
import struct
import zlib
from urllib.parse import urlencode, urlsplit

import pytest
from portal_world import PortalWorld, run, served

from bhxh_sdk.sandbox.captcha import picture
from bhxh_sdk.sandbox.faults import Fault, Faults
from bhxh_sdk.transport.client_header import encrypted_client_id


class Wire:
    """A plain HTTP caller with a cookie and a client header."""

    def __init__(self, world):
        self.world = world
        self.host = urlsplit(world.base_url).netloc
        self.cookie = ""
        client_id = self.call("GET", "/oauth2/GetClientId")[1].strip('"')
        salt = world.clock.random_bytes(8)
        header = encrypted_client_id(client_id, world.portal.passphrase, salt, spelling={"+": "teca"})
        self.public = {"X-CLIENT": header, "is_public": "true", "Content-Type": "application/json"}

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.host, timeout=5)
        sent = {**(headers or {}), **({"Cookie": self.cookie} if self.cookie else {})}
        connection.request(method, path, body if isinstance(body, str) else json.dumps(body or {}), sent)
        answer = connection.getresponse()
        self.cookie = (answer.getheader("set-cookie") or self.cookie).split(";")[0]
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def post(self, path, body=None, headers=None):
        status, text = self.call("POST", path, body, self.public if headers is None else headers)
        return status, json.loads(text)

    def captcha(self):
        _, shown = self.post("/api/getCaptchaImage", {"height": 60, "width": 300})
        image = base64.b64decode(shown["image"].rpartition(",")[2])
        return shown["code"], self.world.portal.answer(image)

    def token(self, credentials, ticket, text):
        form = {
            "grant_type": "password",
            "username": credentials.user_name,
            "password": credentials.password.reveal(),
            "text": text,
            "code": ticket,
        }
        status, answer = self.call("POST", "/token", urlencode(form))
        return status, json.loads(answer)


@pytest.fixture
def world():
    world = PortalWorld()
    with served(world.portal.app) as world.base_url:
        yield world


@pytest.fixture
def wire(world):
    return Wire(world)


@pytest.fixture
def signed_in(world, wire):
    credentials = world.registered(world.channel())
    _, answer = wire.token(credentials, *wire.captcha())
    return {"Authorization": f"Bearer {answer['access_token']}"}


def test_the_token_is_as_irregular_as_the_real_one(world, wire):
    credentials = world.registered(world.channel())
    status, answer = wire.token(credentials, *wire.captcha())
    assert status == 200
    assert isinstance(answer["dsDonVi"], str)
    (unit,) = json.loads(answer["dsDonVi"])
    assert unit["Id"] == 1000.0
    assert isinstance(answer[".expires"], int)
    assert answer["vnconnect"] == "0"


def test_a_captcha_is_good_once_for_one_visitor(world, wire):
    credentials = world.registered(world.channel())
    ticket, text = wire.captcha()
    assert wire.token(credentials, ticket, "wrong")[0] == 401
    status, answer = wire.token(credentials, ticket, text)
    assert (status, answer["error"]) == (401, "invalid_captcha")
    other = Wire(world)
    assert other.token(credentials, *wire.captcha())[0] == 401
    assert wire.token(credentials, *wire.captcha())[0] == 200


def test_client_ids_come_with_and_without_quotes(wire):
    texts = {wire.call("GET", "/oauth2/GetClientId")[1][0] == '"' for _ in range(40)}
    assert texts == {True, False}


def test_anonymous_calls_say_so_and_show_a_client_header(wire):
    assert wire.post("/api/GetListIVAN")[0] == 200
    assert wire.post("/api/GetListIVAN", headers={"X-CLIENT": wire.public["X-CLIENT"]})[0] == 401
    assert wire.post("/api/GetListIVAN", headers={"is_public": "true", "X-CLIENT": "teca"})[0] == 403


def test_dispatch_takes_objects_and_strings(wire, signed_in):
    context = {"masobhxhuser": "TZ0001Z", "PageSize": 5, "PageIndex": 1}
    answers = [
        wire.post("/CallApiWithCurrentUser", {"code": "085", "data": data}, signed_in)[1]
        for data in (context, json.dumps(context))
    ]
    assert answers[0] == answers[1]
    assert answers[0]["TotalRecords"] == 1.0
    assert answers[0]["DSThuTuc"][0]["soHoSo"] == "00001/2026/07906"


def test_a_session_sees_its_own_unit_only(wire, signed_in):
    data = {"masobhxhuser": "TZ0009Z"}
    assert (
        wire.post("/CallApiWithCurrentUser", {"code": "085", "data": data}, signed_in)[1]["DSThuTuc"] is None
    )


def test_an_unknown_dispatch_code_is_a_bad_request(wire, signed_in):
    status, answer = wire.post("/CallApiWithCurrentUser", {"code": "999"}, signed_in)
    assert (status, "999" in answer["Message"]) == (400, True)


def test_without_a_token_nothing_is_dispatched(wire):
    assert wire.post("/CallApiWithCurrentUser", {"code": "085"}, {})[0] == 401
    assert wire.call("GET", "/check")[0] == 401


@pytest.mark.parametrize("body", ["{cut", "[1]", '{"noiDungXml": "***"}', '{"noiDungXml": "PGEvPg=="}'])
def test_a_filing_that_cannot_be_read_is_refused(wire, body):
    status, answer = wire.post("/sandbox/register", body)
    assert (status, answer["status"], answer["data"]) == (200, "error", None)
    assert answer["code"].startswith("SBX-")


def test_a_broken_call_of_a_session_is_refused_too(wire, signed_in):
    assert wire.post("/GetValues", "{cut", signed_in)[1]["status"] == "error"


def test_a_filing_for_another_act_is_refused(world, wire):
    document = base64.b64encode(world.filing().document.content).decode()
    assert wire.post("/sandbox/stop", {"noiDungXml": document})[1]["code"] == "SBX-102"


def test_a_captcha_is_a_real_picture():
    image = picture("0123456789")
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colour = struct.unpack(">IIBB", image[16:26])
    assert (width, height, depth, colour) == (410, 70, 8, 0)
    length = struct.unpack(">I", image[33:37])[0]
    assert len(zlib.decompress(image[41 : 41 + length])) == (width + 1) * height


def test_planned_faults_come_in_order_and_may_be_forgotten():
    faults = Faults({"register": "/sandbox/register"})
    faults.next("register", Fault.HTML_PAGE)
    faults.next("/sandbox/register", Fault.LOSE_REPLY, times=2)
    assert faults.take("/sandbox/register") is Fault.HTML_PAGE
    assert faults.take("/sandbox/register") is Fault.LOSE_REPLY
    faults.clear()
    assert faults.take("/sandbox/register") is None
    assert faults.take("/elsewhere") is None


def test_a_pool_cookie_is_given_once(wire):
    first = wire.cookie
    wire.call("GET", "/oauth2/GetClientId")
    assert wire.cookie == first
    assert first.startswith("BIGipServer")


def test_the_portal_counts_nothing_twice(world):
    channel, filing = world.channel(), world.filing()
    run(channel.submit(filing))
    assert world.agency.submissions == 1
