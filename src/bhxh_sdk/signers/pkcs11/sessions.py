"""What a module and a session are through either binding; each binding adds its own calls only.

Every call goes through `BoundModule.ask`: the module's lock is held, and what the binding raises becomes
`CkrError`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from bhxh_sdk.signers.pkcs11.attributes import (
    CERTIFICATE_ATTRIBUTES,
    CKO_CERTIFICATE,
    CKO_PRIVATE_KEY,
    KEY_ATTRIBUTES,
    certificate_of,
    key_of,
)
from bhxh_sdk.signers.pkcs11.ckr import CKR_GONE, CKR_UNREADABLE
from bhxh_sdk.signers.pkcs11.contract import CkrError, TokenFlag
from bhxh_sdk.signers.pkcs11.function_list import demand
from bhxh_sdk.signers.pkcs11.locks import ModuleLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.pkcs11.contract import Mechanism, TokenCertificate, TokenInfo, TokenKey

__all__ = ["BoundModule", "BoundSession"]

T = TypeVar("T")

_SESSION_HANDLE_INVALID = 0xB3
_PIN_LEN_RANGE = 0xA2
_KEY_HANDLE_INVALID = 0x60
_USER = 1
_CONTEXT_SPECIFIC = 2


class BoundModule(ABC):
    """A module that a binding has loaded; see `contract.Module`.

    Args:
        path: the module's file.

    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.lock = ModuleLock()

    def slot_count(self) -> int:
        """Return how many slots there are."""
        return len(self.ask("C_GetSlotList", lambda: self._slots(present=False)))

    def tokens(self) -> tuple[TokenInfo, ...]:
        """Return the inserted tokens that are initialised."""
        return self.ask("C_GetTokenInfo", self._tokens)

    def _tokens(self) -> tuple[TokenInfo, ...]:
        found = []
        for slot in self._slots(present=True):
            try:
                token = self._token(slot)
            except CkrError as error:
                if error.code in CKR_GONE:
                    continue
                raise
            if token.flags & TokenFlag.TOKEN_INITIALIZED:
                found.append(token)
        return tuple(found)

    def mechanisms(self, slot: int) -> frozenset[int]:
        """Return the mechanisms of a slot's token."""
        return frozenset(self.ask("C_GetMechanismList", lambda: self._mechanisms(slot)))

    def open(self, slot: int) -> BoundSession:
        """Open a read-only session without login."""
        token = self.ask("C_GetTokenInfo", lambda: self._token(slot))
        has_pad = TokenFlag.PROTECTED_AUTHENTICATION_PATH in token.flags
        return self.ask("C_OpenSession", lambda: self._opened(slot, has_pad=has_pad))

    def ask(self, call: str, question: Callable[[], T]) -> T:
        """Call into the module with its lock held.

        Args:
            call: the function, as errors name it.
            question: makes the call.

        """
        with self.lock:
            try:
                return question()
            except (MemoryError, OverflowError) as error:  # a length that the driver made up
                failure = CkrError(None, call, type(error).__name__)
            raise failure  # here, where nothing holds the other error, whose frames may have a PIN

    @abstractmethod
    def _slots(self, *, present: bool) -> list[int]:
        """Return the numbers of the slots; raises `CkrError`, as all of these.

        Args:
            present: whether only of those with a token.

        """

    @abstractmethod
    def _token(self, slot: int) -> TokenInfo:
        """Return what the token in a slot says of itself now."""

    @abstractmethod
    def _mechanisms(self, slot: int) -> list[int]:
        """Return the mechanisms of the token in a slot."""

    @abstractmethod
    def _opened(self, slot: int, *, has_pad: bool) -> BoundSession:
        """Open a session; see `open`."""


class BoundSession(ABC):
    """A session through a binding, open and without login; see `contract.Session`.

    Args:
        module: whose session it is.
        has_pad: whether a PIN is typed on the token or its reader.

    """

    def __init__(self, module: BoundModule, *, has_pad: bool) -> None:
        self._module = module
        self._has_pad = has_pad
        self._is_open = True
        self._keys: Mapping[int, Any] = {}

    def certificates(self) -> tuple[TokenCertificate, ...]:
        """List the X.509 certificates."""
        return self._ask("C_FindObjects", self._certificates)

    def _certificates(self) -> tuple[TokenCertificate, ...]:
        found = self._found(CKO_CERTIFICATE).values()
        certificates = (certificate_of(self._values(one, CERTIFICATE_ATTRIBUTES)) for one in found)
        return tuple(certificate for certificate in certificates if certificate is not None)

    def keys(self) -> tuple[TokenKey, ...]:
        """List the private keys that are visible now and may sign."""
        return self._ask("C_FindObjects", self._listed_keys)

    def _listed_keys(self) -> tuple[TokenKey, ...]:
        self._keys = self._found(CKO_PRIVATE_KEY)
        keys = (key_of(handle, self._values(one, KEY_ATTRIBUTES)) for handle, one in self._keys.items())
        return tuple(key for key in keys if key is not None)

    def login(self, pin: Secret | None) -> None:
        """Log in as user, in this session: exactly one C_Login."""
        if pin is not None and not pin:
            raise CkrError(_PIN_LEN_RANGE, "C_Login")  # PyKCS11 would hand it on as none at all
        demand("C_Login", self._ask("C_Login", lambda: self._log_in(_USER, pin)))

    def sign(self, key: TokenKey, mechanism: Mechanism, data: bytes, pin: Secret | None = None) -> bytes:
        """Sign, and return the value as the token gives it."""
        return self._ask("C_Sign", lambda: self._signed(key, mechanism, data, pin))

    def _signed(self, key: TokenKey, mechanism: Mechanism, data: bytes, pin: Secret | None) -> bytes:
        if (found := self._keys.get(key.handle)) is None:
            raise CkrError(_KEY_HANDLE_INVALID, "C_SignInit")
        self._begin(found, mechanism, data)
        refused = 0
        if pin or (key.always_authenticate and self._has_pad):
            refused = self._log_in(_CONTEXT_SPECIFIC, pin)
        # Also after a refused login, without which it fails: that ends the operation.
        code, value = self._value(data)
        demand("C_Login", refused)
        demand("C_Sign", code)
        return value

    def close(self) -> None:
        """Close the session; never raises."""
        with suppress(CkrError):
            self._module.ask("C_CloseSession", self._close_once)

    def _close_once(self) -> None:
        was_open, self._is_open = self._is_open, False
        self._keys = {}
        if was_open:
            self._close()

    def _values(self, found: Any, wanted: tuple[int, ...]) -> dict[int, bytes]:  # noqa: ANN401  # PyKCS11 has no types
        """Read attributes at once, or one by one from a token that refuses all for the sake of one."""
        try:
            return self._read(found, wanted)
        except CkrError as error:
            if error.code is None:  # no answer of the driver: a length that is none
                raise
            return dict(self._each(found, wanted))

    def _each(self, found: Any, wanted: tuple[int, ...]) -> Iterator[tuple[int, bytes]]:  # noqa: ANN401  # as above
        for one in wanted:
            try:
                yield from self._read(found, (one,)).items()
            except CkrError as error:
                if error.code not in CKR_UNREADABLE:
                    raise

    def _ask(self, call: str, question: Callable[[], T]) -> T:
        return self._module.ask(call, lambda: self._while_open(call, question))

    def _while_open(self, call: str, question: Callable[[], T]) -> T:
        """Ask, the lock held: another thread may have closed the session while this one waited for it."""
        if not self._is_open:
            raise CkrError(_SESSION_HANDLE_INVALID, call)
        return question()

    @abstractmethod
    def _found(self, kind: int) -> Mapping[int, Any]:
        """Find objects: what the binding makes of each, by handle. Raises `CkrError`, as most of these.

        Args:
            kind: CK_OBJECT_CLASS.

        """

    @abstractmethod
    def _read(self, found: Any, wanted: tuple[int, ...]) -> dict[int, bytes]:  # noqa: ANN401  # as above
        """Read attributes of an object at once; those without a value may be left out."""

    @abstractmethod
    def _log_in(self, user: int, pin: Secret | None) -> int:
        """Call C_Login once and return its value, so that no error has a frame with the PIN in it."""

    @abstractmethod
    def _begin(self, found: Any, mechanism: Mechanism, data: bytes) -> None:  # noqa: ANN401  # as above
        """Call C_SignInit."""

    @abstractmethod
    def _value(self, data: bytes) -> tuple[int, bytes]:
        """Call C_Sign; return its value, and the signature where that is CKR_OK."""

    @abstractmethod
    def _close(self) -> None:
        """Close the session."""
