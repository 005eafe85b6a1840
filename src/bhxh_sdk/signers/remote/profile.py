"""Profiles of providers: which protocol and dialect, which address, who we are; never a secret.

kind = "ca769"                        # ca769, csc, mysign or mss
dialect = "vnpt"                      # a shipped dialect of the protocol
base_url = "https://signing.example"
user_id = "0100109106"                # this and others: the protocol's own settings
sp_password_env = "SP_PASSWORD"       # a secret is named, never written: environment variable
# sp_password_keyring = "bhxh/sp"     # or `service/user` in the system keyring
ca_bundle = "authorities.pem"         # how requests are sent
client_certificate = "client.pem"     # mutual TLS: certificate, and key unless client_key names it

[dialect_changes]                     # what differs from the shipped dialect
poll_seconds = 5
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

import attrs
from attrs import field, frozen

from bhxh_sdk.errors import InputError, UnknownCodeError, UnreadableFileError, WrongTypeError
from bhxh_sdk.signers.remote.members import check_member, check_paths
from bhxh_sdk.signers.remote.secrets import SecretPlace

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

__all__ = ["RemoteProfile", "dialect_names", "dialect_of", "one_of", "settings_of"]

T = TypeVar("T")

_TRANSPORT: Mapping[str, type] = {
    "ca_bundle": str,
    "user_agent": str,
    "trust_env": bool,
    "client_certificate": str,
    "client_key": str,
}
_FILES = frozenset({"ca_bundle", "client_certificate", "client_key"})
_PLACES = {"_env": "env", "_keyring": "keyring"}


@frozen(kw_only=True)
class RemoteProfile:
    """Hold what a profile says.

    Args:
        kind: the protocol, which is the scheme of the signer's address too.
        name: the profile, for people: its file's name or its address.
        dialect: name of a shipped dialect; empty for the protocol's own default.
        dialect_changes: members of the dialect with another value; of a table, the entries that differ.
        settings: the protocol's own settings, such as `base_url` and `user_id`.
        places: where secrets are kept, by their name.
        sending: how requests are sent: `ca_bundle`, `user_agent`, `trust_env`, `client_certificate`,
            `client_key`; paths are complete.

    """

    kind: str
    name: str = ""
    dialect: str = ""
    dialect_changes: Mapping[str, Any] = field(factory=dict, hash=False)
    settings: Mapping[str, Any] = field(factory=dict, hash=False)
    places: Mapping[str, SecretPlace] = field(factory=dict, hash=False)
    sending: Mapping[str, Any] = field(factory=dict, hash=False)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> RemoteProfile:
        """Read a profile's TOML file; paths in it are relative to the file.

        Raises:
            UnreadableFileError: the file is missing or is no TOML.
            InputError: a member is missing or of a wrong kind.

        """
        file = Path(path)
        try:
            table = tomllib.loads(file.read_text("utf-8-sig"))
        except tomllib.TOMLDecodeError as error:
            raise UnreadableFileError(field="signer", name=str(file), reason=str(error)) from None
        except (OSError, ValueError) as error:
            reason = type(error).__name__
            raise UnreadableFileError(field="signer", name=str(file), reason=reason) from None
        return cls.from_table(table, folder=file.parent, name=file.name)

    @classmethod
    def from_table(
        cls, table: Mapping[str, Any], *, folder: Path | None = None, name: str = ""
    ) -> RemoteProfile:
        """Make a profile from a table with the members of a file.

        Args:
            table: the members.
            folder: where relative paths start; None for the working folder.
            name: the profile, for people.

        Raises:
            InputError: a member is missing or of a wrong kind.

        """
        changes = table.get("dialect_changes", {})
        if not isinstance(changes, Mapping):
            raise WrongTypeError(field="dialect_changes", expected="table", got=type(changes).__name__)
        own = {"kind", "dialect", "dialect_changes", *_TRANSPORT}
        rest = {key: value for key, value in table.items() if key not in own}
        named = {key: value for key, value in rest.items() if _secret_of(key)}
        return cls(
            kind=_text(table, "kind"),
            name=name,
            dialect=_text(table, "dialect", ""),
            dialect_changes=dict(changes),
            settings={key: value for key, value in rest.items() if key not in named},
            places=_places(named),
            sending=_sending(table, folder or Path()),
        )


def settings_of(profile: RemoteProfile, kind: type[T]) -> T:
    """Return a profile's settings as the protocol's own value.

    Args:
        profile: the profile.
        kind: an attrs class with the settings as fields.

    Raises:
        InputError: a setting is unknown, missing or of a wrong type; `field` names it.

    """
    return _structured(kind, profile.settings, "")


@cache
def dialect_names(kind: str) -> tuple[str, ...]:
    """Return the names of the dialects that come with the package, sorted."""
    names = (file.name.removesuffix(".toml") for file in _folder().iterdir() if file.name.endswith(".toml"))
    start = f"{kind}-"
    return tuple(sorted(name.removeprefix(start) for name in names if name.startswith(start)))


def dialect_of(profile: RemoteProfile, kind: type[T], usual: str) -> T:
    """Return the dialect of a profile with its changes.

    Args:
        profile: the profile.
        kind: an attrs class with the dialect's members as fields.
        usual: the shipped dialect where the profile names none.

    Raises:
        UnknownCodeError: there is no shipped dialect of that name.
        InputError: a changed member is unknown or of a wrong type; `field` names it.

    """
    name = profile.dialect or usual
    if name not in dialect_names(profile.kind):
        choices = ", ".join(dialect_names(profile.kind))
        raise UnknownCodeError("remote.dialect", field="dialect", value=name, choices=choices)
    shipped = dict(_shipped(f"{profile.kind}-{name}.toml"))
    check_paths(profile.dialect_changes, shipped)
    changed = _changed(shipped, profile.dialect_changes)
    return _structured(kind, changed, "dialect_changes.")


def _changed(shipped: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dialect with its changes; a table such as that of the codes keeps what is not changed."""
    for name, value in changes.items():
        old = shipped.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            shipped[name] = {**old, **value}
        else:
            shipped[name] = value
    return shipped


def one_of(place: str, value: object, choices: Iterable[object]) -> None:
    """Refuse a member that is none of its choices.

    Args:
        place: the member.
        value: what it is.
        choices: what it may be.

    Raises:
        UnknownCodeError: it is none of them.

    """
    known = tuple(choices)
    if value not in known:
        shown = ", ".join(str(choice) for choice in known)
        raise UnknownCodeError("remote.choice", field=place, value=str(value), choices=shown)


def _folder() -> Any:  # noqa: ANN401  # importlib.resources has no common type before 3.12
    return resources.files("bhxh_sdk.signers.remote").joinpath("data")


@cache
def _shipped(file: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = tomllib.loads(_folder().joinpath(file).read_text("utf-8"))
    return found


@cache
def _types_of(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _text(table: Mapping[str, Any], key: str, otherwise: str | None = None) -> str:
    if key not in table and otherwise is None:
        raise InputError("remote.setting_missing", field=key)
    value = table.get(key, otherwise)
    if not isinstance(value, str):
        raise WrongTypeError(field=key, expected="str", got=type(value).__name__)
    return value


def _secret_of(key: str) -> str:
    """Return the secret that a key names a place for, or an empty text."""
    return next((key.removesuffix(end) for end in _PLACES if key.endswith(end) and key not in _TRANSPORT), "")


def _places(named: Mapping[str, Any]) -> dict[str, SecretPlace]:
    places: dict[str, dict[str, str]] = {}
    for key in named:
        secret = _secret_of(key)
        where = _PLACES[key.removeprefix(secret)]
        if places.setdefault(secret, {}):
            raise InputError("remote.two_places", field=key, name=secret)
        places[secret][where] = _text(named, key)
    return {secret: SecretPlace(**place) for secret, place in places.items()}


def _sending(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    found = {key: table[key] for key in _TRANSPORT if key in table}
    for key, value in found.items():
        if not isinstance(value, _TRANSPORT[key]):
            raise WrongTypeError(field=key, expected=_TRANSPORT[key].__name__, got=type(value).__name__)
    return {key: folder / value if key in _FILES else value for key, value in found.items()}


def _structured(kind: type[T], table: Mapping[str, Any], prefix: str) -> T:
    """Make an attrs value of a table, with every wrong member named."""
    fields = {item.name: item for item in attrs.fields(kind)}  # type: ignore[arg-type]  # an attrs class, which `type[T]` cannot say
    if unknown := sorted(table.keys() - fields.keys()):
        known = ", ".join(sorted(fields))
        raise InputError("remote.unknown_setting", field=prefix + unknown[0], known=known)
    missing = [name for name, item in fields.items() if item.default is attrs.NOTHING and name not in table]
    if missing:
        raise InputError("remote.setting_missing", field=prefix + missing[0])
    types = _types_of(kind)  # type: ignore[arg-type]  # a class is hashable, which mypy does not see in `type[T]`
    values = {name: _typed(value, types[name], prefix + name) for name, value in table.items()}
    for name, value in values.items():
        check_member(name, value, prefix + name)
    return kind(**values)


def _typed(value: Any, wanted: Any, place: str) -> Any:  # noqa: ANN401  # what a TOML file holds, and a type
    """Return a TOML value as a field takes it: a list as a tuple, a whole number as a float."""
    origin = get_origin(wanted) or wanted
    if origin is tuple and isinstance(value, list):
        return tuple(_typed(item, get_args(wanted)[0], place) for item in value)
    if origin is Mapping and isinstance(value, Mapping):
        return {str(key): _typed(item, get_args(wanted)[1], place) for key, item in value.items()}
    if origin is float and type(value) is int:
        return float(value)
    if type(value) is not origin:
        raise WrongTypeError(field=place, expected=origin.__name__, got=type(value).__name__)
    return value
