"""PKCS#11 modules through PyKCS11 (extra `pykcs11`): the one binding with wheels for 32-bit Windows.

PyKCS11 is under the GPL, so that it is an extra of its own which nothing else needs; it is imported here and
nowhere else, when a module is to be loaded through it.

It holds the interpreter for as long as the token works, and is slow where it copies: signing goes to its low
level, with one C_Sign into a buffer that is large enough. It takes memory for whatever length a driver tells,
and ends the process where there is none: only a process of its own (`isolated`) helps against that.

Source: PyKCS11 1.5 (https://pkcs11wrap.sourceforge.io/api/).
"""

from __future__ import annotations

import ctypes
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import PyKCS11
from PyKCS11 import LowLevel

from bhxh_sdk.signers.pkcs11.attributes import CKA_CLASS, length_of, pss_of, text_of
from bhxh_sdk.signers.pkcs11.contract import CkrError, Mechanism, ModuleInfo, TokenInfo
from bhxh_sdk.signers.pkcs11.function_list import demand
from bhxh_sdk.signers.pkcs11.sessions import BoundModule, BoundSession

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bhxh_sdk.secret import Secret

__all__ = ["PyKcs11Module", "PyKcs11Session"]

_LONGEST_SIGNATURE = 2048
_MECHANISMS = {one: PyKCS11.Mechanism(one) for one in Mechanism}


class PyKcs11Module(BoundModule):
    """A module that is loaded through PyKCS11; see `contract.Module`.

    Args:
        path: the module's file.

    Raises:
        CkrError: it cannot be loaded, or does not start.

    """

    binding = "pykcs11"

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._library = PyKCS11.PyKCS11Lib()
        self.ask("C_Initialize", self._start)

    def _start(self) -> None:
        with _asked("C_Initialize"):
            self._library.load(self.path)

    def info(self) -> ModuleInfo:
        """Return what it says of itself."""
        return self.ask("C_GetInfo", self._info)

    def _info(self) -> ModuleInfo:
        with _asked("C_GetInfo"):
            info = self._library.getInfo()
        return ModuleInfo(
            path=self.path,
            manufacturer=_text(info.manufacturerID),
            description=_text(info.libraryDescription),
            version=".".join(map(str, info.libraryVersion)),
        )

    def _slots(self, *, present: bool) -> list[int]:
        with _asked("C_GetSlotList"):
            return list(self._library.getSlotList(tokenPresent=present))

    def _token(self, slot: int) -> TokenInfo:
        with _asked("C_GetTokenInfo"):
            token = self._library.getTokenInfo(slot)
            reader = self._library.getSlotInfo(slot).slotDescription
        return TokenInfo(
            slot=slot,
            label=_text(token.label),
            manufacturer=_text(token.manufacturerID),
            model=_text(token.model),
            serial=_text(token.serialNumber),
            flags=token.flags,
            reader=_text(reader),
            shortest_pin=length_of(token.ulMinPinLen),
            longest_pin=length_of(token.ulMaxPinLen),
        )

    def _mechanisms(self, slot: int) -> list[int]:
        # Not getMechanismList: it adds a mechanism of its own and gives names.
        found = LowLevel.ckulonglist()
        demand("C_GetMechanismList", self._library.lib.C_GetMechanismList(slot, found))
        return list(found)

    def _opened(self, slot: int, *, has_pad: bool) -> PyKcs11Session:
        with _asked("C_OpenSession"):
            return PyKcs11Session(self, self._library.openSession(slot), has_pad=has_pad)


class PyKcs11Session(BoundSession):
    """A session through PyKCS11; see `contract.Session`.

    Args:
        module: whose session it is.
        session: of PyKCS11, without login.
        has_pad: whether a PIN is typed on the token or its reader.

    """

    def __init__(self, module: PyKcs11Module, session: Any, *, has_pad: bool) -> None:  # noqa: ANN401  # PyKCS11 has no types
        super().__init__(module, has_pad=has_pad)
        self._session = session
        self._library, self._handle = session.lib, session.session

    def _found(self, kind: int) -> Mapping[int, Any]:
        try:
            with _asked("C_FindObjects"):
                return {one.value(): one for one in self._session.findObjects([(CKA_CLASS, kind)])}
        except CkrError:
            # A search that fails on its way is left open, and then the session does nothing else.
            self._library.C_FindObjectsFinal(self._handle)
            raise

    def _read(self, found: Any, wanted: tuple[int, ...]) -> dict[int, bytes]:  # noqa: ANN401  # as the session
        with _asked("C_GetAttributeValue"):
            read = self._session.getAttributeValue(found, wanted, allAsBinary=True)
        return {name: bytes(value) for name, value in zip(wanted, read, strict=True) if value is not None}

    def _log_in(self, user: int, pin: Secret | None) -> int:
        text = None if pin is None else pin.reveal
        try:
            # No name for the bytes, which a traceback would have.
            given = self._library.C_Login(self._handle, user, PyKCS11.ckbytelist(text and text()))
        except KeyboardInterrupt as error:
            raise error.with_traceback(None) from None
        return int(given)

    def _begin(self, found: Any, mechanism: Mechanism, data: bytes) -> None:  # noqa: ANN401  # as the session
        how = _pss(data) if mechanism is Mechanism.RSA_PKCS_PSS else _MECHANISMS[mechanism]
        demand("C_SignInit", self._library.C_SignInit(self._handle, how.to_native(), found))

    def _value(self, data: bytes) -> tuple[int, bytes]:
        signature, given = LowLevel.ckbytelist(_LONGEST_SIGNATURE), LowLevel.ckbytelist(data)
        code = int(self._library.C_Sign(self._handle, given, signature))
        return code, b"" if code else _bytes(signature)

    def _close(self) -> None:
        with _asked("C_CloseSession"):
            self._session.closeSession()


@contextmanager
def _asked(call: str) -> Iterator[None]:
    """Make `CkrError` of PyKCS11's own error."""
    try:
        yield
    except PyKCS11.PyKCS11Error as error:
        code = error.value if error.value > 0 else None
        raise CkrError(code, call, str(error)) from None


def _pss(digest: bytes) -> Any:  # noqa: ANN401  # PyKCS11 has no types
    return PyKCS11.RSA_PSS_Mechanism(Mechanism.RSA_PKCS_PSS, *pss_of(digest))


def _text(text: str) -> str:
    return text_of(text.encode(errors="surrogateescape"))


def _bytes(vector: Any) -> bytes:  # noqa: ANN401  # std::vector<unsigned char> as SWIG wraps it
    """Copy a vector at once; PyKCS11 itself hands over element by element, 85 us for a signature.

    In all C++ libraries that its wheels are built with, a vector starts with the addresses of its first
    element and of the one after the last. Where they do not fit its length, the slow way is taken.
    """
    length = len(vector)
    first, end = (ctypes.c_size_t * 2).from_address(int(vector.this))
    if end - first != length:
        return bytes(vector)
    return ctypes.string_at(first, length)
