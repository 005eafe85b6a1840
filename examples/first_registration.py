"""Register an employer without a unit code: the licence goes along, and the agency gives the code later."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

import bhxh_sdk as bhxh
from bhxh_sdk.sandbox import Sandbox

FORM = Path(__file__).parent / "forms" / "first-registration.toml"


def main() -> None:
    """Submit with the business licence, confirm the e-mail address, wait two days for the unit code."""
    data = tomllib.loads(FORM.read_text(encoding="utf-8"))
    form = bhxh.form_from_dict(data, read_file=lambda name: (FORM.parent / name).read_bytes())
    with (
        Sandbox() as sandbox,
        bhxh.Client(
            sandbox.ivan_channel(), signer=sandbox.signer(form.organisation), clock=sandbox.clock
        ) as client,
    ):
        filing = client.register(form, confirmed=True)
        mail = sandbox.outbox.latest("hr@example.com", "activation").as_bytes()
        filing = client.activate(filing.key, mail=mail)
        print("accepted:", client.refresh(filing.key).accepted)

        sandbox.clock.advance(timedelta(days=3))  # the sandbox's time is virtual
        print("accepted:", client.refresh(filing.key).accepted)
        letter = sandbox.outbox.latest("hr@example.com", "unit_code").get_body(("plain",))
        print(letter.get_content().splitlines()[2])


if __name__ == "__main__":
    main()
