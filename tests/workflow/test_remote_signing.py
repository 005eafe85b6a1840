"""A person confirms elsewhere: nobody is asked twice blindly, and a decision to sign again leads on."""

from __future__ import annotations

import json
from collections import deque

import pytest
from attrs import evolve
from handset import Handset, Killed, Unnoted, lost
from workflow_world import a_form

from bhxh_sdk import xml
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import (
    BhxhError,
    DocumentError,
    InputError,
    NotSentError,
    PersonNeededError,
    SignatureMismatchError,
    SigningDeclinedError,
    SigningError,
    StillWaitingError,
    UnexpectedReplyError,
    UnknownOutcomeError,
)
from bhxh_sdk.remote_errors import (
    ConfirmationSecretError,
    ProviderError,
    ProviderLoginError,
    ProviderRequestError,
)
from bhxh_sdk.signers import SigningState, transaction_from_dict
from bhxh_sdk.workflow import Desk, Dossier, EventKind, State, register, resume

PENDING, AMBIGUOUS = SigningState.PENDING, SigningState.AMBIGUOUS
INTENT, BEGUN, ENDED = EventKind.SIGNING_INTENDED, EventKind.SIGNING_STARTED, EventKind.SIGNING_ENDED


@pytest.fixture
def handset(soft_key):
    return Handset(soft_key)


@pytest.fixture
def world(world, handset):
    return evolve(world, signer=handset)


def registered(world):
    return run_blocking(register(world, a_form(), key="k", confirmed=True)).state.state


def resumed(world, **options):
    return run_blocking(resume(world, "k", **options)).state.state


def opened(world):
    return run_blocking(Dossier.opened(world, "k"))


def transaction_of(world):
    return transaction_from_dict(json.loads(opened(world).state.fact("transaction")))


def signing_events(world):
    kinds = [event.kind for event in run_blocking(world.journal.events("k"))]
    return [EventKind(kind) for kind in kinds if kind.startswith("sign") and kind != "signer_ready"]


def reasons(world):
    events = run_blocking(world.journal.events("k"))
    return [event.data["reason"] for event in events if event.kind == ENDED.value]


def test_the_intent_stands_in_the_journal_before_the_phone_rings(world, handset):
    handset.before.append(Killed())
    with pytest.raises(Killed):
        registered(world)
    assert (handset.rings, signing_events(world)) == ([], [INTENT])
    assert opened(world).state.state is State.SIGNING
    kept = transaction_of(world)
    assert kept.state is SigningState.INTENDED
    assert [job.document_id for job in kept.jobs] == ["k"]


def test_the_whole_way_in_the_journal(world, handset, channel):
    handset.starts.append(PENDING)
    handset.asks.extend([PENDING, SigningState.CONFIRMED])
    shown = []

    async def show(transaction):
        shown.append(transaction.state)

    assert registered(evolve(world, on_pending=show)) is State.SUBMITTED
    assert signing_events(world) == [INTENT, BEGUN, BEGUN, EventKind.SIGNED]
    assert shown == [SigningState.INTENDED, PENDING, SigningState.CONFIRMED]
    assert (len(handset.rings), channel.count("submit")) == (1, 1)


def test_another_process_goes_on_where_the_first_was_killed(world, handset, channel):
    handset.starts.append(PENDING)
    handset.asks.append(Killed())
    with pytest.raises(Killed):
        registered(world)
    assert transaction_of(world).provider_id == "7"
    assert resumed(world) is State.SUBMITTED
    assert (len(handset.rings), channel.count("submit")) == (1, 1)


@pytest.mark.parametrize("when", ["start", "question"])
def test_a_doubt_stays_until_a_person_decides(world, handset, channel, when):
    handset.starts.append(AMBIGUOUS if when == "start" else PENDING)
    handset.asks.append(AMBIGUOUS)
    for attempt in (registered, resumed, resumed):
        with pytest.raises(UnknownOutcomeError) as caught:
            attempt(world)
        assert (caught.value.code, opened(world).state.state) == ("signing.ambiguous", State.SIGNING)
    assert transaction_of(world).state is AMBIGUOUS
    assert (len(handset.rings), channel.calls) == (1, [])
    assert resumed(world, sign_again=True) is State.SUBMITTED
    assert (len(handset.rings), channel.count("submit"), reasons(world)) == (2, 1, ["sign_again"])


def test_who_decides_has_the_open_one_looked_after_first(world, handset):
    handset.starts.append(PENDING)
    handset.asks.extend([Killed(), PENDING])
    with pytest.raises(Killed):
        registered(world)
    assert resumed(world, sign_again=True) is State.SUBMITTED
    assert (len(handset.rings), len(handset.asked)) == (2, 2)


def test_one_that_was_confirmed_after_all_is_not_asked_for_again(world, handset, channel):
    handset.starts.append(PENDING)
    handset.asks.append(Killed())
    with pytest.raises(Killed):
        registered(world)
    assert resumed(world, sign_again=True) is State.SUBMITTED
    assert (len(handset.rings), channel.count("submit"), reasons(world)) == (1, 1, [])


def test_one_that_turns_out_to_be_confirmed_is_waited_for(world, handset, channel):
    handset.starts.append(PENDING)
    handset.asks.extend([Killed(), SigningState.CONFIRMED, SigningState.CONFIRMED])
    with pytest.raises(Killed):
        registered(world)
    assert resumed(world, sign_again=True) is State.SUBMITTED
    assert (len(handset.rings), channel.count("submit"), reasons(world)) == (1, 1, [])


def test_one_that_stays_confirmed_is_let_go_by_who_knows_that_it_is(world, handset):
    handset.starts.append(PENDING)
    handset.asks.extend([Killed(), *[SigningState.CONFIRMED] * 50])
    with pytest.raises(Killed):
        registered(world)
    with pytest.raises(StillWaitingError):
        resumed(world, sign_again=True)
    assert (transaction_of(world).state, reasons(world)) == (SigningState.CONFIRMED, [])
    handset.asks.extendleft([SigningState.CONFIRMED, PersonNeededError()][::-1])
    with pytest.raises(PersonNeededError):
        resumed(world, sign_again=True)
    assert (len(handset.rings), reasons(world)) == (1, [])
    handset.asks = deque([SigningState.CONFIRMED] * 2)  # its time is over: one question, and the last one
    assert resumed(world, sign_again=True) is State.SUBMITTED
    assert (len(handset.rings), reasons(world)) == (2, ["sign_again"])


class TwoSteps(Handset):
    """A signer that is asked after, finds the person's consent, and has the signature made with it."""

    async def result_noted(self, transaction, clock, note):
        if transaction.state in {PENDING, SigningState.CONFIRMED}:
            await note(evolve(transaction, stage="making"))
        return await super().result_noted(transaction, clock, note)


@pytest.mark.parametrize("found", [AMBIGUOUS, PENDING])
def test_a_step_that_the_question_took_is_followed(world, handset, soft_key, found):
    handset.starts.append(PENDING)
    handset.asks.append(Killed())
    with pytest.raises(Killed):
        registered(world)
    signer = TwoSteps(soft_key, asks=[found] * 50)
    with pytest.raises(UnknownOutcomeError if found is AMBIGUOUS else StillWaitingError):
        resumed(evolve(world, signer=signer), sign_again=True)
    assert (transaction_of(world).state, transaction_of(world).provider_id) == (found, "7")
    assert (signer.rings, reasons(world)) == ([], [])


def test_one_that_was_declined_meanwhile_says_so(world, handset):
    handset.starts.append(PENDING)
    handset.asks.extend([Killed(), SigningState.DECLINED])
    with pytest.raises(Killed):
        registered(world)
    with pytest.raises(SigningDeclinedError):
        resumed(world, sign_again=True)
    assert (opened(world).state.state, reasons(world)) == (State.BUILT, ["signing.declined"])


def test_a_decision_does_not_touch_a_signature_that_begins_with_it(world, handset):
    handset.starts.extend([SigningState.DECLINED, PENDING])
    handset.asks.extend([PENDING, PENDING])
    with pytest.raises(SigningDeclinedError):
        registered(world)
    assert resumed(world, sign_again=True) is State.SUBMITTED
    assert len(handset.rings) == 2  # the declined one, and one more


def test_a_decision_is_good_for_one_signature(world, handset):
    handset.starts.extend([AMBIGUOUS, AMBIGUOUS])
    for attempt in (registered, lambda world: resumed(world, sign_again=True), resumed):
        with pytest.raises(UnknownOutcomeError):
            attempt(world)
    assert len(handset.rings) == 2


UNHELPFUL = [
    ProviderRequestError("remote.request", reason="unknown transaction"),
    SignatureMismatchError("remote.count", expected=1, got=0),
    UnexpectedReplyError("remote.unexpected_reply", status=500, content_type=""),
]


@pytest.mark.parametrize("error", UNHELPFUL, ids=lambda error: error.code)
def test_a_question_that_is_refused_leaves_the_signature_open(world, handset, channel, error):
    handset.starts.append(PENDING)
    handset.asks.extend([Killed(), *[error] * 50])
    with pytest.raises(Killed):
        registered(world)
    expected = StillWaitingError if isinstance(error, UnexpectedReplyError) else type(error)
    with pytest.raises(expected):
        resumed(world)
    assert (opened(world).state.state, channel.calls) == (State.SIGNING, [])
    assert resumed(world, sign_again=True) is State.SUBMITTED
    assert len(handset.rings) == 2
    events = run_blocking(world.journal.events("k"))
    ended = [event.data for event in events if event.kind == ENDED.value]
    assert ended == [{"reason": "sign_again", "answer": error.code}]


UNPUT = [
    NotSentError("not_sent.connection", host="signing.example"),
    lost(),
    ProviderLoginError("remote.login", reason="wrong secret"),
    ConfirmationSecretError("remote.secret", reason="wrong PIN"),
    PersonNeededError("person_needed.nobody_to_ask", field="x"),
]


@pytest.mark.parametrize("error", UNPUT, ids=lambda error: error.code)
def test_a_question_that_could_not_be_put_lets_no_signature_go(world, handset, error):
    handset.starts.append(PENDING)
    handset.asks.extend([Killed(), error])
    with pytest.raises(Killed):
        registered(world)
    with pytest.raises(type(error)):
        resumed(world, sign_again=True)
    assert (opened(world).state.state, reasons(world)) == (State.SIGNING, [])
    assert resumed(world, sign_again=True) is State.SUBMITTED
    assert len(handset.rings) == 1


@pytest.mark.parametrize("error", [NotSentError(), ProviderError(reason="E7"), SigningDeclinedError()])
def test_a_start_that_certainly_failed_leads_back(world, handset, channel, error):
    handset.starts.append(error)
    with pytest.raises(type(error)):
        registered(world)
    assert signing_events(world) == [INTENT, ENDED]
    assert (opened(world).state.state, reasons(world)) == (State.BUILT, [error.code])
    assert resumed(world) is State.SUBMITTED
    assert channel.count("submit") == 1


def test_what_fails_before_the_intent_leaves_no_trace_of_a_signature(world, handset, monkeypatch):
    async def refuse(*_):
        raise ProviderLoginError("remote.login", reason="wrong secret")

    monkeypatch.setattr(Handset, "start_noted", refuse)
    with pytest.raises(ProviderLoginError):
        registered(world)
    assert (opened(world).state.state, signing_events(world)) == (State.BUILT, [])


@pytest.mark.parametrize("error", [RuntimeError(), lost(), SigningError()])
def test_what_could_not_be_shown_has_not_begun(world, handset, error):
    async def show(transaction):
        raise error

    with pytest.raises(type(error)):
        registered(evolve(world, on_pending=show))
    assert (opened(world).state.state, reasons(world), handset.rings) == (State.BUILT, ["not_shown"], [])
    assert resumed(world) is State.SUBMITTED
    assert len(handset.rings) == 1


def test_what_has_begun_stays_open_where_it_cannot_be_shown_any_more(world, handset):
    handset.starts.append(PENDING)

    async def show(transaction):
        if transaction.state is PENDING:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        registered(evolve(world, on_pending=show))
    assert (opened(world).state.state, reasons(world)) == (State.SIGNING, [])
    assert resumed(world) is State.SUBMITTED
    assert len(handset.rings) == 1


def test_a_lost_answer_of_a_signer_that_notes_is_its_own_matter(world, handset):
    handset.starts.append(lost())
    with pytest.raises(UnknownOutcomeError):
        registered(world)
    assert transaction_of(world).state is SigningState.INTENDED
    assert resumed(world) is State.SUBMITTED  # the signer finds it
    assert len(handset.rings) == 1


def test_a_lost_answer_of_a_signer_without_notes_is_a_doubt(world, handset):
    handset.starts.append(lost())
    world = evolve(world, signer=Unnoted(handset))
    for attempt in (registered, resumed):
        with pytest.raises(UnknownOutcomeError):
            attempt(world)
    assert (transaction_of(world).state, len(handset.rings)) == (AMBIGUOUS, 1)
    assert transaction_of(world).reason == "unknown_outcome.connection"
    assert resumed(world, sign_again=True) is State.SUBMITTED
    assert len(handset.rings) == 2


def test_a_transaction_is_never_shown_to_another_signer(world, handset, soft_key):
    handset.starts.append(PENDING)
    handset.asks.append(Killed())
    with pytest.raises(Killed):
        registered(world)
    other = Handset(soft_key, name="other")
    for options in ({}, {"sign_again": True}):
        with pytest.raises(InputError) as caught:
            resumed(evolve(world, signer=other), **options)
        assert caught.value.code == "signing.other_backend"
    assert (other.asked, opened(world).state.state) == ([], State.SIGNING)


def test_a_value_that_does_not_fit_ends_the_signature(world, handset, channel, soft_key, monkeypatch):
    real = Handset._stands

    async def spoilt(self, transaction, plan, clock):
        found = await real(self, transaction, plan, clock)
        return evolve(found, signatures={"k": bytes(256)})

    monkeypatch.setattr(Handset, "_stands", spoilt)
    with pytest.raises(SignatureMismatchError):
        registered(world)
    assert (opened(world).state.state, reasons(world)) == (State.BUILT, ["signing.mismatch"])
    monkeypatch.undo()
    assert resumed(world) is State.SUBMITTED
    assert channel.count("submit") == 1


def test_a_prepared_document_that_cannot_be_read_ends_the_signature(world, handset, monkeypatch):
    handset.starts.append(PENDING)
    handset.asks.append(Killed())
    with pytest.raises(Killed):
        registered(world)

    def damaged(content):
        raise DocumentError("document.prepared_unreadable", field="version")

    with monkeypatch.context() as patch:
        patch.setattr(xml.PreparedSignature, "from_bytes", damaged)
        with pytest.raises(DocumentError):
            resumed(world)
    assert reasons(world) == ["document.prepared_unreadable"]
    assert resumed(world) is State.SUBMITTED


class Busy(Handset):
    """A signer beside which another process works on the same registration, before its start is answered."""

    meanwhile = None

    async def _stands(self, transaction, plan, clock):
        if plan is self.starts and self.meanwhile is not None:
            meanwhile, Busy.meanwhile = self.meanwhile, None
            await meanwhile()
        return await super()._stands(transaction, plan, clock)


@pytest.fixture
def beside(world, soft_key, monkeypatch):
    """Make a world whose start takes so long that another one is at work meanwhile."""

    def make(other, **options):
        async def meanwhile():
            try:
                await resume(evolve(world, signer=other), "k", **options)
            except BhxhError as error:
                raised.append(error)

        raised = []
        monkeypatch.setattr(Busy, "meanwhile", staticmethod(meanwhile))
        return evolve(world, signer=Busy(soft_key)), raised

    return make


def test_a_late_answer_to_a_start_ends_the_doubt_of_another_process(beside, handset, channel):
    handset.asks.append(AMBIGUOUS)
    world, raised = beside(handset)
    assert registered(world) is State.SUBMITTED
    assert [error.code for error in raised] == ["signing.ambiguous"]
    assert channel.count("submit") == 1


def test_a_late_no_ends_the_doubt_of_another_process(beside, handset):
    handset.asks.append(AMBIGUOUS)
    world, _ = beside(handset)
    world.signer.starts.append(SigningDeclinedError())
    with pytest.raises(SigningDeclinedError):
        registered(world)
    assert (opened(world).state.state, reasons(world)) == (State.BUILT, ["signing.declined"])


@pytest.mark.parametrize("late", [None, SigningDeclinedError()])
def test_a_late_answer_does_not_touch_what_another_process_has_signed_since(beside, handset, channel, late):
    world, raised = beside(handset)
    world.signer.starts.append(late)
    if late is None:
        assert registered(world) is State.SUBMITTED
    else:
        with pytest.raises(SigningDeclinedError):
            registered(world)
    assert (opened(world).state.state, raised) == (State.SUBMITTED, [])
    assert (channel.count("submit"), reasons(world)) == (1, [])


class Asking(Handset):
    """A signer beside which something else happens while it asks, before the answer comes."""

    meanwhile = None

    async def result_noted(self, transaction, clock, note):
        if self.meanwhile is not None:
            meanwhile, Asking.meanwhile = self.meanwhile, None
            await meanwhile()
        return await super().result_noted(transaction, clock, note)


def test_two_decisions_at_once_are_one(world, handset, channel, soft_key, monkeypatch):
    handset.starts.append(PENDING)
    handset.asks.append(Killed())
    with pytest.raises(Killed):
        registered(world)

    async def first():
        handset.starts.append(PENDING)
        handset.asks.extend([PENDING, Killed()])
        with pytest.raises(Killed):
            await resume(world, "k", sign_again=True)

    monkeypatch.setattr(Asking, "meanwhile", staticmethod(first))
    second = Asking(soft_key, asks=[PENDING, PENDING])
    assert resumed(evolve(world, signer=second), sign_again=True) is State.SUBMITTED
    assert (len(handset.rings), second.rings, reasons(world)) == (2, [], ["sign_again"])
    asked = [transaction.transaction_id for transaction in second.asked]
    assert len(asked) == 3
    assert asked[1] == asked[2] == transaction_of(world).transaction_id != asked[0]
    assert channel.count("submit") == 1


def test_what_another_process_found_meanwhile_is_looked_at_before_one_is_let_go(
    world, handset, channel, soft_key, monkeypatch
):
    handset.starts.append(PENDING)
    handset.asks.append(Killed())
    with pytest.raises(Killed):
        registered(world)

    async def other():
        handset.asks.extend([SigningState.CONFIRMED, Killed()])
        with pytest.raises(Killed):
            await resume(world, "k")

    monkeypatch.setattr(Asking, "meanwhile", staticmethod(other))
    decided = Asking(soft_key, asks=[PENDING])
    assert resumed(evolve(world, signer=decided), sign_again=True) is State.SUBMITTED
    assert (decided.rings, reasons(world), channel.count("submit")) == ([], [], 1)
    assert [found.state for found in decided.asked] == [PENDING, SigningState.CONFIRMED]


def test_the_status_says_when_a_person_has_to_decide(world, handset):
    handset.starts.append(PENDING)
    handset.asks.extend([Killed(), AMBIGUOUS])
    with pytest.raises(Killed):
        registered(world)
    waiting = run_blocking(Desk(world).status("k"))
    assert (waiting.state, waiting.signing_in_doubt) == (State.SIGNING, False)
    with pytest.raises(UnknownOutcomeError):
        resumed(world)
    doubtful = run_blocking(Desk(world).status("k"))
    assert (doubtful.state, doubtful.signing_in_doubt) == (State.SIGNING, True)
    assert (waiting.as_dict()["signing_in_doubt"], doubtful.as_dict()["signing_in_doubt"]) == (False, True)
    for language in ("vi", "en"):
        assert doubtful.next_action(language) not in {waiting.next_action(language), "next.signing_in_doubt"}
    assert resumed(world, sign_again=True) is State.SUBMITTED
    assert not run_blocking(Desk(world).status("k")).signing_in_doubt


def test_errors_of_signing_have_texts(world):
    for code in ("signing.no_certificate_came", "signing.certificate_comes_later"):
        error = SigningError(code, name="handset", reference="1")
        texts = {error.message("vi"), error.message("en"), error.hint("vi"), error.hint("en")}
        assert len(texts) == 4
        assert code not in texts
