"""One-time codes that a program makes itself, from a secret that the provider gave out once."""

from __future__ import annotations

import hmac
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bhxh_sdk.errors import SetupError
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.remote.reading import bytes_of

if TYPE_CHECKING:
    from collections.abc import MutableMapping

__all__ = ["TAKEN", "code_time", "one_time_code"]

_DIGITS = 6
_STEP_SECONDS = 30
_KEPT_STEPS = 10
_PLACE = b"one-time codes that were given out"

TAKEN: MutableMapping[tuple[bytes, int], object] = {}
"""Which steps of which secret, as a hash, this process has given out a code of."""


def one_time_code(secret: Secret, now: datetime) -> Secret:
    """Return the six digits of a moment: HMAC-SHA1 over the number of steps of 30 seconds since 1970.

    Args:
        secret: the shared secret, in base64.
        now: the moment.

    Raises:
        SetupError: the secret is no base64.

    Source: RFC 6238 and RFC 4226, section 5.3.

    """
    key = _key(secret)
    if not key:  # outside of the reading: Python's own error could show the value
        raise SetupError("remote.totp_secret", field="totp_secret")
    steps = int(now.timestamp()) // _STEP_SECONDS
    mac = hmac.digest(key, steps.to_bytes(8, "big"), "sha1")
    start = mac[-1] & 0x0F
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
    return Secret(f"{number % 10**_DIGITS:0{_DIGITS}}")


def code_time(secret: Secret, now: datetime) -> datetime:
    """Return when the first code begins that nobody in this process has used, and take it for one use.

    Every signer of this process counts, so that a code that was refused to one is not sent by another.

    Args:
        secret: the shared secret.
        now: the present moment.

    Returns:
        The present moment, or the beginning of a later step, to be waited for.

    Source: RFC 6238, section 5.2.

    """
    name = hmac.digest(_PLACE, secret.reveal().encode(), "sha256")
    first = int(now.timestamp()) // _STEP_SECONDS
    for old in [key for key in list(TAKEN) if key[0] == name and key[1] < first - _KEPT_STEPS]:
        TAKEN.pop(old, None)
    step, claim = first, object()
    while TAKEN.setdefault((name, step), claim) is not claim:  # one step: threads cannot both have it
        step += 1
    return now if step == first else datetime.fromtimestamp(step * _STEP_SECONDS, UTC)


def _key(secret: Secret) -> bytes:
    with suppress(ValueError):
        return bytes_of(secret.reveal())
    return b""
