"""The shipped list files: read when first asked for, and only when their checksum fits."""

from __future__ import annotations

import csv
import hashlib
import io
import tomllib
from pathlib import Path
from typing import Any

from bhxh_sdk.catalogue.values import ListSource
from bhxh_sdk.errors import SetupError

__all__ = ["DATA", "Row", "read_rows", "read_sources"]

Row = dict[str, str]
"""One line of a list: column name and text."""

DATA = Path(__file__).parent / "data"


def read_sources(folder: Path = DATA) -> tuple[ListSource, ...]:
    """Return where every shipped list comes from, in the order of `sources.toml`.

    Args:
        folder: where the files lie.

    Raises:
        SetupError: the file is missing or unreadable.

    """
    return tuple(
        ListSource(name=name, **{key: value for key, value in entry.items() if key != "file"})
        for name, entry in _entries(folder).items()
    )


def read_rows(name: str, folder: Path = DATA) -> tuple[Row, ...]:
    """Return the rows of one shipped list.

    Args:
        name: the list's name, such as `wards`.
        folder: where the files lie.

    Raises:
        SetupError: the file is missing, or its bytes are not those that were shipped.

    """
    entry = _entries(folder)[name]
    content = _content(folder / entry["file"])
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise SetupError("catalogue.checksum", name=entry["file"])
    return tuple(csv.DictReader(io.StringIO(content.decode(), newline="")))


def _entries(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(_content(folder / "sources.toml").decode())
    except ValueError as error:
        raise SetupError("catalogue.unreadable", name="sources.toml", reason=type(error).__name__) from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SetupError("catalogue.unreadable", name=path.name, reason=reason) from error
