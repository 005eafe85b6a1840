"""The form as plain data: what a TOML or JSON file of a registration holds, and back.

action = "register"
use_certificate = true
result_delivery = "at_agency"
transact_at = "portal"              # or { ivan = "00040" }

[agency]
code = "07906"

[organisation]
name = "CÔNG TY TNHH VÍ DỤ"
...
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn, get_origin

import cattrs
from cattrs import AttributeValidationNote, ForbiddenExtraKeysError, IterableValidationNote

from bhxh_sdk.errors import BhxhError, InputError, WrongTypeError
from bhxh_sdk.findings import Finding, Report, Severity
from bhxh_sdk.messages import Term
from bhxh_sdk.models.identifiers import Identifier
from bhxh_sdk.models.registration import Attachment, Ivan, Portal, Registration

if TYPE_CHECKING:
    from bhxh_sdk.messages import Parameter

__all__ = ["form_from_dict", "form_to_dict"]

_SOURCE = "form file of bhxh-sdk"

FileReader = Callable[[str], bytes]
"""Gives the bytes of the file that an attachment names."""


class _FormError(ValueError):
    """One wrong value in a form, before it is known which field holds it."""

    def __init__(self, code: str, **parameters: str) -> None:
        super().__init__(code)
        self.code = code
        self.parameters = parameters


def form_from_dict(data: Mapping[str, Any], *, read_file: FileReader | None = None) -> Registration:
    """Make a registration from plain data.

    Args:
        data: what a TOML or JSON reader gives.
        read_file: reads the file that an attachment's `file` names; without it an attachment must bring its
            `content` in base64.

    Returns:
        The registration, not yet checked.

    Raises:
        InputError: unknown members, missing members or values of a wrong type; its report names them all.

    """
    converter = _reading_converter(read_file)
    try:
        if not isinstance(data, Mapping):
            _refuse("form.wrong_type", Term("kind.table"), data)
        return converter.structure(data, Registration)
    except cattrs.BaseValidationError as group:
        findings = tuple(_findings(group, ""))
    except _FormError as error:
        findings = (_finding(error, ""),)
    raise InputError.of(Report(findings))


def form_to_dict(form: Registration) -> dict[str, Any]:
    """Return a registration as plain JSON data that `form_from_dict` reads back to an equal value."""
    data: dict[str, Any] = _writing_converter().unstructure(form)
    return data


def _refuse(code: str, expected: str, value: object) -> NoReturn:
    raise _FormError(code, expected=expected, got=_kind(value))


_KINDS = {
    bool: Term("kind.flag"),
    int: Term("kind.number"),
    float: Term("kind.number"),
    str: Term("kind.text"),
    list: Term("kind.list"),
    dict: Term("kind.table"),
    date: Term("kind.date"),
    datetime: Term("kind.moment"),
}
"""What a TOML or JSON reader gives, in words for people."""


def _kind(value: object) -> str:
    return _KINDS.get(type(value), type(value).__name__)


def _strict(kind: type, expected: str) -> Callable[[Any, Any], Any]:
    def hook(value: object, _: object) -> Any:  # noqa: ANN401  # cattrs hooks are untyped
        if type(value) is not kind:
            _refuse("form.wrong_type", expected, value)
        return value

    return hook


def _date(value: object, _: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        _refuse("form.wrong_type", Term("kind.date"), value)
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise _FormError("form.not_a_date", value=value) from None


def _identifier(value: object, kind: type[Identifier]) -> Identifier:
    if not isinstance(value, str):
        _refuse("form.wrong_type", Term("kind.text"), value)
    return kind(value)


def _enumeration(value: object, kind: type[Enum]) -> Enum:
    names = {str(member.value): member for member in kind} | {member.name.lower(): member for member in kind}
    member = names.get(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    if member is None:
        choices = ", ".join(member.name.lower() for member in kind)
        raise _FormError("form.not_a_choice", value=str(value), choices=choices)
    return member


def _transact_at(value: object, _: object) -> Portal | Ivan:
    if isinstance(value, Portal | Ivan):
        return value
    if value == "portal":
        return Portal()
    if isinstance(value, Mapping) and value.keys() <= {"ivan", "name"}:
        code, name = value.get("ivan"), value.get("name", "")
        if isinstance(code, str) and isinstance(name, str):
            return Ivan(code, name)
    return _refuse("form.wrong_type", Term("kind.place"), value)


def _attachment(read_file: FileReader | None) -> Callable[[Any, Any], Attachment]:
    members = {"file", "file_name", "content", "form_code", "description"}

    def hook(value: object, _: object) -> Attachment:
        if not isinstance(value, Mapping) or not value.keys() <= members:
            _refuse("form.wrong_type", Term("kind.attachment"), value)
        for name in value:
            if not isinstance(value[name], str):
                raise _FormError("form.wrong_type", expected=Term("kind.text"), got=_kind(value[name]))
        content, file_name = _attachment_content(value, read_file)
        named = {name: value[name] for name in ("form_code", "description") if name in value}
        return Attachment(file_name=value.get("file_name", file_name), content=content, **named)

    return hook


def _attachment_content(value: Mapping[str, str], read_file: FileReader | None) -> tuple[bytes, str]:
    path = value.get("file")
    if path is not None and read_file is not None:
        return _file_content(path, read_file), path.replace("\\", "/").rsplit("/", 1)[-1]
    try:
        return base64.b64decode(value["content"], validate=True), ""
    except KeyError:
        raise _FormError("form.missing", name="content") from None
    except ValueError:
        raise _FormError("form.not_base64") from None


def _file_content(path: str, read_file: FileReader) -> bytes:
    try:
        return read_file(path)
    except OSError as error:
        raise _FormError("form.unreadable_file", name=path, reason=error.strerror or "") from error


def _base_converter() -> cattrs.Converter:
    return cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)


def _reading_converter(read_file: FileReader | None) -> cattrs.Converter:
    converter = _base_converter()
    converter.register_structure_hook(str, _strict(str, Term("kind.text")))
    converter.register_structure_hook(bool, _strict(bool, Term("kind.flag")))
    converter.register_structure_hook(date, _date)
    converter.register_structure_hook_func(lambda kind: _is_kind(kind, Identifier), _identifier)
    converter.register_structure_hook_func(lambda kind: _is_kind(kind, Enum), _enumeration)
    converter.register_structure_hook(Portal | Ivan, _transact_at)
    converter.register_structure_hook(Attachment, _attachment(read_file))
    return converter


def _is_kind(kind: object, base: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, base)


def _writing_converter() -> cattrs.Converter:
    converter = _base_converter()
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_unstructure_hook_func(lambda kind: _is_kind(kind, Identifier), str)
    converter.register_unstructure_hook_func(lambda kind: _is_kind(kind, Enum), _lower_name)
    converter.register_unstructure_hook(Portal, lambda _: "portal")
    converter.register_unstructure_hook(Ivan, lambda ivan: {"ivan": ivan.code, "name": ivan.name})
    converter.register_unstructure_hook(bytes, lambda content: base64.b64encode(content).decode())
    return converter


def _lower_name(member: Enum) -> str:
    return member.name.lower()


def _findings(error: BaseException, path: str) -> Iterator[Finding]:
    """Walk cattrs' groups of errors: the notes on each tell the member or the position that it concerns."""
    path = _joined(path, error)
    if isinstance(error, cattrs.BaseValidationError):
        for inner in error.exceptions:
            yield from _findings(inner, path)
    elif isinstance(error, ForbiddenExtraKeysError):
        for name in sorted(map(str, error.extra_fields)):
            yield _finding(_FormError("form.unknown_member", name=name), f"{path}.{name}".lstrip("."))
    else:
        yield _finding(error, path)


def _joined(path: str, error: BaseException) -> str:
    notes = getattr(error, "__notes__", ())
    names = [f"{path}.{note.name}".lstrip(".") for note in notes if isinstance(note, AttributeValidationNote)]
    positions = [f"{path}[{note.index}]" for note in notes if isinstance(note, IterableValidationNote)]
    return next(iter(names + positions), path)


def _finding(error: BaseException, path: str) -> Finding:
    code, parameters = _told(error)
    return Finding(code=code, severity=Severity.ERROR, field=path, parameters=parameters, source=_SOURCE)


def _told(error: BaseException) -> tuple[str, Mapping[str, Parameter]]:
    if isinstance(error, _FormError):
        return error.code, error.parameters
    if isinstance(error, WrongTypeError):
        return "form.wrong_type", error.parameters
    if isinstance(error, BhxhError):
        return error.code, error.parameters
    if isinstance(error, KeyError):
        return "form.missing", {"name": str(error.args[0])}
    lists = [
        note for note in getattr(error, "__notes__", ()) if get_origin(getattr(note, "type", None)) is tuple
    ]
    return "form.wrong_type", {"expected": Term("kind.list") if lists else Term("kind.table")}
