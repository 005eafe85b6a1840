"""PKCS#11 modules through PyKCS11 (extra `pykcs11`): the one binding with wheels for 32-bit Windows.

PyKCS11 is under the GPL, so that it is an extra of its own which nothing else needs; it is imported here and
nowhere else, when a module is to be loaded through it.

It holds the interpreter for as long as the token works, and is slow where it copies: signing goes to its low
level, with one C_Sign into a buffer that is large enough.

Source: PyKCS11 1.5 (https://pkcs11wrap.sourceforge.io/api/).
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import PyKCS11
from PyKCS11 import LowLevel

from bhxh_sdk.signers.pkcs11.attributes import (
    CERTIFICATE_ATTRIBUTES,
    CKA_CLASS,
    CKO_CERTIFICATE,
    CKO_PRIVATE_KEY,
    KEY_ATTRIBUTES,
    certificate_of,
    key_of,
    length_of,
    pss_of,
    text_of,
)
from bhxh_sdk.signers.pkcs11.ckr import CKR_GONE, CKR_UNREADABLE
from bhxh_sdk.signers.pkcs11.contract import CkrError, Mechanism, ModuleInfo, TokenFlag, TokenInfo
from bhxh_sdk.signers.pkcs11.locks import ModuleLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.pkcs11.contract import TokenCertificate, TokenKey

__all__ = ["PyKcs11Module", "PyKcs11Session"]

T = TypeVar("T")

_SESSION_HANDLE_INVALID = 0xB3
_PIN_LEN_RANGE = 0xA2
_USER_ALREADY_LOGGED_IN = 0x100
_KEY_HANDLE_INVALID = 0x60
_USER = 1
_CONTEXT_SPECIFIC = 2
_LONGEST_SIGNATURE = 2048
_MECHANISMS = {one: PyKCS11.Mechanism(one) for one in Mechanism}


class PyKcs11Module:
    """A module that is loaded through PyKCS11; see `contract.Module`.

    Args:
        path: the module's file.

    Raises:
        CkrError: it cannot be loaded, or does not start.

    """

    binding = "pykcs11"

    def __init__(self, path: str) -> None:
        self.path = path
        self.lock = ModuleLock()
        self._library = PyKCS11.PyKCS11Lib()
        self.ask("C_Initialize", lambda: self._library.load(path))

    def info(self) -> ModuleInfo:
        """Return what it says of itself."""
        info = self.ask("C_GetInfo", self._library.getInfo)
        return ModuleInfo(
            path=self.path,
            manufacturer=_text(info.manufacturerID),
            description=_text(info.libraryDescription),
            version=".".join(map(str, info.libraryVersion)),
        )

    def slot_count(self) -> int:
        """Return how many slots there are."""
        return len(self.ask("C_GetSlotList", self._library.getSlotList))

    def tokens(self) -> tuple[TokenInfo, ...]:
        """Return the inserted tokens that are initialised."""
        return self.ask("C_GetTokenInfo", self._tokens)

    def _tokens(self) -> tuple[TokenInfo, ...]:
        found = []
        for slot in self._library.getSlotList(tokenPresent=True):
            try:
                token = self._token(slot)
            except PyKCS11.PyKCS11Error as error:
                if error.value in CKR_GONE:
                    continue
                raise
            if token.flags & TokenFlag.TOKEN_INITIALIZED:
                found.append(token)
        return tuple(found)

    def _token(self, slot: int) -> TokenInfo:
        token = self._library.getTokenInfo(slot)
        return TokenInfo(
            slot=slot,
            label=_text(token.label),
            manufacturer=_text(token.manufacturerID),
            model=_text(token.model),
            serial=_text(token.serialNumber),
            flags=token.flags,
            reader=_text(self._library.getSlotInfo(slot).slotDescription),
            shortest_pin=length_of(token.ulMinPinLen),
            longest_pin=length_of(token.ulMaxPinLen),
        )

    def mechanisms(self, slot: int) -> frozenset[int]:
        """Return the mechanisms of a slot's token."""
        # Not getMechanismList: it adds a mechanism of its own and gives names.
        found = LowLevel.ckulonglist()
        code = self.ask("C_GetMechanismList", lambda: self._library.lib.C_GetMechanismList(slot, found))
        _demand("C_GetMechanismList", code)
        return frozenset(found)

    def open(self, slot: int) -> PyKcs11Session:
        """Open a read-only session without login."""
        token = self.ask("C_GetTokenInfo", lambda: self._token(slot))
        session = self.ask("C_OpenSession", lambda: self._library.openSession(slot))
        has_pad = TokenFlag.PROTECTED_AUTHENTICATION_PATH in token.flags
        return PyKcs11Session(self, session, has_pad=has_pad)

    def ask(self, call: str, question: Callable[[], T]) -> T:
        """Call into the module with its lock held.

        Args:
            call: the function, as errors name it.
            question: makes the call; a low-level one answers with the return value.

        """
        with self.lock:
            try:
                return question()
            except PyKCS11.PyKCS11Error as error:
                code = error.value if error.value > 0 else None
                raise CkrError(code, call, str(error)) from None


class PyKcs11Session:
    """A session through PyKCS11; see `contract.Session`.

    Args:
        module: whose session it is.
        session: of PyKCS11, without login.
        has_pad: whether a PIN is typed on the token or its reader.

    """

    def __init__(self, module: PyKcs11Module, session: Any, *, has_pad: bool) -> None:  # noqa: ANN401  # PyKCS11 has no types
        self._module = module
        self._session = session
        self._has_pad = has_pad
        self._keys: dict[int, Any] = {}

    def certificates(self) -> tuple[TokenCertificate, ...]:
        """List the X.509 certificates."""
        return self._ask("C_FindObjects", self._certificates)

    def _certificates(self) -> tuple[TokenCertificate, ...]:
        found = self._found(CKO_CERTIFICATE)
        certificates = (certificate_of(self._values(one, CERTIFICATE_ATTRIBUTES)) for one in found)
        return tuple(certificate for certificate in certificates if certificate is not None)

    def keys(self) -> tuple[TokenKey, ...]:
        """List the private keys that are visible now and may sign."""
        return self._ask("C_FindObjects", self._listed_keys)

    def _listed_keys(self) -> tuple[TokenKey, ...]:
        self._keys = {one.value(): one for one in self._found(CKO_PRIVATE_KEY)}
        keys = (key_of(handle, self._values(one, KEY_ATTRIBUTES)) for handle, one in self._keys.items())
        return tuple(key for key in keys if key is not None)

    def login(self, pin: Secret | None) -> None:
        """Log in as user, in this session: exactly one C_Login."""
        if pin is not None and not pin:
            raise CkrError(_PIN_LEN_RANGE, "C_Login")  # PyKCS11 would hand it on as none at all
        code = self._ask("C_Login", lambda: self._log_in(_USER, pin))
        if code != _USER_ALREADY_LOGGED_IN:
            _demand("C_Login", code)

    def sign(self, key: TokenKey, mechanism: Mechanism, data: bytes, pin: Secret | None = None) -> bytes:
        """Sign, and return the value as the token gives it."""
        return self._ask("C_Sign", lambda: self._signed(key, mechanism, data, pin))

    def _signed(self, key: TokenKey, mechanism: Mechanism, data: bytes, pin: Secret | None) -> bytes:
        if (found := self._keys.get(key.handle)) is None:
            raise CkrError(_KEY_HANDLE_INVALID, "C_SignInit")
        how = _pss(data) if mechanism is Mechanism.RSA_PKCS_PSS else _MECHANISMS[mechanism]
        library, handle = self._session.lib, self._session.session
        signature, given = LowLevel.ckbytelist(_LONGEST_SIGNATURE), LowLevel.ckbytelist(data)
        _demand("C_SignInit", library.C_SignInit(handle, how.to_native(), found))
        refused = 0
        if pin or (key.always_authenticate and self._has_pad):
            refused = self._log_in(_CONTEXT_SPECIFIC, pin)
        # Also after a refused login, without which it fails: that ends the operation.
        code = library.C_Sign(handle, given, signature)
        _demand("C_Login", refused)
        _demand("C_Sign", code)
        return _bytes(signature)

    def close(self) -> None:
        """Close the session; never raises."""
        with suppress(CkrError):
            self._module.ask("C_CloseSession", self._close)

    def _close(self) -> None:
        session, self._session = self._session, None
        self._keys = {}
        if session is not None:
            session.closeSession()

    def _log_in(self, user: int, pin: Secret | None) -> int:
        given = PyKCS11.ckbytelist(None if pin is None else pin.reveal())
        return int(self._session.lib.C_Login(self._session.session, user, given))

    def _found(self, kind: int) -> list[Any]:
        try:
            return list(self._session.findObjects([(CKA_CLASS, kind)]))
        except PyKCS11.PyKCS11Error:
            # A search that fails on its way is left open, and then the session does nothing else.
            self._session.lib.C_FindObjectsFinal(self._session.session)
            raise

    def _values(self, found: Any, wanted: tuple[int, ...]) -> dict[int, bytes]:  # noqa: ANN401  # as the session
        try:
            return self._read(found, wanted)
        except PyKCS11.PyKCS11Error:
            return {name: value for one in wanted for name, value in self._read_one(found, one)}

    def _read_one(self, found: Any, wanted: int) -> Iterable[tuple[int, bytes]]:  # noqa: ANN401  # as the session
        try:
            return self._read(found, (wanted,)).items()
        except PyKCS11.PyKCS11Error as error:
            if error.value not in CKR_UNREADABLE:
                raise
            return ()

    def _read(self, found: Any, wanted: tuple[int, ...]) -> dict[int, bytes]:  # noqa: ANN401  # as the session
        read = self._session.getAttributeValue(found, wanted, allAsBinary=True)
        return {name: bytes(value) for name, value in zip(wanted, read, strict=True) if value is not None}

    def _ask(self, call: str, question: Callable[[], T]) -> T:
        return self._module.ask(call, lambda: self._while_open(call, question))

    def _while_open(self, call: str, question: Callable[[], T]) -> T:
        """Ask, the lock held: another thread may have closed the session while this one waited for it."""
        if self._session is None:
            raise CkrError(_SESSION_HANDLE_INVALID, call)
        return question()


def _demand(call: str, code: int) -> None:
    if code:
        raise CkrError(code, call)


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
