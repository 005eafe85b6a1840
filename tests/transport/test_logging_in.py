"""Reading the answer to a log-in, and choosing the unit."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from portal_world import run

from bhxh_sdk.errors import InputError, PersonNeededError, UnexpectedReplyError
from bhxh_sdk.models import Credentials
from bhxh_sdk.ports import Reply
from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.secret import Secret
from bhxh_sdk.transport import EndpointProfile, PortalChannel

NOW = datetime(2026, 11, 23, tzinfo=UTC)
UNITS = [
    {"Id": 1.0, "Ten": "Một", "Ma": "TZ0001Z", "MaCQ": "07906", "Mst": "0100109106"},
    {"Id": 2.0, "TenDonVi": "Hai", "ma": "TZ0002Z", "MaCoquan": "00101"},
]


class Portal:
    """Answers client id, captcha and token from a table."""

    def __init__(self, token, image=None):
        image = base64.b64encode(b"png").decode() if image is None else image
        self.replies = {
            "/oauth2/GetClientId": "client",
            "/api/getCaptchaImage": {"image": image, "code": "ticket"},
            "/token": token,
        }
        self.requests = []

    async def send(self, request):
        self.requests.append(request)
        path = request.url.removeprefix("https://dichvucong.baohiemxahoi.gov.vn")
        return Reply(status=200, body=json.dumps(self.replies[path]).encode())


class Person:
    def __init__(self, takes=0):
        self.takes = takes
        self.question = None
        self.image = b""

    async def captcha(self, challenge):
        self.image = challenge.image
        return " ab12 "

    async def choose(self, question):
        self.question = question
        if self.takes is None:
            raise PersonNeededError
        return self.takes


def logged_in(portal, person=None, unit_code="", **overrides):
    profile = EndpointProfile.shipped("portal-vss").with_overrides(overrides)
    channel = PortalChannel(profile, portal, VirtualClock(NOW, seed=1), passphrase=Secret("pass"))
    return run(
        channel.log_in(
            Credentials(user_name="0100109106", password=Secret("pw")), person or Person(), unit_code
        )
    )


def token(**members):
    return {"access_token": "tok", "dsDonVi": json.dumps(UNITS), **members}


def test_the_token_call_is_as_seen():
    portal = Portal(token())
    person = Person()
    session = logged_in(portal, person)
    assert person.image == b"png"
    body = portal.requests[-1].body.decode()
    assert body == (
        "grant_type=password&loaidoituong=1&username=0100109106&password=pw&text=ab12&code=ticket&clientId=client"
    )
    headers = dict(portal.requests[-1].headers)
    assert headers["not_auth_token"] == "false"
    assert headers["X-CLIENT"] == session.client_header
    assert "pw" not in repr(portal.requests[-1])
    assert session.token == Secret("tok")
    assert session.user_name == "0100109106"


def test_a_picture_may_have_a_prefix():
    person = Person()
    logged_in(Portal(token(), "data:image/png;base64," + base64.b64encode(b"png2").decode()), person)
    assert person.image == b"png2"


@pytest.mark.parametrize("image", ["a", "ảnh"])
def test_a_picture_that_is_none_is_not_shown(image):
    with pytest.raises(UnexpectedReplyError) as caught:
        logged_in(Portal(token(), image))
    assert caught.value.field == "image"


def test_a_person_chooses_among_several_units():
    person = Person(takes=1)
    session = logged_in(Portal(token()), person)
    assert person.question.purpose == "choose_unit"
    assert person.question.choices == ("TZ0001Z Một", "TZ0002Z Hai")
    assert (session.unit.unit_code, session.unit.name) == ("TZ0002Z", "Hai")
    assert session.units[0].agency_code == "07906"
    assert len(session.units) == 2


def test_a_named_unit_needs_nobody():
    person = Person(takes=None)
    assert logged_in(Portal(token()), person, "tz0002z").unit.unit_code == "TZ0002Z"
    assert person.question is None


@pytest.mark.parametrize(("takes", "unit_code"), [(2, ""), (-1, ""), (0, "TZ0003Z")])
def test_a_unit_that_is_not_there_cannot_be_chosen(takes, unit_code):
    with pytest.raises(InputError) as caught:
        logged_in(Portal(token()), Person(takes), unit_code)
    assert caught.value.code == "input.unknown_unit"
    assert "TZ0001Z, TZ0002Z" in caught.value.hint()


def test_an_account_may_have_one_unit_or_none():
    assert logged_in(Portal(token(dsDonVi=UNITS[:1]))).unit.unit_code == "TZ0001Z"
    session = logged_in(Portal(token(dsDonVi=None)))
    assert (session.units, session.unit) == ((), None)
    with pytest.raises(InputError):
        logged_in(Portal(token(dsDonVi=None)), unit_code="TZ0001Z")


@pytest.mark.parametrize(
    ("members", "end"),
    [
        ({".expires": 1200}, NOW + timedelta(minutes=20)),
        ({".expires": int(NOW.timestamp()) + 60}, NOW + timedelta(minutes=1)),
        ({".expires": (NOW.timestamp() + 60) * 1000}, NOW + timedelta(minutes=1)),
        ({".expires": "Mon, 23 Nov 2026 01:00:00 GMT"}, NOW + timedelta(hours=1)),
        ({"expires_in": "1199"}, NOW + timedelta(seconds=1199)),
        ({".expires": "soon", "expires_in": 60.0}, NOW + timedelta(seconds=60)),
        ({}, None),
        ({".expires": "soon"}, None),
    ],
)
def test_the_end_of_a_session_is_read_in_every_form(members, end):
    assert logged_in(Portal(token(**members))).expires_at == end


def test_an_answer_without_a_token_is_not_understood():
    with pytest.raises(UnexpectedReplyError) as caught:
        logged_in(Portal({"userName": "x"}))
    assert caught.value.field == "token"


def test_a_profile_may_know_who_must_change_the_password():
    answer = {"operations": {"log_in": {"answer": {"must_change_password": "doiMatKhau"}}}}
    assert logged_in(Portal(token(doiMatKhau="1")), **answer).must_change_password
    assert not logged_in(Portal(token()), **answer).must_change_password
