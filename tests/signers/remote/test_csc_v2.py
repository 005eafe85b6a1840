"""Version 2 of the CSC API: handles, expressions, and signatures that are asked after."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from csc_world import OTP, PIN, answers, fails, maker, waiting

from bhxh_sdk.errors import (
    CertificateUnusableError,
    SignatureMismatchError,
    SigningDeclinedError,
    SigningExpiredError,
    StillWaitingError,
    UnexpectedReplyError,
    UnknownOutcomeError,
)
from bhxh_sdk.remote_errors import (
    ConfirmationLockedError,
    ConfirmationSecretError,
    ProviderFailedError,
    ProviderLoginError,
    ProviderRequestError,
)
from bhxh_sdk.sandbox.remote.desk import Mischief
from bhxh_sdk.sandbox.remote.phone import Answer
from bhxh_sdk.sandbox.remote.provider import json_reply, page_reply
from bhxh_sdk.signers import SigningState
from bhxh_sdk.signers.flow import resume
from bhxh_sdk.signers.remote.csc_expression import chosen
from bhxh_sdk.signers.transactions import transaction_from_dict, transaction_to_dict
from bhxh_sdk.signers.verdicts import failure_of


@pytest.fixture
def world(clock, person, run, direct, pki):
    return maker(clock, person, run, direct, pki)


def test_version_2_waits_for_the_phone_and_for_the_signing(world, job):
    made = world(version=2, signing=timedelta(seconds=10))
    made.provider.desk.phone.takes = timedelta(seconds=20)
    values = made.sign(job("one"), job("two"))
    assert set(values) == {"one", "two"}
    assert made.paths()[0] == "credentials/list"
    assert "credentials/info" not in made.paths()
    assert made.paths().count("credentials/authorizeCheck") > 2
    assert made.paths().count("signatures/signPolling") > 2
    assert made.signer.capabilities.resumable
    states = [(item.state, item.stage, bool(item.provider_id)) for item in made.kept]
    assert states[0] == (SigningState.INTENDED, "authorizing", False)
    assert states[1] == (SigningState.PENDING, "authorizing", True)
    assert states[2] == (SigningState.INTENDED, "signing", False)
    assert states[3] == (SigningState.CONFIRMED, "signing", True)
    assert made.bodies("authorize")[0]["hashAlgorithmOID"] == "2.16.840.1.101.3.4.2.1"
    assert made.bodies("signHash")[0]["operationMode"] == "A"


@pytest.mark.parametrize("stage", ["authorizing", "signing"])
def test_another_process_goes_on(world, job, clock, run, stage):
    made = world(version=2, signing=timedelta(seconds=10))
    made.provider.desk.phone.takes = timedelta(seconds=20)
    own = made.certificates()[0]
    found = made.start(job(), certificate=own)
    if stage == "signing":
        clock.seconds += 25
        found = run(made.signer.result_noted(found, clock, made.keep))
    assert found.stage == stage
    again = transaction_from_dict(transaction_to_dict(found))
    values = run(resume(made.open(), again, [job()], own, clock))
    assert set(values) == {"one"}
    assert len(made.provider.desk.accepted) == 1


def test_a_process_that_ends_between_confirmation_and_signing_leaves_a_doubt(world, job, clock, run):
    made = world(version=2)
    found = made.start(job())
    made.sender.plan.extend([None, "lost"])
    found = run(made.signer.result_noted(found, clock, made.keep))
    assert found.state is SigningState.AMBIGUOUS
    assert made.kept[-1].state is SigningState.INTENDED
    assert made.kept[-1].provider_id == ""
    assert run(made.open().result(made.kept[-1], clock)).state is SigningState.AMBIGUOUS


def test_a_lost_question_is_asked_again(world, job, clock, run):
    made = world(version=2)
    found = made.start(job())
    made.sender.plan.append("lost")
    with pytest.raises(UnknownOutcomeError):
        run(made.signer.result(found, clock))
    assert run(made.signer.result(found, clock)).stage == "signing"


def test_the_service_may_sign_at_once(world, job):
    made = world(version=2, dialect_changes={"operation_mode": "S"})
    made.sign(job())
    assert "signatures/signPolling" not in made.paths()
    assert made.bodies("signHash")[0]["operationMode"] == "S"


def test_plain_rsa_has_its_hash_named_in_version_2(world, job):
    made = world(version=2)
    made.provider.algorithms = ("1.2.840.113549.1.1.1",)
    made.sign(job())
    assert made.bodies("signHash")[0]["hashAlgorithmOID"] == "2.16.840.1.101.3.4.2.1"


def test_version_2_takes_pin_and_code_by_the_ids_of_their_objects(world, job):
    made = world(version=2, mode="explicit", own={"pin": PIN, "otp": OTP, "is_sent": True}, otp_is_sent=True)
    made.sign(job())
    [body] = made.bodies("authorize")
    assert body["authData"] == [{"id": "PIN", "value": PIN}, {"id": "OTP", "value": OTP}]
    assert "credentials/sendOTP" in made.paths()


def test_wrong_authentication_data_are_not_sent_again(world, job):
    made = world(version=2, mode="explicit", own={"pin": PIN}, secrets={"pin": "999999"})
    error = fails(made, job())
    assert type(error) is ConfirmationSecretError
    assert error.parameters["provider_code"] == "invalid_authentication_data"
    assert fails(made, job()).code == "remote.secret_refused_before"
    made.provider.person.tries["PIN"] = 0
    made.signer = made.open()
    assert fails(made, job()).parameters["provider_text"] == "Credential locked"


def test_a_confirmation_of_a_kind_that_is_not_known_is_refused_before_anything_is_sent(world, job):
    made = world(version=2)
    asked = made.provider.person.asked
    objects = [{"type": "Biometrics", "id": "face", "label": "Khuôn mặt"}, "odd", {"type": "OTP"}]
    made.provider.person.asked = lambda mode: {"auth": {**asked(mode)["auth"], "objects": objects}}
    error = fails(made, job())
    assert error.code == "remote.unknown_confirmation"
    assert error.parameters["name"] == "Khuôn mặt"
    assert "credentials/authorize" not in made.paths()


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("", ("PIN", "OTP", "TAN")),
        ("PIN", ("PIN",)),
        ("PIN AND OTP", ("PIN", "OTP")),
        ("OTP AND PIN", ("PIN", "OTP")),
        ("PIN AND (OTP OR TAN)", ("PIN", "OTP")),
        ("(PIN AND OTP) XOR TAN", ("TAN",)),
        ("PIN or OTP and TAN", ("PIN",)),
        ("PIN AND", ("PIN", "OTP", "TAN")),
        ("(PIN", ("PIN", "OTP", "TAN")),
        ("(PIN OTP", ("PIN", "OTP", "TAN")),
        ("PIN OTP", ("PIN", "OTP", "TAN")),
        ("AND PIN", ("PIN", "OTP", "TAN")),
        ("PIN AND FACE", ("PIN", "OTP", "TAN")),
        ("(" * 50 + "PIN" + ")" * 50, ("PIN", "OTP", "TAN")),
    ],
)
def test_an_expression_tells_what_is_asked_for(expression, names):
    assert chosen(expression, ("PIN", "OTP", "TAN")) == names


def test_infos_of_a_list_are_matched_by_id_or_place(world, pki):
    made = world(version=2)
    der = base64.b64encode(pki.issue().der).decode()
    info = {"cert": {"certificates": [der]}}
    infos = [{**info, "credentialID": "b"}, info, "odd", info]
    answers(made, "credentials/list", json_reply({"credentialIDs": ["a", "b"], "credentialInfos": infos}))
    made.provider.add("a", pki.issue())
    assert [item.key_id for item in made.certificates()] == ["a", "b"]


def test_a_list_without_infos_has_them_asked_for(world):
    made = world(version=2)
    answers(made, "credentials/list", json_reply({"credentialIDs": ["lab/unit", True, None]}))
    assert [item.key_id for item in made.certificates()] == ["lab/unit"]
    assert made.paths() == ["credentials/list", "credentials/info"]


@pytest.mark.parametrize("path", ["credentials/authorizeCheck", "signatures/signPolling"])
@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (("invalid_request", "SAD expired", 400), SigningExpiredError),
        (("invalid_request", "Credential locked", 400), ConfirmationLockedError),
        (("invalid_request", "Signing certificate 'x' is expired.", 400), CertificateUnusableError),
    ],
)
def test_a_clear_answer_ends_a_transaction_of_version_2(world, job, clock, run, path, refusal, kind):
    made, found = waiting(world, job, clock, run, path)
    made.provider.refuse(path, *refusal)
    ended = run(made.signer.result(found, clock))
    assert type(failure_of(ended)) is kind


@pytest.mark.parametrize("path", ["credentials/authorizeCheck", "signatures/signPolling"])
@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (("expired_token", "", 401), ProviderLoginError),
        (("invalid_token", "", 401), ProviderLoginError),
        (("invalid_request", "Invalid parameter handle", 400), ProviderRequestError),
        (("server_error", "", 500), ProviderFailedError),
        (("temporarily_unavailable", "", 503), UnexpectedReplyError),
        (("odd", "", 500), UnexpectedReplyError),
    ],
)
def test_an_error_of_the_question_leaves_a_transaction_open(world, job, clock, run, path, refusal, kind):
    made, found = waiting(world, job, clock, run, path)
    made.provider.refuse(path, *refusal)
    with pytest.raises(kind):
        run(made.signer.result(found, clock))
    assert run(made.signer.result(found, clock)).state in {SigningState.CONFIRMED, SigningState.DONE}


@pytest.mark.parametrize(
    ("name", "kind"), [("access_denied", SigningDeclinedError), ("expired_token", SigningExpiredError)]
)
def test_only_before_the_confirmation_a_person_declines_or_is_late(world, job, clock, run, name, kind):
    made, found = waiting(world, job, clock, run, "credentials/authorizeCheck")
    made.provider.refuse("credentials/authorizeCheck", name)
    assert type(failure_of(run(made.signer.result(found, clock)))) is kind
    made, found = waiting(world, job, clock, run, "signatures/signPolling")
    made.provider.refuse("signatures/signPolling", name)
    with pytest.raises(ProviderLoginError):
        run(made.signer.result(found, clock))
    assert run(made.signer.result(found, clock)).state is SigningState.DONE


@pytest.mark.parametrize("path", ["credentials/authorizeCheck", "signatures/signPolling"])
@pytest.mark.parametrize("reply", [page_reply(), json_reply({})])
def test_an_odd_answer_leaves_a_transaction_open(world, job, clock, run, path, reply):
    made, found = waiting(world, job, clock, run, path)
    answers(made, path, reply)
    with pytest.raises(UnexpectedReplyError):
        run(made.signer.result(found, clock))


def test_an_expired_token_is_replaced_while_waiting(world, job, clock, run):
    made = world(version=2, needs_login=True)
    own = made.certificates()[0]
    found = made.start(job(), certificate=own)
    made.provider.access._tokens.clear()
    assert set(run(resume(made.signer, found, [job()], own, clock))) == {"one"}
    assert len(made.provider.access.logins) == 2


def test_the_phone_rings_once_however_long_it_takes(world, job):
    made = world(version=2)
    made.provider.desk.phone.next(Answer.IGNORES)
    made.provider.desk.life = timedelta(hours=1)
    assert isinstance(fails(made, job()), StillWaitingError)
    assert len(made.provider.desk.phone.rings) == 1


def test_signatures_of_a_poll_that_do_not_fit_are_not_used(world, job):
    made = world(version=2)
    made.provider.desk.misbehave(Mischief.MISSING)
    assert isinstance(fails(made, job("one"), job("two")), SignatureMismatchError)
