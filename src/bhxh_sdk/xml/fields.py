"""Fields of a profile: values of a model to texts, elements of a document to values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bhxh_sdk.errors import DocumentError, InputError
from bhxh_sdk.models.text import control_characters
from bhxh_sdk.xml.files import read_files, write_files
from bhxh_sdk.xml.formats import FORMATS
from bhxh_sdk.xml.tree import children, shown_tag, text_of
from bhxh_sdk.xml.writer import CanonicalWriter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml import etree

    from bhxh_sdk.models import CertificateInfo
    from bhxh_sdk.xml.document_profile import DocumentProfile, FieldRule

__all__ = [
    "elements_of",
    "is_left_out",
    "kept_values",
    "misfits",
    "read_values",
    "value_of",
    "write_carefully",
]

_MOST_MISFITS = 100
_CONTENT_DEPTH = 2  # the root and the content element


def write_carefully(profile: DocumentProfile, subject: object, certificate: CertificateInfo | None) -> bytes:
    """Write the whole document but its declaration: content, and the empty place for the signature.

    Raises:
        InputError: a value that must stand in the document is missing, or holds a character that XML cannot.

    """
    writer = CanonicalWriter()
    writer.start(profile.root, profile.namespaces)
    writer.start(profile.content)
    for rule in profile.fields:
        value = value_of(rule, subject, certificate)
        if is_left_out(rule, value):
            continue
        if rule.format == "files":
            writer.stand_in(rule.path, _CONTENT_DEPTH)
            write_files(writer, value, rule.source, profile.file_length)
        else:
            writer.stand_in(rule.path[:-1], _CONTENT_DEPTH)
            writer.leaf(rule.path[-1], text_for(rule, value))
    writer.stand_in((), 1)
    writer.leaf(profile.signature_element, "")
    writer.end()
    return writer.content()


def value_of(rule: FieldRule, subject: object, certificate: CertificateInfo | None = None) -> Any:  # noqa: ANN401  # values of every kind
    """Return the value that a rule writes; None when there is none."""
    if rule.value is not None:
        return rule.value
    value = _at(rule.source, subject, certificate)
    return value if value or not rule.fallback else _at(rule.fallback, subject, certificate)


def _at(source: str, subject: object, certificate: CertificateInfo | None) -> Any:  # noqa: ANN401  # as value_of
    # A reason to stop is a code, a text or both: its formats take the whole `Stop`.
    path = "stop" if source == "stop.reason" else source
    owner: Any = certificate if path.startswith("certificate.") else subject
    for name in path.removeprefix("certificate.").split("."):
        if owner is None:
            return None
        owner = getattr(owner, name)
    return owner


def is_left_out(rule: FieldRule, value: object) -> bool:
    """Tell whether an optional element has nothing to hold."""
    return rule.presence == "optional" and (value is None or value == () or str(value) == "")


def text_for(rule: FieldRule, value: object) -> str:
    """Return the text of a value, fit for XML.

    Raises:
        InputError: it is missing and must not be, or holds a character that XML cannot; `field` names it.
    """
    text = "" if value is None else FORMATS[rule.format].write(value)
    if not text and rule.presence == "required":
        raise InputError("xml.missing_value", field=rule.source, element=rule.element)
    if characters := control_characters(text):
        raise InputError("xml.control_characters", field=rule.source, characters=", ".join(characters))
    return text


def kept_values(profile: DocumentProfile, subject: object) -> dict[str, Any]:
    """Return what writing and reading again would give, by source."""
    texts, values = {}, {}
    for rule in profile.fields:
        value = value_of(rule, subject)
        if rule.value is not None or rule.from_certificate or is_left_out(rule, value):
            continue
        if rule.format == "files":
            values[rule.source] = value
            continue
        texts[rule.source] = text_for(rule, value)
        values[rule.source] = _value(rule, texts[rule.source])
    return _without_fallbacks(profile, texts, values)


def _without_fallbacks(
    profile: DocumentProfile, texts: Mapping[str, str], values: dict[str, Any]
) -> dict[str, Any]:
    """A text that repeats its fallback stands for an empty one."""
    for rule in profile.fields:
        if rule.fallback and texts.get(rule.source) == texts.get(rule.fallback):
            values[rule.source] = ""
    return values


def _value(rule: FieldRule, text: str) -> Any:  # noqa: ANN401  # as value_of
    try:
        return FORMATS[rule.format].read(text)
    except DocumentError as error:
        raise DocumentError(error.code, field=rule.element, value=str(error.parameters["value"])) from None


def elements_of(profile: DocumentProfile, root: etree._Element) -> dict[str, etree._Element]:
    """Return the elements that a profile names, by path.

    Raises:
        DocumentError: one is unknown, repeated or missing.

    """
    found: dict[str, etree._Element] = {}
    for path, element in _walk(profile, _content(profile, root), ()):
        if path in found:
            raise DocumentError("document.repeated_element", field=path)
        if path not in profile.elements:
            raise DocumentError("document.unexpected_element", field=path[:80], profile=profile.name)
        found[path] = element
    for rule in profile.fields:
        if rule.presence != "optional" and rule.element not in found:
            raise DocumentError("document.missing_element", field=rule.element, profile=profile.name)
    return found


def misfits(profile: DocumentProfile, root: etree._Element) -> int | None:
    """Count a document's unknown and missing elements; None when root or content is not the profile's.

    More than a hundred unknown ones are not counted: each costs as much as the names around it are long.
    """
    if root.tag != profile.root or root.find(profile.content) is None:
        return None
    found, unknown = set[str](), 0
    for path, _ in _walk(profile, _content(profile, root), ()):
        if path in profile.elements:
            found.add(path)
        else:
            unknown += 1
        if unknown >= _MOST_MISFITS:
            break
    return unknown + len(profile.needed - found)


def read_values(profile: DocumentProfile, root: etree._Element) -> dict[str, Any]:
    """Return the values of a document by source.

    Raises:
        DocumentError: an element is unknown, repeated, missing or cannot be read; `field` names it.

    """
    found = elements_of(profile, root)
    texts, values = {}, {}
    for rule in profile.fields:
        if rule.element not in found or rule.from_certificate:
            continue
        if rule.format == "files":
            values[rule.source] = read_files(found[rule.element], rule.element)
            continue
        text = text_of(found[rule.element], rule.element)
        if rule.value is None:
            texts[rule.source] = text
            values[rule.source] = _value(rule, text)
        elif rule.checked and text.strip() != rule.value:
            raise DocumentError("document.unknown_value", field=rule.element, value=text[:40])
    return _without_fallbacks(profile, texts, values)


def _content(profile: DocumentProfile, root: etree._Element) -> etree._Element:
    if root.tag != profile.root:
        raise DocumentError("document.other_root", field=shown_tag(root), profile=profile.name)
    known = (profile.content, profile.signature_element, *profile.other_signatures)
    found = [child for child in children(root, profile.root, known) if child.tag == profile.content]
    if len(found) != 1:
        code = "document.repeated_element" if found else "document.missing_element"
        raise DocumentError(code, field=profile.content, profile=profile.name)
    return found[0]


def _walk(
    profile: DocumentProfile, element: etree._Element, path: tuple[str, ...]
) -> Iterator[tuple[str, etree._Element]]:
    """Give every element outside the profile's containers, with its path below the content element."""
    for child in children(element, "/".join(path) or profile.content):
        here = (*path, str(child.tag))
        if here in profile.containers:
            yield from _walk(profile, child, here)
        else:
            yield "/".join(here), child
