"""Commands on a token: certificates are listed without a PIN, the doctor's verdict is the exit code."""

from __future__ import annotations

import ctypes.util
import itertools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tokens.entries import PIN
from tokens.fixtures import *  # noqa: F403  # fixtures are found by their names
from tokens.processes import run_tool

from bhxh_sdk import Secret, messages
from bhxh_sdk.signers.pkcs11 import TokenAddress
from bhxh_sdk.signers.pkcs11.contract import TokenInfo
from bhxh_sdk.signers.pkcs11.pin import check_form
from bhxh_sdk.token_errors import PinError

TALKATIVE = Path(__file__).with_name("talkative.c")


@pytest.fixture
def uri(simulator):
    return f"pkcs11:token=single?module-path={simulator.module}"


def test_certificates_are_listed_without_a_pin(bhxh, uri, simulator):
    done = bhxh("certificates", "--signer", uri, "--json")
    assert done.code == 0
    listed = next(item for item in done.json if item["tax_code"])
    assert listed["token"] == "single"
    assert listed["has_private_key"] is None
    assert TokenAddress.parse(listed["key_id"]).token.label == "single"
    assert simulator.calls("C_Login") == []


def test_a_person_sees_token_and_address_and_that_the_key_is_unknown(bhxh, uri):
    shown = bhxh("certificates", "--signer", uri, "--lang", "en").out
    assert "  Token: single" in shown
    assert "  Address: pkcs11:" in shown
    assert "private key unknown before the PIN" in shown


def test_the_address_of_a_certificate_can_be_given_as_it_is(bhxh, uri, simulator):
    listed = bhxh("certificates", "--signer", uri, "--json").json
    own = next(item for item in listed if item["tax_code"])
    again = bhxh("certificates", "--signer", f"{own['key_id']}?module-path={simulator.module}", "--json")
    assert [item["serial"] for item in again.json] == [own["serial"]]


@pytest.fixture
def talkative(simulator, tmp_path):
    """The simulator behind a driver that prints when it is loaded and aborts when it is unloaded."""
    library = tmp_path / "libtalkative.so"
    flags = ["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"]
    backend = f'-DBACKEND="{simulator.module}"'
    run_tool(["cc", *flags, backend, "-o", str(library), str(TALKATIVE), "-ldl"])
    return library


def listed_apart(uri, folder):
    return subprocess.run(
        [sys.executable, "-m", "bhxh_sdk", "certificates", "--json", "--signer", uri],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_driver_that_prints_and_aborts_spoils_neither_the_answer_nor_the_exit_code(talkative, tmp_path):
    done = listed_apart(f"pkcs11:?module-path={talkative}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert {item["token"] for item in json.loads(done.stdout)} == {"single"}
    assert done.stderr == ""


def test_who_wants_the_driver_in_this_process_has_its_manners_too(talkative, tmp_path):
    done = listed_apart(f"pkcs11:?module-path={talkative}&isolated=0", tmp_path)
    assert done.stdout.startswith("Vendor PKCS#11")
    assert done.returncode == -signal.SIGABRT


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_the_help_of_a_signer_names_tokens_and_key_files(bhxh, language):
    told = bhxh("certificates", "--help", "--lang", language).out
    assert "pkcs11:" in told
    assert "softkey:" in told


@pytest.mark.parametrize(
    ("lengths", "told"),
    [
        ({"shortest_pin": 4, "longest_pin": 255}, " (length that the token takes: 4 – 255)."),
        ({"longest_pin": 255}, " (length that the token takes – 255)."),
        ({}, "."),
    ],
)
def test_a_pin_that_was_not_sent_says_so_and_nothing_of_other_tries(lengths, told):
    token = TokenInfo(slot=1, label="HR", **lengths)
    with pytest.raises(PinError) as caught:
        check_form(Secret("123\n"), token)
    assert caught.value.hint("en") == f"This PIN was not sent; enter it again{told}"
    assert "try" not in caught.value.message("en")
    assert "lần thử" not in caught.value.message("vi") + caught.value.hint("vi")


def test_a_driver_that_the_environment_names_by_a_wrong_path_is_told_with_variable_and_path(
    bhxh, monkeypatch, tmp_path
):
    monkeypatch.setenv("BHXH_PKCS11_MODULE", f"{tmp_path}/vendor.so")
    done = bhxh("certificates", "--signer", "pkcs11:token=HR", "--json", "--lang", "en")
    assert (done.code, done.error["code"]) == (3, "driver.variable_not_there")
    told = f"The environment variable BHXH_PKCS11_MODULE names the driver {tmp_path}/vendor.so, and there is"
    assert told in done.error["message"]
    assert "BHXH_PKCS11_MODULE" in done.error["hint"]
    seen = bhxh("doctor", "--lang", "en").out
    assert f"{tmp_path}/vendor.so, which is named as the driver (by the environment variable BHXH" in seen


@pytest.mark.parametrize("variable", ["BHXH_PKCS11_MODULE", "PYKCS11LIB"])
@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"not a driver", "it is no program library"),
        (ctypes.util.find_library("m"), "it does not offer C_GetFunctionList"),
    ],
    ids=["text", "library"],
)
def test_a_file_that_the_environment_names_and_is_no_driver_is_told_with_its_cause(
    bhxh, monkeypatch, tmp_path, variable, content, cause
):
    monkeypatch.setenv(variable, content if isinstance(content, str) else _file(tmp_path, content))
    done = bhxh("certificates", "--signer", "pkcs11:", "--json", "--lang", "en")
    assert (done.code, done.error["code"]) == (3, "driver.variable_not_pkcs11")
    assert f"variable {variable} names {os.environ[variable]}, which is not" in done.error["message"]
    assert f"({cause})" in done.error["message"]
    assert f"({cause}) (named by the environment variable {variable})" in bhxh("doctor", "--lang", "en").out


@pytest.mark.parametrize("kind", ["text", "folder", "missing"])
def test_a_file_of_the_address_that_is_no_driver_has_the_doctors_text(bhxh, tmp_path, kind):
    paths = {"text": _file(tmp_path, b"not a driver"), "folder": tmp_path, "missing": tmp_path / "no.so"}
    uri = f"pkcs11:?module-path={paths[kind]}"
    done = bhxh("certificates", "--signer", uri, "--json", "--lang", "en")
    assert done.code == 3
    assert done.error["code"].startswith("driver.path_")
    assert done.error["message"] in bhxh("doctor", "--signer", uri, "--lang", "en").out


def test_a_token_without_certificates_says_so(bhxh, softhsm_here):
    uri = f"pkcs11:token=empty?module-path={softhsm_here.module}"
    assert (
        bhxh("certificates", "--signer", uri, "--lang", "en").out
        == "There is no certificate on this signer.\n"
    )
    assert bhxh("certificates", "--signer", uri, "--json").json == []


def _file(folder, content):
    (folder / "vendor.so").write_bytes(content)
    return f"{folder}/vendor.so"


def test_a_variable_that_names_the_driver_well_or_is_not_needed_is_in_nobodys_way(
    bhxh, monkeypatch, simulator, uri, key_file
):
    monkeypatch.setenv("BHXH_PKCS11_MODULE", simulator.module)
    assert bhxh("certificates", "--signer", "pkcs11:token=single").code == 0
    monkeypatch.setenv("BHXH_PKCS11_MODULE", "/nowhere/vendor.so")
    assert bhxh("certificates", "--signer", uri).code == 0
    assert bhxh("certificates", "--signer", f"softkey:{key_file('0100109106')}").code == 0


@pytest.fixture
def two(make_simulator, monkeypatch):
    """The address of a token with two certificates of one organisation."""
    monkeypatch.setenv("TOKEN_PIN", PIN)
    return f"pkcs11:token=two?module-path={make_simulator().module}&pin-env=TOKEN_PIN&isolated=1"


def test_between_two_certificates_and_without_a_terminal_both_are_listed(bhxh, two, form_file):
    bhxh("build", form_file(), "-o", "in.xml")
    done = bhxh("sign", "in.xml", "-o", "out.xml", "--signer", two, "--json", "--lang", "en")
    assert (done.code, done.error["code"]) == (6, "cli.sign.choice_needed")
    assert "--certificate SERIAL" in done.error["hint"]
    ends = {offered["key_id"].rpartition(";")[2] for offered in done.error["certificates"]}
    assert ends == {"id=%A1", "id=%A2"}
    for offered in done.error["certificates"]:
        assert set(offered) >= {"subject", "serial", "not_before", "not_after"}
    shown = bhxh("sign", "in.xml", "-o", "out.xml", "--signer", two, "--lang", "en").err
    for offered in done.error["certificates"]:
        assert f"  Serial number: {offered['serial']}" in shown
        assert f"  Address: {offered['key_id']}" in shown
    assert shown.count("  Valid: ") == shown.count("CÔNG TY TNHH VÍ DỤ  (") == 2
    assert not Path("out.xml").exists()


def test_one_of_two_certificates_is_taken_as_the_refusal_says(bhxh, two, form_file):
    bhxh("build", form_file(), "-o", "in.xml")
    refused = bhxh("sign", "in.xml", "-o", "out.xml", "--signer", two, "--json").error
    first, second = (offered["serial"] for offered in refused["certificates"])
    by_serial = bhxh("sign", "in.xml", "-o", "a.xml", "--signer", two, "--certificate", second, "--json")
    assert (by_serial.code, by_serial.json["signer"]["serial"]) == (0, second)
    address = refused["certificates"][0]["key_id"] + two[two.index("?") :]
    by_address = bhxh("sign", "in.xml", "-o", "b.xml", "--signer", address, "--json")
    assert (by_address.code, by_address.json["signer"]["serial"]) == (0, first)


def test_a_key_file_has_no_token(bhxh, key_file):
    done = bhxh("certificates", "--signer", f"softkey:{key_file('0100109106')}", "--json")
    assert {item["token"] for item in done.json} == {None}


def test_the_doctor_finds_a_good_token(bhxh, uri, simulator):
    done = bhxh("doctor", "--signer", uri, "--organisation-tax-code", "0100109106", "--json")
    assert (done.code, done.json["ok"]) == (0, True)
    assert simulator.calls("C_Login") == []


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_the_doctor_names_each_of_several_tokens_once_above_its_lines(
    bhxh, make_simulator, monkeypatch, terminal, language
):
    simulator = make_simulator()
    call = ("doctor", "--signer", f"pkcs11:?module-path={simulator.module}", "--lang", language)
    found = bhxh(*call, "--json").json["checks"]
    tokens = [check["subject"] for check in found if check["name"] == "token"]
    assert len(tokens) == 6
    assert all(any(token in check["cause"] for check in found if check["name"] == "pin") for token in tokens)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    monkeypatch.setenv("TERM", "dumb")
    lines = [line.rstrip() for line in bhxh(*call).out.splitlines()]
    for token in tokens:
        assert [line for line in lines if token in line] == [token]
        below = lines[lines.index(token) + 1 :]
        own = list(itertools.takewhile(lambda line: line.startswith("  "), below))
        assert len(own) >= 4
        assert sum(messages.text("doctor.name.pin", language) in line[:34] for line in own) == 1
    certificates = {check["subject"] for check in found if check["name"] == "owner"}
    assert certificates
    for serial in certificates:
        headings = [line for line in lines if line.endswith(f" ({serial})")]
        assert headings
        assert {line[:3] for line in headings} == {"  C"}


def test_the_doctor_finds_a_locked_token(bhxh, uri, simulator):
    simulator.set_tries_left("single", 0)
    done = bhxh("doctor", "--signer", uri, "--json", "--lang", "en")
    assert done.code == 3
    assert [check["code"] for check in done.json["checks"] if check["state"] == "failed"] == [
        "doctor.pin.locked"
    ]


def test_the_doctor_finds_that_the_token_is_gone(bhxh, uri, simulator):
    simulator.pull_out()
    done = bhxh("doctor", "--signer", uri)
    assert done.code == 3
    assert "Không thấy thiết bị chữ ký số nào" in done.out
