"""Form files: a registration in TOML or JSON, its attachments beside it."""

from __future__ import annotations

import json
import re
import tomllib
from functools import partial
from typing import TYPE_CHECKING, Any

from bhxh_sdk.cli.files import read
from bhxh_sdk.errors import InputError, UnreadableFileError
from bhxh_sdk.models import form_from_dict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bhxh_sdk.models import Registration

__all__ = ["form_data", "form_of", "read_form"]

_LARGEST_FORM = 32 * 1024 * 1024
_DEEPEST = 20  # a form has four levels

_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_LEADING_ZERO = re.compile(r"^[ \t]*+[\w.-]++[ \t]*+=[ \t]*+0[0-9]", re.ASCII)

# A key of so many parts takes tomllib a time that grows with its square. Everything here is tried once only.
_LONG_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){50}""", re.ASCII)


def read_form(path: Path, attachments_from: Path | None = None) -> Registration:
    """Read a registration from a file.

    Args:
        path: a `.toml` or `.json` file in UTF-8, with or without a byte order mark; with another suffix the
            content decides. The files that attachments name start from its folder.

        attachments_from: the folder that attachments lie in; None for the form's own.

    Raises:
        UnreadableFileError: the file cannot be read, is not UTF-8, or its syntax is wrong.
        InputError: members are unknown, missing or of a wrong type; the report names them all.

    """
    return form_of(form_data(path), attachments_from or path.parent)


def form_data(path: Path) -> Any:  # noqa: ANN401  # foreign data, judged by form_of
    """Return what a form file holds, as plain data; raises as `read_form` for what cannot be read."""
    text = _decoded(read(path, "FORM", largest=_LARGEST_FORM), path)
    data = _from_json(text, path) if _is_json(text, path) else _from_toml(text, path)
    if _is_too_deep(data):
        raise _too_deep(path)
    return data


def _is_too_deep(data: Any) -> bool:  # noqa: ANN401  # foreign data
    level = [data]
    for _ in range(_DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
    return bool(level)


def _inside(value: Any) -> Iterable[Any]:  # noqa: ANN401  # foreign data
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _too_deep(path: Path) -> UnreadableFileError:
    return UnreadableFileError("cli.too_deep", field="FORM", name=str(path), limit=_DEEPEST)


def form_of(data: Any, folder: Path) -> Registration:  # noqa: ANN401  # foreign data
    """Make a registration of a form file's data; attachments are read from the folder."""
    return form_from_dict(data, read_file=partial(_attachment, folder))


def _attachment(folder: Path, name: str) -> bytes:
    """Read a file below the folder: a form that somebody sent must not send other files to the agency."""
    try:
        path = (folder / name).resolve()
        outside = not path.is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError) as error:
        raise UnreadableFileError(field="attachments", name=name, reason=str(error)) from None
    if outside:
        raise InputError("cli.attachment_outside", field="attachments", name=name, folder=str(folder))
    return read(path, "attachments")


def _decoded(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableFileError("cli.not_utf8", field="FORM", name=str(path), line=line) from None


def _is_json(text: str, path: Path) -> bool:
    suffix = path.suffix.lower()
    return suffix == ".json" or (suffix != ".toml" and text.lstrip().startswith("{"))


def _from_json(text: str, path: Path) -> Any:  # noqa: ANN401  # foreign data, judged by form_from_dict
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _syntax("JSON", path, error.msg, error.lineno, error.colno) from None
    except (ValueError, RecursionError) as error:
        raise _syntax("JSON", path, str(error), "", "") from None


def _from_toml(text: str, path: Path) -> dict[str, Any]:
    if _LONG_KEY.search(text):
        raise _too_deep(path)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        place = _PLACE.search(str(error))
        line, column = (place["line"] or "", place["column"] or "") if place else ("", "")
        code = "cli.leading_zero" if _has_leading_zero(text, line) else "cli.syntax"
        raise _syntax("TOML", path, _PLACE.sub("", str(error)), line, column, code) from None


def _has_leading_zero(text: str, line: str) -> bool:
    return bool(line) and _LEADING_ZERO.search(text.split("\n")[int(line) - 1]) is not None


def _syntax(
    kind: str, path: Path, reason: str, line: int | str, column: int | str, code: str = "cli.syntax"
) -> UnreadableFileError:
    return UnreadableFileError(
        code, field="FORM", name=str(path), kind=kind, reason=reason, line=line, column=column
    )
