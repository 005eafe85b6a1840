"""Whatever a CSC service answers: an error of ours or a transaction, never a fault of the program."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from csc_world import maker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bhxh_sdk.errors import BhxhError
from bhxh_sdk.ports import Reply
from bhxh_sdk.signers import SigningState
from bhxh_sdk.signers.transactions import transaction_to_dict

PATHS = (
    "credentials/list",
    "credentials/info",
    "credentials/authorize",
    "signatures/signHash",
    "credentials/authorizeCheck",
    "signatures/signPolling",
    "oauth2/token",
    "credentials/sendOTP",
)
MEMBERS = (
    *("credentialIDs", "credentialInfos", "nextPageToken", "credentialID", "key", "status", "algo", "cert"),
    *(
        "certificates",
        "authMode",
        "auth",
        "mode",
        "expression",
        "objects",
        "id",
        "type",
        "label",
        "multisign",
    ),
    *("PIN", "OTP", "presence", "SAD", "expiresIn", "handle", "signatures", "responseID", "error"),
    *("error_description", "access_token", "refresh_token", "expires_in"),
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["\ud800", "true", "oauth2code", "explicit", "AAAA", "PIN AND", "lab/unit", "1e999"])
)
ANSWERS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=5),
    max_leaves=12,
)


@pytest.fixture
def world(clock, person, run, direct, pki):
    return maker(clock, person, run, direct, pki)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_answer_is_a_fault_of_ours(world, job, data):
    version = data.draw(st.sampled_from([1, 2]))
    made = world(version=version, needs_login=True, own={"pin": "271828", "otp": "314159", "is_sent": True})
    place = data.draw(st.sampled_from(PATHS))
    original = made.provider.answer

    def answer(request):
        if not request.url.endswith(place):
            return original(request)
        body = json.dumps(data.draw(ANSWERS)).encode()
        status = data.draw(st.sampled_from([200, 202, 204, 400, 401, 404, 500, 503]))
        kind = data.draw(st.sampled_from(["application/json", "text/plain", "text/html"]))
        return Reply(status=status, headers=(("content-type", kind),), body=body)

    made.provider.answer = answer
    with suppress(BhxhError):
        own = made.certificates()
        found = made.start(job(), certificate=own[0]) if own else None
        if found is not None and found.state in {SigningState.PENDING, SigningState.CONFIRMED}:
            found = made.run(made.signer.result_noted(found, made.clock, made.keep))
        if found is not None:
            assert json.dumps(transaction_to_dict(found), ensure_ascii=False).encode()
