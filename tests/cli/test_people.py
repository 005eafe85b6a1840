"""The person at the terminal is asked on standard error, and a secret is never shown."""

from __future__ import annotations

import asyncio
import signal

import pytest

from bhxh_sdk import messages
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.cli import people
from bhxh_sdk.cli.output import Output
from bhxh_sdk.errors import PersonNeededError
from bhxh_sdk.ports import CaptchaChallenge, Question
from bhxh_sdk.signers.pkcs11.contract import TokenFlag, TokenInfo
from bhxh_sdk.signers.pkcs11.pin import PinSource, tell_of_pad

PNG = b"\x89PNG invented"


@pytest.fixture
def typing(monkeypatch):
    """Somebody types these lines."""

    def lines(*typed: str) -> None:
        waiting = list(typed)

        def next_line(*_: object, **__: object) -> str:
            if not waiting:
                raise EOFError
            return waiting.pop(0)

        monkeypatch.setattr("builtins.input", next_line)
        monkeypatch.setattr("getpass.getpass", next_line)
        monkeypatch.setattr(people, "interactive", lambda: True)

    return lines


@pytest.fixture
def ask(typing):
    typing()
    return people.asking(Output("en"))


@pytest.mark.parametrize(
    ("typed", "agrees"), [("c", True), ("CÓ", True), ("y", True), ("Yes", True), ("", False), ("no", False)]
)
def test_only_a_clear_yes_is_one(typing, ask, typed, agrees):
    typing(typed)
    question = Question(purpose="confirm_registration", subject="CÔNG TY TNHH VÍ DỤ")
    assert run_blocking(ask.confirm(question)) is agrees


@pytest.mark.parametrize(("typed", "choice"), [("1", 0), ("2", 1), ("3", -1), ("0", -1), ("x", -1), ("", -1)])
def test_a_choice_is_one_of_those_shown(typing, ask, capsys, typed, choice):
    typing(typed)
    question = Question(purpose="choose_certificate", choices=("first", "second"))
    assert run_blocking(ask.choose(question)) == choice
    out, err = capsys.readouterr()
    assert out == ""
    assert "2. second" in err


def test_the_picture_lies_where_only_its_owner_looks_and_is_taken_away(typing, ask, capsys, monkeypatch):
    looked: list[tuple[int, bytes]] = []

    def look(*_: object) -> str:
        path = capsys.readouterr().err.split("picture: ")[1].splitlines()[0]
        looked.append((people.Path(path).stat().st_mode & 0o777, people.Path(path).read_bytes()))
        paths.append(people.Path(path))
        return " 4711 "

    paths: list[people.Path] = []
    monkeypatch.setattr("builtins.input", look)
    answer = run_blocking(ask.captcha(CaptchaChallenge(image=PNG, purpose="log_in")))
    assert (answer, looked) == ("4711", [(0o600, PNG)])
    assert not paths[0].exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_picture_is_taken_away_when_the_process_shall_end(typing, ask, capsys, monkeypatch, number):
    seen: list[people.Path] = []

    def end(*_: object) -> str:
        seen.append(people.Path(capsys.readouterr().err.split("picture: ")[1].splitlines()[0]))
        signal.raise_signal(number)
        return "too late"

    before = signal.getsignal(number)
    monkeypatch.setattr("builtins.input", end)
    with pytest.raises(KeyboardInterrupt):
        run_blocking(ask.captcha(CaptchaChallenge(image=PNG, purpose="log_in")))
    assert not seen[0].exists()
    assert signal.getsignal(number) is before


def test_a_prompt_is_one_line_of_visible_letters(typing, ask, capsys):
    typing("no")
    run_blocking(ask.confirm(Question(purpose="confirm_registration", subject="\x1b[2J\nX")))
    assert "“\\u001b[2J\\u000aX”" in capsys.readouterr().err


def test_a_secret_is_asked_for_without_an_echo(typing, ask):
    typing("mat-khau", "mat-khau")
    assert (
        run_blocking(ask.secret(Question(purpose="key_password", subject="key.p12"))).reveal() == "mat-khau"
    )
    assert run_blocking(ask.secret(Question(purpose="key_password"))).reveal() == "mat-khau"


@pytest.mark.parametrize("language", messages.LANGUAGES)
@pytest.mark.parametrize(
    ("flag", "code"),
    [(TokenFlag.USER_PIN_COUNT_LOW, "pin.asked.low"), (TokenFlag.USER_PIN_FINAL_TRY, "pin.asked.last")],
)
def test_the_warning_before_a_pin_is_in_the_readers_language(typing, monkeypatch, language, flag, code):
    typing()
    prompts: list[str] = []
    monkeypatch.setattr("getpass.getpass", lambda prompt, **_: prompts.append(prompt) or "12345678")
    monkeypatch.setattr("builtins.input", lambda: "c")
    monkeypatch.setattr("builtins.print", lambda *texts, **_: prompts.append(texts[0]))
    ask = people.asking(Output(language))
    token = TokenInfo(slot=1, label="HR", flags=flag)
    run_blocking(PinSource(None, "").pin(token, "CÔNG TY TNHH VÍ DỤ", ask, 0))
    run_blocking(tell_of_pad(token, "CÔNG TY TNHH VÍ DỤ", ask, 0))
    assert len(prompts) == 2
    other = "en" if language == "vi" else "vi"
    for prompt in prompts:
        assert f"HR, CÔNG TY TNHH VÍ DỤ; {messages.text(code, language)}" in prompt
        assert messages.text(code, other) not in prompt


def test_whoever_leaves_has_not_answered(typing, ask):
    typing()
    for question in (
        ask.secret(Question(purpose="key_password")),
        ask.confirm(Question(purpose="confirm_registration")),
    ):
        with pytest.raises(PersonNeededError):
            run_blocking(question)


def test_a_secret_may_be_named_by_a_variable(typing, monkeypatch):
    monkeypatch.setenv("A_PASSWORD", "from the variable")
    assert people.secret_from("A_PASSWORD", "password", Output()).reveal() == "from the variable"
    with pytest.raises(PersonNeededError):
        people.secret_from("ANOTHER", "password", Output())
    typing("typed")
    assert people.secret_from("", "password", Output()).reveal() == "typed"


def test_where_nobody_is_nobody_is_asked():
    assert not people.interactive()
    ask = people.asking(Output())
    with pytest.raises(PersonNeededError):
        asyncio.run(ask.confirm(Question(purpose="confirm_registration")))
    with pytest.raises(PersonNeededError):
        people.secret_from("", "password", Output())
