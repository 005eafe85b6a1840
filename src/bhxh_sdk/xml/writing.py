"""Writing a document: in one go from a template where nothing is unusual, field by field otherwise.

Both ways give the same bytes. A template holds every tag and constant of a profile for one choice of its
optional elements, so that an ordinary form costs one look at its texts and one formatting.
"""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from attrs import frozen

from bhxh_sdk.xml.fields import is_left_out, write_carefully
from bhxh_sdk.xml.formats import FORMATS
from bhxh_sdk.xml.writer import DECLARATION, CanonicalWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from bhxh_sdk.models import CertificateInfo
    from bhxh_sdk.xml.document_profile import DocumentProfile, FieldRule

__all__ = ["is_clean", "sample_of", "write_body", "write_document"]

_PLACEHOLDER = "\0"
_CONTENT_DEPTH = 2  # the root and the content element


def write_document(profile: DocumentProfile, subject: object, certificate: CertificateInfo | None) -> bytes:
    """Write the whole document: declaration, content, and the empty place for the signature.

    Raises:
        InputError: a value that must stand in the document is missing, or holds a character that XML cannot.

    """
    return DECLARATION + write_body(profile, subject, certificate)


def write_body(profile: DocumentProfile, subject: object, certificate: CertificateInfo | None) -> bytes:
    """Write the document without its declaration: bytes that are their own Canonical XML 1.0.

    Raises:
        InputError: as `write_document`.

    """
    plan = _plan(profile)
    texts = None if plan is None else _texts(plan, subject)
    if texts is None:
        return write_carefully(profile, subject, certificate)
    template = _template(profile, tuple([text is None for text in texts]))
    return (template % tuple([text for text in texts if text is not None])).encode()


@frozen(kw_only=True)
class _Plan:
    """Hold how the values of a profile are fetched and written.

    Args:
        rules: the rules that are no constants.
        values: fetches the values of all rules at once.
        writes: gives the text of each value; None for files.

    """

    rules: tuple[FieldRule, ...]
    values: Callable[[object], tuple[Any, ...]]
    writes: tuple[Callable[[Any], str] | None, ...]


@lru_cache(maxsize=64)
def _plan(profile: DocumentProfile) -> _Plan | None:
    """Return how a profile is written in one go; None for one that needs more than the model's own values."""
    rules = tuple(rule for rule in profile.fields if rule.value is None)
    special = any(rule.from_certificate or rule.source == "stop.reason" for rule in rules)
    if special or len(rules) < 2:  # noqa: PLR2004  # attrgetter gives no tuple for one name
        return None
    writes = tuple(None if rule.format == "files" else FORMATS[rule.format].write for rule in rules)
    return _Plan(rules=rules, values=attrgetter(*(rule.source for rule in rules)), writes=writes)


def _texts(plan: _Plan, subject: object) -> list[str | None] | None:
    """Return each rule's text, None for an element left out; None in all when something is unusual."""
    try:
        values = plan.values(subject)
        texts = [
            (value if type(value) is str else write(value) if write and value is not None else "")
            or _text(rule, value, write, subject)
            for rule, value, write in zip(plan.rules, values, plan.writes, strict=True)
        ]
    except (AttributeError, _UnusualError):
        return None
    return texts if is_clean("".join(filter(None, texts))) else None


class _UnusualError(Exception):
    """The document is written field by field."""


def _text(rule: FieldRule, value: object, write: Callable[[Any], str] | None, subject: object) -> str | None:
    """Return the text of a value that is empty, or of files."""
    if not value and rule.fallback:
        value = attrgetter(rule.fallback)(subject)
    if is_left_out(rule, value):
        return None
    if write is None and value:
        raise _UnusualError
    text = "" if write is None or value is None else write(value)
    if not text and rule.presence == "required":
        raise _UnusualError
    return text


def is_clean(text: str) -> bool:
    """Tell whether a text stands in XML as it is: without markup, and without what forms cannot hold."""
    return text.isprintable() and "&" not in text and "<" not in text and ">" not in text


def sample_of(profile: DocumentProfile) -> bytes:
    """Return a document with every element of a profile, all of them empty, without a declaration."""
    count = len([rule for rule in profile.fields if rule.value is None])
    return (_template(profile, (False,) * count) % (("",) * count)).encode()


@lru_cache(maxsize=256)
def _template(profile: DocumentProfile, left_out: tuple[bool, ...]) -> str:
    """Return a document with `%s` for each text, without the elements that are left out."""
    writer = CanonicalWriter()
    writer.start(profile.root, profile.namespaces)
    writer.start(profile.content)
    absent = iter(left_out)
    for rule in profile.fields:
        if next(absent) if rule.value is None else is_left_out(rule, rule.value):
            continue
        writer.stand_in(rule.path[:-1], _CONTENT_DEPTH)
        writer.leaf(
            rule.path[-1], _PLACEHOLDER if rule.value is None else FORMATS[rule.format].write(rule.value)
        )
    writer.stand_in((), 1)
    writer.leaf(profile.signature_element, "")
    writer.end()
    return writer.content().decode().replace("%", "%%").replace(_PLACEHOLDER, "%s")
