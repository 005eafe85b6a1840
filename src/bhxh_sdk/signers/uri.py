"""Signers by address: `softkey:key.p12` names the backend and what it needs, never a secret.

- `softkey:PATH[?cert=PATH][&password-env=NAME]`: a key in a PEM or PKCS#12 file;
- `softkey:new[?tax-code=…][&name=…][&locality=…][&province=…]`: a throwaway key for tests;
- `pkcs11:[token=…][;serial=…][;id=…][;…][?module-path=…][&pin-env=NAME][&…]`: a USB token, or another PKCS#11
  module; see `bhxh_sdk.signers.pkcs11.address`;
- `ca769:PROFILE`, `mysign:PROFILE`, `mss:PROFILE`: a remote or SIM certificate; the profile is a TOML file;
- `csc:BASE-URL?credential=ID[&…]` or `csc:PROFILE`: a service with the interface of the Cloud Signature
  Consortium; see `bhxh_sdk.signers.remote.opening`.

Other packages add schemes by the entry-point group `bhxh_sdk.signers` (`scheme = "package.module:opener"`) or
by `register_scheme`. An opener takes a `SignerAddress` and returns a `Signer`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bhxh_sdk.errors import BhxhError, InputError, SetupError
from bhxh_sdk.signers.address import SignerAddress
from bhxh_sdk.signers.contract import Signer
from bhxh_sdk.signers.soft_key import SoftKeySigner
from bhxh_sdk.signers.test_certificate import throwaway

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints
    from pathlib import Path

    from bhxh_sdk.ports import Ask, Clock, Sender

__all__ = ["ENTRY_POINTS", "SignerOpener", "known_schemes", "open_signer", "register_scheme"]

SignerOpener = Callable[[SignerAddress], Signer]
"""Makes the signer that an address names."""

ENTRY_POINTS = "bhxh_sdk.signers"
"""The entry-point group for schemes of other packages."""


def open_signer(
    uri: str,
    *,
    base_dir: Path | None = None,
    ask: Ask | None = None,
    clock: Clock | None = None,
    senders: Callable[..., Sender] | None = None,
) -> Signer:
    """Open the signer that an address names.

    Args:
        uri: the address. Its path may be percent-encoded; a `?` or `%` in a file's name has to be.
        base_dir: the folder that relative paths start from; None for the working folder.
        ask: whom to ask for a password when certificates are listed.
        clock: time, for backends that need it before they sign: to end a search for tokens where a driver
            hangs, to refuse an expired certificate before a PIN is asked for. Remote signers need it.
        senders: makes what sends requests; remote signers need it. `bhxh_sdk.open_signer` brings both along.

    Raises:
        SetupError: the address names no backend, or one that is not installed.
        InputError: a part of the address is wrong, or would hold a secret.
        SigningError: the backend has no usable key.

    """
    address = SignerAddress.parse(uri, base_dir=base_dir, ask=ask, clock=clock, senders=senders)
    opener = _OPENERS.get(address.scheme) or _entry_point(address.scheme)
    if opener is None:
        known = ", ".join(known_schemes())
        raise SetupError("signing.unknown_scheme", scheme=address.scheme, known=known)
    return opener(address)


def register_scheme(scheme: str, opener: SignerOpener) -> None:
    """Add a scheme, in place of one of that name that was added before.

    Args:
        scheme: the part of an address before the colon, at least two characters.
        opener: makes a signer from an address.

    Raises:
        InputError: the scheme is one of the library's own.

    """
    if scheme.lower() in _BUILT_IN:
        raise InputError("signing.scheme_taken", field="scheme", scheme=scheme)
    _OPENERS[scheme.lower()] = opener


def known_schemes() -> tuple[str, ...]:
    """Return the schemes that `open_signer` understands here, sorted."""
    return tuple(sorted({*_OPENERS, *(point.name for point in _installed())}))


def _installed() -> EntryPoints:
    from importlib.metadata import entry_points  # noqa: PLC0415  # ten milliseconds that a soft key does not need

    return entry_points(group=ENTRY_POINTS)


def _entry_point(scheme: str) -> SignerOpener | None:
    for point in _installed().select(name=scheme):
        try:
            opener: SignerOpener = point.load()
        except BhxhError:
            raise
        except Exception as error:
            raise SetupError(
                "signing.backend_broken", name=point.value, reason=type(error).__name__
            ) from error
        return opener
    return None


def _open_soft_key(address: SignerAddress) -> Signer:
    if address.path == "new":
        return _new_soft_key(address)
    address.only("cert", "password-env")
    certificates = address.options.get("cert")
    return SoftKeySigner.from_file(
        address.file(address.path),
        certificates=None if certificates is None else address.file(certificates),
        ask=address.ask,
        password_env=address.options.get("password-env", ""),
    )


def _new_soft_key(address: SignerAddress) -> Signer:
    address.only(*_SUBJECT)
    subject = {_SUBJECT[name]: value for name, value in address.options.items()}
    return throwaway(**subject, now=None if address.clock is None else address.clock.now())


def _open_token(address: SignerAddress) -> Signer:
    from bhxh_sdk.signers.pkcs11.signer import TokenSigner  # noqa: PLC0415  # a soft key needs nothing of it

    return TokenSigner.from_address(address)


def _open_remote(address: SignerAddress) -> Signer:
    from bhxh_sdk.signers.remote.opening import open_remote  # noqa: PLC0415  # a soft key needs nothing of it

    return open_remote(address)


_SUBJECT = {"tax-code": "tax_code", "name": "common_name", "locality": "locality", "province": "province"}
_REMOTE = ("ca769", "csc", "mysign", "mss")
_BUILT_IN = frozenset({"softkey", "pkcs11", *_REMOTE})
_OPENERS: dict[str, SignerOpener] = {
    "softkey": _open_soft_key,
    "pkcs11": _open_token,
    **dict.fromkeys(_REMOTE, _open_remote),
}
