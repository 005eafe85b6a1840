"""Ways in which a wrong PIN could go out once more, or its try be forgotten: each of them is shut."""

from __future__ import annotations

import signal
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import pytest
from signers.pkcs11.fakes import PIN, FakeModule, FakeSource
from signers.pkcs11.test_never_locked import JOBS, Clock, Person
from tokens.entries import shelf as entries

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import SigningDeclinedError
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import HashName, SigningJob
from bhxh_sdk.signers.pkcs11 import TokenSigner, pin
from bhxh_sdk.signers.pkcs11.contract import CkrError
from bhxh_sdk.signers.pkcs11.loading import BINDINGS
from bhxh_sdk.signers.pkcs11.opened import OpenedToken
from bhxh_sdk.signers.pkcs11.opened_key import OpenedKey
from bhxh_sdk.token_errors import DriverCrashedError, PinError, PinLastTryError, TokenError

pytestmark = pytest.mark.usefixtures("fresh_memory")

WRONG = "24681357"
OTHER = "97531864"
simulated = pytest.mark.skipif(sys.platform != "linux", reason="the simulator is written for Linux")


def attempt(signer, *entries_of_a_person):
    """Sign with the first key of the shelf; return the code of the PIN's error, or nothing."""
    listed = run_blocking(signer.certificates())
    own = next(one for one in listed if one.certificate.der == entries().a1.certificate)
    try:
        run_blocking(signer.start(JOBS, own, Person(*entries_of_a_person), Clock()))
    except PinError as error:
        return error.code
    return ""


@pytest.fixture
def make(module):
    """Make a signer with the module of this room, or with others."""
    made = []

    def signer(*modules, **options):
        made.append(TokenSigner(FakeSource(*(modules or (module,))), **options))
        return made[-1]

    yield signer
    for each in made:
        each.close()


@pytest.fixture
def key_of(token, module, shelf):
    """Make a key that wants its PIN each time, on a token that is open."""
    token.always, token.login_required = True, False

    def key(given=PIN, **options):
        opened = OpenedToken(module, token.info)
        (found,) = opened.keys()
        info = CertificateInfo.from_der(shelf.a1.certificate)
        return OpenedKey(opened, info, found, lambda: None, pin=given and Secret(given), **options)

    return key


def signs(key):
    job = SigningJob(document_id="one", digest=bytes(32))
    return key(job.digest, HashName.SHA256, job.scheme)


# What is remembered


@simulated
@pytest.mark.needs_tool("softhsm2-util", "cc")
@pytest.mark.parametrize("binding", BINDINGS)
def test_flags_that_a_driver_forgets_do_not_give_a_try_back(simulator, binding):
    for wrong in (WRONG, OTHER):
        signer = TokenSigner.from_module(simulator.module, binding=binding)
        assert attempt(signer, wrong).startswith("token.pin_incorrect")
        signer.close()
    simulator.pull_out()
    simulator.insert()
    simulator.set(pin_style="no_flags")
    signer = TokenSigner.from_module(simulator.module, binding=binding)
    assert attempt(signer, "11223344") == "pin.maybe_last_try"
    assert simulator.tries_left("single") == 1
    signer.close()


def test_the_count_holds_under_another_name_and_through_another_driver(make, module, token):
    other_token = evolve_token(token, label="Renamed", manufacturer="Other", model="Two")
    other = FakeModule(other_token, path="/other.so")
    assert attempt(make(), WRONG).startswith("token.pin_incorrect")
    other_token.left = token.left
    assert attempt(make(other), OTHER).startswith("token.pin_incorrect")
    token.flag_style = other_token.flag_style = "none"
    assert attempt(make(), PIN) == "pin.maybe_last_try"
    assert (len(module.logins), len(other.logins)) == (1, 1)


def evolve_token(token, **changes):
    other = type(token)(certificates=token.certificates, keys=token.keys)
    for name, value in changes.items():
        setattr(other, name, value)
    return other


def test_a_refused_pin_at_hand_is_not_sent_by_the_next_signer(make, module, monkeypatch):
    monkeypatch.setenv("TOKEN_PIN", WRONG)
    assert attempt(make(pin=WRONG)).startswith("token.pin_incorrect")
    for again in (make(pin=WRONG), make(pin_env="TOKEN_PIN")):
        assert attempt(again) == "pin.refused_before"
    assert len(module.logins) == 1
    assert attempt(make(pin=PIN)) == ""


def test_a_refused_pin_that_a_person_types_again_costs_no_try(make, module, token):
    signer = make()
    assert attempt(signer, WRONG).startswith("token.pin_incorrect")
    left = token.left
    assert attempt(signer, WRONG) == "pin.refused_before"
    assert token.left == left
    assert attempt(signer, PIN) == ""
    assert len(module.logins) == 2


def test_the_other_binding_does_not_send_it_either(make_simulator, fresh_memory):
    first, second = make_simulator(), make_simulator()
    for simulator, binding in ((first, "python-pkcs11"), (second, "pykcs11")):
        signer = TokenSigner.from_module(simulator.module, binding=binding, pin=WRONG)
        assert attempt(signer)
        signer.close()
    assert len(first.calls("C_Login")) == 1
    assert second.calls("C_Login") == []


# Signals and crashes


@contextmanager
def interrupted_after(seconds):
    def handle(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@simulated
@pytest.mark.needs_tool("softhsm2-util", "cc")
@pytest.mark.parametrize("binding", BINDINGS)
def test_a_signal_while_the_pin_is_on_its_way_counts_and_shows_no_pin(simulator, binding, fresh_memory):
    given = [TokenSigner.from_module(simulator.module, binding=binding, pin=WRONG) for _ in range(2)]
    run_blocking(given[0].certificates())
    simulator.set(hang={"C_Login": 1})
    with pytest.raises(KeyboardInterrupt) as caught, interrupted_after(0.6):
        attempt(given[0])
    frames = [frame.f_locals for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    own = [found for found in frames if found.get("given") is not given]
    codes = repr([ord(digit) for digit in WRONG])
    shown = " ".join(repr(value) for found in own for value in found.values())
    assert WRONG not in shown
    assert codes not in shown
    simulator.set(hang=None)
    assert attempt(given[0]) == "pin.refused_before"
    assert attempt(given[1]) == "pin.refused_before"
    assert len([call for call in simulator.calls("C_Login") if call.result is not None]) == 1
    assert simulator.tries_left("single") == 2
    for signer in given:
        signer.close()


def test_a_signal_at_login_marks_the_given_pin_as_spent(make, module, token, fresh_memory):
    signer = make(pin=PIN)
    module.failures["C_Login"] = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        attempt(signer)
    assert fresh_memory.wrong(token.info) == 1
    assert module.sessions == []
    assert attempt(signer) == "pin.refused_before"
    assert len(module.logins) == 1
    assert attempt(make(), PIN) == ""
    assert fresh_memory.wrong(token.info) == 0


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), DriverCrashedError(name="x")])
def test_a_signal_or_a_crash_of_a_key_that_wants_its_pin_counts(key_of, module, token, fresh_memory, failure):
    told = []
    key = key_of(refused=lambda: told.append("refused"))
    module.failures["C_Sign"] = [failure]
    with pytest.raises(type(failure)):
        signs(key)
    assert (fresh_memory.wrong(token.info), told, module.sessions) == (1, ["refused"], [])
    with pytest.raises(PinError) as caught:
        signs(key)
    assert caught.value.code == "pin.refused_before"
    assert module.logins == []
    assert signs(key_of())


def test_signals_at_every_login_end_before_the_last_try(make, module):
    module.failures["C_Login"] = [KeyboardInterrupt() for _ in range(2)]
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            attempt(make(), PIN)
    assert attempt(make(), PIN) == "pin.maybe_last_try"
    assert len(module.logins) == 2


def test_a_session_that_cannot_be_opened_has_taken_no_pin(module, token, fresh_memory):
    opened = OpenedToken(module, token.info)
    module.failures["C_OpenSession"] = [0x05]
    with pytest.raises(Exception, match="token"):
        opened.log_in(Secret(PIN), allow_last_try=False)
    assert fresh_memory.wrong(token.info) == 0
    opened.log_in(Secret(PIN), allow_last_try=False)


# Threads, and logins that are there already


def slow(module, *names):
    """Let some functions take their time, so that threads that are not held off meet in them."""
    called = module.called

    def late(name):
        if name in names:
            time.sleep(0.05)
        called(name)

    module.called = late


def in_threads(count, work):
    meeting = Barrier(count, timeout=5)

    def one(number):
        meeting.wait()
        return work(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def test_threads_send_a_wrong_pin_at_hand_once(make, module, token):
    signer = make(pin=WRONG)
    slow(module, "C_Login")
    said = in_threads(3, lambda _: attempt(signer))
    assert sorted(said)[:2] == ["pin.refused_before"] * 2
    assert (module.logins, token.left) == ([(WRONG, 1)], 2)


def test_threads_that_get_to_the_login_together_send_a_pin_at_hand_once(module, token):
    opened = [OpenedToken(module, token.info) for _ in range(3)]
    slow(module, "C_Login")

    def log_in(number):
        with pytest.raises(PinError):
            opened[number].log_in(Secret(WRONG), allow_last_try=False)

    in_threads(3, log_in)
    assert module.logins == [(WRONG, 1)]


class Together(Person):
    """Several people who are asked before any of them has answered."""

    meeting = None

    async def secret(self, question):
        entered = await super().secret(question)
        self.meeting.wait()
        return entered


@pytest.mark.parametrize(
    ("entered", "answers", "left"),
    [
        ((PIN, PIN, PIN), ["", "", ""], 3),
        (
            (WRONG, WRONG, WRONG),
            ["pin.refused_before", "pin.refused_before", "token.pin_incorrect_few_left"],
            2,
        ),
        ((WRONG, OTHER, "1234"), ["pin.meanwhile", "pin.meanwhile", "token.pin_incorrect_few_left"], 2),
    ],
)
def test_of_people_who_are_asked_together_one_spends_a_try(make, module, token, entered, answers, left):
    signer, person = make(), type("Three", (Together,), {"meeting": Barrier(3, timeout=5)})
    (own, *_) = run_blocking(signer.certificates())

    def sign(number):
        try:
            run_blocking(signer.start(JOBS, own, person(entered[number]), Clock()))
        except PinError as error:
            return error.code
        return ""

    assert sorted(in_threads(3, sign)) == answers
    assert (len(module.logins), token.left) == (1, left)


def test_threads_send_a_wrong_pin_of_a_key_once(key_of, module, token):
    token.pin = OTHER
    key = key_of(WRONG)
    slow(module, "C_Sign")

    def one(_):
        with pytest.raises(PinError):
            signs(key)

    in_threads(3, one)
    assert module.logins == [(WRONG, 2)]


def test_a_refused_pin_of_a_key_is_not_sent_by_the_next_signer(key_of, module, token):
    token.pin = OTHER
    for code in ("token.pin_incorrect_few_left", "pin.refused_before"):
        with pytest.raises(PinError) as caught:
            signs(key_of(WRONG))
        assert caught.value.code == code
    assert module.logins == [(WRONG, 2)]


def test_what_the_caller_lets_go_out_again_goes_out_once(key_of, module, token):
    token.pin = OTHER
    keys = [key_of(WRONG, allow_last_try=True) for _ in range(2)]
    for key, code in zip(keys, ("token.pin_incorrect_few_left", "pin.refused_before"), strict=True):
        with pytest.raises(PinError) as caught:
            signs(key)
        assert caught.value.code == code
    token.pin = WRONG
    assert signs(key_of(WRONG, allow_last_try=True))


def test_a_key_whose_pad_was_cancelled_has_spent_no_try(key_of, module, token, fresh_memory):
    told, token.pad = [], PIN
    module.failures["C_Sign"] = [CkrError(0x50, "C_Login")]
    with pytest.raises(SigningDeclinedError):
        signs(key_of(None, refused=lambda: told.append("refused")))
    assert (fresh_memory.wrong(token.info), told) == (0, [])


def test_being_logged_in_already_says_nothing_of_the_pin(module, token, fresh_memory):
    token.logged_in = True
    fresh_memory.sent(token.info, None)
    opened = OpenedToken(module, token.info)
    told = []
    opened.log_in(Secret(WRONG), allow_last_try=False, refused=lambda: told.append("refused"))
    assert (opened.is_open, told) == (True, [])
    assert fresh_memory.wrong(token.info) == 1
    opened.close()


def test_wrong_pins_of_a_key_are_counted_over_logins_that_were_there(key_of, module, token, fresh_memory):
    token.flag_style = "none"
    for wrong in (WRONG, OTHER):
        with pytest.raises(PinError):
            signs(key_of(wrong))
        token.logged_in = True
        if wrong == WRONG:
            OpenedToken(module, token.info).log_in(Secret(PIN), allow_last_try=False)
    with pytest.raises(PinLastTryError):
        signs(key_of("11223344"))
    assert token.left == 1


# What stands before every entry


def test_a_key_that_wants_its_pin_keeps_what_may_be_the_last_try(key_of, module, token, fresh_memory):
    key = key_of()
    for _ in range(2):
        fresh_memory.sent(token.info, None)
    with pytest.raises(PinLastTryError):
        signs(key)
    assert module.logins == []


@pytest.mark.parametrize("count", [2, 3, 7])
def test_a_login_keeps_what_may_be_the_last_try(module, token, fresh_memory, count):
    for _ in range(count):
        fresh_memory.sent(token.info, None)
    with pytest.raises(PinLastTryError):
        OpenedToken(module, token.info).log_in(Secret(PIN), allow_last_try=False)
    assert module.logins == []


@pytest.mark.parametrize("code", [0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0x05, 0x06, 0x30, 0x54, 0x103, None])
def test_what_may_have_spent_a_try_at_login_counts(module, token, fresh_memory, code):
    module.failures["C_Login"] = [CkrError(code, "C_Login")]
    with pytest.raises(Exception, match=r"token|PIN"):
        OpenedToken(module, token.info).log_in(Secret(PIN), allow_last_try=False)
    assert fresh_memory.wrong(token.info) == 1


@pytest.mark.parametrize("code", [0x30, 0x05, 0x06, 0x101, 0x80000001])
def test_a_driver_that_judges_the_pin_of_a_key_while_it_signs_may_mean_the_pin(
    key_of, module, token, fresh_memory, code
):
    told = []
    module.failures["C_Sign"] = [code]
    with pytest.raises(TokenError) as caught:
        signs(key_of(refused=lambda: told.append("refused")))
    assert caught.value.code == "token.login_unclear"
    assert (fresh_memory.wrong(token.info), told) == (1, ["refused"])


@pytest.mark.parametrize("code", [0xA0, 0xA4, 0x100, 0x05])
def test_what_may_have_spent_a_try_of_a_key_counts(key_of, module, token, fresh_memory, code):
    module.failures["C_Sign"] = [CkrError(code, "C_Login")]
    with pytest.raises(Exception, match=r"token|PIN"):
        signs(key_of())
    assert fresh_memory.wrong(token.info) == 1


def test_a_key_that_is_closed_sends_nothing_and_counts_nothing(key_of, module, token, fresh_memory):
    key = key_of()
    key._token.close()
    with pytest.raises(Exception, match="closed"):
        signs(key)
    assert fresh_memory.wrong(token.info) == 0
    assert module.logins == []


def test_a_signature_that_fails_for_another_reason_counts_nothing(key_of, module, token, fresh_memory):
    for failure in (0x21, CkrError(0x30, "C_SignInit")):
        key, module.failures["C_Sign"] = key_of(), [failure]
        for _ in range(2):
            with pytest.raises(TokenError) as caught:
                signs(key)
        assert caught.value.code == "token.session_lost"
    assert fresh_memory.wrong(token.info) == 0


# Wiping


@pytest.fixture
def pins(monkeypatch):
    """Return every PIN that is made of what was given, read or typed."""
    made, make_one = [], pin._secret

    def kept(value, name):
        made.append(make_one(value, name))
        return made[-1]

    monkeypatch.setattr(pin, "_secret", kept)
    return made


@pytest.mark.parametrize("typed", [PIN, WRONG, "1", "12\n34"])
def test_what_was_typed_is_wiped_however_it_goes(make, pins, typed):
    attempt(make(), typed)
    assert pins
    assert not any(pins)


@pytest.mark.parametrize("login_required", [True, False])
@pytest.mark.parametrize("typed", [PIN, WRONG])
def test_what_was_typed_for_each_signature_is_wiped_with_the_batch(make, pins, token, typed, login_required):
    token.always, token.login_required = True, login_required
    attempt(make(), typed)
    assert pins
    assert not any(pins)


def test_a_given_pin_is_wiped_when_it_is_refused_or_the_signer_closed(make, pins):
    attempt(make(pin=WRONG))
    assert [bool(each) for each in pins] == [False]
    signer = make(pin=PIN)
    assert attempt(signer) == ""
    signer.close()
    assert not any(pins)
