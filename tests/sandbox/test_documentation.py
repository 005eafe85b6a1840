"""Every Python example on the pages about mail and sandbox runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGES = Path(__file__).resolve().parents[2] / "docs" / "how-to"
EXAMPLES = [
    pytest.param(example, id=f"{name}-{number}")
    for name in ("test-with-the-sandbox", "activate-from-mail")
    for number, example in enumerate(
        re.findall(r"```python\n(.*?)```", (PAGES / f"{name}.md").read_text(encoding="utf-8"), re.DOTALL)
    )
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_runs(example, bhxh_sandbox, bhxh_portal, bhxh_mailbox):
    names: dict[str, object] = {}
    exec(example, names)  # noqa: S102  # our own page
    if "test_we_register" in names:
        names["test_we_register"](bhxh_sandbox, bhxh_portal, bhxh_mailbox)
