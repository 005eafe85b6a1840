from __future__ import annotations

import copy
import hashlib
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from signers.pkcs11.fakes import PIN, FakeModule, FakeSource, certificate, token_of

from bhxh_sdk.errors import (
    CertificateUnusableError,
    InputError,
    KeyNotFoundError,
    PersonNeededError,
    SignatureMismatchError,
    SigningDeclinedError,
    SigningError,
    UnsupportedOperationError,
    WrongTypeError,
)
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import HashName, LocalSigner, SigningState, choose_certificate, sign
from bhxh_sdk.signers.pkcs11 import KeyCriteria, TokenCriteria, TokenSigner, pin_memory
from bhxh_sdk.signers.pkcs11.contract import TokenCertificate
from bhxh_sdk.signers.pkcs11.pin_memory import PinMemory
from bhxh_sdk.signers.values import public_key, signature_fits
from bhxh_sdk.token_errors import (
    DriverCrashedError,
    PinError,
    PinLastTryError,
    PinLockedError,
    TokenError,
    TokenNotFoundError,
    TokenRemovedError,
)

RSA, PSS, ECDSA = SignatureScheme.RSA_PKCS1, SignatureScheme.RSA_PSS, SignatureScheme.ECDSA


pytestmark = pytest.mark.usefixtures("fresh_memory")


@pytest.fixture
def token(shelf):
    return token_of(shelf.a1, shelf.authority)


@pytest.fixture
def make(module):
    """Make a signer with the token, or with other modules."""
    made = []

    def signer(*modules, **options):
        made.append(TokenSigner(FakeSource(*(modules or (module,))), **options))
        return made[-1]

    yield signer
    for each in made:
        each.close()


@pytest.fixture
def start(run, job, clock):
    """Have a signer sign documents, one where none is named."""

    def signed(signer, chosen, answer, *names, **changes):
        jobs = [job(name, **changes) for name in names or ("one",)]
        return run(signer.start(jobs, chosen, answer, clock))

    return signed


@pytest.fixture
def own(run):
    """Return the certificate of a signer that may sign."""

    def choose(signer, moment=datetime(2026, 9, 1, tzinfo=UTC)):
        return choose_certificate(run(signer.certificates()), None, moment)

    return choose


def test_certificates_are_listed_without_a_pin_and_their_key_is_unknown(run, make, module):
    signer = make()
    listed = run(signer.certificates())
    assert [item.has_private_key for item in listed] == [None, None]
    assert listed[0].key_id == "pkcs11:token=HR;serial=0A1B;id=%A1"
    assert module.logins == []
    run(signer.certificates())
    assert module.calls["C_OpenSession"] == 1


def test_a_signature_is_finished_at_once_and_fits(start, run, make, own, person, clock, job, module):
    signer = make()
    chosen, answer = own(signer), person(PIN)
    done = start(signer, chosen, answer, "a", "b")
    assert (done.state, done.backend, done.key_id) == (SigningState.DONE, "pkcs11", chosen.key_id)
    key = public_key(chosen.certificate, [RSA])
    assert all(signature_fits(key, job(name), done.signatures[name]) for name in ("a", "b"))
    assert module.logins == [(PIN, 1)]
    assert [asked.purpose for asked in answer.asked] == ["pin"]
    assert run(signer.result(done, clock)) is done


def test_after_login_it_is_known_which_certificate_has_a_key(start, run, make, own, person):
    signer = make()
    start(signer, own(signer), person(PIN))
    assert [item.has_private_key for item in run(signer.certificates())] == [True, False]


def test_one_login_serves_every_document(run, make, own, person, clock, job, module):
    signer = make()
    chosen, answer = own(signer), person(PIN)
    for name in "abc":
        run(sign(signer, [job(name)], chosen, answer, clock))
    assert len(answer.asked) == 1
    assert module.logins == [(PIN, 1)]
    assert module.calls["C_OpenSession"] == 1


def test_a_thousand_documents_cost_one_login_and_one_question(run, make, own, person, module):
    signer = make()
    chosen, answer = own(signer), person(PIN)
    assert isinstance(signer, LocalSigner)
    key = run(signer.local_key(chosen, answer))
    for number in range(1000):
        key(hashlib.sha256(str(number).encode()).digest(), HashName.SHA256, RSA)
    assert (len(answer.asked), module.logins) == (1, [(PIN, 1)])
    assert module.calls["C_Sign"] == 1000


@pytest.mark.parametrize("hash_name", list(HashName))
@pytest.mark.parametrize("scheme", [RSA, PSS])
def test_every_hash_function_and_scheme_is_signed(run, make, own, person, clock, job, hash_name, scheme):
    signer = make()
    chosen = own(signer)
    digest = hashlib.new(hash_name.value, b"x").digest()
    work = job(digest=digest, hash_name=hash_name, scheme=scheme)
    values = run(sign(signer, [work], chosen, person(PIN), clock))
    assert signature_fits(public_key(chosen.certificate, [scheme]), work, values["one"])
    key = run(signer.local_key(chosen, person()))
    assert signature_fits(public_key(chosen.certificate, [scheme]), work, key(digest, hash_name, scheme))


def test_a_key_on_a_curve_signs(run, make, shelf, person, clock, job):
    signer = make(FakeModule(token_of(shelf.f6)))
    (chosen,) = run(signer.certificates())
    work = job(scheme=ECDSA)
    values = run(sign(signer, [work], chosen, person(PIN), clock))
    assert len(values["one"]) == 64
    key = run(signer.local_key(chosen, person()))
    assert signature_fits(
        public_key(chosen.certificate, [ECDSA]), work, key(work.digest, HashName.SHA256, ECDSA)
    )


def test_a_token_that_hashes_itself_gets_the_document(run, make, own, token, person, clock, job):
    token.mechanisms = frozenset({0x40})
    signer = make()
    chosen = own(signer)
    with pytest.raises(UnsupportedOperationError) as caught:
        run(signer.local_key(chosen, person(PIN)))
    assert caught.value.code == "pkcs11.whole_document_needed"
    run(sign(signer, [job(signed_info=b"one")], chosen, person(PIN), clock))


@pytest.mark.parametrize(
    ("mechanisms", "scheme", "code"),
    [
        ({0x1}, PSS, "pkcs11.mechanism_missing"),
        ({0x1041}, RSA, "pkcs11.mechanism_missing"),
        ({0x1041}, ECDSA, "signing.certificate_not_p256"),
    ],
)
def test_what_the_token_cannot_do_is_said_before_the_pin_is_asked_for(
    start, make, own, token, person, mechanisms, scheme, code
):
    token.mechanisms = frozenset(mechanisms)
    signer, answer = make(), person(PIN)
    with pytest.raises((UnsupportedOperationError, CertificateUnusableError)) as caught:
        start(signer, own(signer), answer, scheme=scheme)
    assert (caught.value.code, answer.asked) == (code, [])


def test_a_local_key_refuses_before_the_pin_what_the_token_cannot_do(run, make, own, token, person):
    signer = make()
    chosen = own(signer)
    token.mechanisms = frozenset({0x1041})
    with pytest.raises(UnsupportedOperationError):
        run(signer.local_key(chosen, person()))
    token.mechanisms = frozenset({0xD})
    key = run(signer.local_key(chosen, person(PIN)))
    with pytest.raises(UnsupportedOperationError):
        key(bytes(32), HashName.SHA256, RSA)
    with pytest.raises(CertificateUnusableError):
        key(bytes(32), HashName.SHA256, ECDSA)
    assert key(bytes(32), HashName.SHA256, PSS)
    with pytest.raises(InputError):
        key(bytes(20), HashName.SHA256, PSS)


@pytest.mark.parametrize(("days", "word"), [(2000, "expired"), (-400, "not_yet_valid")])
def test_a_certificate_that_is_not_valid_now_costs_no_pin(start, run, make, own, person, clock, days, word):
    signer = make(clock=clock)
    chosen, answer = own(signer), person(PIN)
    clock.seconds = timedelta(days=days).total_seconds()
    for attempt in (lambda: start(signer, chosen, answer), lambda: run(signer.local_key(chosen, answer))):
        with pytest.raises(CertificateUnusableError) as caught:
            attempt()
        assert caught.value.code == f"signing.certificate_{word}"
    assert answer.asked == []


def test_jobs_that_cannot_be_signed_touch_no_token(run, make, own, person, clock, job, module):
    signer = make()
    chosen = own(signer)
    before = module.calls.total()
    with pytest.raises(InputError):
        run(signer.start([job("a"), job("a")], chosen, person(PIN), clock))
    assert module.calls.total() == before


# PIN care


def test_a_wrong_pin_is_sent_once_and_the_person_may_enter_another(start, make, own, person, module):
    signer = make()
    chosen, answer = own(signer), person("0000", PIN)
    with pytest.raises(PinError):
        start(signer, chosen, answer, "a", "b")
    assert module.logins == [("0000", 1)]
    assert module.calls["C_Sign"] == 0
    start(signer, chosen, answer)
    assert module.logins == [("0000", 1), (PIN, 1)]
    assert "a wrong PIN was entered before" in answer.asked[1].subject


@pytest.mark.parametrize("entered", ["", "123", "1" * 17, "1234\n", "12\x0034"])
def test_a_pin_of_a_wrong_form_costs_no_try(start, make, own, person, module, entered):
    signer = make()
    with pytest.raises(PinError) as caught:
        start(signer, own(signer), person(entered))
    assert caught.value.code == "pin.form"
    assert module.logins == []


def test_a_locked_token_is_never_touched(start, make, own, token, person, module):
    token.left = 0
    signer, answer = make(allow_last_try=True), person(PIN)
    with pytest.raises(PinLockedError):
        start(signer, own(signer), answer)
    assert (module.logins, answer.asked) == ([], [])


@pytest.mark.parametrize("style", ["plain", "exclusive"])
def test_the_last_try_is_kept_unless_somebody_says_so(start, make, own, token, person, module, style):
    token.left, token.flag_style = 1, style
    signer, answer = make(), person(PIN)
    with pytest.raises(PinLastTryError):
        start(signer, own(signer), answer)
    assert (module.logins, answer.asked) == ([], [])
    brave = make(allow_last_try=True)
    start(brave, own(brave), answer)
    assert "the last try" in answer.asked[0].subject
    assert token.left == 3


def test_flags_that_change_while_the_person_types_count(start, make, own, token, module):
    class Slow:
        async def secret(self, question):
            token.left = 1  # somebody else spent tries
            return Secret(PIN)

    signer = make()
    with pytest.raises(PinLastTryError):
        start(signer, own(signer), Slow())
    assert module.logins == []


def test_a_token_that_is_pulled_out_while_the_person_types_gets_no_pin(start, make, own, token, module):
    class Slow:
        async def secret(self, question):
            token.pull_out()
            return Secret(PIN)

    signer = make()
    with pytest.raises(TokenRemovedError):
        start(signer, own(signer), Slow())
    assert module.logins == []


@pytest.mark.parametrize("style", ["none", "low_only"])
def test_a_token_that_does_not_tell_is_not_locked(start, make, own, token, person, style):
    token.flag_style, token.last_wrong = style, 0xA0
    signer = make()
    chosen = own(signer)
    for wrong in ("0000", "1111"):
        with pytest.raises(PinError):
            start(signer, chosen, person(wrong))
    answer = person(PIN)
    with pytest.raises(PinLastTryError) as caught:
        start(signer, chosen, answer)
    assert caught.value.code == "pin.maybe_last_try"
    assert (token.left, answer.asked) == (1, [])


def test_a_given_pin_that_is_wrong_is_never_sent_again(start, make, own, person, module):
    signer = make(pin=Secret("0000"))
    chosen = own(signer)
    for code in ("token.pin_incorrect_few_left", "pin.refused_before"):
        with pytest.raises(PinError) as caught:
            start(signer, chosen, person(PIN))
        assert caught.value.code == code
    assert module.logins == [("0000", 1)]


@pytest.mark.parametrize("answer", [0x05, 0x30, 0x80000123, DriverCrashedError(name="x")])
def test_a_given_pin_is_never_sent_again_after_an_ambiguous_answer(run, make, own, person, module, answer):
    signer = make(pin=Secret(PIN))
    chosen = own(signer)
    module.failures["C_Login"] = [answer]
    with pytest.raises(TokenError):
        run(signer.local_key(chosen, person()))
    with pytest.raises(PinError) as caught:
        run(signer.local_key(chosen, person()))
    assert caught.value.code == "pin.refused_before"
    assert len(module.logins) == 1


def test_a_given_pin_lasts_where_the_token_was_pulled_out_before_it_was_sent(run, make, own, person, token):
    signer = make(pin=Secret(PIN))
    chosen = own(signer)
    token.pull_out()
    with pytest.raises(TokenError):
        run(signer.local_key(chosen, person()))
    token.put_back()
    assert run(signer.local_key(chosen, person()))(bytes(32), HashName.SHA256, RSA)


@pytest.mark.parametrize("answer_code", [0x05, 0x06, 0x30, 0x80000001, None])
def test_an_ambiguous_answer_is_never_tried_again(start, make, own, person, module, answer_code):
    signer = make()
    chosen = own(signer)
    module.failures["C_Login"] = [answer_code or 0x101]
    with pytest.raises(TokenError):
        start(signer, chosen, person(PIN))
    assert len(module.logins) == 1
    start(signer, chosen, person(PIN))


def test_a_driver_that_crashes_at_login_may_have_counted_the_entry(
    start, make, own, person, module, fresh_memory, token
):
    signer = make()
    chosen = own(signer)
    module.failures["C_Login"] = [DriverCrashedError(name="x")]
    with pytest.raises(DriverCrashedError):
        start(signer, chosen, person(PIN))
    assert fresh_memory.wrong(token.info) == 1


def test_without_anybody_to_ask_no_pin_is_sent(start, make, own, person, module):
    signer = make()
    with pytest.raises(PersonNeededError):
        start(signer, own(signer), person())
    assert module.logins == []


def test_on_a_pad_no_pin_is_asked_for(start, make, own, token, person, module):
    token.pad = PIN
    signer, answer = make(), person(True)
    start(signer, own(signer), answer)
    assert [asked.purpose for asked in answer.asked] == ["pin_pad"]
    assert module.logins == [(None, 1)]


def test_on_a_pad_a_person_may_say_no(start, make, own, token, person, module):
    token.pad = PIN
    signer = make()
    with pytest.raises(SigningDeclinedError):
        start(signer, own(signer), person(False))
    assert module.logins == []


# Keys that want the PIN for each signature


def test_a_key_that_wants_the_pin_each_time_costs_one_question_for_a_batch(
    start, run, make, own, token, person, module
):
    token.always = True
    signer, answer = make(), person(PIN, PIN)
    chosen = own(signer)
    start(signer, chosen, answer, "a", "b")
    assert module.logins == [(PIN, 1), (PIN, 2), (PIN, 2)]
    assert len(answer.asked) == 1
    start(signer, chosen, answer, "c")
    assert len(answer.asked) == 2
    key = run(signer.local_key(chosen, person(PIN)))
    for _ in range(3):
        key(bytes(32), HashName.SHA256, RSA)
    signer.close()
    with pytest.raises(SigningError) as caught:
        key(bytes(32), HashName.SHA256, RSA)
    assert caught.value.code == "signing.closed"


def test_a_wrong_pin_for_such_a_key_ends_the_batch(start, make, own, token, person, module):
    token.always = True
    signer = make()
    chosen = own(signer)
    start(signer, chosen, person(PIN))
    module.logins.clear()
    with pytest.raises(PinError):
        start(signer, chosen, person("0000"), "a", "b")
    assert module.logins == [("0000", 2)]


def test_such_a_key_forgets_the_pin_with_the_first_failure(run, make, own, token, person, module):
    token.always = True
    signer = make()
    key = run(signer.local_key(own(signer), person(PIN)))
    key(bytes(32), HashName.SHA256, RSA)
    token.pin = "changed elsewhere"
    module.logins.clear()
    for code in ("token.pin_incorrect_few_left", "pin.refused_before", "pin.refused_before"):
        with pytest.raises(PinError) as caught:
            key(bytes(32), HashName.SHA256, RSA)
        assert caught.value.code == code
    assert len(module.logins) == 1


def test_a_given_pin_that_such_a_key_refused_is_never_sent_again(run, make, own, token, person, module):
    token.always = True
    first = make()
    run(first.local_key(own(first), person(PIN)))
    signer = make(pin=Secret("0000"))
    module.logins.clear()
    with pytest.raises(PinError):
        run(signer.local_key(own(signer), person()))(bytes(32), HashName.SHA256, RSA)
    with pytest.raises(PinError) as caught:
        run(signer.local_key(own(signer), person()))
    assert caught.value.code == "pin.refused_before"
    assert module.logins == [("0000", 2)]


def test_a_crash_of_such_a_key_counts_as_an_entry(run, make, own, token, person, module, fresh_memory):
    token.always = True
    signer = make()
    key = run(signer.local_key(own(signer), person(PIN)))
    module.failures["C_Sign"] = [DriverCrashedError(name="x")]
    with pytest.raises(DriverCrashedError):
        key(bytes(32), HashName.SHA256, RSA)
    assert fresh_memory.wrong(token.info) == 1
    signer.close()
    with pytest.raises(SigningError):
        key(bytes(32), HashName.SHA256, RSA)


def test_such_a_key_keeps_the_last_try(run, make, own, token, person, module):
    token.always = True
    signer = make()
    key = run(signer.local_key(own(signer), person(PIN)))
    token.left = 1
    module.logins.clear()
    with pytest.raises(PinLastTryError):
        key(bytes(32), HashName.SHA256, RSA)
    assert module.logins == []


def test_such_a_key_that_fails_for_another_reason_tells_it(run, make, own, token, person, module):
    token.always = True
    signer = make()
    key = run(signer.local_key(own(signer), person(PIN)))
    module.failures["C_Sign"] = [0x30]
    with pytest.raises(TokenError) as caught:
        key(bytes(32), HashName.SHA256, RSA)
    assert caught.value.ckr == 0x30


def test_on_a_pad_such_a_key_asks_the_device_each_time(start, make, own, token, person, module):
    token.always, token.pad = True, PIN
    signer = make()
    start(signer, own(signer), person(True), "a", "b")
    assert module.logins == [(None, 1), (None, 2), (None, 2)]


# Keys and certificates


def test_a_certificate_without_its_key_is_told_after_the_login(start, run, make, shelf, person):
    signer = make(FakeModule(token_of(shelf.a1, shelf.b2)))
    listed = run(signer.certificates())
    with pytest.raises(KeyNotFoundError) as caught:
        start(signer, listed[1], person(PIN))
    assert caught.value.code == "pairing.no_key"
    assert [item.has_private_key for item in run(signer.certificates())] == [True, False]


def test_a_token_without_login_tells_at_once(start, run, make, shelf, person):
    signer = make(FakeModule(token_of(shelf.a1, shelf.b2, login_required=False)))
    listed = run(signer.certificates())
    assert [item.has_private_key for item in listed] == [True, False]
    start(signer, listed[0], person())
    with pytest.raises(KeyNotFoundError):
        start(signer, listed[1], person())


def test_a_key_may_be_named_where_nobody_could_tell(start, run, make, shelf, person, clock, job):
    token = token_of(shelf.a1, shelf.a2, hide_modulus=True)
    token.certificates = [TokenCertificate(der=shelf.a1.certificate)]
    signer = make(FakeModule(token))
    (chosen,) = run(signer.certificates())
    with pytest.raises(KeyNotFoundError) as caught:
        start(signer, chosen, person(PIN))
    assert caught.value.code == "pairing.several_keys"
    named = make(FakeModule(token), key=KeyCriteria(key_id=b"\xa1", kind="private"))
    run(sign(named, [job()], chosen, person(PIN), clock))


def test_a_key_that_is_not_the_certificates_signs_nothing(start, run, make, own, shelf, token, person):
    token.wrong_key = shelf.a2.key
    signer = make()
    chosen = own(signer)
    with pytest.raises(SignatureMismatchError) as caught:
        start(signer, chosen, person(PIN))
    assert caught.value.code == "pairing.mismatch"
    key = run(signer.local_key(chosen, person()))
    with pytest.raises(SignatureMismatchError):
        key(bytes(32), HashName.SHA256, RSA)


def test_a_certificate_of_somebody_else_is_told(start, make, own, shelf, person):
    signer = make()
    other = make(FakeModule(token_of(shelf.a2)))
    with pytest.raises(KeyNotFoundError) as caught:
        start(signer, own(other), person(PIN))
    assert caught.value.code == "signing.not_this_key"


def test_two_signers_share_the_login_of_the_process(start, make, own, module, person):
    first, second = make(), make()
    chosen = own(first)
    start(first, chosen, person(PIN))
    start(second, chosen, person())
    first.close()
    start(second, chosen, person())
    assert module.logins == [(PIN, 1)]


# Removal, loss and closing


def test_a_token_that_is_not_there_is_told_and_one_that_comes_later_is_used(
    run, make, own, token, person, clock, job
):
    signer = make()
    chosen = own(signer)
    token.pull_out()
    for attempt in (signer.certificates(), signer.start([job()], chosen, person(PIN), clock)):
        with pytest.raises(TokenNotFoundError):
            run(attempt)
    token.put_back()
    run(sign(signer, [job()], chosen, person(PIN), clock))


def test_a_token_that_is_pulled_out_while_it_signs_is_told(run, make, own, token, person, module):
    signer = make()
    chosen = own(signer)
    key = run(signer.local_key(chosen, person(PIN)))
    key(bytes(32), HashName.SHA256, RSA)
    token.pull_out()
    with pytest.raises(TokenRemovedError):
        key(bytes(32), HashName.SHA256, RSA)
    token.put_back()
    with pytest.raises(TokenError):
        key(bytes(32), HashName.SHA256, RSA)
    assert module.logins == [(PIN, 1)]
    answer = person(PIN)
    again = run(signer.local_key(chosen, answer))
    assert again(bytes(32), HashName.SHA256, RSA)
    assert len(answer.asked) == 1


@pytest.mark.parametrize("lost", [0xB3, 0xB0, 0x82, 0x190])
def test_a_lost_session_is_opened_again_once_where_that_takes_no_pin(
    run, make, own, token, person, module, lost
):
    token.login_required = False
    signer = make()
    key = run(signer.local_key(own(signer), person()))
    key(bytes(32), HashName.SHA256, RSA)
    module.failures["C_Sign"] = [lost]
    assert key(bytes(32), HashName.SHA256, RSA)
    assert module.calls["C_OpenSession"] == 2
    module.failures["C_Sign"] = [lost, lost]
    with pytest.raises(TokenError):
        key(bytes(32), HashName.SHA256, RSA)


def test_a_lost_session_whose_login_is_lost_too_is_an_error(run, make, own, person, module):
    signer = make()
    key = run(signer.local_key(own(signer), person(PIN)))
    module.failures["C_Sign"] = [0xB3]
    with pytest.raises(TokenError) as caught:
        key(bytes(32), HashName.SHA256, RSA)
    assert caught.value.ckr == 0xB3
    assert module.logins == [(PIN, 1)]


def test_after_a_lost_session_the_first_value_is_verified_again(run, make, own, token, shelf, person, module):
    token.login_required = False
    signer = make()
    key = run(signer.local_key(own(signer), person()))
    key(bytes(32), HashName.SHA256, RSA)
    module.failures["C_Sign"] = [0xB3]
    token.wrong_key = shelf.a2.key
    with pytest.raises(SignatureMismatchError):
        key(bytes(32), HashName.SHA256, RSA)


@pytest.mark.parametrize("failure", [0x05, 0x90, 0x70, 0x80000001])
def test_any_other_failure_is_told_and_the_next_call_begins_anew(start, make, own, person, module, failure):
    signer = make()
    chosen = own(signer)
    module.failures["C_Sign"] = [failure]
    with pytest.raises((TokenError, UnsupportedOperationError)):
        start(signer, chosen, person(PIN))
    assert module.sessions == []
    start(signer, chosen, person(PIN))


def test_a_driver_that_crashes_while_it_signs_is_told(start, make, own, person, module):
    signer = make()
    chosen = own(signer)
    module.failures["C_Sign"] = [DriverCrashedError(name="x")]
    with pytest.raises(DriverCrashedError):
        start(signer, chosen, person(PIN))
    assert module.sessions == []


def test_a_login_that_somebody_else_ended_is_made_again(start, make, own, token, person):
    signer = make()
    chosen = own(signer)
    start(signer, chosen, person(PIN))
    token.log_out()
    answer = person(PIN)
    start(signer, chosen, answer)
    assert len(answer.asked) == 1


def test_a_session_that_died_between_two_calls_is_replaced(start, make, own, token, person):
    signer = make()
    chosen = own(signer)
    start(signer, chosen, person(PIN))
    token.pull_out()
    token.put_back()
    answer = person(PIN)
    start(signer, chosen, answer)
    assert len(answer.asked) == 1


def test_a_closed_signer_signs_nothing(start, run, make, own, person, module):
    signer = make(pin=PIN)
    chosen = own(signer)
    key = run(signer.local_key(chosen, person()))
    signer.close()
    signer.close()
    assert module.sessions == []
    attempts = (
        lambda: run(signer.certificates()),
        lambda: start(signer, chosen, person(PIN)),
        lambda: run(signer.local_key(chosen, person(PIN))),
        lambda: key(bytes(32), HashName.SHA256, RSA),
    )
    for attempt in attempts:
        with pytest.raises(SigningError) as caught:
            attempt()
        assert caught.value.code == "signing.closed"


def test_nothing_shows_the_pin(make):
    signer = make(pin="hunter22", token=TokenCriteria(label="HR"))
    assert repr(signer) == "TokenSigner(label=HR)"
    assert repr(make()) == "TokenSigner(any token)"
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(signer)


def test_a_pin_of_another_type_is_refused():
    with pytest.raises(WrongTypeError):
        TokenSigner(FakeSource(), pin=1234)


def test_the_memory_of_wrong_pins_is_the_processs():
    assert isinstance(pin_memory.memory, PinMemory)


def test_a_certificate_is_found_by_its_bytes_where_its_id_is_another(run, make, own, person, clock, job):
    signer = make()
    chosen = evolve(own(signer), key_id="named otherwise")
    run(sign(signer, [job()], chosen, person(PIN), clock))


def test_a_certificate_written_after_the_listing_is_found(run, make, own, shelf, token, person, clock, job):
    signer = make()
    own(signer)
    later = make(FakeModule(token_of(shelf.a2)))
    chosen = own(later)
    token.certificates.append(certificate(shelf.a2))
    token.keys.append((b"\xa2", "second", shelf.a2.key))
    run(sign(signer, [job()], chosen, person(PIN), clock))
