"""Shared libraries of Linux: machine and exported names from the ELF header and its dynamic section.

Names are looked up as the loader does it, through the hash table, so that a library without section headers
is understood too and the work stays small.

Source: System V ABI, chapters 4 and 5 (https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html);
DT_GNU_HASH as the GNU C library reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.signers.pkcs11.file_window import DamagedFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bhxh_sdk.signers.pkcs11.file_window import FileWindow

__all__ = ["elf_exports", "elf_machine"]

_MACHINES = {3: "x86", 40: "arm", 62: "x86_64", 183: "arm64"}
_SHARED_LIBRARY = 3
_LOADED, _DYNAMIC = 1, 2
_MOST_SEGMENTS = 256
_MOST_ENTRIES = 1024
_MOST_SYMBOLS = 20_000
_HASH, _STRINGS, _SYMBOLS, _GNU_HASH = 4, 5, 6, 0x6FFFFEF5
_VISIBLE = frozenset({1, 2, 10})  # bindings: global, weak, GNU unique


def elf_machine(window: FileWindow) -> str:
    """Return the architecture of an ELF shared library.

    Args:
        window: the file; its byte order is set here.

    Raises:
        DamagedFileError: it is cut off, or it is no shared library.

    """
    window.order = {1: "<", 2: ">"}.get(window.bytes_at(5, 1)[0], "")
    if not window.order or window.number("H", 16) != _SHARED_LIBRARY:
        raise DamagedFileError
    machine = _MACHINES.get(window.number("H", 18), "other")
    x32 = machine == "x86_64" and not _wide(window)  # the x32 ABI: no usual process loads it
    return "other" if x32 or window.order == ">" else machine


def elf_exports(window: FileWindow, name: bytes) -> bool:
    """Tell whether the library defines a name that others can use.

    Args:
        window: the file, after `elf_machine`.
        name: the function's name.

    Raises:
        DamagedFileError: its tables point nowhere.

    """
    return _Dynamic(window).defines(name)


def _wide(window: FileWindow) -> bool:
    return window.bytes_at(4, 1) == b"\x02"


class _Dynamic:
    """What the dynamic section says, with addresses turned into places in the file."""

    def __init__(self, window: FileWindow) -> None:
        self._window = window
        self._wide = _wide(window)
        segments = list(self._segments())
        self._loaded = [place for kind, *place in segments if kind == _LOADED]
        dynamic = [place for kind, *place in segments if kind == _DYNAMIC]
        if not dynamic:
            raise DamagedFileError
        self._tags = dict(self._entries(dynamic[0][0], dynamic[0][2]))

    def defines(self, name: bytes) -> bool:
        places = self._gnu_places(name) if _GNU_HASH in self._tags else self._old_places(name)
        return any(self._is(name, place) for place in places)

    def _segments(self) -> Iterator[tuple[int, int, int, int]]:
        """Kind, offset, address and size in the file of each program header."""
        window = self._window
        first = window.number("Q", 32) if self._wide else window.number("I", 28)
        size, count = window.numbers("HH", 54 if self._wide else 42)
        for position in range(min(count, _MOST_SEGMENTS)):
            at = first + position * size
            if self._wide:
                kind, _, offset, address, _, length = window.numbers("IIQQQQ", at)
            else:
                kind, offset, address, _, length = window.numbers("IIIII", at)
            yield kind, offset, address, length

    def _entries(self, offset: int, length: int) -> Iterator[tuple[int, int]]:
        form, step = ("QQ", 16) if self._wide else ("II", 8)
        for position in range(min(length // step, _MOST_ENTRIES)):
            tag, value = self._window.numbers(form, offset + position * step)
            if not tag:
                return
            yield tag, value

    def _place(self, tag: int) -> int:
        address = self._tags.get(tag, -1)
        for offset, start, length in self._loaded:
            if start <= address < start + length:
                return int(address - start + offset)
        raise DamagedFileError

    def _gnu_places(self, name: bytes) -> Iterator[int]:
        wanted = 5381
        for byte in name:
            wanted = (wanted * 33 + byte) & 0xFFFFFFFF
        table, window = self._place(_GNU_HASH), self._window
        buckets, first, words = window.numbers("III", table)
        start = table + 16 + words * (8 if self._wide else 4)
        place = window.number("I", start + wanted % self._some(buckets) * 4)
        chain = start + buckets * 4
        for index in range(place, place + _MOST_SYMBOLS) if place >= first and place else ():
            found = window.number("I", chain + (index - first) * 4)
            if found | 1 == wanted | 1:
                yield index
            if found & 1:
                return

    def _old_places(self, name: bytes) -> Iterator[int]:
        wanted = 0
        for byte in name:
            wanted = (wanted << 4) + byte
            high = wanted & 0xF0000000
            wanted = (wanted ^ high >> 24) & ~high & 0xFFFFFFFF
        table, window = self._place(_HASH), self._window
        buckets, _ = window.numbers("II", table)
        index = window.number("I", table + 8 + wanted % self._some(buckets) * 4)
        for _ in range(_MOST_SYMBOLS):
            if not index:
                return
            yield index
            index = window.number("I", table + 8 + (buckets + index) * 4)
        raise DamagedFileError

    @staticmethod
    def _some(buckets: int) -> int:
        if not buckets:
            raise DamagedFileError
        return buckets

    def _is(self, name: bytes, index: int) -> bool:
        at = self._place(_SYMBOLS) + index * (24 if self._wide else 16)
        if self._wide:
            text, info, _, section = self._window.numbers("IBBH", at)
        else:
            text, _, _, info, _, section = self._window.numbers("IIIBBH", at)
        if not section or info >> 4 not in _VISIBLE:
            return False
        return self._window.text_at(self._place(_STRINGS) + text, len(name) + 1) == name
