"""One-time codes that a program makes itself, from a secret that the provider gave out once."""

from __future__ import annotations

import hmac
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from bhxh_sdk.errors import SetupError
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.remote.reading import bytes_of

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["next_code_at", "one_time_code"]

_DIGITS = 6
_STEP_SECONDS = 30


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


def next_code_at(now: datetime) -> datetime:
    """Return when the code of a moment gives way to the next: a code is good for one use.

    Args:
        now: the moment.

    Source: RFC 6238, section 5.2.

    """
    return now + timedelta(seconds=_STEP_SECONDS - now.timestamp() % _STEP_SECONDS)


def _key(secret: Secret) -> bytes:
    with suppress(ValueError):
        return bytes_of(secret.reveal())
    return b""
