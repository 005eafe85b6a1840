"""What a return value of PKCS#11 means to whoever wants a signature: a typed error whose text says the fix.

Two tables, one for C_Login and one for all other calls, hold every return value of PKCS#11 2.40. A value that
is in neither, the drivers' own from 0x80000000 on among them, keeps its number: `TokenError.ckr`.

Source: PKCS#11 2.40, section 5.1
(https://docs.oasis-open.org/pkcs11/pkcs11-base/v2.40/os/pkcs11-base-v2.40-os.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from bhxh_sdk.errors import CertificateUnusableError, SigningDeclinedError, UnsupportedOperationError
from bhxh_sdk.signers.pkcs11.ckr import CKR, VENDOR_DEFINED, ckr_name
from bhxh_sdk.signers.pkcs11.contract import TokenFlag
from bhxh_sdk.signers.pkcs11.locks import FORKED
from bhxh_sdk.token_errors import (
    DriverError,
    PinError,
    PinLockedError,
    TokenError,
    TokenNotFoundError,
    TokenRemovedError,
)

if TYPE_CHECKING:
    from bhxh_sdk.errors import BhxhError
    from bhxh_sdk.messages import Parameter
    from bhxh_sdk.signers.pkcs11.contract import CkrError

__all__ = ["LOGIN", "OTHERWISE", "Outcome", "login_error", "token_error"]


@frozen
class Outcome:
    """What a return value becomes.

    Args:
        error: the class.
        code: its code.

    """

    error: type[BhxhError]
    code: str


_REMOVED = Outcome(TokenRemovedError, "token.removed")
_NOT_RECOGNIZED = Outcome(TokenNotFoundError, "token.not_recognized")
_DEVICE = Outcome(TokenError, "token.device_failed")
_MEMORY = Outcome(TokenError, "token.no_memory")
_FAULT = Outcome(TokenError, "token.driver_fault")
_SESSION = Outcome(TokenError, "token.session_lost")
_SESSIONS = Outcome(TokenError, "token.too_many_sessions")
_ACTIVE = Outcome(TokenError, "token.operation_active")
_CANCELLED = Outcome(SigningDeclinedError, "token.cancelled")
_LOGIN_NEEDED = Outcome(TokenError, "token.login_needed")
_OTHER_USER = Outcome(TokenError, "token.other_user")
_MECHANISM = Outcome(UnsupportedOperationError, "token.mechanism_unsupported")
_DATA = Outcome(TokenError, "token.data_refused")
_KEY_GONE = Outcome(TokenError, "token.key_gone")
_KEY_UNFIT = Outcome(CertificateUnusableError, "token.key_unfit")
_UNCLEAR = Outcome(TokenError, "token.login_unclear")
_VENDOR = Outcome(TokenError, "token.vendor")
_FORKED = Outcome(TokenError, "token.forked")
_IN_USE = Outcome(DriverError, "token.driver_in_use")
_INCOMPLETE = Outcome(DriverError, "token.driver_incomplete")
_PIN_WRONG = Outcome(PinError, "token.pin_incorrect")
_PIN_FORM = Outcome(PinError, "token.pin_form")
_PIN_LENGTH = Outcome(PinError, "token.pin_length")
_PIN_EXPIRED = Outcome(PinError, "token.pin_expired")
_PIN_LOCKED = Outcome(PinLockedError, "pin.locked")
_PIN_UNSET = Outcome(PinError, "token.pin_unset")
_PIN_CHANGE = Outcome(PinError, "token.pin_to_be_changed")

# Names without CKR_, as they are easier to compare with the standard.
_GROUPS: dict[Outcome, str] = {
    _REMOVED: "DEVICE_REMOVED TOKEN_NOT_PRESENT SLOT_ID_INVALID",
    _NOT_RECOGNIZED: "TOKEN_NOT_RECOGNIZED",
    _DEVICE: "DEVICE_ERROR GENERAL_ERROR FUNCTION_FAILED FIPS_SELF_TEST_FAILED",
    _MEMORY: "HOST_MEMORY DEVICE_MEMORY",
    _SESSION: "SESSION_CLOSED SESSION_HANDLE_INVALID CRYPTOKI_NOT_INITIALIZED OPERATION_NOT_INITIALIZED",
    _SESSIONS: "SESSION_COUNT",
    _ACTIVE: "OPERATION_ACTIVE",
    _CANCELLED: "CANCEL FUNCTION_CANCELED FUNCTION_REJECTED",
    _LOGIN_NEEDED: "USER_NOT_LOGGED_IN",
    _OTHER_USER: (
        "USER_ALREADY_LOGGED_IN USER_ANOTHER_ALREADY_LOGGED_IN USER_TOO_MANY_TYPES USER_TYPE_INVALID"
        " SESSION_READ_ONLY_EXISTS SESSION_READ_WRITE_SO_EXISTS SESSION_EXISTS"
    ),
    _MECHANISM: "MECHANISM_INVALID MECHANISM_PARAM_INVALID FUNCTION_NOT_SUPPORTED",
    _DATA: "DATA_INVALID DATA_LEN_RANGE",
    _KEY_GONE: "KEY_HANDLE_INVALID OBJECT_HANDLE_INVALID KEY_CHANGED",
    _KEY_UNFIT: (
        "KEY_FUNCTION_NOT_PERMITTED KEY_TYPE_INCONSISTENT KEY_SIZE_RANGE DOMAIN_PARAMS_INVALID"
        " CURVE_NOT_SUPPORTED"
    ),
    _IN_USE: "CRYPTOKI_ALREADY_INITIALIZED",
    _INCOMPLETE: "LIBRARY_LOAD_FAILED",
    _PIN_WRONG: "PIN_INCORRECT",
    _PIN_FORM: "PIN_INVALID",
    _PIN_LENGTH: "PIN_LEN_RANGE",
    _PIN_EXPIRED: "PIN_EXPIRED",
    _PIN_LOCKED: "PIN_LOCKED",
    _PIN_UNSET: "USER_PIN_NOT_INITIALIZED",
    _PIN_CHANGE: "NEW_PIN_MODE PIN_TOO_WEAK",
    # What no driver that keeps to the standard answers to the calls made here.
    _FAULT: (
        "ARGUMENTS_BAD NO_EVENT NEED_TO_CREATE_THREADS CANT_LOCK ATTRIBUTE_READ_ONLY ATTRIBUTE_SENSITIVE"
        " ATTRIBUTE_TYPE_INVALID ATTRIBUTE_VALUE_INVALID ACTION_PROHIBITED ENCRYPTED_DATA_INVALID"
        " ENCRYPTED_DATA_LEN_RANGE FUNCTION_NOT_PARALLEL KEY_NOT_NEEDED KEY_NEEDED KEY_INDIGESTIBLE"
        " KEY_NOT_WRAPPABLE KEY_UNEXTRACTABLE SESSION_PARALLEL_NOT_SUPPORTED SESSION_READ_ONLY"
        " SIGNATURE_INVALID SIGNATURE_LEN_RANGE TEMPLATE_INCOMPLETE TEMPLATE_INCONSISTENT"
        " TOKEN_WRITE_PROTECTED UNWRAPPING_KEY_HANDLE_INVALID UNWRAPPING_KEY_SIZE_RANGE"
        " UNWRAPPING_KEY_TYPE_INCONSISTENT WRAPPED_KEY_INVALID WRAPPED_KEY_LEN_RANGE"
        " WRAPPING_KEY_HANDLE_INVALID WRAPPING_KEY_SIZE_RANGE WRAPPING_KEY_TYPE_INCONSISTENT"
        " RANDOM_SEED_NOT_SUPPORTED RANDOM_NO_RNG BUFFER_TOO_SMALL SAVED_STATE_INVALID"
        " INFORMATION_SENSITIVE STATE_UNSAVEABLE MUTEX_BAD MUTEX_NOT_LOCKED NEXT_OTP"
        " EXCEEDED_MAX_ITERATIONS PUBLIC_KEY_INVALID"
    ),
}
_NUMBERS = {name: code for code, name in CKR.items()}

OTHERWISE: dict[int, Outcome] = {
    _NUMBERS[f"CKR_{name}"]: outcome for outcome, names in _GROUPS.items() for name in names.split()
}
"""Return value of any call but C_Login -> what it becomes; all values of PKCS#11 2.40 but CKR_OK."""

_CLEAR_AT_LOGIN = frozenset(
    {
        *(_REMOVED, _NOT_RECOGNIZED, _SESSION, _SESSIONS, _CANCELLED, _OTHER_USER, _IN_USE, _INCOMPLETE),
        *(_PIN_WRONG, _PIN_FORM, _PIN_LENGTH, _PIN_EXPIRED, _PIN_LOCKED, _PIN_UNSET, _PIN_CHANGE),
    }
)
LOGIN: dict[int, Outcome] = {
    code: outcome if outcome in _CLEAR_AT_LOGIN else _UNCLEAR for code, outcome in OTHERWISE.items()
}
"""Return value of C_Login -> what it becomes: `token.login_unclear` where the PIN may have been taken for a
wrong one, so that nobody may simply try again."""


def login_error(error: CkrError, name: str, flags_after: TokenFlag) -> BhxhError:
    """Return the error of a C_Login that failed; the PIN is not tried again by code, whatever it is.

    Args:
        error: what the driver answered.
        name: the token, for people.
        flags_after: the token's flags, read after the failure; no flags where they could not be read.

    """
    outcome = _outcome(error, LOGIN, _UNCLEAR)
    # openCryptoki, for one, answers "incorrect" to the PIN that locks.
    if TokenFlag.USER_PIN_LOCKED in flags_after and outcome not in {_REMOVED, _FORKED}:
        outcome = _PIN_LOCKED
    if issubclass(outcome.error, PinError):
        return _pin_error(outcome, error, name, flags_after)
    return _made(outcome, error, name)


def token_error(error: CkrError, name: str) -> BhxhError:
    """Return the error of any other call that failed.

    Args:
        error: what the driver answered.
        name: the token, for people.

    """
    return _made(_outcome(error, OTHERWISE, _FAULT), error, name)


def _outcome(error: CkrError, table: dict[int, Outcome], unknown: Outcome) -> Outcome:
    if error.name == FORKED:
        return _FORKED
    if error.code is None:
        return unknown
    if error.code >= VENDOR_DEFINED and table is OTHERWISE:
        return _VENDOR
    return table.get(error.code, unknown)


def _pin_error(outcome: Outcome, error: CkrError, name: str, flags: TokenFlag) -> BhxhError:
    if outcome is _PIN_LOCKED:
        return _made(outcome, error, name, tries_left=0)
    if TokenFlag.USER_PIN_FINAL_TRY in flags:
        code = "token.pin_incorrect_one_left" if outcome is _PIN_WRONG else outcome.code
        return _made(Outcome(outcome.error, code), error, name, tries_left=1)
    if TokenFlag.USER_PIN_COUNT_LOW in flags and outcome is _PIN_WRONG:
        return _made(Outcome(outcome.error, "token.pin_incorrect_few_left"), error, name)
    return _made(outcome, error, name)


def _made(outcome: Outcome, error: CkrError, name: str, **more: int) -> BhxhError:
    places: dict[str, Parameter] = {"name": name, "call": error.call, "ckr_name": error.name, **more}
    if error.code is not None:
        places |= {"ckr": error.code, "ckr_name": ckr_name(error.code)}
    return outcome.error(outcome.code, **places)  # type: ignore[arg-type]  # none is `field` or `reference`
