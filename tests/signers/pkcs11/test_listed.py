"""Modules that the machine lists itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from signers.pkcs11.made_libraries import OTHER, elf

from bhxh_sdk.signers.pkcs11.listed import p11_kit_modules, package_modules
from bhxh_sdk.signers.pkcs11.places import Machine


@pytest.fixture
def machine(tmp_path):
    return Machine(system="linux", root=tmp_path, environ={"HOME": str(tmp_path / "home")})


@pytest.fixture
def write(tmp_path):
    def put(name: str, content: str | bytes = b"") -> Path:
        file = tmp_path.joinpath(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return put


def test_configured_modules_are_found(machine, write, tmp_path):
    relative = write("usr/lib/x86_64-linux-gnu/pkcs11/opensc-pkcs11.so")
    write("usr/lib/opensc-pkcs11.so")
    beside = write("usr/local/lib/libother.so")
    write("usr/share/p11-kit/modules/a.module", "# a comment: no\nmodule: opensc-pkcs11.so\npriority: 1\n")
    write("usr/share/p11-kit/modules/b.module", "  module :  /opt/b.so  \n")
    write("etc/pkcs11/modules/c.module", "module: libother.so\nnothing\n")
    write("etc/pkcs11/modules/d.module", "module: gone.so")
    assert list(p11_kit_modules(machine)) == [
        relative,
        tmp_path / "opt/b.so",
        beside,
        tmp_path / "usr/lib/pkcs11/gone.so",
    ]


def test_a_users_own_file_replaces_the_systems(machine, write, tmp_path):
    write("usr/share/p11-kit/modules/a.module", "module: /one.so")
    write("home/.config/pkcs11/modules/a.module", "module: /two.so")
    assert list(p11_kit_modules(machine)) == [tmp_path / "two.so"]
    elsewhere = write("settings/pkcs11/modules/b.module", "module: /three.so").parents[2]
    other = Machine(system="linux", root=tmp_path, environ={"XDG_CONFIG_HOME": str(elsewhere)})
    assert list(p11_kit_modules(other)) == [tmp_path / "one.so", tmp_path / "three.so"]


def test_what_only_says_whom_to_trust_is_left_out(machine, write, tmp_path):
    write("etc/pkcs11/modules/trust.module", "module: /trust.so\ntrust-policy: yes\n")
    write("etc/pkcs11/modules/empty.module", "")
    write("etc/pkcs11/modules/binary.module", b"module: /x\xff.so\n")
    (tmp_path / "etc/pkcs11/modules/folder.module").mkdir()
    assert [path.name for path in p11_kit_modules(machine)] == ["x\N{REPLACEMENT CHARACTER}.so"]


def test_windows_has_no_such_configuration(tmp_path):
    machine = Machine(system="windows", root=tmp_path, environ={})
    assert not list(p11_kit_modules(machine))
    assert not list(package_modules(machine))


def test_installed_packages_of_tokens_bring_their_modules(machine, write):
    module = write("usr/lib/fptca_v4.so", elf(machine=3, wide=False))
    numbered = write("usr/lib/fptca.so.1", elf())
    write("usr/lib/fptca_helper.so", elf((OTHER,)))
    write("usr/lib/pkcs11-spy.so", elf())
    write("usr/bin/fptca", elf())
    lines = "/.\n/usr/lib\n/usr/lib/fptca_v4.so\n/usr/lib/fptca.so.1\n/usr/lib/fptca_helper.so\n"
    write(
        "var/lib/dpkg/info/fptca-4.0.list",
        lines + "/usr/lib/pkcs11-spy.so\n/usr/bin/fptca\n/usr/lib/gone.so\n",
    )
    write("var/lib/dpkg/info/other.list", "/usr/lib/fptca_v4.so\n")
    assert list(package_modules(machine)) == [module, numbered]


def test_a_named_pipe_is_no_configuration(machine, write, tmp_path):
    write("etc/pkcs11/modules/a.module", "module: /one.so")
    os.mkfifo(tmp_path / "etc/pkcs11/modules/b.module")
    assert list(p11_kit_modules(machine)) == [tmp_path / "one.so"]


def test_a_configuration_that_cannot_be_read_is_left_out(machine, write, monkeypatch):
    write("etc/pkcs11/modules/a.module", "module: /one.so")
    monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(PermissionError()))
    assert list(p11_kit_modules(machine)) == []


@pytest.mark.parametrize(
    "name", ["/\0etc", "n" * 300, "/" + "n" * 300, "/" + "ư" * 130, "/a" * 3_000_000, "/" * 5000]
)
def test_what_cannot_be_a_path_is_left_out(machine, write, tmp_path, name):
    write("etc/pkcs11/modules/a.module", f"module: {name}\n")
    write("etc/pkcs11/modules/b.module", "module: /good.so\n")
    write("var/lib/dpkg/info/opensc-pkcs11.list", f"{name}\n{name}.so\n")
    assert list(p11_kit_modules(machine)) == [tmp_path / "good.so"]
    assert list(package_modules(machine)) == []
