"""The person behind a credential of the sandbox's CSC service: PIN, one-time code, the tries left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bhxh_sdk.sandbox.remote.csc_access import CscRefusal
from bhxh_sdk.sandbox.remote.desk import DeskState

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CscPerson"]

_TRIES = 3
_UNAVAILABLE = 503


class CscPerson:
    """What a person knows and is asked for.

    Args:
        version: 1 or 2 of the interface.
        pin: the PIN; empty where there is none.
        otp: the one-time code; empty where there is none.
        is_sent: whether the code is good only after it was sent.

    Attributes:
        tries: how many wrong entries are left, for each.
        sent: how often a code was sent.
        expression: how PIN and code belong together, in version 2.

    """

    def __init__(self, version: int = 1, *, pin: str = "", otp: str = "", is_sent: bool = False) -> None:
        self.version = version
        self.pin = pin
        self.otp = otp
        self.is_sent = is_sent
        self.tries = {"PIN": _TRIES, "OTP": _TRIES}
        self.sent = 0
        self.expression = "PIN AND OTP" if pin and otp else ""

    def asked(self, mode: str) -> dict[str, Any]:
        """Return what `credentials/info` says of it."""
        if self.version == 1:
            kind = "online" if self.is_sent else "offline"
            return {
                "authMode": mode,
                "PIN": {"presence": "true" if self.pin else "false", "format": "N", "label": "PIN"},
                "OTP": {"presence": "true" if self.otp else "false", "type": kind, "label": "OTP"},
            }
        objects = [{"type": "Password", "id": name, "format": "N", "label": name} for name in self._known]
        shown = "explicit" if mode == "implicit" else mode
        return {"auth": {"mode": shown, "expression": self.expression, "objects": objects}}

    @property
    def _known(self) -> dict[str, str]:
        return {name: value for name, value in (("PIN", self.pin), ("OTP", self.otp)) if value}

    def send(self) -> None:
        """Send the code."""
        self.sent += 1

    def judge(self, body: Mapping[str, Any]) -> None:
        """Judge what was entered.

        Raises:
            CscRefusal: it is wrong, was not sent, or no tries are left.

        """
        data = body.get("authData", [])
        given = body if self.version == 1 else {item["id"]: item["value"] for item in data}
        for name, right in self._known.items():
            self._judge(name, right, given.get(name))
        if self.is_sent:
            self.sent -= 1

    def _judge(self, name: str, right: str, given: object) -> None:
        own = name if self.version == 1 else "Credential"
        if self.tries[name] < 1:
            raise CscRefusal("invalid_request", f"{own} locked")
        if given == right and not (name == "OTP" and self.is_sent and not self.sent):
            self.tries[name] = _TRIES
            return
        self.tries[name] -= 1
        error = f"invalid_{name.lower()}" if self.version == 1 else "invalid_authentication_data"
        raise CscRefusal(error, f"The {name} is invalid")

    def refusal(self, state: DeskState) -> CscRefusal:
        """Return how the service tells that the person did not confirm."""
        if state is DeskState.DECLINED:
            return CscRefusal("access_denied", "The user denied the request")
        if state is DeskState.LOCKED:
            return CscRefusal("invalid_request", "PIN locked" if self.version == 1 else "Credential locked")
        if state is DeskState.UNREACHABLE:
            return CscRefusal("temporarily_unavailable", "The user cannot be reached", _UNAVAILABLE)
        return CscRefusal("expired_token", "The confirmation has expired")
