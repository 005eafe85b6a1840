"""What a driver's file is, read from its bytes without loading it.

A module of another architecture cannot be loaded, and a file that exports no `C_GetFunctionList` is no
PKCS#11 module: both are told here, so that no foreign code runs for it. The file may be anything; the answer
is always a `FileHeader`.
"""

from __future__ import annotations

import platform
import struct
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from bhxh_sdk.signers.pkcs11.elf import elf_exports, elf_machine
from bhxh_sdk.signers.pkcs11.file_window import DamagedFileError, FileWindow
from bhxh_sdk.signers.pkcs11.macho import FAT, THIN, macho_exports, macho_machine, macho_slices
from bhxh_sdk.signers.pkcs11.pe import pe_exports, pe_machine

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ENTRY", "FileHeader", "fits_this_process", "own_machine", "read_header"]

ENTRY = b"C_GetFunctionList"
"""The one function that every PKCS#11 module exports."""


@frozen(kw_only=True)
class FileHeader:
    """What a file's header tells.

    Args:
        kind: `elf` (Linux), `pe` (Windows), `macho` (macOS), or empty where it is none of them.
        machines: `x86`, `x86_64`, `arm`, `arm64` or `other`; several for a fat Mach-O file.
        exports_entry: whether `C_GetFunctionList` is exported.
        problem: empty, or `not_there`, `unreadable`, `not_a_library` or `damaged`.

    """

    kind: str = ""
    machines: tuple[str, ...] = ()
    exports_entry: bool = False
    problem: str = ""


def read_header(path: str | Path) -> FileHeader:
    """Read what a file is.

    Args:
        path: the file; a symbolic link is followed.

    Returns:
        What its header tells. Nothing is raised: a missing, unreadable or damaged file has a `problem`. At
        most 4 MiB are read.

    """
    try:
        if not Path(path).is_file():
            return FileHeader(problem="not_there")
        with Path(path).open("rb") as file:
            return _header(FileWindow(file))
    except (OSError, ValueError, DamagedFileError):  # the last: its first bytes cannot be read
        return FileHeader(problem="unreadable")


def fits_this_process(header: FileHeader) -> bool:
    """Tell whether this process could load a file with that header."""
    kind, machine = own_machine()
    return header.kind == kind and machine in header.machines


def own_machine() -> tuple[str, str]:
    """Return the kind of library and the architecture that this process can load."""
    if sys.platform == "win32":
        return "pe", _WINDOWS.get(sysconfig.get_platform(), "other")
    kind = "macho" if sys.platform == "darwin" else "elf"
    machine = _NAMES.get(platform.machine().lower(), "other")
    narrow = struct.calcsize("P") == 4  # noqa: PLR2004  # bytes of a pointer: the kernel may be wider than the process
    return kind, _NARROWED.get(machine, machine) if narrow else machine


_WINDOWS = {"win32": "x86", "win-amd64": "x86_64", "win-arm64": "arm64", "win-arm32": "arm"}
_NAMES = {
    "x86_64": "x86_64",
    "amd64": "x86_64",
    "aarch64": "arm64",
    "arm64": "arm64",
    **dict.fromkeys(("i386", "i486", "i586", "i686"), "x86"),
    **dict.fromkeys(("armv6l", "armv7l", "armv8l"), "arm"),
}
_NARROWED = {"x86_64": "x86", "arm64": "arm"}


def _header(window: FileWindow) -> FileHeader:
    magic = window.text_at(0, 4) + b"\0\0"
    if magic[:4] == b"\x7fELF":
        return _one("elf", window, elf_machine, elf_exports)
    if magic[:2] == b"MZ":
        return _one("pe", window, pe_machine, pe_exports)
    if magic[:4] in THIN or magic[:4] in FAT:
        return _several(window)
    return FileHeader(problem="not_a_library")


def _one(
    kind: str,
    window: FileWindow,
    machine: Callable[[FileWindow], str],
    exports: Callable[[FileWindow, bytes], bool],
) -> FileHeader:
    machines: tuple[str, ...] = ()
    try:
        machines = (machine(window),)
        return FileHeader(kind=kind, machines=machines, exports_entry=exports(window, ENTRY))
    except DamagedFileError:
        return FileHeader(kind=kind, machines=machines, problem="damaged")


def _several(window: FileWindow) -> FileHeader:
    machines: list[str] = []
    exports = False
    try:
        for part in macho_slices(window):
            machines.append(macho_machine(part))
            exports = macho_exports(part, ENTRY) or exports
    except DamagedFileError:
        return FileHeader(kind="macho", machines=tuple(machines), problem="damaged")
    return FileHeader(kind="macho", machines=tuple(machines), exports_entry=exports)
