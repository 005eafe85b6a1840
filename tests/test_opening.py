from __future__ import annotations

import pytest

import bhxh_sdk as bhxh
from bhxh_sdk.errors import InputError, SetupError
from bhxh_sdk.transport import AsyncHttpSender, HttpSender

PROFILE = """
kind = "ca769"
base_url = "https://signing.example:8443/sca"
user_id = "0100109106"
sp_id = "example"
sp_password_env = "SP_PASSWORD"
"""


@pytest.fixture
def address(tmp_path):
    (tmp_path / "ca.toml").write_text(PROFILE, "utf-8")
    return f"ca769:{tmp_path}/ca.toml"


def test_a_remote_signer_gets_a_sender_for_its_host(address):
    signer = bhxh.open_signer(address)
    assert signer.capabilities.name == "ca769"
    assert signer.asynchronous is False
    assert isinstance(signer._sender, HttpSender)
    assert signer._sender._policy.allowed_hosts == {"signing.example:8443"}
    waiting = bhxh.open_signer(address, asynchronous=True)
    assert isinstance(waiting._sender, AsyncHttpSender)
    assert waiting.asynchronous is True


def test_the_blocking_client_refuses_a_signer_for_an_event_loop(address):
    with pytest.raises(SetupError) as caught:
        bhxh.Client(None, signer=bhxh.open_signer(address, asynchronous=True))
    assert caught.value.code == "setup.other_kind_of_signer"


def test_a_key_file_needs_none_of_it():
    assert bhxh.open_signer("softkey:new").capabilities.name == "softkey"


def test_the_profile_has_to_be_of_the_address_s_kind(address):
    with pytest.raises(InputError) as caught:
        bhxh.open_signer(address.replace("ca769:", "mysign:"))
    assert caught.value.code == "remote.other_kind"


@pytest.mark.parametrize("url", ["nonsense", "https://[x", "https://a.example:99999"])
def test_an_address_that_is_none(tmp_path, url):
    text = PROFILE.replace("https://signing.example:8443/sca", url)
    (tmp_path / "ca.toml").write_text(text, "utf-8")
    with pytest.raises(InputError):
        bhxh.open_signer(f"ca769:{tmp_path}/ca.toml")


def test_a_six_part_address_keeps_its_brackets(tmp_path):
    text = PROFILE.replace("signing.example:8443", "[::1]:8443")
    (tmp_path / "ca.toml").write_text(text, "utf-8")
    assert bhxh.open_signer(f"ca769:{tmp_path}/ca.toml")._sender._policy.allowed_hosts == {"[::1]:8443"}


def test_options_belong_to_addresses_not_to_profiles(address):
    with pytest.raises(InputError):
        bhxh.open_signer(f"{address}?user-id=5")


def test_an_address_of_the_web_takes_settings_as_options():
    signer = bhxh.open_signer("csc:https://signing.example/csc/v1?credential=lab/unit&client-secret-env=X")
    assert signer.capabilities.name == "csc"
    with pytest.raises(InputError) as caught:
        bhxh.open_signer("csc:https://signing.example/csc/v1?credential=lab/unit&colour=red")
    assert caught.value.field == "colour"
