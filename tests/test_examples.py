"""Every example runs, in an interpreter of its own, and ends where it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bhxh_sdk.cli import main

EXAMPLES = Path(__file__).parents[1] / "examples"

LAST_LINES = {
    "asynchronous.py": "5 submissions",
    "check_a_form.py": "ok: False",
    "first_registration.py": "Cơ quan BHXH đã cấp mã đơn vị",
    "in_a_notebook.py": "submitted",
    "on_paper.py": "submitted accepted: True",
    "register_at_portal.py": "active dossier",
    "register_through_ivan.py": "active 29/29",
    "resume_after_crash.py": "submitted after 1 submission",
}


def test_every_example_has_its_end():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(LAST_LINES)


def test_the_list_of_examples_is_complete():
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [name for name in LAST_LINES if f"`{name}`" not in text] == []


@pytest.mark.parametrize("name", LAST_LINES)
def test_an_example_runs(name, tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(LAST_LINES[name])


@pytest.mark.parametrize("form", sorted((EXAMPLES / "forms").glob("*.toml")), ids=lambda path: path.name)
def test_an_example_form_has_no_mistake(form, capsys):
    assert main(["check", str(form)]) == 0
