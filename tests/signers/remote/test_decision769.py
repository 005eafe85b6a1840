"""Decision 769 in every dialect, against the sandbox's provider in this process."""

from __future__ import annotations

import base64
import json
import traceback
from contextlib import closing, suppress
from datetime import timedelta

import pytest
from attrs import evolve
from ca769_world import BASE, DIALECTS, Person, World, jobs
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import (
    BhxhError,
    CertificateUnusableError,
    InputError,
    PersonNeededError,
    Retry,
    SetupError,
    SignatureMismatchError,
    SigningDeclinedError,
    SigningExpiredError,
    StillWaitingError,
    UnexpectedReplyError,
    UnknownCodeError,
    UnknownOutcomeError,
)
from bhxh_sdk.ports import Reply
from bhxh_sdk.remote_errors import (
    ConfirmationSecretError,
    ProviderFailedError,
    ProviderLoginError,
    ProviderRequestError,
)
from bhxh_sdk.sandbox.remote import Answer, Mischief, SandboxPhone
from bhxh_sdk.sandbox.remote.desk import DeskState
from bhxh_sdk.sandbox.remote.provider import json_reply, page_reply
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import (
    SigningCertificate,
    SigningState,
    open_signer,
    transaction_from_dict,
    transaction_to_dict,
)
from bhxh_sdk.signers.flow import followed
from bhxh_sdk.signers.remote import ProviderSecrets, RemoteSigner, dialect_names, protocol_of
from bhxh_sdk.signers.remote.decision769 import Decision769
from bhxh_sdk.signers.remote.decision769_answers import same_serial
from bhxh_sdk.signers.verdicts import failure_of

SLOW = timedelta(seconds=20)
MESSAGES_OF_PENDING = {"plain": "missing", "vnpt": "message", "ca2": "empty"}


@pytest.fixture(params=DIALECTS)
def every(request, direct):
    """A world in each dialect."""
    return World(direct, request.param)


@pytest.fixture
def world(direct):
    """Make a world in one dialect."""
    return lambda dialect="vnpt", **options: World(direct, dialect, **options)


def spoken(error, *, code=None):
    """Return an error after seeing that it speaks both languages and kept the provider's code."""
    for language in ("vi", "en"):
        assert error.message(language)
        assert error.hint(language)
    if code is not None:
        assert error.parameters["provider_code"] == code
    return error


def refusal_of(world, kind, *, code=None, **changes):
    with pytest.raises(kind) as caught:
        world.sign(**changes)
    return spoken(caught.value, code=code)


class Canned:
    """A provider that gives the same answer to every call but the list of certificates."""

    def __init__(self, provider, *replies):
        self.provider = provider
        self.desk = provider.desk
        self.replies = list(replies)

    def answer(self, request):
        if request.url.endswith("get_certificate"):
            return self.provider.answer(request)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def answered(body, status=200):
    return json_reply(body, status)


@pytest.fixture
def canned(world):
    """A world whose provider gives canned answers to `sign` and to the questions after it."""

    def make(*replies, dialect="vnpt"):
        made = world(dialect)
        made.sender.provider = Canned(made.provider, *replies)
        return made

    return make


# --- what every dialect does ---


def test_the_dialects_that_come_along():
    assert set(dialect_names("ca769")) == set(DIALECTS)


@pytest.mark.parametrize("count", [1, 3])
def test_a_batch_is_signed_with_one_confirmation(every, count):
    assert set(every.sign(count)) == {job.document_id for job in jobs(count)}
    assert list(every.desk.accepted) == [job.digest for job in jobs(count)]
    assert len(every.desk.transactions) == 1


def test_each_call_that_starts_is_noted_before(every):
    every.sign()
    starts = 2 if every.provider._way.confirm else 1
    intended = [note for note in every.notes if note.state is SigningState.INTENDED]
    assert len(intended) == starts
    assert {note.transaction_id for note in every.notes} == set(every.desk.transactions)


def test_a_batch_beyond_the_limit_takes_a_second_confirmation(every):
    assert len(every.sign(3, dialect_changes=limited(every, 2))) == 3
    assert [len(item.documents) for item in every.desk.transactions.values()] == [2, 1]


def limited(world, size):
    own = world.provider.profile_table(BASE).get("dialect_changes", {})
    return own | {"largest_batch": size}


def test_no_secret_leaves_but_in_a_body(every):
    signer = every.signer()
    every.sign(signer=signer)
    values = [secret.reveal() for secret in every.provider.secrets.values()]
    for request in every.sender.requests:
        assert not any(value in f"{request!r}{request.url}{request.headers}" for value in values)
    shown = "".join(f"{note!r}{json.dumps(transaction_to_dict(note))}" for note in every.notes)
    shown += f"{signer!r}{signer._protocol!r}"
    sads = list(every.provider._sads.values())
    assert not any(value in shown for value in [*values, *sads])


def test_the_transaction_is_kept_and_another_process_goes_on(world):
    there = world(phone=SandboxPhone(takes=SLOW))
    started = there.start(there.signer(), jobs(2))
    assert started.state is SigningState.PENDING
    read = transaction_from_dict(transaction_to_dict(started))
    there.clock.advance(SLOW)
    assert there.result(there.signer(), read).state is SigningState.DONE


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_lost_answer_is_asked_after_with_our_own_id_and_nothing_is_sent_twice(world, dialect):
    there = world(dialect)
    signer = there.signer()
    there.sender.plan.extend([None, "lost"])
    started = there.start(signer, jobs())
    assert started.state is SigningState.PENDING
    if dialect == "vnpt-th":  # nobody has confirmed, and the sad is lost
        assert there.result(signer, started).state is SigningState.PENDING
        there.clock.advance(timedelta(seconds=300))
        assert there.result(signer, started).state is SigningState.EXPIRED
    else:
        assert there.result(signer, started).state is SigningState.DONE
    assert len(there.desk.accepted) == 1


def test_the_written_decision_has_no_question_for_the_result(world):
    there = world("plain")
    signer = there.signer(dialect_changes={})
    assert not signer.capabilities.resumable
    started = there.start(signer, jobs())
    assert started.state is SigningState.PENDING
    with pytest.raises(InputError) as caught:
        there.result(signer, started)
    assert spoken(caught.value).field == "dialect_changes.status_path"
    there.sender.plan.extend([None, "lost"])
    assert there.start(signer, jobs()).state is SigningState.AMBIGUOUS


def test_a_synchronous_provider_answers_with_the_signatures(world):
    there = world("plain", is_synchronous=True)
    assert there.start(there.signer(dialect_changes={}), jobs(2)).state is SigningState.DONE


def test_nobody_confirms(world):
    for dialect in ("plain", "vnpt"):
        there = world(dialect, phone=SandboxPhone(Answer.IGNORES))
        refusal_of(there, SigningExpiredError, code="EXPIRED")


def test_ca2_never_tells_a_refusal_and_the_wait_ends(world):
    there = world("ca2", phone=SandboxPhone(Answer.DECLINES))
    refusal_of(there, StillWaitingError)


@pytest.mark.parametrize("answer", [Answer.IS_UNREACHABLE, Answer.HAS_LOCKED_PIN, Answer.CONFIRMS_LATE])
def test_a_phone_that_the_interface_cannot_tell_of_ends_in_an_expiry(world, answer):
    refusal_of(world(phone=SandboxPhone(answer)), SigningExpiredError, code="EXPIRED")


# --- what goes wrong with the values ---


@pytest.mark.parametrize(
    "mischief",
    [
        Mischief.WRONG_SIGNATURE,
        Mischief.WRONG_ORDER,
        Mischief.MISSING,
        Mischief.DOUBLED,
        Mischief.FOREIGN_ID,
        Mischief.NOT_BASE64,
    ],
)
def test_a_wrong_value_is_never_given_out(every, mischief):
    every.desk.misbehave(mischief)
    with pytest.raises(SignatureMismatchError) as caught:
        every.sign(2)
    spoken(caught.value)


def test_base64_with_line_ends_is_read(every):
    every.desk.misbehave(Mischief.LINE_ENDS)
    assert every.sign()


@pytest.mark.parametrize("mischief", [Mischief.ERROR_AFTER, Mischief.PAGE_AFTER])
def test_an_odd_answer_after_the_request_was_taken_is_asked_after(world, mischief):
    for dialect in ("plain", "vnpt", "ca2"):
        there = world(dialect)
        there.desk.misbehave(mischief)
        assert there.sign()
        assert len(there.desk.accepted) == 1


@pytest.mark.parametrize("mischief", [Mischief.ERROR_BEFORE, Mischief.PAGE])
def test_an_odd_answer_before_is_a_doubt_and_no_proof(world, mischief):
    there = world()
    signer = there.signer()
    certificate = there.certificates()[0]
    there.desk.misbehave(mischief)
    started = run_blocking(signer.start(jobs(), certificate, Person(), there.clock))
    assert started.state is SigningState.PENDING
    with pytest.raises(ProviderRequestError) as caught:
        there.result(signer, started)
    assert "unknown transaction" in spoken(caught.value, code="400").provider_text


@pytest.mark.parametrize("mischief", [Mischief.ERROR_BEFORE, Mischief.PAGE])
def test_an_odd_answer_to_a_question_is_asked_again(world, mischief):
    there = world(phone=SandboxPhone(takes=SLOW))
    signer = there.signer()
    started = there.start(signer, jobs())
    there.desk.misbehave(mischief)
    with pytest.raises(UnexpectedReplyError):
        there.result(signer, started)
    there.clock.advance(SLOW)
    assert there.result(signer, started).state is SigningState.DONE


def test_an_inner_error_ends_no_transaction(every):
    every.desk.misbehave(Mischief.INTERNAL)
    with pytest.raises(ProviderFailedError) as caught:
        every.certificates()
    assert spoken(caught.value, code="500").retry is Retry.NEVER
    if every.provider._way.confirm:
        return
    signer = every.signer()
    started = every.start(signer, jobs())
    every.desk.misbehave(Mischief.INTERNAL)
    with pytest.raises(ProviderFailedError):
        every.result(signer, started)
    assert every.result(signer, started).state is SigningState.DONE


def test_an_inner_error_in_place_of_the_start(canned):
    there = canned(answered({"status_code": 500, "message": "System error", "data": None}, 500))
    error = refusal_of(there, ProviderFailedError, code="500")
    assert error.provider_text == "System error"
    assert len(there.sent("/sign")) == 1


def test_signing_fails_after_the_confirmation(every):
    every.desk.misbehave(Mischief.FAILS)
    refusal_of(every, ProviderFailedError, code="-2" if every.provider._way.failed else "500")


# --- rows of codes and states ---


def test_400_a_request_that_is_not_taken(every):
    every.provider.largest_batch = 0
    error = refusal_of(every, ProviderRequestError, code="400")
    assert error.retry is Retry.NEVER
    assert "sign_files" in error.provider_text


def test_401_a_wrong_password_of_the_application_is_never_sent_again(every):
    wrong = every.provider.secrets | {"sp_password": Secret("wrong-password")}
    signer = every.signer(secrets=wrong)
    error = refusal_of(every, ProviderLoginError, code="401", signer=signer)
    assert error.retry is Retry.NEVER
    assert "wrong-password" not in repr(error)
    sent = len(every.sender.requests)
    refusal_of(every, ConfirmationSecretError, signer=signer)
    assert len(every.sender.requests) == sent


def test_401_also_for_a_wrong_user(every):
    refusal_of(every, ProviderLoginError, code="401", user_id="0123456789")


def test_401_when_a_signature_is_asked_for(every):
    certificate = every.certificates()[0]
    every.provider.user_id = "0123456789"
    signer = every.signer(user_id="9999999999")
    ended = run_blocking(signer.start(jobs(), certificate, Person(), every.clock))
    assert ended.state is SigningState.FAILED
    assert isinstance(spoken(failure_of(ended), code="401"), ProviderLoginError)


def test_401_of_a_question_leaves_the_transaction_open(world):
    there = world(phone=SandboxPhone(takes=SLOW))
    started = there.start(there.signer(), jobs())
    wrong = there.signer(secrets={"sp_password": Secret("wrong-password")})
    with pytest.raises(ProviderLoginError):
        there.result(wrong, started)
    with pytest.raises(ConfirmationSecretError):
        there.result(wrong, started)
    there.clock.advance(SLOW)
    assert there.result(there.signer(), started).state is SigningState.DONE


@pytest.mark.parametrize("status", [401, 403])
def test_pages_in_place_of_log_in_answers_end_a_wait_after_one_question(world, status):
    there = world()
    signer = there.signer()
    started = there.start(signer, jobs())
    there.sender.provider = Canned(there.provider, page_reply(status))
    with pytest.raises(ProviderLoginError):
        run_blocking(followed(signer, started, there.clock))
    assert len(there.sent("/status")) == 1
    kind = ConfirmationSecretError if status == 401 else ProviderLoginError
    with pytest.raises(kind):
        run_blocking(followed(signer, started, there.clock))
    there.sender.provider = there.provider
    assert there.result(there.signer(), started).state is SigningState.DONE


def test_403_a_certificate_that_may_not_sign(every):
    certificate = every.certificates()[0]
    every.desk.misbehave(Mischief.REVOKED)
    ended = run_blocking(every.signer().start(jobs(), certificate, Person(), every.clock))
    error = spoken(failure_of(ended), code="403")
    assert isinstance(error, CertificateUnusableError)
    assert error.retry is Retry.NEVER


@pytest.mark.parametrize(
    ("answer", "told", "kind", "code"),
    [
        (Answer.DECLINES, {}, SigningDeclinedError, "REJECTED"),
        (Answer.DECLINES, {DeskState.DECLINED: "CANCELLED"}, SigningDeclinedError, "CANCELLED"),
        (Answer.IGNORES, {}, SigningExpiredError, "EXPIRED"),
        (Answer.IGNORES, {DeskState.EXPIRED: "TIMEOUT"}, SigningExpiredError, "TIMEOUT"),
    ],
)
def test_the_words_for_an_end(world, answer, told, kind, code):
    for dialect in ("plain", "vnpt", "ca2"):
        there = world(dialect, phone=SandboxPhone(answer))
        there.provider.words = {DeskState.DECLINED: "REJECTED", DeskState.EXPIRED: "EXPIRED"} | told
        error = refusal_of(there, kind, code=code)
        assert error.retry is kind.retry


@pytest.mark.parametrize("pending", ["message", "null", "missing", "empty", "102", "1001", "1002"])
@pytest.mark.parametrize("dialect", ["plain", "ca2"])
def test_every_way_to_say_pending(world, dialect, pending):
    there = world(dialect, phone=SandboxPhone(takes=SLOW))
    there.provider.pending = pending
    assert there.sign(2)
    assert there.clock.monotonic() >= SLOW.total_seconds()


@pytest.mark.parametrize("pending", ["message", "null", "missing", "empty"])
def test_pending_by_message_or_null_list_of_older_samples(world, pending):
    there = world(phone=SandboxPhone(takes=SLOW))
    there.provider.pending = pending
    assert there.sign(2)


@pytest.mark.parametrize("name", ["signatures", "signed_files", "sign_files"])
def test_the_list_of_signatures_has_three_names(every, name):
    every.provider.results = name
    assert every.sign()


# --- traps ---


def test_minus_two_of_one_document_fails_the_transaction(canned):
    files = [
        {"doc_id": "dossier-1", "signature_value": ""},
        {"doc_id": "dossier-2", "signature_value": "-2"},
    ]
    there = canned(answered({"status_code": 200, "data": {"signatures": files}}), dialect="ca2")
    with pytest.raises(ProviderFailedError) as caught:
        there.sign(2)
    spoken(caught.value, code="-2")


def test_vnpt_wants_digests_in_lower_case_hexadecimal_and_flat_options(world):
    there = world()
    there.sign()
    assert there.sent("/sign")[0]["sign_files"] == [
        {
            "doc_id": "dossier-1",
            "data_to_be_signed": jobs()[0].digest.hex(),
            "file_type": "xml",
            "sign_type": "hash",
        }
    ]


def test_the_written_decision_nests_the_options(world):
    there = world("plain")
    there.sign()
    assert there.sent("/sign")[0]["sign_files"][0]["file_options"] == {
        "file_type": "xml",
        "sign_type": "hash",
    }


def test_ca2_wants_digests_in_base64_a_time_stamp_and_a_webhook(world):
    there = world("ca2")
    there.sign(webhook_url="https://app.example.com/signed")
    body = there.sent("/sign")[0]
    digest = base64.b64encode(jobs()[0].digest).decode()
    assert body["sign_files"][0]["data_to_be_signed"] == digest
    assert body["time_stamp"] == "20260901100000"
    assert body["urlWebhook"] == "https://app.example.com/signed"
    asked = there.sent("/api/data/status")[0]
    assert set(asked) == {"sp_id", "sp_password", "user_id", "transaction_id"}


def test_the_time_stamp_is_optional(world):
    there = world()
    there.sign()
    assert "time_stamp" not in there.sent("/sign")[0]
    there.sign(dialect_changes={"time_stamp": "%Y%m%d%H%M%SZ"})
    assert there.sent("/sign")[-1]["time_stamp"].endswith("Z")


def test_doc_id_is_shown_on_both_sides_and_matched(world):
    there = world(phone=SandboxPhone(takes=SLOW))
    started = there.start(there.signer(), jobs(2))
    assert started.show == "dossier-1, dossier-2"
    assert set(started.show.split(", ")) <= set(there.phone.rings[0].shown.split("\n"))
    assert "Tờ khai 1; Tờ khai 2" in there.phone.rings[0].shown


def test_doc_id_may_be_the_digest(world):
    there = world()
    there.sign(2, dialect_changes={"document_id": "digest"})
    assert there.sent("/sign")[0]["sign_files"][0]["doc_id"] == jobs()[0].digest.hex()


def test_two_equal_digests_cannot_both_be_a_doc_id(world):
    there = world()
    signer = there.signer(dialect_changes={"document_id": "digest"})
    twice = [jobs()[0], evolve(jobs()[0], document_id="another")]
    with pytest.raises(InputError):
        there.start(signer, twice)
    assert not there.sent("/sign")


def test_what_the_person_reads_can_be_said(world):
    there = world()
    there.sign(description="Đăng ký\u202e giao dịch")
    assert there.sent("/sign")[0]["transaction_desc"] == "Đăng ký giao dịch"


def test_the_question_takes_the_id_by_default_and_tran_code_where_the_profile_says_so(world):
    there = world()
    there.provider.status_id = "tran_code"
    signer = there.signer(dialect_changes={"status_id": "tran_code"})
    assert there.sign(signer=signer)
    assert "/TC-" in there.sender.requests[-1].url
    there.sender.plan.extend([None, "lost"])
    lost = there.start(signer, jobs())
    assert lost.provider_id == ""
    with pytest.raises(ProviderRequestError):  # our own id is all that is left to ask with
        there.result(signer, lost)


def test_the_body_of_the_question_may_be_empty(world):
    there = world()
    there.provider.status_members = ()
    signer = there.signer(dialect_changes={"status_members": []})
    assert there.sign(signer=signer)
    assert there.sent("/status")[-1] == {}


def test_an_id_in_the_path_is_escaped(world):
    there = world(phone=SandboxPhone(takes=SLOW))
    signer = there.signer()
    odd = evolve(there.start(signer, jobs()), provider_id="../x?y", transaction_id="../x?y")
    with pytest.raises(ProviderRequestError):
        there.result(signer, odd)
    assert there.sender.requests[-1].url.endswith("/sign/..%2Fx%3Fy/status")


@pytest.mark.parametrize(
    "name", [".", "..", "...", "../../x", "a/b", "%2e%2e", "?q=1#f", "@evil.example", "a b", "a" * 200, "đ"]
)
def test_a_name_that_would_lead_elsewhere_is_no_name(canned, name):
    there = canned(answered({"status_code": 200, "message": "ok", "data": {"transaction_id": name}}))
    signer = there.signer()
    started = there.start(signer, jobs())
    assert (started.state, started.provider_id) == (SigningState.PENDING, "")
    with suppress(BhxhError):
        there.result(signer, started)
    assert there.sender.requests[-1].url.endswith(f"/sign/{started.transaction_id}/status")


@pytest.mark.parametrize("name", ["own-1", "0f3a", "a.b", "..a", "a:b_c", 77])
def test_a_plain_name_is_asked_with(canned, name):
    there = canned(answered({"status_code": 200, "message": "ok", "data": {"transaction_id": name}}))
    assert there.start(there.signer(), jobs()).provider_id == str(name)


def test_an_answer_about_another_transaction_is_not_ours(canned):
    waiting = answered({"status_code": 200, "message": "PENDING", "data": None})
    other = {"status_code": 200, "message": "REJECTED", "data": {"transaction_id": "of-somebody-else"}}
    there = canned(waiting, answered(other))
    signer = there.signer()
    started = there.start(signer, jobs())
    with pytest.raises(UnexpectedReplyError):
        there.result(signer, started)


def test_the_id_of_the_provider_is_asked_with_where_it_has_its_own(canned):
    own = {"status_code": 200, "message": "", "data": {"transaction_id": "own-1"}}
    there = canned(answered(own), answered(own | {"message": "REJECTED"}))
    signer = there.signer()
    started = there.start(signer, jobs())
    assert started.provider_id == "own-1"
    assert there.result(signer, started).state is SigningState.DECLINED
    assert there.sender.requests[-1].url.endswith("/sign/own-1/status")


def test_an_expiry_under_an_error_code_is_believed_only_with_our_name(canned):
    waiting = answered({"status_code": 200, "message": "PENDING", "data": None})
    nameless = answered({"status_code": 400, "message": "EXPIRED", "data": None}, 400)
    there = canned(waiting, nameless)
    signer = there.signer()
    started = there.start(signer, jobs())
    with pytest.raises(SigningExpiredError):
        there.result(signer, started)
    named = {"status_code": 400, "message": "EXPIRED", "data": {"transaction_id": started.transaction_id}}
    there.sender.provider.replies = [answered(named, 400)]
    assert there.result(signer, started).state is SigningState.EXPIRED


def test_a_certificate_that_was_revoked_meanwhile_ends_its_transaction(canned):
    waiting = answered({"status_code": 200, "message": "PENDING", "data": None})
    revoked = {"status_code": 403, "message": "CREDENTIAL_STATUS_INVALID", "data": None}
    there = canned(waiting, answered(revoked, 403))
    signer = there.signer()
    started = there.start(signer, jobs())
    with pytest.raises(CertificateUnusableError):  # of whom this speaks is not said
        there.result(signer, started)
    named = revoked | {"data": {"transaction_id": started.transaction_id}}
    there.sender.provider.replies = [answered(named, 403)]
    assert there.result(signer, started).failure == "certificate"


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"status_code": "400", "message": "no"}, 418, ProviderRequestError),
        ({"status_code": 400.0, "message": "no"}, 200, ProviderRequestError),
        ({"message": "no"}, 403, CertificateUnusableError),
        ({"status_code": 200, "message": "SP_CREDENTIAL_INVALID"}, 200, ProviderLoginError),
    ],
)
def test_error_answers_of_every_shape_end_in_a_typed_error(canned, body, status, kind):
    there = canned(answered(body, status))
    ended = there.start(there.signer(), jobs())
    assert ended.state is SigningState.FAILED
    assert type(spoken(failure_of(ended))) is kind


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"status_code": 409, "message": "no"}, 409, ProviderRequestError),
        ({"status_code": 400, "message": "PENDING"}, 400, ProviderRequestError),
        ({"status_code": 500, "message": "Internal error"}, 500, ProviderFailedError),
    ],
)
def test_an_error_answer_to_a_question_leaves_the_transaction_open(canned, body, status, kind):
    waiting = answered({"status_code": 200, "message": "PENDING", "data": None})
    there = canned(waiting, answered(body, status), waiting)
    signer = there.signer()
    started = there.start(signer, jobs())
    with pytest.raises(kind) as caught:
        there.result(signer, started)
    spoken(caught.value)
    assert there.result(signer, started).state is SigningState.PENDING


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status_code": 503, "message": "no"}, 503),
        ({"status_code": 1003, "message": "no"}, 200),
        ({"status_code": "strange", "message": "no"}, 200),
        ({"status_code": 200, "message": "SUCCESS", "data": {}}, 502),
        ({"error": "Not Found"}, 404),
        ({"message": "nothing else"}, 200),
        ({"message": "gateway", "data": {}}, 503),
        ([], 200),
        ({"status_code": 200, "data": {"signatures": ["a"]}}, 200),
        ({"message": "Request Timeout"}, 408),
        ({"message": "TIMEOUT"}, 408),
        ({"status_code": 504, "message": "TIMEOUT"}, 504),
        ({"status_code": 500, "message": "TIMEOUT"}, 500),
        ({"status_code": 500, "message": "Internal error"}, 500),
        ({"status_code": 500, "message": "", "data": {"transaction_id": "of-somebody-else"}}, 500),
        ({"status_code": 400, "message": "PENDING"}, 400),
        *(({"status_code": code, "message": "no"}, code) for code in (404, 408, 409, 418, 425, 429, 499)),
    ],
)
def test_what_cannot_be_understood_is_a_doubt(canned, body, status):
    there = canned(answered(body, status))
    started = there.start(there.signer(), jobs())
    assert started.state is SigningState.PENDING
    assert started.provider_id == ""


class Gateway:
    """Gives its own answer to a request that it has passed on."""

    def __init__(self, provider, end, reply=None):
        self.provider, self.end, self.reply = provider, end, reply

    def answer(self, request):
        reply = self.provider.answer(request)
        if not request.url.endswith(self.end):
            return reply
        self.end = "nothing more"
        return self.reply or self.provider.answer(request)  # or passes it on a second time


@pytest.mark.parametrize("dialect", ["plain", "vnpt", "ca2"])
@pytest.mark.parametrize(
    "reply",
    [
        answered({"message": "Request Timeout"}, 408),
        answered({"status_code": 500, "message": "Internal error"}, 500),
        answered({"status_code": 409, "message": "duplicate"}, 409),
        None,
    ],
    ids=["408", "500", "409", "twice"],
)
def test_an_answer_of_a_gateway_to_a_request_that_was_taken_is_a_doubt_and_asked_after(world, dialect, reply):
    there = world(dialect)
    there.sender.provider = Gateway(there.provider, there.provider._way.sign, reply)
    assert there.sign()
    assert len(there.desk.accepted) == len(there.phone.rings) == 1


def test_th_a_confirmation_that_was_passed_on_twice_is_asked_after(silent):
    silent.sender.provider = Gateway(silent.provider, "/confirm")
    assert silent.sign()
    assert len(silent.desk.transactions) == 1


def test_an_inner_error_of_a_service_that_cannot_be_asked_is_left_to_a_person(canned):
    there = canned(answered({"status_code": 500, "message": "System error"}, 500), dialect="plain")
    started = there.start(there.signer(dialect_changes={}), jobs())
    assert started.state is SigningState.AMBIGUOUS


def test_an_inner_error_that_names_the_transaction_is_its_end(world):
    there = world()

    class Failing:
        def answer(self, request):
            if not request.url.endswith("/sign"):
                return there.provider.answer(request)
            name = json.loads(request.body)["transaction_id"]
            return answered({"status_code": 500, "message": "no", "data": {"transaction_id": name}}, 500)

    there.sender.provider = Failing()
    ended = there.start(there.signer(), jobs())
    assert isinstance(spoken(failure_of(ended), code="500"), ProviderFailedError)


def test_an_answer_without_a_code_but_with_data_is_read(canned):
    there = canned(answered({"data": {"transaction_id": "own-2"}}))
    assert there.start(there.signer(), jobs()).provider_id == "own-2"


def test_success_with_an_empty_list_is_a_missing_signature(canned):
    waiting = answered({"status_code": 200, "data": {"signatures": []}})
    done = answered({"status_code": 200, "message": "SUCCESS", "data": {"signatures": []}})
    there = canned(waiting, done)
    signer = there.signer()
    started = there.start(signer, jobs())
    assert started.state is SigningState.PENDING
    with pytest.raises(SignatureMismatchError):
        there.result(signer, started)


def test_the_list_may_stand_beside_data(canned):
    there = canned(answered({"status_code": 200, "signed_files": [], "message": "SUCCESS"}))
    with pytest.raises(SignatureMismatchError):
        there.start(there.signer(), jobs())


# --- certificates ---


@pytest.mark.parametrize("written", ["{:X}", "{:x}", "00{:x}", "0x{:X}", " {:X} ", "{}"])
def test_serial_numbers_are_compared_as_numbers(world, written):
    there = world("plain")
    serial = there.issued.certificate.serial_number
    assert same_serial(written.format(serial), serial)
    spaced = ":".join(f"{serial:040X}"[start : start + 2] for start in range(0, 40, 2))
    assert same_serial(spaced, serial)
    assert not same_serial("strange", serial)
    assert not same_serial("12", serial)


def test_only_the_certificate_of_the_profile(every):
    other = every.pki.issue("CÔNG TY KHÁC")
    every.provider.add(other, name="cert-2")
    assert len(every.certificates()) == 2
    wanted = f"{other.certificate.serial_number:x}"
    (found,) = every.certificates(serial_number=wanted)
    assert found.certificate.der == other.der
    assert found.key_id == wanted
    assert found.has_private_key


def test_only_certificates_of_the_kind_that_the_profile_names(every):
    every.provider.add(every.pki.issue("CÔNG TY KHÁC"), name="cert-2", kind="ESEAL")
    assert [item.certificate.common_name for item in every.certificates(service_type="eseal")] == [
        "CÔNG TY KHÁC"
    ]
    assert every.certificates(service_type="OTHER") == ()


def listing(there, data):
    """Let the provider list that."""

    class Lists:
        def answer(self, request):
            return answered({"status_code": 200, "message": "", "data": data})

    there.sender.provider = Lists()
    return there.certificates()


def test_one_certificate_that_cannot_be_read_hides_no_other(world):
    there = world()
    own = base64.b64encode(there.issued.der).decode()
    armoured = f"-----BEGIN CERTIFICATE-----\r\n{own}\r\n-----END CERTIFICATE-----\r\n"
    entries = [
        {"cert_data": "AAAA"},
        {"cert_data": None},
        "strange",
        {"cert_data": armoured, "cert_status": "Thu hồi?", "chain_data": None},
    ]
    (found,) = listing(there, {"user_certificates": entries})
    assert found.key_id == found.certificate.serial_text
    with pytest.raises(UnexpectedReplyError):
        listing(there, {"user_certificates": entries[:2]})


def test_no_certificates(world):
    there = world()
    assert listing(there, {"user_certificates": None}) == ()
    assert listing(there, None) == ()
    assert listing(there, []) == ()
    with pytest.raises(UnexpectedReplyError):
        listing(there, {"user_certificates": {}})


def test_each_list_request_has_an_id_of_its_own(world):
    there = world()
    signer = there.signer()
    there.sign(signer=signer)
    there.sign(signer=signer)
    names = [body["transaction_id"] for body in there.sent("get_certificate") + there.sent("/sign")]
    assert len(set(names)) == 4


# --- SmartCA TH ---


@pytest.fixture
def silent(world):
    """SmartCA TH."""
    return world("vnpt-th")


def test_th_signs_without_a_phone_though_the_message_says_waiting(silent):
    assert silent.sign(2)
    assert silent.phone.rings == []
    assert silent.sent("/v2/signatures/sign")[0]["otp"] == silent.provider.used_codes[0]
    confirm = silent.sent("/v2/signatures/confirm")[0]
    assert set(confirm) == {"sp_id", "sp_password", "user_id", "password", "sad", "transaction_id"}
    assert not silent.sent("/status")
    capabilities = silent.signer().capabilities
    assert capabilities.needs_secret
    assert not capabilities.confirms_elsewhere


def test_th_takes_password_and_code_of_a_person(silent):
    key = base64.b64decode(silent.provider.environment["TOTP_SECRET"])
    made = TOTP(key, 6, SHA1(), 30, enforce_key_length=False)  # noqa: S303  # what the interface wants
    code = made.generate(silent.clock.now().timestamp()).decode()
    person = Person(remote_password="sandbox-password", remote_otp=code)
    own = {"sp_password": silent.provider.secrets["sp_password"]}
    table = {"password_env": "", "totp_secret_env": "", "one_time_code": "asked"}
    assert silent.sign(signer=silent.signer(secrets=own, **table), ask=person)
    assert person.asked == ["remote_password", "remote_otp"]


def test_th_makes_the_code_after_people_have_thought(silent):
    class Slow(Person):
        async def secret(self, question):
            silent.clock.advance(timedelta(minutes=2))
            return await super().secret(question)

    own = {name: item for name, item in silent.provider.secrets.items() if name != "password"}
    signer = silent.signer(secrets=own, password_env="")
    assert silent.sign(signer=signer, ask=Slow(remote_password="sandbox-password"))


def test_th_waits_for_the_next_code_where_one_was_used(silent):
    signer = silent.signer(dialect_changes={"largest_batch": 1})
    assert len(silent.sign(3, signer=signer)) == 3
    assert len(set(silent.provider.used_codes)) == 3
    assert 30 < silent.clock.monotonic() <= 60


def test_th_another_signer_of_the_process_sends_no_code_again(silent):
    refused = answered({"status_code": 401, "message": "OTP WRONG"}, 401)
    silent.sender.provider = Canned(silent.provider, refused)
    for _ in range(2):
        assert silent.start(silent.signer(), jobs()).failure == "secret"
    first, second = (body["otp"] for body in silent.sent("/v2/signatures/sign"))
    assert first != second
    silent.sender.provider = silent.provider
    assert silent.sign()
    assert 30 < silent.clock.monotonic() <= 60


def test_th_nobody_is_there_to_tell_the_password(silent):
    own = {name: item for name, item in silent.provider.secrets.items() if name != "password"}
    with pytest.raises(PersonNeededError):
        silent.sign(signer=silent.signer(secrets=own, password_env=""))
    assert not silent.sent("/v2/signatures/sign")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("password", "not-the-password", "PASSWORD_INVALID"),
        ("totp_secret", base64.b64encode(b"not-the-secret").decode(), "OTP_INVALID"),
    ],
)
def test_th_a_wrong_password_or_code_is_never_sent_twice(silent, name, value, text):
    signer = silent.signer(secrets=silent.provider.secrets | {name: Secret(value)})
    error = refusal_of(silent, ConfirmationSecretError, code="401", signer=signer)
    assert error.retry is ConfirmationSecretError.retry
    assert error.parameters["provider_text"] == text
    assert value not in f"{error!r}{error.parameters}"
    error = refusal_of(silent, ConfirmationSecretError, signer=signer)
    assert error.field == name
    assert len(silent.sent("/v2/signatures/sign")) == 1


def test_th_a_refusal_that_does_not_tell_what_is_wrong_refuses_everything(canned):
    there = canned(answered({"status_code": 401, "message": "Sai thông tin"}, 401), dialect="vnpt-th")
    signer = there.signer()
    refusal_of(there, ConfirmationSecretError, code="401", signer=signer)
    assert set(signer._secrets._refused) == {"sp_password", "password", "totp_secret"}


def test_th_the_application_is_blamed_by_name(canned):
    there = canned(answered({"status_code": 401, "message": "SP_CREDENTIAL_INVALID"}, 401), dialect="vnpt-th")
    refusal_of(there, ProviderLoginError, code="401")


def test_th_a_secret_of_the_codes_that_is_no_base64(silent):
    signer = silent.signer(secrets=silent.provider.secrets | {"totp_secret": Secret("no base64!")})
    error = refusal_of(silent, SetupError, signer=signer)
    assert error.code == "remote.totp_secret"
    assert not silent.sent("/v2/signatures/sign")


@pytest.mark.parametrize("sad", [None, "", "đ", 7])
def test_th_an_answer_without_a_sad_is_a_doubt(canned, sad):
    body = {"status_code": 200, "message": "sig_wait_for_user_confirm", "data": {"sad": sad}}
    there = canned(answered(body), dialect="vnpt-th")
    started = there.start(there.signer(), jobs())
    assert started.state is SigningState.PENDING
    assert not there.sent("/confirm")


def test_th_the_sad_is_masked_where_the_provider_repeats_it(canned):
    taken = {"status_code": 200, "message": "", "data": {"sad": "secret-sad", "expired_in": "299"}}
    refused = {"status_code": 400, "message": "bad secret-sad"}
    there = canned(answered(taken), answered(refused, 400), dialect="vnpt-th")
    signer = there.signer()
    ended = there.start(signer, jobs())
    assert (ended.state, ended.stage) == (SigningState.FAILED, "confirm")
    assert ended.reason == "bad ***"
    signer.close()
    assert signer._protocol.hidden() == ()


@pytest.mark.parametrize("at", ["get_certificate", "/v2/signatures/sign", "/confirm"])
def test_no_local_variable_of_a_traceback_shows_a_secret(silent, at):
    normal, shown = silent.provider.answer, []

    def page(request):
        return page_reply(502) if request.url.endswith(at) else normal(request)

    class Watched(Decision769):
        """The protocol, whose errors are printed with all local variables before the driver takes them."""

        def certificates(self, now):
            return (yield from watched(super().certificates(now)))

        def start(self, order):
            return (yield from watched(super().start(order)))

    def watched(conversation):
        try:
            return (yield from conversation)
        except UnexpectedReplyError as error:
            told = traceback.TracebackException.from_exception(error, capture_locals=True)
            shown.append("".join(told.format()))
            raise

    silent.provider.answer = page
    certificate = SigningCertificate(certificate=silent.issued.info, key_id="")
    own = ProviderSecrets({}, silent.provider.secrets, {})
    signer = RemoteSigner(Watched.of(silent.profile()), silent.sender, silent.clock, secrets=own)
    with suppress(UnexpectedReplyError):
        run_blocking(signer.certificates())
    run_blocking(signer.start(jobs(), certificate, Person(), silent.clock))
    assert shown
    values = [secret.reveal() for secret in silent.provider.secrets.values()]
    values += [*silent.provider.used_codes, *silent.provider._sads.values()]
    assert not any(value in "".join(shown) for value in values)


def test_th_a_lost_confirmation_is_asked_after(silent):
    signer = silent.signer()
    silent.sender.plan.extend([None, None, "lost"])
    started = silent.start(signer, jobs())
    assert (started.state, started.stage) == (SigningState.PENDING, "confirm")
    assert silent.result(signer, started).state is SigningState.DONE
    assert len(silent.sent("/confirm")) == 1


def test_th_a_sad_that_ran_out(silent):
    normal = silent.provider.answer

    def late(request):
        if request.url.endswith("/confirm"):
            silent.clock.advance(timedelta(seconds=299))
        return normal(request)

    silent.provider.answer = late
    refusal_of(silent, SigningExpiredError, code="EXPIRED")


def test_the_deadline_is_the_providers_where_it_tells_one(canned):
    for told, seconds in (
        ("299", 299),
        (599, 599),
        (1e9, 600),
        (1e300, 600),
        (-1, 300),
        ("soon", 300),
        (None, 300),
    ):
        data = {"transaction_id": "own", "expired_in": told}
        there = canned(answered({"status_code": 200, "message": "", "data": data}))
        started = there.start(there.signer(), jobs())
        assert started.deadline - there.clock.now() == timedelta(seconds=seconds)


# --- profiles ---


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"dialect_changes": {"digest": "octal"}}, "dialect_changes.digest"),
        ({"dialect_changes": {"status_id": "name"}}, "dialect_changes.status_id"),
        ({"dialect_changes": {"document_id": "name"}}, "dialect_changes.document_id"),
        ({"dialect_changes": {"status_members": ["pin"]}}, "dialect_changes.status_members"),
        ({"dialect_changes": {"secret_words": {"X": "pin"}}}, "dialect_changes.secret_words"),
        ({"dialect_changes": {"codes": {"400": "strange"}}}, "dialect_changes.codes.400"),
        ({"one_time_code": "guessed"}, "one_time_code"),
        ({"webhook_url": "https://app.example.com"}, "dialect_changes.webhook_member"),
    ],
)
def test_a_wrong_member_of_a_profile_is_named(world, changes, field):
    with pytest.raises(InputError) as caught:
        world().signer(**changes)
    assert spoken(caught.value).field == field


def test_an_address_may_hold_the_whole_profile(world):
    there = world()
    uri = f"ca769:{BASE}?dialect=vnpt&sp-id=sandbox-sp&user-id=0100109106"
    senders = lambda clock, **options: there.sender  # noqa: E731  # a factory in one line
    person = Person(remote_sp_password="sandbox-sp-password")
    with closing(open_signer(uri, ask=person, clock=there.clock, senders=senders)) as signer:
        assert there.sign(signer=signer, ask=person)
    assert person.asked == ["remote_sp_password"]


def test_an_unknown_dialect_is_refused_with_those_that_exist(world):
    with pytest.raises(UnknownCodeError) as caught:
        world().signer(dialect="bkav")
    assert "vnpt-th" in spoken(caught.value).hint("en")


def test_the_usual_dialect_is_the_decision_as_written(world):
    there = world("plain")
    assert protocol_of(there.profile(dialect=""))._dialect.nested_options


def test_the_address_and_pace_of_a_provider(world):
    protocol = protocol_of(world("ca2").profile())
    assert protocol.addresses == (BASE,)
    assert (protocol.life_seconds, protocol.poll_seconds) == (180.0, 4.0)


def test_a_doubt_in_a_process_that_ends_is_asked_after_by_the_next(world):
    there = world()
    there.sender.plan.extend([None, "lost"])
    there.start(there.signer(), jobs())
    intended = there.notes[0]
    assert intended.state is SigningState.INTENDED
    assert there.result(there.signer(), intended).state is SigningState.DONE
    assert len(there.desk.accepted) == 1


def test_an_interrupted_question_may_be_asked_again(world):
    there = world()
    signer = there.signer()
    started = there.start(signer, jobs())
    there.sender.plan.append("lost")
    with pytest.raises(UnknownOutcomeError):
        there.result(signer, started)
    assert there.result(signer, started).state is SigningState.DONE


# --- whatever comes back ---

ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "200", "-2", "SUCCESS", "PENDING", "EXPIRED", "dossier-1", "AAAA", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("status_code", "message", "data", "transaction_id", "tran_code", "signatures"),
                    *("signed_files", "doc_id", "signature_value", "user_certificates", "cert_data"),
                    *("serial_number", "service_type", "sad", "expired_in"),
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(
    body=st.fixed_dictionaries({}, optional={"status_code": ODD, "message": ODD, "data": ODD}),
    status=st.sampled_from([200, 202, 400, 401, 403, 404, 500, 503]),
    dialect=st.sampled_from(DIALECTS),
)
def test_no_answer_raises_anything_but_our_own_errors(body, status, dialect):
    reply = Reply(status=status, body=json.dumps(body).encode())
    there = World(lambda provider: OneAnswer(), dialect)
    there.sender.reply = reply
    signer = there.signer()
    certificate = SigningCertificate(certificate=there.issued.info, key_id="01")
    with suppress(BhxhError):
        run_blocking(signer.certificates())
    with suppress(BhxhError):
        started = run_blocking(signer.start(jobs(), certificate, Person(), there.clock))
        assert started.state is not SigningState.INTENDED
        if started.state is SigningState.PENDING:
            there.result(signer, started)


class OneAnswer:
    """A sender that gets one answer to everything."""

    asynchronous = False
    reply = None

    async def send(self, request):
        return self.reply
