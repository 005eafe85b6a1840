"""A provider's text without the secrets that it repeats, however it spells them.

Text and secrets are brought to one form: the escapes of JSON, XML and addresses are undone until none is
left, letters are small and without marks, and what base64, its alphabet for addresses, line ends and forms
write differently is alike. Each letter knows where it stood in the text, so that those places are masked. The
form is coarse: rather a harmless piece of text is masked than a secret shown.
"""

from __future__ import annotations

import base64
import html
import json
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["masked"]

_MASK = "***"
_SHORTEST = 4  # shorter secrets, and shorter beginnings of one, are not masked
_SHORTEST_FOLDED = 3
_LONGEST_CODE = 8  # a code such as 50000 was not cut, though a token may begin as it ends
_SHORTEST_HEX = 8  # four bytes
_SHORTEST_BASE64 = 6  # four bytes
_DEPTH = 4  # escapes inside escapes that are undone
_FIRST_OWN = (0, 2, 3)
"""The first character of base64 that is a value's own, after none, one and two bytes of something else."""

_ESCAPE = re.compile(
    r"(?P<octets>(?:(?:%|\\x)[0-9a-f]{2})+)"
    r"|(?P<json>(?:\\u[0-9a-f]{4})+|\\[bfnrt])"
    r"|\\(?P<itself>.)"
    r"|(?P<xml>&\#?\w{1,8};)",
    re.IGNORECASE | re.DOTALL,
)
_CUT_ESCAPE = re.compile(
    r"(?:\\+(?:u[0-9a-f]{0,3}|x[0-9a-f]?)?|%(?:25)*[0-9a-f]?|&(?:amp;)*\#?\w{0,8})\Z", re.IGNORECASE
)
_BEFORE_OCTET = re.compile(r"%|\\x", re.IGNORECASE)

_Letter = tuple[str, int, int]
"""One character, and where its spelling begins and ends in the text."""


def masked(text: str, values: Iterable[str]) -> str:
    """Return a text without the values, and without the beginning of one where the text was cut.

    Args:
        text: a foreign text.
        values: what it must not show; what has less than four characters stays.

    """
    wanted = [value for value in values if len(value) >= _SHORTEST]
    if not text or not wanted:
        return text
    whole = [_folded(view) for view in _views(text)]
    ends = [*whole, *(_folded(view) for view in _views(_CUT_ESCAPE.sub("", text)))]
    if text.isdecimal() and len(text) <= _LONGEST_CODE:
        ends = []
    places = [
        (at, at + len(value)) for value in wanted for at in _found(text, value)
    ]  # also one of blanks alone
    for value in wanted:
        places += _places(value, whole, ends, len(text))
    for start, end in reversed(_joined(places)):
        text = text[:start] + _MASK + text[end:]
    return text


def _places(
    value: str, whole: Iterable[Sequence[_Letter]], ends: Iterable[Sequence[_Letter]], length: int
) -> Iterator[tuple[int, int]]:
    """Yield where a value stands in a text, and from where on the text's end is the beginning of it."""
    shapes = [one for one in _shapes(value) if len(one[0]) >= _SHORTEST_FOLDED]
    for view in whole:
        text = _text(view)
        for shape, _ in shapes:
            for at in _found(text, shape):
                yield view[at][1], view[at + len(shape) - 1][2]
    for view in ends:
        text = _text(view)
        for shape, shortest in shapes:
            for size in range(min(len(shape) - 1, len(text)), shortest - 1, -1):
                if text.endswith(shape[:size]):
                    yield view[-size][1], length
                    break


def _found(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def _shapes(value: str) -> Iterator[tuple[str, int]]:
    """Yield each form of a value, and how much of its beginning is masked at the end of a text."""
    shortest = max(_SHORTEST_FOLDED, len(_fold(value[:_SHORTEST])))
    for view in _views(value):
        yield _text(_folded(view)), shortest
    raw = value.encode()
    yield raw.hex(), _SHORTEST_HEX
    for start, first in enumerate(_FIRST_OWN):
        coded = base64.b64encode(bytes(start) + raw).decode()
        last = len(coded) if (start + len(raw)) % 3 == 0 else coded.index("=") - 1
        yield _fold(coded[first:last]), _SHORTEST_BASE64


def _views(text: str) -> Iterator[list[_Letter]]:
    """Yield a text as it is, then with one layer of escapes undone, and so on."""
    view = [(letter, place, place + 1) for place, letter in enumerate(text)]
    yield view
    for _ in range(_DEPTH):
        bare = _unescaped(view)
        if len(bare) == len(view):
            return
        view = bare
        yield view


def _unescaped(view: list[_Letter]) -> list[_Letter]:
    bare: list[_Letter] = []
    done = 0
    for escape in _ESCAPE.finditer(_text(view)):
        start, end = escape.span()
        bare += view[done:start]
        bare += [(letter, view[start][1], view[end - 1][2]) for letter in _meant(escape)]
        done = end
    return bare + view[done:]


def _meant(escape: re.Match[str]) -> str:
    """Return the characters that an escape stands for."""
    if octets := escape["octets"]:
        return bytes.fromhex(_BEFORE_OCTET.sub("", octets)).decode(errors="ignore")
    if escaped := escape["json"]:
        return str(json.loads(f'"{escaped.lower()}"'))
    return escape["itself"] or html.unescape(escape["xml"])


def _folded(view: Iterable[_Letter]) -> list[_Letter]:
    return [(part, start, end) for letter, start, end in view for part in _fold(letter)]


def _fold(text: str) -> str:
    """Return small letters without marks; blanks, `+` and `-` fall away, `_` is `/`."""
    parts = unicodedata.normalize("NFKD", text).lower().replace("_", "/")
    return "".join(
        part for part in parts if not (part.isspace() or part in "+-" or unicodedata.combining(part))
    )


def _text(view: Iterable[_Letter]) -> str:
    return "".join(letter for letter, _, _ in view)


def _joined(places: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the places in their order; those that overlap or touch are one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
