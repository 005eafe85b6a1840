"""Files that a person names: read whole or not at all, written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import BinaryIO

from bhxh_sdk.errors import InputError, UnreadableFileError

__all__ = ["LARGEST_FILE", "demand_room", "read", "refuse_to_overwrite", "write"]

LARGEST_FILE = 256 * 1024 * 1024
"""Bytes; the largest dossier is far below, and a wrong path must not fill the memory."""


def read(path: Path, field: str, *, largest: int = 0) -> bytes:
    """Return what a file holds.

    Args:
        path: the file.
        field: what the file is for, for the error.
        largest: how many bytes it may have; `LARGEST_FILE` by default.

    Raises:
        UnreadableFileError: it is missing, a folder, no plain file, too large, or may not be read.

    """
    try:
        with open(path, "rb", opener=_at_once) as file:
            return _content(file, path, field, largest or LARGEST_FILE)
    except FileNotFoundError:
        raise UnreadableFileError("cli.file_missing", field=field, name=str(path)) from None
    except IsADirectoryError:
        raise UnreadableFileError("cli.file_is_folder", field=field, name=str(path)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableFileError(field=field, name=str(path), reason=reason) from None


def _at_once(path: str, flags: int) -> int:
    """Open without waiting: a named pipe would wait for somebody to write into it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _content(file: BinaryIO, path: Path, field: str, largest: int) -> bytes:
    facts = os.fstat(file.fileno())
    plain, size = stat.S_ISREG(facts.st_mode), facts.st_size
    if plain and size > largest:
        raise UnreadableFileError("cli.file_too_large", field=field, name=str(path))
    content = file.read(size + 1) if plain else b""
    if not plain or len(content) > size:  # a file of the kernel calls itself plain and empty
        raise UnreadableFileError("cli.file_not_plain", field=field, name=str(path))
    return content


def refuse_to_overwrite(path: Path, *, force: bool) -> None:
    """Refuse to write where something lies already.

    Raises:
        InputError: the file exists and nobody said `--force`.

    """
    if path.exists() and not force:
        raise InputError("cli.file_exists", field="output", name=str(path))


def demand_room(path: Path, *, force: bool) -> None:
    """Refuse a place that `write` could not write to, before anything else is done.

    Raises:
        InputError: the file exists, is a folder, or its folder is missing or may not be written to.

    """
    refuse_to_overwrite(path, force=force)
    reason = 0
    if path.is_dir():
        reason = errno.EISDIR
    elif not path.parent.is_dir():
        reason = errno.ENOENT
    elif not os.access(path.parent, os.W_OK):
        reason = errno.EACCES
    if reason:
        raise InputError("cli.cannot_write", field="output", name=str(path), reason=os.strerror(reason))


def write(path: Path, content: bytes, *, force: bool) -> None:
    """Write a file so that it is there whole or not at all; readable by its owner only.

    Args:
        path: the file.
        content: what it shall hold.
        force: whether a file that is there already is replaced.

    Raises:
        InputError: the file exists, or its folder cannot be written to.

    """
    refuse_to_overwrite(path, force=force)
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:50]}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise InputError("cli.cannot_write", field="output", name=str(path), reason=reason) from None
