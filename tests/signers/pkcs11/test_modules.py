"""The shipped table of modules."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import pytest

from bhxh_sdk.signers.pkcs11 import modules
from bhxh_sdk.signers.pkcs11.modules import is_left_out, known_modules, knows_name, preference, recognises


def test_every_row_has_a_source_and_a_kind():
    for row in modules._table():
        assert row.os in {"windows", "linux", "macos"}
        assert row.certainty.startswith("SEEN")
        assert row.kind in {"ca", "maker", "opensc", "never"}
        assert row.evidence >= 1


def test_the_table_is_the_one_that_the_readme_describes():
    text = (files("bhxh_sdk.signers.pkcs11") / "data" / "README.md").read_text(encoding="utf-8")
    assert f"({len(modules._table())} rows)" in text
    assert "As of 20" in text
    content = (files("bhxh_sdk.signers.pkcs11") / "data" / "modules.csv").read_bytes()
    assert hashlib.sha256(content).hexdigest() == TABLE, "the table has changed: is its README still right?"


TABLE = "a53b5e28ecbafa0539292aa5bd3bbdab09514b3b33f3956c65e84c2bc5c51593"


@pytest.mark.parametrize("system", ["windows", "linux", "macos"])
def test_opensc_is_last_and_an_authority_is_first(system):
    kinds = [row.kind for row in known_modules(system)]
    assert kinds[0] == "ca"
    assert kinds[-1] == "opensc"
    assert kinds == sorted(kinds, key=["ca", "maker", "opensc"].index)


def test_what_is_no_driver_is_not_looked_for():
    names = {row.file_name for system in ("windows", "linux") for row in known_modules(system)}
    assert not names & {"beidcsp.dll", "libsoftokn3.so", "p11-kit-proxy.so"}
    assert is_left_out("PKCS11-SPY.so")
    assert not is_left_out("libsofthsm2.so")


def test_a_path_is_read_in_its_own_systems_manner():
    rows = {row.file_name: row for row in known_modules("windows")}
    assert rows["VinaCA_p11.dll"].is_full_path
    assert rows["VinaCA_p11.dll"].parts == ("C:\\", "Windows", "SysWOW64", "VinaCA_p11.dll")
    assert not rows["wdpkcs.dll"].is_full_path


def test_names_are_known_whatever_their_case():
    assert knows_name("BKAVCA.dll")
    assert not knows_name("kernel32.dll")


def test_an_authoritys_own_module_goes_before_the_makers():
    order = ["vnptca_p11_v8.dll", "eps2003csp11.dll", "unheard-of.dll", "opensc-pkcs11.dll"]
    assert sorted(set(order), key=preference) == order
    assert preference("onepin-opensc-pkcs11.so") == preference("opensc-pkcs11.so")


@pytest.mark.parametrize("name", ["VNPT-CA Token Manager", "fptca-4.0.list", "opensc-pkcs11.list", "FEITIAN"])
def test_a_tokens_software_is_recognised(name):
    assert recognises(name)


@pytest.mark.parametrize("name", ["Mozilla Firefox", "libc6:amd64.list", "", "Microsoft Office"])
def test_other_software_is_not(name):
    assert not recognises(name)
