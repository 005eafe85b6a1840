"""How users write it: checked by mypy, never run.

A line that must not pass carries an ignore, and an ignore that is not needed fails.
"""

from __future__ import annotations

import bhxh_sdk as bhxh


def a_form() -> bhxh.Registration:
    return bhxh.Registration(
        agency=bhxh.Agency(code="07906", name="BHXH cơ sở Bình Thạnh"),
        organisation=bhxh.Organisation(
            name="CÔNG TY TNHH VÍ DỤ", unit_code="TZ0001Z", tax_code="0100109106", address="Số 1"
        ),
        contact=bhxh.Contact(
            name="Nguyễn Văn Mẫu", address="Số 1", mobile="0912345678", email="hr@example.com"
        ),
        transact_at=bhxh.Ivan("00040"),
        action="register",
        attachments=[bhxh.Attachment(file_name="a.pdf", content=b"")],
    )


def first(channel: bhxh.PortalChannel) -> bhxh.RegistrationStatus:
    report = bhxh.check(a_form())
    for finding in report:
        told: tuple[str, str, str] = (finding.field, finding.message("vi"), finding.hint("en"))
        assert told
    with bhxh.Client(channel, signer=bhxh.open_signer("softkey:new"), journal="registrations.db") as client:
        filing = client.register(a_form(), confirmed=True)
        filing = client.activate(filing.key, bhxh.Secret("code"))
        session = client.log_in(filing.key, "password")
        token: str = session.token.reveal()
        assert token
        return filing


async def second(channel: bhxh.IvanChannel) -> bhxh.State:
    async with bhxh.AsyncClient(channel, ask=bhxh.AskPerson(on_captcha=lambda picture: "abcd")) as client:
        filing = await client.register(a_form(), confirmed=True)
        return filing.state


def wrong() -> None:
    bhxh.Organisation(name="CÔNG TY TNHH VÍ DỤ")  # type: ignore[call-arg]  # the tax code is missing
    bhxh.Organisation(name=5, tax_code="0100109106")  # type: ignore[arg-type]  # a number is no name
    a_form().organisation.name = "other"  # type: ignore[misc]  # values are frozen
    bhxh.Registration(action="delete")  # type: ignore[arg-type, call-arg]  # there is no such action
