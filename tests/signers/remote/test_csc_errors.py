"""What goes wrong with a CSC service: a person's answers, trouble, every error name and text."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from attrs import evolve
from csc_world import PIN, answers, fails, json_reply_of, maker

from bhxh_sdk.errors import (
    CertificateUnusableError,
    InputError,
    KeyNotFoundError,
    SignatureMismatchError,
    SigningDeclinedError,
    SigningExpiredError,
    StillWaitingError,
    UnknownOutcomeError,
)
from bhxh_sdk.ports import Reply
from bhxh_sdk.remote_errors import (
    ConfirmationLockedError,
    ConfirmationSecretError,
    ProviderFailedError,
    ProviderLoginError,
    ProviderRequestError,
    QuotaExhaustedError,
    SignerUnreachableError,
)
from bhxh_sdk.sandbox.remote.desk import Mischief
from bhxh_sdk.sandbox.remote.phone import Answer
from bhxh_sdk.sandbox.remote.provider import json_reply, page_reply
from bhxh_sdk.signers import SigningState
from bhxh_sdk.signers.remote.csc_errors import ERRORS, TEXTS
from bhxh_sdk.signers.transactions import transaction_from_dict, transaction_to_dict
from bhxh_sdk.signers.verdicts import Verdict, failure_of


@pytest.fixture
def world(clock, person, run, direct, pki):
    return maker(clock, person, run, direct, pki)


# A person's answers, and trouble.


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Answer.DECLINES, SigningDeclinedError, "access_denied"),
        (Answer.IGNORES, SigningExpiredError, "expired_token"),
        (Answer.CONFIRMS_LATE, SigningExpiredError, "expired_token"),
        (Answer.IS_UNREACHABLE, SignerUnreachableError, "temporarily_unavailable"),
        (Answer.HAS_LOCKED_PIN, ConfirmationLockedError, "invalid_request"),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_what_the_person_does_ends_in_its_error(world, job, answer, kind, code, version):
    made = world(version=version)
    made.provider.desk.phone.next(answer)
    if version == 2 and answer is Answer.IS_UNREACHABLE:
        kind, code = StillWaitingError, ""  # the question cannot be answered now, and is asked again
    if version == 1 and answer is Answer.IS_UNREACHABLE:
        kind, code = UnknownOutcomeError, ""  # the phone may have been asked
    if version == 2 and answer is Answer.IGNORES:
        made.provider.desk.life = timedelta(seconds=290)
    if version == 2 and answer is Answer.CONFIRMS_LATE:
        made.provider.desk.life = timedelta(seconds=290)
    error = fails(made, job())
    assert type(error) is kind
    assert error.parameters.get("provider_code", "") == code
    assert "signatures/signHash" not in made.paths()


@pytest.mark.parametrize("place", ["authorize", "sign"])
@pytest.mark.parametrize("mischief", [Mischief.ERROR_AFTER, Mischief.PAGE_AFTER, Mischief.PAGE])
def test_an_odd_answer_to_what_was_started_is_a_doubt(world, job, place, mischief):
    made = world()
    made.provider.trouble_at = place
    made.provider.desk.misbehave(mischief)
    found = made.start(job())
    assert found.state is SigningState.AMBIGUOUS
    assert isinstance(failure_of(found), UnknownOutcomeError)


@pytest.mark.parametrize("lost", [2, 3])
def test_a_lost_answer_is_a_doubt_and_nothing_is_sent_again(world, job, lost):
    made = world()
    made.sender.plan.extend([None] * lost + ["lost"])
    error = fails(made, job())
    assert isinstance(error, UnknownOutcomeError)
    assert len(made.sender.requests) == lost + 1
    assert len(made.provider.desk.accepted) == 1


def test_what_was_only_intended_is_ambiguous_after_a_restart(world, job, clock, run):
    made = world()
    made.sign(job())
    again = transaction_from_dict(transaction_to_dict(made.kept[-1]))
    found = run(made.open().result(again, clock))
    assert found.state is SigningState.AMBIGUOUS
    assert not made.signer.capabilities.resumable


def test_version_1_has_nothing_to_ask_with(world, job, clock, run):
    made = world()
    made.sign(job())
    waiting = evolve(made.kept[-1], state=SigningState.PENDING, provider_id="id")
    sent = len(made.sender.requests)
    assert run(made.signer.result(waiting, clock)) == waiting
    assert len(made.sender.requests) == sent


@pytest.mark.parametrize("mischief", [Mischief.MISSING, Mischief.DOUBLED, Mischief.WRONG_ORDER])
def test_values_that_do_not_fit_are_not_used(world, job, mischief):
    made = world()
    made.provider.desk.misbehave(mischief)
    assert isinstance(fails(made, job("one"), job("two")), SignatureMismatchError)


@pytest.mark.parametrize("mischief", [Mischief.WRONG_SIGNATURE, Mischief.NOT_BASE64])
def test_a_wrong_value_is_not_used(world, job, mischief):
    made = world()
    made.provider.desk.misbehave(mischief)
    assert isinstance(fails(made, job()), SignatureMismatchError)


def test_line_ends_in_a_value_are_taken(world, job):
    made = world()
    made.provider.desk.misbehave(Mischief.LINE_ENDS)
    assert made.sign(job())


@pytest.mark.parametrize("place", ["authorize", "sign"])
@pytest.mark.parametrize("mischief", [Mischief.FAILS, Mischief.INTERNAL])
def test_a_failure_of_the_service_does_not_say_whether_the_person_was_asked(world, job, mischief, place):
    made = world()
    made.provider.trouble_at = place
    made.provider.desk.misbehave(mischief)
    assert type(fails(made, job())) is UnknownOutcomeError


@pytest.mark.parametrize("answer", [{}, {"SAD": ""}, {"SAD": 7}, {"SAD": "\ud800"}, {"handle": "h"}, []])
def test_an_authorisation_without_activation_data_is_a_doubt(world, job, answer):
    made = world()
    answers(made, "credentials/authorize", json_reply_of(answer))
    assert made.start(job()).state is SigningState.AMBIGUOUS


@pytest.mark.parametrize("answer", [{}, {"signatures": "x"}, {"responseID": "r"}])
def test_an_answer_without_signatures_is_a_doubt(world, job, answer):
    made = world()
    answers(made, "signatures/signHash", json_reply(answer))
    assert made.start(job()).state is SigningState.AMBIGUOUS


# Every error name and text.


KINDS = {
    Verdict.REQUEST: ProviderRequestError,
    Verdict.LOGIN: ProviderLoginError,
    Verdict.DECLINED: SigningDeclinedError,
    Verdict.FAILED: ProviderFailedError,
    Verdict.UNREACHABLE: SignerUnreachableError,
    Verdict.EXPIRED: SigningExpiredError,
    Verdict.SECRET: ConfirmationSecretError,
    Verdict.LOCKED: ConfirmationLockedError,
    Verdict.CERTIFICATE: CertificateUnusableError,
    Verdict.NO_CERTIFICATE: KeyNotFoundError,
}


OF_NOBODY = {"server_error": 500, "temporarily_unavailable": 503}


@pytest.mark.parametrize("place", ["credentials/authorize", "signatures/signHash"])
@pytest.mark.parametrize("name", sorted(ERRORS.keys() - OF_NOBODY.keys()))
def test_every_error_name_ends_in_its_error(world, job, name, place):
    made = world()
    made.provider.refuse(place, name, f"text of {name}")
    error = fails(made, job())
    assert type(error) is KINDS[ERRORS[name]]
    assert error.parameters["provider_code"] == name
    assert error.parameters["provider_text"] == f"text of {name}"


@pytest.mark.parametrize("name", sorted(OF_NOBODY))
@pytest.mark.parametrize("status", [400, None])
def test_trouble_of_the_service_is_typed_where_nobody_is_asked(world, job, name, status):
    made = world()
    made.provider.refuse("credentials/info", name, f"text of {name}", status or OF_NOBODY[name])
    error = fails(made, job())
    assert type(error) is KINDS[ERRORS[name]]
    assert error.parameters["provider_code"] == name
    assert error.parameters["provider_text"] == f"text of {name}"


@pytest.mark.parametrize("place", ["credentials/authorize", "signatures/signHash"])
@pytest.mark.parametrize("name", sorted(OF_NOBODY))
@pytest.mark.parametrize("status", [400, None])
def test_trouble_of_the_service_is_a_doubt_where_a_person_may_have_been_asked(
    world, job, place, name, status
):
    made = world()
    made.provider.refuse(place, name, f"text of {name}", status or OF_NOBODY[name])
    assert type(fails(made, job())) is UnknownOutcomeError


GIVEN_UP = [408, 409, 425, 429, 499]


def plain(status, body=b"no"):
    return Reply(status=status, headers=(("content-type", "text/plain; charset=utf-8"),), body=body)


@pytest.mark.parametrize("place", ["credentials/authorize", "signatures/signHash"])
@pytest.mark.parametrize(
    "reply",
    [
        *(plain(status) for status in (*GIVEN_UP, 402, 410, 413, 422, 500, 504)),
        *(json_reply({"error": "odd"}, status) for status in (*GIVEN_UP, 400, 403, 404, 500, 504)),
        *(json_reply({"error": "invalid_request"}, status) for status in (*GIVEN_UP, 422, 500, 504)),
        *(json_reply({"error": "invalid_token"}, status) for status in GIVEN_UP),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body.decode()}",
)
def test_an_answer_that_may_be_a_gateways_starts_nothing_twice(world, job, place, reply):
    made = world()
    answers(made, place, reply)
    assert type(fails(made, job())) is UnknownOutcomeError
    assert made.paths().count(place) == 1


@pytest.mark.parametrize("status", [400, 403, 404])
def test_plain_text_of_a_request_that_was_not_taken_is_a_clear_no(world, job, status):
    made = world()
    answers(made, "signatures/signHash", plain(status))
    assert type(fails(made, job())) is ProviderRequestError


@pytest.mark.parametrize("status", [422, 500])
def test_a_known_refusal_is_one_with_any_status(world, job, status):
    made = world()
    made.provider.refuse("credentials/authorize", "access_denied", status=status)
    assert type(fails(made, job())) is SigningDeclinedError


@pytest.mark.parametrize("text", sorted(TEXTS))
def test_every_known_text_of_an_invalid_request_ends_in_its_error(world, job, text):
    made = world()
    shown = f"{text.capitalize()} now."
    made.provider.refuse("signatures/signHash", "invalid_request", shown)
    error = fails(made, job())
    assert type(error) is KINDS[TEXTS[text]]
    assert error.parameters["provider_text"] == shown


def test_a_certificate_that_expired_meanwhile_is_told(world, job, clock):
    made = world()
    own = made.certificates()[0]
    clock.seconds += 400 * 86400
    found = made.start(job(), certificate=own)
    error = failure_of(found)
    assert isinstance(error, CertificateUnusableError)
    assert error.parameters["provider_text"].startswith("Signing certificate '")


def test_a_key_that_was_disabled_meanwhile_is_told(world, job):
    made = world()
    own = made.certificates()[0]
    made.provider.desk.misbehave(Mischief.REVOKED)
    error = failure_of(made.start(job(), certificate=own))
    assert isinstance(error, CertificateUnusableError)
    assert "disabled" in error.parameters["provider_text"]


def test_activation_data_that_expire_before_they_are_used_are_told(world, job):
    made = world()
    made.provider.sad_life = timedelta()
    error = fails(made, job())
    assert type(error) is SigningExpiredError
    assert error.parameters["provider_text"] == "SAD expired"


def test_too_many_hashes_are_told(world, job):
    made = world()
    made.certificates()
    made.provider.multisign = 1
    error = failure_of(made.start(job("one"), job("two"), certificate=made.certificates()[0]))
    assert isinstance(error, ProviderRequestError)
    assert error.parameters["provider_text"] == "Numbers of signatures is too high"


def test_an_unknown_text_stays_a_request_that_was_not_taken(world, job):
    made = world()
    made.provider.refuse("credentials/authorize", "invalid_request", "Something else")
    error = fails(made, job())
    assert type(error) is ProviderRequestError
    assert error.parameters["provider_text"] == "Something else"


def test_a_providers_own_names_and_texts_can_be_taught(world, job):
    changes = {"more_errors": {"quota_exceeded": "quota"}, "more_texts": {"Hết lượt KÝ": "quota"}}
    made = world(dialect_changes=changes)
    made.provider.refuse("credentials/authorize", "quota_exceeded")
    assert type(fails(made, job())) is QuotaExhaustedError
    made.provider.refuse("credentials/authorize", "quota_exceeded", status=429)
    assert type(fails(made, job())) is QuotaExhaustedError
    made.provider.refuse("credentials/authorize", "server_error", "hết lượt ký", 500)
    assert type(fails(made, job())) is QuotaExhaustedError


@pytest.mark.parametrize("member", ["more_errors", "more_texts"])
def test_a_verdict_that_is_none_is_refused(world, member):
    with pytest.raises(InputError) as caught:
        world(dialect_changes={member: {"x": "nonsense"}})
    assert caught.value.field == f"dialect_changes.{member}.x"


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (plain(400, b"400: Bad Request"), ProviderRequestError, "400"),
        (plain(401), ProviderLoginError, "401"),
        (json_reply({"error": "odd"}, 401), ProviderLoginError, "odd"),
    ],
)
def test_errors_beside_the_specification_are_told(world, job, reply, kind, code):
    made = world()
    answers(made, "credentials/authorize", reply)
    error = fails(made, job())
    assert type(error) is kind
    assert error.parameters["provider_code"] == code


@pytest.mark.parametrize(
    "reply",
    [
        page_reply(403),
        Reply(status=403, headers=(("content-type", "text/plain"),), body=b"<html>blocked</html>"),
        Reply(status=500, headers=(("content-type", "text/plain"),), body=b"500 Internal Server Error"),
        json_reply({"error": "odd"}, 502),
        json_reply({"message": "odd"}, 400),
        json_reply({"error": {"code": 7}}, 400),
    ],
)
def test_an_error_whose_cause_cannot_be_told_is_a_doubt(world, job, reply):
    made = world()
    answers(made, "credentials/authorize", reply)
    assert made.start(job()).state is SigningState.AMBIGUOUS


def test_a_secret_that_the_service_repeats_is_masked(world, job):
    made = world(mode="explicit", own={"pin": PIN})

    def repeating(request):
        sad = json.loads(request.body)["SAD"]
        return json_reply({"error": "invalid_request", "error_description": f"{sad} {PIN}?"}, 400)

    answers(made, "signatures/signHash", repeating)
    error = fails(made, job())
    assert error.parameters["provider_text"] == "*** ***?"
