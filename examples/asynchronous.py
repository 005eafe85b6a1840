"""Register several organisations at once, in an event loop."""

from __future__ import annotations

import asyncio

from attrs import evolve

import bhxh_sdk as bhxh
from bhxh_sdk.sandbox import Sandbox
from bhxh_sdk.transport import AsyncHttpSender

FORM = bhxh.Registration(
    agency=bhxh.catalogue.agency("07906"),
    organisation=bhxh.Organisation(
        name="CÔNG TY TNHH VÍ DỤ", unit_code="TZ0001Z", tax_code="0100109106", address="Số 1 đường Thí Dụ"
    ),
    contact=bhxh.Contact(
        name="Nguyễn Thị Thí Dụ", address="Số 1 đường Thí Dụ", mobile="0912345678", email="hr@example.com"
    ),
)


async def register(sandbox: Sandbox, number: int) -> bhxh.RegistrationStatus:
    """Register one organisation; each has a client of its own."""
    form = evolve(FORM, organisation=evolve(FORM.organisation, unit_code=f"TZ000{number}Z"))
    channel = sandbox.portal_channel(sender_factory=AsyncHttpSender)
    async with bhxh.AsyncClient(
        channel, signer=sandbox.signer(form.organisation), ask=sandbox.ask, clock=sandbox.clock
    ) as client:
        return await client.register(form, confirmed=True)


async def main() -> None:
    """Register five organisations at once."""
    with Sandbox() as sandbox:
        filings = await asyncio.gather(*(register(sandbox, number) for number in range(1, 6)))
        for filing in filings:
            print(filing.key, filing.state.value)
        print(sandbox.agency.submissions, "submissions")


if __name__ == "__main__":
    asyncio.run(main())
