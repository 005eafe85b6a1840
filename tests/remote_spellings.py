"""The ways in which a provider may spell a secret that it repeats."""

from __future__ import annotations

import base64
import html
import json
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SPELLINGS"]


def _in_lines(text: str, width: int = 8) -> str:
    return "\r\n".join(text[place : place + width] for place in range(0, len(text), width))


SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "itself": str,
    "json": json.dumps,
    "json with letters": lambda text: json.dumps(text, ensure_ascii=False),
    "json in json": lambda text: json.dumps(json.dumps(text)),
    "json in capitals": lambda text: json.dumps(text).upper(),
    "json with slashes": lambda text: json.dumps(text).replace("/", r"\/"),
    "repr of bytes": lambda text: repr(text.encode()),
    "xml": html.escape,
    "xml with numbers": lambda text: text.encode("ascii", "xmlcharrefreplace").decode().replace("<", "&#60;"),
    "xml in xml": lambda text: html.escape(html.escape(text)),
    "json in xml": lambda text: html.escape(json.dumps(text)),
    "address": lambda text: quote(text, safe=""),
    "path": quote,
    "form": quote_plus,
    "address in small letters": lambda text: quote(text, safe="").lower(),
    "address in an address": lambda text: quote(quote(text)),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal in capitals": lambda text: text.encode().hex().upper(),
    "capitals": str.upper,
    "small letters": str.lower,
    "letters and marks apart": lambda text: unicodedata.normalize("NFD", text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 in lines": lambda text: _in_lines(base64.b64encode(text.encode()).decode()),
    "base64 in lines in json": lambda text: json.dumps(_in_lines(base64.b64encode(text.encode()).decode())),
    "base64 with a name": lambda text: base64.b64encode(f"sp:{text}".encode()).decode(),
}
