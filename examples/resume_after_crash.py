"""The portal's answer is lost; another process asks what became of it, and nothing is sent twice."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path

import bhxh_sdk as bhxh
from bhxh_sdk.sandbox import Sandbox
from bhxh_sdk.sandbox.faults import Fault

FORM = Path(__file__).parent / "forms" / "register-at-portal.toml"


def main() -> None:
    """Lose an answer, then go on with the journal alone."""
    form = bhxh.form_from_dict(tomllib.loads(FORM.read_text(encoding="utf-8")))
    journal = Path(tempfile.mkdtemp()) / "registrations.db"
    with Sandbox() as sandbox:
        sandbox.faults.next("register", Fault.LOSE_REPLY)
        signer = sandbox.signer(form.organisation)
        with bhxh.Client(
            sandbox.portal_channel(), signer=signer, journal=journal, clock=sandbox.clock
        ) as client:
            try:
                client.register(form, confirmed=True, key="payroll-2026-17")
            except bhxh.UnknownOutcomeError as error:
                print(error.message("en"))

        # Another process, another day: nothing is remembered but the journal.
        with bhxh.Client(sandbox.portal_channel(), journal=journal, clock=sandbox.clock) as client:
            filing = client.resume("payroll-2026-17")
            print(filing.state.value, "after", sandbox.agency.submissions, "submission")


if __name__ == "__main__":
    main()
