"""The demonstration and the doctor with a CSC service that others wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from csc_peer import peer

EXAMPLE = Path(__file__).parents[2] / "examples/csc/service.yml"


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


def test_the_example_s_service_signs_for_the_example_s_organisation(bhxh, tmp_path):
    (tmp_path / "peer").mkdir()
    with peer(tmp_path / "peer", content=EXAMPLE.read_text(encoding="utf-8")) as url:
        signer = f"csc:{url}/csc/v1?credential=lab/unit"
        done = bhxh("demo", "--signer", signer, "--json")
        assert (done.code, done.json["state"]) == (0, "active"), done.err
        doctor = bhxh("doctor", "--signer", signer, "--organisation-tax-code", "0100109106", "--json")
        assert "doctor.owner.ok" in {check["code"] for check in doctor.json["checks"]}
