"""`bhxh doctor` prints what the doctor found; its exit code says whether something is missing."""

from __future__ import annotations

import pytest
from attrs import evolve

from bhxh_sdk import doctor
from bhxh_sdk.doctor import Check, CheckState, Examination
from bhxh_sdk.signers.pkcs11.discovery import TriedModule

LOCKED = Check(
    name="pin", state=CheckState.FAILED, code="doctor.pin.locked", subject="HR", parameters={"name": "HR"}
)
LOW = Check(
    name="pin", state=CheckState.WARNING, code="doctor.pin.count_low", subject="HR", parameters={"name": "HR"}
)
RUNS = Check(name="service", state=CheckState.OK, code="doctor.service.ok")
NONE = Check(
    name="module", state=CheckState.FAILED, code="doctor.module.none", parameters={"folders": "/usr/lib"}
)
LOOKED = TriedModule(path="/usr/lib/a.so", origin="table", outcome="not_there", detail="")


@pytest.fixture
def found(monkeypatch):
    """Let the doctor find these checks; what it was asked is kept."""
    asked = {}

    def find(*checks, looked=()):
        def examine(signer, **options):
            asked.update(options, signer=signer)
            return Examination(checks=checks, looked=tuple(looked))

        monkeypatch.setattr(doctor, "examine", examine)
        return asked

    return find


def test_a_failed_check_is_missing_set_up(bhxh, found):
    found(LOCKED, RUNS)
    done = bhxh("doctor", "--lang", "en")
    assert done.code == 3
    assert "✘ failed  PIN: The PIN of the token «HR» is locked." in done.out
    assert "  → Have the issuer" in done.out
    assert "Failed: 1. Warnings: 0." in done.out


def test_the_answer_is_in_vietnamese_unless_asked_otherwise(bhxh, found):
    found(LOCKED)
    assert "Mã PIN của thiết bị «HR» đã bị khóa." in bhxh("doctor").out


def test_a_warning_is_no_failure(bhxh, found):
    found(LOW, RUNS)
    done = bhxh("doctor", "--json")
    assert done.code == 0
    assert done.json["ok"] is True
    assert [check["state"] for check in done.json["checks"]] == ["warning", "ok"]
    assert set(done.json["checks"][0]) >= {"name", "state", "cause", "fix"}


def test_all_is_well(bhxh, found):
    found(RUNS)
    assert "Nothing keeps you from signing." in bhxh("doctor", "--lang", "en").out


def test_what_could_not_be_looked_at_is_named_in_the_last_line(bhxh, found):
    unknown = Check(name="key", state=CheckState.SKIPPED, code="doctor.key.unknown", parameters={"name": "A"})
    found(RUNS, unknown)
    assert "What could not be looked at: Private key." in bhxh("doctor", "--lang", "en").out


def test_where_no_driver_was_found_the_places_are_shown(bhxh, found):
    found(NONE, looked=[LOOKED])
    done = bhxh("doctor", "--lang", "en")
    assert "  /usr/lib/a.so (table of known drivers): not there" in done.out
    assert bhxh("doctor", "--json").json["looked"] == [
        {"path": "/usr/lib/a.so", "origin": "table", "outcome": "not_there", "detail": ""}
    ]


def test_a_driver_that_was_not_tried_is_not_called_faulty(bhxh, found):
    found(NONE, looked=[evolve(LOOKED, outcome="failed", detail="not_started")])
    assert "  /usr/lib/a.so (table of known drivers): not tried" in bhxh("doctor", "--lang", "en").out


def test_a_terminal_gets_a_table(bhxh, found, monkeypatch):
    found(LOCKED, RUNS)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    done = bhxh("doctor", "--lang", "en")
    assert "✘ failed" in done.out
    assert "→ Have the issuer" in done.out


def test_the_tax_code_is_handed_on(bhxh, found):
    asked = found(RUNS)
    assert bhxh("doctor", "--organisation-tax-code", "0100109106", "--signer", "pkcs11:token=HR").code == 0
    assert asked["organisation"].tax_code.value == "0100109106"
    assert asked["signer"] == "pkcs11:token=HR"


def test_the_form_names_the_organisation(bhxh, found, form_file):
    asked = found(RUNS)
    bhxh("doctor", "--form", form_file())
    assert asked["organisation"].tax_code.value == "0100109106"
    assert asked["signer"] == "pkcs11:"


def test_no_organisation_is_asked_for(bhxh, found):
    asked = found(RUNS)
    bhxh("doctor")
    assert asked["organisation"] is None


def test_two_organisations_are_one_too_many(bhxh, found, form_file):
    found(RUNS)
    done = bhxh("doctor", "--form", form_file(), "--organisation-tax-code", "0100109106", "--json")
    assert (done.code, done.error["code"]) == (2, "cli.doctor.one_organisation")


def test_a_tax_code_that_is_none(bhxh, found):
    found(RUNS)
    done = bhxh("doctor", "--organisation-tax-code", "12", "--json")
    assert (done.code, done.error["code"]) == (2, "cli.doctor.bad_tax_code")


def test_a_wrong_address_is_our_input(bhxh):
    assert bhxh("doctor", "--signer", "nonsense", "--json").code == 3
