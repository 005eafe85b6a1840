"""Endpoint profiles: what is shipped, what may be changed, and every mistake by name."""

from __future__ import annotations

import copy

import pytest

from bhxh_sdk.errors import InputError, UnknownCodeError, UnreadableFileError, UnsupportedOperationError
from bhxh_sdk.models import Certainty
from bhxh_sdk.transport import EndpointProfile, Operation
from bhxh_sdk.transport.profile import Access, Encoding
from bhxh_sdk.transport.profile_data import shipped_names

SMALL = {
    "name": "small",
    "kind": "portal",
    "base_url": "https://portal.example",
    "allowed_hosts": ["portal.example"],
    "operations": {"progress": {"path": "/progress", "answer": {"state": "s", "rows": ["a", "b"]}}},
}
INVENTED = {
    "register",
    "adjust",
    "stop",
    "first_register",
    "progress",
    "find",
    "activate",
    "reset_password",
    "agencies",
}


def changed(**changes):
    return {**copy.deepcopy(SMALL), **changes}


def findings_of(data):
    with pytest.raises(InputError) as caught:
        EndpointProfile.from_data(data)
    return {finding.field: finding.code for finding in caught.value.report}


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_profile_is_sound_and_unproven(name):
    profile = EndpointProfile.shipped(name)
    assert profile.name == name
    assert not profile.proven


def test_the_live_portal_has_seen_calls_only():
    profile = EndpointProfile.shipped("portal-vss")
    assert not INVENTED & profile.operations.keys()
    assert {one.certainty for one in profile.operations.values()} <= {Certainty.SEEN, Certainty.LIKELY}


def test_the_sandbox_marks_what_it_invents():
    profile = EndpointProfile.shipped("portal-sandbox")
    invented = {name for name, one in profile.operations.items() if one.certainty is Certainty.UNKNOWN}
    assert invented == INVENTED
    assert all(profile.operations[name].path.startswith("/sandbox/") for name in invented)
    assert {one.value for one in Operation} <= profile.operations.keys()


def test_no_secret_is_shipped():
    for name in shipped_names():
        assert "passphrase" not in EndpointProfile.shipped(name).source


def test_a_missing_operation_names_the_keys_to_supply():
    with pytest.raises(UnsupportedOperationError) as caught:
        EndpointProfile.shipped("portal-vss").endpoint("register")
    keys = caught.value.parameters["keys"]
    assert "operations.register.path" in keys
    assert "operations.register.request.document" in keys
    assert "operations.register.answer.sending_key" in keys
    assert keys in caught.value.hint("vi")
    assert "developer tools" in caught.value.hint("en")


def test_an_operation_of_an_unknown_name_is_missing_too():
    for name in ("portal-vss", "portal-sandbox"):
        with pytest.raises(UnsupportedOperationError) as caught:
            EndpointProfile.shipped(name).endpoint("fly")
        assert caught.value.parameters["operation"] == "fly"
    with pytest.raises(UnsupportedOperationError):
        EndpointProfile.from_data(changed(kind="other")).endpoint("fly")


def test_an_unknown_profile_names_the_known_ones():
    with pytest.raises(UnknownCodeError) as caught:
        EndpointProfile.shipped("portal-x")
    assert "portal-vss" in caught.value.hint()


def test_a_small_profile_takes_the_usual_values():
    endpoint = EndpointProfile.from_data(SMALL).endpoint("progress")
    assert (endpoint.method, endpoint.encoding, endpoint.access) == ("POST", Encoding.JSON, Access.OPEN)
    assert endpoint.answer == {"state": ("s",), "rows": ("a", "b")}


def test_defaults_and_same_as_are_laid_under_an_operation():
    data = changed(defaults={"access": "public", "refusals": {"code": "c", "text": "t"}})
    data["operations"]["find"] = {"same_as": "progress", "path": "/find", "refusals": {"code": "d"}}
    find = EndpointProfile.from_data(data).endpoint("find")
    assert (find.path, find.access, find.answer["state"]) == ("/find", Access.PUBLIC, ("s",))
    assert (find.refusals.code, find.refusals.text) == (("d",), ("t",))


def test_overrides_are_merged_into_the_tables():
    profile = EndpointProfile.shipped("portal-vss")
    other = profile.with_overrides({"operations": {"register": {"path": "/api/x"}, "check": {"path": "/c"}}})
    assert other.endpoint("register").path == "/api/x"
    assert other.endpoint("check").path == "/c"
    assert other.endpoint("check").access is Access.BEARER
    assert profile.endpoint("check").path == "/check"
    assert "register" not in profile.operations


def test_overrides_may_be_laid_over_overrides():
    profile = (
        EndpointProfile.shipped("portal-sandbox")
        .with_overrides({"note": "a"})
        .with_overrides({"proven": True})
    )
    assert (profile.note, profile.proven, profile.endpoint("adjust").path) == ("a", True, "/sandbox/adjust")


def test_another_address_needs_its_host_allowed():
    profile = EndpointProfile.shipped("portal-vss")
    with pytest.raises(InputError) as caught:
        profile.with_overrides({"base_url": "https://lookalike.example"})
    assert caught.value.report.codes == ("profile.host_not_allowed",)
    moved = profile.with_overrides({"base_url": "https://new.example", "allowed_hosts": ["new.example"]})
    assert moved.base_url == "https://new.example"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost:1", "http://[::1]:80"])
def test_this_machine_needs_no_permission(url):
    profile = EndpointProfile.shipped("portal-vss").with_overrides({"base_url": url})
    assert profile.allowed_hosts == (url.removeprefix("http://"),)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"kid": "x"}, "kid", "profile.unknown_key"),
        ({"name": 1}, "name", "profile.wrong_type"),
        ({"proven": "yes"}, "proven", "profile.wrong_type"),
        ({"operations": []}, "operations", "profile.wrong_type"),
        ({"defaults": 5}, "defaults", "profile.unknown_key"),
        ({"operations": {"a": 1}}, "operations.a", "profile.wrong_type"),
        ({"operations": {"a": {}}}, "operations.a.path", "profile.missing"),
        ({"operations": {"a": {"path": "a"}}}, "operations.a.path", "profile.path"),
        (
            {"operations": {"a": {"path": "/", "method": "GOT"}}},
            "operations.a.method",
            "profile.not_a_choice",
        ),
        (
            {"operations": {"a": {"path": "/", "encoding": "xml"}}},
            "operations.a.encoding",
            "profile.not_a_choice",
        ),
        ({"operations": {"a": {"path": "/", "access": 3}}}, "operations.a.access", "profile.not_a_choice"),
        ({"operations": {"a": {"path": "/", "pth": ""}}}, "operations.a.pth", "profile.unknown_key"),
        ({"operations": {"a": {"path": "/", "same_as": "b"}}}, "operations.a.same_as", "profile.unknown_key"),
        ({"operations": {"a": {"path": "/", "same_as": []}}}, "operations.a.same_as", "profile.unknown_key"),
        (
            {"operations": {"a": {"path": "/", "answer": {"x": 1}}}},
            "operations.a.answer.x",
            "profile.wrong_type",
        ),
        (
            {"operations": {"a": {"path": "/", "answer": {"x": [1]}}}},
            "operations.a.answer.x",
            "profile.wrong_type",
        ),
        (
            {"operations": {"a": {"path": "/", "deadline_seconds": "1"}}},
            "operations.a.deadline_seconds",
            "profile.wrong_type",
        ),
        (
            {"operations": {"a": {"path": "/", "deadline_seconds": 0}}},
            "operations.a.deadline_seconds",
            "profile.deadline",
        ),
        (
            {"operations": {"a": {"path": "/", "refusals": {"kinds": {"1": "bad"}}}}},
            "operations.a.refusals.kinds.1",
            "profile.not_a_choice",
        ),
        (
            {"operations": {"a": {"path": "/", "refusals": {"statuses": {"401": "bad"}}}}},
            "operations.a.refusals.statuses.401",
            "profile.not_a_choice",
        ),
        (
            {"operations": {"a": {"path": "/", "states": {"2": "done"}}}},
            "operations.a.states.2",
            "profile.not_a_choice",
        ),
        (
            {"operations": {"a": {"path": "/", "deadline_seconds": float("inf")}}},
            "operations.a.deadline_seconds",
            "profile.deadline",
        ),
        ({"base_url": "portal.example"}, "base_url", "profile.base_url"),
        ({"base_url": "https://portal.example?x=1"}, "base_url", "profile.base_url"),
        ({"base_url": "https://me@portal.example"}, "base_url", "profile.base_url"),
        ({"base_url": "https://portal.example:x"}, "base_url", "profile.base_url"),
        ({"base_url": "http://portal.example"}, "base_url", "profile.not_https"),
        ({"base_url": "https://other.example"}, "allowed_hosts", "profile.host_not_allowed"),
    ],
)
def test_a_mistake_is_named_by_its_key(changes, field, code):
    data = changed(**changes)
    assert findings_of(data).get(field) == code


def test_all_mistakes_are_named_at_once():
    found = findings_of({"kind": 1, "base_url": 2, "extra": 3, "operations": {"a": {"method": 4}}})
    assert found.keys() == {"name", "kind", "base_url", "extra", "operations.a.path", "operations.a.method"}


@pytest.mark.parametrize("data", [[], "text", None])
def test_what_is_no_table_is_no_profile(data):
    assert findings_of(data) == {"": "profile.wrong_type"}


@pytest.mark.parametrize("text", ["name = ", "a = [" * 5000])
def test_what_is_no_toml_is_unreadable(text):
    with pytest.raises(UnreadableFileError):
        EndpointProfile.from_toml(text)


def test_a_profile_may_extend_a_shipped_one():
    profile = EndpointProfile.from_toml('extends = "portal-vss"\nname = "mine"\n[operations.x]\npath = "/x"')
    assert profile.name == "mine"
    assert {"x", "check"} <= profile.operations.keys()
    with pytest.raises(UnknownCodeError):
        EndpointProfile.from_toml('extends = "nothing"')


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"operations": {"check": {"headers": {"Host": "evil.example"}}}}, "operations.check.headers.Host"),
        ({"operations": {"check": {"headers": {"X-A": "a\r\nB: c"}}}}, "operations.check.headers.X-A"),
        ({"client_header": {"name": "Transfer-Encoding"}}, "client_header.name"),
    ],
)
def test_a_header_that_frames_the_request_is_no_matter_of_a_profile(overrides, field):
    with pytest.raises(InputError) as caught:
        EndpointProfile.shipped("portal-vss").with_overrides(overrides)
    assert caught.value.field == field
    assert caught.value.report.errors[0].code == "profile.header"
