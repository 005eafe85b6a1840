from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from bhxh_sdk import xml
from bhxh_sdk.errors import InputError, WrongTypeError
from bhxh_sdk.models import Attachment, Certainty

WHOLE: dict[str, Any] = {
    "name": "ours",
    "action": "register",
    "root": "R",
    "content": "C",
    "signature": "R/S",
    "fields": [{"element": "T", "source": "organisation.tax_code"}],
}


def with_fields(*rows: dict[str, Any]) -> dict[str, Any]:
    return {**WHOLE, "fields": list(rows)}


A = {"element": "A", "value": "1"}
NAME = {"source": "agency.name"}


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        ({**WHOLE, "rot": "R"}, "unknown_key", "rot"),
        ({"name": "a"}, "missing_key", "root"),
        ({key: WHOLE[key] for key in WHOLE if key != "action"}, "missing_key", "action"),
        ({**WHOLE, "action": "dance"}, "not_a_choice", "action"),
        ({**WHOLE, "kind": "letter"}, "not_a_choice", "kind"),
        ({**WHOLE, "transact_at": "home"}, "not_a_choice", "transact_at"),
        ({**WHOLE, "file_length": "inches"}, "not_a_choice", "file_length"),
        ({**WHOLE, "certainty": "maybe"}, "not_a_choice", "certainty"),
        ({**WHOLE, "root": "a b", "signature": "a b/S"}, "not_a_name", "root"),
        ({**WHOLE, "content": "p:c"}, "not_a_name", "content"),
        ({**WHOLE, "other_signatures": [1]}, "not_a_name", "other_signatures"),
        ({**WHOLE, "namespaces": {"xml": "u"}}, "not_a_namespace", "namespaces.xml"),
        ({**WHOLE, "namespaces": {"a": ""}}, "not_a_namespace", "namespaces.a"),
        ({**WHOLE, "namespaces": {"a": 1}}, "not_a_namespace", "namespaces.a"),
        ({**WHOLE, "namespaces": {"1": "u"}}, "not_a_name", "namespaces.1"),
        ({**WHOLE, "signature": "S"}, "not_a_place", "signature"),
        ({**WHOLE, "signature": "R/C"}, "not_a_place", "signature"),
        ({**WHOLE, "signature": "R/A/B"}, "not_a_place", "signature"),
        (with_fields({"source": "made_on"}), "missing_key", "fields[0].element"),
        (with_fields({"element": "A", "sorce": "made_on"}), "unknown_key", "fields[0].sorce"),
        (with_fields({"element": "A"}), "source_or_value", "fields.A.source"),
        (with_fields({**A, **NAME}), "source_or_value", "fields.A.source"),
        (with_fields({"element": "A", "source": "agency"}), "not_a_choice", "fields.A.source"),
        (with_fields({"element": "A", "source": "made_on"}), "not_a_choice", "fields.A.format"),
        (with_fields({"element": "A", **NAME, "format": "date"}), "not_a_choice", "fields.A.format"),
        (with_fields({"element": "A", **NAME, "format": "x"}), "not_a_choice", "fields.A.format"),
        (with_fields({**A, "presence": "now"}), "not_a_choice", "fields.A.presence"),
        (with_fields({**A, "certainty": "sure"}), "not_a_choice", "fields.A.certainty"),
        (with_fields({**A, "value": "\x00"}), "not_text", "fields.A.value"),
        (with_fields({**A, "element": "A//B"}), "not_a_name", "fields.A//B.element"),
        (with_fields(A, A), "repeated_element", "fields.A"),
        (with_fields(A, {**A, "element": "A/B"}), "repeated_element", "fields.A/B"),
        (with_fields({**A, "element": "A/B"}, A), "repeated_element", "fields.A"),
        (
            with_fields({**A, "element": "A/B"}, {**A, "element": "C"}, {**A, "element": "A/D"}),
            "repeated_element",
            "fields.A/D",
        ),
        (
            with_fields({"element": "A", **NAME, "fallback": "agency.code"}),
            "not_a_choice",
            "fields.A.fallback",
        ),
        (
            with_fields({"element": "A", **NAME, "fallback": "agency.name"}),
            "not_a_choice",
            "fields.A.fallback",
        ),
    ],
)
def test_what_is_wrong_in_a_profile_is_named(refused, data, code: str, field: str):
    with refused(InputError, f"xml.profile.{code}", field=field):
        xml.profile_from_mapping(data)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([], "profile"),
        ({**WHOLE, "root": 1}, "root"),
        ({**WHOLE, "fields": {}}, "fields"),
        ({**WHOLE, "fields": ["A"]}, "fields[0]"),
        (with_fields({**A, "checked": "yes"}), "fields[0].checked"),
    ],
)
def test_a_wrong_type_in_a_profile_is_named(refused, data, field: str):
    with refused(WrongTypeError, "xml.profile.wrong_type", field=field):
        xml.profile_from_mapping(data)


BASE = "portal-register"


@pytest.mark.parametrize(
    ("overrides", "code", "field"),
    [
        ({"file": "a"}, "unknown_key", "file"),
        ({"fields": {"Nothing": {}}}, "unknown_element", "fields.Nothing"),
        ({"fields": {"Email": {"elment": "E"}}}, "unknown_key", "fields.Email.elment"),
        ({"fields": {"Email": {"element": "TenCoQuan"}}}, "repeated_element", "fields.TenCoQuan"),
        ({"remove": ["Nothing"]}, "unknown_element", "remove"),
        ({"add": [{"value": "x"}]}, "missing_key", "add[0].element"),
        ({"add": [{**A, "after": "Nothing"}]}, "unknown_element", "add[0].after"),
        ({"add": [{**A, "before": "Email"}]}, "unknown_key", "add[0].before"),
        ({"order": ["Email"]}, "incomplete_order", "order"),
        ({"order": ["Nothing"]}, "unknown_element", "order"),
    ],
)
def test_what_is_wrong_in_an_override_is_named(refused, overrides, code: str, field: str):
    with refused(InputError, f"xml.profile.{code}", field=field):
        xml.with_overrides(xml.profile(BASE), overrides)


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ("x", "profile"),
        ({"fields": []}, "fields"),
        ({"fields": {"Email": "E"}}, "fields.Email"),
        ({"add": ["E"]}, "add[0]"),
        ({"remove": "Email"}, "remove"),
    ],
)
def test_a_wrong_type_in_an_override_is_named(refused, overrides, field: str):
    with refused(WrongTypeError, "xml.profile.wrong_type", field=field):
        xml.with_overrides(xml.profile(BASE), overrides)


def test_every_shipped_profile_survives_an_empty_override():
    for profile in xml.profiles():
        assert xml.with_overrides(profile, {}) == profile


def test_an_element_is_renamed_removed_and_the_order_turned_round(form):
    profile = xml.profile(BASE)
    names = [rule.element for rule in profile.fields if rule.element != "LoaiDoiTuong"]
    changed = xml.with_overrides(
        profile,
        {
            "fields": {"MaSoBHXH": {"element": "MaDonVi", "certainty": "seen"}},
            "remove": ["LoaiDoiTuong"],
            "order": [{"MaSoBHXH": "MaDonVi"}.get(name, name) for name in reversed(names)],
        },
    )
    content = xml.build(form, changed).content
    assert content.index(b"<MaDonVi>") < content.index(b"<TenDoiTuong>") < content.index(b"<TenCoQuan>")
    assert b"LoaiDoiTuong" not in content
    assert xml.read(content, changed) == form
    assert {rule.element: rule.certainty for rule in changed.fields}["MaDonVi"] is Certainty.SEEN


def test_a_certificate_block_is_added(form, certificate):
    changed = xml.with_overrides(
        xml.profile(BASE),
        {
            "add": [
                {"element": "CTS/Serial", "source": "certificate.serial_text", "after": "Email"},
                {
                    "element": "CTS/Tu",
                    "source": "certificate.not_before",
                    "format": "moment_date",
                    "after": "CTS/Serial",
                },
            ]
        },
    )
    content = xml.build(form, changed, certificate=certificate).content
    block = f"<CTS><Serial>{certificate.serial_text}</Serial><Tu>01/01/2025</Tu></CTS><NguoiLienHe>"
    assert block.encode() in content
    assert xml.read(content, changed) == form
    assert xml.carried(form, changed) == form


def test_a_constant_takes_the_place_of_a_value_and_back(form):
    fixed = xml.with_overrides(xml.profile(BASE), {"fields": {"DiaChi": {"value": "Hà Nội"}}})
    assert "<DiaChi>Hà Nội</DiaChi>".encode() in xml.build(form, fixed).content
    back = xml.with_overrides(fixed, {"fields": {"DiaChi": {"source": "organisation.address"}}})
    assert back == xml.profile(BASE)


def test_the_length_of_a_file_is_counted_as_the_profile_says(form):
    with_file = evolve(form, attachments=(Attachment(file_name="a.pdf", content=b"1234"),))
    by_bytes = xml.with_overrides(xml.profile(BASE), {"file_length": "bytes"})
    assert b"<DoDaiFile>8</DoDaiFile>" in xml.build(with_file).content
    assert b"<DoDaiFile>4</DoDaiFile>" in xml.build(with_file, by_bytes).content
    assert xml.read(xml.build(with_file, by_bytes).content) == with_file


def test_other_date_and_reason_formats_can_be_chosen(form):
    changed = xml.with_overrides(xml.profile(BASE), {"fields": {"NgayLap": {"format": "iso_date"}}})
    content = xml.build(form, changed).content
    assert b"<NgayLap>2026-01-02</NgayLap>" in content
    assert xml.read(content, changed) == form
