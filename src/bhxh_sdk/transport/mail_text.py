"""The readable text and the links of a mail, however it is encoded, without trusting any of it."""

from __future__ import annotations

import codecs
import re
from email import message_from_bytes
from email.message import Message
from typing import TYPE_CHECKING, Any

from attrs import frozen

from bhxh_sdk.errors import InputError
from bhxh_sdk.models.text import normalised
from bhxh_sdk.transport.mail_html import html_text, is_html

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MailText", "mail_text"]

_LONGEST_HEADER = 1000
_LONGEST_HEADERS = 64_000
_MOST_PARTS = 40
_MOST_LINES = 50_000
_LONGEST_TEXT = 500_000


@frozen(kw_only=True)
class MailText:
    """What a person would read.

    Args:
        lines: the text, one paragraph or table cell per line, in NFC, without quoted lines (`> …`).
        links: words and address of every link in HTML.
        hidden: the text in HTML that nobody sees.

    """

    lines: str
    hidden: str = ""
    links: tuple[tuple[str, str], ...] = ()


def mail_text(mail: str | bytes, *, largest: int) -> MailText:
    """Return what a person would read in a mail.

    Args:
        mail: pasted text, pasted HTML, or the source of a mail as text or bytes.
        largest: how many bytes it may have.

    Raises:
        InputError: it is too large, or has too many parts.

    """
    source = mail.encode("utf-8", errors="replace") if isinstance(mail, str) else bytes(mail)
    if len(source) > largest:
        raise InputError("mail.too_large", field="mail", limit=largest)
    parts = _parts(source) if _MAIL.match(source[:_LONGEST_HEADER]) else [_decoded(source, "")]
    texts = [_text_of(part) for part in parts]
    if sum(len(text.lines) + len(text.hidden) for text in texts) > _LONGEST_TEXT:
        raise InputError("mail.too_large", field="mail", limit=_LONGEST_TEXT)
    return MailText(
        lines="\n".join(text.lines for text in texts),
        hidden="\n".join(text.hidden for text in texts),
        links=tuple(link for text in texts for link in text.links),
    )


_MAIL = re.compile(
    rb"\A\s{0,100}(?:Return-Path|Received|Delivered-To|From|To|Subject|Date|Message-ID|MIME-Version|Content-Type"
    rb"|Content-Transfer-Encoding|DKIM-Signature|Authentication-Results|ARC-Seal|X-[A-Za-z-]{1,60}):",
    re.IGNORECASE,
)


class _Part(Message):
    """A part whose headers are cut: parsing a parameter takes quadratic time."""

    def get(self, name: str, failobj: Any = None) -> Any:  # noqa: ANN401  # the base class is untyped here
        value = super().get(name, failobj)
        return failobj if value is None else str(value)[:_LONGEST_HEADER]


def _parts(source: bytes) -> list[str]:
    """Return the decoded text parts of a mail, those of a forwarded mail too."""
    source = source.lstrip()
    _demand_modest(source)
    message = message_from_bytes(source, _class=_Part)
    return list(_text_parts(message))


def _demand_modest(source: bytes) -> None:
    """Refuse what the standard library's parser needs long for; every part begins behind such a line."""
    nested = len(_NESTING.findall(source))
    if nested and max(nested, len(_BOUNDARY.findall(source))) > _MOST_PARTS:
        raise InputError("mail.too_nested", field="mail", limit=_MOST_PARTS)
    headers = _BLANK_LINE.split(source, 1)[0]
    if len(headers) > _LONGEST_HEADERS:
        raise InputError("mail.too_large", field="mail", limit=_LONGEST_HEADERS)
    if len(source.splitlines()) > _MOST_LINES:
        raise InputError("mail.too_large", field="mail", limit=_MOST_LINES)


_NESTING = re.compile(rb"multipart/|message/", re.IGNORECASE)
_BOUNDARY = re.compile(rb"(?:\A|[\r\n])--")
_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def _text_parts(message: Message) -> Iterator[str]:
    for part in message.walk():
        encoding = part.get("Content-Transfer-Encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            continue
        if part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment":
            payload = part.get_payload(decode=True)
            yield _decoded(payload, part.get_content_charset("")) if isinstance(payload, bytes) else ""


# Of RFC 2045; the standard library decodes uuencode too, with hundreds of megabytes of warnings.
_ENCODINGS = frozenset({"", "7bit", "8bit", "binary", "quoted-printable", "base64"})


def _decoded(content: bytes, charset: str) -> str:
    own = charset if _is_of_mails(charset) else ""
    for name in (own, "utf-8-sig", "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else ""):
        try:
            return content.decode(name)
        except (LookupError, ValueError):
            continue
    return content.decode("utf-8", errors="replace")


def _is_of_mails(charset: str) -> bool:
    """Tell whether mails use the charset: Python knows others, and some take a time that squares."""
    try:
        return _CHARSETS.fullmatch(codecs.lookup(charset).name) is not None
    except (LookupError, ValueError):
        return False


_CHARSETS = re.compile(
    r"utf-(?:8|8-sig|16|16-[bl]e|32|32-[bl]e)|ascii|(?:iso8859|koi8|tis|cp|gb|big5|euc|shift_jis)[\w-]*"
)


def _text_of(text: str) -> MailText:
    if not is_html(text):
        return MailText(lines=_plain(text))
    page = html_text(text)
    return MailText(lines=_plain(page.shown), hidden=_plain(page.hidden), links=page.links)


def _plain(text: str) -> str:
    """Bring text to NFC, white space to blanks and line ends, and drop the unseen and what is quoted."""
    text = _UNSEEN.sub("", normalised(text.replace("\r\n", "\n").replace("\r", "\n")))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join("" if line.startswith(">") else line for line in lines)


_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""Soft hyphens, zero-width characters and marks of direction."""
