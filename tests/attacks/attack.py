"""What an attack is: a signed document, a change, and the verdict that it must get."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from attacks.forge import SEEDS, Seed

__all__ = ["Attack", "Change", "Verdict", "after", "before", "inside", "shape", "swap"]

Change = Callable[[Seed], bytes]


@dataclass(frozen=True)
class Verdict:
    """Name the expectation that must have failed.

    Args:
        reason: `VerificationError.reason`.
        code: its code.
        facts: parameters of the error that say more exactly what was wrong.

    """

    reason: str
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Attack:
    """Hold one attack.

    Args:
        name: what the attacker does.
        change: makes the attacker's document from a genuine one.
        verdict: why it must be refused.
        options: parameters for the verifier.
        seeds: the documents that it is tried on.
        raw: bytes that the owner of a key signed, where a verifier that is not thorough may hand out exactly
            these; empty where it must refuse them too.

    """

    name: str
    change: Change
    verdict: Verdict
    options: Mapping[str, object] = field(default_factory=dict)
    seeds: tuple[str, ...] = SEEDS
    raw: bytes = b""


def shape(element: str) -> Verdict:
    """Say that this element of the signature, or something in it, does not belong there."""
    return Verdict("structure", "document.signature_shape", {"element": element})


def _algorithm(kind: str, uri: str) -> Verdict:
    return Verdict(kind, "document.algorithm", {"algorithm": uri[:80]})


def signing(uri: str) -> Verdict:
    return _algorithm("signature-algorithm", uri)


def digesting(uri: str) -> Verdict:
    return _algorithm("digest-algorithm", uri)


COMMENT = Verdict("unsafe", "document.comment")
CDATA = Verdict("unsafe", "document.cdata")
DOCTYPE = Verdict("unsafe", "document.doctype")
INSTRUCTION = Verdict("unsafe", "document.processing_instruction")
NOT_XML = Verdict("not-xml", "document.not_well_formed")
ENCODING = Verdict("not-xml", "document.encoding")
NOT_CANONICAL = Verdict("not-canonical", "document.no_canonical_form")
NO_PLACE = Verdict("place", "document.no_place")
SEVERAL_PLACES = Verdict("place", "document.several_places")
ELSEWHERE = Verdict("place", "document.signature_elsewhere")
XML_ATTRIBUTE = Verdict("place", "document.xml_attribute")
NOT_SIGNED = Verdict("not-signed", "document.not_signed")
SEVERAL = Verdict("several-signatures", "document.several_signatures")
REPEATED_ID = Verdict("repeated-id", "document.repeated_id")
CANONICALISATION = Verdict(
    "canonicalisation", "document.signature_shape", {"element": "CanonicalizationMethod"}
)
REFERENCE = Verdict("reference", "document.signature_shape", {"element": "Reference"})
TRANSFORMS = Verdict("transforms", "document.signature_shape", {"element": "Transforms"})
TRANSFORM = Verdict("transforms", "document.signature_shape", {"element": "Transform"})
SIGNING_TIME = Verdict("signing-time", "document.signature_shape", {"element": "Object"})
CERTIFICATE = Verdict("certificate", "document.certificate_unreadable")
OTHER_KEY = Verdict("key-mismatch", "document.other_key")
VALUE = Verdict("signature-value", "document.signature_wrong")
CHANGED = Verdict("content-changed", "document.changed")


def swap(old: bytes, new: bytes, *, count: int = 1) -> Change:
    """Replace bytes of the signed document, which must be there."""

    def change(seed: Seed) -> bytes:
        assert old in seed.signed, (seed.name, old)
        return seed.signed.replace(old, new, count)

    return change


def before(mark: bytes, added: bytes) -> Change:
    """Put bytes before the first place of a mark."""
    return swap(mark, added + mark)


def after(mark: bytes, added: bytes) -> Change:
    """Put bytes after the first place of a mark."""
    return swap(mark, mark + added)


def inside(start: bytes, end: bytes, change: Callable[[bytes], bytes]) -> Change:
    """Change what stands between two marks, the marks included."""

    def changed(seed: Seed) -> bytes:
        first = seed.signed.index(start)
        last = seed.signed.index(end, first) + len(end)
        return seed.signed[:first] + change(seed.signed[first:last]) + seed.signed[last:]

    return changed
