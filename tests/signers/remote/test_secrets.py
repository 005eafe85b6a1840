from __future__ import annotations

import base64
import copy
import pickle
import sys
import time
from urllib.parse import quote

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError
from remote_spellings import SPELLINGS

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


def test_what_was_refused_earlier_is_refused_too_and_stays_masked(got, person):
    secrets, someone = ProviderSecrets(), person("111111", "222222", "111111")
    for _ in range(2):
        got(secrets, "pin", someone)
        secrets.refuse("pin")
    with pytest.raises(ConfirmationSecretError):
        got(secrets, "pin", someone)
    assert secrets.mask("111111 or 222222") == "*** or ***"


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
        ("cut a/", "cut a/"),
    ],
)
def test_a_secret_is_masked_in_every_spelling_and_where_a_text_was_cut(got, repeated, masked):
    secrets = ProviderSecrets(given={"sp_password": Secret("a/b+c= d.")})
    got(secrets)
    assert secrets.mask(repeated) == masked


PASSWORD = 'mật"khẩu\\1&<x>/+é_-'


@pytest.fixture
def used(got):
    """Return secrets that were used."""

    def use(value):
        secrets = ProviderSecrets(given={"sp_password": Secret(value)})
        got(secrets)
        return secrets

    return use


@pytest.mark.parametrize("value", [PASSWORD, "p@ss/w+rd?~~>>??", "blank and\ttab 🔑 key", "100%41&amp;1"])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_however_a_provider_spells_a_secret(used, spelling, value):
    repeated = SPELLINGS[spelling](value)
    masked = used(value).mask(f"said: {repeated} again")
    assert masked.startswith("said: ")
    assert masked.endswith(" again")
    kept = masked.removeprefix("said: ").removesuffix(" again").replace("&quot;", "")
    assert "***" in kept
    assert len(kept.replace("***", "")) < 8  # quotes around it, and the ends of base64


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_text_may_be_cut_anywhere_in_a_secret(used, spelling):
    secrets, repeated = used(PASSWORD), SPELLINGS[spelling](PASSWORD)
    least = {"hexadecimal": 9, "base64": 14, "repr": 18}.get(spelling.split()[0], 0) or len(
        SPELLINGS[spelling](PASSWORD[:5])
    )
    for end in range(least, len(repeated)):
        assert secrets.mask(f"said: {repeated[:end]}").count("***") == 1, repeated[:end]


def test_a_text_without_a_secret_stays_as_it_is(used):
    secrets = used(PASSWORD)
    text = r"Mã lỗi 4004: PIN &amp; OTP \u0041 %2F 100% &c \\n"
    assert secrets.mask(text) == text
    assert secrets.mask("") == ""
    assert secrets.mask(text, [Secret("PIN"), Secret("")]) == text  # three letters


def test_odd_secrets_and_texts(used):
    for value in ("    ", "+-+-+-", "\\\\\\\\", "%%%%", "&#&#&#", "\u0323\u0302\u0323\u0302"):
        assert used(value).mask(f"said:{value}") == "said:***"
    assert used("secret").mask("secretsecret %FF%FEsecret &nothing;secret") == "*** %FF%FE*** &nothing;***"
    assert used("aaaa").mask("aaaaaa") == "***"


def test_escapes_in_escapes_are_undone_four_deep(used):
    repeated = "se/cret"
    for deep in range(1, 7):
        repeated = quote(repeated, safe="")
        assert (used("se/cret").mask(repeated) == "***") is (deep <= 4)


def test_masking_takes_no_time_to_speak_of(used):
    secrets = used(PASSWORD)
    tokens = [Secret(f"token-{number}-" + "x%2F\\u0041" * 150) for number in range(8)]
    begun = time.perf_counter()
    secrets.mask(r"\u1ead%C3%A9&amp;" * 18, tokens)
    assert time.perf_counter() - begun < 1  # about 0.05 s


def test_a_code_that_ends_as_a_token_begins_is_shown_whole():
    token = Secret("0000abcd-efgh")
    assert ProviderSecrets().mask("50000", [token]) == "50000"
    assert ProviderSecrets().mask("x0000abc", [token]) == "x***"


def test_an_id_may_hold_a_pin_by_chance_and_a_password_on_purpose_only(got):
    secrets = ProviderSecrets(given={"sp_password": Secret(CANARY), "pin": Secret("1234")})
    got(secrets)
    got(secrets, "pin")
    assert not secrets.are_in("00123400")
    assert secrets.are_in(f"id-{CANARY}")
    assert secrets.are_in("t-token-0123", [Secret("token-0123")])


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
