"""Libraries of Windows: machine and exported names from the PE header.

The table of names is sorted, and Windows itself searches it by halves; so do we.

Source: "PE Format" (https://learn.microsoft.com/windows/win32/debug/pe-format).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.signers.pkcs11.file_window import DamagedFileError

if TYPE_CHECKING:
    from bhxh_sdk.signers.pkcs11.file_window import FileWindow

__all__ = ["pe_exports", "pe_machine"]

_MACHINES = {0x14C: "x86", 0x1C4: "arm", 0x8664: "x86_64", 0xAA64: "arm64"}
_SIGNATURE = b"PE\0\0"
_DIRECTORIES = {0x10B: 96, 0x20B: 112}  # where the data directories stand in each kind of optional header
_MOST_SECTIONS = 96  # the loader's own limit
_MOST_NAMES = 1 << 20


def pe_machine(window: FileWindow) -> str:
    """Return the architecture of a PE file.

    Raises:
        DamagedFileError: it is cut off, or a program for DOS.

    """
    return _MACHINES.get(window.number("H", _coff(window)), "other")


def pe_exports(window: FileWindow, name: bytes) -> bool:
    """Tell whether the library exports a name.

    Args:
        window: the file.
        name: the function's name.

    Raises:
        DamagedFileError: its tables point nowhere.

    """
    coff = _coff(window)
    optional = coff + 20
    directories = _DIRECTORIES.get(window.number("H", optional))
    if directories is None:
        raise DamagedFileError
    entries = window.number("I", optional + directories - 4)
    table = window.number("I", optional + directories) if entries else 0
    return bool(table) and _Exports(window, coff).have(table, name)


def _coff(window: FileWindow) -> int:
    start = window.number("I", 0x3C)
    if window.bytes_at(start, 4) != _SIGNATURE:
        raise DamagedFileError
    return start + 4


class _Exports:
    """The export table, with addresses turned into places in the file by the section headers."""

    def __init__(self, window: FileWindow, coff: int) -> None:
        self._window = window
        count, size = window.number("H", coff + 2), window.number("H", coff + 16)
        first = coff + 20 + size
        self._sections = [
            window.numbers("IIII", first + position * 40 + 8)
            for position in range(min(count, _MOST_SECTIONS))
        ]

    def have(self, table: int, name: bytes) -> bool:
        at = self._place(table)
        count, names = self._window.number("I", at + 24), self._window.number("I", at + 32)
        if count > _MOST_NAMES:
            raise DamagedFileError
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            found = self._text(names + middle * 4, len(name) + 1)
            if found == name:
                return True
            low, high = (middle + 1, high) if found < name else (low, middle)
        return False

    def _text(self, address: int, longest: int) -> bytes:
        return self._window.text_at(self._place(self._window.number("I", self._place(address))), longest)

    def _place(self, address: int) -> int:
        for virtual_size, start, raw_size, raw in self._sections:
            if start <= address < start + max(virtual_size, raw_size):
                return int(address - start + raw)
        raise DamagedFileError
