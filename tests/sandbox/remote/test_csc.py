"""The sandbox's CSC service by itself: what it demands, and the errors and texts that it answers with."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from bhxh_sdk.ports import Request
from bhxh_sdk.sandbox import VirtualClock
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.sandbox.remote.csc import CscProvider
from bhxh_sdk.sandbox.remote.csc_access import CscRefusal
from bhxh_sdk.sandbox.remote.csc_people import CscPerson

HASH = base64.b64encode(b"d" * 32).decode()
OTHER = base64.b64encode(b"e" * 32).decode()
CREDENTIAL = {"credentialID": "unit"}
SIGN = {**CREDENTIAL, "hash": [HASH], "signAlgo": "1.2.840.113549.1.1.11"}
AUTHORIZE = {**CREDENTIAL, "numSignatures": 1, "hash": [HASH]}


@pytest.fixture
def clock():
    return VirtualClock(seed=1)


@pytest.fixture
def service(clock):
    """Make a service with one key."""

    def make(**settings):
        made = CscProvider(clock, **settings)
        made.add("unit", SandboxPki(clock.now()).issue())
        return made

    return make


def asked(service, path, body, *, token="", method="POST", content_type="application/json"):
    headers = (("Authorization", token),) if token else ()
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"https://signing.example.com/csc/v{service.version}/{path}"
    reply = service.answer(Request(method=method, url=url, headers=headers, body=data))
    return reply.status, json.loads(reply.body or b"{}")


def activation(service, **changes):
    _, answer = asked(service, "credentials/authorize", {**AUTHORIZE, **changes})
    return answer["SAD"]


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("credentials/info", {}, "Missing (or invalid type) string parameter credentialID"),
        ("credentials/info", {"credentialID": "x"}, "Invalid parameter credentialID"),
        ("credentials/info", b"[]", "Missing (or invalid type) string parameter credentialID"),
        ("credentials/authorize", CREDENTIAL, "Missing (or invalid type) integer parameter numSignatures"),
        (
            "credentials/authorize",
            {**AUTHORIZE, "hash": None},
            "Missing (or invalid type) array parameter hash",
        ),
        ("credentials/authorize", {**AUTHORIZE, "numSignatures": 11}, "Numbers of signatures is too high"),
        ("credentials/authorize", {**AUTHORIZE, "numSignatures": 2}, "Invalid parameter numSignatures"),
        ("credentials/authorize", {**AUTHORIZE, "hash": ["*"]}, "Invalid Base64 hash string parameter"),
        ("credentials/authorize", {**AUTHORIZE, "hash": ["AAAA"]}, "Invalid digest value length"),
        ("signatures/signHash", SIGN, "Invalid parameter SAD"),
        ("credentials/extendTransaction", CREDENTIAL, "Invalid parameter SAD"),
    ],
)
def test_what_the_specification_demands_is_demanded(service, path, body, text):
    status, answer = asked(service(), path, body)
    assert (status, answer) == (400, {"error": "invalid_request", "error_description": text})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"hash": [OTHER]}, "Hash is not authorized by the SAD."),
        ({"hash": [HASH, HASH]}, "Numbers of signatures is too high"),
        ({"signAlgo": "1.2.3"}, "Invalid parameter signAlgo"),
        ({"signAlgo": "1.2.840.113549.1.1.1"}, "Missing (or invalid type) string parameter hashAlgo"),
    ],
)
def test_activation_data_are_good_for_what_was_authorised(service, changes, text):
    made = service()
    sad = activation(made)
    status, answer = asked(made, "signatures/signHash", {**SIGN, "SAD": sad, **changes})
    assert (status, answer["error_description"]) == (400, text)
    assert not made.desk.signatures


def test_activation_data_are_used_up(service):
    made = service()
    signing = {**SIGN, "SAD": activation(made)}
    assert asked(made, "signatures/signHash", signing)[0] == 200
    status, answer = asked(made, "signatures/signHash", signing)
    assert (status, answer["error_description"]) == (400, "Numbers of signatures is too high")


def test_activation_data_belong_to_one_credential(service, clock):
    made = service()
    made.add("other", SandboxPki(clock.now()).issue())
    body = {**SIGN, "SAD": activation(made), "credentialID": "other"}
    assert asked(made, "signatures/signHash", body)[1]["error_description"] == "Invalid parameter SAD"


def test_several_calls_of_one_authorisation_need_it_extended(service):
    made = service()
    sad = activation(made, numSignatures=2, hash=[HASH, OTHER])
    assert asked(made, "signatures/signHash", {**SIGN, "SAD": sad})[0] == 200
    second = {**SIGN, "hash": [OTHER]}
    assert asked(made, "signatures/signHash", {**second, "SAD": sad})[0] == 400
    status, answer = asked(made, "credentials/extendTransaction", {**CREDENTIAL, "SAD": sad})
    assert (status, answer["expiresIn"]) == (200, 3600)
    assert asked(made, "signatures/signHash", {**second, "SAD": answer["SAD"]})[0] == 200
    status, answer = asked(made, "credentials/extendTransaction", {**CREDENTIAL, "SAD": answer["SAD"]})
    assert (status, answer["error_description"]) == (400, "Invalid parameter SAD")


@pytest.mark.parametrize("path", ["signatures/signHash", "credentials/extendTransaction"])
def test_expired_activation_data_neither_sign_nor_are_extended(service, clock, path):
    made = service()
    sad = activation(made)
    clock.advance(timedelta(hours=1))
    status, answer = asked(made, path, {**SIGN, "SAD": sad})
    assert (status, answer["error_description"]) == (400, "SAD expired")


def test_without_scal_2_hashes_come_with_the_signature(service):
    made = service()
    made.scal = "1"
    _, answer = asked(made, "credentials/authorize", {**CREDENTIAL, "numSignatures": 2})
    body = {**SIGN, "hash": [OTHER, HASH], "SAD": answer["SAD"]}
    assert len(asked(made, "signatures/signHash", body)[1]["signatures"]) == 2


def test_consent_has_no_authorize_call(service):
    status, answer = asked(service(mode="oauth2code"), "credentials/authorize", AUTHORIZE)
    assert (status, answer["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(("wanted", "count"), [("none", 0), ("single", 1), (None, 1), ("chain", 3)])
def test_certificates_are_given_as_wanted(service, wanted, count):
    made = service()
    _, answer = asked(made, "credentials/info", {**CREDENTIAL, "certificates": wanted})
    assert len(answer["cert"]["certificates"]) == count
    assert answer["cert"]["status"] == "valid"


@pytest.mark.parametrize("path", ["", "credentials/other", "credentials/authorizeCheck"])
def test_an_unknown_method_is_told(service, path):
    assert asked(service(), path, {})[0] == 404
    assert asked(service(), "credentials/list", {}, method="GET")[0] == 404


@pytest.mark.parametrize(
    ("path", "member"), [("credentials/authorizeCheck", "handle"), ("signatures/signPolling", "requestID")]
)
def test_an_unknown_id_is_told(service, path, member):
    status, answer = asked(service(version=2), path, {member: "x"})
    assert (status, answer["error_description"]) == (400, f"Invalid parameter {member}")


def test_a_list_of_version_2_may_come_without_infos(service):
    assert asked(service(version=2), "credentials/list", {})[1] == {"credentialIDs": ["unit"]}


@pytest.mark.parametrize(
    ("token", "status", "error"),
    [
        ("", 400, "invalid_request"),
        ("Bearer", 400, "invalid_request"),
        ("Basic eDp5", 400, "invalid_request"),
        ("Bearer nobody", 401, "invalid_token"),
    ],
)
def test_a_call_needs_a_token(service, token, status, error):
    found, answer = asked(service(needs_login=True), "credentials/list", {}, token=token)
    assert (found, answer["error"]) == (status, error)


def test_a_token_that_is_good_is_taken_where_none_is_needed(service, clock):
    made = service()
    token = made.access.token_for()
    assert asked(made, "credentials/list", {}, token=f"Bearer {token}")[0] == 200
    clock.advance(timedelta(hours=2))
    assert asked(made, "credentials/list", {}, token=f"Bearer {token}")[1]["error"] == "expired_token"


@pytest.mark.parametrize(
    ("header", "status", "error"),
    [
        ("", 401, "invalid_request"),
        ("Basic ***", 401, "invalid_request"),
        ("Bearer eDp5", 401, "invalid_request"),
        ("Basic eDp5", 401, "authentication_error"),
    ],
)
def test_a_login_needs_name_and_password(service, header, status, error):
    found, answer = asked(service(), "auth/login", {}, token=header)
    assert (found, answer["error"]) == (status, error)


def test_a_refresh_token_is_good_once(service):
    made = service()
    made.access.refresh_tokens.add("r")
    _, answer = asked(made, "auth/login", {"refresh_token": "r"})
    assert answer["refresh_token"] in made.access.refresh_tokens
    status, answer = asked(made, "auth/login", {"refresh_token": "r"})
    assert (status, answer["error"]) == (400, "invalid_request")


def test_without_wish_there_is_no_refresh_token(service):
    made = service()
    login = base64.b64encode(f"{made.access.user_name}:{made.access.password}".encode()).decode()
    _, answer = asked(made, "auth/login", {"rememberMe": False}, token=f"Basic {login}")
    assert "refresh_token" not in answer


def test_an_unknown_grant_is_told(service):
    made = service()
    form = f"grant_type=magic&client_id={made.access.client_id}&client_secret={made.access.client_secret}"
    assert asked(made, "oauth2/token", form.encode()) == (400, {"error": "unsupported_grant_type"})


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"client_id": "nobody"}, "unauthorized_client"),
        ({"redirect_uri": "https://evil.example.com"}, "unauthorized_client"),
        ({"scope": "all"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
    ],
)
def test_a_person_is_not_asked_to_consent_to_what_cannot_be(service, changed, error):
    made = service()
    wanted = {
        "response_type": "code",
        "client_id": made.access.client_id,
        "redirect_uri": made.access.redirect_uri,
        "scope": "service",
        **changed,
    }
    query = "&".join(f"{name}={value}" for name, value in wanted.items() if value)
    with pytest.raises(CscRefusal) as caught:
        made.access.consent(f"https://signing.example.com/csc/v1/oauth2/authorize?{query}")
    assert caught.value.name == error


def test_consent_is_good_for_one_credential(service, clock):
    made = service(mode="oauth2code")
    made.add("other", SandboxPki(clock.now()).issue())
    sad = made.access.token_for("credential", {"credentialID": "other", "numSignatures": "1", "hash": HASH})
    status, answer = asked(made, "signatures/signHash", {**SIGN, "SAD": sad})
    assert (status, answer["error_description"]) == (400, "Invalid parameter credentialID")


def test_a_code_by_message_is_good_after_it_was_sent(service):
    made = service(mode="explicit", person=CscPerson(otp="314159", is_sent=True))
    wrong = {**AUTHORIZE, "OTP": "314159"}
    assert asked(made, "credentials/authorize", wrong)[1]["error"] == "invalid_otp"
    assert asked(made, "credentials/sendOTP", CREDENTIAL)[0] == 204
    assert asked(made, "credentials/authorize", wrong)[0] == 200


def test_wrong_pins_lock_it(service):
    made = service(mode="explicit", person=CscPerson(pin="271828"))
    errors = [asked(made, "credentials/authorize", {**AUTHORIZE, "PIN": "1"})[1] for _ in range(4)]
    assert [item["error"] for item in errors] == ["invalid_pin"] * 3 + ["invalid_request"]
    assert errors[-1]["error_description"] == "PIN locked"
