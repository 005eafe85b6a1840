"""Every return value becomes a typed error with its cause and its fix in both languages."""

from __future__ import annotations

import pickle

import pytest

from bhxh_sdk import messages
from bhxh_sdk.errors import SigningDeclinedError, UnsupportedOperationError
from bhxh_sdk.signers.pkcs11.ckr import CKR
from bhxh_sdk.signers.pkcs11.contract import CkrError, TokenFlag
from bhxh_sdk.signers.pkcs11.locks import FORKED
from bhxh_sdk.signers.pkcs11.outcomes import LOGIN, OTHERWISE, login_error, token_error
from bhxh_sdk.token_errors import (
    DriverError,
    PinError,
    PinLockedError,
    TokenError,
    TokenNotFoundError,
    TokenRemovedError,
)

NONE = TokenFlag(0)
VALUES = sorted(set(CKR) - {0})


def test_both_tables_hold_every_value_of_the_standard():
    assert sorted(OTHERWISE) == VALUES
    assert sorted(LOGIN) == VALUES


@pytest.mark.parametrize("code", [*VALUES, 0x0, 0x999, 0x80000000, 0x80000ABC, None])
def test_every_value_says_its_cause_and_its_fix(code):
    for error in (
        login_error(CkrError(code, "C_Login", "odd"), "HR", NONE),
        token_error(CkrError(code, "C_Sign", "odd"), "HR"),
    ):
        for language in messages.LANGUAGES:
            said = f"{error.message(language)} {error.hint(language)}"
            assert error.message(language) != error.code
            assert error.hint(language)
            assert "HR" in said or error.code == "token.removed"
            assert "{" not in said
        assert error.parameters.get("ckr") == code
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301  # our own pickle


@pytest.mark.parametrize(
    ("code", "kind", "finer"),
    [
        (0x32, TokenRemovedError, "token.removed"),
        (0xE0, TokenRemovedError, "token.removed"),
        (0xE1, TokenNotFoundError, "token.not_recognized"),
        (0x101, TokenError, "token.login_needed"),
        (0x70, UnsupportedOperationError, "token.mechanism_unsupported"),
        (0x71, UnsupportedOperationError, "token.mechanism_unsupported"),
        (0xB3, TokenError, "token.session_lost"),
        (0xB0, TokenError, "token.session_lost"),
        (0x190, TokenError, "token.session_lost"),
        (0xB1, TokenError, "token.too_many_sessions"),
        (0x90, TokenError, "token.operation_active"),
        (0x50, SigningDeclinedError, "token.cancelled"),
        (0x01, SigningDeclinedError, "token.cancelled"),
        (0x191, DriverError, "token.driver_in_use"),
        (0x30, TokenError, "token.device_failed"),
        (0x05, TokenError, "token.device_failed"),
        (0x06, TokenError, "token.device_failed"),
        (0x80000001, TokenError, "token.vendor"),
        (0xA0, PinError, "token.pin_incorrect"),
        (0xA4, PinLockedError, "pin.locked"),
        (0x999, TokenError, "token.driver_fault"),
    ],
)
def test_what_signing_answers(code, kind, finer):
    error = token_error(CkrError(code, "C_Sign"), "HR")
    assert (type(error), error.code) == (kind, finer)


@pytest.mark.parametrize(
    ("code", "kind", "finer"),
    [
        (0xA0, PinError, "token.pin_incorrect"),
        (0xA1, PinError, "token.pin_form"),
        (0xA2, PinError, "token.pin_length"),
        (0xA3, PinError, "token.pin_expired"),
        (0xA4, PinLockedError, "pin.locked"),
        (0x102, PinError, "token.pin_unset"),
        (0x50, SigningDeclinedError, "token.cancelled"),
        (0x32, TokenRemovedError, "token.removed"),
        (0x05, TokenError, "token.login_unclear"),
        (0x30, TokenError, "token.login_unclear"),
        (0x07, TokenError, "token.login_unclear"),
        (0x80000001, TokenError, "token.login_unclear"),
        (0x999, TokenError, "token.login_unclear"),
        (None, TokenError, "token.login_unclear"),
    ],
)
def test_what_a_login_answers(code, kind, finer):
    error = login_error(CkrError(code, "C_Login"), "HR", NONE)
    assert (type(error), error.code) == (kind, finer)


@pytest.mark.parametrize("code", [0xA0, 0xA2, 0x05, 0x30, 0x101, 0x80000001, None])
def test_a_token_that_says_locked_afterwards_is_locked(code):
    error = login_error(CkrError(code, "C_Login"), "HR", TokenFlag.USER_PIN_LOCKED)
    assert type(error) is PinLockedError
    assert error.tries_left == 0


def test_tries_left_are_told_where_the_token_tells_them():
    wrong = CkrError(0xA0, "C_Login")
    one = login_error(wrong, "HR", TokenFlag.USER_PIN_FINAL_TRY)
    assert (one.tries_left, one.code) == (1, "token.pin_incorrect_one_left")
    few = login_error(wrong, "HR", TokenFlag.USER_PIN_COUNT_LOW)
    assert (few.tries_left, few.code) == (None, "token.pin_incorrect_few_left")
    assert login_error(wrong, "HR", NONE).tries_left is None
    length = login_error(CkrError(0xA2, "C_Login"), "HR", TokenFlag.USER_PIN_FINAL_TRY)
    assert (length.tries_left, length.code) == (1, "token.pin_length")
    assert login_error(CkrError(0xA4, "C_Login"), "HR", NONE).tries_left == 0


def test_a_token_that_is_gone_is_gone_whatever_its_flags_said():
    error = login_error(CkrError(0x32, "C_Login"), "HR", TokenFlag.USER_PIN_LOCKED)
    assert type(error) is TokenRemovedError


def test_a_vendors_number_is_kept():
    assert token_error(CkrError(0x80000ABC, "C_Sign"), "HR").ckr == 0x80000ABC
    assert "0x80000ABC" in token_error(CkrError(0x80000ABC, "C_Sign"), "HR").message()


def test_a_fork_has_a_word_of_its_own():
    forked = CkrError(0x190, "", FORKED)
    assert token_error(forked, "HR").code == "token.forked"
    assert login_error(forked, "HR", TokenFlag.USER_PIN_LOCKED).code == "token.forked"
