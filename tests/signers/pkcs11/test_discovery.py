"""Tokens are found on machines made of temporary folders, though some drivers crash, hang or are none."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from signers.pkcs11.made_libraries import elf, pe

from bhxh_sdk.signers.pkcs11 import discovery
from bhxh_sdk.signers.pkcs11.contract import TokenInfo
from bhxh_sdk.signers.pkcs11.discovery import Discovery, discover, forget
from bhxh_sdk.signers.pkcs11.places import Machine
from bhxh_sdk.signers.pkcs11.probe import BEGUN, ProbeAnswer, ProbedToken
from bhxh_sdk.signers.pkcs11.windows import SystemRegistry
from bhxh_sdk.system import SystemClock

LIBRARIES = "usr/lib/x86_64-linux-gnu"
ENTRY = "int C_GetFunctionList(void) { return 5; }\n"
START = "#include <stdlib.h>\n#include <unistd.h>\n__attribute__((constructor)) static void start(void)"


class Registry:
    def subkeys(self, *_):
        return ()

    def value(self, *_):
        return ""


@pytest.fixture(autouse=True)
def _forgotten():
    forget()
    yield
    forget()


@pytest.fixture
def machine(tmp_path):
    return Machine(system="linux", root=tmp_path / "machine", environ={})


@pytest.fixture
def put(machine):
    """Put a file, or a link to one, onto the machine."""

    def put_file(name: str, content: bytes | str | Path = b"") -> str:
        file = machine.path(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            file.symlink_to(content)
        else:
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(file)

    return put_file


@pytest.fixture
def compiled(put, tmp_path):
    """Compile a library onto the machine."""

    def compile_library(name: str, source: str) -> str:
        code, library = tmp_path / "source.c", tmp_path / "library.so"
        code.write_text(source)
        subprocess.run(["cc", "-shared", "-fPIC", "-w", "-o", str(library), str(code)], check=True)
        return put(name, library.read_bytes())

    return compile_library


@pytest.fixture
def answers(monkeypatch):
    """Let no process be started: modules answer as told, by their file's name."""
    told: dict[str, ProbeAnswer] = {}
    asked: list[list[str]] = []

    def probe_all(candidates, clock, *, seconds, total_seconds, pin_env):
        asked.append([Path(each.path).name for each in candidates])
        assert total_seconds < 10
        return {each: told.get(Path(each.path).name, ProbeAnswer(outcome="no_token")) for each in candidates}

    monkeypatch.setattr(discovery, "probe_all", probe_all)
    monkeypatch.setattr(discovery, "header_answer", lambda path: None if Path(path).is_file() else ABSENT)
    return told, asked


ABSENT = ProbeAnswer(outcome="not_there")


def search(machine: Machine, **more) -> Discovery:
    return discover(clock=SystemClock(), machine=machine, registry=Registry(), **more)


def shown(*certificates: bytes, serial: str = "1", slot: int = 0, **more: str) -> ProbeAnswer:
    token = TokenInfo(slot=slot, manufacturer="Example", model="One", serial=serial, label="HR")
    found = ProbedToken(token=token, certificates=certificates)
    return ProbeAnswer(outcome="token", binding="python-pkcs11", tokens=(found,), **more)


def tried(found: Discovery) -> dict[str, tuple[str, str]]:
    return {Path(each.path).name: (each.origin, each.outcome) for each in found.tried}


@pytest.mark.needs_tool("cc", "softhsm2-util")
def test_softhsm_is_found_where_nothing_is_configured_though_others_crash_and_hang(
    machine, put, compiled, softhsm, monkeypatch
):
    monkeypatch.setenv("SOFTHSM2_CONF", str(softhsm.configuration))
    module = put("usr/lib/softhsm/libsofthsm2.so", Path(softhsm.module))
    compiled(f"{LIBRARIES}/libcastle.so", START + "{ sleep(60); }\n" + ENTRY)
    compiled(f"{LIBRARIES}/libeToken.so", START + "{ abort(); }\n" + ENTRY)
    compiled(f"{LIBRARIES}/libwdpkcs.so", "int other(void) { return 0; }")
    put(f"{LIBRARIES}/libgclib.so", b"no library at all")
    narrow = put("usr/lib/fptca_v4.so", elf(wide=False, machine=3))
    begun = time.monotonic()
    found = search(machine, seconds=4.0)
    assert time.monotonic() - begun < 10
    labels = {each.token.label: each for each in found.tokens}
    assert {"single", "pairs", "two", "empty"} <= labels.keys()
    assert labels["single"].module_path == module
    assert labels["single"].binding == "python-pkcs11"
    assert not labels["single"].isolated
    assert len(labels["single"].certificates) == 2
    assert "certificates=<2>" in repr(labels["single"])
    assert tried(found) == {
        "fptca_v4.so": ("table", "wrong_architecture"),
        "libeToken.so": ("table", "crashed"),
        "libcastle.so": ("table", "hung"),
        "libwdpkcs.so": ("table", "not_pkcs11"),
        "libgclib.so": ("table", "not_pkcs11"),
        "libsofthsm2.so": ("table", "token"),
    }
    details = {each.path: each.detail for each in found.tried}
    assert details[narrow] == "x86"
    assert details[str(machine.path(f"{LIBRARIES}/libeToken.so"))] == f"signal {6}"
    begun = time.monotonic()
    again = search(machine, seconds=60.0)
    assert time.monotonic() - begun < 10, "what hung a moment ago is not tried again"
    assert tried(again) == tried(found)


@pytest.mark.needs_tool("cc", "softhsm2-util")
def test_softhsm_opencryptoki_and_a_tokens_driver_are_found_together(
    machine, put, compiled, softhsm, simulator, opencryptoki, monkeypatch
):
    monkeypatch.setenv("SOFTHSM2_CONF", str(softhsm.configuration))
    put("usr/lib/softhsm/libsofthsm2.so", Path(softhsm.module))
    put("usr/lib/pkcs11/libopencryptoki.so", Path(opencryptoki.module))
    put("var/lib/dpkg/info/libopencryptoki0:amd64.list", "/usr/lib/pkcs11/libopencryptoki.so\n")
    put("usr/lib/fptca_v4.so", Path(simulator.module))
    compiled(f"{LIBRARIES}/libcastle.so", START + "{ sleep(60); }\n" + ENTRY)
    compiled(f"{LIBRARIES}/libeToken.so", START + "{ abort(); }\n" + ENTRY)
    begun = time.monotonic()
    found = search(machine, seconds=4.0)
    assert time.monotonic() - begun < 10
    assert tried(found) == {
        "libopencryptoki.so": ("package", "token"),
        "fptca_v4.so": ("table", "token"),
        "libsofthsm2.so": ("table", "token"),
        "libcastle.so": ("table", "hung"),
        "libeToken.so": ("table", "crashed"),
    }
    assert opencryptoki.label in {each.token.label for each in found.tokens}


@pytest.mark.needs_tool("cc", "softhsm2-util")
def test_a_token_seen_through_two_modules_is_shown_once(machine, put, make_simulator, softhsm):
    simulators = [make_simulator(softhsm, shares=True) for _ in range(2)]
    put("usr/lib/libcastle.so", Path(simulators[0].module))
    own = put("usr/lib/fptca_v4.so", Path(simulators[1].module))
    found = search(machine, seconds=30.0)
    assert [each.outcome for each in found.tried] == ["token", "token"]
    assert {each.module_path for each in found.tokens} == {own}
    serials = [each.token.serial for each in found.tokens]
    assert len(serials) == len(set(serials))
    for simulator in simulators:
        assert not simulator.calls("C_Login")


def test_everything_together_takes_less_than_ten_seconds():
    assert discovery.SECONDS == 8.0
    assert discovery._TOTAL_SECONDS + 1 <= 10


def test_opensc_is_last_and_each_file_is_tried_once(machine, put, answers, tmp_path):
    _, asked = answers
    put(f"{LIBRARIES}/opensc-pkcs11.so")
    put("usr/lib/opensc-pkcs11.so", machine.path(f"{LIBRARIES}/opensc-pkcs11.so"))
    put(f"{LIBRARIES}/pkcs11/libx.so")
    put("etc/pkcs11/modules/a.module", "module: opensc-pkcs11.so")
    put("etc/pkcs11/modules/b.module", "module: libx.so")
    put("etc/pkcs11/modules/c.module", "module: p11-kit-client.so")
    put("usr/lib/softhsm/libsofthsm2.so")
    put("opt/token/libypkcs11.so", elf())
    put("var/lib/dpkg/info/pkcs11-y.list", "/opt/token/libypkcs11.so\n")
    found = search(machine)
    assert [(each.origin, Path(each.path).name) for each in found.tried] == [
        ("p11-kit", "libx.so"),
        ("package", "libypkcs11.so"),
        ("table", "libsofthsm2.so"),
        ("opensc", "opensc-pkcs11.so"),
    ]
    assert len(asked[0]) == 4


def test_windows_has_its_own_order(tmp_path, answers):
    system = tmp_path / "Windows" / "System32"
    system.mkdir(parents=True)
    for name in ("fpt-ca.dll", "provider.dll"):
        (system / name).write_bytes(pe())

    class Providers(Registry):
        def subkeys(self, _, key, view):
            return ("Token CSP",) if key.endswith(r"Defaults\Provider") and view == 64 else ()

        def value(self, *_):
            return "provider_s.dll"

    machine = Machine(system="windows", root=tmp_path, environ={"SYSTEMROOT": str(tmp_path / "Windows")})
    found = discover(clock=SystemClock(), machine=machine, registry=Providers())
    assert tried(found) == {"provider.dll": ("provider", "no_token"), "fpt-ca.dll": ("table", "no_token")}


def test_a_named_module_is_the_only_one(machine, put, answers):
    put("usr/lib/softhsm/libsofthsm2.so")
    named = put("usr/lib/mine.so")
    assert [each.path for each in search(machine, module_path=named).tried] == [named]
    assert tried(search(machine, module_path="mine.so")) == {"mine.so": ("explicit", "no_token")}
    assert tried(search(machine, module_path="gone.so")) == {"gone.so": ("explicit", "not_there")}
    assert tried(search(machine, module_path="/gone/x.so")) == {"x.so": ("explicit", "not_there")}


@pytest.mark.parametrize("name", discovery.NAMES)
def test_the_environment_names_a_module(put, answers, tmp_path, name):
    named = put("usr/lib/mine.so")
    put("usr/lib/softhsm/libsofthsm2.so")
    machine = Machine(system="linux", root=tmp_path / "machine", environ={name: named})
    assert tried(search(machine)) == {"mine.so": ("environment", "no_token")}


def test_an_authoritys_module_goes_before_one_that_lists_certificates(machine, put, answers):
    told, _ = answers
    for name in ("fptca_v4.so", "libcastle.so", "opensc-pkcs11.so"):
        put(f"usr/lib/{name}")
    told["fptca_v4.so"] = shown()
    told["libcastle.so"] = told["opensc-pkcs11.so"] = shown(b"one")
    (token,) = search(machine).tokens
    assert Path(token.module_path).name == "fptca_v4.so"


def test_of_equal_modules_the_one_that_lists_certificates_is_taken(machine, put, answers):
    told, _ = answers
    put("usr/lib/libeToken.so")
    put("usr/lib/libcastle.so")
    told["libeToken.so"], told["libcastle.so"] = shown(), shown(b"one")
    (token,) = search(machine).tokens
    assert token.certificates == (b"one",)


def test_tokens_without_serial_number_are_not_taken_for_one_another(machine, put, answers):
    told, _ = answers
    put("usr/lib/libeToken.so")
    put("usr/lib/libcastle.so")
    told["libeToken.so"] = told["libcastle.so"] = shown(b"one", serial="")
    assert len(search(machine).tokens) == 2


def test_an_empty_slot_tells_what_the_module_calls_itself(machine, put, answers):
    told, _ = answers
    put("usr/lib/libcastle.so")
    told["libcastle.so"] = ProbeAnswer(outcome="no_token", description="Example driver")
    assert search(machine).tried[0].detail == "Example driver"


@pytest.mark.parametrize("outcome", ["crashed", "hung"])
def test_a_bad_module_is_left_alone_for_a_while(machine, put, answers, outcome, monkeypatch):
    told, asked = answers
    file = put("usr/lib/libcastle.so")
    told["libcastle.so"] = ProbeAnswer(outcome=outcome)
    search(machine)
    assert search(machine).tried[0].outcome == outcome
    assert asked == [["libcastle.so"], []]
    search(machine, module_path=file)
    assert asked[-1] == ["libcastle.so"], "who names it gets it"
    os.utime(file, (1, 1))
    search(machine)
    assert asked[-1] == ["libcastle.so"], "another file has the name"
    monkeypatch.setattr(discovery, "_REMEMBERED_SECONDS", 0.0)
    search(machine)
    assert asked[-1] == ["libcastle.so"], "time has passed"


def test_a_module_that_vanishes_meanwhile_does_no_harm(machine, put, answers, monkeypatch):
    told, _ = answers
    put("usr/lib/libcastle.so")
    told["libcastle.so"] = ProbeAnswer(outcome="crashed")
    monkeypatch.setattr(discovery.Path, "stat", lambda _: (_ for _ in ()).throw(FileNotFoundError()))
    monkeypatch.setattr(discovery, "header_answer", lambda _: None)
    named = search(machine, module_path="/gone/libcastle.so")
    assert named.tried[0].outcome == "crashed"


def test_another_pythons_modules_are_probed_by_it(machine, put, tmp_path, monkeypatch):
    module = put("usr/lib/fptca_v4.so", elf(wide=False, machine=3))
    answer = tmp_path / "answer"
    answer.write_text(
        '{"outcome":"token","detail":"","binding":"pykcs11","description":"","tokens":'
        '[{"token":{"slot":1,"serial":"1"},"certificates":["AAA="]}]}'
    )
    helper = tmp_path / "python32"
    begun = BEGUN.decode().strip()
    helper.write_text(f"#!/bin/sh\necho '{begun}'\n[ \"$4\" = '{module}' ] && cat {answer}\n")
    helper.chmod(0o755)
    found = search(machine, helper=str(helper))
    (token,) = found.tokens
    assert (token.isolated, token.binding, token.certificates) == (True, "pykcs11", (b"\0\0",))
    assert tried(found) == {"fptca_v4.so": ("table", "token")}
    other = Machine(system="linux", root=machine.root, environ={"BHXH_PKCS11_HELPER": str(helper)})
    assert search(other).tokens == found.tokens


def test_this_machine_is_searched_by_default(answers, monkeypatch):
    monkeypatch.delenv("PYKCS11LIB", raising=False)
    found = discover(clock=SystemClock())
    assert isinstance(found, Discovery)


@pytest.mark.needs_tool("softhsm2-util")
def test_this_machines_registry_may_be_none(softhsm, monkeypatch):
    monkeypatch.setenv("SOFTHSM2_CONF", str(softhsm.configuration))
    found = discover(module_path=softhsm.module, clock=SystemClock(), registry=SystemRegistry())
    assert found.tokens
