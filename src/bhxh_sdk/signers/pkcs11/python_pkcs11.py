"""PKCS#11 modules through python-pkcs11 (extra `token`): it loads and starts one and tells what it is.

All else goes past it, to the module's function list (see `function_list`): there every return value keeps its
number, every length that a driver tells is bounded, and nothing is called that need not be. Other threads run
while a token works.

Source: python-pkcs11 0.10 (https://python-pkcs11.readthedocs.io).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pkcs11

from bhxh_sdk.signers.pkcs11.attributes import pss_of
from bhxh_sdk.signers.pkcs11.ckr import ckr_of_class, ckr_of_text
from bhxh_sdk.signers.pkcs11.contract import CkrError, Mechanism, ModuleInfo
from bhxh_sdk.signers.pkcs11.function_list import FunctionList
from bhxh_sdk.signers.pkcs11.sessions import BoundModule, BoundSession

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.pkcs11.contract import TokenInfo

__all__ = ["PythonPkcs11Module", "PythonPkcs11Session"]


class PythonPkcs11Module(BoundModule):
    """A module that is loaded through python-pkcs11; see `contract.Module`.

    Args:
        path: the module's file.

    Raises:
        CkrError: it cannot be loaded, or does not start.

    """

    binding = "python-pkcs11"

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._library = self.ask("C_Initialize", lambda: _started(path))
        self.functions = FunctionList(path)

    def info(self) -> ModuleInfo:
        """Return what it says of itself."""
        return ModuleInfo(
            path=self.path,
            manufacturer=self._library.manufacturer_id,
            description=self._library.library_description,
            version=".".join(map(str, self._library.library_version)),
        )

    def _slots(self, *, present: bool) -> list[int]:
        return self.functions.slots(present=present)

    def _token(self, slot: int) -> TokenInfo:
        return self.functions.token_info(slot)

    def _mechanisms(self, slot: int) -> list[int]:
        return self.functions.mechanisms(slot)

    def _opened(self, slot: int, *, has_pad: bool) -> PythonPkcs11Session:
        return PythonPkcs11Session(self, self.functions.open(slot), has_pad=has_pad)


class PythonPkcs11Session(BoundSession):
    """A session with a module that python-pkcs11 has loaded; see `contract.Session`.

    Args:
        module: whose session it is.
        handle: CK_SESSION_HANDLE, without login.
        has_pad: whether a PIN is typed on the token or its reader.

    """

    def __init__(self, module: PythonPkcs11Module, handle: int, *, has_pad: bool) -> None:
        super().__init__(module, has_pad=has_pad)
        self._functions = module.functions
        self._handle = handle

    def _found(self, kind: int) -> Mapping[int, int]:
        return {handle: handle for handle in self._functions.objects(self._handle, kind)}

    def _read(self, found: int, wanted: tuple[int, ...]) -> dict[int, bytes]:
        return self._functions.attributes(self._handle, found, wanted)

    def _log_in(self, user: int, pin: Secret | None) -> int:
        return self._functions.login(self._handle, user, pin)

    def _begin(self, found: int, mechanism: Mechanism, data: bytes) -> None:
        parameters = struct.pack("@3L", *pss_of(data)) if mechanism is Mechanism.RSA_PKCS_PSS else b""
        self._functions.begin(self._handle, found, mechanism, parameters)

    def _value(self, data: bytes) -> tuple[int, bytes]:
        return self._functions.sign(self._handle, data)

    def _close(self) -> None:
        self._functions.close(self._handle)


def _started(path: str) -> Any:  # noqa: ANN401  # a class that python-pkcs11 does not name
    try:
        return pkcs11.lib(path)
    except pkcs11.PKCS11Error as error:
        name, text = type(error).__name__, str(error)
    code = ckr_of_class(name)
    raise CkrError(ckr_of_text(text) if code is None else code, "C_Initialize", text or name)
