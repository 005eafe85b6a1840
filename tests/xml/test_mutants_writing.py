"""What mutation testing found untested in writing documents."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from attrs import evolve

from bhxh_sdk import trust, xml
from bhxh_sdk.errors import InputError
from bhxh_sdk.models import Ivan
from bhxh_sdk.xml import signer_trust, writing
from bhxh_sdk.xml.fields import write_carefully
from bhxh_sdk.xml.writer import CanonicalWriter, escaped, escaped_attribute, start_tag

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def plain(form):
    """A form whose texts need no escapes."""
    return evolve(
        form,
        organisation=evolve(form.organisation, name="CÔNG TY TNHH VÍ DỤ 100 %"),
        contact=evolve(form.contact, address="Số 2 Đường Ví Dụ"),
    )


REGISTRATIONS = [
    profile.name
    for profile in xml.profiles()
    if profile.kind == "registration" and writing._plan(profile) is not None
]


@pytest.mark.parametrize("name", REGISTRATIONS)
def test_an_ordinary_form_is_written_from_a_template(plain, name, monkeypatch):
    profile = xml.profile(name)
    if profile.transact_at == "ivan":
        plain = evolve(plain, transact_at=Ivan("00099", "Công ty I-VAN Ví Dụ"))
    expected = write_carefully(profile, plain, None)
    monkeypatch.setattr(writing, "write_carefully", None)
    assert writing.write_body(profile, plain, None) == expected


def test_profiles_that_need_more_than_the_model_have_no_template():
    for profile in xml.profiles():
        special = [rule for rule in profile.fields if rule.from_certificate or rule.source == "stop.reason"]
        assert (writing._plan(profile) is None) == bool(special), profile.name


def two_fields(*fields: dict[str, object], number: int = 2):
    return xml.profile_from_mapping(
        {
            "name": "own",
            "kind": "registration",
            "action": "register",
            "transact_at": "portal",
            "root": "R",
            "content": "C",
            "signature": "R/S",
            "certainty": "unknown",
            "fields": [{"certainty": "unknown", **one} for one in fields][:number],
        }
    )


NAME = {"element": "Ten", "source": "organisation.name"}
CODE = {"element": "Ma", "source": "agency.code"}


def test_two_fields_are_enough_for_a_template(plain, monkeypatch):
    own = two_fields(NAME, CODE)
    monkeypatch.setattr(writing, "write_carefully", None)
    body = writing.write_body(own, plain, None)
    assert body == "<R><C><Ten>CÔNG TY TNHH VÍ DỤ 100 %</Ten><Ma>07906</Ma></C><S></S></R>".encode()
    assert writing._plan(two_fields(NAME, CODE, number=1)) is None


def test_a_subject_without_the_attributes_is_not_written_from_a_template():
    assert writing._texts(writing._plan(two_fields(NAME, CODE)), object()) is None


def test_a_value_that_is_missing_is_left_to_careful_writing(plain):
    nameless = evolve(plain, organisation=evolve(plain.organisation, phone=""))
    phone = {"element": "DienThoai", "source": "organisation.phone"}
    needed = two_fields(NAME, {**phone, "presence": "required"})
    assert writing._texts(writing._plan(needed), nameless) is None
    with pytest.raises(InputError):
        writing.write_body(needed, nameless, None)
    for presence, expected in (("always", ""), ("optional", None)):
        plan = writing._plan(two_fields(NAME, {**phone, "presence": presence}))
        assert writing._texts(plan, nameless) == ["CÔNG TY TNHH VÍ DỤ 100 %", expected]


@pytest.mark.parametrize("letter", ["&", "<", ">", "\n", "\x00", "\u00a0"])
def test_one_letter_that_needs_care_makes_a_text_unclean(letter):
    assert not writing.is_clean(f"a{letter}b")
    assert writing.is_clean("") is True
    assert writing.is_clean("Ví dụ = \"một\" 'hai' %s %%") is True


def test_markup_and_line_ends_are_escaped():
    assert escaped("&<>\r\"'\t\n") == "&amp;&lt;&gt;&#xD;\"'\t\n"
    assert escaped_attribute("&<>\r\"'\t\n") == "&amp;&lt;>&#xD;&quot;'&#x9;&#xA;"
    assert start_tag("a", [("b", "u:2"), ("a", "u:1")]) == '<a xmlns:a="u:1" xmlns:b="u:2">'
    assert start_tag("a") == "<a>"


def test_elements_of_the_same_name_below_others_are_not_the_same():
    writer = CanonicalWriter()
    writer.start("root")
    for path in (("a", "b"), ("c", "b")):
        writer.stand_in(path, 1)
        writer.leaf("x", "")
    writer.stand_in((), 1)
    writer.end()
    assert writer.content() == b"<root><a><b><x></x></b></a><c><b><x></x></b></c></root>"


def test_evidence_is_handed_on(certificate, authority, monkeypatch):
    seen: list[object] = []
    monkeypatch.setattr(signer_trust.trust, "judge", lambda *parts: seen.append(parts))
    policy, evidence = trust.TrustPolicy(roots=[authority]), object()
    signer_trust.trust_question(None, NOON, policy, evidence, 2048).ask(certificate)
    assert seen == [(certificate, policy, NOON, evidence)]


def test_a_constant_may_hold_a_per_cent_sign(plain, monkeypatch):
    own = two_fields(NAME, CODE, {"element": "Co", "value": "100 % %s"}, number=3)
    monkeypatch.setattr(writing, "write_carefully", None)
    assert b"<Co>100 % %s</Co>" in writing.write_body(own, plain, None)


def test_another_field_stands_in_for_an_empty_one(plain, monkeypatch):
    silent = evolve(plain, organisation=evolve(plain.organisation, phone=""))
    monkeypatch.setattr(writing, "write_carefully", None)
    body = writing.write_body(xml.profile("portal-register"), silent, None)
    assert b"<DienThoai>0912345678</DienThoai>" in body
