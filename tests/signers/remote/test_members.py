from __future__ import annotations

import math

import pytest

from bhxh_sdk.errors import InputError, UnreadableFileError
from bhxh_sdk.signers.remote import RemoteProfile, dialect_names, protocol_of
from bhxh_sdk.signers.remote.members import check_member, check_paths
from bhxh_sdk.signers.remote.opening import KINDS
from bhxh_sdk.signers.remote.profile import _shipped

WRONG = [
    *(("poll_seconds", value, "remote.number") for value in (-5, 0, math.nan, math.inf, 90_000)),
    *(("life_seconds", value, "remote.number") for value in (-1, 0)),
    ("extra_seconds", -1, "remote.number"),
    *(("largest_batch", value, "remote.number") for value in (0, -1, 10**9)),
    *(("time_stamp_hours", value, "remote.number") for value in (-25, 25)),
    ("display_characters", -1, "remote.number"),
    *(
        ("sign_path", value, "remote.path")
        for value in ("http://a/x", "//a/x", "/x/{foo}", "/x/{id", "/a?b", "/a b")
    ),
    *(("sign_path", value, "remote.path") for value in ("/../x", "/a/..", "/./a", "..")),
    *(
        ("base_url", value, "remote.address")
        for value in ("nonsense", "ftp://a", "https://", "https://a:99999")
    ),
    *(
        ("base_url", value, "remote.address")
        for value in ("https://u@a", "https://a?b=c", "https://a#b", "https://a\nb")
    ),
]
RIGHT = [
    *(("poll_seconds", value) for value in (1, 0.5 + 1, 86_400)),
    *(("extra_seconds", 0), ("largest_batch", 1), ("time_stamp_hours", -7), ("display_characters", 60)),
    *(("sign_path", value) for value in ("", "/a/b", "a/b", "/x/{id}/status")),
    *(("oauth_url", value) for value in ("", "https://a.example:8443/x", "http://127.0.0.1/x")),
    *(("trust_env", True), ("user_id", "http://x"), ("hash_names", ("a",))),
]


@pytest.mark.parametrize(("name", "value", "code"), WRONG)
def test_what_cannot_be_meant_is_named(name, value, code):
    with pytest.raises(InputError) as caught:
        check_member(name, value, f"dialect_changes.{name}")
    assert (caught.value.code, caught.value.field) == (code, f"dialect_changes.{name}")
    for language in ("vi", "en"):
        assert caught.value.message(language)
        assert caught.value.hint(language)


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_what_can_be_meant(name, value):
    check_member(name, value, name)


def test_a_path_begins_as_those_of_its_dialect():
    with pytest.raises(InputError) as caught:
        check_paths({"list_path": "v1/x"}, {"sign_path": "/sign"})
    assert caught.value.field == "dialect_changes.list_path"
    check_paths({"list_path": "v1/x"}, {"sign_path": "sign", "check_path": ""})
    check_paths({"list_path": "/v1/x", "status_path": "", "digest": "hex"}, {"sign_path": "/sign"})


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in dialect_names(kind)])
def test_what_is_shipped_is_sound(kind, name):
    for member, value in _shipped(f"{kind}-{name}.toml").items():
        check_member(member, value, member)


def test_nothing_rings_with_a_wrong_dialect():
    table = {"kind": "ca769", "base_url": "https://a.example", "sp_id": "a", "user_id": "0100109106"}
    with pytest.raises(InputError) as caught:
        protocol_of(RemoteProfile.from_table({**table, "dialect_changes": {"life_seconds": math.inf}}))
    assert caught.value.field == "dialect_changes.life_seconds"


def test_a_mistake_of_toml_is_told_with_its_line(tmp_path):
    (tmp_path / "a.toml").write_text('kind = "ca769"\nkind = "csc"\n', "utf-8")
    with pytest.raises(UnreadableFileError) as caught:
        RemoteProfile.from_file(tmp_path / "a.toml")
    assert "line 2" in caught.value.message("en")
