"""Kinds of refusal by the name that endpoint profiles give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.errors import (
    ActivationError,
    AlreadyActivatedError,
    AlreadyRegisteredError,
    CodeExpiredError,
    CodeRevokedError,
    LogInRefusedError,
    NotRegisteredError,
    RefusedError,
    SessionExpiredError,
    WrongCodeError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KINDS", "refusal"]

KINDS: Mapping[str, type[RefusedError]] = {
    "refused": RefusedError,
    "already_registered": AlreadyRegisteredError,
    "not_registered": NotRegisteredError,
    "log_in": LogInRefusedError,
    "session_expired": SessionExpiredError,
    "activation": ActivationError,
    "wrong_code": WrongCodeError,
    "code_expired": CodeExpiredError,
    "code_revoked": CodeRevokedError,
    "already_activated": AlreadyActivatedError,
}

_LONGEST = 500


def refusal(kind: str, agency_code: str, agency_text: str) -> RefusedError:
    """Make the error for a no, with code and text as received (a text is cut after 500 characters)."""
    return KINDS[kind](agency_code=agency_code[:_LONGEST], agency_text=agency_text[:_LONGEST])
