"""Compile the message catalogues (`compile`) or check them (`check`).

Each `src/bhxh_sdk/messages/locale/<language>/LC_MESSAGES/<domain>.po` has its compiled `.mo` beside it, in
the repository, so that an installed package needs no compiler. `check` finds a stale `.mo`, a fuzzy or empty
text, and every difference between the languages: a message, or a {placeholder} in it, that only one has.
"""

from __future__ import annotations

import io
import string
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babel.messages.catalog import Message

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "src" / "bhxh_sdk" / "messages" / "locale"
LANGUAGES = ("vi", "en")
HEADERS = {"Language", "Plural-Forms", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}


class PlainCatalog(Catalog):
    """A catalogue whose header says nothing of when, by whom or with which tool version it was made."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """The headers that gettext reads."""
        return [(name, value) for name, value in super().mime_headers if name in HEADERS]


def read_sources(locale: Path) -> dict[Path, Catalog]:
    """Parse every `.po` file below `locale`."""
    catalogues = {}
    for path in sorted(locale.glob("*/LC_MESSAGES/*.po")):
        with path.open("rb") as file:
            catalogues[path] = read_po(file, locale=path.parts[-3], abort_invalid=True)
    return catalogues


def compiled(catalogue: Catalog) -> bytes:
    """The `.mo` bytes of a catalogue: the same texts give the same bytes."""
    plain = PlainCatalog(locale=catalogue.locale)
    for message in catalogue:
        if message.id and not message.fuzzy:
            plain.add(message.id, message.string, context=message.context)
    buffer = io.BytesIO()
    write_mo(buffer, plain)
    return buffer.getvalue()


def key_of(message: Message) -> str:
    """A message's identity: its context and its id (the singular one, if it has a plural)."""
    singular = message.id if isinstance(message.id, str) else message.id[0]
    return f"{message.context}|{singular}" if message.context else singular


def texts_of(message: Message) -> tuple[str, ...]:
    """A message's texts: one, or one per plural form."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def placeholders(message: Message) -> frozenset[str]:
    """The names in braces; raises ValueError for a text that `str.format` could not read."""
    fields = (field for text in texts_of(message) for _, field, _, _ in string.Formatter().parse(text))
    return frozenset(field for field in fields if field is not None)


def faults_of_one(path: Path, catalogue: Catalog) -> Iterator[str]:
    """What is wrong with one catalogue by itself."""
    machine = path.with_suffix(".mo")
    if not machine.exists() or machine.read_bytes() != compiled(catalogue):
        yield f"{machine}: out of date, run `make messages`"
    for message in catalogue:
        if not message.id:
            continue
        if message.fuzzy:
            yield f"{path}: {key_of(message)}: marked fuzzy"
        if not all(text.strip() for text in texts_of(message)):
            yield f"{path}: {key_of(message)}: has no text"
        try:
            placeholders(message)
        except ValueError as error:
            yield f"{path}: {key_of(message)}: braces do not match ({error})"


def faults_between(domain: str, catalogues: dict[str, Catalog]) -> Iterator[str]:
    """What one language has and another lacks."""
    missing = [language for language in LANGUAGES if language not in catalogues]
    if missing:
        yield f"{domain}: no catalogue for {', '.join(missing)}"
        return
    first, *others = LANGUAGES
    messages = {
        language: {key_of(message): message for message in catalogues[language] if message.id}
        for language in LANGUAGES
    }
    for other in others:
        for key in sorted(messages[first].keys() ^ messages[other].keys()):
            yield f"{domain}: {key}: missing in {other if key in messages[first] else first}"
        for key in sorted(messages[first].keys() & messages[other].keys()):
            try:
                here, there = placeholders(messages[first][key]), placeholders(messages[other][key])
            except ValueError:
                continue  # already reported for the catalogue itself
            if here != there:
                yield f"{domain}: {key}: placeholders differ: {first} {sorted(here)}, {other} {sorted(there)}"


def faults(locale: Path) -> list[str]:
    """Everything that is wrong below `locale`."""
    sources = read_sources(locale)
    if not sources:
        return [f"{locale}: no message catalogue found"]
    found = [fault for path, catalogue in sources.items() for fault in faults_of_one(path, catalogue)]
    expected = {path.with_suffix(".mo") for path in sources}
    strays = sorted(set(locale.glob("*/LC_MESSAGES/*.mo")) - expected)
    found += [f"{stray}: compiled from nothing" for stray in strays]
    for domain in sorted({path.stem for path in sources}):
        by_language = {path.parts[-3]: source for path, source in sources.items() if path.stem == domain}
        found += faults_between(domain, by_language)
    return found


def main(arguments: list[str], locale: Path = LOCALE) -> int:
    """Run `compile` or `check`."""
    if arguments == ["compile"]:
        for path, catalogue in read_sources(locale).items():
            path.with_suffix(".mo").write_bytes(compiled(catalogue))
            print(path.with_suffix(".mo").relative_to(locale))
        return 0
    if arguments == ["check"]:
        found = faults(locale)
        print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
        return 1 if found else 0
    print("usage: messages.py compile|check", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
