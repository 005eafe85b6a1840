"""The page of public names is a contract: its names can be imported, and nothing public is missing."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "public-api.md"


def listed() -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    module = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"## `([\w.]+)`", line):
            module = heading[1]
        elif row := re.match(r"\| `(\w+)` \|", line):
            names.setdefault(module, set()).add(row[1])
    return names


def test_the_page_lists_the_front_door_and_the_rooms():
    assert {"bhxh_sdk", "bhxh_sdk.xml", "bhxh_sdk.signers", "bhxh_sdk.transport"} <= set(listed())


@pytest.mark.parametrize("module", listed())
def test_the_page_and_the_code_agree(module):
    assert listed()[module] == set(importlib.import_module(module).__all__)
