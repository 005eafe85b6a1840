"""SOAP 1.2 messages: plain values to bytes and back, with a parser that takes nothing from elsewhere.

No SOAP library is used; `docs/explanation/signers.md` says why. An answer may hold no document type, so no
entity is ever expanded; nothing is loaded; the sender bounds its size, and its parts are counted before it is
parsed.

Source: SOAP 1.2, part 1 (https://www.w3.org/TR/soap12-part1/), section 5.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from attrs import field, frozen
from lxml import etree

from bhxh_sdk.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["CONTENT_TYPE", "ENVELOPE", "Fault", "Part", "opened", "packed", "packed_fault"]

ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
CONTENT_TYPE = "application/soap+xml; charset=UTF-8"

_MOST_PARTS = 20_000
"""Elements, and attributes, of one message; the largest that a service sends has a few hundred."""

_MOST_ATTRIBUTES = 100
"""Equals signs of one element, its own text among them; the largest that a service sends has a dozen."""

_DECLARED = re.compile(rb"<!(?!--|\[CDATA\[)")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@frozen
class Part:
    """One element of a message.

    Args:
        name: its local name.
        namespace: its namespace; empty for none.
        attributes: its attributes without namespaces. One of them may hold a secret.
        text: its own text, without surrounding blanks.
        parts: the elements in it, in their order.

    """

    name: str
    namespace: str = ""
    attributes: Mapping[str, str] = field(factory=dict, repr=False, hash=False)
    text: str = field(default="", repr=False)
    parts: tuple[Part, ...] = field(default=(), repr=False)

    def get(self, name: str) -> str:
        """Return an attribute, or an empty text."""
        return self.attributes.get(name, "")

    def first(self, *names: str) -> Part | None:
        """Return the first element on a path of local names below this one; None for none."""
        found: Part | None = self
        for name in names:
            found = next((part for part in found.parts if part.name == name), None) if found else None
        return found

    def below(self) -> Iterator[Part]:
        """Give every element below this one, in document order."""
        for part in self.parts:
            yield part
            yield from part.below()

    def named(self, name: str, namespace: str) -> Part | None:
        """Return this element or the one directly in it, whichever has that name; None for neither."""
        candidates = (self, *self.parts)
        return next((part for part in candidates if (part.name, part.namespace) == (name, namespace)), None)


@frozen
class Fault:
    """A refusal in SOAP's own form.

    Args:
        code: the service's number in `Subcode`, without the underscore; empty for none.
        text: the reason as received.

    """

    code: str = ""
    text: str = ""


def packed(wrapper: str, message: Part) -> bytes:
    """Return an envelope whose body holds a message in an element without a namespace.

    Args:
        wrapper: name of the element around the message; it is never qualified.
        message: the message.

    Raises:
        InputError: a value holds a character that XML cannot; `field` names its element or attribute.

    """
    wrapped = Part(wrapper, parts=(message,))
    _demand_sendable(wrapped)
    return _enveloped(_element(wrapped, {"mss": message.namespace}))


def packed_fault(code: str, text: str, namespace: str) -> bytes:
    """Return an envelope with a fault, as a service sends it.

    Args:
        code: the service's number.
        text: the reason.
        namespace: the service's namespace, to which the number belongs.

    """
    subcode = Part("Subcode", ENVELOPE, parts=(Part("Value", ENVELOPE, text=f"mss:_{code}"),))
    value = Part("Value", ENVELOPE, text="env:Receiver")
    reason = Part("Reason", ENVELOPE, parts=(Part("Text", ENVELOPE, text=text),))
    fault = Part("Fault", ENVELOPE, parts=(Part("Code", ENVELOPE, parts=(value, subcode)), reason))
    return _enveloped(_element(fault, {"mss": namespace}))


def opened(content: bytes) -> Part | Fault:
    """Return what the body of an envelope holds.

    Args:
        content: the message as received, UTF-8.

    Raises:
        ValueError: it is no SOAP 1.2 envelope with something in its body, or it is unsafe.

    """
    if _DECLARED.search(content) or max(content.count(b"<"), content.count(b"=")) > _MOST_PARTS:
        raise ValueError("unsafe")
    if any(piece.count(b"=") > _MOST_ATTRIBUTES for piece in content.split(b"<")):
        raise ValueError("unsafe")  # the time that a parser takes grows with their square
    try:
        root = etree.fromstring(content, _parser())
    except etree.XMLSyntaxError as error:
        raise ValueError("not XML") from error
    body = root.find(f"{{{ENVELOPE}}}Body") if root.tag == f"{{{ENVELOPE}}}Envelope" else None
    if body is None or not len(body):
        raise ValueError("no envelope")
    held = _part(body[0])
    return _fault(held) if (held.name, held.namespace) == ("Fault", ENVELOPE) else held


def _fault(part: Part) -> Fault:
    codes = [item.text for item in part.below() if item.name == "Value"]
    numbers = [code.rpartition(":")[2].lstrip("_") for code in codes]
    reason = part.first("Reason", "Text")
    found = (number for number in numbers if number.isdecimal() and number.isascii())
    return Fault(next(found, ""), reason.text if reason else "")


def _part(element: etree._Element) -> Part:
    name = etree.QName(element)
    return Part(
        name.localname,
        name.namespace or "",
        {str(key): str(value) for key, value in element.attrib.items()},
        (element.text or "").strip(),
        tuple(_part(child) for child in element),
    )


def _enveloped(content: etree._Element) -> bytes:
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"env": ENVELOPE})
    etree.SubElement(envelope, f"{{{ENVELOPE}}}Body").append(content)
    return etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)


def _element(part: Part, namespaces: Mapping[str, str]) -> etree._Element:
    tag = f"{{{part.namespace}}}{part.name}" if part.namespace else part.name
    element = etree.Element(tag, nsmap={"env": ENVELOPE, **namespaces})
    for name, value in part.attributes.items():
        element.set(name, value)
    element.text = part.text or None
    element.extend(_element(child, namespaces) for child in part.parts)
    return element


def _demand_sendable(message: Part) -> None:
    """Refuse what XML cannot hold before lxml does: the error's frames have no value that may be secret."""
    for part in message.below():
        wrong = [name for name in part.attributes if _NOT_XML.search(part.attributes[name])]
        if wrong or _NOT_XML.search(part.text):
            raise InputError("remote.characters", field=wrong[0] if wrong else part.name)


@cache
def _parser() -> etree.XMLParser[etree._Element]:
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
