"""What the Windows registry tells of token drivers: cryptographic providers and installed programs.

A provider's file `X_s.dll` is the shell for Windows; `X.dll` beside it is the PKCS#11 module, and sometimes
both are one file, so both are offered.

Source: "Cryptographic Service Providers" and "CNG Key Storage Providers" of Microsoft's documentation for the
keys; "Uninstall Registry Key" for installed programs; the rule of the twins from programs that use it.
"""

from __future__ import annotations

import ntpath
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bhxh_sdk.signers.pkcs11.file_header import read_header
from bhxh_sdk.signers.pkcs11.modules import is_left_out, recognises
from bhxh_sdk.signers.pkcs11.places import files_below, library_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bhxh_sdk.signers.pkcs11.places import Machine

__all__ = ["Registry", "SystemRegistry", "installed_modules", "provider_modules"]

_SERVICES = r"SOFTWARE\Microsoft\Cryptography\Defaults\Provider"
_KEY_STORES = r"SYSTEM\CurrentControlSet\Control\Cryptography\Providers"
_PROGRAMS = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
_OTHERS = ("microsoft", "yubi", "safenet", "etoken", "cloud")
"""Providers that lead to no PKCS#11 module by the rule of the twins."""
_VIEWS = (64, 32)
_DEPTH = 3


class Registry(Protocol):
    """The registry, for reading. What is not there is empty."""

    def subkeys(self, hive: str, key: str, view: int) -> tuple[str, ...]:
        """Return the names of the keys below a key.

        Args:
            hive: `HKLM` or `HKCU`.
            key: the key's path.
            view: 64 or 32: programs of each bitness have a view of their own.

        """
        ...

    def value(self, hive: str, key: str, name: str, view: int) -> str:
        """Return a text value."""
        ...


class SystemRegistry:
    """The registry of this machine; empty where there is none."""

    def __init__(self) -> None:
        self._winreg: Any
        try:
            self._winreg = import_module("winreg")
        except ImportError:
            self._winreg = None

    def subkeys(self, hive: str, key: str, view: int) -> tuple[str, ...]:
        """Return the names of the keys below a key."""
        if self._winreg is None:
            return ()
        try:
            with self._open(hive, key, view) as opened:
                count = self._winreg.QueryInfoKey(opened)[0]
                return tuple(self._winreg.EnumKey(opened, position) for position in range(count))
        except OSError:
            return ()

    def value(self, hive: str, key: str, name: str, view: int) -> str:
        """Return a text value."""
        if self._winreg is None:
            return ""
        try:
            with self._open(hive, key, view) as opened:
                found = self._winreg.QueryValueEx(opened, name)[0]
        except OSError:
            return ""
        return found if isinstance(found, str) else ""

    def _open(self, hive: str, key: str, view: int) -> Any:  # noqa: ANN401  # winreg has no types elsewhere
        registry = self._winreg
        root = {"HKLM": registry.HKEY_LOCAL_MACHINE, "HKCU": registry.HKEY_CURRENT_USER}[hive]
        wide = registry.KEY_WOW64_64KEY if view == _VIEWS[0] else registry.KEY_WOW64_32KEY
        return registry.OpenKey(root, key, 0, registry.KEY_READ | wide)


def provider_modules(machine: Machine, registry: Registry) -> Iterator[Path]:
    """Give the modules beside the files of cryptographic providers, the twin without `_s` first.

    Args:
        machine: the machine.
        registry: its registry.

    """
    for view in _VIEWS:
        for name, image in _providers(registry, view):
            if image and not any(word in name.lower() for word in _OTHERS):
                yield from _twins(_file(image, machine, view))


def installed_modules(machine: Machine, registry: Registry) -> Iterator[Path]:
    """Give the modules in the folders of installed programs that sound like a token's driver.

    Args:
        machine: the machine.
        registry: its registry.

    """
    folders = dict.fromkeys(
        folder
        for hive in ("HKLM", "HKCU")
        for view in _VIEWS
        for key in registry.subkeys(hive, _PROGRAMS, view)
        for folder in _folders(registry, hive, rf"{_PROGRAMS}\{key}", view)
    )
    for folder in folders:
        for file in files_below(_file(folder, machine, _VIEWS[0]), _DEPTH):
            left_out = file.suffix.lower() != ".dll" or is_left_out(file.name)
            if not left_out and read_header(file).exports_entry:
                yield file


def _providers(registry: Registry, view: int) -> Iterator[tuple[str, str]]:
    for name in registry.subkeys("HKLM", _SERVICES, view):
        yield name, registry.value("HKLM", rf"{_SERVICES}\{name}", "Image Path", view)
    for name in registry.subkeys("HKLM", _KEY_STORES, view):
        key = rf"{_KEY_STORES}\{name}\UM"
        yield name, registry.value("HKLM", key, "Image", view)
        for below in registry.subkeys("HKLM", key, view):
            yield name, registry.value("HKLM", rf"{key}\{below}", "Image", view)


def _twins(file: Path) -> Iterator[Path]:
    twin = file.with_name(re.sub(r"_s(?=(\.x64)?\.dll$)", "", file.name, flags=re.IGNORECASE))
    yield from (place for place in dict.fromkeys((twin, file)) if place.is_file())


def _folders(registry: Registry, hive: str, key: str, view: int) -> Iterator[str]:
    def value(name: str) -> str:
        return registry.value(hive, key, name, view).strip()

    if not recognises(f"{value('DisplayName')} {value('Publisher')}"):
        return
    if place := value("InstallLocation").strip('"'):
        yield place
    for name in ("DisplayIcon", "UninstallString"):
        found = re.match(r'"([^"]+)"|(.+?\.(?:exe|dll|ico))\b', value(name), re.IGNORECASE)
        folder = ntpath.dirname(found[1] or found[2]) if found else ""
        if folder and recognises(folder):  # an uninstaller may lie in a folder that all programs share
            yield folder


def _file(text: str, machine: Machine, view: int) -> Path:
    """Return the place that the registry means: variables filled in, a bare name in the system's folder."""
    plain = text.strip().strip('"')
    filled = re.sub(r"%([^%]+)%", lambda found: machine.variable(found[1]) or found[0], plain)
    system = library_folders(machine)[0 if view == _VIEWS[0] else 1]
    return Path(filled) if ntpath.dirname(filled) or "/" in filled else system / filled
