"""A PKCS#11 module in a process of its own, used as if it were in this one.

What the driver does there cannot hurt this process: a crash and a hang are a `DriverCrashedError`. After one,
the next session gets a new process, in which nobody is logged in: the PIN is never kept, so it is asked for
again. Sessions of the old process answer CKR_SESSION_HANDLE_INVALID.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from weakref import finalize

from bhxh_sdk import messages
from bhxh_sdk.errors import BhxhError, InputError, MissingExtraError
from bhxh_sdk.signers.pkcs11.contract import (
    CkrError,
    ModuleInfo,
    TokenCertificate,
    TokenInfo,
    TokenKey,
)
from bhxh_sdk.signers.pkcs11.file_header import fits_this_process, own_machine, read_header
from bhxh_sdk.signers.pkcs11.helper import HELLO, VERSION
from bhxh_sdk.signers.pkcs11.locks import ModuleLock
from bhxh_sdk.signers.pkcs11.messages_on_pipes import (
    PipeEndedError,
    PipeHungError,
    Pipes,
    RequestTooLongError,
)
from bhxh_sdk.signers.pkcs11.probing import HELPER, child_command, ended, environment_without, own_interpreter
from bhxh_sdk.signers.pkcs11.wire import GarbledError, value_of, wire_value
from bhxh_sdk.token_errors import DriverCrashedError, DriverError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.pkcs11.contract import Mechanism

__all__ = ["LIMITS", "IsolatedModule", "IsolatedSession"]

LIMITS: Mapping[str, float] = {"hello": 20.0, "load": 30.0, "login": 180.0, "sign": 180.0}
"""Seconds that a call may take; login and signing wait for a person where the PIN is typed on the device."""

_USUAL_SECONDS = 30.0
_CLOSING_SECONDS = 2.0
_SESSION_INVALID = 0xB3
_ARGUMENTS_BAD = 0x07
_NUMBER_BITS = 63
"""Of a request's number: who has not read the request cannot answer it."""
T = TypeVar("T")


class IsolatedModule:
    """A module in a helper process; see `bhxh_sdk.signers.pkcs11.contract.Module`.

    Args:
        path: the module's file.
        binding: the binding to use there; empty for the one that is there.
        interpreter: the Python to start; empty for this one, or for the one that the environment variable
            `BHXH_PKCS11_HELPER` names where the module is of another architecture.
        limits: other limits than `LIMITS`, in seconds by call.
        pin_env: name of an environment variable that holds a PIN, and is kept from the helper.

    Raises:
        DriverError: the helper cannot be started, or it cannot load the module.
        MissingExtraError: the binding is not installed there.
        DriverCrashedError: the driver crashed or hung while it was loaded.

    """

    def __init__(
        self,
        path: str,
        binding: str = "",
        *,
        interpreter: str = "",
        limits: Mapping[str, float] | None = None,
        pin_env: str = "",
    ) -> None:
        if not path:  # made absolute it would be the working folder
            raise DriverError("token.driver_missing", name="", path="")
        self._path = os.path.abspath(path)  # noqa: PTH100  # the working folder may be another when it starts again
        self._wanted = binding
        self._interpreter = interpreter or _interpreter(path)
        self._limits = {**LIMITS, **(limits or {})}
        self._pin_env = pin_env
        self.lock = ModuleLock()
        self._child: _Child | None = None
        with self.lock:
            self._binding = self._begin().binding

    @property
    def path(self) -> str:
        """The module's file."""
        return self._path

    @property
    def binding(self) -> str:
        """`helper:` and the binding used there."""
        return f"helper:{self._binding}"

    def info(self) -> ModuleInfo:
        """Return what it says of itself."""
        return self._ask(ModuleInfo, "info")

    def slot_count(self) -> int:
        """Return how many slots there are."""
        return self._ask(int, "slot_count")

    def tokens(self) -> tuple[TokenInfo, ...]:
        """Return the inserted tokens."""
        return self._ask(tuple[TokenInfo, ...], "tokens")

    def mechanisms(self, slot: int) -> frozenset[int]:
        """Return the mechanisms of a slot's token."""
        return self._ask(frozenset[int], "mechanisms", slot=slot)

    def open(self, slot: int) -> IsolatedSession:
        """Open a session without login, in a new process where the last one has crashed."""
        with self.lock:
            child = self._begin()
            number = child.ask(int, "open", slot=slot)
        return IsolatedSession(child, number, self.lock)

    def close(self) -> None:
        """End the helper process; the next call starts another. A forked process leaves it to its parent."""
        if not self.lock.forked:
            self.lock.outside(self._close)

    def _close(self) -> None:
        with self.lock:
            if self._child is not None:
                self._child.end()
                self._child = None

    def _ask(self, kind: type[T], call: str, **arguments: object) -> T:
        with self.lock:
            return self._begin().ask(kind, call, **arguments)

    def _begin(self) -> _Child:
        if self._child is None or self._child.dead:
            process = _started(self._interpreter, self._pin_env)
            self._child = _Child(process, self._path, self._wanted, self._interpreter, self._limits)
        return self._child


class IsolatedSession:
    """A session in a helper process; see `bhxh_sdk.signers.pkcs11.contract.Session`.

    Args:
        child: the process.
        number: the session's number there.
        lock: the module's lock.

    """

    def __init__(self, child: _Child, number: int, lock: ModuleLock) -> None:
        self._child = child
        self._number = number
        self._lock = lock

    def certificates(self) -> tuple[TokenCertificate, ...]:
        """List the X.509 certificates."""
        return self._ask(tuple[TokenCertificate, ...], "certificates")

    def keys(self) -> tuple[TokenKey, ...]:
        """List the private keys that are visible now."""
        return self._ask(tuple[TokenKey, ...], "keys")

    def login(self, pin: Secret | None) -> None:
        """Log in as user: exactly one C_Login."""
        self._ask(type(None), "login", pin=pin)

    def sign(self, key: TokenKey, mechanism: Mechanism, data: bytes, pin: Secret | None = None) -> bytes:
        """Sign, and return the value as the token gives it."""
        return self._ask(
            bytes,
            "sign",
            key=key.handle,
            mechanism=int(mechanism),
            data=data,
            pin=pin,
        )

    def close(self) -> None:
        """Close the session; never raises."""
        with contextlib.suppress(CkrError, DriverError, DriverCrashedError):
            self._ask(type(None), "close")

    def _ask(self, kind: type[T], call: str, **arguments: object) -> T:
        with self._lock:
            if self._child.dead:
                raise CkrError(_SESSION_INVALID, call)
            return self._child.ask(kind, call, session=self._number, **arguments)


class _Child:
    """One helper process with the module loaded; once it is dead it stays so."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        path: str,
        binding: str,
        interpreter: str,
        limits: Mapping[str, float],
    ) -> None:
        self._name = os.path.basename(path)  # noqa: PTH119  # the path may be of another system's kind
        self._limits = limits
        self._process = process
        self._pipes = Pipes(self._process)
        self.dead = False
        self._finalizer = finalize(self, _end, self._process)
        try:
            self._greet(interpreter)
            self.binding = self._load(path, binding)
        except BaseException:
            self.end()
            raise

    def ask(self, kind: type[T], call: str, **arguments: object) -> T:
        """Return what the helper answers to a call.

        Raises:
            CkrError: the driver's answer.
            DriverCrashedError: the driver crashed or hung, or what came is no answer to this call.
            DriverError: the module cannot be used there.

        """
        seconds = self._limits.get(call, _USUAL_SECONDS)
        number = secrets.randbits(_NUMBER_BITS)
        request = {"call": call, "number": number, "limit": seconds, **wire_value(arguments)}
        answer = self._exchanged(request, seconds)
        try:
            if value_of(int, answer["number"]) != number:
                raise GarbledError  # noqa: TRY301  # told as every other nonsense
            if "ckr" in answer:
                self._raise_ckr(answer["ckr"])
            if "error" in answer:
                self._raise(answer["error"])
            return value_of(kind, answer["value"])
        except (GarbledError, KeyError, TypeError) as error:
            self._fail("driver.garbled", error)

    def end(self) -> None:
        """End the process: its input ends, and it is killed if that is not enough."""
        self.dead = True
        self._finalizer()

    def _load(self, path: str, binding: str) -> str:
        """Return the binding; a helper itself makes an error of what a driver says while it loads."""
        try:
            return self.ask(str, "load", path=path, binding=binding)
        except CkrError as error:
            self._fail("driver.garbled", error)

    def _greet(self, interpreter: str) -> None:
        """Wait for the helper to say who it is; one that never does is no helper."""
        try:
            said = self._pipes.hear(self._limits["hello"])
        except (PipeEndedError, PipeHungError, GarbledError) as error:
            self._process.kill()
            raise DriverError("driver.helper_not_started", name=interpreter) from error
        if said.get("hello") != HELLO or said.get("version") != VERSION:
            raise DriverError("driver.helper_version", name=interpreter)

    def _exchanged(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        try:
            self._pipes.tell(request)
            return self._pipes.hear(seconds)
        except RequestTooLongError as error:
            raise CkrError(_ARGUMENTS_BAD, request["call"]) from error
        except PipeEndedError as error:
            self._fail("driver.crashed", error)
        except PipeHungError as error:
            self._fail("driver.hung", error, seconds)
        except GarbledError as error:
            self._fail("driver.garbled", error)
        except BaseException:  # the answer is still to come, and must not be taken for the next call's
            self._process.kill()
            self.end()
            raise

    def _fail(self, code: str, error: Exception, seconds: float = 0) -> NoReturn:
        self._process.kill()
        self.end()
        raise DriverCrashedError(code, name=self._name, seconds=round(seconds)) from error

    @staticmethod
    def _raise_ckr(said: dict[str, Any]) -> NoReturn:
        code = None if said["code"] is None else value_of(int, said["code"])
        raise CkrError(code, value_of(str, said["call"]), value_of(str, said["name"]))

    def _raise(self, said: dict[str, Any]) -> NoReturn:
        places: dict[str, Any] = {
            name: value
            for name, value in value_of(dict[str, Any], said["places"]).items()
            if isinstance(value, str | int) and name not in _RESERVED
        }
        kind, code = _KINDS.get(said["kind"], DriverError), value_of(str, said["code"])
        if messages.text(code) == code:  # no code of ours: it would be shown as it is
            raise GarbledError
        raise kind(code, **{"name": self._name, **places})


_RESERVED = frozenset({"field", "reference", "report"})
_KINDS: dict[str, type[BhxhError]] = {
    each.__name__: each for each in (DriverError, MissingExtraError, InputError)
}


def _interpreter(path: str) -> str:
    header = read_header(path)
    if not header.machines or fits_this_process(header):
        return own_interpreter()
    if named := os.environ.get(HELPER, ""):
        return named
    _, own = own_machine()
    raise DriverError("driver.wrong_architecture", name=path, machine=", ".join(header.machines), own=own)


def _started(interpreter: str, pin_env: str) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603  # our own module, no shell; what it reads is no argument
            child_command("bhxh_sdk.signers.pkcs11.helper", interpreter),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment_without(pin_env),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise DriverError("driver.helper_not_started", name=interpreter or HELPER) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a helper and reap it; its input ends first, so that it can close what it has open."""
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            pipe.close()  # type: ignore[union-attr]  # both are pipes
    if not ended(process, _CLOSING_SECONDS):
        process.kill()
        ended(process, _CLOSING_SECONDS)
