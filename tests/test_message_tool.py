"""The message tool finds every way in which the catalogues can drift."""

import gettext
import importlib.util
from pathlib import Path

import pytest
import time_machine

ROOT = Path(__file__).resolve().parent.parent
HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("messages_tool", ROOT / "tools" / "messages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def catalogues(tool, tmp_path):
    def write(vi: str, en: str) -> Path:
        for language, body in (("vi", vi), ("en", en)):
            folder = tmp_path / language / "LC_MESSAGES"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "bhxh.po").write_text(HEADER + body, encoding="utf-8")
        assert tool.main(["compile"], tmp_path) == 0
        return tmp_path

    return write


def entry(key: str, text: str) -> str:
    return f'msgid "{key}"\nmsgstr "{text}"\n\n'


def test_catalogues_that_agree_pass(tool, catalogues):
    locale = catalogues(
        entry("tax.length", "Mã số thuế {value} sai"), entry("tax.length", "Tax code {value} is wrong")
    )
    assert tool.faults(locale) == []
    assert tool.main(["check"], locale) == 0


@pytest.mark.parametrize(
    ("vi", "en", "complaint"),
    [
        (entry("a", "A") + entry("b", "B"), entry("a", "A"), "b: missing in en"),
        (entry("a", "A"), entry("a", "A") + entry("b", "B"), "b: missing in vi"),
        (entry("a", "A {x}"), entry("a", "A {y}"), "placeholders differ"),
        (entry("a", "A {x"), entry("a", "A"), "braces do not match"),
        (entry("a", ""), entry("a", "A"), "has no text"),
        ("#, fuzzy\n" + entry("a", "A"), entry("a", "A"), "marked fuzzy"),
    ],
)
def test_a_difference_is_found(tool, catalogues, vi, en, complaint, capsys):
    locale = catalogues(vi, en)
    assert tool.main(["check"], locale) == 1
    assert complaint in capsys.readouterr().err


def test_compiling_gives_the_same_bytes_on_every_day(tool, catalogues):
    locale = catalogues(entry("a", "Chào"), entry("a", "Hello"))
    compiled = (locale / "vi" / "LC_MESSAGES" / "bhxh.mo").read_bytes()
    with time_machine.travel("2001-02-03"):
        assert tool.main(["compile"], locale) == 0
    assert (locale / "vi" / "LC_MESSAGES" / "bhxh.mo").read_bytes() == compiled
    with (locale / "vi" / "LC_MESSAGES" / "bhxh.mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("a") == "Chào"


def test_a_stale_compiled_file_is_found(tool, catalogues):
    locale = catalogues(entry("a", "A"), entry("a", "A"))
    source = locale / "vi" / "LC_MESSAGES" / "bhxh.po"
    source.write_text(HEADER + entry("a", "Khác"), encoding="utf-8")
    assert [fault for fault in tool.faults(locale) if "out of date" in fault]


def test_a_missing_language_and_a_stray_compiled_file_are_found(tool, catalogues):
    locale = catalogues(entry("a", "A"), entry("a", "A"))
    (locale / "vi" / "LC_MESSAGES" / "bhxh.po").unlink()
    found = "\n".join(tool.faults(locale))
    assert "no catalogue for vi" in found
    assert "compiled from nothing" in found


def test_no_catalogue_at_all_is_a_fault(tool, tmp_path):
    assert "no message catalogue" in tool.faults(tmp_path)[0]


def test_an_unknown_command_is_refused(tool):
    assert tool.main([]) == 2
