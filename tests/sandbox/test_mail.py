"""The sandbox's mails are real ones, and the package reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest

from bhxh_sdk.blocking import run_blocking as run
from bhxh_sdk.sandbox import Outbox, VirtualClock
from bhxh_sdk.sandbox.mail import LETTERS
from bhxh_sdk.transport.mailbox import activation_code_in, credentials_in

PLACES = {
    "name": "CÔNG TY <TNHH> & VÍ DỤ",
    "unit": "TZ0001Z",
    "code": "ABCD2345",
    "until": "10:00 03/03/2026 UTC",
    "link": "https://portal.example/?a=1&b=2",
    "user_name": "0100109106",
    "password": "p&<ss>{w}0rd",
    "dossier": "00001/2026/07906",
    "act": "điều chỉnh",
    "reason": "3020: đã đăng ký",
}


@pytest.fixture
def outbox():
    return Outbox(VirtualClock(datetime(2026, 3, 2, 3, 0, tzinfo=UTC)))


@pytest.mark.parametrize("kind", LETTERS)
def test_every_letter_is_a_real_mail_in_both_forms(outbox, kind):
    mail = message_from_bytes(outbox.as_eml(outbox.send("hr@example.com", kind, PLACES)), policy=default)
    assert mail["Subject"] == LETTERS[kind].subject
    assert mail["Date"].datetime == datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
    assert mail["X-Bhxh-Sandbox"] == kind
    for form in ("plain", "html"):
        text = mail.get_body((form,)).get_content()
        assert "sandbox" in text
    assert "<TNHH>" not in text
    assert "{" not in text.replace(
        PLACES["password"].replace("&", "&amp;").replace("<", "&lt;"), ""
    ) or kind in {
        "credentials",
        "password_reset",
    }


def test_the_package_reads_what_the_sandbox_mails(outbox):
    code = activation_code_in(outbox.send("hr@example.com", "activation", PLACES).as_bytes())
    assert code.code.reveal() == "ABCD2345"
    assert code.link == PLACES["link"]
    account = credentials_in(outbox.send("hr@example.com", "credentials", PLACES).as_bytes())
    assert (account.user_name, account.password.reveal()) == ("0100109106", PLACES["password"])


def test_mails_are_kept_by_address_and_kind(outbox):
    first = outbox.send("hr@example.com", "activation", PLACES)
    second = outbox.send("HR@example.com", "credentials", PLACES)
    outbox.send("other@example.com", "activation", PLACES)
    assert len(outbox) == 3
    assert outbox.for_address("hr@example.com") == (first, second)
    assert outbox.latest("hr@example.com") is second
    assert outbox.latest("hr@example.com", "activation") is first
    with pytest.raises(LookupError, match="no mail to nobody"):
        outbox.latest("nobody@example.com")


def test_a_mailbox_is_the_port_that_clients_read(outbox):
    inbox = outbox.inbox("hr@example.com")
    assert run(inbox.mails()) == ()
    mail = outbox.send("hr@example.com", "activation", PLACES)
    assert run(inbox.mails()) == (mail.as_bytes(),)
