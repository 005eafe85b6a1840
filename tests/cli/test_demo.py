"""`bhxh demo`: all 29 steps, through either channel, with any signer."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("channel", ["portal", "ivan"])
def test_all_29_steps_are_done_in_under_two_seconds(bhxh, channel):
    done = bhxh("demo", "--channel", channel, "--json")
    assert done.code == 0
    answer = done.json
    assert set(answer) >= {"key", "state", "steps", "submissions"}
    assert [step["number"] for step in answer["steps"]] == list(range(1, 30))
    assert {step["state"] for step in answer["steps"]} == {"done"}
    assert answer["state"] == "active"
    assert answer["submissions"] == 1
    assert answer["session"] == {"user_name": "0100109106", "unit_code": "TZ0001Z"}
    assert answer["seconds"] < 2


@pytest.mark.parametrize("language", ["vi", "en"])
def test_people_see_a_timeline(bhxh, language):
    done = bhxh("demo", "--lang", language)
    lines = done.out.splitlines()
    assert done.code == 0
    assert [line.split()[0] for line in lines[:29]] == [str(number) for number in range(1, 30)]
    assert lines[29] == "29/29"
    assert "0100109106" in lines[30]


def test_on_a_terminal_the_timeline_is_a_table(bhxh, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    done = bhxh("demo", "--lang", "en")
    assert done.code == 0
    assert "29/29" in done.out


def test_the_sandbox_trusts_a_foreign_signer_and_says_so(bhxh, key_file):
    done = bhxh("demo", "--signer", f"softkey:{key_file('0100109106')}", "--lang", "en", "--json")
    assert done.code == 0, done
    assert done.json["session"]["user_name"] == "0100109106"
    assert "trusted" in done.err


def test_an_unusable_signer_makes_no_submission(bhxh, expired_key):
    done = bhxh("demo", "--signer", f"softkey:{expired_key}", "--json")
    assert done.code in {2, 4}


def test_an_unknown_channel_is_our_mistake(bhxh):
    assert bhxh("demo", "--channel", "fax").code == 2
