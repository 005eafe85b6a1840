"""Tokens and drivers that say little, or that look alike: an entry in doubt costs no chip its last try."""

from __future__ import annotations

import sys

import pytest
from signers.pkcs11 import fakes
from signers.pkcs11.fakes import PIN, FakeModule, FakeSource, token_of
from signers.pkcs11.test_never_locked import JOBS, Clock, Person
from tokens.entries import shelf as entries
from tokens.processes import run_python

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import BhxhError
from bhxh_sdk.signers.pkcs11 import TokenSigner
from bhxh_sdk.signers.pkcs11.criteria import TokenCriteria
from bhxh_sdk.signers.pkcs11.loading import BINDINGS
from bhxh_sdk.signers.pkcs11.opened import OpenedToken

pytestmark = pytest.mark.usefixtures("fresh_memory")
simulated = pytest.mark.skipif(sys.platform != "linux", reason="the simulator is written for Linux")

WRONG = ("24681357", "97531864", "11223344", "55667788")


def says(signer, *typed):
    """Sign with the first key of the shelf; return the code of the error, or nothing."""
    try:
        listed = run_blocking(signer.certificates())
        own = next(one for one in listed if one.certificate.der == entries().a1.certificate)
        run_blocking(signer.start(JOBS, own, Person(*typed), Clock()))
    except BhxhError as error:
        return error.code
    return ""


@pytest.fixture
def make(module):
    made = []

    def signer(*modules, **options):
        made.append(TokenSigner(FakeSource(*(modules or (module,))), **options))
        return made[-1]

    yield signer
    for each in made:
        each.close()


@pytest.mark.parametrize("serial", ["1", ""])
def test_of_two_tokens_with_one_number_neither_is_locked(make, shelf, serial):
    first = token_of(shelf.a1, serial="0001" if serial else "", flag_style="none", label="A")
    second = token_of(shelf.a1, serial=serial, flag_style="none", label="B", slot=1, pin="99999999")
    module = FakeModule(first, second)
    for wrong in WRONG:
        says(make(module, token=TokenCriteria(label="A")), wrong)
        says(make(module, token=TokenCriteria(label="B")), "99999999")
        second.log_out()
    assert first.left == 1


def test_a_pin_that_one_of_them_refused_may_be_the_others(make, shelf):
    first = token_of(shelf.a1, serial="0", label="A")
    second = token_of(shelf.a1, serial="0", label="B", slot=1, pin=WRONG[0])
    module = FakeModule(first, second)
    assert says(make(module, token=TokenCriteria(label="A")), WRONG[0]).startswith("token.pin_incorrect")
    assert says(make(module, token=TokenCriteria(label="B")), WRONG[0]) == ""


@pytest.mark.parametrize("code", [0x32, 0xE0, 0xB0, 0xB1, 0xB3, 0xE1, 0x03, 0x190, 0x01, 0x50, 0x200])
def test_a_token_that_says_anything_else_of_a_wrong_pin_is_not_locked(make, module, token, code):
    token.flag_style, token.wrong, token.last_wrong = "none", code, code
    signer = make()
    for wrong in WRONG:
        assert says(signer, wrong)
    assert token.left == 1


@pytest.mark.parametrize("code", [0x32, 0x30])
def test_a_pin_at_hand_in_doubt_goes_out_once_and_a_person_may_still_type_it(make, module, token, code):
    module.failures["C_Login"] = [code]
    signer = make(pin=PIN)
    assert says(signer)
    assert says(signer) == says(make(pin=PIN)) == "pin.refused_before"
    assert len(module.logins) == 1
    assert says(make(), PIN) == ""
    token.log_out()
    assert says(make(pin=PIN)) == ""


def test_a_pin_at_hand_that_was_refused_is_sent_where_the_caller_says_so(make, module, token):
    token.pin = WRONG[0]
    assert says(make(pin=PIN)).startswith("token.pin_incorrect")
    token.pin = PIN  # as it was set in the token's own program
    assert says(make(pin=PIN)) == "pin.refused_before"
    assert says(make(pin=PIN, allow_last_try=True)) == ""


@simulated
@pytest.mark.needs_tool("softhsm2-util", "cc")
@pytest.mark.parametrize("binding", BINDINGS)
def test_a_token_may_be_plugged_in_again_while_a_person_types(simulator, binding):
    class Replugs(Person):
        async def secret(self, question):
            simulator.pull_out()
            simulator.insert()
            return await super().secret(question)

    signer = TokenSigner.from_module(simulator.module, binding=binding)
    listed = run_blocking(signer.certificates())
    own = next(one for one in listed if one.certificate.der == entries().a1.certificate)
    run_blocking(signer.start(JOBS, own, Replugs(PIN), Clock()))
    signer.close()
    assert [call.result for call in simulator.calls("C_Login")] == [0]


def test_a_flag_that_tells_of_a_wrong_pin_counts_as_one(make, token):
    token.flag_style, token.left = "low_only", 2
    assert says(make(), WRONG[0]).startswith("token.pin_incorrect")
    assert says(make(), WRONG[1]) == "pin.maybe_last_try"
    assert token.left == 1


@pytest.mark.parametrize("code", [0x30, 0x101])
def test_a_driver_that_judges_a_keys_pin_while_it_signs_locks_nothing(make, token, monkeypatch, code):
    token.always, token.flag_style = True, "none"
    signer = make()
    assert says(signer, PIN) == ""
    token.pin = "31313131"  # changed elsewhere; the login is still there
    sign = fakes.FakeSession.sign

    def judged_late(self, *arguments):
        try:
            return sign(self, *arguments)
        except fakes.CkrError as error:
            raise fakes.CkrError(code, "C_Sign") from error

    monkeypatch.setattr(fakes.FakeSession, "sign", judged_late)
    for wrong in (PIN, PIN, *WRONG):
        says(signer, wrong)
    assert token.left >= 1


@pytest.fixture
def keys_in_sight(monkeypatch):
    """Let tokens show their private keys without a login."""

    def keys(session):
        session._called("C_FindObjects(keys)")
        return tuple(session._key(number, *key) for number, key in enumerate(session.token.keys))

    sign = fakes.FakeSession.sign

    def signs(session, *arguments):
        if session.token.inserted and not session.token.logged_in:
            raise fakes.CkrError(0x101, "C_SignInit")
        return sign(session, *arguments)

    monkeypatch.setattr(fakes.FakeSession, "keys", keys)
    monkeypatch.setattr(fakes.FakeSession, "sign", signs)


@pytest.mark.usefixtures("keys_in_sight")
def test_nobody_is_kept_from_a_token_that_shows_its_keys_without_a_login(make, module, token):
    first, second = make(pin=PIN), make(pin=PIN)
    assert says(first) == says(second) == ""
    token.pull_out()
    token.put_back()
    assert says(first) == says(second) == ""
    token.log_out()
    assert says(first) == "token.login_needed"  # nothing told before
    assert says(first) == says(second) == ""


@pytest.mark.usefixtures("keys_in_sight")
def test_a_login_through_one_driver_is_not_one_through_another(make, shelf):
    one, other = FakeModule(token_of(shelf.a1), path="/a.so"), FakeModule(token_of(shelf.a1), path="/b.so")
    assert says(make(one), PIN) == says(make(other), PIN) == ""
    assert len(other.logins) == 1


def test_a_pin_at_hand_that_was_not_sent_may_be_sent_later(make, module, token, monkeypatch):
    signer, others, log_in = make(pin=PIN), make(), OpenedToken.log_in

    def late(self, pin, **options):
        monkeypatch.setattr(OpenedToken, "log_in", log_in)
        assert says(others, WRONG[0]).startswith("token.pin_incorrect")
        return log_in(self, pin, **options)

    monkeypatch.setattr(OpenedToken, "log_in", late)
    assert says(signer) == "pin.meanwhile"
    assert says(signer) == ""
    assert module.logins == [(WRONG[0], 1), (PIN, 1)]


def test_the_token_that_refused_a_pin_at_hand_is_named(make, module, token, shelf):
    token.pin = WRONG[0]
    signer = make(pin=PIN)
    assert says(signer)
    token.pull_out()
    module.slots.append(token_of(shelf.a1, serial="FFFF", slot=1))
    (own,) = run_blocking(signer.certificates())
    with pytest.raises(BhxhError, match="0A1B"):
        run_blocking(signer.start(JOBS, own, Person(), Clock()))


CLOSES = """
    import faulthandler, signal, sys
    from bhxh_sdk.blocking import run_blocking
    from bhxh_sdk.errors import BhxhError
    from bhxh_sdk.signers.pkcs11 import TokenSigner
    from signers.pkcs11.test_never_locked import JOBS, Clock, Person

    faulthandler.dump_traceback_later(30, exit=True)
    signer = TokenSigner.from_module(sys.argv[1], binding=sys.argv[2], isolated=sys.argv[3] == "1")
    (certificate, *_) = run_blocking(signer.certificates())

    def handle(*_):
        signer.close()
        print("closed")

    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        run_blocking(signer.start(JOBS, certificate, Person("12345678"), Clock()))
    except BhxhError as error:
        print(error.code)
"""


@simulated
@pytest.mark.needs_tool("softhsm2-util", "cc")
@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("isolated", ["0", "1"])
def test_a_signals_handler_may_close_a_signer_that_is_logging_in(simulator, binding, isolated):
    simulator.set(hang={"C_Login": 1})
    assert run_python(CLOSES, simulator.module, binding, isolated).split() == ["closed", "signing.closed"]
