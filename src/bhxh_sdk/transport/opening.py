"""Opening a channel from its file: which profile, which address, where the secrets are.

kind = "portal"                     # or "ivan"
profile = "portal-vss"              # a shipped name, or the path of a profile's TOML file
passphrase_env = "BHXH_PASSPHRASE"  # a secret is named, never written
ca_bundle = "authorities.pem"       # how requests are sent
user_agent = "payroll/1.0"
trust_env = true
base_url = "https://portal.example" # everything else is changed in the profile
allowed_hosts = ["portal.example"]

[operations.register]
path = "/api/..."

An I-VAN takes `token_env`, or `user_name` and `password_env`, in place of the passphrase.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bhxh_sdk.errors import InputError, SetupError, UnreadableFileError, WrongTypeError
from bhxh_sdk.models import Credentials
from bhxh_sdk.secret import Secret
from bhxh_sdk.transport.http import HttpSender
from bhxh_sdk.transport.ivan import IvanChannel
from bhxh_sdk.transport.portal import PortalChannel
from bhxh_sdk.transport.profile import EndpointProfile
from bhxh_sdk.transport.profile_data import shipped_names, toml_table

if TYPE_CHECKING:
    from bhxh_sdk.ports import Clock, Sender
    from bhxh_sdk.transport.channel import Channel

__all__ = ["open_channel"]

_USUAL_PROFILES = {"portal": "portal-vss", "ivan": "ivan-vbhxh"}
_SENDER_KEYS = {"ca_bundle": str, "user_agent": str, "trust_env": bool}
_SECRETS = {"portal": {"passphrase"}, "ivan": {"token", "password"}}
_ENVIRONMENT = "_env"


def open_channel(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    clock: Clock,
    sender_factory: Callable[..., Sender] = HttpSender,
    environment: Mapping[str, str] | None = None,
    secrets: Mapping[str, Secret] | None = None,
) -> Channel:
    """Open the channel that a TOML file or a table describes. Nothing is connected yet.

    Args:
        source: path of the file, or the table itself. Paths in it are relative to the file.
        clock: time, waiting and chance.
        sender_factory: `HttpSender` or `AsyncHttpSender`, or a callable with their arguments.
        environment: where `…_env` keys are looked up; the process's own variables when None.
        secrets: secrets by their key without `_env`, such as `passphrase`; they go before the environment.

    Raises:
        UnreadableFileError: the file is missing or is no TOML.
        InputError: a key is unknown, missing or of a wrong type.
        UnknownCodeError: there is no shipped profile of that name.
        SetupError: a secret is named and the environment does not have it.

    """
    table, folder = _table(source)
    kind = _text(table, "kind")
    if kind not in _USUAL_PROFILES:
        raise InputError("channel.kind", field="kind", value=kind)
    profile = _profile(table, kind, folder)
    known = _secrets(table, kind, os.environ if environment is None else environment) | dict(secrets or {})
    sender = sender_factory(clock, allowed_hosts=profile.allowed_hosts, **_sender_options(table, folder))
    if kind == "portal":
        return PortalChannel(profile, sender, clock, passphrase=known.get("passphrase"))
    return _ivan(profile, sender, clock, known, _text(table, "user_name"))


def _ivan(
    profile: EndpointProfile, sender: Sender, clock: Clock, known: Mapping[str, Secret], user_name: str
) -> Channel:
    password = known.get("password")
    account = Credentials(user_name=user_name, password=password) if password is not None else None
    return IvanChannel(profile, sender, clock, token=known.get("token"), account=account)


def _table(source: str | os.PathLike[str] | Mapping[str, Any]) -> tuple[Mapping[str, Any], Path]:
    if isinstance(source, Mapping):
        for key in source:
            _demand(key, str, f"channel.{key}")
        return source, Path()
    _demand(source, (str, os.PathLike), "channel")
    path = Path(source)
    return toml_table(_file_text(path, "channel"), str(path)), path.parent


def _file_text(path: Path, field: str) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = type(error).__name__
        raise UnreadableFileError(field=field, name=str(path), reason=reason) from None


def _text(table: Mapping[str, Any], key: str, otherwise: str = "") -> str:
    value = table.get(key, otherwise)
    _demand(value, str, key)
    return str(value)


def _demand(value: object, kind: type | tuple[type, ...], field: str) -> None:
    if not isinstance(value, kind):
        expected = kind.__name__ if isinstance(kind, type) else " | ".join(one.__name__ for one in kind)
        raise WrongTypeError(field=field, expected=expected, got=type(value).__name__)


def _profile(table: Mapping[str, Any], kind: str, folder: Path) -> EndpointProfile:
    name = _text(table, "profile", _USUAL_PROFILES[kind])
    if name in shipped_names() or not name.endswith(".toml"):
        profile = EndpointProfile.shipped(name)
    else:
        profile = EndpointProfile.from_toml(_file_text(folder / name, "profile"))
    if profile.kind != kind:
        raise InputError("channel.other_kind", field="profile", name=name, expected=profile.kind, value=kind)
    return profile.with_overrides(_overrides(table))


def _overrides(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return every key that is not the channel's own: a misspelt one is named by the profile's check."""
    own = {"kind", "profile", "user_name", *_SENDER_KEYS}
    return {key: value for key, value in table.items() if key not in own and not key.endswith(_ENVIRONMENT)}


def _sender_options(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    options = {key: table[key] for key in _SENDER_KEYS if key in table}
    for key, value in options.items():
        _demand(value, _SENDER_KEYS[key], key)
    if "ca_bundle" in options:
        options["ca_bundle"] = folder / options["ca_bundle"]
    return options


def _secrets(table: Mapping[str, Any], kind: str, environment: Mapping[str, str]) -> dict[str, Secret]:
    found = {}
    for key in (key for key in table if key.endswith(_ENVIRONMENT) and key not in _SENDER_KEYS):
        secret, name = key.removesuffix(_ENVIRONMENT), _text(table, key)
        if secret not in _SECRETS[kind]:
            raise InputError("profile.unknown_key", field=key)
        if name not in environment:
            raise SetupError("channel.secret_missing", field=key, name=name)
        found[secret] = _secret(environment[name], key, name)
    return found


def _secret(text: str, key: str, name: str) -> Secret:
    with suppress(ValueError):
        return Secret(text)
    raise SetupError("channel.secret_unreadable", field=key, name=name)
