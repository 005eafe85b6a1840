"""A scripted PKCS#11 module in Python: tokens with real keys, PIN counters and flags, and a log of calls.

It plays the styles of tokens that the sources tell of: those that answer CKR_PIN_LOCKED to the last wrong
PIN, those that answer CKR_PIN_INCORRECT and set the flag, those that set no flags, those with odd codes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.signers import values
from bhxh_sdk.signers.contract import HashName
from bhxh_sdk.signers.pkcs11.contract import (
    CkrError,
    Mechanism,
    ModuleInfo,
    TokenCertificate,
    TokenFlag,
    TokenInfo,
    TokenKey,
)
from bhxh_sdk.signers.pkcs11.locks import ModuleLock
from bhxh_sdk.signers.values import signed

if TYPE_CHECKING:
    from bhxh_sdk.secret import Secret

__all__ = ["PIN", "FakeModule", "FakeSession", "FakeSource", "FakeToken"]

PIN = "12345678"
_RSA = frozenset({0x1, 0x40, 0xD, 0x1041})


@dataclass
class FakeToken:
    """A token that can be changed at any moment.

    Args:
        certificates: what it shows.
        keys: private keys as `(CKA_ID, label, key)`.
        flag_style: `plain`, `exclusive` (FINAL_TRY without COUNT_LOW), `low_only` or `none`.
        last_wrong: the answer to the wrong PIN that locks it.
        wrong: the answer to the others.
        login_required: whether keys are hidden before login.
        pad: the PIN that the person types on the device; None for no pad.
        hide_modulus: whether CKA_MODULUS cannot be read.
        always: whether every key wants the PIN for each signature.

    """

    certificates: list[TokenCertificate] = field(default_factory=list)
    keys: list[tuple[bytes, str, Any]] = field(default_factory=list)
    slot: int = 0
    label: str = "HR"
    serial: str = "0A1B"
    manufacturer: str = "Example"
    model: str = "One"
    reader: str = "Reader 1"
    pin: str = PIN
    tries: int = 3
    left: int = 3
    flag_style: str = "plain"
    wrong: int = 0xA0
    last_wrong: int = 0xA4
    login_required: bool = True
    pad: str | None = None
    hide_modulus: bool = False
    always: bool = False
    mechanisms: frozenset[int] = _RSA
    shortest: int = 4
    longest: int = 16
    inserted: bool = True
    logged_in: bool = False
    insertions: int = 0
    wrong_key: Any = None

    def pull_out(self) -> None:
        """Take it out: its sessions and its login are gone for good."""
        self.inserted, self.logged_in = False, False
        self.insertions += 1

    def put_back(self) -> None:
        """Insert it again."""
        self.inserted = True

    def log_out(self) -> None:
        """Forget the login, as when another program resets the card."""
        self.logged_in = False

    @property
    def info(self) -> TokenInfo:
        """What C_GetTokenInfo says now."""
        return TokenInfo(
            slot=self.slot,
            label=self.label,
            serial=self.serial,
            manufacturer=self.manufacturer,
            model=self.model,
            reader=self.reader,
            flags=self._flags(),
            shortest_pin=self.shortest,
            longest_pin=self.longest,
        )

    def _flags(self) -> TokenFlag:
        flags = TokenFlag.TOKEN_INITIALIZED | TokenFlag.USER_PIN_INITIALIZED
        if self.login_required:
            flags |= TokenFlag.LOGIN_REQUIRED
        if self.pad is not None:
            flags |= TokenFlag.PROTECTED_AUTHENTICATION_PATH
        return flags | self._count_flags()

    def _count_flags(self) -> TokenFlag:
        low = TokenFlag.USER_PIN_COUNT_LOW if self.left < self.tries else TokenFlag(0)
        if self.flag_style == "none":
            return TokenFlag(0)
        if self.flag_style == "low_only":
            return low
        if self.left == 0:
            return low | TokenFlag.USER_PIN_LOCKED
        if self.left == 1:
            final = TokenFlag.USER_PIN_FINAL_TRY
            return final if self.flag_style == "exclusive" else low | final
        return low

    def entered(self, pin: str | None) -> None:
        """Judge a PIN, and count."""
        if self.left == 0:
            raise CkrError(0xA4, "C_Login")
        typed = self.pad if pin is None else pin
        if typed == self.pin:
            self.left = self.tries
            return
        self.left -= 1
        raise CkrError(self.wrong if self.left else self.last_wrong, "C_Login")


class FakeModule:
    """A module with tokens in its slots.

    Args:
        *tokens: the tokens.
        path: what it is called.

    Attributes:
        calls: how often each function was called.
        logins: the PIN and the user of each C_Login, in order.
        failures: answers that wait: `{"C_Sign": [0xB3]}`; None lets one call through.
        sessions: the sessions that are open.

    """

    binding = "fake"

    def __init__(self, *tokens: FakeToken, path: str = "/fake.so", info: ModuleInfo | None = None) -> None:
        self.slots = list(tokens)
        self.path = path
        self.said = info or ModuleInfo(path=path, manufacturer="Example", description="Fake", version="1.0")
        self.lock = ModuleLock()
        self.calls: Counter[str] = Counter()
        self.logins: list[tuple[str | None, int]] = []
        self.failures: dict[str, list[Any]] = {}
        self.sessions: list[FakeSession] = []

    def called(self, name: str) -> None:
        """Count a call, and fail where a failure waits."""
        self.calls[name] += 1
        waiting = self.failures.get(name)
        failure = waiting.pop(0) if waiting else None
        if isinstance(failure, BaseException):
            raise failure
        if failure is not None:
            raise CkrError(failure, name)

    def info(self) -> ModuleInfo:
        self.called("C_GetInfo")
        return self.said

    def slot_count(self) -> int:
        return len(self.slots)

    def tokens(self) -> tuple[TokenInfo, ...]:
        self.called("C_GetTokenInfo")
        return tuple(token.info for token in self.slots if token.inserted)

    def mechanisms(self, slot: int) -> frozenset[int]:
        self.called("C_GetMechanismList")
        return self._token(slot).mechanisms

    def open(self, slot: int) -> FakeSession:
        self.called("C_OpenSession")
        session = FakeSession(self, self._token(slot))
        self.sessions.append(session)
        return session

    def _token(self, slot: int) -> FakeToken:
        for token in self.slots:
            if token.slot == slot and token.inserted:
                return token
        raise CkrError(0xE0, "C_GetTokenInfo")


class FakeSession:
    """A session with one of the module's tokens."""

    def __init__(self, module: FakeModule, token: FakeToken) -> None:
        self.module = module
        self.token = token
        self.insertions = token.insertions
        self.closed = False

    def _called(self, name: str) -> None:
        self.module.called(name)
        if not self.token.inserted:
            raise CkrError(0x32, name)
        if self.closed or self.insertions != self.token.insertions:
            raise CkrError(0xB3, name)

    def certificates(self) -> tuple[TokenCertificate, ...]:
        self._called("C_FindObjects")
        return tuple(self.token.certificates)

    def keys(self) -> tuple[TokenKey, ...]:
        self._called("C_FindObjects(keys)")
        if self.token.login_required and not self.token.logged_in:
            return ()
        return tuple(
            self._key(number, key_id, label, key)
            for number, (key_id, label, key) in enumerate(self.token.keys)
        )

    def _key(self, number: int, key_id: bytes, label: str, key: Any) -> TokenKey:
        is_rsa = isinstance(key, rsa.RSAPrivateKey)
        return TokenKey(
            handle=(self, number),
            key_id=key_id,
            label=label,
            kind="rsa" if is_rsa else "ec",
            modulus=key.public_key().public_numbers().n if is_rsa and not self.token.hide_modulus else None,
            always_authenticate=self.token.always,
        )

    def login(self, pin: Secret | None) -> None:
        text = None if pin is None else pin.reveal()
        self.module.logins.append((text, 1))
        self._called("C_Login")
        if self.token.logged_in:
            raise CkrError(0x100, "C_Login")
        self.token.entered(text)
        self.token.logged_in = True

    def sign(self, key: TokenKey, mechanism: Mechanism, data: bytes, pin: Secret | None = None) -> bytes:
        self._called("C_Sign")
        session, number = key.handle
        if session is not self:
            raise CkrError(0x82, "C_SignInit")
        if self.token.login_required and not self.token.logged_in:
            raise CkrError(0x82, "C_SignInit")
        if self.token.always:
            text = None if pin is None else pin.reveal()
            self.module.logins.append((text, 2))
            self.token.entered(text)
        return _signature(self.token.wrong_key or self.token.keys[number][2], mechanism, data)

    def close(self) -> None:
        self.module.calls["C_CloseSession"] += 1
        self.closed = True
        if self in self.module.sessions:
            self.module.sessions.remove(self)
        if not any(other.token is self.token for other in self.module.sessions):
            self.token.logged_in = False


class FakeSource:
    """Gives the modules that the test names."""

    def __init__(self, *modules: FakeModule) -> None:
        self.given = list(modules)
        self.searched = 0
        self.closed = False

    def modules(self, *, anew: bool = False) -> list[FakeModule]:
        self.searched += anew
        return list(self.given)

    def close(self) -> None:
        self.closed = True


def certificate(entry: Any) -> TokenCertificate:
    """Return an entry's certificate as a token holds it."""
    return TokenCertificate(der=entry.certificate, key_id=bytes.fromhex(entry.key_id), label=entry.label)


def token_of(*entries: Any, **changes: Any) -> FakeToken:
    """Make a token that holds entries of the shelf."""
    return FakeToken(
        certificates=[certificate(entry) for entry in entries if entry.certificate],
        keys=[(bytes.fromhex(entry.key_id), entry.label, entry.key) for entry in entries if entry.key],
        **changes,
    )


def _signature(key: Any, mechanism: Mechanism, data: bytes) -> bytes:
    if mechanism is Mechanism.ECDSA:
        return signed(key, data, HashName.SHA256, SignatureScheme.ECDSA)
    if mechanism is Mechanism.SHA256_RSA_PKCS:
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    by_size = {32: HashName.SHA256, 48: HashName.SHA384, 64: HashName.SHA512}
    if mechanism is Mechanism.RSA_PKCS_PSS:
        return signed(key, data, by_size[len(data)], SignatureScheme.RSA_PSS)
    for hash_name, prefix in values._DIGEST_INFO.items():
        if data.startswith(prefix):
            return signed(key, data[len(prefix) :], hash_name, SignatureScheme.RSA_PKCS1)
    raise CkrError(0x21, "C_Sign")
