"""Use a PKCS#11 module from a process of its own: `python -m bhxh_sdk.signers.pkcs11.helper`.

For modules of another architecture, and for drivers that must not take the program with them when they crash.
The other side is `bhxh_sdk.signers.pkcs11.isolated`.

Requests and answers are lines of JSON on standard input and output, one answer for each request. The process
says first who it is: `{"hello": "bhxh-pkcs11-helper", "version": 2, "machine": "x86"}`. A request is
`{"call": ..., "number": ..., "limit": seconds, ...}`; an answer holds the request's `number`, and `value`, or
`ckr` (what the driver said), or `error` (an error of this package). Numbers cannot be guessed, and an answer
that comes before its request ends the process: who has not read a request cannot answer it. Bytes are base64.
A PIN comes in the line of the call that needs it, is handed to the driver at once and is not kept. The
process ends when its input ends, or when a call takes longer than its limit.
"""

from __future__ import annotations

from itertools import count
from typing import IO, TYPE_CHECKING, Any

from attrs import evolve

from bhxh_sdk.errors import BhxhError
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.pkcs11.child import end_at_once, end_in, private_pipes
from bhxh_sdk.signers.pkcs11.contract import CkrError, Mechanism
from bhxh_sdk.signers.pkcs11.file_header import own_machine
from bhxh_sdk.signers.pkcs11.messages_on_pipes import LONGEST_LINE
from bhxh_sdk.signers.pkcs11.wire import GarbledError, decoded, encoded, value_of, wire_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bhxh_sdk.messages import Parameter
    from bhxh_sdk.signers.pkcs11.contract import Module, Session, TokenKey

__all__ = ["GRACE_SECONDS", "HELLO", "VERSION", "Helper", "main", "serve"]

HELLO = "bhxh-pkcs11-helper"
"""How the helper says who it is."""

VERSION = 2
"""Version of what is said; both sides must have the same."""

GRACE_SECONDS = 5.0
"""How much longer than its caller the helper waits for a driver before it ends itself."""

_HANDLE_INVALID = 0x82
_SESSION_INVALID = 0xB3


class Helper:
    """Answer requests about one module.

    Args:
        load: loads a module: `bhxh_sdk.signers.pkcs11.loading.load_module`.

    """

    def __init__(self, load: Callable[[str, str], Module]) -> None:
        self._load = load
        self._module: Module | None = None
        self._sessions: dict[int, Session] = {}
        self._keys: dict[tuple[int, int], TokenKey] = {}
        self._numbers = count(1)
        self._calls: dict[str, Callable[[dict[str, Any]], object]] = {
            "load": self._loaded,
            "info": lambda _: self._loaded_module.info(),
            "slot_count": lambda _: self._loaded_module.slot_count(),
            "tokens": lambda _: self._loaded_module.tokens(),
            "mechanisms": lambda asked: sorted(self._loaded_module.mechanisms(value_of(int, asked["slot"]))),
            "open": self._opened,
            "certificates": lambda asked: self._session(asked).certificates(),
            "keys": self._listed,
            "login": lambda asked: self._session(asked).login(_pin(asked)),
            "sign": self._signed,
            "close": self._closed,
        }

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a request; nothing is raised."""
        try:
            call = self._calls[value_of(str, asked["call"])]
            return {"value": wire_value(call(asked))}
        except CkrError as error:
            return {"ckr": {"code": error.code, "call": error.call, "name": error.name}}
        except BhxhError as error:
            return _failure(type(error).__name__, error.code, error.parameters)
        except Exception as error:  # noqa: BLE001  # whatever it is, the other side waits for an answer
            return _failure("", "driver.helper_failed", {"reason": type(error).__name__})

    @property
    def _loaded_module(self) -> Module:
        if self._module is None:
            raise GarbledError
        return self._module

    def _loaded(self, asked: dict[str, Any]) -> str:
        self._module = self._load(value_of(str, asked["path"]), value_of(str, asked["binding"]))
        return self._module.binding

    def _opened(self, asked: dict[str, Any]) -> int:
        number = next(self._numbers)
        self._sessions[number] = self._loaded_module.open(value_of(int, asked["slot"]))
        return number

    def _session(self, asked: dict[str, Any]) -> Session:
        try:
            return self._sessions[asked["session"]]
        except (KeyError, TypeError) as error:
            raise CkrError(_SESSION_INVALID, "helper") from error

    def _listed(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        keys = {next(self._numbers): key for key in self._session(asked).keys()}  # noqa: SIM118  # no dict
        self._keys |= {(asked["session"], number): key for number, key in keys.items()}
        return [wire_value(evolve(key, handle=number)) for number, key in keys.items()]

    def _signed(self, asked: dict[str, Any]) -> bytes:
        session = self._session(asked)
        key = self._keys.get((asked["session"], value_of(int, asked["key"])))
        if key is None:
            raise CkrError(_HANDLE_INVALID, "C_SignInit")
        data, mechanism = value_of(bytes, asked["data"]), Mechanism(asked["mechanism"])
        return session.sign(key, mechanism, data, _pin(asked))

    def _closed(self, asked: dict[str, Any]) -> None:
        self._session(asked).close()
        del self._sessions[asked["session"]]
        self._keys = {place: key for place, key in self._keys.items() if place[0] != asked["session"]}


def serve(helper: Helper, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until their input ends, or a line is none.

    Args:
        helper: answers them.
        requests: lines from the other side.
        answers: lines to the other side.

    """
    _, machine = own_machine()
    _write(answers, {"hello": HELLO, "version": VERSION, "machine": machine})
    while line := requests.readline(LONGEST_LINE):
        try:
            asked = decoded(line)
            number = value_of(int, asked["number"])
            end_in(float(asked["limit"]) + GRACE_SECONDS)
        except (GarbledError, KeyError, TypeError, ValueError):
            return
        answer = helper.answer(asked)
        end_in(None)
        _write(answers, {"number": number, **answer})


def main() -> None:
    """Serve on standard input and output."""
    requests, answers = private_pipes()
    from bhxh_sdk.signers.pkcs11.loading import load_module  # noqa: PLC0415  # it may load bindings

    try:
        serve(Helper(load_module), requests, answers)
    except OSError:
        pass  # the other side has gone
    finally:
        end_at_once()


def _write(answers: IO[bytes], message: dict[str, Any]) -> None:
    answers.write(encoded(message))
    answers.flush()


def _pin(asked: dict[str, Any]) -> Secret | None:
    pin = asked.get("pin")
    return None if pin is None else Secret(value_of(str, pin))


def _failure(kind: str, code: str, places: Mapping[str, Parameter]) -> dict[str, Any]:
    plain = {name: value if isinstance(value, int) else str(value) for name, value in places.items()}
    return {"error": {"kind": kind, "code": code, "places": plain}}


if __name__ == "__main__":
    main()
