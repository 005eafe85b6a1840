"""The sandbox's mail: real RFC 5322 messages that stay in memory.

The wording is the sandbox's own. No source shows what the agency's mails say, only that one holds an
activation code and a link «(bấm vào đây)», and a later one a user name and a password.
"""

from __future__ import annotations

import threading
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bhxh_sdk.ports import Clock

__all__ = ["LETTERS", "Letter", "Mailbox", "Outbox"]

_FOOT = "Thư do môi trường thử nghiệm (sandbox) của bhxh-sdk tạo ra, không phải thư của cơ quan BHXH."


@frozen
class Letter:
    """The wording of one kind of mail.

    Args:
        subject: the subject, with {places}.
        lines: the paragraphs, with {places}; `{link}` stands for the link «(bấm vào đây)».

    """

    subject: str
    lines: tuple[str, ...]


LETTERS: Mapping[str, Letter] = {
    "activation": Letter(
        "Thông báo mã kích hoạt tài khoản giao dịch BHXH điện tử",
        (
            "Kính gửi: {name}",
            "Cơ quan BHXH đã nhận hồ sơ đăng ký giao dịch điện tử của đơn vị {unit}.",
            "Mã kích hoạt: {code}",
            "Để hoàn tất thủ tục, đơn vị {link} và nhập mã kích hoạt. Mã có hiệu lực đến {until}.",
        ),
    ),
    "credentials": Letter(
        "Thông báo tài khoản giao dịch BHXH điện tử",
        (
            "Kính gửi: {name}",
            "Tài khoản giao dịch BHXH điện tử của đơn vị {unit} đã được kích hoạt.",
            "Tên đăng nhập: {user_name}",
            "Mật khẩu: {password}",
        ),
    ),
    "password_reset": Letter(
        "Cấp lại mật khẩu tài khoản giao dịch BHXH điện tử",
        ("Kính gửi: {name}", "Tên đăng nhập: {user_name}", "Mật khẩu: {password}"),
    ),
    "unit_code": Letter(
        "Thông báo mã đơn vị tham gia BHXH",
        ("Kính gửi: {name}", "Cơ quan BHXH đã cấp mã đơn vị: {unit}", "Số hồ sơ: {dossier}"),
    ),
    "accepted": Letter(
        "Thông báo chấp nhận hồ sơ giao dịch BHXH điện tử",
        ("Kính gửi: {name}", "Hồ sơ số {dossier} của đơn vị {unit} được chấp nhận.", "Nội dung: {act}"),
    ),
    "refused": Letter(
        "Thông báo từ chối hồ sơ giao dịch BHXH điện tử",
        ("Kính gửi: {name}", "Hồ sơ số {dossier} của đơn vị {unit} bị từ chối.", "Lý do: {reason}"),
    ),
}
"""Every kind of mail that the sandbox sends."""


class Outbox:
    """Everything that the sandbox has mailed, oldest first.

    Args:
        clock: dates the mails.
        sender: who they come from.

    """

    def __init__(self, clock: Clock, *, sender: str = "sandbox <no-reply@sandbox.example>") -> None:
        self._clock = clock
        self._sender = sender
        self._mails: list[EmailMessage] = []
        self._lock = threading.Lock()

    def send(self, address: str, kind: str, places: Mapping[str, str]) -> EmailMessage:
        """Write a letter of that kind and keep it.

        Args:
            address: who receives it.
            kind: a key of `LETTERS`.
            places: the values of the letter's places; `link` is an address.

        """
        letter = LETTERS[kind]
        mail = self._addressed(address, kind, letter.subject)
        link = places.get("link", "")
        lines = (*letter.lines, _FOOT)
        plain = "\n\n".join(line.format_map({**places, "link": f"(bấm vào đây): {link}"}) for line in lines)
        mail.set_content(plain, cte="quoted-printable")
        mail.add_alternative(_html(lines, places, link), subtype="html", cte="base64")
        with self._lock:
            self._mails.append(mail)
        return mail

    def _addressed(self, address: str, kind: str, subject: str) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._sender
        mail["To"] = address
        mail["Subject"] = subject
        mail["Date"] = format_datetime(self._clock.now())
        mail["Message-ID"] = f"<{self._clock.new_id()}@sandbox.example>"
        mail["X-Bhxh-Sandbox"] = kind
        return mail

    def for_address(self, address: str, kind: str = "") -> tuple[EmailMessage, ...]:
        """Return the mails to an address, oldest first; only those of one kind when it is given."""
        wanted = address.casefold()
        return tuple(
            mail
            for mail in self
            if str(mail["To"]).casefold() == wanted and kind in {"", str(mail["X-Bhxh-Sandbox"])}
        )

    def latest(self, address: str, kind: str = "") -> EmailMessage:
        """Return the newest mail to an address.

        Raises:
            LookupError: there is none.

        """
        mails = self.for_address(address, kind)
        if not mails:
            msg = f"no mail to {address}"
            raise LookupError(msg)
        return mails[-1]

    def as_eml(self, mail: EmailMessage) -> bytes:
        """Return a mail as the bytes of an `.eml` file."""
        return mail.as_bytes()

    def inbox(self, address: str) -> Mailbox:
        """Return the mailbox of one address."""
        return Mailbox(self, address)

    def __iter__(self) -> Iterator[EmailMessage]:
        with self._lock:
            return iter(tuple(self._mails))

    def __len__(self) -> int:
        return len(self._mails)


@frozen
class Mailbox:
    """The mailbox of one address. It is a `bhxh_sdk.ports.Inbox`.

    Args:
        outbox: where the mails come from.
        address: whose mails they are.

    """

    outbox: Outbox
    address: str

    def latest(self) -> bytes:
        """Return the newest mail as the bytes of an `.eml` file, ready for `activate` and `log_in`.

        Raises:
            LookupError: there is none.

        """
        return self.outbox.as_eml(self.outbox.latest(self.address))

    async def mails(self) -> tuple[bytes, ...]:
        """Return every mail, oldest first."""
        return tuple(self.outbox.as_eml(mail) for mail in self.outbox.for_address(self.address))


def _html(lines: tuple[str, ...], places: Mapping[str, str], link: str) -> str:
    anchor = f'<a href="{escape(link)}">(bấm vào đây)</a>'
    safe = {name: escape(value) for name, value in places.items()} | {"link": anchor}
    body = "".join(f"<p>{line.format_map(safe)}</p>" for line in lines)
    return f'<!DOCTYPE html><html lang="vi"><body>{body}</body></html>'
