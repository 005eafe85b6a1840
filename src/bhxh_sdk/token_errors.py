"""Errors of USB tokens and their drivers: branches of the tree in `bhxh_sdk.errors`.

    SetupError
    └── DriverError                the PKCS#11 module: none found, of another architecture, none at all
    SigningError
    ├── TokenError                 the token or its driver failed while it was used
    │   ├── TokenNotFoundError     no token is inserted, or not the one asked for
    │   ├── TokenRemovedError      it was pulled out
    │   └── DriverCrashedError     the driver crashed or hung; the process goes on
    └── KeyPasswordError
        └── PinError               the PIN is wrong, missing or of a wrong form; never tried again by code
            ├── PinLockedError     the token takes no PIN any more
            └── PinLastTryError    one try is left, and nobody said that it may be spent

`TokenError.ckr` is the PKCS#11 return value where the driver gave one; `PinError.tries_left` says how many
tries are left where the token tells.
"""

from __future__ import annotations

from bhxh_sdk.errors import KeyPasswordError, Retry, SetupError, SigningError

__all__ = [
    "DriverCrashedError",
    "DriverError",
    "PinError",
    "PinLastTryError",
    "PinLockedError",
    "TokenError",
    "TokenNotFoundError",
    "TokenRemovedError",
]


class DriverError(SetupError):
    """The token's driver (PKCS#11 module) is not there, or cannot be used in this process."""

    default_code = "driver"


class TokenError(SigningError):
    """The token or its driver failed."""

    default_code = "token"

    @property
    def ckr(self) -> int | None:
        """The PKCS#11 return value; None where the driver gave none."""
        value = self.parameters.get("ckr")
        return value if isinstance(value, int) else None


class TokenNotFoundError(TokenError):
    """No token is inserted, or none of the inserted ones is the one asked for."""

    default_code = "token.not_found"
    retry = Retry.NOW


class TokenRemovedError(TokenError):
    """The token was pulled out while it was used."""

    default_code = "token.removed"
    retry = Retry.NOW


class DriverCrashedError(TokenError):
    """The driver crashed or hung in its own process; this process goes on."""

    default_code = "driver.crashed"


class PinError(KeyPasswordError):
    """The PIN is wrong, missing or of a wrong form; it is never tried again by code."""

    default_code = "pin"

    @property
    def tries_left(self) -> int | None:
        """How many tries are left; None where the token does not tell."""
        value = self.parameters.get("tries_left")
        return value if isinstance(value, int) else None


class PinLockedError(PinError):
    """The PIN is locked; only the token's issuer or its management program unlocks it."""

    default_code = "pin.locked"


class PinLastTryError(PinError):
    """One try is left before the PIN locks, and the caller has not said that it may be spent."""

    default_code = "pin.last_try"
