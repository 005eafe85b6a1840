"""Modules are loaded once a process, through one binding, and what stands in the way has a name."""

from __future__ import annotations

import os
from threading import Thread

import pytest
from tokens.processes import run_python

from bhxh_sdk.errors import InputError, MissingExtraError
from bhxh_sdk.signers.pkcs11 import loading
from bhxh_sdk.signers.pkcs11.loading import BINDINGS, load_module
from bhxh_sdk.token_errors import DriverError

needs_token = pytest.mark.needs_tool("softhsm2-util", "cc")


@needs_token
def test_a_file_is_one_module_by_whatever_name(simulator, tmp_path):
    module = load_module(simulator.module)
    link = tmp_path / "link.so"
    link.symlink_to(simulator.module)
    assert load_module(str(link)) is module
    assert load_module(os.path.relpath(simulator.module), "python-pkcs11") is module
    assert len(simulator.calls("C_Initialize")) == 1


@needs_token
def test_threads_that_load_together_get_one_module(simulator):
    found = []
    threads = [Thread(target=lambda: found.append(load_module(simulator.module))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


@needs_token
def test_python_pkcs11_is_the_default(simulator):
    assert load_module(simulator.module).binding == "python-pkcs11"


@needs_token
def test_the_other_binding_is_the_default_where_it_is_alone(simulator, monkeypatch):
    monkeypatch.setitem(BINDINGS, "python-pkcs11", _missing)
    assert load_module(simulator.module).binding == "pykcs11"


@needs_token
@pytest.mark.parametrize(("first", "second"), [list(BINDINGS), list(reversed(BINDINGS))])
def test_the_second_binding_on_a_module_is_refused(simulator, first, second):
    load_module(simulator.module, first)
    with pytest.raises(DriverError) as caught:
        load_module(simulator.module, second)
    assert caught.value.code == "token.driver_other_binding"
    assert first in caught.value.message()
    assert second in caught.value.message()


@needs_token
def test_a_module_that_somebody_else_has_started_is_told_of(simulator):
    script = """
        import sys
        import PyKCS11
        from bhxh_sdk.signers.pkcs11.loading import load_module
        from bhxh_sdk.token_errors import DriverError

        foreign = PyKCS11.PyKCS11Lib().load(sys.argv[1])
        try:
            load_module(sys.argv[1])
        except DriverError as error:
            print(error.code)
        print(len(foreign.getSlotList(tokenPresent=True)))
    """
    assert run_python(script, simulator.module).split() == ["token.driver_in_use", "1"]


@needs_token
@pytest.mark.parametrize("binding", BINDINGS)
def test_a_module_that_does_not_start_tells_its_number(simulator, binding):
    simulator.set(fail={"C_Initialize": 0x5})
    with pytest.raises(DriverError) as caught:
        load_module(simulator.module, binding)
    assert caught.value.code == "token.driver_not_started"
    assert caught.value.parameters["ckr"] == 0x5
    assert "CKR_GENERAL_ERROR" in caught.value.message()
    simulator.reset()
    assert load_module(simulator.module, binding).slot_count() >= 1


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("content", [b"no library", b""])
def test_a_file_that_is_no_module_is_not_loaded(tmp_path, binding, content):
    file = tmp_path / "token.so"
    file.write_bytes(content)
    with pytest.raises(DriverError) as caught:
        load_module(str(file), binding)
    assert caught.value.code == "token.driver_not_loaded"
    assert "token.so" in caught.value.message()


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_library_without_the_entry_point_is_not_loaded(binding):
    import _ctypes

    with pytest.raises(DriverError) as caught:
        load_module(_ctypes.__file__, binding)
    assert caught.value.code == "token.driver_not_loaded"


@pytest.mark.parametrize("name", ["", "missing.so", "."])
def test_a_file_that_is_not_there_is_named(tmp_path, name):
    with pytest.raises(DriverError) as caught:
        load_module(str(tmp_path / name))
    assert caught.value.code == "token.driver_missing"


def test_a_binding_that_is_not_there_is_named():
    with pytest.raises(InputError) as caught:
        load_module(__file__, "opensc")
    assert caught.value.field == "binding"
    assert "python-pkcs11, pykcs11" in caught.value.hint()


def _missing():
    raise ImportError(name="pkcs11")


@pytest.mark.parametrize(
    ("binding", "extra"), [("", "token"), ("python-pkcs11", "token"), ("pykcs11", "pykcs11")]
)
def test_a_missing_binding_names_its_extra(monkeypatch, binding, extra):
    for name in BINDINGS:
        monkeypatch.setitem(BINDINGS, name, _missing)
    with pytest.raises(MissingExtraError) as caught:
        load_module(__file__, binding)
    assert caught.value.parameters["extra"] == extra


def test_a_binding_is_imported_when_a_module_is_loaded_through_it():
    script = """
        import sys
        import bhxh_sdk.signers.pkcs11.loading
        print(sorted({"pkcs11", "PyKCS11"} & set(sys.modules)))
        bhxh_sdk.signers.pkcs11.loading.BINDINGS["python-pkcs11"]()
        print(sorted({"pkcs11", "PyKCS11"} & set(sys.modules)))
    """
    assert run_python(script).splitlines() == ["[]", "['pkcs11']"]


@needs_token
def test_a_module_of_another_process_is_refused(simulator, monkeypatch):
    module = load_module(simulator.module)
    monkeypatch.setitem(loading._LOADED, module.path, (module, os.getpid() + 1))
    with pytest.raises(DriverError) as caught:
        load_module(simulator.module)
    assert caught.value.code == "token.driver_forked"
