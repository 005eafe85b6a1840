"""Captchas of the sandbox: a small real PNG, a ticket that is good once, and the answer for tests."""

from __future__ import annotations

import struct
import threading
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bhxh_sdk.ports import Clock

__all__ = ["Captchas", "picture"]

_LETTERS = 4
_SCALE = 10
_GLYPHS = {  # three columns, five rows; one digit of three bits per row
    "0": "75557",
    "1": "26227",
    "2": "71747",
    "3": "71717",
    "4": "55711",
    "5": "74717",
    "6": "74757",
    "7": "71122",
    "8": "75757",
    "9": "75717",
}


def picture(text: str) -> bytes:
    """Return a black-on-white PNG that shows digits."""
    rows = [f"0{'0'.join(f'{int(_GLYPHS[digit][row]):03b}' for digit in text)}0" for row in range(5)]
    blank = "0" * len(rows[0])
    dots = [[bit == "0" for bit in row for _ in range(_SCALE)] for row in (blank, *rows, blank)]
    lines = b"".join((b"\0" + bytes(255 * dot for dot in line)) * _SCALE for line in dots)
    size = struct.pack(">IIBBBBB", len(dots[0]), len(dots) * _SCALE, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", size), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


class Captchas:
    """Draw captchas and judge answers.

    Args:
        clock: gives the chance.

    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, tuple[str, str]] = {}
        self._drawn: dict[bytes, str] = {}
        self._lock = threading.Lock()

    def draw(self, visitor: str) -> tuple[bytes, str]:
        """Return a picture and its ticket, good once and for this visitor only."""
        text = "".join(str(byte % 10) for byte in self._clock.random_bytes(_LETTERS))
        image, ticket = picture(text), self._clock.new_id()
        with self._lock:
            self._open[ticket] = (text, visitor)
            self._drawn[image] = text
        return image, ticket

    def answer(self, image: bytes) -> str:
        """Return what a picture shows, for tests that play the person."""
        return self._drawn[image]

    def judge(self, ticket: str, text: str, visitor: str) -> bool:
        """Tell whether the answer is right; the ticket is spent either way."""
        with self._lock:
            return self._open.pop(ticket, None) == (text.strip(), visitor)
