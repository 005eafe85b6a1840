"""The sandbox of MySign demands what the interface demands, and answers in its shapes."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta

import httpx
import pytest

from bhxh_sdk.ports import Request
from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.sandbox.remote import Answer, Mischief, SandboxPhone, SigningDesk
from bhxh_sdk.sandbox.remote.mysign import SandboxMySign
from bhxh_sdk.sandbox.remote.provider import app_of
from bhxh_sdk.sandbox.server import Serving

LOGIN, CERTIFICATES = "/vtss/service/ras/v1/login", "/vtss/service/certificates/info"
SIGN, STATUS = "/vtss/service/signHash", "/vtss/service/requests/status"
OWNER = "MST_0100109106-1"
CLIENT = {"client_id": "example-client", "client_secret": "example-client-secret"}
SIGNER = {"profile_id": "adss:ras:profile:001", "user_id": OWNER}
DIGEST = hashlib.sha256(b"one").digest()


def text(value):
    return base64.b64encode(value.encode()).decode()


class Client:
    """Somebody who asks by hand."""

    def __init__(self, clock):
        self.clock = clock
        pki = SandboxPki(clock.now())
        desk = SigningDesk(clock, SandboxPhone(), life=timedelta(seconds=120))
        self.provider = SandboxMySign(desk=desk, passes=clock.advance)
        self.credential = self.provider.add(pki.issue(), name="KEY-1")
        self.other = self.provider.add(pki.of_another(), owner="CMT_001099000001")

    def asked(self, path, body, token="", method="POST"):
        headers = (("authorization", f"Bearer {token}"),) if token else ()
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply = self.provider.answer(
            Request(method=method, url=f"https://mysign.example{path}", headers=headers, body=content)
        )
        return reply.status, json.loads(reply.body)

    def token(self, user=OWNER):
        return self.asked(LOGIN, {**CLIENT, **SIGNER, "user_id": user})[1]["access_token"]

    def signing(self, **changes):
        body = {
            **CLIENT,
            "credentialID": self.credential,
            "numSignatures": 1,
            "description": text("dossier"),
            "documents": [{"document_id": "1", "document_name": text("one_xml")}],
            "hash": [base64.b64encode(DIGEST).decode()],
            "hashAlgo": "2.16.840.1.101.3.4.2.1",
            "signAlgo": "1.2.840.113549.1.1.1",
            "async": 1,
            **changes,
        }
        return {name: value for name, value in body.items() if value is not None}


@pytest.fixture
def client():
    return Client(VirtualClock(seed=1))


def test_a_login_gives_a_token_and_its_life_as_text(client):
    status, answer = client.asked(LOGIN, {**CLIENT, **SIGNER})
    assert status == 200
    assert (answer["expires_in"], answer["refresh_token"]) == ("3600", "")
    assert client.asked(STATUS, {"transactionId": "x"}, answer["access_token"])[0] == 400
    client.clock.advance(timedelta(seconds=3600))
    assert client.asked(STATUS, {"transactionId": "x"}, answer["access_token"])[0] == 401


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": "nobody"}, "58007"),
        ({"client_secret": "wrong"}, "86024"),
        ({"user_id": "MST_1"}, "58008"),
        ({"profile_id": "other"}, "invalid_request"),
        ({"profile_id": ""}, "invalid_request"),
        ({"user_id": 7}, "invalid_request"),
    ],
)
def test_a_wrong_login_is_refused(client, changes, code):
    status, answer = client.asked(LOGIN, {**CLIENT, **SIGNER, **changes})
    assert (status, answer["error"]) == (400, code)
    assert answer["error_description"]


def test_a_user_that_is_refused_gets_the_one_known_status(client):
    client.provider.refuses = "59033"
    assert client.asked(LOGIN, {**CLIENT, **SIGNER})[0] == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"credentialID": "nobody's"},
        {"credentialID": None, "credential_id": "KEY-1"},
        {"numSignatures": 2},
        {"numSignatures": "1"},
        {"documents": []},
        {"documents": None},
        {"documents": ["1"]},
        {"documents": [{"document_id": "1", "document_name": text("Tờ khai")}]},
        {"documents": [{"document_id": "1", "document_name": text("x" * 75)}]},
        {"documents": [{"document_id": "1", "document_name": "one.xml"}]},
        {"hash": []},
        {"hash": [DIGEST.hex()]},
        {"hash": [base64.b64encode(bytes(48)).decode()]},
        {"hashAlgo": "1.3.14.3.2.26"},
        {"signAlgo": None},
        {"description": "not base64"},
        {"description": None},
        {"async": 4},
        {"async": "1"},
        {"async": None},
    ],
    ids=str,
)
def test_a_wrong_request_to_sign_rings_no_phone(client, changes):
    status, answer = client.asked(SIGN, client.signing(**changes), client.token())
    assert (status, answer["error"]) == (400, "invalid_request")
    assert client.provider.desk.accepted == ()
    assert client.provider.desk.phone.rings == []


def test_a_token_belongs_to_one_signer(client):
    theirs = client.token("CMT_001099000001")
    assert client.asked(SIGN, client.signing(), theirs)[0] == 400
    assert client.asked(CERTIFICATES, {**CLIENT, **SIGNER, "certificates": "chain"}, theirs)[0] == 401
    begun = client.asked(SIGN, client.signing(), client.token())[1]
    assert client.asked(STATUS, begun, theirs)[0] == 400
    assert client.asked(STATUS, begun, "")[0] == 401


def test_the_list_wants_the_chain(client):
    token = client.token()
    for changes in ({}, {"certificates": "none"}):
        assert client.asked(CERTIFICATES, {**CLIENT, **SIGNER, **changes}, token)[0] == 400
    status, listed = client.asked(CERTIFICATES, {**CLIENT, **SIGNER, "certificates": "chain"}, token)
    assert status == 200
    assert [item["credential_id"] for item in listed] == ["KEY-1"]
    assert len(listed[0]["cert"]["certificates"]) == 3


def test_the_first_answer_tells_the_id_alone(client):
    status, answer = client.asked(SIGN, client.signing(), client.token())
    assert status == 200
    assert list(answer) == ["transactionId"]
    assert client.provider.desk.phone.rings[0].shown == "dossier\none_xml"


@pytest.mark.parametrize(
    ("answer", "status", "seconds"),
    [
        (Answer.CONFIRMS, "1", 7),
        (Answer.DECLINES, "4002", 7),
        (Answer.IGNORES, "4001", 120),
        (Answer.IS_UNREACHABLE, "4001", 120),
        (Answer.CONFIRMS_LATE, "4001", 120),
    ],
)
def test_the_blocking_call_lets_time_pass(client, answer, status, seconds):
    client.provider.desk.phone.takes = timedelta(seconds=7)
    client.provider.desk.phone.next(answer)
    token, before = client.token(), client.clock.monotonic()
    _, told = client.asked(SIGN, client.signing(**{"async": 0}), token)
    assert told["status"] == status
    assert client.clock.monotonic() - before == seconds
    assert bool(told.get("signatures")) is (status == "1")


def test_an_unreachable_phone_is_waited_for(client):
    client.provider.desk.phone.next(Answer.IS_UNREACHABLE)
    token = client.token()
    _, begun = client.asked(SIGN, client.signing(), token)
    assert client.asked(STATUS, begun, token)[1]["status"] == "4000"
    client.clock.advance(timedelta(seconds=120))
    assert client.asked(STATUS, begun, token)[1]["status"] == "4001"


@pytest.mark.parametrize(("path", "method"), [("/elsewhere", "POST"), (LOGIN, "GET")])
def test_other_addresses_are_not_there(client, path, method):
    assert client.asked(path, {}, method=method)[0] == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"<x/>"])
def test_what_is_no_object_is_refused(client, body):
    assert client.asked(LOGIN, body)[0] == 400


def test_its_profile_table_names_the_secret_and_never_holds_it(client):
    table = client.provider.profile_table("http://127.0.0.1:1", async_mode=2)
    assert table["user_id"] == OWNER
    assert table["async_mode"] == 2
    assert "example-client-secret" not in str(table) + repr(client.provider)
    assert client.provider.secrets["client_secret"].reveal() == "example-client-secret"


def test_it_is_served_on_this_machine(client):
    client.provider.desk.misbehave(Mischief.PAGE)
    serving = Serving((app_of(client.provider),), (0,))
    try:
        pages = [httpx.post(serving.urls[0] + LOGIN, json={**CLIENT, **SIGNER}) for _ in range(2)]
    finally:
        serving.stop()
    assert pages[0].headers["content-type"] == "text/html"
    assert pages[1].json()["token_type"] == "Bearer"
