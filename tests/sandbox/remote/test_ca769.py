"""The sandbox's provider of Decision 769 demands what the interface demands, and answers in its shapes."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta

import pytest

from bhxh_sdk.ports import Request
from bhxh_sdk.sandbox import VirtualClock
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.sandbox.remote import Mischief
from bhxh_sdk.sandbox.remote.ca769 import Decision769Provider
from bhxh_sdk.sandbox.remote.ca769_ways import WAYS

BASE = "https://signing.example.com"
DIGEST = hashlib.sha256(b"document").digest()
ACCOUNT = {"sp_id": "sandbox-sp", "sp_password": "sandbox-sp-password", "user_id": "0100109106"}


class World:
    def __init__(self, dialect, **options):
        self.clock = VirtualClock(seed=3)
        self.provider = Decision769Provider(self.clock, dialect, **options)
        self.way = WAYS[dialect]
        self.issued = SandboxPki(self.clock.now()).issue()
        self.provider.add(self.issued)

    def call(self, path, body, method="POST"):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply = self.provider.answer(Request(method=method, url=BASE + path, body=content))
        if reply.header("content-type") == "text/html":
            return reply.status, None
        return reply.status, json.loads(reply.body)

    def request(self, name="t-1", **changes):
        digest = base64.b64encode(DIGEST).decode() if self.way.failed else DIGEST.hex()
        options = {"file_type": "xml", "sign_type": "hash"}
        document = {"doc_id": "d-1", "data_to_be_signed": digest}
        document |= {"file_options": options} if self.way.is_nested else options
        body = ACCOUNT | {"transaction_id": name, "sign_files": [document]}
        if self.way.confirm:
            moment = self.clock.now().timestamp()
            body |= {"password": "sandbox-password", "otp": code_at(moment)}
        return body | changes

    def sign(self, *args, **changes):
        return self.call(self.way.sign, self.request(*args, **changes))


def code_at(moment):
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.twofactor.totp import TOTP

    made = TOTP(b"sandbox-totp-secret!", 6, SHA1(), 30, enforce_key_length=False)  # noqa: S303  # as the interface has it
    return made.generate(moment).decode()


@pytest.fixture(params=sorted(WAYS))
def every(request):
    return World(request.param)


@pytest.mark.parametrize(
    "change",
    [
        {"transaction_id": ""},
        {"user_id": None},
        {"sp_id": None},
        {"sign_files": None},
        {"sign_files": []},
        {"sign_files": [{}]},
        {"serial_number": "strange"},
    ],
)
def test_what_is_missing_is_a_bad_request(every, change):
    status, answer = every.sign(**change)
    assert (status, answer["status_code"]) == (400, 400)
    assert answer["message"].startswith("BAD_REQUEST")
    assert not every.provider.desk.transactions


@pytest.mark.parametrize(
    "change",
    [
        {"doc_id": ""},
        {"data_to_be_signed": "ABC"},
        {"data_to_be_signed": DIGEST.hex().upper()},
        {"data_to_be_signed": None},
        {"file_type": "", "file_options": {"sign_type": "hash"}},
        {"sign_type": "file", "file_options": {"file_type": "xml", "sign_type": "file"}},
        {"sign_type": None, "file_options": {"file_type": "xml"}},
    ],
)
def test_each_member_of_a_document_is_demanded(every, change):
    document = every.request()["sign_files"][0] | change
    assert every.sign(sign_files=[document])[0] == 400


def test_doc_ids_must_differ(every):
    document = every.request()["sign_files"][0]
    assert every.sign(sign_files=[document, document])[0] == 400


def test_a_transaction_id_is_taken_once_for_ever(every):
    assert every.sign()[0] == 200
    every.clock.advance(timedelta(days=400))
    status, answer = every.sign()
    assert (status, answer["message"]) == (409, "transaction_id was used before")
    assert len(every.provider.desk.accepted) == 1


def test_an_unknown_serial_number_has_no_certificate_that_can_sign(every):
    status, answer = every.sign(serial_number="0A")
    assert (status, answer["message"]) == (403, "CREDENTIAL_STATUS_INVALID")


def test_the_account_is_checked(every):
    for member in ("sp_id", "sp_password", "user_id"):
        status, answer = every.sign(**{member: "wrong"})
        assert (status, answer["message"]) == (401, "SP_CREDENTIAL_INVALID")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_what_is_no_json_lacks_everything(every, body):
    assert every.call(every.way.certificates, body)[0] == 400


def test_another_path_or_method_gets_a_page(every):
    assert every.call("/elsewhere", {}) == (404, None)
    assert every.call(every.way.sign, {}, method="GET") == (404, None)


def test_certificates_are_listed_in_each_shape(every):
    _, answer = every.call(every.way.certificates, ACCOUNT | {"transaction_id": "l-1", "serial_number": ""})
    found = answer["data"] if not every.way.names_list else answer["data"]["user_certificates"]
    entry = found[0]
    assert base64.b64decode(entry["cert_data"]) == every.issued.der
    assert "\r\n" in entry["cert_data"]
    assert isinstance(entry["chain_data"], dict if every.way.names_list else list)
    assert entry["transaction_id"] == "l-1"


def test_the_answer_to_a_signing_request(every):
    _, answer = every.sign()
    expected = {
        "plain": {"transaction_id"},
        "ca2": {"transaction_id"},
        "vnpt": {"transaction_id", "tran_code"},
        "vnpt-th": {"transaction_id", "tran_code", "sad", "expired_in"},
    }
    assert set(answer["data"]) == expected[every.provider._dialect]
    assert answer["message"] == "sig_wait_for_user_confirm"


def test_th_confirms_once_with_the_right_sad_and_password():
    world = World("vnpt-th")
    data = world.sign()[1]["data"]
    body = ACCOUNT | {"transaction_id": "t-1", "sad": data["sad"], "password": "sandbox-password"}
    assert world.call(world.way.confirm, body | {"password": "wrong"})[0] == 401
    assert world.call(world.way.confirm, body | {"sad": "wrong"})[0] == 400
    assert world.call(world.way.confirm, body | {"transaction_id": "other"})[0] == 400
    status, answer = world.call(world.way.confirm, body)
    assert (status, answer["message"]) == (200, "sig_wait_for_user_confirm")
    assert len(answer["data"]["signatures"]) == 1
    assert world.call(world.way.confirm, body)[0] == 409
    assert not world.provider.desk.phone.rings


def test_th_takes_the_code_before_and_no_older_one():
    world = World("vnpt-th")
    moment = world.clock.now().timestamp()
    assert world.sign(otp=code_at(moment - 30))[0] == 200
    status, answer = world.sign("t-2", otp=code_at(moment - 90))
    assert (status, answer["message"]) == (401, "OTP_INVALID")
    assert world.sign("t-3", otp=code_at(moment))[0] == 200
    status, answer = world.sign("t-4", otp=code_at(moment))
    assert (status, answer["message"]) == (401, "OTP_INVALID: used before")
    assert len(world.provider.used_codes) == 2


def test_the_profile_names_secrets_and_holds_none(every):
    table = every.provider.profile_table(BASE)
    names = {value for key, value in table.items() if key.endswith("_env")}
    assert names <= set(every.provider.environment)
    assert not any(value in repr(table) for value in every.provider.environment.values())
    assert set(every.provider.secrets) == {"sp_password", "password", "totp_secret"}


def test_an_odd_answer_may_come_after_the_confirmation():
    world = World("vnpt-th")
    data = world.sign()[1]["data"]
    world.provider.desk.misbehave(Mischief.PAGE_AFTER)
    body = ACCOUNT | {"transaction_id": "t-1", "sad": data["sad"], "password": "sandbox-password"}
    assert world.call(world.way.confirm, body) == (200, None)
    status, answer = world.call("/v1/signatures/sign/t-1/status", ACCOUNT)
    assert (status, len(answer["data"]["signatures"])) == (200, 1)
