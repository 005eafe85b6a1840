"""Check a form and print every mistake at once, in Vietnamese, as a payroll program would show them."""

from __future__ import annotations

import tomllib
from pathlib import Path

from attrs import evolve

import bhxh_sdk as bhxh

FORM = Path(__file__).parent / "forms" / "register-at-portal.toml"


def main() -> None:
    """Spoil a right form and look at the report."""
    form = bhxh.form_from_dict(tomllib.loads(FORM.read_text(encoding="utf-8")))
    print("ok:", bhxh.check(form).ok)

    contact = evolve(form.contact, mobile="0212345678", email="hr.example.com")
    organisation = evolve(form.organisation, name="", tax_code="0100109107")
    report = bhxh.check(evolve(form, contact=contact, organisation=organisation))
    for finding in report:
        print(f"{finding.severity.value:8} {finding.field}: {finding.message('vi')}")
        print(f"         → {finding.hint('vi')}")
    print("ok:", report.ok)


if __name__ == "__main__":
    main()
