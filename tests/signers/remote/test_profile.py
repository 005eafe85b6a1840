from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # the type hints are read at run time
from pathlib import Path

import pytest
from attrs import field, frozen

from bhxh_sdk.errors import InputError, UnknownCodeError, UnreadableFileError, WrongTypeError
from bhxh_sdk.signers.remote import RemoteProfile, SecretPlace, dialect_names, protocol_of
from bhxh_sdk.signers.remote.decision769_dialect import Dialect
from bhxh_sdk.signers.remote.opening import KINDS
from bhxh_sdk.signers.remote.profile import dialect_of, one_of, settings_of

FILE = """
kind = "ca769"
dialect = "vnpt"
base_url = "https://signing.example"
user_id = "0100109106"
sp_password_env = "SP_PASSWORD"
totp_secret_keyring = "bhxh/totp"
ca_bundle = "authorities.pem"
trust_env = true

[dialect_changes]
poll_seconds = 5
"""


@frozen(kw_only=True)
class Settings:
    """One member of each kind."""

    base_url: str
    count: int = 1
    seconds: float = 2.0
    flag: bool = False
    words: tuple[str, ...] = ()
    codes: Mapping[str, str] = field(factory=dict, hash=False)


def made(**settings):
    return settings_of(
        RemoteProfile(kind="x", settings={"base_url": "https://a.example", **settings}), Settings
    )


def test_a_profile_from_a_file(tmp_path):
    (tmp_path / "vnpt.toml").write_text(FILE, "utf-8")
    profile = RemoteProfile.from_file(tmp_path / "vnpt.toml")
    assert (profile.kind, profile.dialect, profile.name) == ("ca769", "vnpt", "vnpt.toml")
    assert profile.settings == {"base_url": "https://signing.example", "user_id": "0100109106"}
    assert profile.places == {
        "sp_password": SecretPlace(env="SP_PASSWORD"),
        "totp_secret": SecretPlace(keyring="bhxh/totp"),
    }
    assert profile.sending == {"ca_bundle": tmp_path / "authorities.pem", "trust_env": True}
    assert profile.dialect_changes == {"poll_seconds": 5}


def test_a_file_that_is_missing_or_no_toml(tmp_path):
    (tmp_path / "a.toml").write_text("kind = ", "utf-8")
    for name in ("a.toml", "b.toml"):
        with pytest.raises(UnreadableFileError) as caught:
            RemoteProfile.from_file(tmp_path / name)
        assert caught.value.field == "signer"


@pytest.mark.parametrize(
    ("table", "field", "code"),
    [
        ({}, "kind", "remote.setting_missing"),
        ({"kind": 5}, "kind", "input.wrong_type"),
        ({"kind": "a", "dialect": 5}, "dialect", "input.wrong_type"),
        ({"kind": "a", "dialect_changes": 5}, "dialect_changes", "input.wrong_type"),
        ({"kind": "a", "ca_bundle": 5}, "ca_bundle", "input.wrong_type"),
        ({"kind": "a", "trust_env": "yes"}, "trust_env", "input.wrong_type"),
        ({"kind": "a", "pin_env": 5}, "pin_env", "input.wrong_type"),
        ({"kind": "a", "pin_env": "X", "pin_keyring": "a/b"}, "pin_keyring", "remote.two_places"),
    ],
)
def test_a_wrong_member_is_named(table, field, code):
    with pytest.raises(InputError) as caught:
        RemoteProfile.from_table(table)
    assert (caught.value.field, caught.value.code) == (field, code)


def test_relative_paths_start_in_the_given_folder():
    profile = RemoteProfile.from_table({"kind": "a", "client_certificate": "c.pem"}, folder=Path("/etc/x"))
    assert profile.sending == {"client_certificate": Path("/etc/x/c.pem")}


def test_settings_take_what_toml_has():
    found = made(count=3, seconds=4, flag=True, words=["a", "b"], codes={"1": "done"})
    assert (found.count, found.seconds, found.flag, found.words) == (3, 4.0, True, ("a", "b"))
    assert found.codes == {"1": "done"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", "3"),
        ("count", True),
        ("seconds", "4"),
        ("flag", 1),
        ("words", "a"),
        ("words", [1]),
        ("codes", {"1": 1}),
    ],
)
def test_a_setting_of_a_wrong_type_is_named(name, value):
    with pytest.raises(WrongTypeError) as caught:
        made(**{name: value})
    assert caught.value.field == name


def test_a_setting_that_is_unknown_or_missing_is_named():
    with pytest.raises(InputError) as caught:
        made(password="x")  # an invented one
    assert (caught.value.field, caught.value.code) == ("password", "remote.unknown_setting")
    with pytest.raises(InputError) as caught:
        settings_of(RemoteProfile(kind="x"), Settings)
    assert (caught.value.field, caught.value.code) == ("base_url", "remote.setting_missing")


def test_a_choice():
    one_of("a", 1, (1, 2))
    with pytest.raises(InputError) as caught:
        one_of("a", 3, (1, 2))
    assert caught.value.field == "a"


def test_a_dialect_that_nobody_knows():
    with pytest.raises(UnknownCodeError) as caught:
        dialect_of(RemoteProfile(kind="ca769", dialect="french"), Settings, "plain")
    assert "vnpt" in caught.value.hint("en")


def test_a_table_of_a_dialect_keeps_what_is_not_changed():
    changes = {"codes": {"401": "locked ACCOUNT_LOCKED", "499": "busy"}, "poll_seconds": 3}
    profile = RemoteProfile(kind="ca769", dialect_changes=changes)
    usual = dialect_of(RemoteProfile(kind="ca769"), Dialect, "vnpt")
    found = dialect_of(profile, Dialect, "vnpt")
    assert found.codes == {**usual.codes, "401": "locked ACCOUNT_LOCKED", "499": "busy"}
    assert (found.poll_seconds, found.messages) == (3, usual.messages)


@pytest.mark.parametrize("kind", KINDS)
def test_every_protocol_has_dialects_and_names_a_wrong_change(kind):
    assert dialect_names(kind)
    table = {"kind": kind, "dialect": dialect_names(kind)[0], "dialect_changes": {"colour": "red"}}
    with pytest.raises(InputError) as caught:
        protocol_of(RemoteProfile.from_table({"base_url": "https://a.example", **table}))
    assert caught.value.code in {"remote.unknown_setting", "remote.setting_missing"}


def test_a_protocol_that_nobody_knows():
    with pytest.raises(InputError) as caught:
        protocol_of(RemoteProfile(kind="morse"))
    assert (caught.value.field, caught.value.code) == ("kind", "remote.kind")
