"""Where each operating system keeps drivers, and the table's modules that lie there.

Source: the folders that vendors' installers and other programs use; Filesystem Hierarchy Standard 3.0 for
Linux, the prefixes of Homebrew for macOS.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from bhxh_sdk.signers.pkcs11.modules import known_modules, recognises

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bhxh_sdk.signers.pkcs11.modules import KnownModule

__all__ = ["Machine", "files_below", "in_library_folders", "library_folders", "modules_in_places"]

_MOST_FILES = 20_000
_DEPTH = 4
_SYSTEMS = {"win32": "windows", "cygwin": "windows", "darwin": "macos"}
_LINUX = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib/i386-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/local/lib64",
    "/usr/local/lib",
    "/lib64",
    "/lib",
)
_BELOW = ("", "pkcs11", "softhsm")
_MACOS = ("/usr/local/lib", "/opt/homebrew/lib", "/Library/OpenSC/lib")
_PROGRAMS = {"linux": ("/opt",), "macos": ("/Library", "/Applications")}
_PROGRAM_FILES = ("ProgramW6432", "ProgramFiles", "ProgramFiles(x86)")


def _environment() -> Mapping[str, str]:
    return dict(os.environ)


@frozen(kw_only=True)
class Machine:
    """The machine that is searched; tests build their own.

    Args:
        system: `windows`, `linux` or `macos`.
        environ: the environment variables.
        root: what stands for `/` on Linux and macOS.

    """

    system: str = field(factory=lambda: _SYSTEMS.get(sys.platform, "linux"))
    environ: Mapping[str, str] = field(factory=_environment, repr=False)
    root: Path = Path("/")

    def path(self, text: str) -> Path:
        """Return the place of a full POSIX path."""
        return self.root / text.lstrip("/")

    def variable(self, name: str) -> str:
        """Return an environment variable, empty where it is not set; case does not matter, as on Windows."""
        wanted = name.lower()
        return next((value for key, value in self.environ.items() if key.lower() == wanted), "")

    @property
    def home(self) -> Path:
        """The user's home folder, as the environment tells; the root where it does not."""
        return Path(self.variable("HOME") or self.variable("USERPROFILE") or self.root)


def library_folders(machine: Machine) -> tuple[Path, ...]:
    """Return the folders in which modules lie side by side with other libraries; they need not exist.

    Args:
        machine: the machine.

    """
    if machine.system == "windows":
        windows = _windows_folder(machine)
        return windows / "System32", windows / "SysWOW64"
    if machine.system == "macos":
        return tuple(machine.path(f"{folder}/{below}") for folder in _MACOS for below in ("", "pkcs11"))
    return tuple(machine.path(f"{folder}/{below}") for folder in _LINUX for below in _BELOW)


def in_library_folders(name: str, machine: Machine) -> Path | None:
    """Return the first file of that name in the library folders.

    Args:
        name: a file name without a folder.
        machine: the machine.

    """
    places = (folder / name for folder in library_folders(machine))
    return next((place for place in places if place.is_file()), None)


def modules_in_places(machine: Machine) -> Iterator[Path]:
    """Give the table's modules that lie on this machine, OpenSC last; one may come twice.

    Args:
        machine: the machine.

    """
    rows = known_modules(machine.system)
    listed = [(folder, _names(folder)) for folder in library_folders(machine)]
    installed = _installed(machine)
    for row in rows:
        if row.is_full_path or len(row.parts) > 1:
            yield from (place for place in _named_places(row, machine) if place.is_file())
        name = row.file_name.lower()
        yield from (folder / names[name] for folder, names in listed if name in names)
        yield from installed.get(name, ())


def files_below(folder: Path, depth: int = _DEPTH) -> Iterator[Path]:
    """Give the files in a folder and some levels below, without following links to folders.

    Args:
        folder: where to begin; it need not exist.
        depth: how many levels of folders.

    """
    left = _MOST_FILES
    first = len(folder.parts)
    for here, folders, names in os.walk(folder):
        if len(Path(here).parts) - first + 1 >= depth:
            folders.clear()
        folders.sort()
        for name in sorted(names):
            yield Path(here, name)
        left -= len(names) + 1
        if left < 0:
            return


def _names(folder: Path) -> dict[str, str]:
    """Return the names in a folder by their lower case: Windows finds files by it."""
    try:
        return {place.name.lower(): place.name for place in folder.iterdir()}
    except OSError:
        return {}


def _named_places(row: KnownModule, machine: Machine) -> Iterator[Path]:
    if machine.system != "windows":
        yield machine.path(row.path)
    elif not row.is_full_path:
        yield from (folder.joinpath(*row.parts) for folder in library_folders(machine))
    elif row.parts[1].lower() == "windows":
        yield _windows_folder(machine).joinpath(*row.parts[2:])
    else:
        yield from (folder.joinpath(*row.parts[2:]) for folder in _program_folders(machine))


def _windows_folder(machine: Machine) -> Path:
    return Path(machine.variable("SystemRoot") or "C:\\Windows")


def _program_folders(machine: Machine) -> tuple[Path, ...]:
    if machine.system != "windows":
        return tuple(machine.path(folder) for folder in _PROGRAMS[machine.system])
    named = (machine.variable(name) for name in _PROGRAM_FILES)
    return tuple(dict.fromkeys(Path(folder) for folder in named if folder))


def _installed(machine: Machine) -> dict[str, list[Path]]:
    """Return the files below the folders of programs that sound like a token's driver, by lower-case name."""
    found: dict[str, list[Path]] = {}
    for programs in _program_folders(machine):
        for name in sorted(_names(programs).values()):
            if recognises(name):
                for file in files_below(programs / name):
                    found.setdefault(file.name.lower(), []).append(file)
    return found
