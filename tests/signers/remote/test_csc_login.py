"""How an application is admitted to a CSC service, and consent in place of activation data."""

from __future__ import annotations

import base64
import json
import traceback
from datetime import timedelta

import pytest
from csc_world import ADDRESS, answers, consenting, fails, json_reply_of, maker

from bhxh_sdk.errors import (
    InputError,
    SetupError,
)
from bhxh_sdk.ports import Reply
from bhxh_sdk.remote_errors import (
    ConfirmationSecretError,
    ProviderError,
    ProviderFailedError,
    ProviderLoginError,
    ProviderRequestError,
    SignerUnreachableError,
)
from bhxh_sdk.sandbox.remote.provider import json_reply
from bhxh_sdk.signers.transactions import transaction_to_dict

CONSENTED = "https://app.example.com/signed"


@pytest.fixture
def world(clock, person, run, direct, pki):
    return maker(clock, person, run, direct, pki)


# Log-in.


@pytest.mark.parametrize(
    "settings",
    [
        {"login": "client_credentials", "client_id": "sandbox-client"},
        {
            "login": "client_credentials",
            "client_id": "sandbox-client",
            "dialect_changes": {"client_in": "header"},
        },
        {"login": "basic", "user_name": "sandbox-user"},
    ],
)
def test_an_application_logs_in_once(world, job, settings):
    made = world(needs_login=True, **settings)
    made.sign(job("one"))
    made.sign(job("two"))
    assert len(made.provider.access.logins) == 1
    for request in made.sender.requests:
        assert "sandbox-client-secret" not in request.url
        assert "access-" not in request.url


@pytest.mark.parametrize(
    "settings", [{"login": "client_credentials"}, {"login": "basic", "user_name": "sandbox-user"}]
)
def test_a_token_that_expires_is_replaced(world, job, clock, settings):
    made = world(needs_login=True, **settings)
    made.sign(job("one"))
    clock.seconds += 3590
    made.sign(job("two"))
    assert len(made.provider.access.logins) == (2 if settings["login"] != "basic" else 1)


def test_a_token_lives_through_the_confirmation(world, job, clock):
    made = world(needs_login=True)
    own = made.certificates()[0]
    clock.seconds += 3400  # good for three minutes more, and the person has five
    made.start(job(), certificate=own)
    assert len(made.provider.access.logins) == 2


@pytest.mark.parametrize("left", [0, 1])
def test_a_token_that_the_service_forgot_is_replaced_once(world, left):
    made = world(needs_login=True)
    made.certificates()
    made.provider.access._tokens.clear()
    if left:
        made.provider.access.demand = lambda request: made.provider.access.refusing()
        made.provider.access.refusing = lambda: (_ for _ in ()).throw(_invalid_token())
        with pytest.raises(ProviderLoginError):
            made.certificates()
    else:
        made.certificates()
    assert len(made.provider.access.logins) == 2


def _invalid_token():
    from bhxh_sdk.sandbox.remote.csc_access import CscRefusal

    return CscRefusal("invalid_token", "", 401)


def test_a_token_that_is_refused_while_signing_is_not_replaced(world, job):
    made = world(needs_login=True)
    made.provider.refuse("credentials/authorize", "invalid_token", status=401)
    assert isinstance(fails(made, job()), ProviderLoginError)
    assert made.paths().count("credentials/authorize") == 1
    made.sign(job())
    assert len(made.provider.access.logins) == 2


@pytest.mark.parametrize(
    ("settings", "secret", "code"),
    [
        ({"login": "client_credentials"}, "client_secret", "invalid_client"),
        ({"login": "basic", "user_name": "sandbox-user"}, "password", "authentication_error"),
        ({"login": "refresh_token"}, "refresh_token", "invalid_grant"),
        ({"login": "authorization_code", "redirect_uri": CONSENTED}, "authorization_code", "invalid_grant"),
    ],
)
def test_a_refused_secret_of_the_login_is_not_sent_again(world, settings, secret, code):
    made = world(needs_login=True, **settings)
    made.secrets = {**made.secrets, secret: "wrong-one"}
    made.signer = made.open()
    with pytest.raises(ProviderLoginError) as caught:
        made.certificates()
    assert caught.value.parameters["provider_code"] == code
    with pytest.raises(ConfirmationSecretError):
        made.certificates()
    assert len(made.sender.requests) == 1


def test_a_token_of_short_life_is_fetched_anew_for_the_signature(world, job, clock):
    made = world(needs_login=True)
    made.provider.access.life = timedelta(seconds=100)
    original = made.provider.answer

    def slow(request):
        reply = original(request)
        if request.url.endswith("authorize"):
            clock.seconds += 200  # the person takes longer than the token lives
        return reply

    made.provider.answer = slow
    assert made.sign(job())


@pytest.mark.parametrize("login", ["client_credentials", "token"])
def test_a_bare_401_is_a_matter_of_the_login(world, login):
    made = world(needs_login=True, login=login)
    made.secrets = {**made.secrets, "access_token": made.provider.access.token_for()}
    made.signer = made.open()
    bare = Reply(status=401, headers=(("content-type", "text/plain"),), body=b"401: Unauthorized")
    answers(made, "credentials/list", bare, bare)
    with pytest.raises(ProviderLoginError):
        made.certificates()
    made.signer.close()
    assert made.paths().count("credentials/list") == (2 if login == "client_credentials" else 1)


def test_an_invalid_scope_is_no_refused_secret(world):
    made = world(needs_login=True, scope="everything")
    with pytest.raises(ProviderRequestError):
        made.certificates()
    with pytest.raises(ProviderRequestError):
        made.certificates()


def test_an_expired_token_of_somebody_else_is_a_matter_of_the_login(world, clock):
    made = world(needs_login=True, login="token")
    made.secrets = {"access_token": made.provider.access.token_for()}
    made.signer = made.open()
    assert made.certificates()
    clock.seconds += 4000
    with pytest.raises(ProviderLoginError) as caught:
        made.certificates()
    assert caught.value.parameters["provider_code"] == "expired_token"
    with pytest.raises(ConfirmationSecretError):
        made.certificates()


def test_a_person_consents_in_the_browser(world, clock):
    made = world(needs_login=True, login="authorization_code", redirect_uri=CONSENTED)
    made.person.answers.append("placeholder")
    consenting(made)
    made.certificates()
    clock.seconds += 3590
    made.certificates()  # with the refresh token
    assert made.provider.access.logins == ["authorization_code", "refresh_token"]
    [question] = made.person.asked
    assert question.purpose == "remote_authorization_code"
    assert question.subject.startswith(f"{ADDRESS}/csc/v1/oauth2/authorize?response_type=code&")
    clock.seconds += 3590
    made.provider.access.refresh_tokens.clear()
    made.person.answers.append("placeholder")
    made.certificates()
    assert len(made.person.asked) == 2


def test_a_kept_refresh_token_is_rotated(world, clock):
    made = world(needs_login=True, login="refresh_token")
    made.provider.access.refresh_tokens.add("kept-token")
    made.secrets = {**made.secrets, "refresh_token": "kept-token"}
    made.signer = made.open()
    made.certificates()
    clock.seconds += 3590
    made.certificates()
    assert made.provider.access.logins == ["refresh_token", "refresh_token"]
    assert b"kept-token" not in made.sender.requests[-3].body
    clock.seconds += 3590
    made.provider.access.refresh_tokens.clear()
    with pytest.raises(ConfirmationSecretError):  # the first one is used up, too
        made.certificates()


def renewing(world, clock, login="refresh_token", **settings):
    """Return a world whose next call renews its token with a refresh token."""
    made = world(needs_login=True, login=login, **settings)
    made.provider.access.refresh_tokens.add("kept-token")
    made.secrets = {**made.secrets, "refresh_token": "kept-token"}
    made.signer = made.open()
    made.certificates()
    clock.seconds += 3590
    return made


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("temporarily_unavailable", 503, SignerUnreachableError),
        ("server_error", 500, ProviderFailedError),
        ("invalid_scope", 400, ProviderRequestError),
        ("slow_down", 429, ProviderRequestError),
    ],
)
def test_a_service_in_trouble_refuses_no_refresh_token(world, clock, name, status, kind):
    made = renewing(world, clock)
    answers(made, "oauth2/token", json_reply({"error": name}, status))
    with pytest.raises(kind):
        made.certificates()
    assert made.certificates()
    assert made.provider.access.logins == ["refresh_token", "refresh_token"]


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"login": "refresh_token"}, "oauth2/token"),
        ({"login": "basic", "user_name": "sandbox-user"}, "auth/login"),
    ],
)
@pytest.mark.parametrize("name", ["invalid_grant", "odd"])
def test_a_refused_refresh_token_is_dropped(world, clock, settings, path, name):
    made = renewing(world, clock, **settings)
    answers(made, path, json_reply({"error": name}, 401))
    if path == "auth/login":
        assert made.certificates()
        assert made.provider.access.logins == ["basic", "basic"]
    else:
        with pytest.raises(ConfirmationSecretError):  # the first one is used up, too
            made.certificates()


def test_a_client_that_is_refused_while_renewing_is_not_tried_with_the_same_secret(world, clock):
    made = renewing(world, clock)
    sent = len(made.sender.requests)
    answers(made, "oauth2/token", json_reply({"error": "invalid_client"}, 401))
    with pytest.raises(ProviderLoginError):
        made.certificates()
    assert len(made.sender.requests) == sent + 1
    with pytest.raises(ConfirmationSecretError):
        made.certificates()
    assert len(made.sender.requests) == sent + 1


@pytest.mark.parametrize(
    "answer", [{}, {"access_token": ""}, {"access_token": 5}, {"access_token": "\ud800"}]
)
def test_a_login_without_token_is_unexpected(world, answer):
    made = world(needs_login=True)
    answers(made, "oauth2/token", json_reply_of(answer))
    with pytest.raises(ProviderError) as caught:
        made.certificates()
    assert caught.value.code == "remote.login_unclear"


@pytest.mark.parametrize(
    "answer", [{"access_token": "canary-1\n2"}, {"refresh_token": "canary-3"}, {"access_token": ["canary-4"]}]
)
def test_no_variable_of_a_failed_login_holds_a_token(world, answer):
    made = world(needs_login=True)
    answers(made, "oauth2/token", json_reply(answer))
    with pytest.raises(ProviderError) as caught:
        made.certificates()
    error = caught.value
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if "bhxh_sdk" in frame.f_code.co_filename:
                assert "canary" not in repr(frame.f_locals)
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(("told", "logins"), [("60", 2), (None, 1), (-5, 2), (1e300, 1)])
def test_the_life_of_a_token_is_told_or_an_hour(world, clock, told, logins):
    made = world(needs_login=True)
    token = made.provider.access.token_for()
    answers(made, "oauth2/token", json_reply({"access_token": token, "expires_in": told}), None)
    made.certificates()
    clock.seconds += 100
    made.certificates()
    assert made.paths().count("oauth2/token") == logins


def test_closing_forgets_the_tokens(world):
    made = world(needs_login=True)
    made.certificates()
    held = list(made.signer._protocol.hidden())
    assert len(held) == 1
    made.signer.close()
    assert list(made.signer._protocol.hidden()) == []


def repeating(request):
    token = dict(request.headers)["Authorization"].split()[1]
    return json_reply({"error": "invalid_token", "error_description": f"{token} is unknown"}, 401)


def test_a_token_that_was_refused_and_repeated_is_masked(world):
    made = world(needs_login=True)
    answers(made, "credentials/list", repeating, repeating)
    with pytest.raises(ProviderLoginError) as caught:
        made.certificates()
    assert caught.value.parameters["provider_text"] == "*** is unknown"
    assert "access-" not in str(caught.value) + repr(caught.value.parameters)


@pytest.mark.parametrize("path", ["credentials/authorize", "signatures/signHash"])
def test_a_token_that_was_refused_while_signing_is_masked_in_the_transaction(world, job, path):
    made = world(needs_login=True)
    answers(made, path, repeating)
    found = made.start(job())
    assert found.reason == "*** is unknown"
    assert "access-" not in json.dumps(transaction_to_dict(found))


def test_the_tokens_that_are_hidden_are_few(world, clock):
    made = world(needs_login=True, login="basic", user_name="sandbox-user")
    for _ in range(9):
        made.certificates()
        clock.seconds += 3590
    assert len(list(made.signer._protocol.hidden())) == 6


def test_a_refresh_token_is_hidden_too(world):
    made = world(needs_login=True, login="basic", user_name="sandbox-user")
    made.certificates()
    assert len(list(made.signer._protocol.hidden())) == 2


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"login": "magic"}, "login"),
        ({"login": "basic"}, "user_name"),
        ({"login": "client_credentials", "client_id": ""}, "client_id"),
        ({"login": "authorization_code", "client_id": "x"}, "redirect_uri"),
        ({"redirect_uri": CONSENTED}, "client_id"),
        ({"dialect_changes": {"client_in": "cookie"}}, "dialect_changes.client_in"),
        ({"nonsense": 1}, "nonsense"),
        ({"access_token": "no"}, "access_token"),
    ],
)
def test_a_wrong_setting_is_named(world, settings, field):
    with pytest.raises(InputError) as caught:
        world(**settings)
    assert caught.value.field == field


def test_a_secret_that_should_be_in_the_environment_is_named(world):
    made = world(needs_login=True, secrets={})
    with pytest.raises(SetupError):
        made.certificates()


# Consent in place of activation data.


@pytest.mark.parametrize("version", [1, 2])
def test_consent_in_the_browser_stands_for_the_activation_data(world, job, version, clock):
    settings = {"redirect_uri": CONSENTED}
    made = world(needs_login=True, mode="oauth2code", version=version, **settings)
    made.person.answers.append("placeholder")
    consenting(made)
    assert set(made.sign(job("one"), job("two"))) == {"one", "two"}
    assert "credentials/authorize" not in made.paths()
    body = made.bodies("signHash")[0]
    assert ("SAD" in body) is (version == 1)
    [question] = made.person.asked
    assert "scope=credential" in question.subject
    assert "numSignatures=2" in question.subject


def test_an_access_token_from_elsewhere_stands_for_the_activation_data(world, job):
    made = world(mode="oauth2code", login="token")
    one = job()
    coded = base64.urlsafe_b64encode(one.digest).decode()
    wanted = {"credentialID": "lab/unit", "numSignatures": "1", "hash": coded}
    made.secrets = {"access_token": made.provider.access.token_for("credential", wanted)}
    made.signer = made.open()
    assert made.sign(one)
