"""Libraries of macOS: machines and exported names from Mach-O files, thin and fat.

Names are looked up in the export trie, which is what the loader reads, and in the symbol table of libraries
that have no trie.

Source: the headers mach-o/loader.h, mach-o/fat.h and mach-o/nlist.h of Apple's open-source releases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.signers.pkcs11.file_window import DamagedFileError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bhxh_sdk.signers.pkcs11.file_window import FileWindow

__all__ = ["FAT", "THIN", "macho_exports", "macho_machine", "macho_slices"]

THIN = {
    b"\xce\xfa\xed\xfe": "<",
    b"\xcf\xfa\xed\xfe": "<",
    b"\xfe\xed\xfa\xce": ">",
    b"\xfe\xed\xfa\xcf": ">",
}
"""How a library for one machine begins, and its byte order."""

FAT = {b"\xca\xfe\xba\xbe": ("II", 20), b"\xca\xfe\xba\xbf": ("QQ", 32)}
"""How a library for several machines begins, how it writes offset and size, and the length of an entry."""

_MACHINES = {7: "x86", 12: "arm", 0x01000007: "x86_64", 0x0100000C: "arm64"}
_ARM64E = 2  # a subtype of arm64 that only the system's own programs load
_MOST_SLICES = 16  # a Java class begins as a fat library does and would have 45 or more
_MOST_COMMANDS = 512
_MOST_SYMBOLS = 65_536
_MOST_EDGES = 1024
_SYMBOLS, _TRIE, _OLD_TRIES = 0x2, 0x80000033, frozenset({0x22, 0x80000022})
_KIND, _DEFINED, _EXTERNAL = 0x0E, frozenset({0x02, 0x0E}), 0x01  # absolute, in a section
_WIDE = frozenset({b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf"})


def macho_slices(window: FileWindow) -> Iterator[FileWindow]:
    """Give the library for each machine in a file.

    Raises:
        DamagedFileError: the file is cut off, or is another kind that begins alike.

    """
    magic = window.bytes_at(0, 4)
    if magic in THIN:
        yield window
        return
    form, step = FAT[magic]
    window.order = ">"
    count = window.number("I", 4)
    if not 0 < count <= _MOST_SLICES:
        raise DamagedFileError
    for position in range(count):
        yield window.at(window.numbers(form, 8 + position * step + 8)[0])


def macho_machine(part: FileWindow) -> str:
    """Return the architecture of one library in the file; its byte order is set here.

    Raises:
        DamagedFileError: it is cut off, or it is no library.

    """
    part.order = THIN.get(part.bytes_at(0, 4), "")
    if not part.order:
        raise DamagedFileError
    kind, subtype = part.numbers("II", 4)
    machine = _MACHINES.get(kind, "other")
    return "other" if machine == "arm64" and subtype & 0xFF == _ARM64E else machine


def macho_exports(part: FileWindow, name: bytes) -> bool:
    """Tell whether one library in the file exports a name.

    Args:
        part: the library, after `macho_machine`.
        name: the function's name as in C, without the underscore that is put before it.

    Raises:
        DamagedFileError: its tables point nowhere.

    """
    symbol = b"_" + name
    tries, tables = [], []
    for command, at in _commands(part):
        if command == _TRIE:
            tries.append(part.numbers("II", at + 8))
        elif command in _OLD_TRIES:
            tries.append(part.numbers("II", at + 40))
        elif command == _SYMBOLS:
            tables.append(part.numbers("IIII", at + 8))
    if any(size for _, size in tries):
        return any(_in_trie(part.bytes_at(*trie), symbol) for trie in tries)
    return any(_in_table(part, table, symbol) for table in tables)


def _commands(part: FileWindow) -> Iterator[tuple[int, int]]:
    """Number and place of each load command."""
    at = 32 if _wide(part) else 28
    for _ in range(min(part.number("I", 16), _MOST_COMMANDS)):
        command, length = part.numbers("II", at)
        if length < 8:  # noqa: PLR2004  # a command's own number and length
            raise DamagedFileError
        yield command, at
        at += length


def _in_trie(trie: bytes, symbol: bytes) -> bool:
    """Walk from the root; each edge takes at least one letter of the symbol, so the walk ends."""
    node, left = 0, symbol
    while True:
        size, at = _uleb(trie, node)
        if not left:
            return size > 0
        edges = _byte(trie, at + size)
        at += size + 1
        for _ in range(min(edges, _MOST_EDGES)):
            end = trie.find(b"\0", at)
            if end < 0:
                raise DamagedFileError
            label, (child, after) = trie[at:end], _uleb(trie, end + 1)
            if label and left.startswith(label):
                node, left = child, left[len(label) :]
                break
            at = after
        else:
            return False


def _uleb(data: bytes, at: int) -> tuple[int, int]:
    """Return a number in LEB128 and the place after it."""
    value = 0
    for shift in range(0, 63, 7):
        byte = _byte(data, at)
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004  # the high bit says that more comes
            return value, at
    raise DamagedFileError


def _byte(data: bytes, at: int) -> int:
    if not 0 <= at < len(data):
        raise DamagedFileError
    return data[at]


def _in_table(part: FileWindow, table: tuple[int, ...], symbol: bytes) -> bool:
    symbols, count, strings, _ = table
    step = 16 if _wide(part) else 12
    for position in range(min(count, _MOST_SYMBOLS)):
        text, kind = part.numbers("IB", symbols + position * step)
        exported = kind & _EXTERNAL and kind & _KIND in _DEFINED
        if exported and part.text_at(strings + text, len(symbol) + 1) == symbol:
            return True
    return False


def _wide(part: FileWindow) -> bool:
    return part.bytes_at(0, 4) in _WIDE
