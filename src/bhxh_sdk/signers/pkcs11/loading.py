"""Modules are loaded once a process, through one binding, and stay.

- Two bindings on one module tear the state down under each other: the second is refused.
- A module is never unloaded and C_Finalize is never called, not even at the end of the process: some drivers
  crash in it, and in a forked process it would end the sessions of the other one.
- In a forked process nothing may use what the parent loaded: C_Initialize has to be called again there
  (PKCS#11 2.40, section 5.4), and neither binding can. Load modules after the fork.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from bhxh_sdk.errors import InputError, MissingExtraError
from bhxh_sdk.signers.pkcs11.ckr import ckr_name
from bhxh_sdk.signers.pkcs11.contract import CkrError
from bhxh_sdk.signers.pkcs11.locks import loading_lock
from bhxh_sdk.token_errors import DriverError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bhxh_sdk.signers.pkcs11.contract import Module

__all__ = ["BINDINGS", "demand_binding", "load_module"]

_ALREADY_INITIALIZED = 0x191


def load_module(path: str, binding: str = "") -> Module:
    """Return the module of a file, loaded and initialised; the same one each time.

    Args:
        path: the module's file.
        binding: `python-pkcs11` or `pykcs11`; empty for the one that has loaded it, else for the first of
            them that is installed.

    Raises:
        DriverError: there is no such file, it cannot be loaded or does not start, the other binding has it,
            or it was loaded before this process was forked.
        MissingExtraError: the binding is not installed.
        InputError: no such binding.

    """
    if binding and binding not in BINDINGS:
        raise InputError("token.unknown_binding", field="binding", got=binding, known=", ".join(BINDINGS))
    if not os.path.isfile(path):  # noqa: PTH113  # a text all the way: real paths are compared
        raise DriverError("token.driver_missing", name=_name(path), path=str(path))
    real = os.path.realpath(path)
    with loading_lock():
        found = _LOADED.get(os.path.normcase(real))
        return _opened(real, binding) if found is None else _again(found, binding)


def demand_binding(binding: str = "") -> None:
    """Refuse to go on where no binding is installed.

    Args:
        binding: the one that is wanted; empty for any.

    Raises:
        MissingExtraError: it is not installed; the text names the extra.

    """
    _maker(binding)


def _again(found: tuple[Module, int], binding: str) -> Module:
    module, process = found
    if process != os.getpid():
        raise DriverError("token.driver_forked", name=_name(module.path))
    if binding not in {"", module.binding}:
        raise DriverError(
            "token.driver_other_binding", name=_name(module.path), binding=module.binding, wanted=binding
        )
    return module


def _opened(path: str, binding: str) -> Module:
    module = _made(path, binding)
    # A reference that nobody gives back: the bindings unload in their destructors, at the process's end, too.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(module))
    _LOADED[os.path.normcase(path)] = module, os.getpid()
    return module


def _made(path: str, binding: str) -> Module:
    make = _maker(binding)
    try:
        return make(path)
    except CkrError as error:
        raise _unusable(error, path) from None


def _maker(binding: str) -> Callable[[str], Module]:
    for name in [binding] if binding else BINDINGS:
        with suppress(ImportError):
            return BINDINGS[name]()
    raise MissingExtraError(extra=_EXTRAS.get(binding, "token"))


def _unusable(error: CkrError, path: str) -> DriverError:
    name = _name(path)
    if error.code is None:
        return DriverError("token.driver_not_loaded", name=name, path=path, reason=error.name)
    if error.code == _ALREADY_INITIALIZED:
        return DriverError("token.driver_in_use", name=name)
    return DriverError("token.driver_not_started", name=name, ckr=error.code, ckr_name=ckr_name(error.code))


def _python_pkcs11() -> Callable[[str], Module]:
    from bhxh_sdk.signers.pkcs11.python_pkcs11 import PythonPkcs11Module  # noqa: PLC0415  # needs the extra

    return PythonPkcs11Module


def _pykcs11() -> Callable[[str], Module]:
    from bhxh_sdk.signers.pkcs11.pykcs11 import PyKcs11Module  # noqa: PLC0415  # needs the extra

    return PyKcs11Module


def _name(path: str) -> str:
    return os.path.basename(path)  # noqa: PTH119  # as above


BINDINGS: dict[str, Callable[[], Callable[[str], Module]]] = {
    "python-pkcs11": _python_pkcs11,
    "pykcs11": _pykcs11,
}
"""Binding -> how its class of modules is found; the first is the default."""
_EXTRAS = {"python-pkcs11": "token", "pykcs11": "pykcs11"}
_LOADED: dict[str, tuple[Module, int]] = {}
"""Real path -> the module, and the process that loaded it."""
