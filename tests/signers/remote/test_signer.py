"""The driver of every protocol, with a protocol that does nothing but call."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from datetime import timedelta

import attrs
import pytest

from bhxh_sdk.errors import (
    InputError,
    NotSentError,
    PersonNeededError,
    SigningError,
    StillWaitingError,
    UnexpectedReplyError,
    UnknownOutcomeError,
)
from bhxh_sdk.ports import CaptchaChallenge, Question, Reply, Request
from bhxh_sdk.remote_errors import ConfirmationSecretError, ProviderError, ProviderLoginError
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import Capabilities, NotesSigning, SigningState, followed, sign
from bhxh_sdk.signers.remote import ProviderSecrets, RemoteSigner
from bhxh_sdk.signers.remote.conversation import Effect, called, needed, noted, refused
from bhxh_sdk.signers.remote.reading import json_answer, signatures_in_order, unexpected
from bhxh_sdk.signers.verdicts import Meaning, Verdict, concluded, failure_of, verdict_error

INTENDED = SigningState.INTENDED
P, D, A = SigningState.PENDING, SigningState.DONE, SigningState.AMBIGUOUS


@attrs.define
class Slip:
    """A protocol of three calls: list, start, ask."""

    chooses_id: bool = False
    starts_twice: bool = False
    asks_secret: bool = False
    token: Secret = attrs.field(factory=lambda: Secret("token-0123"))
    offered: tuple = ()
    forgotten: bool = False

    capabilities = Capabilities(name="slip", largest_batch=3, confirms_elsewhere=True, resumable=True)
    addresses = ("https://slip.example",)
    life_seconds = 300.0
    poll_seconds = 2.0

    def hidden(self):
        return (self.token,)

    def forget(self):
        self.forgotten = True

    def certificates(self, now):
        yield from self._login()
        yield from called(self._request("list"))
        return self.offered

    def start(self, order):
        yield from self._login()
        yield from noted(order.transaction)
        answer = json_answer((yield from called(self._request("start"), Effect.STARTS)))
        if self.starts_twice:
            yield from called(self._request("log"))
            answer = json_answer((yield from called(self._request("sign"), Effect.STARTS)))
        return self._read(order.transaction, answer)

    def result(self, transaction, now):
        answer = json_answer((yield from called(self._request("ask"))))
        return self._read(transaction, answer)

    def _login(self):
        if self.asks_secret:
            secret = yield from needed("password", "somebody")
            request = self._request("login", secret.reveal())
            answer = json_answer((yield from called(request, Effect.LOGS_IN)))
            if "error" in answer:
                yield from refused("password")
                raise verdict_error(Meaning(Verdict.SECRET), code="59033", text=answer["error"])

    def _read(self, transaction, answer):
        if "error" in answer:
            raise verdict_error(Meaning(Verdict.LOGIN), code="401", text=answer["error"])
        if "odd" in answer:
            raise unexpected(Reply(status=400, body=json.dumps(answer["odd"]).encode()))
        if "values" in answer:
            values = signatures_in_order(transaction, answer["values"])
            return attrs.evolve(transaction, state=D, signatures=values)
        if "declined" in answer:
            meaning = Meaning(Verdict.DECLINED, answer.get("name", "NO"))
            shown = attrs.evolve(transaction, show=answer.get("show", ""))
            return concluded(shown, meaning, code=answer.get("code", "401"), text=answer["declined"])
        return attrs.evolve(transaction, state=P, provider_id=answer.get("id", "7"))

    @staticmethod
    def _request(path, body=""):
        return Request(method="POST", url=f"https://slip.example/{path}", body=body.encode())


class Scripted:
    """A provider that answers from a script: a dict, a whole body, or a pair of status and either."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def answer(self, _request):
        answer = self.answers.pop(0)
        status, answer = answer if isinstance(answer, tuple) else (200, answer)
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return Reply(status=status, body=body)


@pytest.fixture(scope="module")
def key(pki):
    return pki.issue().signer()


@pytest.fixture
def certificate(run, key):
    return run(key.certificates())[0]


@pytest.fixture
def made(clock, direct):
    """Make a signer, and its sender."""

    def make(*answers, given=None, ask=None, account="", **protocol):
        sender = direct(Scripted(*answers))
        secrets = ProviderSecrets(given=given or {})
        signer = RemoteSigner(Slip(**protocol), sender, clock, secrets=secrets, ask=ask, account=account)
        return signer, sender

    return make


@pytest.fixture
def started(run, clock, person, certificate, job):
    """Start one job; the notes that were kept come along."""

    def start(signer, ask=None):
        notes = []

        async def keep(transaction):
            notes.append(transaction)

        return run(signer.start_noted([job()], certificate, ask or person(), clock, keep)), notes

    return start


def test_it_notes_the_intent_before_anything_starts(made, started, clock):
    signer, sender = made({})
    transaction, notes = started(signer)
    assert isinstance(signer, NotesSigning)
    assert [note.state for note in notes] == [INTENDED]
    assert notes[0].deadline == clock.now() + timedelta(seconds=300)
    assert notes[0].poll_after_seconds == 2
    assert [job.document_id for job in notes[0].jobs] == ["one"]
    assert (transaction.state, transaction.provider_id) == (P, "7")
    assert [request.url for request in sender.requests] == ["https://slip.example/start"]


def test_a_start_without_notes_works_as_well(run, made, person, clock, certificate, job):
    signer, _ = made({})
    assert run(signer.start([job(signed_info=b"x" * 50)], certificate, person(), clock)).jobs[0] == job()


def test_a_lost_answer_is_asked_after_where_the_id_is_ours(run, made, started, clock):
    signer, sender = made({}, {"declined": "no"}, chooses_id=True)
    sender.plan.append("lost")
    transaction, _ = started(signer)
    assert transaction.state is P
    assert run(signer.result(transaction, clock)).state is SigningState.DECLINED
    assert [request.url.rpartition("/")[2] for request in sender.requests] == ["start", "ask"]


def test_a_lost_answer_is_ambiguous_where_the_id_is_theirs(run, made, started, clock):
    signer, sender = made({})
    sender.plan.append("lost")
    transaction, _ = started(signer)
    assert (transaction.state, transaction.reason) == (A, "unknown_outcome.connection")
    assert run(signer.result(transaction, clock)) is transaction
    assert len(sender.requests) == 1


@pytest.mark.parametrize(("chooses_id", "state"), [(True, P), (False, A)])
def test_a_page_after_a_start_is_a_doubt(made, started, chooses_id, state):
    signer, _ = made(b"<html>", chooses_id=chooses_id)
    assert started(signer)[0].state is state


def test_what_certainly_did_not_leave_is_sent_again_twice(made, started, clock):
    signer, sender = made({})
    sender.plan.extend(["not_sent", "not_sent"])
    assert started(signer)[0].state is P
    assert clock.naps == [1, 2]
    assert len(sender.requests) == 1


def test_then_it_is_given_up(made, started):
    signer, sender = made({})
    sender.plan.extend(["not_sent"] * 3)
    with pytest.raises(NotSentError):
        started(signer)


@pytest.mark.parametrize(("chooses_id", "state"), [(True, P), (False, A)])
@pytest.mark.parametrize(
    "plan", [[None, None, *["not_sent"] * 3], [None, *["not_sent"] * 3], [None, "lost"], [None, None, "lost"]]
)
def test_what_breaks_off_after_a_phone_may_have_rung_is_a_doubt(made, started, plan, chooses_id, state):
    signer, sender = made({}, {}, {}, starts_twice=True, chooses_id=chooses_id)
    sender.plan.extend(plan)
    assert started(signer)[0].state is state
    assert [request.url.rpartition("/")[2] for request in sender.requests].count("start") == 1


def test_an_odd_answer_to_a_question_is_an_error_that_ends_nothing(run, made, started, clock):
    signer, sender = made({}, b"<html>", {})
    transaction, _ = started(signer)
    with pytest.raises(UnexpectedReplyError):
        run(signer.result(transaction, clock))
    sender.plan.append("lost")
    with pytest.raises(UnknownOutcomeError):
        run(signer.result(transaction, clock))


@pytest.mark.parametrize(("chooses_id", "state"), [(True, SigningState.DECLINED), (False, A)])
def test_an_intent_of_a_process_that_died(run, made, started, clock, chooses_id, state):
    signer, _ = made({}, {"declined": "no"}, chooses_id=chooses_id)
    _, notes = started(signer)
    found = run(signer.result(notes[0], clock))
    assert found.state is state
    assert found.reason in {"no", "interrupted"}


def test_a_clear_no_is_the_error_of_its_verdict(run, made, started):
    signer, _ = made({"error": "wrong sp"})
    with pytest.raises(ProviderLoginError) as caught:
        started(signer)
    assert (caught.value.provider_code, caught.value.provider_text) == ("401", "wrong sp")
    assert "wrong sp" in caught.value.message("vi")


def test_the_whole_way(run, made, person, clock, certificate, job, key):
    jobs = [job(name) for name in "ab"]
    values = run(key.start(jobs, certificate, person(), clock)).signatures
    texts = [base64.b64encode(values[name]).decode() for name in "ab"]
    signer, _ = made({}, {}, {"values": texts})
    shown = []

    async def show(transaction):
        shown.append(transaction.state)

    assert run(sign(signer, jobs, certificate, person(), clock, show)) == dict(values)
    assert shown == [INTENDED, P]


def test_a_secret_is_asked_once_and_used_again(run, made, person):
    someone = person("pass-word")
    signer, sender = made({}, {}, {}, {}, asks_secret=True)
    run(signer.certificates_with(someone))
    run(signer.certificates_with(someone))
    assert [question.purpose for question in someone.asked] == ["remote_password"]
    assert [request.body for request in sender.requests if request.url.endswith("login")] == [
        b"pass-word"
    ] * 2


def test_a_refused_secret_is_never_sent_again(run, made):
    signer, sender = made(
        {"error": "bad pass-word"}, asks_secret=True, given={"password": Secret("pass-word")}
    )
    with pytest.raises(ConfirmationSecretError) as caught:
        run(signer.certificates())
    assert caught.value.parameters["provider_text"] == "bad ***"
    with pytest.raises(ConfirmationSecretError) as caught:
        run(signer.certificates())
    assert caught.value.code == "remote.secret_refused_before"
    assert len(sender.requests) == 1


def test_a_person_may_enter_another_one(run, made, person):
    signer, sender = made({"error": "bad"}, {}, {}, asks_secret=True)
    someone = person("wrong", "wrong", "right")
    with pytest.raises(ConfirmationSecretError):
        run(signer.certificates_with(someone))
    with pytest.raises(ConfirmationSecretError) as caught:
        run(signer.certificates_with(someone))
    assert caught.value.code == "remote.secret_refused_before"
    assert len(sender.requests) == 1


def test_a_provider_that_repeats_secrets_is_masked(run, made, started, clock):
    signer, _ = made({"declined": "token-0123 of pass-word"}, {})
    assert started(signer)[0].reason == "*** of pass-word"
    signer, _ = made({}, {"error": "you sent token-0123"})
    transaction, _ = started(signer)
    with pytest.raises(ProviderError) as caught:
        run(signer.result(transaction, clock))
    assert "token-0123" not in str(caught.value) + repr(caught.value.parameters)


@pytest.mark.parametrize("page", [b"<html>", b""])
def test_a_page_that_says_401_ends_a_wait_before_the_secret_is_sent_again(run, made, page):
    signer, sender = made((401, page), asks_secret=True, given={"password": Secret("pass-word")})
    with pytest.raises(ProviderLoginError) as caught:
        run(signer.certificates())
    assert caught.value.provider_code == "401"
    with pytest.raises(ConfirmationSecretError):
        run(signer.certificates())
    assert len(sender.requests) == 1


def test_a_page_that_says_403_refuses_no_secret(run, made):
    page = (403, b"<html>")
    signer, sender = made(page, {}, {}, asks_secret=True, given={"password": Secret("pass-word")})
    with pytest.raises(ProviderLoginError):
        run(signer.certificates())
    assert run(signer.certificates()) == ()
    assert len(sender.requests) == 3


def test_a_log_in_that_nobody_can_read_is_not_tried_again_while_a_person_thinks(run, made):
    signer, _ = made((502, b"<html>"), asks_secret=True, given={"password": Secret("pass-word")})
    with pytest.raises(ProviderError) as caught:
        run(signer.certificates())
    assert caught.value.code == "remote.login_unclear"
    assert caught.value.parameters["status"] == 502


def test_a_page_to_a_question_without_secrets_is_asked_again(run, made, started, clock):
    signer, _ = made({}, (401, b"<html>"))
    transaction, _ = started(signer)
    with pytest.raises(UnexpectedReplyError):
        run(signer.result(transaction, clock))


def test_what_cannot_be_read_before_anything_was_sent(run, made, started, clock):
    signer, _ = made({"values": ["*", "*"]})
    with pytest.raises(SigningError):
        started(signer)


def test_another_account_is_never_asked_after_a_transaction(run, made, started, clock):
    signer, _ = made({}, account="one")
    transaction, notes = started(signer)
    assert transaction.account == notes[0].account == "one"
    other, sender = made({"declined": "no"}, account="two")
    with pytest.raises(InputError) as caught:
        run(other.result(transaction, clock))
    assert (caught.value.code, caught.value.reference) == (
        "signing.other_account",
        transaction.transaction_id,
    )
    assert sender.requests == []
    of_before = attrs.evolve(transaction, account="")
    assert run(other.result(of_before, clock)).state is SigningState.DECLINED


def test_every_word_of_a_provider_is_masked(run, made, started, clock):
    signer, _ = made({"declined": "no", "code": "token-0123", "name": "x token-0123", "show": "token-0123"})
    found, _ = started(signer)
    assert (found.reason_code, found.reason_name, found.show) == ("***", "x ***", "***")


@pytest.mark.parametrize(("chooses_id", "state"), [(True, P), (False, A)])
def test_a_doubt_keeps_what_the_provider_said(made, started, chooses_id, state):
    signer, _ = made({"odd": {"status_code": 777, "message": "quota of token-0123"}}, chooses_id=chooses_id)
    found, _ = started(signer)
    assert (found.state, found.reason_code, found.reason) == (state, "777", "quota of ***")


@pytest.mark.parametrize(("chooses_id", "state"), [(True, P), (False, A)])
def test_an_id_that_holds_a_secret_is_no_id(made, started, chooses_id, state):
    signer, _ = made({"id": "token-0123"}, chooses_id=chooses_id)
    found, _ = started(signer)
    assert (found.state, found.provider_id) == (state, "")


def test_nobody_is_there_to_ask(run, made):
    signer, sender = made(asks_secret=True)
    with pytest.raises(PersonNeededError):
        run(signer.certificates())
    assert sender.requests == []
    nobody = signer._ask
    for question in (nobody.choose, nobody.confirm):
        with pytest.raises(PersonNeededError):
            run(question(Question(purpose="x")))
    with pytest.raises(PersonNeededError):
        run(nobody.captcha(CaptchaChallenge(image=b"", purpose="x")))


def test_a_closed_signer_does_nothing_more(run, made, started, clock, certificate):
    signer, sender = made({})
    transaction, _ = started(signer)
    signer.close()
    assert signer._protocol.forgotten
    for call in (
        signer.certificates,
        lambda: signer.result(transaction, clock),
        lambda: signer.start([], certificate, None, clock),
    ):
        with pytest.raises(SigningError) as caught:
            run(call())
        assert caught.value.code == "signing.closed"
    assert len(sender.requests) == 1


def test_it_shows_and_hands_over_nothing(made):
    signer, sender = made(given={"password": Secret("pass-word")})
    assert repr(signer) == "RemoteSigner('slip')"
    assert signer.asynchronous is False
    sender.asynchronous = True
    assert signer.asynchronous is True
    for copied in (copy.copy, pickle.dumps):
        with pytest.raises(TypeError):
            copied(signer)


def test_an_answer_that_is_late_is_waited_for(run, made, started, clock):
    signer, _ = made({}, *[{}] * 5, {"declined": "no"})
    transaction, _ = started(signer)
    assert run(followed(signer, transaction, clock)).state is SigningState.DECLINED
    assert clock.naps == [2] * 6


def test_what_the_provider_kept_saying_is_told_when_the_time_is_over(run, made, started, clock):
    odd = {"odd": {"status_code": 777, "message": "HET_LUOT_KY"}}
    signer, _ = made(odd, *[odd] * 200, chooses_id=True)
    transaction, _ = started(signer)
    with pytest.raises(StillWaitingError) as caught:
        run(followed(signer, transaction, clock))
    assert "777: HET_LUOT_KY" in caught.value.message("vi")
    signer, _ = made(odd)
    transaction, _ = started(signer)
    assert "777: HET_LUOT_KY" in failure_of(transaction).message("en")
