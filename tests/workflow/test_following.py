from __future__ import annotations

from datetime import timedelta

import pytest
from workflow_world import NOW, TAX_CODE, a_form, a_stop

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import (
    AlreadyActivatedError,
    CodeExpiredError,
    LogInRefusedError,
    NotSentError,
    StillWaitingError,
    UnexpectedReplyError,
    UnknownOutcomeError,
    WrongCodeError,
    WrongStateError,
)
from bhxh_sdk.models import Account, Outcome, Progress, ProgressStep
from bhxh_sdk.secret import Secret
from bhxh_sdk.workflow import (
    Dossier,
    EventKind,
    State,
    activate,
    change_password,
    follow,
    log_in,
    record_decision,
    record_handed_in,
    register,
    settle_activation,
    status_of,
    wait_for_decision,
)

CODE = Secret("K7M4")
PASSWORD = Secret("first-password")


@pytest.fixture
def submitted(world):
    run_blocking(register(world, a_form(), key="k", confirmed=True))
    return world


@pytest.fixture
def activated(submitted):
    run_blocking(activate(submitted, "k", CODE))
    return submitted


@pytest.fixture
def printed(world):
    run_blocking(register(world, a_form(use_certificate=False), key="k", confirmed=True))
    return world


def state(world):
    return run_blocking(Dossier.opened(world, "k")).state


def test_the_number_comes_later_than_the_sending_key(submitted, channel):
    channel.tell(
        "progress",
        Progress(outcome=Outcome.PROCESSING),
        Progress(outcome=Outcome.PROCESSING, dossier_number="00001/2026/07906"),
        Progress(outcome=Outcome.PROCESSING, dossier_number="00001/2026/07906"),
    )
    assert run_blocking(follow(submitted, "k")).state.fact("dossier_number") == ""
    assert run_blocking(follow(submitted, "k")).state.fact("dossier_number") == "00001/2026/07906"
    position = state(submitted).position
    assert run_blocking(follow(submitted, "k")).state.position == position


def test_acceptance_is_written_down_once(submitted, channel):
    channel.tell("progress", Progress(outcome=Outcome.ACCEPTED), Progress(outcome=Outcome.ACCEPTED))
    assert run_blocking(follow(submitted, "k")).state.accepted
    position = state(submitted).position
    assert run_blocking(follow(submitted, "k")).state.position == position


def test_a_refusal_keeps_code_and_text(submitted, channel):
    failed = ProgressStep(number=2, code="17", text="Sai mã số thuế", failed=True)
    channel.tell("progress", Progress(outcome=Outcome.REFUSED, steps=(ProgressStep(number=1), failed)))
    dossier = run_blocking(follow(submitted, "k"))
    assert dossier.state.state is State.REFUSED
    assert status_of(dossier).agency_text == "Sai mã số thuế"


def test_a_refusal_is_not_asked_after(submitted, channel):
    channel.tell("progress", Progress(outcome=Outcome.REFUSED))
    run_blocking(follow(submitted, "k"))
    assert run_blocking(follow(submitted, "k")).state.state is State.REFUSED
    assert channel.count("progress") == 1


def test_following_needs_a_submission(printed):
    with pytest.raises(WrongStateError) as caught:
        run_blocking(follow(printed, "k"))
    assert caught.value.code == "workflow.not_submitted"


def test_waiting_ends_with_the_decision(submitted, channel):
    channel.tell("progress", Progress(outcome=Outcome.PROCESSING), Progress(outcome=Outcome.ACCEPTED))
    assert run_blocking(wait_for_decision(submitted, "k", seconds=60)).state.accepted
    assert submitted.clock.now() == NOW + timedelta(seconds=5)


def test_waiting_ends_with_a_refusal_too(submitted, channel):
    channel.tell("progress", Progress(outcome=Outcome.REFUSED))
    assert run_blocking(wait_for_decision(submitted, "k", seconds=60)).state.state is State.REFUSED


def test_a_deadline_is_not_a_failure(submitted):
    with pytest.raises(StillWaitingError) as caught:
        run_blocking(wait_for_decision(submitted, "k", seconds=12))
    assert caught.value.reference == "k"
    assert state(submitted).state is State.SUBMITTED
    assert submitted.clock.now() == NOW + timedelta(seconds=10)


def test_the_code_is_handed_in_once(submitted, channel):
    dossier = run_blocking(activate(submitted, "k", CODE))
    assert dossier.state.state is State.ACTIVATED
    assert dossier.state.fact("user_name") == TAX_CODE
    ((_, sending_key, code),) = [arguments for name, arguments in channel.calls if name == "activate"]
    assert (sending_key, code) == ("S-1", CODE)


def test_the_code_is_never_written_down(submitted):
    run_blocking(activate(submitted, "k", CODE))
    assert "K7M4" not in repr(run_blocking(submitted.journal.events("k")))


def test_an_active_account_is_not_activated_again(activated, channel):
    with pytest.raises(AlreadyActivatedError):
        run_blocking(activate(activated, "k", CODE))
    assert channel.count("activate") == 1


@pytest.mark.parametrize("error", [WrongCodeError(), CodeExpiredError()])
def test_a_refused_code_leaves_the_registration_waiting_for_a_better_one(submitted, channel, error):
    channel.tell("activate", error)
    with pytest.raises(type(error)):
        run_blocking(activate(submitted, "k", CODE))
    assert state(submitted).state is State.SUBMITTED
    assert run_blocking(activate(submitted, "k", CODE)).state.state is State.ACTIVATED


def test_what_the_other_side_has_activated_is_taken_for_active(submitted, channel):
    channel.tell("activate", AlreadyActivatedError())
    with pytest.raises(AlreadyActivatedError):
        run_blocking(activate(submitted, "k", CODE))
    assert state(submitted).activated


def test_a_code_that_did_not_leave_can_be_sent_again(submitted, channel):
    channel.tell("activate", NotSentError())
    with pytest.raises(NotSentError):
        run_blocking(activate(submitted, "k", CODE))
    assert state(submitted).state is State.SUBMITTED
    assert run_blocking(activate(submitted, "k", CODE)).state.activated


@pytest.mark.parametrize("error", [UnknownOutcomeError(), UnexpectedReplyError()])
def test_a_lost_answer_to_the_code_is_asked_after(submitted, channel, error):
    channel.tell("activate", error)
    with pytest.raises(UnknownOutcomeError):
        run_blocking(activate(submitted, "k", CODE))
    assert state(submitted).state is State.ACTIVATION_IN_DOUBT
    with pytest.raises(UnknownOutcomeError):
        run_blocking(activate(submitted, "k", CODE))
    channel.tell("progress", Progress(outcome=Outcome.PROCESSING, activated=True))
    assert run_blocking(activate(submitted, "k", CODE)).state.state is State.ACTIVATED
    assert channel.count("activate") == 1


def test_a_person_may_decide_to_send_a_code_again(submitted, channel):
    channel.tell("activate", UnknownOutcomeError(), Account())
    with pytest.raises(UnknownOutcomeError):
        run_blocking(activate(submitted, "k", CODE))
    dossier = run_blocking(activate(submitted, "k", CODE, try_again=True))
    assert dossier.state.state is State.ACTIVATED
    assert channel.count("activate") == 2


def test_a_process_that_dies_while_activating_leaves_a_doubt_that_resuming_settles(submitted, channel):
    channel.tell("activate", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run_blocking(activate(submitted, "k", CODE))
    assert state(submitted).state is State.ACTIVATING
    with pytest.raises(UnknownOutcomeError):
        run_blocking(settle_activation(submitted, "k"))
    channel.tell("progress", Progress(outcome=Outcome.PROCESSING, activated=True))
    assert run_blocking(settle_activation(submitted, "k")).state.activated
    assert run_blocking(settle_activation(submitted, "k")).state.activated


def test_an_adjustment_has_nothing_to_activate(world):
    run_blocking(register(world, a_form(action="adjust", changes="Đổi thư"), key="k", confirmed=True))
    with pytest.raises(WrongStateError) as caught:
        run_blocking(activate(world, "k", CODE))
    assert caught.value.code == "workflow.no_account"


def test_nothing_is_activated_before_it_is_submitted(printed):
    with pytest.raises(WrongStateError) as caught:
        run_blocking(activate(printed, "k", CODE))
    assert caught.value.code == "workflow.not_submitted"


@pytest.mark.parametrize("action", ["adjust", "stop"])
def test_an_accepted_adjustment_or_stop_is_at_its_end(world, channel, action):
    extra = {"changes": "Đổi thư"} if action == "adjust" else {"stop": a_stop()}
    run_blocking(register(world, a_form(action=action, **extra), key="k", confirmed=True))
    channel.tell("progress", Progress(outcome=Outcome.ACCEPTED))
    dossier = run_blocking(follow(world, "k"))
    assert (dossier.state.state, dossier.state.accepted) == (State.COMPLETED, True)


def test_logging_in_takes_the_name_that_activation_gave_and_the_registrations_unit(activated, channel):
    session = run_blocking(log_in(activated, "k", PASSWORD))
    assert session.user_name == TAX_CODE
    ((credentials, unit),) = [arguments for name, arguments in channel.calls if name == "log_in"]
    assert (credentials.user_name, credentials.password, unit) == (TAX_CODE, PASSWORD, "TZ0001Z")
    assert state(activated).state is State.ACTIVE


def test_without_a_name_from_activation_the_tax_code_is_the_name(submitted, channel):
    channel.tell("activate", Account())
    run_blocking(activate(submitted, "k", CODE))
    assert run_blocking(log_in(submitted, "k", PASSWORD)).user_name == TAX_CODE


def test_a_given_name_and_unit_go_first(activated, channel):
    run_blocking(log_in(activated, "k", PASSWORD, user_name="somebody", unit_code="TZ0002Z"))
    ((credentials, unit),) = [arguments for name, arguments in channel.calls if name == "log_in"]
    assert (credentials.user_name, unit) == ("somebody", "TZ0002Z")


def test_a_refused_log_in_changes_nothing(activated, channel):
    channel.tell("log_in", LogInRefusedError())
    with pytest.raises(LogInRefusedError):
        run_blocking(log_in(activated, "k", PASSWORD))
    assert state(activated).state is State.ACTIVATED


def test_nobody_logs_in_before_activation(submitted):
    with pytest.raises(WrongStateError) as caught:
        run_blocking(log_in(submitted, "k", PASSWORD))
    assert caught.value.code == "workflow.not_activated"


def test_the_password_is_changed_in_a_session(activated, channel):
    session = run_blocking(log_in(activated, "k", PASSWORD))
    dossier = run_blocking(change_password(activated, "k", session, PASSWORD, Secret("n3w-passw0rd")))
    assert EventKind.PASSWORD_CHANGED in dossier.state.happened
    assert channel.count("change_password") == 1
    assert "n3w-passw0rd" not in repr(run_blocking(activated.journal.events("k")))


def test_the_password_is_not_changed_before_logging_in(activated, channel):
    with pytest.raises(WrongStateError) as caught:
        run_blocking(change_password(activated, "k", None, PASSWORD, PASSWORD))
    assert caught.value.code == "workflow.not_logged_in"
    assert channel.count("change_password") == 0


def test_paper_is_handed_in_and_decided_by_people(printed, channel):
    assert run_blocking(record_handed_in(printed, "k", dossier_number="00002/2026/07906")).state.state is (
        State.SUBMITTED
    )
    assert run_blocking(follow(printed, "k")).state.state is State.SUBMITTED
    assert channel.calls == []
    dossier = run_blocking(record_decision(printed, "k", accepted=True))
    assert dossier.state.accepted
    assert dossier.state.fact("dossier_number") == "00002/2026/07906"


def test_paper_may_be_refused(printed):
    run_blocking(record_handed_in(printed, "k"))
    dossier = run_blocking(record_decision(printed, "k", accepted=False, code="1", text="Thiếu dấu"))
    assert dossier.state.state is State.REFUSED
    assert status_of(dossier).agency_text == "Thiếu dấu"


def test_a_decision_that_is_recorded_stays(printed):
    run_blocking(record_handed_in(printed, "k"))
    run_blocking(record_decision(printed, "k", accepted=True))
    for accepted in (True, False):
        with pytest.raises(WrongStateError) as caught:
            run_blocking(record_decision(printed, "k", accepted=accepted))
        assert caught.value.code == "workflow.decided"
    assert state(printed).accepted


def test_an_acceptance_that_the_agency_takes_back_counts_no_more(submitted, channel):
    channel.tell("progress", Progress(outcome=Outcome.ACCEPTED), Progress(outcome=Outcome.REFUSED))
    assert run_blocking(follow(submitted, "k")).state.accepted
    after = run_blocking(follow(submitted, "k")).state
    assert (after.state, after.accepted) == (State.REFUSED, False)


def test_after_a_refused_code_its_steps_are_open_again(submitted, channel):
    channel.tell("activate", WrongCodeError())
    with pytest.raises(WrongCodeError):
        run_blocking(activate(submitted, "k", CODE))
    status = status_of(run_blocking(Dossier.opened(submitted, "k")))
    assert status.current_step.step.number == 25


def test_only_what_was_printed_is_handed_in(submitted):
    with pytest.raises(WrongStateError) as caught:
        run_blocking(record_handed_in(submitted, "k"))
    assert caught.value.code == "workflow.not_printed"


def test_nothing_is_decided_before_it_is_handed_in(printed):
    with pytest.raises(WrongStateError):
        run_blocking(record_decision(printed, "k", accepted=True))
