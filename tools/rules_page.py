"""Write the reference page of all rules, `docs/reference/rules.md`, from the table of rules and its texts."""

from __future__ import annotations

import sys
from pathlib import Path

from bhxh_sdk import messages
from bhxh_sdk.rules import Verdict, verdicts

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "rules.md"

HEAD = """# Rules

`bhxh_sdk.rules.check` looks at a form without a network and reports every mistake at once:
`check(form, on=day)` raises nothing for whatever was typed. Each finding has a code, a severity, the path of
the field, a text and a hint in Vietnamese and English, and what the rule rests on. An **error** stops signing
and sending; a **warning** is for a person to judge. What no source proves is a warning.

This page is made from the table of rules by `tools/rules_page.py`.

"""


class Blanks(dict[str, str]):
    """A blank for every place of a text."""

    def get(self, _key: str, _default: object = None, /) -> str:
        """Whatever is asked for is there."""
        return "…"

    def __missing__(self, _key: str) -> str:
        return "…"


def line(verdict: Verdict) -> str:
    """One row of the table."""
    says = messages.text(verdict.code, "en", Blanks(value="…"))
    cells = (f"`{verdict.code}`", verdict.severity.value, says, verdict.source)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def page() -> str:
    """The whole page."""
    rows = ["| code | severity | says | rests on |", "|---|---|---|---|", *map(line, verdicts())]
    return HEAD + "\n".join(rows) + "\n"


def main(path: Path = PAGE) -> int:
    """Write the page."""
    path.write_text(page(), encoding="utf-8")
    print(path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
