from __future__ import annotations

import re
from pathlib import Path

import pytest

from bhxh_sdk import messages, trust

SOURCE = Path(trust.__file__).parent
TEXTS = [path.read_text(encoding="utf-8") for path in SOURCE.glob("*.py")]
CODES = {code for text in TEXTS for code in re.findall(r'"(trust\.[a-z_0-9]+[a-z0-9])"', text)}
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "certificates.md"


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_code_has_a_text_and_a_hint_and_every_text_a_code(language):
    known = messages.known_codes("trust", language)
    assert len(CODES) > 25
    assert known == CODES | {f"{code}.hint" for code in CODES}


def test_every_reason_of_a_refusal_is_documented():
    table = PAGE.read_text(encoding="utf-8").partition("| reason |")[2].partition("\n\n")[0]
    documented = {
        f"trust.{reason.replace('-', '_')}" for reason in re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE)
    }
    others = {
        "trust.not_a_certificate",
        "trust.not_a_crl",
        "trust.not_an_answer",
        "trust.answer_status",
        "trust.answer_refused",
        "trust.unknown_mode",
        "trust.no_zone",
        "trust.revoked_later",
        "trust.revocation_not_checked",
    }
    assert documented == CODES - others
