"""A driver's file is judged by its bytes alone, whatever they are."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from signers.pkcs11.made_libraries import ENTRY, OTHER, elf, fat, macho, pe

from bhxh_sdk.signers.pkcs11 import file_header
from bhxh_sdk.signers.pkcs11.file_header import FileHeader, fits_this_process, own_machine, read_header
from bhxh_sdk.signers.pkcs11.file_window import DamagedFileError, FileWindow


@pytest.fixture
def header_of(tmp_path):
    def header(content: bytes) -> FileHeader:
        file = tmp_path / "library"
        file.write_bytes(content)
        return read_header(file)

    return header


MADE = {
    "elf of 64 bits": (elf(), "elf", "x86_64"),
    "elf of 32 bits": (elf(wide=False, machine=3), "elf", "x86"),
    "elf with the old hash table": (elf(gnu=False), "elf", "x86_64"),
    "elf of 32 bits with the old hash table": (elf(wide=False, machine=40, gnu=False), "elf", "arm"),
    "elf for arm64": (elf(machine=183, binding=2), "elf", "arm64"),
    "elf for another machine": (elf(machine=8), "elf", "other"),
    "elf of the x32 kind": (elf(wide=False, machine=62), "elf", "other"),
    "pe of 64 bits": (pe(), "pe", "x86_64"),
    "pe of 32 bits": (pe(machine=0x14C), "pe", "x86"),
    "pe for arm64": (pe(machine=0xAA64), "pe", "arm64"),
    "pe for another machine": (pe(machine=0x200), "pe", "other"),
    "pe whose first name it is": (pe((ENTRY, b"C_Z")), "pe", "x86_64"),
    "pe whose last name it is": (pe((b"A", b"B", ENTRY)), "pe", "x86_64"),
    "mach-o of 64 bits": (macho(), "macho", "x86_64"),
    "mach-o of 32 bits": (macho(machine=7), "macho", "x86"),
    "mach-o for arm64": (macho(machine=0x0100000C, subtype=0, trie="own"), "macho", "arm64"),
    "mach-o for the system's own programs": (macho(machine=0x0100000C, subtype=2), "macho", "other"),
    "mach-o with compressed tables": (macho(trie="info"), "macho", "x86_64"),
    "mach-o with other commands": (macho(trie="version"), "macho", "x86_64"),
    "mach-o of the other byte order": (macho(machine=18, order=">"), "macho", "other"),
    "mach-o with an absolute symbol": (macho(kind=0x03), "macho", "x86_64"),
}


@pytest.mark.parametrize(("content", "kind", "machine"), MADE.values(), ids=MADE)
def test_a_module_is_recognised(header_of, content, kind, machine):
    assert header_of(content) == FileHeader(kind=kind, machines=(machine,), exports_entry=True)


WITHOUT = {
    "elf": elf((OTHER,)),
    "elf with the old hash table": elf((OTHER,), gnu=False),
    "elf without names": elf(()),
    "elf without names and the old hash table": elf((), gnu=False),
    "elf that only uses it": elf(defined=False),
    "elf that keeps it to itself": elf(binding=0),
    "elf with a longer name": elf((ENTRY + b"s",)),
    "pe": pe((b"C_Finalize",)),
    "pe with a longer name": pe((ENTRY + b"s",)),
    "pe without exports": pe(()),
    "mach-o": macho((OTHER,)),
    "mach-o with a trie": macho((OTHER,), trie="own"),
    "mach-o with a longer name": macho((ENTRY + b"s",), trie="own"),
    "mach-o with a shorter name": macho((ENTRY[:-1],), trie="own"),
    "mach-o that only uses it": macho(kind=0x01),
    "mach-o that keeps it to itself": macho(kind=0x0E),
}


@pytest.mark.parametrize("content", WITHOUT.values(), ids=WITHOUT)
def test_a_library_without_the_entry_is_no_module(header_of, content):
    found = header_of(content)
    assert (found.problem, found.exports_entry) == ("", False)
    assert found.machines


@pytest.mark.parametrize("wide", [False, True])
def test_a_fat_file_is_for_several_machines(header_of, wide):
    parts = (macho((OTHER,)), macho(machine=0x0100000C, subtype=0))
    assert header_of(fat(*parts, wide=wide)) == FileHeader(
        kind="macho", machines=("x86_64", "arm64"), exports_entry=True
    )


def changed(content: bytes, place: int, form: str, value: int) -> bytes:
    new = bytearray(content)
    struct.pack_into(form, new, place, value)
    return bytes(new)


TRIE_END = b"\x02\0\0\0" * 2
DAMAGED = {
    "an elf program": elf(kind=2),
    "an elf of no byte order": changed(elf(), 5, "B", 0),
    "an elf without dynamic section": elf(dynamic=False),
    "an elf whose dynamic section is empty": changed(elf(), 64 + 56 + 32, "<Q", 0),
    "an elf whose headers lie outside": changed(elf(), 32, "<Q", 1 << 62),
    "an elf with no buckets": changed(elf(), elf().index(struct.pack("<IIII", 1, 1, 1, 0)), "<I", 0),
    "an elf with very many words": changed(
        elf(), elf().index(struct.pack("<IIII", 1, 1, 1, 0)) + 8, "<I", 2**32 - 1
    ),
    "an elf whose chain is a loop": changed(
        elf(gnu=False, names=(OTHER,)),
        elf(gnu=False, names=(OTHER,)).index(struct.pack("<4I", 1, 2, 1, 0)) + 16,
        "<I",
        1,
    ),
    "a dos program": b"MZ" + bytes(100),
    "a pe of an unknown kind": changed(pe(), pe().index(b"\x0b\x02"), "<H", 0x107),
    "a pe whose exports lie outside": changed(pe(), pe().index(b"\x0b\x02") + 112, "<I", 0x9000),
    "a pe with very many names": changed(pe(), 0x400 + 24, "<I", 2**32 - 1),
    "a mach-o whose command has no length": changed(macho(), 36, "<I", 0),
    "a mach-o whose trie lies outside": changed(macho(trie="own"), 32 + 24 + 8, "<I", 1 << 31),
    "a mach-o whose trie is cut off": changed(macho(trie="own"), 32 + 24 + 12, "<I", 8),
    "a mach-o whose trie leads outside": changed(macho(trie="own"), 32 + 24 + 12, "<I", 5),
    "a mach-o whose trie has no end": changed(macho(trie="own"), 32 + 24 + 12, "<I", 3),
    "a mach-o with an endless number": macho(trie="own").replace(b"\0\1_\0\x06\0", b"\xff" * 12),
    "a fat file of no machine": fat(),
    "a java class": fat(macho(), count=55),
    "a fat file of something else": fat(pe()),
    "a fat file of nothing": fat(macho())[:8],
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_said_to_be_so(header_of, content):
    found = header_of(content)
    assert (found.problem, found.exports_entry) == ("damaged", False)


@pytest.mark.parametrize("content", [b"", b"M", b"#!/bin/sh\n", b"\x7fELM" + bytes(100)])
def test_something_else_is_no_library(header_of, content):
    assert header_of(content) == FileHeader(problem="not_a_library")


def test_a_missing_file_and_a_folder_are_not_there(tmp_path):
    assert read_header(tmp_path / "none.so").problem == "not_there"
    assert read_header(str(tmp_path)).problem == "not_there"


def test_what_cannot_be_read_is_said_to_be_so(tmp_path, monkeypatch):
    file = tmp_path / "library.so"
    file.write_bytes(elf())
    monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(PermissionError()))
    assert read_header(file).problem == "unreadable"
    assert read_header("a\0b").problem in {"unreadable", "not_there"}


def test_a_file_that_fails_while_it_is_read_is_damaged():
    class Failing:
        def seek(self, _):
            raise OSError

    with pytest.raises(DamagedFileError):
        FileWindow(Failing()).bytes_at(0, 4)


def test_a_file_cannot_make_us_read_for_ever(header_of):
    symbols = macho(tuple(b"n%d" % number for number in range(70_000)))
    assert not header_of(symbols).exports_entry
    assert header_of(fat(symbols, symbols)).problem == "damaged"


@pytest.mark.parametrize("content", MADE.values(), ids=MADE)
def test_a_truncated_module_is_never_taken_for_one(header_of, content):
    whole = content[0]
    for length in range(0, len(whole), 7):
        assert header_of(whole[:length]) == header_of(whole[:length])


KINDS = st.sampled_from(
    [b"", b"\x7fELF\x02\x01\x01", b"\x7fELF\x01\x01\x01", b"MZ", *file_header.THIN, *file_header.FAT]
)
WORDS = {"", "not_there", "unreadable", "not_a_library", "damaged"}


@given(KINDS, st.binary(max_size=600))
@example(b"\xca\xfe\xba\xbe", struct.pack(">I", 16) + bytes(400))
def test_any_bytes_get_an_answer(tmp_path_factory, start, rest):
    file = tmp_path_factory.getbasetemp() / "any"
    file.write_bytes(start + rest)
    assert read_header(file).problem in WORDS


@given(st.sampled_from([content for content, _, _ in MADE.values()]), st.data())
def test_a_module_with_changed_bytes_gets_an_answer(tmp_path_factory, content, data):
    new = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(new) - 1))
        new[place : place + 1] = data.draw(st.binary(min_size=1, max_size=4))
    file = tmp_path_factory.getbasetemp() / "changed"
    file.write_bytes(bytes(new[: data.draw(st.integers(0, len(new)))]))
    assert read_header(file).problem in WORDS


@pytest.mark.needs_tool("cc")
@pytest.mark.parametrize("style", ["gnu", "sysv"])
def test_a_compiled_library_is_read(tmp_path, style):
    source, library = tmp_path / "module.c", tmp_path / "module.so"
    source.write_text("int C_GetFunctionList(void) { return 0; } int other(void) { return 1; }")
    command = ["cc", "-shared", "-fPIC", f"-Wl,--hash-style={style}", "-o", str(library), str(source)]
    subprocess.run(command, check=True)
    found = read_header(library)
    assert (found.kind, found.exports_entry, found.problem) == ("elf", True, "")
    assert fits_this_process(found)
    content = library.read_bytes()
    for length in range(0, len(content), 997):
        library.write_bytes(content[:length])
        assert read_header(library).problem in WORDS


def test_python_itself_is_no_module():
    assert not read_header(sys.executable).exports_entry


MACHINES = {
    ("win32", "", "win-amd64", 8): ("pe", "x86_64"),
    ("win32", "", "win32", 4): ("pe", "x86"),
    ("win32", "", "mingw", 8): ("pe", "other"),
    ("darwin", "arm64", "", 8): ("macho", "arm64"),
    ("linux", "x86_64", "", 8): ("elf", "x86_64"),
    ("linux", "x86_64", "", 4): ("elf", "x86"),
    ("linux", "aarch64", "", 4): ("elf", "arm"),
    ("linux", "riscv64", "", 8): ("elf", "other"),
    ("linux", "i686", "", 4): ("elf", "x86"),
}


@pytest.mark.parametrize(("world", "expected"), MACHINES.items())
def test_the_process_knows_what_it_can_load(monkeypatch, world, expected):
    system, machine, build, pointer = world
    monkeypatch.setattr(file_header, "sys", SimpleNamespace(platform=system))
    monkeypatch.setattr(file_header, "platform", SimpleNamespace(machine=lambda: machine))
    monkeypatch.setattr(file_header, "sysconfig", SimpleNamespace(get_platform=lambda: build))
    monkeypatch.setattr(file_header, "struct", SimpleNamespace(calcsize=lambda _: pointer))
    assert own_machine() == expected
    kind, own = expected
    assert fits_this_process(FileHeader(kind=kind, machines=("other2", own)))
    assert not fits_this_process(FileHeader(kind=kind, machines=("mips",)))
    assert not fits_this_process(FileHeader(kind="none", machines=(own,)))


@pytest.mark.skipif(sys.platform != "linux", reason="such a file is Linux's own")
def test_a_file_whose_first_read_fails_is_unreadable():
    assert read_header("/proc/self/mem") == FileHeader(problem="unreadable")
