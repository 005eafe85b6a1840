from __future__ import annotations

import pytest
from attrs import evolve
from workflow_world import IVAN, SERVICE, Person, a_form, a_licence, a_stop

from bhxh_sdk import xml
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import (
    AlreadyRegisteredError,
    InputError,
    KeyPasswordError,
    NotSentError,
    RefusedError,
    SetupError,
    SigningDeclinedError,
    SigningExpiredError,
    StillWaitingError,
    UnexpectedReplyError,
    UnknownOutcomeError,
    UnsupportedOperationError,
    WrongStateError,
)
from bhxh_sdk.models import Action, Ivan, Outcome, Portal, Progress, ProgressStep, Receipt
from bhxh_sdk.signers import SigningState
from bhxh_sdk.transport import ChannelCapabilities, Operation
from bhxh_sdk.workflow import Dossier, EventKind, State, register, resume


def registered(world, form=None, **options):
    return run_blocking(register(world, form or a_form(), confirmed=True, **options))


def resumed(world, key, **options):
    return run_blocking(resume(world, key, **options))


def state_of(world, key="k"):
    return run_blocking(Dossier.opened(world, key)).state.state


def test_a_form_becomes_a_submitted_signed_document(world, channel):
    dossier = registered(world)
    assert dossier.state.state is State.SUBMITTED
    assert dossier.state.fact("sending_key") == "S-1"
    ((filing,),) = [arguments for name, arguments in channel.calls if name == "submit"]
    verified = xml.verify(filing.document.content, at=filing.document.at)
    assert xml.read(verified.content, filing.document.profile) == xml.carried(
        dossier.form, filing.document.profile
    )
    assert filing.certificate == verified.certificate
    assert filing.key == dossier.key


def test_a_form_with_mistakes_leaves_no_trace(world, channel):
    with pytest.raises(InputError) as caught:
        registered(world, a_form(organisation=evolve(a_form().organisation, name="", tax_code="12")))
    assert {"organisation.name", "organisation.tax_code"} <= {
        finding.field for finding in caught.value.report
    }
    assert run_blocking(world.journal.keys()) == ()
    assert channel.calls == []


@pytest.mark.parametrize(
    ("form", "operation"),
    [
        (a_form(), Operation.REGISTER),
        (a_form(action="adjust", changes="Đổi thư điện tử"), Operation.ADJUST),
        (a_form(action="stop", stop=a_stop()), Operation.STOP),
        (
            a_form(organisation=evolve(a_form().organisation, unit_code=None), attachments=(a_licence(),)),
            Operation.FIRST_REGISTER,
        ),
    ],
)
def test_what_the_profile_does_not_have_is_refused_before_anything_happens(world, channel, form, operation):
    channel.capabilities = ChannelCapabilities(name="portal", operations=frozenset(Operation) - {operation})
    with pytest.raises(UnsupportedOperationError) as caught:
        registered(world, form)
    assert caught.value.parameters["operation"] == operation.value
    assert run_blocking(world.journal.keys()) == ()


def test_without_a_signer_nothing_begins(world):
    with pytest.raises(SetupError) as caught:
        registered(evolve(world, signer=None))
    assert caught.value.code == "workflow.no_signer"


def test_a_signer_that_has_gone_is_missed_on_resuming(world, channel):
    registered_but_unsigned = evolve(world, signer=FailingSigner(world.signer, KeyPasswordError()))
    with pytest.raises(KeyPasswordError):
        registered(registered_but_unsigned, key="k")
    with pytest.raises(SetupError):
        resumed(evolve(world, signer=None), "k")
    assert resumed(world, "k").state.state is State.SUBMITTED
    assert channel.count("submit") == 1


class FailingSigner:
    """A signer whose start goes wrong."""

    def __init__(self, signer, error):
        self.signer = signer
        self.error = error
        self.capabilities = signer.capabilities

    async def certificates(self):
        return await self.signer.certificates()

    async def start(self, jobs, certificate, ask, clock):
        raise self.error

    def close(self):
        pass


def test_nobody_confirms_for_a_person(world, channel):
    careful = evolve(world, ask=Person(agrees=False))
    with pytest.raises(InputError) as caught:
        run_blocking(register(careful, a_form(), key="k"))
    assert caught.value.code == "workflow.not_confirmed"
    assert state_of(world) is State.CHECKED
    assert channel.calls == []
    assert resumed(world, "k", confirmed=True).state.state is State.SUBMITTED


def test_a_person_may_confirm_when_asked(world):
    dossier = run_blocking(register(world, a_form()))
    assert dossier.state.state is State.SUBMITTED
    assert [question.purpose for question in world.ask.asked] == ["confirm_registration"]


def test_the_same_key_and_form_go_on_where_they_stand(world, channel):
    registered(world, key="k")
    again = registered(world, key="k")
    assert again.state.state is State.SUBMITTED
    assert channel.count("submit") == 1


def test_the_same_key_for_another_form_is_refused(world, channel):
    registered(world, key="k")
    with pytest.raises(InputError) as caught:
        registered(world, a_form(contact=evolve(a_form().contact, email="other@example.com")), key="k")
    assert caught.value.code == "workflow.other_content"
    assert channel.count("submit") == 1


@pytest.mark.parametrize("key", [5, b"k", "../x", "a/b", "a b", "é", ".hidden", "k" * 101, "a\n"])
def test_a_key_is_a_plain_word(world, key):
    with pytest.raises(InputError) as caught:
        registered(world, key=key)
    assert caught.value.code == "workflow.bad_key"
    assert run_blocking(world.journal.keys()) == ()


@pytest.mark.parametrize("error", [InputError("input.no_document"), SetupError()])
def test_what_our_own_side_refuses_was_not_sent_if_the_channel_says_so(world, channel, error):
    error.nothing_left = True
    channel.tell("submit", error)
    with pytest.raises(type(error)):
        registered(world, key="k")
    assert state_of(world) is State.READY


@pytest.mark.parametrize("error", [InputError("input.request"), SetupError(), SigningDeclinedError()])
def test_an_error_that_does_not_say_so_is_a_doubt(world, channel, error):
    channel.tell("submit", error)
    with pytest.raises(UnknownOutcomeError):
        registered(world, key="k")
    assert state_of(world) is State.IN_DOUBT


@pytest.mark.parametrize(("place", "name"), [(Ivan("00040"), "portal"), (Portal(), "ivan")])
def test_a_form_for_another_place_is_refused_here(world, channel, place, name):
    channel.capabilities = evolve(channel.capabilities, name=name)
    with pytest.raises(InputError) as caught:
        registered(world, a_form(transact_at=place))
    assert (caught.value.code, caught.value.field) == ("workflow.other_place", "transact_at")
    assert run_blocking(world.journal.keys()) == ()


def test_a_channel_of_another_name_decides_itself(world, channel):
    channel.capabilities = evolve(channel.capabilities, name="own")
    assert registered(world, a_form(transact_at=Ivan("00040"))).state.state is State.SUBMITTED


def test_the_same_form_is_not_filed_twice_by_accident(world, channel):
    first = registered(world)
    with pytest.raises(InputError) as caught:
        registered(world)
    assert (caught.value.code, caught.value.reference) == ("workflow.already_begun", first.key)
    assert channel.count("submit") == 1
    assert registered(world, key="meant").state.state is State.SUBMITTED
    assert channel.count("submit") == 2


def test_after_a_refusal_the_same_form_may_be_filed_again(world, channel):
    channel.tell("submit", RefusedError())
    with pytest.raises(RefusedError):
        registered(world)
    assert registered(world).state.state is State.SUBMITTED


class SlowChannel:
    """A channel beside which another process looks after the same registration while this one waits."""

    def __init__(self, channel, meanwhile):
        self.channel = channel
        self.meanwhile = meanwhile
        self.capabilities = channel.capabilities
        self.demand = channel.demand

    async def submit(self, filing):
        await self.meanwhile()
        return await self.channel.submit(filing)


@pytest.mark.parametrize("found", [True, False])
def test_another_process_may_find_the_filing_while_this_one_waits(world, channel, found):
    async def other_process():
        if found:
            channel.tell("find", Progress(outcome=Outcome.PROCESSING, sending_key="S-1"))
        try:
            await resume(world, "k")
        except UnknownOutcomeError:
            assert not found

    slow = evolve(world, channel=SlowChannel(channel, other_process))
    assert registered(slow, key="k").state.state is State.SUBMITTED
    assert channel.count("submit") == 1
    assert state_of(world) is State.SUBMITTED


def test_an_unknown_key_is_refused(world):
    with pytest.raises(WrongStateError) as caught:
        resumed(world, "nobody")
    assert caught.value.code == "workflow.unknown_key"


def test_what_certainly_was_not_sent_is_sent_on_resuming(world, channel):
    channel.tell("submit", NotSentError())
    with pytest.raises(NotSentError):
        registered(world, key="k")
    assert state_of(world) is State.READY
    dossier = resumed(world, "k")
    assert dossier.state.state is State.SUBMITTED
    assert dossier.state.submissions == 1


@pytest.mark.parametrize("error", [UnknownOutcomeError(), UnexpectedReplyError()])
def test_a_lost_answer_is_asked_after_and_never_sent_again(world, channel, error):
    channel.tell("submit", error)
    with pytest.raises(UnknownOutcomeError) as caught:
        registered(world, key="k")
    assert caught.value.reference == "k"
    with pytest.raises(UnknownOutcomeError):
        resumed(world, "k")
    assert state_of(world) is State.IN_DOUBT
    channel.tell(
        "find", Progress(outcome=Outcome.PROCESSING, sending_key="S-9", dossier_number="00001/2026/07906")
    )
    dossier = resumed(world, "k")
    assert dossier.state.state is State.SUBMITTED
    assert dossier.state.fact("sending_key") == "S-9"
    assert channel.count("submit") == 1


def test_only_a_person_decides_to_send_again(world, channel):
    channel.tell("submit", UnknownOutcomeError())
    with pytest.raises(UnknownOutcomeError):
        registered(world, key="k")
    dossier = resumed(world, "k", send_again=True)
    assert dossier.state.state is State.SUBMITTED
    assert channel.count("submit") == 2
    assert dossier.state.submissions == 2
    assert EventKind.RESEND_DECIDED in dossier.state.happened


def test_one_decision_is_good_for_one_sending(world, channel):
    channel.tell("submit", UnknownOutcomeError(), UnknownOutcomeError())
    with pytest.raises(UnknownOutcomeError):
        registered(world, key="k")
    with pytest.raises(UnknownOutcomeError):
        resumed(world, "k", send_again=True)
    assert channel.count("submit") == 2
    with pytest.raises(UnknownOutcomeError):
        resumed(world, "k")
    assert channel.count("submit") == 2


def test_a_found_filing_is_not_sent_again_whatever_the_person_says(world, channel):
    channel.tell("submit", UnknownOutcomeError())
    with pytest.raises(UnknownOutcomeError):
        registered(world, key="k")
    channel.tell("find", Progress(outcome=Outcome.ACCEPTED, sending_key="S-9"))
    assert resumed(world, "k", send_again=True).state.state is State.SUBMITTED
    assert channel.count("submit") == 1


def test_a_refusal_found_later_is_a_refusal(world, channel):
    channel.tell("submit", UnknownOutcomeError())
    with pytest.raises(UnknownOutcomeError):
        registered(world, key="k")
    failed = ProgressStep(number=1, code="3020", text="Mã đơn vị đã đăng ký", failed=True)
    channel.tell("find", Progress(outcome=Outcome.REFUSED, steps=(failed,)))
    with pytest.raises(RefusedError) as caught:
        resumed(world, "k")
    assert (caught.value.agency_code, caught.value.agency_text) == ("3020", "Mã đơn vị đã đăng ký")
    assert state_of(world) is State.REFUSED


def test_a_process_that_dies_while_sending_leaves_a_doubt(world, channel):
    channel.tell("submit", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        registered(world, key="k")
    assert state_of(world) is State.SENDING
    channel.tell("find", Progress(outcome=Outcome.PROCESSING, sending_key="S-9"))
    assert resumed(world, "k").state.state is State.SUBMITTED
    assert channel.count("submit") == 1


def test_a_refusal_is_kept_as_received(world, channel):
    channel.tell("submit", AlreadyRegisteredError(agency_code="3020", agency_text="Đã đăng ký"))
    with pytest.raises(AlreadyRegisteredError):
        registered(world, key="k")
    dossier = run_blocking(Dossier.opened(world, "k"))
    assert dossier.state.state is State.REFUSED
    assert dossier.state.fact("agency_text") == "Đã đăng ký"
    assert resumed(world, "k").state.state is State.REFUSED
    assert channel.count("submit") == 1


def test_a_service_that_signs_is_given_the_facts_alone(world, channel):
    channel.capabilities = SERVICE
    dossier = registered(evolve(world, signer=None), a_form(transact_at=Ivan("00040")))
    assert dossier.state.state is State.SUBMITTED
    ((filing,),) = [arguments for name, arguments in channel.calls if name == "submit"]
    assert filing.document is None
    assert filing.certificate is None
    assert EventKind.LEFT_TO_SERVICE in dossier.state.happened


def test_without_a_certificate_the_declaration_is_printed_and_waits(world, channel):
    dossier = registered(evolve(world, signer=None), a_form(use_certificate=False), key="k")
    assert dossier.state.state is State.PRINTED
    page = run_blocking(dossier.kept("document")).decode()
    assert "CÔNG TY TNHH VÍ DỤ" in page
    assert channel.calls == []
    assert resumed(world, "k").state.state is State.PRINTED


@pytest.mark.parametrize(
    ("action", "extra"),
    [(Action.ADJUST, {"changes": "Đổi thư điện tử"}), (Action.STOP, {"stop": a_stop()})],
)
@pytest.mark.parametrize("place", [Portal(), Ivan("00040")])
def test_every_procedure_is_signed_and_sent(world, channel, action, extra, place):
    channel.capabilities = IVAN if isinstance(place, Ivan) else channel.capabilities
    dossier = registered(world, a_form(action=action, transact_at=place, **extra))
    ((filing,),) = [arguments for name, arguments in channel.calls if name == "submit"]
    assert dossier.state.state is State.SUBMITTED
    assert xml.verify(filing.document.content, at=filing.document.at)


def test_a_receipt_without_a_time_is_taken(world, channel):
    channel.tell("submit", Receipt(sending_key="S-2", dossier_number="00001/2026/07906"))
    dossier = registered(world)
    assert dossier.state.fact("received_at") == ""
    assert dossier.state.fact("dossier_number") == "00001/2026/07906"


def test_a_certificate_of_somebody_else_stops_the_flow_before_signing(world, channel):
    form = a_form(organisation=evolve(a_form().organisation, tax_code="0312345674"))
    with pytest.raises(Exception, match=r"\[signing|\[certificate|\[input") as caught:
        registered(world, form, key="k")
    assert type(caught.value).__module__ == "bhxh_sdk.errors"
    assert state_of(world) is State.STARTED
    assert channel.calls == []


class ListingSigner(FailingSigner):
    """A signer whose certificate says something else than it does."""

    def __init__(self, signer, **facts):
        super().__init__(signer, None)
        self.facts = facts

    async def certificates(self):
        (only,) = await self.signer.certificates()
        return (evolve(only, certificate=evolve(only.certificate, **self.facts)),)


def test_a_certificate_that_the_rules_refuse_stops_the_flow(world, channel):
    weak = evolve(world, signer=ListingSigner(world.signer, key_bits=1024))
    with pytest.raises(InputError) as caught:
        registered(weak, key="k")
    assert caught.value.report.errors[0].field.startswith("certificate")
    assert state_of(world) is State.STARTED
    assert channel.calls == []


class SlowSigner(FailingSigner):
    """A signer whose transaction ends otherwise than with a signature."""

    def __init__(self, signer, state):
        super().__init__(signer, None)
        self.state = state

    async def start(self, jobs, certificate, ask, clock):
        transaction = await self.signer.start(jobs, certificate, ask, clock)
        return evolve(transaction, state=self.state, signatures={})

    async def result(self, transaction, clock):
        return transaction


@pytest.mark.parametrize(
    ("state", "error"),
    [(SigningState.DECLINED, SigningDeclinedError), (SigningState.EXPIRED, SigningExpiredError)],
)
def test_a_signature_that_was_not_given_can_be_asked_for_again(world, channel, state, error):
    with pytest.raises(error):
        registered(evolve(world, signer=SlowSigner(world.signer, state)), key="k")
    assert state_of(world) is State.BUILT
    assert resumed(world, "k").state.state is State.SUBMITTED
    assert channel.count("submit") == 1


def test_a_signature_still_waited_for_is_not_asked_for_twice(world, channel):
    told = []

    async def tell(transaction):
        told.append(transaction.state)

    waiting = evolve(world, signer=SlowSigner(world.signer, SigningState.PENDING), on_pending=tell)
    with pytest.raises(StillWaitingError):
        registered(waiting, key="k")
    assert told == [SigningState.PENDING]
    assert state_of(world) is State.SIGNING
    with pytest.raises(StillWaitingError):
        resumed(waiting, "k")
    assert channel.calls == []
