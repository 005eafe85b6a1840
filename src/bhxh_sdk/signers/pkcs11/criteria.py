"""Which token and which key are meant, where the caller says so."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import quote

from attrs import asdict, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bhxh_sdk.signers.pkcs11.contract import ModuleInfo, TokenCertificate, TokenInfo, TokenKey

__all__ = ["KeyCriteria", "LibraryCriteria", "TokenCriteria", "key_uri", "object_name", "same_text", "shown"]


@frozen(kw_only=True)
class TokenCriteria:
    """Say which token is meant; what is left empty may be anything.

    Args:
        label: the token's label.
        serial: its serial number.
        manufacturer: who made it.
        model: its model.
        reader: description of the slot it is in.
        slot: the slot's number; it may differ after the next insertion.

    """

    label: str = ""
    serial: str = ""
    manufacturer: str = ""
    model: str = ""
    reader: str = ""
    slot: int | None = None

    def fit(self, token: TokenInfo) -> bool:
        """Tell whether a token is one of those meant."""
        texts = ("label", "serial", "manufacturer", "model", "reader")
        return self.slot in {None, token.slot} and all(
            same_text(getattr(self, name), getattr(token, name)) for name in texts
        )

    def __str__(self) -> str:
        return ", ".join(_named(asdict(self)))


@frozen(kw_only=True)
class LibraryCriteria:
    """Say which module is meant by what it says of itself; what is left empty may be anything.

    Args:
        manufacturer: who made it.
        description: what it is called.
        version: its version, such as `2.6`.

    """

    manufacturer: str = ""
    description: str = ""
    version: str = ""

    def fit(self, info: ModuleInfo) -> bool:
        """Tell whether a module is one of those meant."""
        return all(same_text(wanted, getattr(info, name)) for name, wanted in asdict(self).items())

    def __bool__(self) -> bool:
        return self != LibraryCriteria()


@frozen(kw_only=True)
class KeyCriteria:
    """Say which certificate and key on a token are meant; what is left empty may be anything.

    Args:
        key_id: CKA_ID.
        label: CKA_LABEL.
        kind: `cert` where both are those of the certificate, `private` where they are those of the key;
            empty for the certificate, and for the key where no certificate has them.

    """

    key_id: bytes = b""
    label: str = ""
    kind: str = ""

    def certificates(self, listed: Iterable[TokenCertificate]) -> tuple[TokenCertificate, ...]:
        """Return the certificates that are meant; all of them where the criteria are those of the key."""
        found = tuple(listed)
        if self.kind == "private":
            return found
        own = tuple(item for item in found if self._fit(item))
        return own or (() if self.kind == "cert" else found)

    def keys(
        self, listed: Iterable[TokenKey], certificates: Iterable[TokenCertificate]
    ) -> tuple[TokenKey, ...]:
        """Return the keys that are meant; all of them where the criteria are those of a certificate."""
        found = tuple(listed)
        of_certificate = not self.kind and any(self._fit(item) for item in certificates)
        if self.kind == "cert" or of_certificate:
            return found
        return tuple(key for key in found if self._fit(key))

    def fit_any(self, items: Iterable[TokenCertificate | TokenKey]) -> bool:
        """Tell whether one of some certificates or keys is meant; without criteria each of them is."""
        return not (self.key_id or self.label) or any(self._fit(item) for item in items)

    def _fit(self, item: TokenCertificate | TokenKey) -> bool:
        return self.key_id in {b"", item.key_id} and same_text(self.label, item.label)

    def __str__(self) -> str:
        return ", ".join(_named({"id": self.key_id.hex(), "object": self.label, "type": self.kind}))


def same_text(wanted: str, got: str) -> bool:
    """Tell whether a text is the one wanted, however its accents are composed; an empty one fits all."""
    return not wanted or _plain(wanted) == _plain(got)


def shown(token: TokenInfo) -> str:
    """Return what a person calls a token: its label, or its model, and its serial number."""
    name = token.label or token.model or token.reader or f"slot {token.slot}"
    return f"{name} ({token.serial})" if token.serial else name


def key_uri(token: TokenInfo, certificate: TokenCertificate) -> str:
    """Return the address (RFC 7512) of a certificate and its key on a token: a name that lasts."""
    parts = {
        "token": token.label,
        "serial": token.serial,
        "slot-id": "" if token.label or token.serial else str(token.slot),
    }
    named = [f"{name}={_encoded(value)}" for name, value in parts.items() if value]
    return "pkcs11:" + ";".join([*named, *filter(None, [object_name(certificate)])])


def object_name(item: TokenCertificate | TokenKey) -> str:
    """Return what names a certificate or a key in an address: its id, else its label; empty without both."""
    if item.key_id:
        return f"id={_encoded(item.key_id)}"
    return item.label and f"object={_encoded(item.label)}"


def _encoded(value: str | bytes) -> str:
    return quote(value, safe="") if isinstance(value, str) else "".join(f"%{byte:02X}" for byte in value)


def _named(values: dict[str, object]) -> Iterator[str]:
    return (f"{name}={value}" for name, value in values.items() if value not in {"", None})


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()
