"""The table of rules and the texts belong together."""

import ast
from pathlib import Path

import pytest

from bhxh_sdk import messages, rules
from bhxh_sdk.rules import verdicts
from bhxh_sdk.rules.rule import Rule
from bhxh_sdk.rules.table import CERTIFICATE_RULES, FORM_RULES

CODES = [verdict.code for verdict in verdicts()]


def test_every_code_stands_in_the_table_once():
    assert len(CODES) == len(set(CODES))


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_code_has_a_text_and_a_hint_and_every_text_a_code(language):
    expected = {*CODES, *(f"{code}.hint" for code in CODES)}
    assert messages.known_codes("rules", language) == expected


@pytest.mark.parametrize("verdict", verdicts(), ids=lambda verdict: verdict.code)
def test_every_verdict_says_what_it_rests_on(verdict):
    assert verdict.source
    if "not proven" in verdict.source:
        assert verdict.severity.value == "warning"


def test_every_rule_made_is_in_the_table():
    modules = {path.stem for path in Path(rules.__file__).parent.glob("*.py")}
    made = [
        node.name
        for name in modules
        for node in ast.walk(ast.parse((Path(rules.__file__).parent / f"{name}.py").read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(d, ast.Call) and getattr(d.func, "id", "") == "rule" for d in node.decorator_list)
    ]
    assert len(made) == len({id(rule) for rule in (*FORM_RULES, *CERTIFICATE_RULES)})


def test_every_rule_is_explained():
    assert all(isinstance(rule, Rule) and rule.examine.__doc__ for rule in FORM_RULES + CERTIFICATE_RULES)


def test_every_code_is_triggered_by_a_test_of_its_own():
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [code for code in CODES if f'"{code}"' not in tests] == []
