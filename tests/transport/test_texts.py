"""Every code that the transport raises has a text and a hint in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bhxh_sdk import messages, transport

CODE = re.compile(r'"((?:not_sent|unknown_outcome|unexpected_reply|setup|input|profile|channel)\.[a-z_]+)"')
REASONS = ("connection", "deadline", "too_large")
CODES = {
    code
    for file in Path(transport.__file__).parent.rglob("*.py")
    for code in CODE.findall(file.read_text("utf-8"))
}
CODES |= {f"{kind}.{reason}" for kind in ("not_sent", "unknown_outcome") for reason in REASONS}


@pytest.mark.parametrize("code", sorted(CODES))
@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_a_code_has_text_and_hint(code, language):
    assert messages.text(code, language) != code
    assert messages.hint(code, language)
