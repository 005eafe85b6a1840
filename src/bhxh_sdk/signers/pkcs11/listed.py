"""Modules that the machine itself lists: p11-kit's configuration and Debian's package lists.

Source: pkcs11.conf(5) of p11-kit for `*.module` files; dpkg-query(1) for the lists of installed files.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from bhxh_sdk.signers.pkcs11.file_header import read_header
from bhxh_sdk.signers.pkcs11.modules import is_left_out, recognises
from bhxh_sdk.signers.pkcs11.places import in_library_folders, library_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bhxh_sdk.signers.pkcs11.places import Machine

__all__ = ["p11_kit_modules", "package_modules"]

_LARGEST_LIST = 4 << 20
_LONGEST_PATH = 4096
_LONGEST_NAME = 255
"""Characters; no system here takes longer ones."""
_CONFIGURED = (
    "/usr/share/p11-kit/modules",
    "/usr/local/share/p11-kit/modules",
    "/opt/homebrew/share/p11-kit/modules",
    "/etc/pkcs11/modules",
    "/usr/local/etc/pkcs11/modules",
    "/opt/homebrew/etc/pkcs11/modules",
)


def p11_kit_modules(machine: Machine) -> Iterator[Path]:
    """Give the modules that p11-kit is configured with, but for those that only say whom to trust.

    A later file replaces an earlier one of the same name, as p11-kit does it; the user's own come last.

    Args:
        machine: the machine.

    """
    if machine.system == "windows":
        return
    settings = machine.variable("XDG_CONFIG_HOME") or str(machine.home / ".config")
    folders = [machine.path(folder) for folder in _CONFIGURED] + [Path(settings) / "pkcs11" / "modules"]
    files = {file.name: file for folder in folders for file in sorted(folder.glob("*.module"))}
    for file in files.values():
        entries = _entries(_text(file))
        name = entries.get("module", "")
        if _may_be_a_path(name) and entries.get("trust-policy", "no") != "yes":
            yield _resolved(name, machine)


def package_modules(machine: Machine) -> Iterator[Path]:
    """Give the modules that installed Debian packages of token drivers brought, by their lists of files.

    Args:
        machine: the machine.

    """
    if machine.system != "linux":
        return
    for file in sorted(machine.path("/var/lib/dpkg/info").glob("*.list")):
        if recognises(file.name):
            for line in _text(file).splitlines():
                if _may_be_a_path(line) and _is_module(place := machine.path(line)):
                    yield place


def _may_be_a_path(name: str) -> bool:
    """Tell whether a line can name a file at all: what cannot makes every look at it an error, or slow."""
    parts = re.split(r"[/\\]", name)
    return (
        0 < len(name) <= _LONGEST_PATH
        and "\0" not in name
        and max(len(part.encode(errors="replace")) for part in parts) <= _LONGEST_NAME
    )


def _is_module(place: Path) -> bool:
    library = place.suffix == ".so" or ".so." in place.name
    return library and not is_left_out(place.name) and read_header(place).exports_entry


def _resolved(name: str, machine: Machine) -> Path:
    """Return the place of a module; p11-kit looks for one without a path in its own folder."""
    if name.startswith("/"):
        return machine.path(name)
    own = (folder / name for folder in library_folders(machine) if folder.name == "pkcs11")
    found = next((place for place in own if place.is_file()), None) or in_library_folders(name, machine)
    return found or machine.path(f"/usr/lib/pkcs11/{name}")


def _entries(text: str) -> dict[str, str]:
    lines = (line.partition(":") for line in text.splitlines() if not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, colon, value in lines if colon}


def _text(file: Path) -> str:
    try:
        if not file.is_file():  # a named pipe would wait for somebody who writes
            return ""
        with file.open("rb") as opened:
            return opened.read(_LARGEST_LIST).decode(errors="replace")
    except OSError:
        return ""
