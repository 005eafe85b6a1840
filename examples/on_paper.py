"""Register without a certificate: a page to print, and what people write down about it."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path

import bhxh_sdk as bhxh
from bhxh_sdk.sandbox import Sandbox

FORM = Path(__file__).parent / "forms" / "register-on-paper.toml"


def main() -> None:
    """Draw up the page, then record that it was handed in and accepted."""
    form = bhxh.form_from_dict(tomllib.loads(FORM.read_text(encoding="utf-8")))
    with Sandbox() as sandbox, bhxh.Client(sandbox.portal_channel(), clock=sandbox.clock) as client:
        filing = client.register(form, confirmed=True)
        page = Path(tempfile.mkdtemp()) / "declaration.html"
        page.write_bytes(client.document(filing.key))
        print(filing.state.value, "→", filing.next_action("en"))

        filing = client.record_handed_in(filing.key, dossier_number="1/2026/07906")
        filing = client.record_decision(filing.key, accepted=True)
        print(filing.state.value, "accepted:", filing.accepted)


if __name__ == "__main__":
    main()
