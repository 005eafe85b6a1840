"""Rules about dates, adjusting and stopping."""

from datetime import date, timedelta

from bhxh_sdk.models import Action, Stop, StopReason

TODAY = date(2026, 11, 1)
BEFORE, AFTER = TODAY - timedelta(1), TODAY + timedelta(1)
GOOD_STOP = Stop(from_date=AFTER, reason=StopReason.DISSOLVED)


def test_a_form_drawn_up_tomorrow_is_a_warning(findings):
    assert findings(made_on=AFTER) == [("made_on.in_future", "made_on")]
    assert findings(made_on=TODAY) == findings(made_on=BEFORE) == []


def test_a_start_before_the_form_is_a_warning(findings):
    assert findings(starts_on=BEFORE) == [("starts_on.before_made_on", "starts_on")]
    assert findings(starts_on=BEFORE, made_on=BEFORE) == findings(starts_on=AFTER) == []


def test_an_adjustment_should_say_what_changes(findings):
    assert findings(action=Action.ADJUST) == [("changes.missing", "changes")]
    assert findings(action=Action.ADJUST, changes="địa chỉ") == []


def test_stopping_needs_a_date_and_a_reason(findings):
    missing = [("stop.from_date_missing", "stop.from_date"), ("stop.reason_missing", "stop.reason")]
    assert findings(action=Action.STOP) == missing
    assert findings(action=Action.STOP, stop=Stop()) == missing
    assert findings(action=Action.STOP, stop=GOOD_STOP) == []
    assert findings(action=Action.STOP, stop=Stop(from_date=AFTER, text="chuyển nơi khác")) == []


def test_another_reason_should_be_told(findings):
    other = Stop(from_date=AFTER, reason=StopReason.OTHER)
    assert findings(action=Action.STOP, stop=other) == [("stop.words_missing", "stop.text")]
    told = Stop(from_date=AFTER, reason=StopReason.OTHER, text="sáp nhập")
    assert findings(action=Action.STOP, stop=told) == []


def test_stopping_before_the_form_is_a_warning(findings):
    past = Stop(from_date=BEFORE, reason=StopReason.DISSOLVED)
    assert findings(action=Action.STOP, stop=past) == [("stop.before_made_on", "stop.from_date")]
    assert findings(action=Action.STOP, stop=past, made_on=BEFORE) == []


def test_a_stop_that_nobody_asked_for_is_a_warning(findings):
    assert findings(stop=GOOD_STOP) == [("stop.not_asked", "stop")]
