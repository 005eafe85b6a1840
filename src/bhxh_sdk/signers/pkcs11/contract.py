"""The narrow waist between what we know of tokens and what a PKCS#11 binding does.

Above it stand PIN care, pairing and the signer; below it one module for each binding, and the client of the
helper process, which speaks to a driver in another process. All of them raise `CkrError` for what the driver
answers, and nothing else; it never leaves this room.

Source: PKCS#11 2.40 (https://docs.oasis-open.org/pkcs11/pkcs11-base/v2.40/os/pkcs11-base-v2.40-os.html).
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any, Protocol

from attrs import field, frozen

if TYPE_CHECKING:
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.pkcs11.locks import ModuleLock

__all__ = [
    "CkrError",
    "Mechanism",
    "Module",
    "ModuleInfo",
    "Session",
    "TokenCertificate",
    "TokenFlag",
    "TokenInfo",
    "TokenKey",
]


class Mechanism(IntEnum):
    """Mechanisms that we sign with (CKM_...)."""

    RSA_PKCS = 0x1
    SHA256_RSA_PKCS = 0x40
    RSA_PKCS_PSS = 0xD
    ECDSA = 0x1041


class TokenFlag(IntFlag):
    """Flags of CK_TOKEN_INFO that decide what may be done."""

    LOGIN_REQUIRED = 0x4
    USER_PIN_INITIALIZED = 0x8
    PROTECTED_AUTHENTICATION_PATH = 0x100
    TOKEN_INITIALIZED = 0x400
    USER_PIN_COUNT_LOW = 0x10000
    USER_PIN_FINAL_TRY = 0x20000
    USER_PIN_LOCKED = 0x40000
    USER_PIN_TO_BE_CHANGED = 0x80000


class CkrError(Exception):
    """A PKCS#11 function answered with something else than CKR_OK.

    Args:
        code: the CK_RV; None where the binding does not tell it.
        call: the function, such as `C_Login`.
        name: the binding's own word for it, for those without a code.

    """

    def __init__(self, code: int | None, call: str, name: str = "") -> None:
        self.code = code
        self.call = call
        self.name = name
        super().__init__(call, name if code is None else f"{code:#x}")


@frozen(kw_only=True)
class ModuleInfo:
    """What a module says of itself (C_GetInfo).

    Args:
        path: the file.
        manufacturer: who made it, without the padding.
        description: what it is called, without the padding.
        version: its version, such as `2.6`.

    """

    path: str
    manufacturer: str = ""
    description: str = ""
    version: str = ""


@frozen(kw_only=True)
class TokenInfo:
    """A token that is inserted, as it is now (C_GetSlotInfo, C_GetTokenInfo).

    Args:
        slot: the slot's number; it may differ after the next insertion.
        label: the token's label, without the padding.
        manufacturer: who made it, without the padding.
        model: its model, without the padding.
        serial: its serial number, without the padding.
        flags: the token's flags.
        reader: the slot's description, without the padding.
        shortest_pin: fewest characters of a PIN; 0 where it is not told.
        longest_pin: most characters of a PIN; 0 where it is not told.

    """

    slot: int
    label: str = ""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    flags: TokenFlag = field(default=TokenFlag(0), converter=TokenFlag)
    reader: str = ""
    shortest_pin: int = 0
    longest_pin: int = 0


@frozen(kw_only=True)
class TokenCertificate:
    """A certificate object on a token.

    Args:
        der: the certificate (CKA_VALUE).
        key_id: CKA_ID; empty where the issuer left it out.
        label: CKA_LABEL.

    """

    der: bytes = field(repr=False)
    key_id: bytes = b""
    label: str = ""


@frozen(kw_only=True)
class TokenKey:
    """A private key object on a token, seen after login, or before it where the token shows it.

    Args:
        handle: the binding's own object or number; good for the session that gave it.
        key_id: CKA_ID; empty where the issuer left it out.
        label: CKA_LABEL.
        kind: `rsa`, `ec` or `other`.
        modulus: of an RSA key, where it can be read.
        always_authenticate: whether the PIN is wanted for each signature (CKA_ALWAYS_AUTHENTICATE).

    """

    handle: Any = field(repr=False, eq=False)
    key_id: bytes = b""
    label: str = ""
    kind: str = "rsa"
    modulus: int | None = field(default=None, repr=False)
    always_authenticate: bool = False


class Session(Protocol):
    """A session with one token. Every method raises `CkrError`."""

    def certificates(self) -> tuple[TokenCertificate, ...]:
        """List the X.509 certificates."""
        ...

    def keys(self) -> tuple[TokenKey, ...]:
        """List the private keys that are visible now."""
        ...

    def login(self, pin: Secret | None) -> None:
        """Log in as user: exactly one C_Login. None where the PIN is typed on the token or its reader.

        Args:
            pin: the PIN, UTF-8. Where the process is logged in already the driver does not look at it, and
                answers CKR_USER_ALREADY_LOGGED_IN.

        """
        ...

    def sign(self, key: TokenKey, mechanism: Mechanism, data: bytes, pin: Secret | None = None) -> bytes:
        """Sign, and return the value as the token gives it (ECDSA: r and s, one after the other).

        Args:
            key: one that this session listed.
            mechanism: how.
            data: what the mechanism takes: DigestInfo, the whole message, or the digest.
            pin: for a key that wants it for each signature: at most one C_Login(CKU_CONTEXT_SPECIFIC).

        """
        ...

    def close(self) -> None:
        """Close the session, also when the token is gone; never raises."""
        ...


class Module(Protocol):
    """One PKCS#11 module, loaded through one binding. Every method raises `CkrError`.

    Calls may come from several threads: the module lets one at a time through to the driver.
    """

    @property
    def path(self) -> str:
        """The module's file."""
        ...

    @property
    def lock(self) -> ModuleLock:
        """What lets one thread at a time through to the driver."""
        ...

    @property
    def binding(self) -> str:
        """`python-pkcs11`, `pykcs11`, or `helper:` and the binding used there."""
        ...

    def info(self) -> ModuleInfo:
        """Return what it says of itself."""
        ...

    def slot_count(self) -> int:
        """Return how many slots there are, with or without a token."""
        ...

    def tokens(self) -> tuple[TokenInfo, ...]:
        """Return the inserted tokens, their flags read anew. Uninitialised ones are left out."""
        ...

    def mechanisms(self, slot: int) -> frozenset[int]:
        """Return the mechanisms of a slot's token (CKM_...)."""
        ...

    def open(self, slot: int) -> Session:
        """Open a read-only session without login."""
        ...
