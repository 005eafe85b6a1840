"""The demonstration and the doctor with a CSC service that others wrote."""

from __future__ import annotations

import pytest
from csc_peer import peer


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with peer(tmp_path_factory.mktemp("peer")) as url:
        yield f"csc:{url}/csc/v1"


def test_the_demonstration_runs_with_a_certificate_kept_there(bhxh, address):
    done = bhxh("demo", "--signer", f"{address}?credential=lab/unit", "--json")
    assert done.code == 0, done.err
    assert done.json["state"] == "active"
    assert done.json["session"]["user_name"] == "0100109106"


def test_the_doctor_finds_what_can_sign_there(bhxh, address):
    done = bhxh("doctor", "--signer", f"{address}?credential=lab/unit", "--json", "--lang", "en")
    assert done.code == 0, done.out
    assert "doctor.choice.ok" in {check["code"] for check in done.json["checks"]}


def test_the_doctor_names_what_cannot(bhxh, address):
    curve = bhxh("doctor", "--signer", f"{address}?credential=lab/curve", "--json").json
    assert "doctor.algorithm.not_rsa" in {check["code"] for check in curve["checks"]}
    expired = bhxh("doctor", "--signer", f"{address}?credential=lab/unit-expired", "--json").json
    assert "doctor.validity.expired" in {check["code"] for check in expired["checks"]}
    nobody = bhxh("doctor", "--signer", f"{address}?credential=lab/nobody", "--json").json
    assert [check["name"] for check in nobody["checks"] if check["state"] == "failed"] == ["signer"]
