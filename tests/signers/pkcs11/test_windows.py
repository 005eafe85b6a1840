"""What the registry tells, read from a registry that is a table."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from signers.pkcs11.made_libraries import OTHER, pe

from bhxh_sdk.signers.pkcs11.places import Machine
from bhxh_sdk.signers.pkcs11.windows import SystemRegistry, installed_modules, provider_modules

PROVIDERS = r"SOFTWARE\Microsoft\Cryptography\Defaults\Provider"
KEY_STORES = r"SYSTEM\CurrentControlSet\Control\Cryptography\Providers"
PROGRAMS = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"


class TableRegistry:
    def __init__(self, values: dict[tuple[str, str, str, int], str]) -> None:
        self._values = values

    def subkeys(self, hive, key, view):
        names = {
            place[len(key) + 1 :].split("\\")[0]
            for own, place, _, wide in self._values
            if (own, wide) == (hive, view) and place.startswith(key + "\\")
        }
        return tuple(sorted(names))

    def value(self, hive, key, name, view):
        return self._values.get((hive, key, name, view), "")


@pytest.fixture
def machine(tmp_path):
    return Machine(system="windows", root=tmp_path, environ={"SYSTEMROOT": str(tmp_path / "Windows")})


@pytest.fixture
def lay(tmp_path):
    def put(name: str, content: bytes | None = None):
        file = tmp_path.joinpath(*name.split("/"))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pe() if content is None else content)
        return file

    return put


def provider(name: str, image: str, view: int = 64) -> dict[tuple[str, str, str, int], str]:
    return {("HKLM", rf"{PROVIDERS}\{name}", "Image Path", view): image}


def test_the_twin_without_s_goes_first(machine, lay):
    twin, shell = lay("Windows/System32/vnptca_p11_v6.dll"), lay("Windows/System32/vnptca_p11_v6_s.dll")
    registry = TableRegistry(provider("VNPT-CA-CTDT V6-Token CSP", "vnptca_p11_v6_s.dll"))
    assert list(provider_modules(machine, registry)) == [twin, shell]


def test_a_shell_without_twin_is_offered_alone(machine, lay):
    shell = lay("Windows/SysWOW64/BkavCA_S.DLL")
    registry = TableRegistry(provider("Bkav-CA-CTDT Token CSP", r"%SystemRoot%/SysWOW64/BkavCA_S.DLL", 32))
    assert list(provider_modules(machine, registry)) == [shell]


def test_a_bare_name_in_the_narrow_view_is_a_narrow_file(machine, lay):
    lay("Windows/System32/token.dll")
    narrow = lay("Windows/SysWOW64/token.dll")
    assert list(provider_modules(machine, TableRegistry(provider("Token", "token.dll", 32)))) == [narrow]


def test_key_stores_are_read_too(machine, lay):
    twin = lay("Windows/System32/viettel-ca_v2.x64.dll")
    other = lay("Windows/System32/store.dll")
    registry = TableRegistry(
        {
            ("HKLM", rf"{KEY_STORES}\Viettel KSP\UM\00010001", "Image", 64): "viettel-ca_v2_s.x64.dll",
            ("HKLM", rf"{KEY_STORES}\Other KSP\UM", "Image", 64): '"store.dll"',
        }
    )
    assert set(provider_modules(machine, registry)) == {twin, other}


def test_providers_of_others_are_left_out(machine, lay):
    lay("Windows/System32/rsaenh.dll")
    registry = TableRegistry(
        provider("Microsoft Strong Cryptographic Provider", "rsaenh.dll")
        | provider("eToken Base Cryptographic Provider", "rsaenh.dll")
        | provider("Unknown %", "%Nowhere%/x.dll")
        | provider("Empty", "")
    )
    assert list(provider_modules(machine, registry)) == []


def program(number: int, hive: str = "HKLM", view: int = 64, **values: str):
    return {(hive, rf"{PROGRAMS}\{number}", name, view): value for name, value in values.items()}


def test_the_folders_of_installed_programs_are_searched(machine, lay, tmp_path):
    one = lay("Programs/VNPT/a/one.dll")
    two = lay("Programs/FastCA/two.dll")
    three = lay("Programs/EFY-CA/three.dll")
    lay("Programs/FastCA/helper.dll", pe((OTHER,)))
    lay("Programs/FastCA/program.exe")
    lay("Programs/FastCA/beidcsp.dll")
    lay("Programs/Shared/other.dll")
    folder = tmp_path / "Programs"
    registry = TableRegistry(
        program(1, DisplayName="VNPT-CA Token Manager", InstallLocation=f'"{folder}/VNPT"')
        | program(
            2, "HKCU", 32, DisplayName="Token", Publisher="FastCA", DisplayIcon=f"{folder}/FastCA/a.exe,0"
        )
        | program(3, DisplayName="EFY-CA", UninstallString=f'"{folder}/EFY-CA/un.exe" /S')
        | program(4, DisplayName="Safe-CA", UninstallString=f"{folder}/Shared/un.exe", DisplayIcon="nothing")
        | program(5, DisplayName="Other", InstallLocation=f"{folder}/Shared")
    )
    assert list(installed_modules(machine, registry)) == [one, three, two]


class FakeWinreg(SimpleNamespace):
    HKEY_LOCAL_MACHINE = "machine"
    HKEY_CURRENT_USER = "user"
    KEY_WOW64_64KEY = 0x100
    KEY_WOW64_32KEY = 0x200
    KEY_READ = 1

    def OpenKey(self, root, key, _, access):  # noqa: N802  # winreg's name
        if key == "none":
            raise FileNotFoundError
        return nullcontext((root, key, access))

    def QueryInfoKey(self, _):  # noqa: N802  # as above
        return (2, 0, 0)

    def EnumKey(self, _, position):  # noqa: N802  # as above
        return f"key{position}"

    def QueryValueEx(self, opened, name):  # noqa: N802  # as above
        return (7, 4) if name == "number" else ("/".join(map(str, opened)), 1)


def test_the_systems_registry_is_read(monkeypatch):
    monkeypatch.setitem(sys.modules, "winreg", FakeWinreg())
    registry = SystemRegistry()
    assert registry.subkeys("HKLM", "some", 64) == ("key0", "key1")
    assert registry.subkeys("HKLM", "none", 64) == ()
    assert registry.value("HKLM", "some", "text", 64) == f"machine/some/{0x101}"
    assert registry.value("HKCU", "some", "text", 32) == f"user/some/{0x201}"
    assert registry.value("HKLM", "some", "number", 64) == ""
    assert registry.value("HKLM", "none", "text", 64) == ""


def test_a_system_without_registry_has_an_empty_one(monkeypatch):
    monkeypatch.setitem(sys.modules, "winreg", None)
    registry = SystemRegistry()
    assert registry.subkeys("HKLM", "some", 64) == ()
    assert registry.value("HKLM", "some", "text", 64) == ""
