"""The generated parts of the documentation say what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[1] / "tools" / "docs_pages.py"
spec = importlib.util.spec_from_file_location("docs_pages", TOOL)
assert spec
assert spec.loader
pages = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pages)


def test_every_page_is_current():
    assert pages.stale() == [], "run `.venv/bin/python tools/docs_pages.py write`"


def test_every_part_stands_on_a_page():
    text = "".join(page.read_text(encoding="utf-8") for page in pages.DOCS.rglob("*.md"))
    assert [name for name in pages.PARTS if f"<!-- made: {name} -->" not in text] == []


def test_a_stale_page_is_found_and_written_anew(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- made: exit-codes -->\nold\n<!-- end -->\nafter\n", encoding="utf-8")
    assert pages.main(["check"], tmp_path) == 1
    assert pages.main(["write"], tmp_path) == 0
    assert pages.main(["check"], tmp_path) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("<!-- end -->\nafter\n")
    assert "| 6 | waiting for a person |" in text
    assert "page.md" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["nonsense"]])
def test_a_wrong_call_says_how(arguments, capsys):
    assert pages.main(arguments) == 2
    assert "usage" in capsys.readouterr().err


def test_a_cell_stays_in_its_row():
    assert pages.table(["a"], [["x|y\nz"]]).splitlines()[-1] == "| x\\|y z |"


def test_a_member_of_a_dialect_has_its_own_mark_or_that_of_its_table():
    text = """# head

plain = "a#b"
own = 1   # likely: one client
# seen
[codes]
400 = "request"
401 = "login"   # unknown client
402 = "login"   # sources conflict
"""
    assert [tuple(member) for member in pages.members(text)] == [
        ("plain", "", ""),
        ("own", "likely", "one client"),
        ("codes.400", "seen", ""),
        ("codes.401", "seen", ""),
        ("codes.402", "sources conflict", ""),
    ]
