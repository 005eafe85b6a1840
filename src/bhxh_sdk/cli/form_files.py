"""Form files: a registration in TOML or JSON, its attachments beside it."""

from __future__ import annotations

import json
import re
import tomllib
from functools import partial
from typing import TYPE_CHECKING, Any

from bhxh_sdk.cli.files import read
from bhxh_sdk.errors import UnreadableFileError
from bhxh_sdk.models import form_from_dict

if TYPE_CHECKING:
    from pathlib import Path

    from bhxh_sdk.models import Registration

__all__ = ["form_data", "form_of", "read_form"]

_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


def read_form(path: Path) -> Registration:
    """Read a registration from a file.

    Args:
        path: a `.toml` or `.json` file in UTF-8, with or without a byte order mark; with another suffix the
            content decides. The files that attachments name start from its folder.

    Raises:
        UnreadableFileError: the file cannot be read, is not UTF-8, or its syntax is wrong.
        InputError: members are unknown, missing or of a wrong type; the report names them all.

    """
    return form_of(form_data(path), path)


def form_data(path: Path) -> Any:  # noqa: ANN401  # foreign data, judged by form_of
    """Return what a form file holds, as plain data; raises as `read_form` for what cannot be read."""
    text = _decoded(read(path, "FORM"), path)
    return _from_json(text, path) if _is_json(text, path) else _from_toml(text, path)


def form_of(data: Any, path: Path) -> Registration:  # noqa: ANN401  # foreign data
    """Make a registration of a form file's data; attachments are read from the file's folder."""
    return form_from_dict(data, read_file=partial(_attachment, path.parent))


def _attachment(folder: Path, name: str) -> bytes:
    return read(folder / name, "attachments")


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
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        place = _PLACE.search(str(error))
        line, column = (place["line"] or "", place["column"] or "") if place else ("", "")
        raise _syntax("TOML", path, _PLACE.sub("", str(error)), line, column) from None


def _syntax(kind: str, path: Path, reason: str, line: int | str, column: int | str) -> UnreadableFileError:
    return UnreadableFileError(
        "cli.syntax", field="FORM", name=str(path), kind=kind, reason=reason, line=line, column=column
    )
