"""PKCS#11 modules through python-pkcs11 (extra `token`), which frees the interpreter while a token works.

Its exceptions have no numbers: they are told by their class, some by their text. Three things go past it, to
the module's function list (see `function_list`): login, the token's state, and keys that want the PIN each
time. `wait_for_slot_event` is never called: in 0.10 it cannot return.

Source: python-pkcs11 0.10 (https://python-pkcs11.readthedocs.io).
"""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import pkcs11
from pkcs11.attributes import AttributeMapper
from pkcs11.constants import Attribute, ObjectClass

from bhxh_sdk.signers.pkcs11.attributes import (
    CERTIFICATE_ATTRIBUTES,
    KEY_ATTRIBUTES,
    certificate_of,
    key_of,
    pss_of,
)
from bhxh_sdk.signers.pkcs11.ckr import CKR_GONE, CKR_UNREADABLE, ckr_of_class, ckr_of_text
from bhxh_sdk.signers.pkcs11.contract import CkrError, Mechanism, ModuleInfo, TokenFlag
from bhxh_sdk.signers.pkcs11.function_list import USER, FunctionList
from bhxh_sdk.signers.pkcs11.locks import ModuleLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.pkcs11.contract import TokenCertificate, TokenInfo, TokenKey

__all__ = ["PythonPkcs11Module", "PythonPkcs11Session"]

T = TypeVar("T")

_SESSION_HANDLE_INVALID = 0xB3
_SLOT_ID_INVALID = 0x03
_PIN_LEN_RANGE = 0xA2
_USER_ALREADY_LOGGED_IN = 0x100
_KEY_HANDLE_INVALID = 0x60
_MECHANISMS = {mechanism: pkcs11.Mechanism(mechanism) for mechanism in Mechanism}


class _Raw(AttributeMapper):
    """Leave values as they are, but for the few that python-pkcs11 needs to make an object."""

    def unpack_attributes(self, key: Attribute, value: bytes) -> Any:  # noqa: ANN401  # as the class it replaces
        if key == Attribute.CLASS:
            return super().unpack_attributes(key, value)
        return _Flag(value) if len(value) == 1 else value


class _Flag(bytes):
    """A byte that is false when it is zero."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return self != b"\0"


class PythonPkcs11Module:
    """A module that is loaded through python-pkcs11; see `contract.Module`.

    Args:
        path: the module's file.

    Raises:
        CkrError: it cannot be loaded, or does not start.

    """

    binding = "python-pkcs11"

    def __init__(self, path: str) -> None:
        self.path = path
        self.lock = ModuleLock()
        self._library = self.ask("C_Initialize", lambda: pkcs11.lib(path))
        self.functions = FunctionList(path)

    def info(self) -> ModuleInfo:
        """Return what it says of itself."""
        return ModuleInfo(
            path=self.path,
            manufacturer=self._library.manufacturer_id,
            description=self._library.library_description,
            version=".".join(map(str, self._library.library_version)),
        )

    def slot_count(self) -> int:
        """Return how many slots there are."""
        return len(self.ask("C_GetSlotList", self._library.get_slots))

    def tokens(self) -> tuple[TokenInfo, ...]:
        """Return the inserted tokens that are initialised."""
        return self.ask("C_GetTokenInfo", self._tokens)

    def _tokens(self) -> tuple[TokenInfo, ...]:
        found = []
        for slot in self._library.get_slots(token_present=True):
            try:
                token = self.functions.token_info(slot.slot_id, slot.slot_description)
            except CkrError as error:
                if error.code in CKR_GONE:
                    continue
                raise
            if token.flags & TokenFlag.TOKEN_INITIALIZED:
                found.append(token)
        return tuple(found)

    def mechanisms(self, slot: int) -> frozenset[int]:
        """Return the mechanisms of a slot's token."""
        found = self.ask("C_GetMechanismList", lambda: self._slot(slot).get_mechanisms())
        return frozenset(map(int, found))

    def open(self, slot: int) -> PythonPkcs11Session:
        """Open a read-only session without login."""
        token = self.ask("C_GetTokenInfo", lambda: self._slot(slot).get_token())
        session = self.ask("C_OpenSession", lambda: token.open(attribute_mapper=_Raw()))
        return PythonPkcs11Session(self, session, has_pad=_has_pad(token))

    def _slot(self, number: int) -> pkcs11.Slot:
        for slot in self._library.get_slots():
            if slot.slot_id == number:
                return slot
        raise CkrError(_SLOT_ID_INVALID, "C_GetSlotList")

    def ask(self, call: str, question: Callable[[], T]) -> T:
        """Call into the module with its lock held.

        Args:
            call: the function, as errors name it.
            question: makes the call.

        """
        with self.lock:
            try:
                return question()
            except pkcs11.PKCS11Error as error:
                failure = _failure(error, call)
            # Raised here, where nothing holds the binding's error any more: with it goes the operation that
            # failed, whose destructor calls into the module and has to do so under the lock.
            raise failure


class PythonPkcs11Session:
    """A session through python-pkcs11; see `contract.Session`.

    Args:
        module: whose session it is.
        session: of python-pkcs11, without login.
        has_pad: whether a PIN is typed on the token or its reader.

    """

    def __init__(self, module: PythonPkcs11Module, session: pkcs11.Session, *, has_pad: bool) -> None:
        self._module = module
        self._session: Any = session
        self._has_pad = has_pad
        self._keys: dict[int, Any] = {}

    def certificates(self) -> tuple[TokenCertificate, ...]:
        """List the X.509 certificates."""
        return self._ask("C_FindObjects", self._certificates)

    def _certificates(self) -> tuple[TokenCertificate, ...]:
        found = self._found(ObjectClass.CERTIFICATE)
        certificates = (certificate_of(_values(one, CERTIFICATE_ATTRIBUTES)) for one in found)
        return tuple(certificate for certificate in certificates if certificate is not None)

    def keys(self) -> tuple[TokenKey, ...]:
        """List the private keys that are visible now and may sign."""
        return self._ask("C_FindObjects", self._listed_keys)

    def _listed_keys(self) -> tuple[TokenKey, ...]:
        self._keys = {one.handle: one for one in self._found(ObjectClass.PRIVATE_KEY)}
        keys = (key_of(handle, _values(one, KEY_ATTRIBUTES)) for handle, one in self._keys.items())
        return tuple(key for key in keys if key is not None)

    def login(self, pin: Secret | None) -> None:
        """Log in as user, in this session: exactly one C_Login."""
        if pin is not None and not pin:
            raise CkrError(_PIN_LEN_RANGE, "C_Login")
        try:
            self._ask("C_Login", lambda: self._module.functions.login(self._session.handle, USER, pin))
        except CkrError as error:
            if error.code != _USER_ALREADY_LOGGED_IN:
                raise

    def sign(self, key: TokenKey, mechanism: Mechanism, data: bytes, pin: Secret | None = None) -> bytes:
        """Sign, and return the value as the token gives it."""
        return self._ask("C_Sign", lambda: self._signed(key, mechanism, data, pin))

    def _signed(self, key: TokenKey, mechanism: Mechanism, data: bytes, pin: Secret | None) -> bytes:
        if (found := self._keys.get(key.handle)) is None:
            raise CkrError(_KEY_HANDLE_INVALID, "C_SignInit")
        parameters = struct.pack("@3L", *pss_of(data)) if mechanism is Mechanism.RSA_PKCS_PSS else b""
        if pin is None and not key.always_authenticate and isinstance(found, pkcs11.SignMixin):
            return bytes(
                found.sign(data, mechanism=_MECHANISMS[mechanism], mechanism_param=parameters or None)
            )
        return self._module.functions.sign(
            self._session.handle,
            key.handle,
            mechanism,
            parameters,
            data,
            pin=pin,
            login=bool(pin) or (key.always_authenticate and self._has_pad),
        )

    def close(self) -> None:
        """Close the session; never raises."""
        with suppress(CkrError):
            self._module.ask("C_CloseSession", self._close)

    def _close(self) -> None:
        session, self._session = self._session, None
        self._keys = {}
        if session is not None:
            session.close()

    def _found(self, kind: ObjectClass) -> list[Any]:
        self._module.functions.demand_search(self._session.handle)
        return list(self._session.get_objects({Attribute.CLASS: kind}))

    def _ask(self, call: str, question: Callable[[], T]) -> T:
        return self._module.ask(call, lambda: self._while_open(call, question))

    def _while_open(self, call: str, question: Callable[[], T]) -> T:
        """Ask, the lock held: another thread may have closed the session while this one waited for it."""
        if self._session is None:
            raise CkrError(_SESSION_HANDLE_INVALID, call)
        return question()


def _values(found: Any, wanted: tuple[int, ...]) -> dict[int, bytes]:  # noqa: ANN401  # an object's class is made as it is found
    """Read attributes at once, or one by one from a token that refuses all of them for the sake of one."""
    try:
        return dict(found.get_attributes(wanted))
    except pkcs11.PKCS11Error:
        return dict(_each(found, wanted))


def _each(found: Any, wanted: tuple[int, ...]) -> Iterator[tuple[int, bytes]]:  # noqa: ANN401  # as above
    for attribute in wanted:
        try:
            yield attribute, found[attribute]
        except pkcs11.PKCS11Error as error:
            if ckr_of_class(type(error).__name__) not in CKR_UNREADABLE:
                raise


def _has_pad(token: pkcs11.Token) -> bool:
    return bool(token.flags & pkcs11.TokenFlag.PROTECTED_AUTHENTICATION_PATH)


def _failure(error: pkcs11.PKCS11Error, call: str) -> CkrError:
    name, text = type(error).__name__, str(error)
    code = ckr_of_class(name)
    return CkrError(ckr_of_text(text) if code is None else code, call, text or name)
