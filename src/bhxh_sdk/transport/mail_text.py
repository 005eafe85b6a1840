"""The readable text and the links of a mail, however it is encoded, without trusting any of it.

The standard library's `HTMLParser` needs minutes for 100 kB of unclosed tags (measured on Python 3.11), and
lxml belongs to the XML room; so tags are cut out here in linear time. Nothing is ever fetched or followed.
"""

from __future__ import annotations

import html
import re
import unicodedata
from email import message_from_bytes
from email.message import Message
from typing import TYPE_CHECKING, Any

from attrs import frozen

from bhxh_sdk.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MailText", "mail_text"]

_LONGEST_HEADER = 1000
_MOST_PARTS = 40
_LONGEST_TEXT = 500_000


@frozen(kw_only=True)
class MailText:
    """What a person would read.

    Args:
        lines: the text, one paragraph or table cell per line, in NFC.
        links: words and address of every link in HTML.

    """

    lines: str
    links: tuple[tuple[str, str], ...] = ()


def mail_text(mail: str | bytes, *, largest: int) -> MailText:
    """Return what a person would read in a mail.

    Args:
        mail: pasted text, pasted HTML, or the source of a mail as text or bytes.
        largest: how many bytes it may have.

    Raises:
        InputError: it is too large, or no mail.

    """
    source = mail.encode("utf-8", errors="replace") if isinstance(mail, str) else bytes(mail)
    if len(source) > largest:
        raise InputError("mail.too_large", field="mail", limit=largest)
    parts = _parts(source) if _MAIL.match(source[:_LONGEST_HEADER]) else [_decoded(source, "")]
    texts = [_text_of(part) for part in parts]
    if sum(len(text.lines) for text in texts) > _LONGEST_TEXT:
        raise InputError("mail.too_large", field="mail", limit=_LONGEST_TEXT)
    return MailText(
        lines="\n".join(text.lines for text in texts),
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
    nested = len(_NESTING.findall(source))
    if nested > _MOST_PARTS:
        raise InputError("mail.too_nested", field="mail", limit=_MOST_PARTS)
    message = message_from_bytes(source.lstrip(), _class=_Part)
    return list(_text_parts(message))


_NESTING = re.compile(rb"multipart/|message/", re.IGNORECASE)


def _text_parts(message: Message) -> Iterator[str]:
    for part in message.walk():
        if part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment":
            payload = part.get_payload(decode=True)
            yield _decoded(payload, part.get_content_charset("")) if isinstance(payload, bytes) else ""


def _decoded(content: bytes, charset: str) -> str:
    for name in (charset, "utf-8-sig", "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else ""):
        try:
            return content.decode(name)
        except (LookupError, ValueError):
            continue
    return content.decode("utf-8", errors="replace")


def _text_of(text: str) -> MailText:
    links: tuple[tuple[str, str], ...] = ()
    if _HTML.search(text):
        text, links = _without_tags(text)
    return MailText(lines=_plain(text), links=links)


def _plain(text: str) -> str:
    """Bring text to NFC, every white space to a blank or a line end, and drop what nobody sees."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(" ".join(line.split()) for line in _UNSEEN.sub("", text).split("\n"))


_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""Soft hyphens, zero-width characters and marks of direction."""


_HTML = re.compile(r"<(?:!doctype html|html|body|table|div|p|br|span|td|a)\b[^<>]{0,2000}>", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-z][a-z0-9:]{0,30})([^<>]{0,4000})>", re.IGNORECASE)
_HREF = re.compile(
    r"\bhref\s{0,9}=\s{0,9}(?:\"([^\"]{1,3000})\"|'([^']{1,3000})'|([^\s\"'>]{1,3000}))", re.IGNORECASE
)
_HUGE_NUMBER = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{8,});?")
_INLINE = frozenset(
    {"a", "abbr", "b", "code", "em", "font", "i", "mark", "small", "span", "strong", "u", "wbr"}
)
_HIDDEN = ("script", "style", "title")


def _without_tags(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    text = _without(text, "<!--", "-->")
    for name in _HIDDEN:
        text = _without(text, f"<{name}", f"</{name}>")
    pieces: list[str] = []
    links: list[tuple[str, str]] = []
    address, since, at = "", 0, 0
    for tag in _TAG.finditer(text):
        pieces.append(" ".join(text[at : tag.start()].split("\n")))
        at = tag.end()
        closing, name, rest = tag[1], tag[2].lower(), tag[3]
        if name not in _INLINE:
            pieces.append("\n")
        elif name == "a" and closing:
            links.append((_visible("".join(pieces[since:])), _visible(address)))
        elif name == "a":
            address, since = _href(rest), len(pieces)
    pieces.append(text[at:])
    return _visible("".join(pieces)), tuple(link for link in links if link[1])


def _without(text: str, start: str, end: str) -> str:
    """Cut out everything from each start to the next end, in linear time."""
    lower, kept, at = text.lower(), [], 0
    while (begin := lower.find(start, at)) >= 0:
        kept.append(text[at:begin])
        stop = lower.find(end, begin)
        if stop < 0:
            return "".join(kept)
        at = stop + len(end)
    return "".join([*kept, text[at:]])


def _visible(text: str) -> str:
    return html.unescape(_HUGE_NUMBER.sub("\ufffd", text))


def _href(attributes: str) -> str:
    match = _HREF.search(attributes)
    return next((value for value in match.groups() if value), "") if match else ""
