from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk import errors, messages

SOURCE = Path(messages.__file__).parent.parent


def test_a_code_has_a_text_in_both_languages():
    assert messages.text("signing.closed", "en", {"name": "k"}) == "The signer «k» is closed."
    assert messages.text("signing.closed", "vi", {"name": "k"}) == "Nguồn ký «k» đã đóng."


def test_a_hint_stands_beside_its_code():
    assert messages.hint("signing.closed", "en") == "Open the signer again."
    assert messages.hint("no.such.code") == ""


@pytest.mark.parametrize("code", ["AB12", "", "no.such.code"])
def test_an_unknown_code_is_its_own_text(code):
    assert messages.text(code) == code


def test_a_place_without_a_value_is_left_out_with_what_belongs_to_it():
    assert messages.text("refused") == "The agency or the I-VAN refused."
    assert messages.text("refused", "en", {"agency_text": "", "agency_code": "06"}) == (
        "The agency or the I-VAN refused (code 06)."
    )
    assert messages.text("refused", "vi", {"agency_text": "Sai {mã}", "agency_code": "06"}) == (
        "Cơ quan BHXH hoặc tổ chức I-VAN từ chối: Sai {mã} (mã 06)."
    )


@pytest.mark.parametrize(
    ("parameters", "filled"),
    [
        ({}, "It failed."),
        ({"a": "x"}, "It failed (x)."),
        ({"b": "y"}, "It failed (y)."),
        ({"a": "x", "b": "y"}, "It failed (x y)."),
        ({"a": "{b}", "b": "( )"}, "It failed ({b} ( ))."),
    ],
)
def test_brackets_with_several_places_stay_while_one_of_them_has_a_value(parameters, filled):
    assert messages._filled("It failed ({a} {b}).", parameters) == filled


def test_braces_may_be_written():
    assert messages._filled("{{a}} {a}", {"a": 1}) == "{a} 1"
    assert messages._filled("{{a}} {a}", {}) == "{a}"


def test_zero_is_a_value():
    assert messages.text("input.report", "en", {"count": 0}) == "The form has 0 mistakes to mend."


def all_codes():
    return [(domain, code) for domain in messages.DOMAINS for code in sorted(messages.known_codes(domain))]


@given(
    st.sampled_from(all_codes()),
    st.dictionaries(st.sampled_from(["name", "reason", "field"]), st.text() | st.integers()),
)
def test_no_text_ever_crashes(code, parameters):
    for language in messages.LANGUAGES:
        assert messages.text(code[1], language, parameters)


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_no_text_keeps_an_empty_place(language):
    for _, code in all_codes():
        found = messages.text(code, language)
        assert " ()" not in found, code
        assert "«»" not in found, code
        assert "“”" not in found, code
        assert found == found.strip(), code


@pytest.mark.parametrize("domain", messages.DOMAINS)
def test_both_languages_have_the_same_codes_and_places(domain):
    assert messages.known_codes(domain, "vi") == messages.known_codes(domain, "en")
    for code in messages.known_codes(domain):
        vietnamese, english = (
            {
                place
                for _, place, _, _ in string.Formatter().parse(messages._template(code, language))
                if place
            }
            for language in ("vi", "en")
        )
        assert vietnamese == english, code


def every_error():
    return [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.BhxhError)
    ]


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_error_has_a_text_and_a_hint(kind, language):
    assert messages.text(kind.default_code, language) != kind.default_code
    assert messages.hint(kind.default_code, language)


def codes_raised():
    """Every code that stands as text in a call of an error class, with its place."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name.endswith("Error") and hasattr(errors, name) and isinstance(node.args[0].value, str):
                yield f"{path.relative_to(SOURCE)}:{node.lineno}", node.args[0].value


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_code_that_is_raised_has_a_text(language):
    missing = [f"{place} {code}" for place, code in codes_raised() if messages.text(code, language) == code]
    assert missing == []


@pytest.mark.parametrize(("language", "words"), [("vi", "chuỗi ký tự"), ("en", "a text")])
def test_a_value_may_name_a_text_of_its_own(language, words):
    named = {"expected": messages.Term("kind.text"), "got": "int"}
    assert words in messages.text("form.wrong_type", language, named)
    assert "kind.nothing" in messages.text(
        "form.wrong_type", language, {"expected": messages.Term("kind.nothing")}
    )


@pytest.mark.parametrize("foreign", ["@step.29", "step.29", "kind.text"])
def test_a_foreign_text_never_becomes_one_of_ours(foreign):
    assert foreign in messages.text("refused", "en", {"agency_text": foreign})
