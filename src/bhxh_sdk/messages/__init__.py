"""Message texts: a stable code gives the Vietnamese and the English text, from gettext catalogues.

One gettext domain per subject (see `DOMAINS`), one entry per code. The hint that says how to
mend a matter stands under the code followed by `.hint`.
"""

from __future__ import annotations

import gettext
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DOMAINS", "LANGUAGES", "Language", "Parameter", "Term", "hint", "known_codes", "text"]

Language = Literal["vi", "en"]
Parameter = str | int

LANGUAGES: tuple[Language, ...] = get_args(Language)
DOMAINS = (
    "errors",
    "form",
    "catalogue",
    "rules",
    "documents",
    "signing",
    "trust",
    "transport",
    "mail",
    "steps",
    "faces",
    "token",
    "pin",
    "driver",
    "doctor",
    "remote",
)

_LOCALE = Path(__file__).parent / "locale"

# What makes no sense without the values in it: a remark in brackets, a quotation, a colon with what follows.
_CLAUSE = re.compile(r" ?\((?:[^(){}]*\{\w+\})+[^(){}]*\)| ?[«“]\{\w+\}[»”]")
_PLACE = re.compile(r":? ?(?<!\{)\{(\w+)\}(?!\})")


@cache
def _catalogue(domain: str, language: Language) -> gettext.GNUTranslations:
    with (_LOCALE / language / "LC_MESSAGES" / f"{domain}.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def _template(code: str, language: Language) -> str | None:
    for domain in DOMAINS:
        template = _catalogue(domain, language).gettext(code)
        if code and template != code:
            return template
    return None


class Term(str):
    """A value that is the code of a text of its own, such as `kind.text`, to be spelt in any language.

    It is a type, not a mark in the text: what somebody typed or a server sent can never become one.
    """

    __slots__ = ()


def _spelt(value: Parameter, language: Language) -> Parameter:
    template = _template(value, language) if isinstance(value, Term) else None
    return value if template is None else _filled(template, {}, language)


def _filled(template: str, parameters: Mapping[str, Parameter], language: Language = "en") -> str:
    """Fill in the places of a template; one without a value is left out with its brackets or its colon."""
    named = {name: _spelt(value, language) for name, value in parameters.items()}
    parameters = parameters if named == parameters else named

    def kept(match: re.Match[str]) -> str:
        names = _PLACE.findall(match[0])
        return match[0] if any(parameters.get(name, "") != "" for name in names) else ""

    shortened = _PLACE.sub(kept, _CLAUSE.sub(kept, template))
    return shortened.replace("( ", "(").strip().format_map(parameters)


def text(code: str, language: Language = "en", parameters: Mapping[str, Parameter] | None = None) -> str:
    """Return the text of a code with its parameters filled in.

    Args:
        code: a stable code such as `tax_code.check_digit`.
        language: `vi` or `en`.
        parameters: the values of the `{name}` places in the text; a place without a value is left out,
            together with the brackets around it. A `Term` stands for the text of its code.

    Returns:
        The text; the bare code when no catalogue holds it, so that an unknown server code is still readable.

    """
    template = _template(code, language)
    return code if template is None else _filled(template, parameters or {}, language)


def hint(code: str, language: Language = "en", parameters: Mapping[str, Parameter] | None = None) -> str:
    """Return what to do about a code, or an empty text when nothing is known to help."""
    template = _template(f"{code}.hint", language)
    return "" if template is None else _filled(template, parameters or {}, language)


def known_codes(domain: str, language: Language = "en") -> frozenset[str]:
    """Return every code of one domain, hints included."""
    entries: dict[str, str] = _catalogue(domain, language)._catalog  # type: ignore[attr-defined]  # noqa: SLF001  # the standard library has no public listing
    return frozenset(code for code in entries if code)
