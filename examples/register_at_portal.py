"""Register an organisation at the portal, activate its account and log in."""

from __future__ import annotations

import tomllib
from pathlib import Path

import bhxh_sdk as bhxh
from bhxh_sdk.sandbox import Sandbox

FORM = Path(__file__).parent / "forms" / "register-at-portal.toml"


def main() -> None:
    """Walk the 29 steps and print where the registration stands after each call."""
    form = bhxh.form_from_dict(tomllib.loads(FORM.read_text(encoding="utf-8")))
    with (
        Sandbox() as sandbox,
        bhxh.Client(
            sandbox.portal_channel(),  # against the real one: bhxh.open_channel("portal.toml")
            signer=sandbox.signer(form.organisation),  # and bhxh.open_signer("softkey:key.p12")
            ask=sandbox.ask,  # and bhxh.AskPerson(on_captcha=show_it_to_somebody)
            clock=sandbox.clock,
        ) as client,
    ):
        filing = client.register(form, confirmed=True)  # steps 1 to 24
        print(filing.state.value, "→", filing.next_action("vi"))

        mail = sandbox.outbox.latest("hr@example.com", "activation").as_bytes()
        filing = client.activate(filing.key, mail=mail)  # steps 25 to 28
        print(filing.state.value, "→", filing.next_action("vi"))

        mail = sandbox.outbox.latest("hr@example.com", "credentials").as_bytes()
        session = client.log_in(filing.key, mail=mail)  # step 29
        print("logged in as", session.user_name)

        filing = client.refresh(filing.key)
        print(filing.state.value, "dossier", filing.dossier_number)


if __name__ == "__main__":
    main()
