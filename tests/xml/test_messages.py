from __future__ import annotations

import re
from pathlib import Path

import pytest

from bhxh_sdk import messages, xml
from bhxh_sdk.models import StopReason

SOURCE = Path(xml.__file__).parent
CODE = re.compile(r'"((?:document|xml)\.[a-z_0-9.]+)"')
TEXTS = [path.read_text(encoding="utf-8") for path in SOURCE.glob("*.py")]
CODES = sorted({code for text in TEXTS for code in CODE.findall(text)} - {"document.xml"})  # a file name


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_code_has_a_text_and_every_text_a_code(language):
    known = messages.known_codes("documents", language)
    assert len(CODES) > 60
    texts = {code.removesuffix(".hint") for code in known if not code.startswith("stop.reason.")}
    assert set(CODES) == texts


def test_every_reason_to_stop_has_words_of_its_own():
    words = [xml.reason_words(reason) for reason in StopReason]
    assert len(set(words)) == len(StopReason)
    assert all("." not in word for word in words)


def test_every_reason_of_a_refusal_is_documented():
    page = Path(__file__).parents[2] / "docs" / "explanation" / "xml-documents.md"
    table = page.read_text(encoding="utf-8").partition("| reason |")[2]
    given = {reason for text in TEXTS for reason in re.findall(r'reason="([a-z-]+)"', text)}
    given |= {reason for text in TEXTS for reason in re.findall(r'_refuse\([^()]+, "([a-z-]+)"\)', text)}
    given |= {"unsafe", "not-xml", "structure", "signing-time"}
    documented = set(re.findall(r"`([a-z-]+)`", "".join(re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE))))
    assert given == documented
