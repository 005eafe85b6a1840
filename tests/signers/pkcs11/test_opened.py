from __future__ import annotations

import pytest
from signers.pkcs11.fakes import PIN

from bhxh_sdk.errors import SigningDeclinedError, SigningError
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.pkcs11.opened import OpenedToken
from bhxh_sdk.token_errors import DriverCrashedError, PinError, PinLockedError, TokenError, TokenRemovedError

pytestmark = pytest.mark.usefixtures("fresh_memory")


@pytest.fixture
def opened(module, token):
    return OpenedToken(module, token.info)


def log_in(opened, pin=PIN):
    opened.log_in(Secret(pin), allow_last_try=False)


def test_one_session_is_kept(opened, module):
    for _ in range(3):
        opened.certificates()
        opened.keys()
    assert module.calls["C_OpenSession"] == 1
    assert module.calls["C_FindObjects"] == 1
    opened.certificates(anew=True)
    assert module.calls["C_FindObjects"] == 2


@pytest.mark.parametrize("code", [0xB3, 0xB0, 0x82, 0x190, 0x32, 0xE0, 0xE1])
def test_a_lost_session_is_opened_again_once_for_reading(opened, module, code):
    opened.keys()
    module.failures["C_FindObjects(keys)"] = [code]
    assert opened.keys() == ()
    assert module.calls["C_OpenSession"] == 2
    module.failures["C_FindObjects(keys)"] = [code, code]
    with pytest.raises(TokenError):
        opened.keys()
    assert module.sessions == []


def test_a_new_session_that_fails_is_not_opened_again(opened, module):
    module.failures["C_FindObjects"] = [0xB3]
    with pytest.raises(TokenError):
        opened.certificates()
    assert module.calls["C_OpenSession"] == 1


def test_no_session_to_be_had_is_told(opened, module):
    module.failures["C_OpenSession"] = [0xB1]
    with pytest.raises(TokenError) as caught:
        opened.certificates()
    assert caught.value.ckr == 0xB1


def test_a_failure_of_a_token_that_is_gone_says_so(opened, token):
    opened.keys()
    token.pull_out()
    with pytest.raises(TokenRemovedError):
        opened.keys()


@pytest.mark.parametrize("look", [0x05, DriverCrashedError(name="x")])
def test_whether_a_token_is_gone_may_be_unknown(opened, module, look):
    module.failures = {"C_FindObjects": [0x30], "C_GetTokenInfo": [look]}
    with pytest.raises(TokenError) as caught:
        opened.certificates()
    assert caught.value.ckr == 0x30


def test_flags_that_cannot_be_read_stop_everything(opened, module):
    module.failures["C_GetTokenInfo"] = [0x05]
    with pytest.raises(TokenError):
        log_in(opened)
    assert module.logins == []


def test_mechanisms_that_cannot_be_read_are_told(opened, module):
    module.failures["C_GetMechanismList"] = [0x05]
    with pytest.raises(TokenError):
        opened.mechanisms()


def test_a_login_lasts_until_the_session_is_dropped(opened, module):
    assert not opened.is_open
    log_in(opened)
    assert opened.is_open
    assert len(opened.keys()) == 1
    opened.drop()
    assert not opened.is_open
    assert opened.keys() == ()


def test_after_a_wrong_pin_the_flags_are_read_again(opened, module, token):
    token.left, token.last_wrong, token.tries = 2, 0xA0, 3
    with pytest.raises(PinError) as caught:
        log_in(opened, "0000")
    assert caught.value.tries_left == 1
    token.left = 1
    with pytest.raises(PinLockedError):
        opened.log_in(Secret("1111"), allow_last_try=True)
    assert len(module.logins) == 2


def test_a_token_that_goes_while_the_pin_is_sent_is_told_and_the_entry_counted(
    opened, module, token, fresh_memory
):
    called = module.called

    def pulled_out(name):
        token.inserted = token.inserted and name != "C_Login"
        called(name)

    module.called = pulled_out
    with pytest.raises(TokenRemovedError):
        log_in(opened)
    assert fresh_memory.wrong(token.info) == 1  # chips count before they answer


@pytest.mark.parametrize("look", [0x05, DriverCrashedError(name="x")])
def test_flags_that_cannot_be_read_after_a_login_leave_the_answer_as_it_is(
    opened, module, token, look, fresh_memory
):
    opened.keys()
    module.failures["C_GetTokenInfo"] = [None, look]
    with pytest.raises(PinError) as caught:
        log_in(opened, "0000")
    assert caught.value.code.startswith("token.pin_incorrect")
    assert fresh_memory.wrong(token.info) == 1


@pytest.mark.parametrize(
    ("code", "counted"), [(0xA0, 1), (0x05, 1), (0x50, 1), (0xB1, 1), (0x102, 0), (0x104, 0)]
)
def test_what_may_have_spent_a_try_is_counted(opened, module, token, fresh_memory, code, counted):
    module.failures["C_Login"] = [code]
    with pytest.raises(Exception, match="token"):
        log_in(opened)
    assert fresh_memory.wrong(token.info) == counted
    token.pin = "87654321"
    log_in(opened, token.pin)
    assert fresh_memory.wrong(token.info) == 0


@pytest.mark.parametrize(("pin", "counted"), [(None, 0), (Secret(PIN), 1)])
@pytest.mark.parametrize("code", [0x01, 0x50, 0x200])
def test_only_on_a_pad_nothing_was_entered_where_it_was_cancelled(
    opened, module, token, fresh_memory, code, pin, counted
):
    module.failures["C_Login"] = [code]
    with pytest.raises(SigningDeclinedError):
        opened.log_in(pin, allow_last_try=False)
    assert fresh_memory.wrong(token.info) == counted


def test_a_forked_process_cannot_use_the_login(opened, monkeypatch):
    opened.keys()
    monkeypatch.setattr("bhxh_sdk.signers.pkcs11.locks.os.getpid", lambda: -1)
    with pytest.raises(TokenError) as caught:
        log_in(opened)
    assert caught.value.code == "token.forked"


def test_a_closed_token_keeps_nothing(opened, module):
    log_in(opened)
    opened.close()
    assert (opened.closed, module.sessions) == (True, [])
    with pytest.raises(SigningError) as caught:
        opened.keys()
    assert (caught.value.code, module.sessions) == ("signing.closed", [])


def test_a_token_that_is_closed_while_it_logs_in_keeps_no_login(opened, token, monkeypatch, fresh_memory):
    monkeypatch.setattr(token, "entered", lambda _: opened.close())
    log_in(opened)
    assert (opened.is_open, fresh_memory.wrong(token.info)) == (False, 0)
