"""Rules about characters."""

from datetime import date

import pytest

from bhxh_sdk.models import Action, Attachment, Ivan, Stop
from bhxh_sdk.rules import check
from bhxh_sdk.rules.rule import shown

TODAY = date(2026, 11, 1)


@pytest.mark.parametrize("letter", ["\x00", "\t", "\n", "\ud800", "\ufffe"])
def test_a_control_character_is_an_error_that_names_it(spoilt, letter):
    (finding,) = check(spoilt(contact={"name": f"An{letter}Bình"}), on=TODAY)
    assert (finding.code, finding.field) == ("text.control_characters", "contact.name")
    assert f"U+{ord(letter):04X}" in finding.message("vi")
    assert "contact.name" in finding.message("en")


def test_a_heap_of_marks_is_an_error(spoilt):
    heap = "a" + "\u0301" * 40 + "\u0327" * 40
    (finding,) = check(spoilt(contact={"name": heap}), on=TODAY).errors
    assert (finding.code, finding.field) == ("text.marks", "contact.name")


EVERYWHERE = {
    "agency.province_code": {"agency": {"province_code": "a\ud800b"}},
    "agency.source": {"agency": {"source": "a\ud800b"}},
    "agency.name": {"agency": {"name": "a\x01b"}},
    "organisation.name": {"organisation": {"name": "a\x01b"}},
    "organisation.unit_code": {"organisation": {"unit_code": "a\x01b"}},
    "organisation.tax_code": {"organisation": {"tax_code": "a\x01b"}},
    "organisation.address": {"organisation": {"address": "a\x01b"}},
    "organisation.phone": {"organisation": {"phone": "a\x01b"}},
    "contact.address": {"contact": {"address": "a\x01b"}},
    "contact.mobile": {"contact": {"mobile": "a\x01b"}},
    "contact.email": {"contact": {"email": "a\x01b"}},
    "transact_at.code": {"transact_at": Ivan("a\x01b")},
    "transact_at.name": {"transact_at": Ivan("00040", "a\x01b")},
    "changes": {"changes": "a\x01b", "action": Action.ADJUST},
    "stop.text": {"stop": Stop(text="a\x01b")},
    "attachments[0].file_name": {"attachments": (Attachment(file_name="a\x01b", content=b"x"),)},
    "attachments[0].form_code": {
        "attachments": (Attachment(file_name="a", content=b"x", form_code="a\x01b"),)
    },
    "attachments[0].description": {
        "attachments": (Attachment(file_name="a", content=b"x", description="a\x01b"),)
    },
}


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_text_of_the_form_is_looked_at(findings, path):
    assert ("text.control_characters", path) in findings(**EVERYWHERE[path])


@pytest.mark.parametrize("letter", ["\u200b", "\u202e", "\ufeff", "\u00ad", "\u2066"])
def test_an_invisible_character_is_a_warning(findings, letter):
    assert findings(contact={"name": f"An{letter} Bình"}) == [("text.invisible", "contact.name")]


@pytest.mark.parametrize("name", ["C\u041eNG TY", "\u0391n Bình", "CTY \uff11"])
def test_a_letter_that_looks_latin_is_a_warning(findings, name):
    assert findings(contact={"name": name}) == [("text.look_alike", "contact.name")]


@pytest.mark.parametrize("name", ["\u0418\u0432\u0430\u043d", "Đặng Ước", "Nguyễn An 😀", "李 An"])
def test_names_of_one_script_and_vietnamese_marks_are_fine(findings, name):
    assert findings(contact={"name": name}) == []


def test_a_text_that_nobody_would_type_is_a_warning(findings):
    assert findings(contact={"name": "x" * 500}) == []
    assert findings(contact={"name": "x" * 501}) == [("text.too_long", "contact.name")]


def test_five_characters_are_named_at_most(spoilt):
    (finding,) = check(spoilt(contact={"name": "a\x01\x02\x03\x04\x05\x06\x06b"}), on=TODAY)
    assert finding.parameters["characters"] == "U+0001, U+0002, U+0003, U+0004, U+0005, …"


def test_a_shown_value_is_short_and_steers_no_terminal():
    assert shown("a\x1b[31m\u202e\u2028b") == "aU+001B[31mU+202EU+2028b"
    assert shown("x" * 61) == "x" * 60 + "…"
    assert shown("Ước 😀") == "Ước 😀"
