"""Where a streamed document goes: a file and a hash at once, in pieces that suit both."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

from bhxh_sdk.errors import InputError, WrongTypeError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LATER", "Sink", "append", "writing"]

LATER = "\0"
"""Stands in a document where content is written later; no text of a document can hold it."""

_ENOUGH = 64 * 1024


class Sink:
    """Write bytes and hash them; small pieces are gathered.

    Args:
        target: an empty file, open for writing bytes; a pipe too.

    Raises:
        WrongTypeError: it is not a file for bytes.
        InputError: it is not empty, or cannot be written to.

    """

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._state = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._size = 0
        self.position = 0
        """How many bytes were written."""
        append(target, b"", 0)

    def write(self, content: bytes) -> None:
        """Write and hash."""
        self._waiting.append(content)
        self._size += len(content)
        if self._size >= _ENOUGH:
            self._flush()

    def write_only(self, content: bytes) -> None:
        """Write what the canonical form does not have."""
        self._flush()
        self._write(content)

    def hash_only(self, content: bytes) -> None:
        """Hash what is not written, or written later."""
        self._flush()
        self._state.update(content)

    def digest(self) -> bytes:
        """Write what is gathered, and return SHA-256 of all that was hashed."""
        self._flush()
        with writing():
            self._target.flush()
        return self._state.digest()

    def _flush(self) -> None:
        content = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        self._state.update(content)
        self._write(content)

    def _write(self, content: bytes) -> None:
        with writing():
            _write_all(self._target, content)
        self.position += len(content)


def append(target: BinaryIO, content: bytes, length: int) -> None:
    """Write at the end of a file that has exactly so many bytes; a pipe's are not counted.

    Raises:
        WrongTypeError: it is not a file for bytes.
        InputError: it has another length, or cannot be written to.

    """
    if not (callable(getattr(target, "write", None)) and callable(getattr(target, "seekable", None))):
        raise WrongTypeError(field="target", expected="BinaryIO", got=type(target).__name__)
    with writing():
        found = target.seek(0, os.SEEK_END) if target.seekable() else length
        if found != length:
            raise InputError("xml.target_length", field="target", got=found, expected=length)
        _write_all(target, content)
        target.flush()


@contextmanager
def writing(field: str = "target") -> Iterator[None]:
    """Turn what files raise into typed errors."""
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError("xml.cannot_write", field=field, reason=reason) from error
    except TypeError as error:
        raise WrongTypeError(field=field, expected="BinaryIO", got="TextIO") from error


def _write_all(target: BinaryIO, content: bytes) -> None:
    """An unbuffered file may take less than it is given; None means that it would have to wait."""
    rest = memoryview(content)
    while rest:
        taken: Any = target.write(rest)
        if not isinstance(taken, int) or not 0 < taken <= len(rest):
            reason = f"write() returned {taken!r:.40} for {len(rest)} bytes"
            raise InputError("xml.cannot_write", field="target", reason=reason)
        rest = rest[taken:]
