"""Register an organisation through an I-VAN."""

from __future__ import annotations

import tomllib
from pathlib import Path

import bhxh_sdk as bhxh
from bhxh_sdk.sandbox import Sandbox

FORM = Path(__file__).parent / "forms" / "register-through-ivan.toml"


def main() -> None:
    """Submit, activate and log in; the I-VAN carries everything."""
    form = bhxh.form_from_dict(tomllib.loads(FORM.read_text(encoding="utf-8")))
    print("through", bhxh.catalogue.ivan("00040").name)
    with (
        Sandbox() as sandbox,
        bhxh.Client(
            sandbox.ivan_channel(),
            signer=sandbox.signer(form.organisation),
            ask=sandbox.ask,
            clock=sandbox.clock,
        ) as client,
    ):
        filing = client.register(form, confirmed=True)
        mail = sandbox.outbox.latest("hr@example.com", "activation").as_bytes()
        filing = client.activate(filing.key, mail=mail)
        mail = sandbox.outbox.latest("hr@example.com", "credentials").as_bytes()
        client.log_in(filing.key, mail=mail)
        filing = client.status(filing.key)
        done = sum(step.state.value == "done" for step in filing.steps)
        print(filing.state.value, f"{done}/29")


if __name__ == "__main__":
    main()
