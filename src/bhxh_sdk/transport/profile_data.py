"""The data behind endpoint profiles: found, merged, and made into values with every mistake named."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from importlib import resources
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import SplitResult, urlsplit

import cattrs
from attrs import evolve
from cattrs import AttributeValidationNote, ForbiddenExtraKeysError, IterableValidationNote

from bhxh_sdk.errors import InputError, UnknownCodeError, UnreadableFileError
from bhxh_sdk.findings import Finding, Report, Severity
from bhxh_sdk.messages import Term
from bhxh_sdk.models import Outcome
from bhxh_sdk.transport.outbound import sendable
from bhxh_sdk.transport.refusals import KINDS

if TYPE_CHECKING:
    from bhxh_sdk.transport.profile import Endpoint, EndpointProfile

__all__ = [
    "LOOPBACK",
    "address",
    "demand_sound",
    "keys_of",
    "merged",
    "shipped_names",
    "shipped_text",
    "structured",
    "toml_table",
]

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_SOURCE = "endpoint profile"
_LONGEST_DEADLINE = 3600


class _ProfileError(ValueError):
    """One wrong value in a profile, before it is known which key holds it."""

    def __init__(self, code: str, **parameters: str) -> None:
        super().__init__(code)
        self.code = code
        self.parameters = parameters


def shipped_names() -> tuple[str, ...]:
    """Return the names of the profiles that come with the package."""
    files = resources.files("bhxh_sdk.transport").joinpath("data").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def shipped_text(name: str) -> str:
    """Return the TOML text of a profile that comes with the package.

    Raises:
        UnknownCodeError: there is none of that name.

    """
    if name not in shipped_names():
        choices = ", ".join(shipped_names())
        raise UnknownCodeError("profile.unknown", field="profile", value=name, choices=choices)
    return resources.files("bhxh_sdk.transport").joinpath("data", f"{name}.toml").read_text("utf-8")


def toml_table(text: str, name: str = "") -> dict[str, Any]:
    """Return the table of a TOML text.

    Args:
        text: the TOML text.
        name: the file's name, for the error.

    Raises:
        UnreadableFileError: the text is no TOML.

    """
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        reason = str(error) if isinstance(error, tomllib.TOMLDecodeError) else ""
        raise UnreadableFileError(
            "input.unreadable_file", field="profile", name=name, reason=reason
        ) from None


def merged(data: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data with the overrides in it: tables are merged, everything else takes its place."""
    result = dict(data)
    for key, value in overrides.items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = merged(old, value) if both else copy.deepcopy(value)  # type: ignore[arg-type]  # `both` has looked
    return result


def structured(data: Mapping[str, Any], kind: type[EndpointProfile]) -> EndpointProfile:
    """Make a profile of plain data.

    Raises:
        InputError: unknown, missing or wrong members; its report names them all.
        UnknownCodeError: the profile that it `extends` is not shipped.

    """
    try:
        if not isinstance(data, Mapping):
            _refuse(Term("kind.table"), data)
        data = _extended(data)
        return evolve(_converter().structure(_complete(data), kind), source=copy.deepcopy(data))
    except cattrs.BaseValidationError as group:
        findings = tuple(_findings(group, ""))
    except _ProfileError as error:
        findings = (_finding(error, ""),)
    raise InputError.of(Report(findings))


def _extended(data: Mapping[str, Any]) -> dict[str, Any]:
    """Put the data over those of the shipped profile that it says it `extends`."""
    if "extends" not in data:
        return dict(data)
    own = {key: value for key, value in data.items() if key != "extends"}
    return merged(toml_table(shipped_text(str(data["extends"]))), own)


def _complete(data: Mapping[str, Any]) -> dict[str, Any]:
    """Give every operation the members of `defaults` and of the operation that it is `same_as`."""
    result = dict(data)
    defaults, operations = data.get("defaults", {}), data.get("operations", {})
    if isinstance(defaults, Mapping) and isinstance(operations, Mapping):
        result.pop("defaults", None)
        result["operations"] = {name: _operation(name, operations, defaults) for name in operations}
    return result


def _operation(name: str, operations: Mapping[str, Any], defaults: Mapping[str, Any]) -> Any:  # noqa: ANN401  # wrong data is left for the converter to name
    own = operations[name]
    if not isinstance(own, Mapping):
        return own
    model = operations.get(str(own.get("same_as", "")), {})
    table = merged(merged(defaults, model if isinstance(model, Mapping) else {}), own)
    return {key: value for key, value in table.items() if key != "same_as" or not model}


def _refuse(expected: str, value: object) -> NoReturn:
    raise _ProfileError("profile.wrong_type", expected=expected, got=type(value).__name__)


def _strict(kinds: tuple[type, ...], expected: str) -> Callable[[Any, Any], Any]:
    def hook(value: object, _: object) -> Any:  # noqa: ANN401  # cattrs hooks are untyped
        if type(value) not in kinds:
            _refuse(expected, value)
        return value

    return hook


def _names(value: object, _: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        _refuse(Term("kind.text"), value)
    return tuple(names)


def _enumeration(value: object, kind: type[Enum]) -> Enum:
    members = {str(member.value): member for member in kind}
    if not isinstance(value, str) or value not in members:
        raise _ProfileError("profile.not_a_choice", value=str(value), choices=", ".join(members))
    return members[value]


def _is_enumeration(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    converter.register_structure_hook(str, _strict((str,), Term("kind.text")))
    converter.register_structure_hook(bool, _strict((bool,), Term("kind.flag")))
    converter.register_structure_hook(float, _strict((int, float), Term("kind.number")))
    converter.register_structure_hook_func(lambda kind: kind == tuple[str, ...], _names)
    converter.register_structure_hook_func(_is_enumeration, _enumeration)
    return converter


def _findings(error: BaseException, path: str) -> Iterator[Finding]:
    """Walk cattrs' groups of errors: the notes on each tell the key that it concerns."""
    path = _joined(path, error)
    if isinstance(error, cattrs.BaseValidationError):
        for inner in error.exceptions:
            yield from _findings(inner, path)
    elif isinstance(error, ForbiddenExtraKeysError):
        for name in sorted(map(str, error.extra_fields)):
            yield _finding(_ProfileError("profile.unknown_key"), f"{path}.{name}".lstrip("."))
    elif isinstance(error, KeyError):
        yield _finding(_ProfileError("profile.missing"), path)
    else:
        yield _finding(error, path)


def _joined(path: str, error: BaseException) -> str:
    notes = getattr(error, "__notes__", ())
    keys = [note.name for note in notes if isinstance(note, AttributeValidationNote)]
    keys += [str(note.index) for note in notes if isinstance(note, IterableValidationNote)]
    return ".".join([path, *keys]).lstrip(".")


def _finding(error: BaseException, path: str) -> Finding:
    if not isinstance(error, _ProfileError):
        error = _ProfileError("profile.wrong_type", expected=Term("kind.table"), got="")
    return Finding(
        code=error.code, severity=Severity.ERROR, field=path, parameters=error.parameters, source=_SOURCE
    )


def demand_sound(profile: EndpointProfile) -> None:
    """Check what the types alone do not say.

    Raises:
        InputError: an address that is not safe, or names that mean nothing; its report names them all.

    """
    findings = [*_unsound_address(profile)]
    if profile.client_header is not None and not sendable(profile.client_header.name, ""):
        findings.append(_unsound("client_header.name", "profile.header"))
    for name, endpoint in profile.operations.items():
        findings += _unsound_endpoint(f"operations.{name}", endpoint)
    if findings:
        raise InputError.of(Report(findings))


def _unsound(field: str, code: str, **parameters: str) -> Finding:
    return _finding(_ProfileError(code, **parameters), field)


def _unsound_address(profile: EndpointProfile) -> Iterator[Finding]:
    parts = address(profile.base_url)
    host = parts.hostname or "" if parts else ""
    if parts is None or not host or parts.query or parts.fragment or "@" in parts.netloc:
        yield _unsound("base_url", "profile.base_url", value=profile.base_url)
    elif parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        yield _unsound("base_url", "profile.not_https", value=profile.base_url)
    elif host not in profile.allowed_hosts and parts.netloc.lower() not in profile.allowed_hosts:
        yield _unsound("allowed_hosts", "profile.host_not_allowed", value=parts.netloc)


def address(url: str) -> SplitResult | None:
    """Return the parts of an address; None when it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _unsound_endpoint(field: str, endpoint: Endpoint) -> Iterator[Finding]:
    if not endpoint.path.startswith("/"):
        yield _unsound(f"{field}.path", "profile.path", value=endpoint.path)
    if endpoint.method not in {"GET", "POST", "PUT", "DELETE"}:
        yield _unsound(
            f"{field}.method", "profile.not_a_choice", value=endpoint.method, choices="GET, POST, PUT, DELETE"
        )
    if not 0 < endpoint.deadline_seconds <= _LONGEST_DEADLINE:
        yield _unsound(f"{field}.deadline_seconds", "profile.deadline")
    for header, value in endpoint.headers.items():
        if not sendable(header, value):
            yield _unsound(f"{field}.headers.{header}", "profile.header")
    for place in ("kinds", "statuses"):
        for code, kind in getattr(endpoint.refusals, place).items():
            yield from _choice(f"{field}.refusals.{place}.{code}", kind, tuple(KINDS))
    for state, outcome in endpoint.states.items():
        yield from _choice(f"{field}.states.{state}", outcome, tuple(one.value for one in Outcome))


def _choice(field: str, value: str, choices: tuple[str, ...]) -> Iterator[Finding]:
    if value not in choices:
        yield _unsound(field, "profile.not_a_choice", value=value, choices=", ".join(choices))


def keys_of(operation: str, endpoint: Endpoint | None) -> tuple[str, ...]:
    """Return the keys that tell how an operation is called, after an endpoint that has it (the sandbox's)."""
    fields = ["path", "method", "encoding", "access"]
    if endpoint is not None:
        fields += [f"request.{name}" for name in endpoint.request]
        fields += [f"answer.{name}" for name in endpoint.answer]
    return tuple(f"operations.{operation}.{field}" for field in fields)
