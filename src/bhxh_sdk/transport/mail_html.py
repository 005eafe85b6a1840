"""HTML of a mail as text: what a person sees, apart from what is in it and hidden.

The standard library's `HTMLParser` needs minutes for 100 kB of unclosed tags (measured on Python 3.11), and
lxml belongs to the XML room; so tags are cut out here in linear time. Whatever a browser might see otherwise
counts as hidden: nothing is lost by that but a code that a person then types in. Nothing is ever fetched.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from attrs import Factory, define, frozen

from bhxh_sdk.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["HtmlText", "html_text", "is_html"]


_MOST_TAGS = 30_000


@frozen(kw_only=True)
class HtmlText:
    """Hold the text of HTML, paragraphs and table cells on lines of their own.

    Args:
        shown: what a person sees.
        hidden: what is there and not seen.
        links: words and address of every link that is seen.

    """

    shown: str
    hidden: str
    links: tuple[tuple[str, str], ...]


def is_html(text: str) -> bool:
    """Tell whether text is HTML rather than plain text."""
    return _HTML.search(text) is not None


def html_text(text: str) -> HtmlText:
    """Return the text and the links of HTML.

    Hidden is what stands in an element with the attribute `hidden`, or whose style (its own, or one of the
    mail's style sheets for its class, identifier or name) hides it; and everything behind a tag that is not
    well formed.

    Raises:
        InputError: it has more tags than any mail of the agency.

    """
    if text.count("<") > _MOST_TAGS:
        raise InputError("mail.too_large", field="mail", limit=_MOST_TAGS)
    text, sheets = _without(text, "<style", r"</style\s{0,9}>")
    for name in ("script", "title", "template", "noscript", "iframe"):
        text, _ = _without(text, f"<{name}", rf"</{name}\s{{0,9}}>")
    for start, end in (("<!--", "-->"), (r"<[!?]", ">")):
        text, _ = _without(text, start, end)
    page, at = _Page(frozenset(_hidden_names("\n".join(sheets)))), 0
    for tag in _TAG.finditer(text):
        page.text(text[at : tag.start()])
        page.tag(tag[2].lower(), tag[3], closing=bool(tag[1]))
        at = tag.end()
    page.text(text[at:])
    return page.read()


_HTML = re.compile(r"<(?:!doctype html|html|body|table|div|p|br|span|td|a)\b[^<>]{0,2000}>", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-z][a-z0-9:]{0,30})([^<>]{0,4000})>", re.IGNORECASE | re.ASCII)
_TAG_BEGUN = re.compile(r"<[/a-z]", re.IGNORECASE | re.ASCII)
_ATTRIBUTE = re.compile(r"""([^\s=>"'/]++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++))?+|["']()""", re.ASCII)
_HUGE_NUMBER = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{8,});?")
_INLINE = frozenset(
    {"a", "abbr", "b", "code", "em", "font", "i", "mark", "small", "span", "strong", "u", "wbr"}
)
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_NOWHERE = "/"
"""An element's name that no tag closes."""


def _without(text: str, start: str, end: str) -> tuple[str, list[str]]:
    """Cut out everything from each start to the next end, in linear time; return the rest and the cut."""
    starts, ends = (re.compile(pattern, re.IGNORECASE | re.ASCII) for pattern in (start, end))
    kept, cut, at = [], [], 0
    while begin := starts.search(text, at):
        kept.append(text[at : begin.start()])
        stop = ends.search(text, begin.start())
        at = stop.end() if stop else len(text)
        cut.append(text[begin.end() : at])
    return "".join([*kept, text[at:]]), cut


@define
class _Page:
    """Gather text tag by tag."""

    hidden_names: frozenset[str]
    shown: list[str] = Factory(list)
    hidden: list[str] = Factory(list)
    links: list[tuple[str, str]] = Factory(list)
    address: str = ""
    since: int = 0
    inside: str = ""  # the hidden element that is open, and how often within itself
    depth: int = 0

    def text(self, text: str) -> None:
        if _TAG_BEGUN.search(text):
            self._hide(_NOWHERE)
        (self.hidden if self.inside else self.shown).append(" ".join(text.split("\n")))

    def tag(self, name: str, rest: str, *, closing: bool) -> None:
        if self.inside:
            self._tag_in_hidden(name, closing=closing)
        elif closing:
            self._close(name)
        else:
            self._open(name, dict(_attributes(rest)))
        if name not in _INLINE:
            self.shown.append("\n")
            self.hidden.append("\n")

    def _tag_in_hidden(self, name: str, *, closing: bool) -> None:
        if name == self.inside:
            self.depth += -1 if closing else 1
        if not self.depth:
            self.inside = ""

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        if _BROKEN in attributes:
            self._hide(_NOWHERE)
        elif name not in _VOID and self._is_hidden(name, attributes):
            self._hide(name)
        elif name == "a":
            self.address, self.since = attributes.get("href", ""), len(self.shown)

    def _close(self, name: str) -> None:
        if name == "a" and self.address:
            self.links.append((_visible("".join(self.shown[self.since :])), self.address))
            self.address = ""

    def _hide(self, name: str) -> None:
        self.inside, self.depth = self.inside or name, self.depth or 1
        self.hidden.append("\n")

    def _is_hidden(self, name: str, attributes: dict[str, str]) -> bool:
        if "hidden" in attributes or ("style" in attributes and _HIDING.search(_css(attributes["style"]))):
            return True
        classes = (f".{one}" for one in attributes.get("class", "").split())
        names = ("*", name, f"#{attributes.get('id', '')}", *classes)
        return not self.hidden_names.isdisjoint(names)

    def read(self) -> HtmlText:
        return HtmlText(
            shown=_visible("".join(self.shown)),
            hidden=_visible("".join(self.hidden)),
            links=tuple(self.links),
        )


_BROKEN = ""
"""Name of what stands in a tag and is no attribute: a quotation mark that is not closed."""


def _attributes(rest: str) -> Iterator[tuple[str, str]]:
    for match in _ATTRIBUTE.finditer(rest):
        yield (match[1] or _BROKEN).lower(), _visible((match[2] or "").strip("\"'"))


def _visible(text: str) -> str:
    return html.unescape(_HUGE_NUMBER.sub("\ufffd", text))


# Ways to hide text that mails are known to use; what colours hide, only a drawn page shows.
_ZERO = r"\s{0,9}:\s{0,9}(?:0{1,9}(?:\.0{0,9})?|\.0{1,9})(?![\d.])"
_FAR = r"\s{0,9}:\s{0,9}-\d{3}"
_HIDING = re.compile(
    rf"""display\s{{0,9}}:\s{{0,9}}none | visibility\s{{0,9}}:\s{{0,9}}(?:hidden|collapse)
    | (?:font-size|opacity|(?<![\w-])(?:max-)?height){_ZERO} | (?:text-indent|left|top){_FAR}
    | mso-hide\s{{0,9}}:\s{{0,9}}all | (?<![\w-])color\s{{0,9}}:\s{{0,9}}transparent""",
    re.IGNORECASE | re.ASCII | re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|)", re.IGNORECASE | re.ASCII)


def _css(text: str) -> str:
    """Return a style without its comments and escapes, which can disguise its words."""
    return _ESCAPE.sub(_unescaped, _without(text, r"/\*", r"\*/")[0])


def _unescaped(match: re.Match[str]) -> str:
    number = int(match[1] or "0", 16)
    return chr(number) if 0 < number < 0x110000 else ""  # noqa: PLR2004  # the end of Unicode


def _hidden_names(sheets: str) -> Iterator[str]:
    """Yield `.class`, `#identifier`, element name or `*` of what the style sheets hide somewhere."""
    for rule in _css(sheets).split("}"):
        selectors, _, style = rule.rpartition("{")
        if _HIDING.search(style):
            for selector in selectors.rpartition("{")[2].split(","):
                last = re.split(r"[\s>+~]", selector.strip(), flags=re.ASCII)[-1]
                names = re.findall(r"[.#][\w-]+", last)
                yield from names or [re.split(r"[:\[]", last)[0].lower() or "*"]
