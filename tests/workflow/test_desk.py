from __future__ import annotations

import pytest
from attrs import evolve
from workflow_world import IVAN, NOW, TAX_CODE, ToldChannel, a_form, a_stop

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import InputError, KeyNotFoundError, WrongTypeError
from bhxh_sdk.models import Ivan, Outcome, Progress
from bhxh_sdk.secret import Secret
from bhxh_sdk.transport import ChannelCapabilities, Operation
from bhxh_sdk.workflow import Desk, State, StepState, refreshed_catalogue

MAIL = "Mã kích hoạt của đơn vị: K7M4-QX2P-9RTD"


@pytest.fixture
def desk(world):
    return Desk(world)


def submitted(desk):
    return run_blocking(desk.register(a_form(), confirmed=True, key="k"))


def test_a_check_looks_at_form_and_certificate_together(desk, channel):
    assert run_blocking(desk.check(a_form())).ok
    other = a_form(organisation=evolve(a_form().organisation, name="", tax_code="0312345674"))
    report = run_blocking(desk.check(other))
    assert {"organisation.name", "certificate.tax_codes"} <= {finding.field for finding in report.errors}
    assert channel.calls == []


def test_a_check_without_a_signer_looks_at_the_form_alone(world):
    assert run_blocking(Desk(evolve(world, signer=None)).check(a_form())).ok


def test_a_check_for_paper_needs_no_certificate(desk):
    assert run_blocking(desk.check(a_form(use_certificate=False))).ok


def test_a_check_with_no_certificate_at_all_still_reports_the_form(world):
    class Empty:
        capabilities = world.signer.capabilities

        async def certificates(self):
            return ()

    assert run_blocking(Desk(evolve(world, signer=Empty())).check(a_form())).ok


def test_a_registration_without_a_fitting_certificate_says_so(world):
    class Empty:
        capabilities = world.signer.capabilities

        async def certificates(self):
            return ()

    with pytest.raises(KeyNotFoundError):
        run_blocking(Desk(evolve(world, signer=Empty())).register(a_form(), confirmed=True))


def test_the_status_shows_where_the_registration_stands(desk):
    status = submitted(desk)
    assert (status.state, status.submissions, status.sending_key) == (State.SUBMITTED, 1, "S-1")
    assert status.current_step.step.number == 25
    assert run_blocking(desk.status("k")) == status
    assert run_blocking(desk.statuses()) == (status,)
    shown = status.as_dict("vi")
    assert shown["state"] == "submitted"
    assert [step["number"] for step in shown["steps"]] == list(range(1, 30))
    assert "kích hoạt" in shown["next"]


def test_a_code_comes_by_itself_as_a_secret_or_in_a_mail(desk, channel):
    for number, given in enumerate(({"code": " K7M4\n"}, {"code": Secret("K7M4")}, {"mail": MAIL})):
        key = run_blocking(desk.register(a_form(), confirmed=True, key=f"k{number}")).key
        assert run_blocking(desk.activate(key, **given)).activated
    codes = [arguments[2].reveal() for name, arguments in channel.calls if name == "activate"]
    assert codes[:2] == ["K7M4", "K7M4"]
    assert codes[2].replace("-", "").startswith("K7M4")


@pytest.mark.parametrize("code", ["", Secret("")])
def test_no_code_is_asked_for(desk, channel, code):
    submitted(desk)
    with pytest.raises(InputError) as caught:
        run_blocking(desk.activate("k", code))
    assert caught.value.code == "workflow.no_code"
    assert channel.count("activate") == 0


@pytest.mark.parametrize("code", ["A B", "x" * 65, "K7\x00M4", "K7\u202eM4"])
def test_what_cannot_be_a_code_is_not_sent(desk, channel, code):
    submitted(desk)
    with pytest.raises(InputError) as caught:
        run_blocking(desk.activate("k", code))
    assert caught.value.code == "workflow.code_form"
    assert channel.count("activate") == 0


def test_a_code_and_a_mail_together_are_refused(desk, channel):
    submitted(desk)
    with pytest.raises(InputError) as caught:
        run_blocking(desk.activate("k", "K7M4", mail=MAIL))
    assert caught.value.code == "workflow.code_twice"
    assert channel.count("activate") == 0


@pytest.mark.parametrize("wrong", [None, 5, b"K7M4"])
def test_a_secret_of_a_wrong_type_is_named(desk, wrong):
    submitted(desk)
    for call in (desk.activate, desk.log_in):
        with pytest.raises(WrongTypeError) as caught:
            run_blocking(call("k", wrong))
        assert caught.value.field in {"code", "password"}


@pytest.mark.parametrize("wrong", [None, "form.toml", {}])
def test_what_is_no_form_is_named(desk, wrong):
    for call in (desk.check, desk.register):
        with pytest.raises(WrongTypeError) as caught:
            run_blocking(call(wrong))
        assert caught.value.field == "form"


def test_the_whole_way_to_a_changed_password(desk, channel):
    submitted(desk)
    run_blocking(desk.activate("k", "K7M4"))
    with pytest.raises(InputError) as caught:
        run_blocking(desk.log_in("k"))
    assert caught.value.code == "workflow.no_password"
    session = run_blocking(desk.log_in("k", "first"))
    status = run_blocking(desk.change_password("k", session, "first", "second"))
    assert status.state is State.ACTIVE
    assert status.current_step is None
    assert {step.state for step in status.steps} == {StepState.DONE}


def test_credentials_come_in_a_mail_too(desk, channel):
    submitted(desk)
    run_blocking(desk.activate("k", "K7M4"))
    mail = f"Tên đăng nhập: {TAX_CODE}\nMật khẩu: Xy7-pass\n"
    run_blocking(desk.log_in("k", mail=mail))
    ((credentials, _),) = [arguments for name, arguments in channel.calls if name == "log_in"]
    assert (credentials.user_name, credentials.password.reveal()) == (TAX_CODE, "Xy7-pass")


def test_following_and_waiting(desk, channel):
    submitted(desk)
    assert not run_blocking(desk.refresh("k")).accepted
    channel.tell("progress", Progress(outcome=Outcome.ACCEPTED))
    assert run_blocking(desk.wait_for_decision("k", seconds=10)).accepted


def test_resuming_settles_a_lost_activation_too(desk, channel):
    submitted(desk)
    channel.tell("activate", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run_blocking(desk.activate("k", "K7M4"))
    channel.tell("progress", Progress(outcome=Outcome.PROCESSING, activated=True))
    assert run_blocking(desk.resume("k")).state is State.ACTIVATED


def test_paper_by_hand(desk):
    status = run_blocking(desk.register(a_form(use_certificate=False), confirmed=True, key="k"))
    assert status.state is State.PRINTED
    assert run_blocking(desk.document("k")).startswith(b"<!DOCTYPE html>")
    assert run_blocking(desk.record_handed_in("k")).state is State.SUBMITTED
    assert run_blocking(desk.record_decision("k", accepted=True)).accepted


def test_the_signed_document_is_handed_out(desk):
    submitted(desk)
    assert b"<Signature " in run_blocking(desk.document("k"))


def test_no_document_before_it_is_built(world, desk):
    failing = evolve(world, signer=_without_certificates(world.signer))
    with pytest.raises(KeyNotFoundError):
        run_blocking(Desk(failing).register(a_form(), confirmed=True, key="k"))
    with pytest.raises(InputError) as caught:
        run_blocking(desk.document("k"))
    assert caught.value.code == "workflow.no_document"


def _without_certificates(signer):
    class Empty:
        capabilities = signer.capabilities

        async def certificates(self):
            return ()

    return Empty()


def test_a_move_gives_both_statuses(desk, channel):
    other = ToldChannel(capabilities=IVAN)
    stop, registration = run_blocking(
        desk.switch(a_form(), to=Ivan("00040"), channel=other, stop=a_stop(), confirmed=True, key="m")
    )
    assert (stop.state, registration) == (State.SUBMITTED, None)
    channel.tell("progress", Progress(outcome=Outcome.ACCEPTED))
    stop, registration = run_blocking(
        desk.switch(a_form(), to=Ivan("00040"), channel=other, stop=a_stop(), confirmed=True, key="m")
    )
    assert (stop.state, registration.state) == (State.COMPLETED, State.SUBMITTED)


def test_registrations_of_the_same_form_are_found(desk):
    assert run_blocking(desk.find(a_form())) == ()
    status = submitted(desk)
    assert run_blocking(desk.find(a_form())) == (status,)


def test_newer_lists_are_laid_over_and_shown_but_replace_nothing(desk, world):
    catalogue, differences = run_blocking(desk.refresh_catalogue())
    by_name = {difference.list_name: difference for difference in differences}
    assert set(by_name) == {"ivans", "provinces", "agencies", "wards"}
    assert by_name["ivans"].renamed[0].new_name == "Tên mới"
    assert by_name["agencies"].renamed[0].new_name == "BHXH cơ sở Mới"
    assert catalogue.ivan("00040").name == "Tên mới"
    assert world.catalogue.ivan("00040").name != "Tên mới"
    assert any(str(source.as_of) == str(NOW.date()) for source in catalogue.sources())


def test_a_channel_without_lists_changes_nothing(world, channel):
    channel.capabilities = ChannelCapabilities(name="portal", operations=frozenset({Operation.REGISTER}))
    catalogue, differences = run_blocking(refreshed_catalogue(world))
    assert differences == ()
    assert catalogue.sources() == world.catalogue.sources()


def test_agencies_and_wards_are_asked_for_the_provinces_known_when_the_channel_lists_none(world, channel):
    channel.capabilities = ChannelCapabilities(
        name="portal", operations=frozenset({Operation.AGENCIES, Operation.WARDS})
    )
    run_blocking(refreshed_catalogue(world))
    assert channel.count("agencies") == channel.count("wards") == 34


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("state", list(State))
def test_every_state_says_what_to_do_next(desk, language, state):
    status = evolve(submitted(desk), state=state)
    assert not status.next_action(language).startswith("next.")
