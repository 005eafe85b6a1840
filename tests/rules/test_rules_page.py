"""The reference page of the rules is made from the table, and is current."""

import importlib.util
from pathlib import Path

import pytest

from bhxh_sdk.rules import verdicts

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("rules_page", ROOT / "tools" / "rules_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current(tool):
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "run: python tools/rules_page.py"


def test_the_page_has_a_line_for_every_code(tool):
    assert all(f"| `{verdict.code}` | {verdict.severity.value} |" in tool.page() for verdict in verdicts())


def test_the_tool_writes_the_page(tool, tmp_path, capsys):
    assert tool.main(tmp_path / "rules.md") == 0
    assert (tmp_path / "rules.md").read_text(encoding="utf-8") == tool.page()
    assert capsys.readouterr().out == "rules.md\n"
