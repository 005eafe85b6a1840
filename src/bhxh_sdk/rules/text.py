"""Rules about the characters of every text in a form."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from bhxh_sdk.models.text import control_characters, has_run_of_marks
from bhxh_sdk.rules.rule import FormCase, Hit, error, hit, rule, warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bhxh_sdk.models import Registration

__all__ = ["controls", "invisible", "look_alikes", "marks", "too_long"]

LONGEST_TEXT = 500

_MOST_NAMED = 5
# Scripts with letters that look like Latin ones, by the first word of their characters' names.
_LOOK_ALIKE = {"ARMENIAN", "CHEROKEE", "CYRILLIC", "FULLWIDTH", "GREEK", "MATHEMATICAL"}


@rule(error("text.control_characters", "XML 1.0, section 2.2; every field of the forms is one line"))
def controls(case: FormCase) -> Iterator[Hit]:
    """No text holds characters that XML or a line of a form cannot."""
    for path, text in _texts(case.form):
        if characters := control_characters(text):
            yield hit("text.control_characters", path, place=path, characters=_named(characters))


@rule(error("text.marks", "Unicode Standard Annex 15: no language needs more than 30 marks on one letter"))
def marks(case: FormCase) -> Iterator[Hit]:
    """No letter carries a heap of combining marks."""
    for path, text in _texts(case.form):
        if has_run_of_marks(text):
            yield hit("text.marks", path, place=path)


@rule(warning("text.invisible", "Unicode general category Cf: such characters hide or reorder text"))
def invisible(case: FormCase) -> Iterator[Hit]:
    """No text holds characters that nobody sees."""
    for path, text in _texts(case.form):
        if characters := [_name(letter) for letter in text if unicodedata.category(letter) == "Cf"]:
            yield hit("text.invisible", path, place=path, characters=_named(characters))


@rule(warning("text.look_alike", "Unicode Technical Standard 39: mixed scripts"))
def look_alikes(case: FormCase) -> Iterator[Hit]:
    """No text mixes Latin letters with letters of other scripts that look the same."""
    for path, text in _texts(case.form):
        if text.isascii() or not any(letter.isascii() and letter.isalnum() for letter in text):
            continue
        if characters := [_name(letter) for letter in text if _looks_latin(letter)]:
            yield hit("text.look_alike", path, place=path, characters=_named(characters))


def _looks_latin(letter: str) -> bool:
    return not letter.isascii() and unicodedata.name(letter, "").split(" ", 1)[0] in _LOOK_ALIKE


@rule(warning("text.too_long", "not proven: no text on lengths was found"))
def too_long(case: FormCase) -> Iterator[Hit]:
    """No text is longer than anybody would type."""
    for path, text in _texts(case.form):
        if len(text) > LONGEST_TEXT:
            yield hit("text.too_long", path, place=path, length=len(text), limit=LONGEST_TEXT)


def _name(letter: str) -> str:
    return f"U+{ord(letter):04X}"


def _named(characters: Iterable[str]) -> str:
    distinct = tuple(dict.fromkeys(characters))
    return ", ".join(distinct[:_MOST_NAMED]) + (", …" if len(distinct) > _MOST_NAMED else "")


def _texts(form: Registration) -> Iterator[tuple[str, str]]:
    """Give every text of a form with its path."""
    yield from _members(
        "agency", form.agency, "code", "name", "province_code", "parent_code", "internal_id", "source"
    )
    yield from _members(
        "organisation", form.organisation, "name", "unit_code", "tax_code", "address", "phone"
    )
    yield from _members("contact", form.contact, "name", "address", "mobile", "email")
    yield from _members("transact_at", form.transact_at, "code", "name")
    yield "changes", form.changes
    yield from _members("stop", form.stop, "text")
    for place, file in enumerate(form.attachments):
        yield from _members(f"attachments[{place}]", file, "file_name", "form_code", "description")


def _members(path: str, value: object, *names: str) -> Iterator[tuple[str, str]]:
    for name in names:
        yield f"{path}.{name}", str(getattr(value, name, None) or "")
