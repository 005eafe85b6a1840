"""Profiles from data: reading a profile's table, changing a profile, and naming the key that is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import asdict

from bhxh_sdk.errors import InputError, UnreadableFileError, WrongTypeError
from bhxh_sdk.models import Action, Certainty
from bhxh_sdk.models.text import control_characters
from bhxh_sdk.xml.document_profile import DocumentProfile, FieldRule
from bhxh_sdk.xml.formats import ENVELOPE_SOURCES, FORMATS, REGISTRATION_SOURCES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["profile_from_mapping", "read_toml", "with_overrides"]

_PROFILE_KEYS: Mapping[str, type] = {
    **dict.fromkeys(
        ("name", "kind", "title", "file_name", "procedure_code", "procedure_code_vietnamese"), str
    ),
    **dict.fromkeys(("action", "transact_at", "root", "content", "signature", "file_length"), str),
    **dict.fromkeys(("legal_basis", "certainty", "note"), str),
    "other_signatures": list,
    "namespaces": dict,
    "fields": list,
}
_FIELD_KEYS: Mapping[str, type] = {
    **dict.fromkeys(
        ("element", "source", "format", "value", "presence", "fallback", "certainty", "note"), str
    ),
    "checked": bool,
}
_OVERRIDE_KEYS: Mapping[str, type] = {
    **_PROFILE_KEYS,
    "fields": dict,
    "add": list,
    "remove": list,
    "order": list,
}
_PROFILE_CHOICES = {
    "kind": ("registration", "envelope"),
    "transact_at": ("portal", "ivan"),
    "file_length": ("base64_chars", "bytes"),
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")

E = TypeVar("E", bound=Enum)


def profile_from_mapping(data: Mapping[str, Any]) -> DocumentProfile:
    """Make a profile from plain data, such as a TOML table.

    Args:
        data: the members of `DocumentProfile`; `fields` is a list of tables with the members of `FieldRule`.

    Raises:
        InputError: a key is unknown or missing, or its value is not possible; `field` names it.
        WrongTypeError: a value has the wrong type.

    """
    _check_keys(data, _PROFILE_KEYS, "", required=("name", "root", "content", "signature", "fields"))
    for key, choices in _PROFILE_CHOICES.items():
        _check_choice(data, key, choices, "")
    kind = data.get("kind", "registration")
    sources = REGISTRATION_SOURCES if kind == "registration" else ENVELOPE_SOURCES
    rules = tuple(_rule(row, f"fields[{number}]", sources) for number, row in enumerate(data["fields"]))
    action = _member(Action, data, "action", "")
    if kind == "registration" and action is None:
        raise InputError("xml.profile.missing_key", field="action")
    _check_place(data)
    _check_elements(rules)
    _check_fallbacks(rules)
    plain = {
        key: data[key] for key in data if _PROFILE_KEYS[key] is str and key not in {"action", "certainty"}
    }
    return DocumentProfile(
        **plain,
        action=action,
        certainty=_member(Certainty, data, "certainty", "") or Certainty.UNKNOWN,
        other_signatures=_names(data.get("other_signatures", []), "other_signatures"),
        namespaces=_namespaces(data.get("namespaces", {})),
        fields=rules,
    )


def with_overrides(profile: DocumentProfile, overrides: Mapping[str, Any]) -> DocumentProfile:
    """Return the profile with an integrator's changes.

    Args:
        profile: the profile to start from.
        overrides: members of `DocumentProfile` to replace, and for the elements: `fields` (a table from an
            element to the members of its rule that change), `remove` (elements), `add` (rules, each with
            `after` naming the element that it follows, else last) and `order` (every element, in the order
            wanted).

    Raises:
        InputError: a key or element is unknown, or a value is not possible; `field` names the key.
        WrongTypeError: a value has the wrong type.

    """
    _check_keys(overrides, _OVERRIDE_KEYS, "")
    plain = {key: value for key, value in overrides.items() if key in _PROFILE_KEYS and key != "fields"}
    rows = [_row(rule) for rule in profile.fields]
    rows = _changed(rows, overrides.get("fields", {}))
    rows = _without(rows, overrides.get("remove", []))
    rows = _with_added(rows, overrides.get("add", []))
    rows = _ordered(rows, overrides.get("order"))
    return profile_from_mapping({**_table(profile), **plain, "fields": rows})


def read_toml(source: Path | str) -> dict[str, Any]:
    """Read TOML from a file (a `Path`) or from its text (a `str`).

    Raises:
        UnreadableFileError: the file cannot be read or is not TOML.

    """
    try:
        text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
        return tomllib.loads(text)
    except OSError as error:
        raise UnreadableFileError("xml.profile.no_file", field="profile", name=str(source)) from error
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError("xml.profile.not_toml", field="profile", problem=str(error)) from error


def _rule(row: Mapping[str, Any], where: str, sources: Mapping[str, str]) -> FieldRule:
    _check_keys(row, _FIELD_KEYS, f"{where}.", required=("element",))
    where = f"fields.{row['element']}."
    for name in row["element"].split("/"):
        _check_name(name, f"{where}element")
    _check_choice(row, "presence", ("required", "always", "optional"), where)
    _check_choice(row, "format", FORMATS, where)
    if ("source" in row) is ("value" in row):
        raise InputError("xml.profile.source_or_value", field=f"{where}source")
    _check_choice(row, "source", sources, where)
    if "source" in row:
        fitting = [name for name, known in FORMATS.items() if known.kind == sources[row["source"]]]
        _check_choice({"format": "text", **row}, "format", fitting, where)
    if control_characters(row.get("value", "")):
        raise InputError("xml.profile.not_text", field=f"{where}value")
    certainty = _member(Certainty, row, "certainty", where) or Certainty.UNKNOWN
    return FieldRule(**{**row, "certainty": certainty})


def _check_keys(
    data: Mapping[str, Any], known: Mapping[str, type], where: str, required: Iterable[str] = ()
) -> None:
    _check_table(data, where.rstrip(".") or "profile")
    for key, value in data.items():
        if key not in known:
            raise InputError("xml.profile.unknown_key", field=f"{where}{key}", known=", ".join(known))
        if not isinstance(value, known[key]):
            expected, got = known[key].__name__, type(value).__name__
            raise WrongTypeError("xml.profile.wrong_type", field=f"{where}{key}", expected=expected, got=got)
    for key in required:
        if key not in data:
            raise InputError("xml.profile.missing_key", field=f"{where}{key}")


def _check_table(value: object, where: str) -> None:
    if not isinstance(value, Mapping):
        raise WrongTypeError("xml.profile.wrong_type", field=where, expected="dict", got=type(value).__name__)


def _check_choice(data: Mapping[str, Any], key: str, choices: Collection[str], where: str) -> None:
    if key in data and data[key] not in choices:
        shown = ", ".join(choices)
        raise InputError("xml.profile.not_a_choice", field=f"{where}{key}", value=data[key], choices=shown)


def _member(kind: type[E], data: Mapping[str, Any], key: str, where: str) -> E | None:
    _check_choice(data, key, [member.value for member in kind], where)
    return kind(data[key]) if key in data else None


def _check_name(name: object, where: str) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError("xml.profile.not_a_name", field=where, value=str(name))


def _names(names: Iterable[Any], where: str) -> tuple[str, ...]:
    names = tuple(names)
    for name in names:
        _check_name(name, where)
    return names


def _namespaces(table: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    for prefix, uri in table.items():
        where = f"namespaces.{prefix}"
        _check_name(prefix, where)
        if not isinstance(uri, str) or not uri or control_characters(uri) or prefix.lower().startswith("xml"):
            raise InputError("xml.profile.not_a_namespace", field=where, value=str(uri))
    return tuple(sorted(table.items()))


def _check_place(data: Mapping[str, Any]) -> None:
    """The signature stands in a child of the root, beside the content."""
    _check_name(data["root"], "root")
    _check_name(data["content"], "content")
    root, _, name = data["signature"].partition("/")
    if root != data["root"] or name == data["content"] or not _NAME.fullmatch(name):
        raise InputError("xml.profile.not_a_place", field="signature", value=data["signature"])


def _check_elements(rules: Iterable[FieldRule]) -> None:
    """No element stands twice, holds both text and elements, or is torn apart by another."""
    closed: set[tuple[str, ...]] = set()
    before: tuple[str, ...] = ()
    for rule in rules:
        opened = {rule.path[:depth] for depth in range(1, len(rule.path) + 1)}
        still_open = {before[:depth] for depth in range(1, len(before))} & opened
        closed |= {before[:depth] for depth in range(1, len(before) + 1)} - still_open
        if opened & closed or rule.path in still_open:
            raise InputError("xml.profile.repeated_element", field=f"fields.{rule.element}")
        before = rule.path


def _check_fallbacks(rules: Iterable[FieldRule]) -> None:
    rules = tuple(rules)
    carried = {rule.source for rule in rules if rule.format == "text" and not rule.from_certificate}
    for rule in rules:
        if rule.fallback and (rule.fallback not in carried - {rule.source} or rule.format != "text"):
            where = f"fields.{rule.element}.fallback"
            raise InputError(
                "xml.profile.not_a_choice",
                field=where,
                value=rule.fallback,
                choices=", ".join(sorted(carried)),
            )


def _row(rule: FieldRule) -> dict[str, Any]:
    row = asdict(rule, filter=lambda attribute, _: attribute.init)
    row["certainty"] = rule.certainty.value
    del row["source" if rule.value is not None else "value"]
    return row


def _table(profile: DocumentProfile) -> dict[str, Any]:
    table = {key: getattr(profile, key) for key, kind in _PROFILE_KEYS.items() if kind is str}
    table["certainty"] = profile.certainty.value
    table["action"] = profile.action.value if profile.action else None
    table["other_signatures"] = list(profile.other_signatures)
    table["namespaces"] = dict(profile.namespaces)
    return {key: value for key, value in table.items() if value is not None}


def _position(rows: list[dict[str, Any]], element: object, where: str) -> int:
    for position, row in enumerate(rows):
        if row.get("element") == element:
            return position
    known = ", ".join(str(row.get("element")) for row in rows)
    raise InputError("xml.profile.unknown_element", field=where, value=str(element), known=known)


def _changed(rows: list[dict[str, Any]], changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    positions = {element: _position(rows, element, f"fields.{element}") for element in changes}
    rows = list(rows)
    for element, change in changes.items():
        where = f"fields.{element}"
        _check_keys(change, _FIELD_KEYS, f"{where}.")
        kept = dict(rows[positions[element]])
        # A constant replaces a value of the model, and the other way round.
        for new, old in (("value", "source"), ("source", "value")):
            if new in change:
                kept.pop(old, None)
        rows[positions[element]] = {**kept, **change}
    return rows


def _without(rows: list[dict[str, Any]], elements: Iterable[Any]) -> list[dict[str, Any]]:
    rows = list(rows)
    for element in elements:
        del rows[_position(rows, element, "remove")]
    return rows


def _with_added(rows: list[dict[str, Any]], added: Iterable[Any]) -> list[dict[str, Any]]:
    rows = list(rows)
    for number, row in enumerate(added):
        where = f"add[{number}]"
        _check_keys(row, {**_FIELD_KEYS, "after": str}, f"{where}.", required=("element",))
        after = row.get("after")
        position = len(rows) if after is None else _position(rows, after, f"{where}.after") + 1
        rows.insert(position, {key: value for key, value in row.items() if key != "after"})
    return rows


def _ordered(rows: list[dict[str, Any]], order: list[Any] | None) -> list[dict[str, Any]]:
    if order is None:
        return rows
    ordered = [rows[_position(rows, element, "order")] for element in order]
    missing = [row["element"] for row in rows if row["element"] not in order]
    if missing or len(ordered) != len(rows):
        raise InputError("xml.profile.incomplete_order", field="order", missing=", ".join(missing))
    return ordered
