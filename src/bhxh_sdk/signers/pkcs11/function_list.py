"""What python-pkcs11 has no call for, through the function list of a module that it has loaded.

- Login: `token.open(user_pin=…)` opens a session of its own, never closes it when the PIN is wrong (after a
  few wrong PINs a token has no session left), and logs out every session of the token when it is closed. Here
  C_Login goes to the session that is open already, and a wrong PIN leaves nothing behind.
- The token's flags and PIN lengths in one C_GetTokenInfo: python-pkcs11 leaves the lengths out.
- Keys that want the PIN for each signature: after a wrong PIN `key.sign(pin=…)` leaves the operation open for
  ever. Here it is ended, and a PIN pad can be used.
- A search that cannot start: there python-pkcs11 prints an error from a destructor.

All of these give the number of the return value, also the driver's own, which python-pkcs11 keeps to itself.

Source: PKCS#11 2.40, sections 3.6 (CK_FUNCTION_LIST), 3.2, 5.5 to 5.7 and 5.11. On Windows structures are
packed to one byte (section 2.1); elsewhere the pointers start at a pointer's size, after the version.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import TYPE_CHECKING, Any

from bhxh_sdk.signers.pkcs11.attributes import length_of, text_of
from bhxh_sdk.signers.pkcs11.contract import CkrError, TokenInfo

if TYPE_CHECKING:
    from bhxh_sdk.secret import Secret

__all__ = ["CONTEXT_SPECIFIC", "USER", "FunctionList"]

USER = 1
"""CKU_USER: logs in for the token and the whole process."""
CONTEXT_SPECIFIC = 2
"""CKU_CONTEXT_SPECIFIC: for one operation with a key that is CKA_ALWAYS_AUTHENTICATE."""

_PACKED = sys.platform == "win32"
_FIRST = 2 if _PACKED else ctypes.sizeof(ctypes.c_void_p)
_MECHANISM = "=LQL" if _PACKED else "@LPL"
_POSITIONS = {
    "C_GetTokenInfo": 6,
    "C_Login": 18,
    "C_FindObjectsInit": 26,
    "C_FindObjectsFinal": 28,
    "C_SignInit": 42,
    "C_Sign": 43,
}
_TEXTS = struct.Struct("32s32s16s16s")
_NUMBERS = struct.Struct("@7L")  # flags, four session counts, longest PIN, shortest PIN
_TOKEN_INFO = 512
"""Bytes for a CK_TOKEN_INFO, which has 208 at most."""
_LONGEST_SIGNATURE = 2048


class FunctionList:
    """Call functions of a loaded module. Every method raises `CkrError`; the caller holds the module's lock.

    Args:
        path: the module's file, loaded and initialised.

    Raises:
        CkrError: it has symbols that cannot be found, or no function list.

    """

    def __init__(self, path: str) -> None:
        try:
            get = ctypes.CDLL(path).C_GetFunctionList
        except OSError as error:  # other than the binding, ctypes wants every symbol at once
            raise CkrError(None, "C_GetFunctionList", str(error)) from None
        get.restype = ctypes.c_ulong
        functions = ctypes.c_void_p()
        _demand("C_GetFunctionList", get(ctypes.byref(functions)))
        start = (functions.value or 0) + _FIRST
        self._functions = {name: _function(start, position) for name, position in _POSITIONS.items()}

    def token_info(self, slot: int, reader: str) -> TokenInfo:
        """Return what the token in a slot says of itself now.

        Args:
            slot: CK_SLOT_ID.
            reader: the slot's description.

        """
        info = ctypes.create_string_buffer(_TOKEN_INFO)
        self._call("C_GetTokenInfo", slot, info)
        label, manufacturer, model, serial = map(text_of, _TEXTS.unpack_from(info))
        flags, *_, longest, shortest = _NUMBERS.unpack_from(info, _TEXTS.size)
        return TokenInfo(
            slot=slot,
            label=label,
            manufacturer=manufacturer,
            model=model,
            serial=serial,
            flags=flags,
            reader=reader,
            shortest_pin=length_of(shortest),
            longest_pin=length_of(longest),
        )

    def login(self, session: int, user: int, pin: Secret | None) -> None:
        """Log in: exactly one C_Login.

        Args:
            session: CK_SESSION_HANDLE.
            user: `USER` or `CONTEXT_SPECIFIC`.
            pin: None for a PIN pad.

        """
        _demand("C_Login", self._log_in(session, user, pin))  # raised where no frame has the PIN in it

    def _log_in(self, session: int, user: int, pin: Secret | None) -> int:
        given = None if pin is None else pin.reveal().encode()
        length = 0 if given is None else len(given)
        login = self._functions["C_Login"]
        return int(login(ctypes.c_ulong(session), ctypes.c_ulong(user), given, ctypes.c_ulong(length)))

    def demand_search(self, session: int) -> None:
        """Fail where a search for objects would.

        Args:
            session: CK_SESSION_HANDLE.

        """
        self._call("C_FindObjectsInit", session, None, 0)
        self._call("C_FindObjectsFinal", session)

    def sign(
        self,
        session: int,
        key: int,
        mechanism: int,
        parameters: bytes,
        data: bytes,
        *,
        pin: Secret | None,
        login: bool,
    ) -> bytes:
        """Sign with a key that wants the PIN each time.

        Args:
            session: CK_SESSION_HANDLE.
            key: CK_OBJECT_HANDLE.
            mechanism: CK_MECHANISM_TYPE.
            parameters: the mechanism's parameters as they stand in memory; empty for none.
            data: what the mechanism takes.
            pin: None for a PIN pad.
            login: whether to log in for the operation.

        """
        address = ctypes.cast(ctypes.c_char_p(parameters), ctypes.c_void_p).value if parameters else 0
        self._call("C_SignInit", session, struct.pack(_MECHANISM, mechanism, address, len(parameters)), key)
        if login:
            try:
                self.login(session, CONTEXT_SPECIFIC, pin)
            except CkrError:
                self._sign(session, data)  # without the login it fails, and that ends the operation
                raise
        code, signature = self._sign(session, data)
        _demand("C_Sign", code)
        return signature

    def _sign(self, session: int, data: bytes) -> tuple[int, bytes]:
        signature = ctypes.create_string_buffer(_LONGEST_SIGNATURE)
        length = ctypes.c_ulong(_LONGEST_SIGNATURE)
        code = self._functions["C_Sign"](
            ctypes.c_ulong(session), data, ctypes.c_ulong(len(data)), signature, ctypes.byref(length)
        )
        return code, signature.raw[: length.value]

    def _call(self, name: str, *arguments: Any) -> None:  # noqa: ANN401  # numbers, bytes and buffers
        numbers = (ctypes.c_ulong(value) if isinstance(value, int) else value for value in arguments)
        _demand(name, self._functions[name](*numbers))


def _demand(name: str, code: int) -> None:
    if code:
        raise CkrError(code, name)


def _function(start: int, position: int) -> Any:  # noqa: ANN401  # ctypes makes a type for each signature
    address = ctypes.c_void_p.from_address(start + position * ctypes.sizeof(ctypes.c_void_p)).value
    return ctypes.CFUNCTYPE(ctypes.c_ulong)(address or 0)
