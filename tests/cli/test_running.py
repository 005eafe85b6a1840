"""Whatever happens, there is a message, an exit code, and with `--json` exactly one document."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bhxh_sdk
from bhxh_sdk import messages
from bhxh_sdk.cli import app
from bhxh_sdk.cli.app import COMMANDS, command_tree
from bhxh_sdk.cli.output import Output, OwnText
from bhxh_sdk.errors import RefusedError, WrongStateError

BHXH = (sys.executable, "-c", "import sys; from bhxh_sdk.cli import main; sys.exit(main())")


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_command_and_option_is_explained_in_both_languages(language):
    tree = command_tree(language)
    for command in (tree, *tree.commands.values()):
        assert command.help
        assert not command.help.startswith("cli.")
        for parameter in command.params:
            assert parameter.help, f"{command.name}: {parameter.name} is not explained"


def test_every_command_takes_json_and_lang():
    for command in command_tree("en").commands.values():
        assert {"as_json", "lang"} <= {parameter.name for parameter in command.params}


def test_every_message_of_the_commands_has_a_use():
    folder = Path(app.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    looked_up = (
        "cli.any.",
        "cli.ask.",
        "cli.fact.",
        "cli.severity.",
        "cli.private_key.",
        "state.",
        "cli.certificate.",
        "cli.demo.channel.",
        "cli.own.",
        "cli.filed.",
        "cli.usage.",
    )
    for code in messages.known_codes("faces"):
        base = code.removesuffix(".hint")
        if base.startswith(looked_up) or base.split(".")[1] in COMMANDS or base == "cli.bhxh":
            continue
        assert base in source, f"nobody says {code}"


@pytest.mark.parametrize(
    "arguments", [(), ("--help",), ("check", "--help"), ("--lang", "en", "demo", "--help")]
)
def test_help_is_an_answer(bhxh, arguments):
    done = bhxh(*arguments)
    assert done.code == 0
    assert "bhxh" in done.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("check",),
        ("check", "a", "b"),
        ("check", "a", "--nonsense"),
        ("check", "a", "--lang", "fr"),
        ("sandbox", "--port", "x"),
    ],
)
def test_a_wrong_call_is_our_mistake(bhxh, arguments):
    done = bhxh(*arguments, "--json")
    assert (done.code, done.error["code"], done.error["retry"]) == (2, "cli.usage", "never")
    for_people = bhxh(*arguments)
    assert (for_people.code, for_people.out) == (2, "")
    assert "cli.usage" in for_people.err


def test_the_manner_is_read_wherever_it_stands():
    assert Output.from_arguments([]) == Output("vi", as_json=False)
    assert Output.from_arguments(["check", "a", "--lang", "en", "--json"]) == Output("en", as_json=True)
    assert Output.from_arguments(["--lang=en", "check"]) == Output("en")
    assert Output.from_arguments(["--lang", "fr"]) == Output.from_arguments(["--lang"]) == Output("vi")


HOSTILE = "\x1b]0;pwned\x07\x1b[2J\u202egnp.exe\nFAKE: Done. \x9b31m\r\U000e0041\udc80"
SPELT = r"\u001b]0;pwned\u0007\u001b[2J\u202egnp.exe\u000aFAKE: Done. \u009b31m\u000d\U000e0041\udc80"


def test_foreign_text_is_one_line_of_visible_letters(capsys):
    error = RefusedError(agency_text=HOSTILE, agency_code="Đã từ chối", reference=HOSTILE)
    Output("en").failure(error)
    Output("en").answer({}, [HOSTILE, OwnText("two\nlines")])
    out, err = capsys.readouterr()
    assert out == f"{SPELT}\ntwo\nlines\n"
    assert SPELT in err
    assert "Đã từ chối" in err
    assert not {letter for letter in err if not letter.isprintable()} - {"\n"}


def test_foreign_text_in_json_is_escaped_and_comes_back(capsys):
    Output(as_json=True).answer({"text": HOSTILE, "name": "Nguyễn Thị Thí Dụ"}, ())
    out, _ = capsys.readouterr()
    assert "Nguyễn Thị Thí Dụ" in out
    assert not {letter for letter in out if not letter.isprintable()} - {"\n"}
    assert json.loads(out)["text"] == HOSTILE


def test_what_was_typed_is_not_repeated_raw(bhxh, form_file):
    bhxh("register", form_file(base="register-on-paper"), "--yes")
    for arguments in (("status", "nope\x1b[31m"), ("check", "nope\x1b[31m"), ("nonsense\x1b[31m",)):
        for extra in ((), ("--json",)):
            done = bhxh(*arguments, *extra)
            assert done.code == 2, done
            assert "\x1b" not in done.out + done.err
            assert "1b[31m" in done.out + done.err


def test_a_fault_of_the_program_is_one_line_and_no_traceback(bhxh, form_file, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        message = "invented fault"
        raise ZeroDivisionError(message)

    monkeypatch.setattr("bhxh_sdk.cli.checking.report_on", broken)
    done = bhxh("check", form_file(), "--json")
    assert (done.code, done.error["code"]) == (70, "cli.unforeseen")
    assert "ZeroDivisionError" in done.error["message"]
    assert "Traceback" not in bhxh("check", form_file()).err
    monkeypatch.setenv("BHXH_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        bhxh("check", form_file())


def test_ctrl_c_is_no_traceback(bhxh, form_file, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bhxh_sdk.cli.checking.report_on", interrupted)
    done = bhxh("check", form_file(), "--json")
    assert (done.code, done.error["code"]) == (130, "cli.interrupted")


def test_a_reader_who_has_read_enough_is_no_error(bhxh, monkeypatch):
    def gone(*_: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "gone")

    monkeypatch.setattr(Output, "answer", gone)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    assert bhxh("agencies", "binh thanh").code == 0


def without_module(name):
    program = (
        f"import sys; sys.modules[{name!r}] = None; "
        "from bhxh_sdk.cli import main; sys.exit(main(['check', 'a', '--json']))"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_without_the_extra_the_message_names_it():
    done = without_module("typer")
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"] == "setup.missing_extra"
    assert "bhxh-sdk[cli]" in done.stdout


def as_module(*arguments, before):
    program = (
        f"import runpy, sys; {before}; runpy.run_module('bhxh_sdk', run_name='__main__', alter_sys=True)"
    )
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_package_can_be_run_as_a_module():
    command = [sys.executable, "-m", "bhxh_sdk", "--version", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["version"]


def test_the_module_without_the_extra_says_the_same_as_the_command():
    done = as_module("check", "a", "--json", before="sys.modules['typer'] = None")
    assert done.returncode == 3
    assert done.stdout == without_module("typer").stdout


def test_another_missing_module_is_not_blamed_on_the_extra():
    done = without_module("lxml")
    assert done.returncode not in {0, 3}


def test_the_help_is_quick():
    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([*BHXH, "--help"], capture_output=True, check=True)
        times.append(time.perf_counter() - start)
    assert min(times) < 1.5  # on a busy machine; the benchmark `cli_start_ms` measures it


def test_vietnamese_is_written_where_the_terminal_knows_none(form_file):
    done = subprocess.run(
        [*BHXH, "check", str(form_file())],
        capture_output=True,
        check=False,
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
    )
    assert done.returncode == 0
    assert "hợp lệ" in done.stdout.decode("utf-8")


@pytest.mark.parametrize("text", ["binh thanh", "BÌNH THẠNH", "07906"])
def test_an_agency_is_found_without_accents(bhxh, text):
    done = bhxh("agencies", text, "--json")
    assert done.json[0]["code"] == "07906"
    assert bhxh("agencies", text).out.startswith("07906")
    assert bhxh("agencies", "zzzzzzzz").code == 0


COMPLAINTS = {
    ("nonsense",): "không có lệnh nonsense",
    ("chek",): "không có lệnh chek.",
    ("check",): "thiếu FORM",
    ("check", "a", "b"): "thừa tham số",
    ("check", "a", "--nonsense"): "không có tùy chọn --nonsense",
    ("check", "a", "--lang", "fr"): "giá trị của --lang không hợp lệ (chọn một trong: 'vi', 'en')",
    ("build", "a"): "thiếu tùy chọn --output/-o",
    ("sandbox", "--port", "x"): "giá trị của --port không hợp lệ.",
    ("sandbox", "--port"): "tùy chọn --port thiếu giá trị",
}


@pytest.mark.parametrize(("arguments", "reason"), COMPLAINTS.items())
def test_a_wrong_call_is_told_in_vietnamese(bhxh, arguments, reason):
    assert reason in bhxh(*arguments).err
    assert reason not in bhxh(*arguments, "--lang=en").err


def test_the_help_is_vietnamese_down_to_its_headings(bhxh):
    told = bhxh("--help").out + bhxh("register", "--help").out + bhxh("build", "--help").out
    for english in (
        "Usage:",
        "Options:",
        "Commands:",
        "Arguments:",
        "required",
        "default:",
        "env var",
        "Show",
    ):
        assert english not in told
    assert "Usage:" in bhxh("--lang", "en", "--help").out


def test_the_version_is_told(bhxh):
    assert bhxh("--version").out == f"bhxh {bhxh_sdk.__version__}\n"
    assert bhxh("--json", "--version").json == {"version": bhxh_sdk.__version__}


def test_english_texts_of_the_commands_quote_in_english():
    for code in messages.known_codes("faces", "en"):
        assert not set(messages.text(code, "en")) & set("«»"), code


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_an_error_names_a_state_as_people_do(capsys, language):
    Output(language).failure(WrongStateError("workflow.not_now", event="accepted", state="printed"))
    told = capsys.readouterr().err
    assert messages.text("state.printed", language) in told
