from __future__ import annotations

import copy
import pickle
import traceback

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.errors import PersonNeededError, SigningDeclinedError, WrongTypeError
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.pkcs11.contract import TokenFlag, TokenInfo
from bhxh_sdk.signers.pkcs11.pin import PinSource, check_flags, check_form, has_pad, tell_of_pad
from bhxh_sdk.token_errors import PinError, PinLastTryError, PinLockedError

TOKEN = TokenInfo(slot=0, label="HR", serial="0A1B", shortest_pin=4, longest_pin=8)
LOW, FINAL = TokenFlag.USER_PIN_COUNT_LOW, TokenFlag.USER_PIN_FINAL_TRY
LOCKED, PAD = TokenFlag.USER_PIN_LOCKED, TokenFlag.PROTECTED_AUTHENTICATION_PATH


def fault(pin, token=TOKEN):
    with pytest.raises(PinError) as caught:
        check_form(Secret(pin), token)
    assert caught.value.code == "pin.form"
    shown = f"{caught.value} {caught.value.message('vi')} {caught.value.hint('vi')} {caught.value.parameters}"
    assert not pin or pin not in shown
    return caught.value.parameters["reason"]


@pytest.mark.parametrize(
    ("pin", "reason"),
    [
        ("", "empty"),
        ("123", "short"),
        ("123456789", "long"),
        ("1234\n", "characters"),
        ("12\x0034", "characters"),
        ("12\x8034", "characters"),
    ],
)
def test_a_pin_that_cannot_be_right_is_refused_without_showing_it(pin, reason):
    assert fault(pin) == f"pin.form.{reason}"


def test_the_text_says_what_is_wrong_and_what_lengths_there_are():
    with pytest.raises(PinError) as caught:
        check_form(Secret("12"), TOKEN)
    assert "quá ngắn" in caught.value.message("vi")
    assert "4" in caught.value.hint("en")
    assert caught.value.tries_left is None


@pytest.mark.parametrize("pin", ["1234", "12345678", "mật mã", "ẩẩẩẩẩẩẩẩ"])
def test_a_pin_of_a_possible_form_passes(pin):
    check_form(Secret(pin), TOKEN)


@pytest.mark.parametrize("lengths", [(0, 0), (8, 4), (4, 0), (0, 8)])
def test_lengths_that_are_not_told_or_make_no_sense_refuse_nothing(lengths):
    token = evolve(TOKEN, shortest_pin=lengths[0], longest_pin=lengths[1])
    check_form(Secret("123456"), token)


def test_a_length_that_is_told_alone_holds():
    assert fault("123", evolve(TOKEN, longest_pin=0)) == "pin.form.short"
    assert fault("123456789", evolve(TOKEN, shortest_pin=0)) == "pin.form.long"


def test_no_traceback_holds_the_pin():
    try:
        check_form(Secret("hunter2\n"), TOKEN)
    except PinError as error:
        frames = traceback.TracebackException.from_exception(error, capture_locals=True)
        ours = [frame for frame in frames.stack if frame.filename.endswith("pin.py")]
        assert ours
        assert not any("hunter2" in value for frame in ours for value in (frame.locals or {}).values())


@pytest.mark.parametrize("allow", [False, True])
def test_a_locked_token_is_never_touched(allow):
    with pytest.raises(PinLockedError) as caught:
        check_flags(evolve(TOKEN, flags=LOCKED | FINAL), 0, allow_last_try=allow)
    assert caught.value.tries_left == 0


def test_the_last_try_is_spent_only_where_somebody_said_so():
    token = evolve(TOKEN, flags=FINAL | LOW)
    with pytest.raises(PinLastTryError) as caught:
        check_flags(token, 0, allow_last_try=False)
    assert caught.value.tries_left == 1
    check_flags(token, 5, allow_last_try=True)


def test_after_two_wrong_pins_the_next_may_be_the_last_whatever_the_flags_say():
    check_flags(TOKEN, 1, allow_last_try=False)
    with pytest.raises(PinLastTryError) as caught:
        check_flags(TOKEN, 2, allow_last_try=False)
    assert caught.value.code == "pin.maybe_last_try"
    assert caught.value.tries_left is None
    check_flags(TOKEN, 2, allow_last_try=True)


def test_the_person_is_asked_with_the_token_and_the_owner_named(run, person):
    answer = person("1234")
    pin = run(PinSource(None, "").pin(TOKEN, "CÔNG TY VÍ DỤ", answer, 0))
    assert pin == Secret("1234")
    assert [(asked.purpose, asked.subject) for asked in answer.asked] == [("pin", "HR (0A1B), CÔNG TY VÍ DỤ")]


@pytest.mark.parametrize(
    ("flags", "wrong", "vietnamese", "english"),
    [
        (LOW, 0, "đã có lần nhập sai", "a wrong PIN was entered before"),
        (TokenFlag(0), 1, "đã có lần nhập sai", "a wrong PIN was entered before"),
        (FINAL, 0, "lần nhập cuối", "the last try"),
    ],
)
def test_the_question_warns_where_tries_were_spent(run, person, flags, wrong, vietnamese, english):
    answer = person("1234")
    run(PinSource(None, "").pin(evolve(TOKEN, flags=flags), "", answer, wrong))
    (asked,) = answer.asked
    assert asked.subject.startswith("HR (0A1B); ")
    assert vietnamese in asked.subject
    assert english in asked.subject


def test_a_given_pin_and_one_in_the_environment_ask_nobody(run, person, monkeypatch):
    monkeypatch.setenv("TOKEN_PIN", "5678")
    given_pin = Secret("1234")
    given_source, named = PinSource(given_pin, "TOKEN_PIN"), PinSource(None, "TOKEN_PIN")
    assert (given_source.asks, named.asks, PinSource(None, "").asks) == (False, False, True)
    assert run(given_source.pin(TOKEN, "", person(), 0)) == Secret("1234")
    assert run(named.pin(TOKEN, "", person(), 0)) == Secret("5678")
    given_source.wipe()
    assert given_pin == Secret("1234")


@pytest.mark.parametrize("place", ["given", "environment"])
def test_a_pin_at_hand_that_was_refused_is_never_sent_again(run, person, monkeypatch, place):
    monkeypatch.setenv("TOKEN_PIN", "5678")
    source = PinSource("1234", "") if place == "given" else PinSource(None, "TOKEN_PIN")
    run(source.pin(TOKEN, "", person(), 0))
    source.refused("HR")
    with pytest.raises(PinError) as caught:
        run(source.pin(TOKEN, "", person(), 0))
    assert caught.value.code == "pin.refused_before"


def test_a_person_may_enter_another_pin_after_a_refused_one(run, person):
    source, answer = PinSource(None, ""), person("1234", "5678")
    run(source.pin(TOKEN, "", answer, 0))
    source.refused("HR")
    assert run(source.pin(TOKEN, "", answer, 1)) == Secret("5678")


def test_a_variable_that_is_not_set_is_named(run, person):
    with pytest.raises(PinError) as caught:
        run(PinSource(None, "TOKEN_PIN").pin(TOKEN, "", person(), 0))
    assert caught.value.code == "pin.env_missing"
    assert "TOKEN_PIN" in caught.value.hint("vi")


def test_a_variable_that_is_no_text_is_no_pin(run, person, monkeypatch):
    monkeypatch.setenv("TOKEN_PIN", "12\udcff34")
    with pytest.raises(PinError) as caught:
        run(PinSource(None, "TOKEN_PIN").pin(TOKEN, "", person(), 0))
    assert caught.value.parameters["reason"] == "pin.form.encoding"
    assert caught.value.__context__ is None


def test_a_pin_of_another_type_is_refused():
    with pytest.raises(WrongTypeError) as caught:
        PinSource(12345678, "")
    assert (caught.value.field, "12345678" in str(caught.value)) == ("pin", False)


@given(st.text(min_size=1, max_size=20))
def test_nothing_shows_a_pin(pin):
    source = PinSource(pin.encode("utf-8", "replace").decode(), "")
    assert repr(source) == "PinSource(given)"
    assert repr(PinSource(None, "V")) == "PinSource(V)"
    assert repr(PinSource(None, "")) == "PinSource(asked)"
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(source)


def test_a_pad_is_told_of_and_may_be_declined(run, person):
    token = evolve(TOKEN, flags=PAD | LOW)
    assert has_pad(token)
    assert not has_pad(TOKEN)
    answer = person(True)
    run(tell_of_pad(token, "CÔNG TY VÍ DỤ", answer, 0))
    (asked,) = answer.asked
    assert asked.purpose == "pin_pad"
    assert "a wrong PIN was entered before" in asked.subject
    with pytest.raises(SigningDeclinedError) as caught:
        run(tell_of_pad(token, "", person(False), 0))
    assert caught.value.code == "pin.pad_declined"


def test_with_nobody_to_tell_the_pad_alone_asks(run, person):
    assert run(tell_of_pad(evolve(TOKEN, flags=PAD), "", person(), 0)) is None


def test_a_person_who_is_not_there_cannot_enter_a_pin(run, person):
    with pytest.raises(PersonNeededError):
        run(PinSource(None, "").pin(TOKEN, "", person(), 0))


def test_no_frame_of_an_error_holds_a_pin_that_is_no_text(monkeypatch, run, person):
    monkeypatch.setenv("TOKEN_PIN", "4711\udcff")
    for source, answer in (
        (PinSource(None, "TOKEN_PIN"), person()),
        (PinSource(None, ""), Answers("4711\udcff")),
    ):
        with pytest.raises(PinError) as caught:
            run(source.pin(TOKEN, "", answer, 0))
        frames = [frame.f_locals for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
        assert not any("4711" in str(value) for found in frames for value in found.values())


@pytest.mark.parametrize("answer", [None, 1, b"1234"])
def test_an_answer_that_is_no_pin_is_a_typed_error(run, answer):
    with pytest.raises(WrongTypeError):
        run(PinSource(None, "").pin(TOKEN, "", Answers(answer), 0))


def test_a_source_that_could_not_be_made_can_be_shown():
    source = PinSource.__new__(PinSource)
    with pytest.raises(WrongTypeError):
        source.__init__(1, "")
    assert repr(source) == "PinSource(asked)"


class Answers:
    """A person's front end that hands on whatever it got."""

    def __init__(self, answer):
        self._answer = answer

    async def secret(self, question):
        return self._answer
