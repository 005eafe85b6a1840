"""Status codes and faults of ETSI TS 102 204, with what each means.

208 is expiry; that the person said no is 401. Names and numbers are those of the standard as an open-source
client has them; a vendor's sample that contradicts them is not followed. The verdicts of 405, 407, 423, 424,
505 and 7xx are our own reading.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from bhxh_sdk.signers.verdicts import Meaning, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ENDING", "FAULTS", "STATUSES", "fault_meaning", "is_final"]

STATUSES: Mapping[str, Meaning] = MappingProxyType(
    {
        "100": Meaning(Verdict.PENDING, "REQUEST_OK"),
        "500": Meaning(Verdict.DONE, "SIGNATURE"),
        "501": Meaning(Verdict.CERTIFICATE, "REVOKED_CERTIFICATE"),
        "502": Meaning(Verdict.DONE, "VALID_SIGNATURE"),
        "503": Meaning(Verdict.FAILED, "INVALID_SIGNATURE"),
        "504": Meaning(Verdict.PENDING, "OUTSTANDING_TRANSACTION"),
        "505": Meaning(Verdict.FAILED, "CONSTRAINT_MISMATCH"),
    }
)
"""What the status of a signature means. 408 is not among them: it is the success of a registration."""

FAULTS: Mapping[str, Meaning] = MappingProxyType(
    {
        "101": Meaning(Verdict.REQUEST, "WRONG_PARAM"),
        "102": Meaning(Verdict.REQUEST, "MISSING_PARAM"),
        "103": Meaning(Verdict.REQUEST, "WRONG_DATA_LENGTH"),
        "104": Meaning(Verdict.LOGIN, "UNAUTHORIZED_ACCESS"),
        "105": Meaning(Verdict.UNREACHABLE, "UNKNOWN_CLIENT"),
        "107": Meaning(Verdict.REQUEST, "INAPPROPRIATE_DATA"),
        "108": Meaning(Verdict.REQUEST, "INCOMPATIBLE_INTERFACE"),
        "109": Meaning(Verdict.REQUEST, "UNSUPPORTED_PROFILE"),
        "208": Meaning(Verdict.EXPIRED, "EXPIRED_TRANSACTION"),
        "2081": Meaning(Verdict.EXPIRED, "EXPIRED_TRANSACTION_SERVER"),
        "2082": Meaning(Verdict.EXPIRED, "EXPIRED_TRANSACTION_USER"),
        "209": Meaning(Verdict.UNREACHABLE, "OTA_ERROR"),
        "401": Meaning(Verdict.DECLINED, "USER_CANCEL"),
        "402": Meaning(Verdict.LOCKED, "PIN_NR_BLOCKED"),
        "403": Meaning(Verdict.LOCKED, "CARD_BLOCKED"),
        "404": Meaning(Verdict.NO_CERTIFICATE, "NO_KEY_FOUND"),
        "405": Meaning(Verdict.FAILED, "NO_CRL_FOUND"),
        "406": Meaning(Verdict.BUSY, "PB_SIGNATURE_PROCESS"),
        "407": Meaning(Verdict.NO_CERTIFICATE, "REGISTRATION_ERROR"),
        "422": Meaning(Verdict.NO_CERTIFICATE, "NO_CERT_FOUND"),
        "423": Meaning(Verdict.FAILED, "CRL_PROBLEM"),
        "424": Meaning(Verdict.FAILED, "CRL_EXPIRED"),
        "425": Meaning(Verdict.CERTIFICATE, "ERROR_CERTIFICATE"),
        "501": Meaning(Verdict.CERTIFICATE, "REVOKED_CERTIFICATE"),
        "503": Meaning(Verdict.FAILED, "INVALID_SIGNATURE"),
        "505": Meaning(Verdict.FAILED, "CONSTRAINT_MISMATCH"),
        "780": Meaning(Verdict.FAILED, "UNABLE_TO_PROVIDE_SERVICES"),
        "900": Meaning(Verdict.FAILED, "INTERNAL_ERROR"),
    }
)
"""What a fault means; those of 7xx that are not here are routing errors."""

ENDING = frozenset(
    {
        *("208", "2081", "2082", "209", "401", "402", "403", "404", "405"),
        *("422", "423", "424", "425", "501", "503", "505"),
    }
)
"""Faults that a status query can only mean of the transaction; the rest may be about the query itself."""

_TROUBLE = frozenset({"780", "900"})
"""Faults that do not say whether the SIM was asked; routing errors and unknown ones do not, either."""

_ROUTING = Meaning(Verdict.UNREACHABLE, "ROUTING")


def fault_meaning(code: str, own: Mapping[str, Meaning]) -> Meaning | None:
    """Return what a fault means; None for a code that nobody knows.

    Args:
        code: the number.
        own: what a dialect adds or says otherwise.

    """
    routing = _ROUTING if len(code) == len("7xx") and code.startswith("7") else None
    return own.get(code) or FAULTS.get(code) or routing


def is_final(code: str, own: Mapping[str, Meaning]) -> bool:
    """Tell whether a fault says for certain that the request to sign brings no signature.

    Args:
        code: the number.
        own: what a dialect adds or says otherwise.

    """
    return code in own or (code in FAULTS and code not in _TROUBLE)
