"""Bounded looks into a file whose content nobody vouches for."""

from __future__ import annotations

import struct
from collections import Counter
from typing import IO, Any

__all__ = ["DamagedFileError", "FileWindow"]

_LARGEST_TOTAL = 4 << 20
_LARGEST_LOOK = 1 << 20
_LEAST = 16  # a look costs time however small it is


class DamagedFileError(Exception):
    """The file's own numbers point outside it, or it wants more looks than a library's header needs."""


class FileWindow:
    """Read small parts of an open file; every way out of bounds ends in `DamagedFileError`.

    Args:
        file: an open binary file.
        start: where the part that is looked at begins: offsets count from there.
        read: what was read of the file already, for windows that share one limit.

    """

    def __init__(self, file: IO[bytes], start: int = 0, read: Counter[str] | None = None) -> None:
        self._file = file
        self._start = start
        self._read_so_far: Counter[str] = Counter() if read is None else read
        self.order = "<"

    def at(self, start: int) -> FileWindow:
        """Return a window that begins later in the file and shares what may still be read."""
        return FileWindow(self._file, self._start + start, self._read_so_far)

    def bytes_at(self, offset: int, count: int) -> bytes:
        """Return exactly so many bytes.

        Args:
            offset: from the start of the window.
            count: how many.

        Raises:
            DamagedFileError: they are not there, or too much was read already.

        """
        self._spend(offset, count)
        found = self._read(offset, count)
        if len(found) != count:
            raise DamagedFileError
        return found

    def text_at(self, offset: int, longest: int) -> bytes:
        """Return the bytes up to a zero byte, or `longest` bytes where none comes."""
        self._spend(offset, longest)
        return self._read(offset, longest).split(b"\0", 1)[0]

    def numbers(self, form: str, offset: int) -> tuple[Any, ...]:
        """Return numbers in the file's byte order, as `struct` describes them."""
        form = self.order + form
        return struct.unpack(form, self.bytes_at(offset, struct.calcsize(form)))

    def number(self, form: str, offset: int) -> int:
        """Return one number in the file's byte order."""
        value: int = self.numbers(form, offset)[0]
        return value

    def _spend(self, offset: int, count: int) -> None:
        self._read_so_far["bytes"] += max(count, _LEAST)
        if offset < 0 or not 0 <= count <= _LARGEST_LOOK or self._read_so_far["bytes"] > _LARGEST_TOTAL:
            raise DamagedFileError

    def _read(self, offset: int, count: int) -> bytes:
        try:
            self._file.seek(self._start + offset)
            return self._file.read(count)
        except (OSError, ValueError, OverflowError) as error:
            raise DamagedFileError from error
