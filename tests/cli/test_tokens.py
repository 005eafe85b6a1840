"""Commands on a token: certificates are listed without a PIN, the doctor's verdict is the exit code."""

from __future__ import annotations

import pytest
from tokens.fixtures import *  # noqa: F403  # fixtures are found by their names

from bhxh_sdk.signers.pkcs11 import TokenAddress


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


def test_a_key_file_has_no_token(bhxh, key_file):
    done = bhxh("certificates", "--signer", f"softkey:{key_file('0100109106')}", "--json")
    assert {item["token"] for item in done.json} == {None}


def test_the_doctor_finds_a_good_token(bhxh, uri, simulator):
    done = bhxh("doctor", "--signer", uri, "--organisation-tax-code", "0100109106", "--json")
    assert (done.code, done.json["ok"]) == (0, True)
    assert simulator.calls("C_Login") == []


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
