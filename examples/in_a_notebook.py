"""The blocking client needs no event loop, so it also works inside a running one, as in a notebook cell."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path

import bhxh_sdk as bhxh
from bhxh_sdk.sandbox import Sandbox

FORM = Path(__file__).parent / "forms" / "register-at-portal.toml"


async def cell() -> None:
    """Stand for a notebook's cell: a loop is running here, and nothing is awaited."""
    form = bhxh.form_from_dict(tomllib.loads(FORM.read_text(encoding="utf-8")))
    with Sandbox() as sandbox:
        client = bhxh.Client(
            sandbox.portal_channel(), signer=sandbox.signer(form.organisation), clock=sandbox.clock
        )
        filing = client.register(form, confirmed=True)
        print(filing.state.value)
        client.close()


asyncio.run(cell())
