from __future__ import annotations

import base64
import copy
import pickle
import sys

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError

from bhxh_sdk.errors import MissingExtraError, PersonNeededError, SetupError
from bhxh_sdk.remote_errors import ConfirmationSecretError
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.remote import ProviderSecrets, SecretPlace
from bhxh_sdk.signers.remote.conversation import SecretNeed

CANARY = "canary-1234"


class Vault(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.kept = {}

    def get_password(self, service, username):
        if service == "locked":
            raise KeyringError(CANARY)
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


@pytest.fixture
def vault():
    before = keyring.get_keyring()
    keyring.set_keyring(Vault())
    yield keyring.get_keyring()
    keyring.set_keyring(before)


def places(**where):
    return {"sp_password": SecretPlace(**where)}


@pytest.fixture
def got(run, person):
    """Ask for a secret."""

    def get(secrets, name="sp_password", ask=None):
        return run(secrets.secret(SecretNeed(name=name, subject="somebody"), ask or person())).reveal()

    return get


def test_what_the_caller_gives_goes_first(got):
    secrets = ProviderSecrets(places(env="X"), {"sp_password": Secret("given")}, {"X": "env"})
    assert got(secrets) == "given"


def test_the_environment(got):
    assert got(ProviderSecrets(places(env="X"), environment={"X": "env"})) == "env"


@pytest.mark.parametrize("environment", [{}, {"X": ""}])
def test_a_variable_that_is_not_set(got, environment):
    with pytest.raises(SetupError) as caught:
        got(ProviderSecrets(places(env="X"), environment=environment))
    assert (caught.value.code, caught.value.field) == ("channel.secret_missing", "sp_password_env")


def test_a_variable_that_is_no_text(got):
    with pytest.raises(SetupError) as caught:
        got(ProviderSecrets(places(env="X"), environment={"X": f"{CANARY}\udcff"}))
    assert caught.value.code == "channel.secret_unreadable"
    assert caught.value.__context__ is None or CANARY not in repr(caught.value.__context__)


def test_the_processes_own_environment(got, monkeypatch):
    monkeypatch.setenv("BHXH_TEST_SECRET", "own")
    assert got(ProviderSecrets(places(env="BHXH_TEST_SECRET"))) == "own"


def test_the_keyring(got, vault):
    vault.set_password("bhxh/vnpt", "sp", "kept")
    assert got(ProviderSecrets(places(keyring="bhxh/vnpt/sp"))) == "kept"


@pytest.mark.parametrize(
    ("place", "code"), [("bhxh/none", "remote.keyring_empty"), ("locked/x", "remote.keyring")]
)
def test_a_keyring_that_has_nothing_or_is_locked(got, vault, place, code):
    assert vault
    with pytest.raises(SetupError) as caught:
        got(ProviderSecrets(places(keyring=place)))
    assert (caught.value.code, caught.value.field) == (code, "sp_password_keyring")
    assert CANARY not in caught.value.message("vi") + caught.value.hint("en")


def test_the_keyring_is_an_extra(got, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(MissingExtraError) as caught:
        got(ProviderSecrets(places(keyring="a/b")))
    assert caught.value.parameters["extra"] == "keyring"


def test_a_lasting_secret_is_asked_for_once_and_a_pin_each_time(got, person):
    secrets, someone = ProviderSecrets(), person("one", "1111", "2222")
    assert got(secrets, ask=someone) == got(secrets, ask=someone) == "one"
    assert [got(secrets, "pin", someone), got(secrets, "pin", someone)] == ["1111", "2222"]
    assert [question.purpose for question in someone.asked] == [
        "remote_sp_password",
        "remote_pin",
        "remote_pin",
    ]
    assert someone.asked[0].subject == "somebody"


def test_nothing_entered_is_nothing(got, person):
    with pytest.raises(PersonNeededError) as caught:
        got(ProviderSecrets(), ask=person(""))
    assert caught.value.field == "sp_password"


def test_a_refused_one_is_refused_here_the_next_time(got, person):
    secrets = ProviderSecrets(places(env="X"), environment={"X": CANARY})
    got(secrets)
    secrets.refuse("sp_password")
    secrets.refuse("never_used")
    with pytest.raises(ConfirmationSecretError) as caught:
        got(secrets)
    assert caught.value.code == "remote.secret_refused_before"
    assert CANARY not in str(caught.value)
    asked = ProviderSecrets()
    assert got(asked, ask=person("wrong")) == "wrong"
    asked.refuse("sp_password")
    assert got(asked, ask=person("right")) == "right"


def test_texts_are_masked(got):
    secrets = ProviderSecrets(given={"sp_password": Secret(CANARY), "pin": Secret("12")})
    got(secrets)
    got(secrets, "pin")
    assert secrets.mask(f"{CANARY} 12 tok-5678", [Secret("tok-5678")]) == "*** 12 ***"
    secrets.refuse("sp_password")
    assert secrets.mask(CANARY) == "***"


@pytest.mark.parametrize(
    ("repeated", "masked"),
    [
        ("x=a%2Fb%2Bc%3D%20d.&y", "x=***&y"),
        ("x=a%2Fb%2Bc%3D+d.&y", "x=***&y"),
        (b"a/b+c= d.".hex(), "***"),
        (base64.b64encode(b"a/b+c= d.!").decode(), "***IQ=="),
        (base64.b64encode(b"na/b+c= d.!").decode(), "bm***iE="),
        (base64.b64encode(b"nna/b+c= d.!").decode(), "bm5***4h"),
        (base64.b64encode(b"nnna/b+c= d.!").decode(), "bm5u***IQ=="),
        ("cut a/b+c= d", "cut ***"),
        ("cut a/b+", "cut ***"),
        ("cut a/b", "cut a/b"),
    ],
)
def test_a_secret_is_masked_in_every_spelling_and_where_a_text_was_cut(got, repeated, masked):
    secrets = ProviderSecrets(given={"sp_password": Secret("a/b+c= d.")})
    got(secrets)
    assert secrets.mask(repeated) == masked


def test_what_people_entered_is_forgotten(got, person):
    secrets, someone = ProviderSecrets(), person("one", "two")
    got(secrets, ask=someone)
    secrets.forget()
    assert got(secrets, ask=someone) == "two"


def test_it_shows_names_alone():
    secrets = ProviderSecrets(places(env="X"), {"pin": Secret(CANARY)}, {"X": CANARY})
    assert repr(secrets) == "ProviderSecrets(pin, sp_password)"
    for copied in (copy.copy, pickle.dumps):
        with pytest.raises(TypeError):
            copied(secrets)
