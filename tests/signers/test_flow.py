from __future__ import annotations

import dataclasses
from datetime import timedelta

import attrs
import pytest

from bhxh_sdk.errors import (
    CertificateUnusableError,
    InputError,
    KeyPasswordError,
    NotSentError,
    SignatureMismatchError,
    SigningDeclinedError,
    SigningError,
    SigningExpiredError,
    StillWaitingError,
    UnexpectedReplyError,
    UnknownOutcomeError,
    UnreadableFileError,
    UnsupportedOperationError,
)
from bhxh_sdk.signers import (
    Capabilities,
    HashName,
    SigningCertificate,
    SigningState,
    SigningTransaction,
    asked_after,
    followed,
    key_of,
    looked_after,
    resume,
    sign,
)

P, C, D = SigningState.PENDING, SigningState.CONFIRMED, SigningState.DONE


@dataclasses.dataclass
class Phone:
    """A remote signer whose owner confirms on a phone; `replies` is what each question finds."""

    key: object
    replies: list = dataclasses.field(default_factory=list)
    largest_batch: int = 10
    deadline_seconds: float | None = 300
    poll_after_seconds: float = 2
    changed: object = staticmethod(lambda signatures: signatures)
    started: list = dataclasses.field(default_factory=list)
    polls: int = 0
    certificate: bytes = b""

    @property
    def capabilities(self):
        return Capabilities(
            name="phone", largest_batch=self.largest_batch, confirms_elsewhere=True, resumable=True
        )

    async def certificates(self):
        return await self.key.certificates()

    async def start(self, jobs, certificate, ask, clock):
        own = (await self.key.certificates())[0] if certificate.comes_later else certificate
        done = await self.key.start(jobs, own, ask, clock)
        self.started.append([job.document_id for job in jobs])
        self.signatures = self.changed(dict(done.signatures))
        deadline = None
        if self.deadline_seconds is not None:
            deadline = clock.now() + timedelta(seconds=self.deadline_seconds)
        pending = SigningTransaction(
            transaction_id=done.transaction_id,
            backend="phone",
            state=P,
            deadline=deadline,
            poll_after_seconds=self.poll_after_seconds,
            show="4711",
        )
        return self._next(pending)

    async def result(self, transaction, _clock):
        self.polls += 1
        return self._next(transaction)

    def _next(self, transaction):
        reply = self.replies.pop(0) if self.replies else D
        if isinstance(reply, Exception):
            raise reply
        signatures = self.signatures if reply is D else {}
        return attrs.evolve(
            transaction,
            state=reply,
            signatures=signatures,
            certificate=self.certificate,
            reason="E7" if reply not in (P, C, D) else "",
        )

    def close(self):
        self.key.close()


@pytest.fixture(scope="module")
def key(pki):
    return pki.issue().signer()


@pytest.fixture
def certificate(run, key):
    return run(key.certificates())[0]


@pytest.fixture
def world(person, clock):
    return person(), clock


def test_all_jobs_are_signed_in_as_few_calls_as_the_backend_allows(run, key, certificate, world, job):
    signer = Phone(key, largest_batch=2)
    signatures = run(sign(signer, [job(name) for name in "abcde"], certificate, *world))
    assert sorted(signatures) == list("abcde")
    assert signer.started == [["a", "b"], ["c", "d"], ["e"]]


def test_a_soft_key_goes_the_same_way(run, key, certificate, world, job):
    assert list(run(sign(key, [job("a")], certificate, *world))) == ["a"]


def test_nothing_to_sign_starts_nothing(run, key, certificate, world):
    signer = Phone(key)
    assert run(sign(signer, [], certificate, *world)) == {}
    assert signer.started == []


def test_a_person_is_waited_for_at_the_providers_pace(run, key, certificate, person, clock, job):
    signer, told = Phone(key, [P, P, C, C, D], poll_after_seconds=8), []

    async def on_pending(transaction):
        told.append((transaction.state, transaction.show))

    run(sign(signer, [job()], certificate, person(), clock, on_pending))
    assert clock.naps == [8, 8, 8, 8]
    assert told == [(P, "4711"), (C, "4711")]


@pytest.mark.parametrize(("given", "pause"), [(0, 3), (0.1, 1)])
def test_a_provider_without_a_pace_is_not_hurried(run, key, certificate, person, clock, job, given, pause):
    run(sign(Phone(key, [P, D], poll_after_seconds=given), [job()], certificate, person(), clock))
    assert clock.naps == [pause]


@pytest.mark.parametrize(("deadline", "waited"), [(60, 60), (None, 300)])
def test_when_time_is_up_the_transaction_is_named(
    run, key, certificate, person, clock, job, deadline, waited
):
    signer = Phone(key, [P] * 1000, deadline_seconds=deadline, poll_after_seconds=7)
    with pytest.raises(StillWaitingError) as caught:
        run(sign(signer, [job()], certificate, person(), clock))
    assert caught.value.reference
    assert caught.value.reference in caught.value.message("vi")
    assert clock.seconds == pytest.approx(waited)
    assert type(caught.value) is StillWaitingError


def test_a_life_that_a_provider_gives_is_waited_for_to_its_end(run, key, certificate, world, job):
    _, clock = world
    with pytest.raises(StillWaitingError):
        run(sign(Phone(key, [P] * 1000, deadline_seconds=900), [job()], certificate, *world))
    assert clock.seconds == pytest.approx(900)


def test_a_clock_that_was_set_back_since_does_not_make_anybody_wait_for_days(run, key, clock):
    saved = SigningTransaction(
        transaction_id="1", backend="phone", state=P, deadline=clock.now() + timedelta(days=3)
    )
    with pytest.raises(StillWaitingError):
        run(followed(Phone(key, [P] * 10_000), saved, clock))
    assert clock.seconds == pytest.approx(300)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (SigningState.DECLINED, (SigningDeclinedError, "signing.declined")),
        (SigningState.EXPIRED, (SigningExpiredError, "signing.expired")),
        (SigningState.FAILED, (SigningError, "signing.failed")),
        (SigningState.AMBIGUOUS, (UnknownOutcomeError, "signing.ambiguous")),
    ],
)
@pytest.mark.parametrize("before", [[], [P]])
def test_every_bad_end_has_an_error_of_its_own(run, key, certificate, world, job, state, expected, before):
    with pytest.raises(expected[0]) as caught:
        run(sign(Phone(key, [*before, state]), [job()], certificate, *world))
    error = caught.value
    assert (type(error), error.code) == expected
    assert (error.parameters["reason"], bool(error.reference)) == ("E7", True)


@pytest.mark.parametrize("trouble", [NotSentError, UnknownOutcomeError, UnexpectedReplyError])
def test_a_question_that_failed_is_asked_again(run, key, certificate, world, job, trouble):
    assert run(sign(Phone(key, [P, trouble(), D]), [job()], certificate, *world))


def test_other_errors_of_a_question_come_through(run, key, certificate, world, job):
    with pytest.raises(KeyPasswordError):
        run(sign(Phone(key, [P, KeyPasswordError()]), [job()], certificate, *world))


def test_a_start_that_may_have_arrived_is_not_repeated(run, key, certificate, world, job):
    signer = Phone(key, [UnknownOutcomeError()])
    with pytest.raises(UnknownOutcomeError):
        run(sign(signer, [job()], certificate, *world))
    assert len(signer.started) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda values: {**values, "b": values["a"]}, "signing.mismatch"),
        (lambda values: {**values, "b": b""}, "signing.mismatch"),
        (lambda values: {"a": values["a"]}, "signing.missing_signature"),
        (lambda values: {**values, "c": values["a"]}, "signing.unexpected_signature"),
        (lambda values: {"a": values["b"], "b": values["a"]}, "signing.mismatch"),
    ],
    ids=["doubled", "empty", "missing", "too many", "exchanged"],
)
def test_a_value_that_does_not_belong_to_its_job_is_refused(run, key, certificate, world, job, change, code):
    with pytest.raises(SignatureMismatchError) as caught:
        run(sign(Phone(key, changed=change), [job("a"), job("b")], certificate, *world))
    assert caught.value.code == code


def test_jobs_are_checked_before_anything_starts(run, key, certificate, world, job):
    signer = Phone(key, largest_batch=1)
    for jobs, kind, code in [
        ([job("a"), job("a")], InputError, "signing.doubled_job"),
        ([job("a"), job("b", digest=b"x")], InputError, "signing.digest_length"),
        (
            [job("a", digest=bytes(48), hash_name=HashName.SHA384)],
            UnsupportedOperationError,
            "signing.hash_unsupported",
        ),
    ]:
        with pytest.raises(kind) as caught:
            run(sign(signer, jobs, certificate, *world))
        assert caught.value.code == code
    assert signer.started == []


def test_a_certificate_that_cannot_verify_starts_nothing(run, key, certificate, world, job):
    signer = Phone(key)
    facts = attrs.evolve(certificate.certificate, der=b"")
    with pytest.raises(UnreadableFileError):
        run(sign(signer, [job()], SigningCertificate(certificate=facts, key_id="1"), *world))
    assert signer.started == []


def test_another_process_goes_on_with_a_transaction(run, key, certificate, person, clock, job):
    kept, signer = [], Phone(key, [P] * 1000)

    async def on_pending(transaction):
        kept.append(transaction)

    with pytest.raises(StillWaitingError):
        run(sign(signer, [job()], certificate, person(), clock, on_pending))
    signer.replies = [D]
    clock.seconds += 86_400
    polls = signer.polls
    assert run(resume(signer, kept[-1], [job()], certificate, clock)).keys() == {"one"}
    assert signer.polls == polls + 1


def test_a_finished_transaction_is_verified_without_asking(run, key, certificate, person, clock, job):
    done = run(key.start([job()], certificate, person(), clock))
    assert run(resume(key, done, [job()], certificate, clock)) == done.signatures


def test_a_transaction_of_another_backend_is_refused(run, key, certificate, clock, job):
    other = SigningTransaction(transaction_id="1", backend="phone", state=P)
    with pytest.raises(InputError) as caught:
        run(resume(key, other, [job()], certificate, clock))
    assert caught.value.code == "signing.other_backend"


def test_a_certificate_that_is_not_rsa_is_refused(certificate, pki, now):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding

    from bhxh_sdk.models import CertificateInfo, SignatureScheme
    from bhxh_sdk.signers.values import public_key

    key, name = ec.generate_private_key(ec.SECP256R1()), pki.root.subject
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    der = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(CertificateUnusableError):
        public_key(CertificateInfo.from_der(der), [SignatureScheme.RSA_PKCS1])


def test_a_question_is_put_to_the_backend_that_started_alone(run, key, clock):
    other = SigningTransaction(transaction_id="1", backend="softkey", state=P)
    signer = Phone(key)
    for question in (asked_after, looked_after):
        with pytest.raises(InputError) as caught:
            run(question(signer, other, clock))
        assert caught.value.code == "signing.other_backend"
    assert signer.polls == 0


@pytest.mark.parametrize("trouble", [NotSentError, UnknownOutcomeError, UnexpectedReplyError])
def test_who_asks_once_sees_why_there_is_no_answer(run, key, clock, trouble):
    waiting = SigningTransaction(transaction_id="1", backend="phone", state=P)
    with pytest.raises(trouble):
        run(asked_after(Phone(key, [trouble()]), waiting, clock))
    assert run(looked_after(Phone(key, [trouble()]), waiting, clock)) is waiting


def test_the_certificate_may_come_with_the_values(run, key, certificate, world, job):
    came = certificate.certificate
    signer = Phone(key, certificate=came.der)
    assert run(sign(signer, [job("a"), job("b")], SigningCertificate.to_come("12"), *world))
    done = SigningTransaction(transaction_id="1", backend="phone", state=D, certificate=came.der)
    found = key_of(done, SigningCertificate.to_come("12"))
    assert (found.certificate, found.key_id, found.comes_later) == (came, "12", False)
    assert key_of(done, certificate) is certificate


@pytest.mark.parametrize(
    ("came", "code"),
    [(b"", "signing.no_certificate_came"), (b"no certificate", "document.certificate_unreadable")],
)
def test_a_certificate_that_does_not_come_is_missed(run, key, world, job, came, code):
    with pytest.raises(CertificateUnusableError) as caught:
        run(sign(Phone(key, certificate=came), [job()], SigningCertificate.to_come(), *world))
    assert (caught.value.code, bool(caught.value.reference)) == (code, True)


def test_values_must_fit_the_certificate_that_came(run, key, world, job, pki):
    foreign = pki.issue(own_key=True).der
    with pytest.raises(SignatureMismatchError):
        run(sign(Phone(key, certificate=foreign), [job()], SigningCertificate.to_come(), *world))


def test_who_declined_showed_no_certificate_and_needs_none(run, key, world, job):
    with pytest.raises(SigningDeclinedError):
        run(sign(Phone(key, [SigningState.DECLINED]), [job()], SigningCertificate.to_come(), *world))


class TwoCalls(Phone):
    """A signer whose question leads to a further call, of which an intent is kept."""

    async def start_noted(self, jobs, certificate, ask, clock, note):
        return await self.start(jobs, certificate, ask, clock)

    async def result_noted(self, transaction, clock, note):
        if note is not None and self.replies[:1] != [P]:
            await note(attrs.evolve(transaction, state=SigningState.INTENDED, stage="signing"))
        return await self.result(transaction, clock)


@pytest.mark.parametrize("trouble", [NotSentError(), UnknownOutcomeError()])
def test_a_further_call_that_was_not_sent_leaves_the_transaction_as_it_stood(run, key, clock, trouble):
    waiting = SigningTransaction(transaction_id="1", backend="phone", state=P)
    kept = []

    async def keep(transaction):
        kept.append(transaction.state)

    assert run(looked_after(TwoCalls(key, [trouble]), waiting, clock, keep)) is waiting
    not_sent = isinstance(trouble, NotSentError)
    assert kept == ([SigningState.INTENDED, P] if not_sent else [SigningState.INTENDED])
    assert run(looked_after(TwoCalls(key, [trouble]), waiting, clock)) is waiting


def test_a_question_that_was_not_sent_changes_no_notes(run, key, clock):
    class Quiet(TwoCalls):
        async def result_noted(self, transaction, clock, note):
            raise NotSentError

    kept = []
    waiting = SigningTransaction(transaction_id="1", backend="phone", state=P)
    assert run(looked_after(Quiet(key), waiting, clock, kept.append)) is waiting
    assert kept == []
