"""Opening a channel from its file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from portal_world import PortalWorld, run, served
from raw_server import certified

from bhxh_sdk.errors import (
    InputError,
    SetupError,
    UnknownCodeError,
    UnreadableFileError,
    WrongTypeError,
)
from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.secret import Secret
from bhxh_sdk.transport import AsyncHttpSender, HttpSender, PortalChannel, open_channel

CLOCK = VirtualClock(datetime(2026, 11, 23, tzinfo=UTC), seed=1)


class Factory:
    """Remembers what a sender was asked to be."""

    def __init__(self, kind=HttpSender):
        self.kind = kind
        self.options = {}

    def __call__(self, clock, **options):
        self.options = options
        return self.kind(clock, **options)


def opened(source, **options):
    return open_channel(source, clock=CLOCK, environment={}, **options)


def test_a_file_opens_a_working_portal_channel(tmp_path):
    world = PortalWorld()
    with served(world.portal.app) as url:
        file = tmp_path / "channel.toml"
        file.write_text(
            f'kind = "portal"\nprofile = "portal-sandbox"\nbase_url = "{url}"\npassphrase_env = "PASSPHRASE"'
        )
        environment = {"PASSPHRASE": world.portal.passphrase.reveal()}
        channel = open_channel(file, clock=world.clock, environment=environment)
        assert run(channel.submit(world.filing())).sending_key


def test_the_process_environment_is_the_usual_one(monkeypatch):
    monkeypatch.setenv("THE_PASSPHRASE", "x")
    channel = open_channel({"kind": "portal", "passphrase_env": "THE_PASSPHRASE"}, clock=CLOCK)
    assert isinstance(channel, PortalChannel)


def test_a_table_alone_opens_the_live_portal_with_seen_calls():
    channel = opened({"kind": "portal"})
    assert channel.profile.name == "portal-vss"
    assert not channel.capabilities.proven


def test_secrets_may_be_handed_over():
    channel = opened({"kind": "portal"}, secrets={"passphrase": Secret("p")})
    assert channel._identity._passphrase == Secret("p")


def test_an_ivan_opens_with_an_account_or_a_token():
    table = {"kind": "ivan", "profile": "ivan-sandbox", "user_name": "integrator"}
    secrets = {"password": Secret("p")}
    assert opened(table, secrets=secrets).capabilities.name == "ivan"
    assert opened(table, secrets={"token": Secret("t")}).capabilities.name == "ivan"


def test_a_profile_may_lie_beside_the_file(tmp_path):
    (tmp_path / "mine.toml").write_text(
        'extends = "portal-vss"\nname = "mine"\n[operations.register]\npath = "/r"\n'
    )
    (tmp_path / "channel.toml").write_text('kind = "portal"\nprofile = "mine.toml"\n')
    channel = opened(tmp_path / "channel.toml")
    assert channel.profile.name == "mine"
    assert channel.profile.endpoint("register").path == "/r"


def test_the_sender_is_made_as_the_file_says(tmp_path):
    _, bundle = certified(tmp_path)
    (tmp_path / "channel.toml").write_text(
        f'kind = "portal"\nca_bundle = "{bundle.name}"\nuser_agent = "payroll/1.0"\ntrust_env = true\n'
        '[operations.register]\npath = "/r"\n'
    )
    factory = Factory(AsyncHttpSender)
    channel = opened(str(tmp_path / "channel.toml"), sender_factory=factory)
    assert factory.options == {
        "allowed_hosts": ("dichvucong.baohiemxahoi.gov.vn",),
        "ca_bundle": bundle,
        "user_agent": "payroll/1.0",
        "trust_env": True,
    }
    assert channel.profile.endpoint("register").path == "/r"


@pytest.mark.parametrize(
    ("table", "error", "code", "field"),
    [
        ({}, InputError, "channel.kind", "kind"),
        ({"kind": "fax"}, InputError, "channel.kind", "kind"),
        ({"kind": 1}, WrongTypeError, "input.wrong_type", "kind"),
        ({"kind": "portal", "profile": "portal-x"}, UnknownCodeError, "profile.unknown", "profile"),
        ({"kind": "portal", "profile": "none.toml"}, UnreadableFileError, "input.unreadable_file", "profile"),
        ({"kind": "portal", "profile": "ivan-sandbox"}, InputError, "channel.other_kind", "profile"),
        ({"kind": "portal", "base_ulr": "x"}, InputError, "input.report", "base_ulr"),
        ({"kind": "portal", "user_agent": 1}, WrongTypeError, "input.wrong_type", "user_agent"),
        ({"kind": "portal", "trust_env": "yes"}, WrongTypeError, "input.wrong_type", "trust_env"),
        ({"kind": "portal", "passphrase_env": 1}, WrongTypeError, "input.wrong_type", "passphrase_env"),
        ({"kind": "portal", "passphrase_env": "X"}, SetupError, "channel.secret_missing", "passphrase_env"),
        ({"kind": "portal", "pasphrase_env": "X"}, InputError, "profile.unknown_key", "pasphrase_env"),
        ({"kind": "portal", "base_url": "http://[x"}, InputError, "input.report", "base_url"),
        ({"kind": "portal", "ca_bundle": "a\0b"}, SetupError, "setup.ca_bundle", "ca_bundle"),
        (
            {"kind": "portal", "profile": "a\0.toml"},
            UnreadableFileError,
            "input.unreadable_file",
            "profile",
        ),
        ({"kind": "portal", 5: 6}, WrongTypeError, "input.wrong_type", "channel.5"),
        (5, WrongTypeError, "input.wrong_type", "channel"),
        ("a\0b", UnreadableFileError, "input.unreadable_file", "channel"),
        (
            {"kind": "portal", "operations": {"check": {5: 6, "x": 7}}},
            InputError,
            "input.report",
            "operations.check.5",
        ),
        (
            {"kind": "portal", "base_url": "https://lookalike.example"},
            InputError,
            "input.report",
            "allowed_hosts",
        ),
    ],
)
def test_a_mistake_is_named(table, error, code, field):
    with pytest.raises(error) as caught:
        opened(table)
    assert (caught.value.code, caught.value.field) == (code, field)


@pytest.mark.parametrize("content", [b"kind = ", b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "channel.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableFileError) as caught:
        opened(path)
    assert caught.value.parameters["name"] == str(path)


def test_a_secret_of_the_environment_that_is_no_text_is_named_and_not_shown():
    with pytest.raises(SetupError) as caught:
        open_channel(
            {"kind": "portal", "passphrase_env": "X"}, clock=CLOCK, environment={"X": "kanari\udcff"}
        )
    assert (caught.value.code, caught.value.field) == ("channel.secret_unreadable", "passphrase_env")
    assert caught.value.__context__ is None
