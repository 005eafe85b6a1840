"""Rules about the files that go with a form."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bhxh_sdk.rules.rule import FormCase, Hit, error, hit, rule, shown
from bhxh_sdk.rules.sources import FIRST_DOSSIER

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["contents", "licence", "name_lengths", "names", "unique_names"]

LONGEST_NAME_BYTES = 255

_FILE_SYSTEMS = "file systems: a name is one part of a path, of 255 bytes at most"


@rule(error("attachment.licence_missing", FIRST_DOSSIER))
def licence(case: FormCase) -> Iterator[Hit]:
    """A first registration brings the business licence."""
    if case.form.is_first and not case.form.attachments:
        yield hit("attachment.licence_missing", "attachments")


@rule(error("attachment.name_missing", FIRST_DOSSIER), error("attachment.path_in_name", _FILE_SYSTEMS))
def names(case: FormCase) -> Iterator[Hit]:
    """Every file has a plain name."""
    for place, file in enumerate(case.form.attachments):
        where = f"attachments[{place}].file_name"
        if not file.file_name:
            yield hit("attachment.name_missing", where)
        elif file.file_name in {".", ".."} or any(mark in file.file_name for mark in "/\\"):
            yield hit("attachment.path_in_name", where, value=shown(file.file_name))


@rule(error("attachment.name_too_long", _FILE_SYSTEMS))
def name_lengths(case: FormCase) -> Iterator[Hit]:
    """Every name fits into 255 bytes of UTF-8."""
    for place, file in enumerate(case.form.attachments):
        length = len(file.file_name.encode(errors="surrogatepass"))
        if length > LONGEST_NAME_BYTES:
            where = f"attachments[{place}].file_name"
            yield hit("attachment.name_too_long", where, length=length, limit=LONGEST_NAME_BYTES)


@rule(error("attachment.duplicate_name", _FILE_SYSTEMS))
def unique_names(case: FormCase) -> Iterator[Hit]:
    """No two files have one name, upper and lower case aside."""
    keys = [file.file_name.casefold() for file in case.form.attachments]
    seen: Counter[str] = Counter()
    for place, key in enumerate(keys):
        if key and seen[key]:
            where = f"attachments[{place}].file_name"
            yield hit("attachment.duplicate_name", where, value=shown(case.form.attachments[place].file_name))
        seen[key] += 1


@rule(error("attachment.empty", FIRST_DOSSIER))
def contents(case: FormCase) -> Iterator[Hit]:
    """Every file holds something."""
    for place, file in enumerate(case.form.attachments):
        if not file.content:
            yield hit("attachment.empty", f"attachments[{place}].content", value=shown(file.file_name))
