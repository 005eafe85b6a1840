"""Every Python and shell example of the README and the documentation runs, against a sandbox on this machine.

The blocks of a page run in their order, in one folder and one namespace. A TOML block with a title is written
to a file of that name. A comment before a block changes what is expected: `<!-- exit code N -->`, or
`<!-- not run: why -->`. Of shell lines, those for setting up (`make`, `pip`, `bhxh sandbox`) are not run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import frozen

from bhxh_sdk.cli.sandbox_folder import SandboxFolder
from bhxh_sdk.sandbox import Sandbox, VirtualClock
from bhxh_sdk.signers import uri

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

BLOCK = re.compile(
    r"(?:^<!-- (?P<remark>(?:exit code|not run).*?) -->\n)?"
    r'^```(?P<language>python|console|bash|toml)(?: title="(?P<title>[^"]+)")?[^\n]*\n(?P<text>.*?)^```$',
    re.DOTALL | re.MULTILINE,
)
SET_UP = ("make ", "pip ", "source ", "bhxh sandbox", "#")


@frozen
class Block:
    """One example on a page."""

    language: str
    text: str
    title: str
    remark: str
    line: int

    @property
    def exit_code(self) -> int:
        return int(self.remark.removeprefix("exit code")) if self.remark.startswith("exit code") else 0


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            found["language"],
            found["text"],
            found["title"] or "",
            found["remark"] or "",
            text.count("\n", 0, found.start("text")) + 1,
        )
        for found in BLOCK.finditer(text)
        if not (found["remark"] or "").startswith("not run")
    ]


def commands_of(block: Block) -> str:
    lines = (line for line in block.text.splitlines() if line.strip())
    return "\n".join(line for line in lines if not line.startswith(SET_UP))


WITH_EXAMPLES = [page for page in PAGES if blocks_of(page)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The reader's working folder: a clone's examples, and what `bhxh sandbox` lays ready."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


@pytest.fixture
def laid(folder):
    with Sandbox(clock=VirtualClock(flowing=True)) as sandbox:
        yield SandboxFolder.laid(folder / "bhxh-sandbox", sandbox)


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_examples_of_a_page_run(page, folder, request, capsys, monkeypatch):
    monkeypatch.setattr(uri, "_OPENERS", dict(uri._OPENERS))  # what a page registers is forgotten with it
    namespace: dict[str, object] = {"__name__": "__main__"}
    exports = ""
    for block in blocks_of(page):
        if block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
            exec(code, namespace)  # noqa: S102  # running the page's examples is the test
        elif block.language in {"console", "bash"} and (commands := commands_of(block)):
            laid = request.getfixturevalue("laid")
            script = f"set -eu\n{exports}\n{commands}"
            done = subprocess.run(
                ["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False, timeout=60
            )
            assert done.returncode == block.exit_code, f"{page}:{block.line}\n{done.stdout}\n{done.stderr}"
            exports += "".join(f"{line}\n" for line in commands.splitlines() if line.startswith("export "))
            list(laid.new_mails())


def test_make_targets_that_pages_name_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        for block in blocks_of(page):
            named = (
                re.findall(r"^make ([a-z]+)", block.text, re.MULTILINE) if block.language == "console" else []
            )
            assert set(named) <= targets, page


def test_every_page_of_the_readme_exists():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (ROOT / target).exists(), target
