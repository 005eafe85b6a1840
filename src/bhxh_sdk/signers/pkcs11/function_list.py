"""The functions of a module that a binding has loaded, called through its function list.

python-pkcs11 has its own way to most of them, and each of these has a fault of its own:

- Login: `token.open(user_pin=…)` opens a session of its own, never closes it when the PIN is wrong (after a
  few wrong PINs a token has no session left), and logs out every session of the token when it is closed.
- Keys that want the PIN for each signature: after a wrong PIN `key.sign(pin=…)` leaves the operation open for
  ever.
- Signatures: two C_Sign for each, the first one for the length alone.
- A search that cannot start: an error printed from a destructor.
- Return values: most lose their number, the drivers' own among them.
- Lengths: memory is taken for whatever the driver says. Here each is checked against a bound before memory is
  taken, and against the memory that was taken after the driver has filled it.

Source: PKCS#11 2.40, sections 3.6 (CK_FUNCTION_LIST), 3.2, 5.5 to 5.7 and 5.11. On Windows structures are
packed to one byte (section 2.1); elsewhere the pointers start at a pointer's size, after the version.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import TYPE_CHECKING, Any

from bhxh_sdk.signers.pkcs11.attributes import CKA_CLASS, length_of, text_of
from bhxh_sdk.signers.pkcs11.contract import CkrError, TokenInfo

if TYPE_CHECKING:
    from bhxh_sdk.secret import Secret

__all__ = ["FunctionList", "demand"]

_PACKED = sys.platform == "win32"
_POINTER_SIZE = ctypes.sizeof(ctypes.c_void_p)
_FIRST = 2 if _PACKED else _POINTER_SIZE
_TRIPLE = struct.Struct({8: "=LQL", 4: "=LLL"}[_POINTER_SIZE] if _PACKED else "@LPL")
"""CK_MECHANISM, and CK_ATTRIBUTE: what it is, the address of its value, the length of that."""

_BYTE, _ULONG, _POINTER = ctypes.c_ubyte, ctypes.c_ulong, ctypes.c_void_p
_FUNCTIONS: dict[str, tuple[int, list[Any]]] = {
    "C_GetSlotList": (4, [_BYTE, _POINTER, _POINTER]),
    "C_GetSlotInfo": (5, [_ULONG, _POINTER]),
    "C_GetTokenInfo": (6, [_ULONG, _POINTER]),
    "C_GetMechanismList": (7, [_ULONG, _POINTER, _POINTER]),
    "C_OpenSession": (12, [_ULONG, _ULONG, _POINTER, _POINTER, _POINTER]),
    "C_CloseSession": (13, [_ULONG]),
    "C_Login": (18, [_ULONG, _ULONG, _POINTER, _ULONG]),
    "C_GetAttributeValue": (24, [_ULONG, _ULONG, _POINTER, _ULONG]),
    "C_FindObjectsInit": (26, [_ULONG, _POINTER, _ULONG]),
    "C_FindObjects": (27, [_ULONG, _POINTER, _ULONG, _POINTER]),
    "C_FindObjectsFinal": (28, [_ULONG]),
    "C_SignInit": (42, [_ULONG, _POINTER, _ULONG]),
    "C_Sign": (43, [_ULONG, _POINTER, _ULONG, _POINTER, _POINTER]),
}
"""Name -> its place in the list, and the types of its parameters."""

_TEXTS = struct.Struct("32s32s16s16s")
_NUMBERS = struct.Struct("@7L")  # flags, four session counts, longest PIN, shortest PIN
_INFO = 512
"""Bytes for a CK_TOKEN_INFO, which has 208 at most, or a CK_SLOT_INFO."""
_READER = 64
_SERIAL_SESSION = 0x4
_UNAVAILABLE = frozenset({0xFFFFFFFF, ctypes.c_ulong(-1).value})
"""CK_UNAVAILABLE_INFORMATION, and what some drivers take for it."""

_MOST_LISTED = 4096
"""Slots, mechanisms of a token, or objects of a class."""
_LONGEST_VALUE = 1 << 20
"""Bytes of an attribute: certificates have some thousand."""
_LONGEST_SIGNATURE = 2048
_SEARCH = 64
"""Objects that are asked for at once."""


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
        demand("C_GetFunctionList", get(ctypes.byref(functions)))
        start = (functions.value or 0) + _FIRST
        self._functions = {name: _function(start, *found) for name, found in _FUNCTIONS.items()}
        self._mechanisms: dict[tuple[int, bytes], bytes] = {}
        self._signature = ctypes.create_string_buffer(_LONGEST_SIGNATURE)
        self._length = ctypes.c_ulong()
        self._length_address = ctypes.byref(self._length)

    def slots(self, *, present: bool) -> list[int]:
        """Return the numbers of the slots.

        Args:
            present: whether only of those with a token.

        """
        return self._listed("C_GetSlotList", present)

    def mechanisms(self, slot: int) -> list[int]:
        """Return the mechanisms of the token in a slot (CK_SLOT_ID)."""
        return self._listed("C_GetMechanismList", slot)

    def token_info(self, slot: int) -> TokenInfo:
        """Return what the token in a slot (CK_SLOT_ID) says of itself now."""
        info = ctypes.create_string_buffer(_INFO)
        self._call("C_GetTokenInfo", slot, info)
        label, manufacturer, model, serial = map(text_of, _TEXTS.unpack_from(info))
        flags, *_, longest, shortest = _NUMBERS.unpack_from(info, _TEXTS.size)
        self._call("C_GetSlotInfo", slot, info)
        return TokenInfo(
            slot=slot,
            label=label,
            manufacturer=manufacturer,
            model=model,
            serial=serial,
            flags=flags,
            reader=text_of(info.raw[:_READER]),
            shortest_pin=length_of(shortest),
            longest_pin=length_of(longest),
        )

    def open(self, slot: int) -> int:
        """Open a read-only session with the token in a slot; return its CK_SESSION_HANDLE."""
        session = ctypes.c_ulong()
        self._call("C_OpenSession", slot, _SERIAL_SESSION, None, None, ctypes.byref(session))
        return session.value

    def close(self, session: int) -> None:
        """Close a session (CK_SESSION_HANDLE)."""
        self._call("C_CloseSession", session)

    def login(self, session: int, user: int, pin: Secret | None) -> int:
        """Call C_Login, exactly once, and return its value: an error would have a frame with the PIN in it.

        Args:
            session: CK_SESSION_HANDLE.
            user: CK_USER_TYPE.
            pin: None for a PIN pad.

        """
        call = self._functions["C_Login"]
        if pin is None:
            return int(call(session, user, None, 0))
        # No name for the bytes: a signal ends up in this frame, and its traceback would have them.
        return int(call(session, user, pin.reveal().encode(), len(pin.reveal().encode())))

    def objects(self, session: int, kind: int) -> list[int]:
        """Find objects; return their CK_OBJECT_HANDLE.

        Args:
            session: CK_SESSION_HANDLE.
            kind: CK_OBJECT_CLASS.

        """
        wanted = ctypes.c_ulong(kind)
        template = _TRIPLE.pack(CKA_CLASS, ctypes.addressof(wanted), ctypes.sizeof(wanted))
        self._call("C_FindObjectsInit", session, template, 1)
        try:
            found = self._search(session)
        except CkrError:  # a search that is left open lets the session do nothing else
            self._functions["C_FindObjectsFinal"](session)
            raise
        self._call("C_FindObjectsFinal", session)
        return found

    def _search(self, session: int) -> list[int]:
        found: list[int] = []
        batch, count = (ctypes.c_ulong * _SEARCH)(), ctypes.c_ulong(1)
        while count.value:
            self._call("C_FindObjects", session, batch, _SEARCH, ctypes.byref(count))
            found += batch[: _bounded("C_FindObjects", count.value, _SEARCH)]
            _bounded("C_FindObjects", len(found), _MOST_LISTED)
        return found

    def attributes(self, session: int, found: int, wanted: tuple[int, ...]) -> dict[int, bytes]:
        """Read attributes at once; those without a value are left out.

        Args:
            session: CK_SESSION_HANDLE.
            found: CK_OBJECT_HANDLE.
            wanted: CK_ATTRIBUTE_TYPE.

        """
        call = "C_GetAttributeValue"
        told = self._lengths(session, found, [(one, 0, 0) for one in wanted])
        memory = {
            one: ctypes.create_string_buffer(_bounded(call, length, _LONGEST_VALUE))
            for one, length in told.items()
        }
        rows = [(one, ctypes.addressof(buffer), len(buffer)) for one, buffer in memory.items()]
        filled = self._lengths(session, found, rows)
        return {one: memory[one].raw[: _bounded(call, size, told[one])] for one, size in filled.items()}

    def _lengths(self, session: int, found: int, rows: list[tuple[int, int, int]]) -> dict[int, int]:
        """Call C_GetAttributeValue with a template of these rows; return the lengths by attribute."""
        if not rows:
            return {}
        template = ctypes.create_string_buffer(b"".join(_TRIPLE.pack(*row) for row in rows))
        self._call("C_GetAttributeValue", session, found, template, len(rows))
        answered = (_TRIPLE.unpack_from(template, place * _TRIPLE.size) for place in range(len(rows)))
        lengths = zip((row[0] for row in rows), (answer[2] for answer in answered), strict=True)
        return {one: length for one, length in lengths if length not in _UNAVAILABLE}

    def begin(self, session: int, key: int, mechanism: int, parameters: bytes = b"") -> None:
        """Begin to sign.

        Args:
            session: CK_SESSION_HANDLE.
            key: CK_OBJECT_HANDLE.
            mechanism: CK_MECHANISM_TYPE.
            parameters: the mechanism's parameters as they stand in memory; empty for none.

        """
        how = mechanism, parameters
        if (kept := self._mechanisms.get(how)) is None:
            # Its address stays good: the parameters are kept as part of the key.
            address = ctypes.cast(ctypes.c_char_p(parameters), ctypes.c_void_p).value if parameters else 0
            kept = self._mechanisms[how] = _TRIPLE.pack(mechanism, address, len(parameters))
        self._call("C_SignInit", session, kept, key)

    def sign(self, session: int, data: bytes) -> tuple[int, bytes]:
        """Call C_Sign; return its value, and the signature where that is CKR_OK.

        Args:
            session: CK_SESSION_HANDLE.
            data: what the mechanism takes.

        """
        self._length.value = _LONGEST_SIGNATURE
        code = self._functions["C_Sign"](session, data, len(data), self._signature, self._length_address)
        if code:
            return int(code), b""
        length = _bounded("C_Sign", self._length.value, _LONGEST_SIGNATURE)
        return 0, ctypes.string_at(self._signature, length)

    def _listed(self, name: str, whose: int) -> list[int]:
        count = ctypes.c_ulong()
        self._call(name, whose, None, ctypes.byref(count))
        if not count.value:
            return []
        found = (ctypes.c_ulong * _bounded(name, count.value, _MOST_LISTED))()
        self._call(name, whose, found, ctypes.byref(count))
        return found[: _bounded(name, count.value, len(found))]

    def _call(self, name: str, *arguments: Any) -> None:  # noqa: ANN401  # numbers, bytes and buffers
        demand(name, self._functions[name](*arguments))


def demand(call: str, code: int) -> None:
    """Raise `CkrError` for a return value that is not CKR_OK."""
    if code:
        raise CkrError(code, call)


def _bounded(name: str, length: int, most: int) -> int:
    """Return a length that a driver told, or refuse it."""
    if length > most:
        raise CkrError(None, name, f"length {length}")
    return length


def _function(start: int, position: int, parameters: list[Any]) -> Any:  # noqa: ANN401  # ctypes makes a type for each signature
    address = ctypes.c_void_p.from_address(start + position * _POINTER_SIZE).value
    return ctypes.CFUNCTYPE(ctypes.c_ulong, *parameters)(address or 0)
