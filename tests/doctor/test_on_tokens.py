"""The doctor before real drivers: each trouble of the simulator is a line of its own, and costs no try."""

from __future__ import annotations

import os
import shutil

import pytest
from tokens.entries import NOW

from bhxh_sdk.doctor import Machine, ServiceState, examine
from bhxh_sdk.models import Organisation
from bhxh_sdk.signers.pkcs11 import discovery
from bhxh_sdk.system import SystemClock

OWN = Organisation(name="CÔNG TY TNHH VÍ DỤ", tax_code="0100109106")
HERE = Machine(service=ServiceState.RUNNING, bindings=frozenset({"python-pkcs11", "pykcs11"}))
DEVICE_REMOVED = 0x32
OTHER_ARCHITECTURE = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0" + b"\x4c\x01" + bytes(300)


class Clock(SystemClock):
    """A clock at the moment for which the test certificates are made."""

    def now(self):
        return NOW


@pytest.fixture(autouse=True)
def _nothing_remembered():
    discovery.forget()


def examined(module, path="pkcs11:", organisation=OWN):
    found = examine(f"{path}?module-path={module}", organisation=organisation, clock=Clock(), machine=HERE)
    return {check.code.removeprefix("doctor."): check.state.value for check in found}


def test_a_good_token(simulator):
    found = examined(simulator.module)
    assert "failed" not in found.values()
    assert {"token.ok", "signer.ok", "key.unknown", "validity.ok", "owner.ok", "choice.ok", "pin.ok"} <= set(
        found
    )


@pytest.mark.parametrize(
    ("tries", "code"),
    [(2, "pin.count_low"), (1, "pin.last_try"), (0, "pin.locked")],
)
def test_the_state_of_the_pin_is_read_and_no_try_is_spent(simulator, tries, code):
    simulator.set_tries_left("single", tries)
    assert code in examined(simulator.module)
    assert simulator.tries_left("single") == tries
    assert simulator.calls("C_Login") == []


def test_a_token_that_is_not_plugged_in(simulator):
    simulator.pull_out()
    assert examined(simulator.module)["token.none"] == "failed"
    simulator.insert()
    assert examined(simulator.module)["token.ok"] == "ok"


def test_a_token_that_is_pulled_out_while_it_is_looked_at(simulator):
    simulator.set(fail={"C_GetSlotList": DEVICE_REMOVED})
    assert examined(simulator.module)["token.removed"] == "failed"


def test_a_driver_that_crashes(simulator):
    simulator.set(crash={"C_Initialize": "segv"})
    assert examined(simulator.module)["driver.crashed"] == "failed"


def test_a_driver_that_crashes_when_keys_are_looked_for(simulator):
    simulator.set(crash={"C_FindObjectsInit": ("segv", 1)})
    assert examined(simulator.module)["driver.crashed"] == "failed"


def test_a_driver_that_hangs(simulator):
    simulator.set(hang={"C_GetSlotList": 60})

    def discover(**options):
        return discovery.discover(**options, seconds=6)

    found = examine(f"pkcs11:?module-path={simulator.module}", clock=Clock(), machine=HERE, discover=discover)
    assert "doctor.driver.hung" in {check.code for check in found.failed}


def test_no_driver_is_loaded_into_this_process(simulator):
    assert "failed" not in examined(simulator.module).values()
    assert os.getpid() not in {call.process for call in simulator.calls()}
    assert len({call.process for call in simulator.calls()}) == 2


def test_a_pin_pad(simulator):
    simulator.set(pin_pad="12345678")
    assert examined(simulator.module)["pin.pad"] == "ok"


def test_every_token_of_one_driver(softhsm_here):
    found = examined(softhsm_here.module)
    assert {
        "certificates.none": "warning",
        "validity.expired": "warning",
        "choice.several": "warning",
    }.items() <= (found.items())
    assert "failed" not in found.values()


def test_an_expired_certificate(softhsm_here):
    found = examined(softhsm_here.module, "pkcs11:token=expired")
    assert (found["validity.expired"], found["choice.none"]) == ("failed", "failed")


def test_two_certificates_that_fit_until_the_address_names_one(softhsm_here):
    assert "choice.several" in examined(softhsm_here.module, "pkcs11:token=two")
    assert "choice.ok" in examined(softhsm_here.module, "pkcs11:token=two;id=%A1")


def test_a_token_without_certificates(softhsm_here):
    assert examined(softhsm_here.module, "pkcs11:token=empty")["certificates.none"] == "failed"


def test_another_token_than_the_one_asked_for(softhsm_here):
    assert examined(softhsm_here.module, "pkcs11:token=nobody")["token.other"] == "failed"


def test_a_driver_of_another_architecture(tmp_path):
    module = tmp_path / "vendor.dll"
    module.write_bytes(OTHER_ARCHITECTURE)
    found = examined(module)
    assert found["architecture.wrong"] == "failed"


def test_a_driver_that_is_not_there(tmp_path):
    assert examined(tmp_path / "vendor.so")["module.not_there"] == "failed"


def test_an_elliptic_key_is_told_as_the_reason(softhsm_here):
    found = examined(softhsm_here.module, "pkcs11:token=elliptic")
    assert (found["algorithm.not_rsa"], found["choice.none"]) == ("failed", "failed")


def test_a_folder_in_place_of_a_driver_is_told_as_one(tmp_path):
    assert examined(tmp_path)["module.folder"] == "failed"


@pytest.mark.parametrize("name", ["no-such-python", "true"])
def test_a_helper_that_does_not_start_is_blamed_and_not_the_driver(tmp_path, monkeypatch, name):
    helper = shutil.which(name) or f"{tmp_path}/{name}"
    monkeypatch.setenv("BHXH_PKCS11_HELPER", helper)
    module = tmp_path / "vendor.dll"
    module.write_bytes(OTHER_ARCHITECTURE)
    found = examine(f"pkcs11:?module-path={module}", clock=Clock(), machine=HERE)
    told = {check.code: check for check in found}
    assert [check.code for check in found.failed] == ["doctor.driver.helper_not_started"]
    assert helper in told["doctor.driver.helper_not_started"].cause("en")
    assert told["doctor.module.not_tried"].state.value == "skipped"


def test_a_driver_that_never_ran_leaves_the_service_a_warning(tmp_path):
    stopped = Machine(service=ServiceState.STOPPED, bindings=HERE.bindings)
    found = examine(f"pkcs11:?module-path={tmp_path}/no.so", clock=Clock(), machine=stopped)
    assert [check.code for check in found.failed] == ["doctor.module.not_there"]
    assert "doctor.service.stopped" in {check.code for check in found.warnings}
