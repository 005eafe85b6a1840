"""Remote signers by address or profile: which protocol serves it, and the sender for its hosts.

- `ca769:vnpt.toml`, `mysign:mysign.toml`, `mss:sim.toml`, `csc:csc.toml`: a profile's TOML file; see
  `bhxh_sdk.signers.remote.profile`;
- `csc:https://signing.example/csc/v1?credential=ID`: the address itself, where no secret is needed but those
  that people enter. Further options are the settings of the protocol, with `-` for `_`; `dialect=…` names a
  dialect, `…-env=NAME` the variable that holds a secret.
"""

from __future__ import annotations

import hashlib
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bhxh_sdk.errors import InputError, SetupError
from bhxh_sdk.signers.remote.profile import RemoteProfile
from bhxh_sdk.signers.remote.secrets import ProviderSecrets
from bhxh_sdk.signers.remote.signer import RemoteSigner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bhxh_sdk.ports import Ask, Clock, Sender
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.address import SignerAddress
    from bhxh_sdk.signers.remote.protocol import RemoteProtocol

__all__ = ["KINDS", "account_of", "open_profile", "open_remote", "profile_of", "protocol_of"]

KINDS: Mapping[str, tuple[str, str]] = {
    "ca769": ("bhxh_sdk.signers.remote.decision769", "Decision769"),
    "csc": ("bhxh_sdk.signers.remote.csc", "Csc"),
    "mysign": ("bhxh_sdk.signers.remote.mysign", "MySign"),
    "mss": ("bhxh_sdk.signers.remote.mss", "Mss"),
}
"""Module and class of each protocol. The class has a method `of`, which takes a profile."""

_WEB = re.compile(r"https?://", re.IGNORECASE)
_WHO = (
    *("base_url", "signature_url", "status_url", "ap_id", "msisdn"),
    *("client_id", "profile_id", "sp_id", "user_id", "user_name"),
)
_CLIENT_KEY_PASSWORD = "client_key_password"  # noqa: S105  # the name of a secret


def protocol_of(profile: RemoteProfile) -> RemoteProtocol:
    """Return the protocol that a profile describes.

    Raises:
        InputError: the profile's kind is not known, or a setting is wrong; `field` names it.

    """
    if profile.kind not in KINDS:
        raise InputError("remote.kind", field="kind", value=profile.kind, known=", ".join(sorted(KINDS)))
    module, name = KINDS[profile.kind]
    protocol: RemoteProtocol = getattr(import_module(module), name).of(profile)
    return protocol


def open_profile(
    profile: RemoteProfile,
    *,
    clock: Clock,
    senders: Callable[..., Sender],
    ask: Ask | None = None,
    secrets: Mapping[str, Secret] | None = None,
    environment: Mapping[str, str] | None = None,
) -> RemoteSigner:
    """Open the signer that a profile describes. Nothing is connected yet.

    Args:
        profile: the profile.
        clock: time.
        senders: `HttpSender`, `AsyncHttpSender`, or a callable with their arguments.
        ask: whom to ask for secrets that are kept nowhere.
        secrets: secrets by their name in the profile; they go before environment and keyring.
        environment: the environment variables; the process's own when None.

    Raises:
        InputError: a setting is wrong; `field` names it.
        SetupError: a file that the profile names cannot be read, or the client key's password is missing.

    """
    protocol = protocol_of(profile)
    own = ProviderSecrets(profile.places, secrets, environment)
    options: dict[str, Any] = dict(profile.sending)
    if "client_certificate" in options:
        options[_CLIENT_KEY_PASSWORD] = own.kept(_CLIENT_KEY_PASSWORD)
    sender = senders(clock, allowed_hosts=sorted({_host(url) for url in protocol.addresses}), **options)
    return RemoteSigner(protocol, sender, clock, secrets=own, ask=ask, account=account_of(profile))


def account_of(profile: RemoteProfile) -> str:
    """Return what tells a profile's account from others: a digest of protocol, address and names.

    The dialect is not among them: a member of it may be mended while a signature is waited for.
    """
    names = [f"{name}={profile.settings.get(name, '')}" for name in _WHO]
    return hashlib.sha256("\n".join([profile.kind, *names]).encode()).hexdigest()[:32]


def open_remote(address: SignerAddress) -> RemoteSigner:
    """Open the signer that an address names.

    Raises:
        InputError: a part of the address or of the profile is wrong.
        UnreadableFileError: the profile's file cannot be read.
        SetupError: there is no clock or sender: use `bhxh_sdk.open_signer`.

    """
    if address.clock is None or address.senders is None:
        raise SetupError("remote.no_sender", scheme=address.scheme)
    profile = profile_of(address)
    return open_profile(profile, clock=address.clock, senders=address.senders, ask=address.ask)


def profile_of(address: SignerAddress) -> RemoteProfile:
    """Return the profile that an address names, or that its options describe.

    Raises:
        InputError: a part of the address or of the profile is wrong.
        UnreadableFileError: the profile's file cannot be read.

    """
    if _WEB.match(address.path):
        return _from_options(address)
    address.only()
    profile = RemoteProfile.from_file(address.file(address.path))
    if profile.kind != address.scheme:
        raise InputError("remote.other_kind", field="kind", value=profile.kind, expected=address.scheme)
    return profile


def _from_options(address: SignerAddress) -> RemoteProfile:
    """Make a profile of an address whose options are the settings."""
    table = {name.replace("-", "_"): value for name, value in address.options.items()}
    own = {"kind": address.scheme, "base_url": address.path}
    return RemoteProfile.from_table(table | own, folder=address.base_dir, name=address.path)


def _host(url: str) -> str:
    """Return the host of an address, which the profile has judged, as the list of allowed hosts takes it."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"
