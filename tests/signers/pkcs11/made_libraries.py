"""Libraries of every kind made by hand, byte by byte: just enough for a loader to find a name in them."""

from __future__ import annotations

import struct

ENTRY = b"C_GetFunctionList"
OTHER = b"a_function"
BASE = 0x1000  # addresses differ from places in the file


def elf(
    names: tuple[bytes, ...] = (OTHER, ENTRY),
    *,
    wide: bool = True,
    machine: int = 62,
    gnu: bool = True,
    defined: bool = True,
    binding: int = 1,
    kind: int = 3,
    dynamic: bool = True,
) -> bytes:
    """An ELF shared library with one loaded segment and a hash table of one bucket."""
    strings, places = b"\0", []
    for name in names:
        places.append(len(strings))
        strings += name + b"\0"
    section = 1 if defined else 0
    symbols = struct.pack("<IBBHQQ" if wide else "<IIIBBH", *[0] * 6)
    for place in places:
        if wide:
            symbols += struct.pack("<IBBHQQ", place, binding << 4 | 2, 0, section, BASE, 8)
        else:
            symbols += struct.pack("<IIIBBH", place, BASE, 8, binding << 4 | 2, 0, section)
    table = _gnu_table(names, wide=wide) if gnu else _old_table(names)
    header, entry = (64, 56) if wide else (52, 32)
    parts_at = header + 2 * entry
    strings_at, symbols_at = parts_at, parts_at + len(strings)
    table_at = symbols_at + len(symbols)
    dynamic_at = table_at + len(table)
    tags = [(5, BASE + strings_at), (6, BASE + symbols_at)]
    tags += [(0x6FFFFEF5 if gnu else 4, BASE + table_at), (0, 0), (5, 0)]
    entries = b"".join(struct.pack("<QQ" if wide else "<II", *tag) for tag in tags)
    end = dynamic_at + len(entries)
    segments = [(1, 0, BASE, end), (2 if dynamic else 7, dynamic_at, BASE + dynamic_at, len(entries))]
    headers = b"".join(_segment(*segment, wide=wide) for segment in segments)
    start = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
    if wide:
        start += struct.pack("<HHIQQQIHHHHHH", kind, machine, 1, 0, header, 0, 0, header, entry, 2, 0, 0, 0)
    else:
        start += struct.pack("<HHIIIIIHHHHHH", kind, machine, 1, 0, header, 0, 0, header, entry, 2, 0, 0, 0)
    return start + headers + strings + symbols + table + entries


def _segment(kind: int, offset: int, address: int, length: int, *, wide: bool) -> bytes:
    if wide:
        return struct.pack("<IIQQQQQQ", kind, 4, offset, address, address, length, length, 1)
    return struct.pack("<IIIIIIII", kind, offset, address, address, length, length, 4, 1)


def _gnu_table(names: tuple[bytes, ...], *, wide: bool) -> bytes:
    first = 1 if names else 0
    table = struct.pack("<IIII", 1, 1, 1, 0) + bytes(8 if wide else 4) + struct.pack("<I", first)
    for position, name in enumerate(names):
        value = 5381
        for byte in name:
            value = (value * 33 + byte) & 0xFFFFFFFF
        last = position == len(names) - 1
        table += struct.pack("<I", value | 1 if last else value & ~1)
    return table


def _old_table(names: tuple[bytes, ...]) -> bytes:
    count = len(names) + 1
    chain = [0, *range(2, count), 0] if names else [0]
    return struct.pack(f"<III{len(chain)}I", 1, count, 1 if names else 0, *chain)


def pe(names: tuple[bytes, ...] = (b"C_Finalize", ENTRY, b"C_Login"), *, machine: int = 0x8664) -> bytes:
    """A PE library with one section, which holds its export table."""
    wide = machine in {0x8664, 0xAA64}
    raw, address = 0x400, 0x2000
    table, texts_at = bytearray(40), 40 + 4 * len(names)
    places, texts = [], b""
    for name in names:
        places.append(address + texts_at + len(texts))
        texts += name + b"\0"
    struct.pack_into("<I", table, 24, len(names))
    struct.pack_into("<I", table, 32, address + 40)
    section = bytes(table) + struct.pack(f"<{len(places)}I", *places) + texts
    directories = struct.pack("<II", address if names else 0, len(section)) + bytes(15 * 8)
    optional = struct.pack("<H", 0x20B if wide else 0x10B).ljust((112 if wide else 96) - 4, b"\0")
    optional += struct.pack("<I", 16) + directories
    coff = struct.pack("<HHIIIHH", machine, 1, 0, 0, 0, len(optional), 0x2002)
    header = b".rdata\0\0" + struct.pack("<IIII", len(section), address, len(section), raw) + bytes(16)
    start = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x80) + bytes(0x40)
    return (start + b"PE\0\0" + coff + optional + header).ljust(raw, b"\0") + section


def macho(
    names: tuple[bytes, ...] = (OTHER, ENTRY),
    *,
    machine: int = 0x01000007,
    subtype: int = 3,
    order: str = "<",
    trie: str = "",
    kind: int = 0x0F,
) -> bytes:
    """A Mach-O library.

    `trie` is `own` or `info` for the two commands that name one, `version` for another command, or empty.
    """
    wide = bool(machine & 0x01000000)
    header = 32 if wide else 28
    tree = _trie(tuple(b"_" + name for name in names)) if trie in {"own", "info"} else b""
    commands_size = 24 + {"": 0, "own": 16, "info": 48, "version": 16}[trie]
    symbols_at = header + commands_size
    strings, symbols = b"\0", b""
    for name in names:
        symbols += struct.pack(f"{order}IBBH{'Q' if wide else 'I'}", len(strings), kind, 1, 0, 0x100)
        strings += b"_" + name + b"\0"
    strings_at = symbols_at + len(symbols)
    tree_at = strings_at + len(strings)
    commands = struct.pack(f"{order}6I", 2, 24, symbols_at, len(names), strings_at, len(strings))
    if trie == "own":
        commands += struct.pack(f"{order}4I", 0x80000033, 16, tree_at, len(tree))
    elif trie == "info":
        commands += struct.pack(f"{order}12I", 0x80000022, 48, *[0] * 8, tree_at, len(tree))
    elif trie == "version":
        commands += struct.pack(f"{order}4I", 0x2A, 16, 0, 0)
    magic = struct.pack(f"{order}I", 0xFEEDFACF if wide else 0xFEEDFACE)
    count = 2 if trie else 1
    start = magic + struct.pack(f"{order}IIIIII", machine, subtype, 6, count, commands_size, 0)
    return start.ljust(header, b"\0") + commands + symbols + strings + tree


def _trie(symbols: tuple[bytes, ...]) -> bytes:
    """A root with an edge `_`, and below it one edge for each symbol."""
    leaves, root = b"", b"\0\1_\0\x06" + b"\0"
    at = len(root) + 2 + sum(len(symbol) + 1 for symbol in symbols)  # each edge: label, zero, one-byte place
    branch = bytes([0, len(symbols)])
    for symbol in symbols:
        branch += symbol[1:] + b"\0" + bytes([at + len(leaves)])
        leaves += b"\x02\0\0\0"
    return root + branch + leaves


def fat(*parts: bytes, wide: bool = False, count: int | None = None) -> bytes:
    """A Mach-O file for several machines."""
    form, step = (">IIQQII", 32) if wide else (">5I", 20)
    start = struct.pack(">II", 0xCAFEBABF if wide else 0xCAFEBABE, len(parts) if count is None else count)
    at = 8 + step * len(parts)
    entries, content = b"", b""
    for part in parts:
        place = at + len(content)
        values = (1, 1, place, len(part), 0)
        entries += struct.pack(form, *values, *([0] if wide else []))
        content += part
    return start + entries + content
