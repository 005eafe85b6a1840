"""Where drivers lie on each system, on machines made of temporary folders."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bhxh_sdk.signers.pkcs11 import places
from bhxh_sdk.signers.pkcs11.places import (
    Machine,
    files_below,
    in_library_folders,
    library_folders,
    modules_in_places,
)


@pytest.fixture
def lay(tmp_path):
    """Put empty files into the machine's folder."""

    def put(*names: str) -> list[Path]:
        files = [tmp_path.joinpath(*name.split("/")) for name in names]
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        return files

    return put


@pytest.fixture
def windows(tmp_path):
    """A Windows machine; names of variables in capitals, as Python gives them there."""
    return Machine(
        system="windows",
        root=tmp_path,
        environ={
            "SYSTEMROOT": str(tmp_path / "Windows"),
            "PROGRAMFILES": str(tmp_path / "Program Files"),
            "PROGRAMW6432": str(tmp_path / "Program Files"),
        },
    )


def found_on(machine: Machine) -> list[Path]:
    return list(dict.fromkeys(modules_in_places(machine)))


def test_this_machine_has_its_own_environment(monkeypatch):
    monkeypatch.setenv("EXAMPLE", "1")
    machine = Machine()
    assert machine.variable("example") == "1"
    assert machine.variable("none") == ""
    assert machine.system == places._SYSTEMS.get(sys.platform, "linux")


@pytest.mark.parametrize("name", ["HOME", "USERPROFILE"])
def test_the_home_folder_comes_from_the_environment(tmp_path, name):
    assert Machine(environ={name: str(tmp_path)}).home == tmp_path
    assert Machine(environ={}, root=tmp_path).home == tmp_path


def test_linux_folders_are_searched_and_opensc_is_last(tmp_path, lay):
    files = lay(
        "usr/lib/fptca_v4.so",
        "usr/lib64/libcastle.so",
        "usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "opt/safenet/lib/64/libeToken.so",
        "usr/lib/opensc-pkcs11.so",
    )
    lay("usr/lib/libother.so", "opt/other/libeToken.so", "opt/safenet/a/b/c/d/libeTPkcs11.so")
    found = found_on(Machine(system="linux", root=tmp_path, environ={}))
    assert set(found) == set(files)
    assert found[0] == files[0]
    assert found[-1] == files[-1]


def test_macos_folders_are_searched(tmp_path, lay):
    files = lay(
        "opt/homebrew/lib/viettel-ca_v6.dylib",
        "usr/local/lib/watchdata/lib/libwdpkcs.dylib",
        "Library/Frameworks/eToken.framework/Versions/Current/libeToken.dylib",
        "Applications/Viettel-CA Token Manager.app/Contents/MacOS/viettel-ca.dylib",
        "Library/OpenSC/lib/opensc-pkcs11.so",
    )
    assert set(found_on(Machine(system="macos", root=tmp_path, environ={}))) == set(files)


def test_windows_folders_are_searched_whatever_the_case(windows, lay):
    files = lay(
        "Windows/System32/VIETTEL-CA_V6.DLL",
        "Windows/SysWOW64/VinaCA_p11.dll",
        "Windows/System32/VNPT-CA/VNPT-CA PKI Token CSP/wdpkcs.dll",
        "Program Files/Bkav Corporation/BkavCA Token Manager/st3csp11.dll",
        "Program Files/FEITIAN/ePass/eps2003csp11.dll",
        "Program Files/OpenSC Project/OpenSC/pkcs11/opensc-pkcs11.dll",
    )
    lay("Windows/System32/kernel32.dll", "Program Files/Office/viettel-ca.dll")
    assert set(found_on(windows)) == set(files)


def test_windows_without_variables_has_its_usual_folder():
    assert library_folders(Machine(system="windows", environ={})) == (
        Path("C:\\Windows") / "System32",
        Path("C:\\Windows") / "SysWOW64",
    )


def test_a_bare_name_is_looked_for_in_the_library_folders(tmp_path, lay):
    (file,) = lay("usr/local/lib/libcastle.so")
    machine = Machine(system="linux", root=tmp_path, environ={})
    assert in_library_folders("libcastle.so", machine) == file
    assert in_library_folders("none.so", machine) is None


def test_a_walk_ends_after_many_files(tmp_path, lay, monkeypatch):
    lay(*(f"many/{folder}/{name}" for folder in "abc" for name in "xyz"))
    assert len(list(files_below(tmp_path / "many"))) == 9
    assert list(files_below(tmp_path / "many", depth=1)) == []
    monkeypatch.setattr(places, "_MOST_FILES", 2)
    assert len(list(files_below(tmp_path / "many"))) == 3
    assert list(files_below(tmp_path / "none")) == []
