"""Text as the models keep it: normalised to NFC, trimmed, and compared with or without Vietnamese marks."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from bhxh_sdk.errors import WrongTypeError

if TYPE_CHECKING:
    from attrs import Attribute

__all__ = [
    "as_text",
    "control_characters",
    "has_run_of_marks",
    "is_text",
    "normalised",
    "same_name",
    "without_marks",
]


# Sorting a run of combining marks takes a time that grows with its square. No language needs long ones.
_MOST_MARKS = 30


def normalised(value: str) -> str:
    """Return the text in NFC, without white space around it.

    A text in which more than 30 combining marks follow each other is left as it is; the rules report it.
    """
    return value.strip() if has_run_of_marks(value) else unicodedata.normalize("NFC", value).strip()


def has_run_of_marks(value: str) -> bool:
    """Tell whether more than 30 combining marks follow each other."""
    run = 0
    for letter in "" if value.isascii() else value:
        run = run + 1 if unicodedata.category(letter).startswith("M") else 0
        if run > _MOST_MARKS:
            return True
    return False


def without_marks(value: str) -> str:
    """Return the text in lower case without Vietnamese marks: `Bình Thạnh` gives `binh thanh`."""
    decomposed = _taken_apart(value)
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(bare.replace("đ", "d").split())


def _taken_apart(value: str) -> str:
    lower = value.casefold()
    return lower if has_run_of_marks(lower) else unicodedata.normalize("NFD", lower)


def same_name(one: str, other: str) -> bool:
    """Tell whether two names are the same, whatever their case, Unicode form and white space.

    Marks count: `Hòa` and `Hoà` are two spellings of one name, `Hoa` and `Hòa` are two names.
    """
    return _comparable(one) == _comparable(other)


def _comparable(value: str) -> str:
    """Bring both customs of placing the tone mark (`òa`, `oà`) to one form: the tone comes last."""
    words = _taken_apart(value).split()
    return " ".join(_tone_last(word) for word in words)


_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")


def _tone_last(word: str) -> str:
    letters = "".join(letter for letter in word if letter not in _TONES)
    tones = "".join(letter for letter in word if letter in _TONES)
    return unicodedata.normalize("NFC", letters) + tones


def control_characters(value: str) -> tuple[str, ...]:
    """Return the characters that XML 1.0 or a form cannot hold, by their `U+0000` names.

    These are controls, surrogates and non-characters. Tabs and line ends count too: every field of the forms
    is one line.
    """
    return tuple(f"U+{ord(letter):04X}" for letter in value if _is_forbidden(letter))


def _is_forbidden(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Cs"} or letter in {"\ufffe", "\uffff", "\u2028", "\u2029"}


def as_text(value: str) -> str:
    """Normalise text; leave anything else for `is_text`, which knows the field's name."""
    given: Any = value
    return normalised(given) if isinstance(given, str) else given


def is_text(instance: object, attribute: Attribute[str], value: object) -> None:
    """Validate that an attrs field holds text.

    Raises:
        WrongTypeError: it holds something else.

    """
    if not isinstance(value, str):
        raise WrongTypeError(
            field=f"{type(instance).__name__}.{attribute.name}", expected="str", got=type(value).__name__
        )
