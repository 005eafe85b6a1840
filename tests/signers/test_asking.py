from __future__ import annotations

import copy
import pickle

import pytest

from bhxh_sdk.ports import CaptchaChallenge, Question
from bhxh_sdk.signers.asking import AskOnce

PIN = Question(purpose="pin", subject="thẻ 1")


def test_a_pin_is_asked_for_once(run, person):
    somebody = person("1234")
    asking = AskOnce(somebody)
    first = run(asking.secret(PIN))
    first.wipe()
    assert run(asking.secret(PIN)).reveal() == "1234"
    assert somebody.asked == [PIN]


def test_another_card_is_another_question(run, person):
    asking = AskOnce(person("1234", "5678"))
    other = Question(purpose="pin", subject="thẻ 2")
    assert run(asking.secret(PIN)).reveal() == "1234"
    assert run(asking.secret(other)).reveal() == "5678"


def test_a_one_time_code_is_asked_for_each_time(run, person):
    asking, code = AskOnce(person("1", "2")), Question(purpose="otp")
    assert [run(asking.secret(code)).reveal() for _ in range(2)] == ["1", "2"]


def test_what_is_forgotten_is_asked_for_again(run, person):
    asking = AskOnce(person("sai", "1234"))
    run(asking.secret(PIN))
    asking.forget()
    assert run(asking.secret(PIN)).reveal() == "1234"


def test_every_other_question_is_passed_on(run, person):
    asking = AskOnce(person("abcd", 1, True))
    assert run(asking.captcha(CaptchaChallenge(image=b"", purpose="log_in"))) == "abcd"
    assert run(asking.choose(Question(purpose="choose_certificate"))) == 1
    assert run(asking.confirm(Question(purpose="confirm"))) is True


def test_what_may_hold_a_pin_shows_and_gives_away_nothing(run, person):
    asking = AskOnce(person("1234"))
    run(asking.secret(PIN))
    assert "1234" not in repr(asking)
    for spread in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            spread(asking)
