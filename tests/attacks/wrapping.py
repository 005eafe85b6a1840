"""Wrapping: the signed part is kept somewhere, and something else stands where it is read.

The eight schemes known from SAML (Somorovsky and others, "On Breaking SAML: Be Whoever You Want to Be",
USENIX Security 2012), translated to a signature that covers the whole document; each with a reference by Id
as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from attacks.attack import (
    CHANGED,
    ELSEWHERE,
    NO_PLACE,
    NOT_SIGNED,
    NOT_XML,
    REFERENCE,
    REPEATED_ID,
    SEVERAL,
    SEVERAL_PLACES,
    VALUE,
    Attack,
    Verdict,
    before,
    shape,
    swap,
)
from attacks.forge import DECLARATION, DSIG, Seed

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ATTACKS"]

OBJECT = shape("Object")
SIGNATURE = shape("Signature")
XMLDSIG = f' xmlns="{DSIG}"'.encode()


def _original(seed: Seed) -> bytes:
    """Return the signed root as it was, without its signature."""
    return seed.content


def _in_object(seed: Seed, held: bytes) -> bytes:
    return seed.signature.replace(b"</Signature>", b"<Object>%b</Object></Signature>" % held)


def _instead_of_object(seed: Seed, held: bytes) -> bytes:
    start = seed.signature.index(b"<Object>")
    return seed.signature[:start] + b"<Object>" + held + b"</Object></Signature>"


def _schemes() -> dict[str, tuple[Callable[[Seed], bytes], Verdict]]:
    """Return what stands inside the new root, by scheme."""
    return {
        "the signed root moved into an Object of its signature": (
            lambda seed: seed.evil + seed.held(_in_object(seed, _original(seed))),
            SIGNATURE,
        ),
        "the signed root in place of the signature's Object": (
            lambda seed: seed.evil + seed.held(_instead_of_object(seed, _original(seed))),
            OBJECT,
        ),
        "the signed root moved before the signature's place": (
            lambda seed: seed.evil + _original(seed) + seed.held(seed.signature),
            CHANGED,
        ),
        "the signed root moved after the signature's place": (
            lambda seed: seed.evil + seed.held(seed.signature) + _original(seed),
            CHANGED,
        ),
        "the signed root with its signature as a sibling of an empty place": (
            lambda seed: seed.evil + seed.held(b"") + seed.before + seed.signature + seed.after,
            ELSEWHERE,
        ),
        "the signed root with its signature inside the place": (
            lambda seed: seed.evil + seed.held(seed.before + seed.signature + seed.after),
            ELSEWHERE,
        ),
        "the signed root with its signature inside the content": (
            lambda seed: (
                b"<NoiDung>" + seed.before + seed.signature + seed.after + b"</NoiDung>" + seed.held(b"")
            ),
            ELSEWHERE,
        ),
        "the signed root in an element for extensions": (
            lambda seed: (
                seed.evil + b"<Extensions>" + seed.content + b"</Extensions>" + seed.held(seed.signature)
            ),
            CHANGED,
        ),
        "the signature inside the moved root, and once more in the place": (
            lambda seed: seed.evil + seed.before + seed.signature + seed.after + seed.held(seed.signature),
            SEVERAL,
        ),
        "another content before the signed one": (
            lambda seed: seed.evil + seed.inner + seed.held(seed.signature),
            CHANGED,
        ),
        "another content after the signed one": (
            lambda seed: seed.inner + seed.evil + seed.held(seed.signature),
            CHANGED,
        ),
        "another content after the signature": (
            lambda seed: seed.inner + seed.held(seed.signature) + seed.evil,
            CHANGED,
        ),
        "another content in place of the signed one": (
            lambda seed: seed.evil + seed.held(seed.signature),
            CHANGED,
        ),
        "the signed content moved into the Object": (
            lambda seed: seed.evil + seed.held(_in_object(seed, seed.inner)),
            SIGNATURE,
        ),
        "the signed content moved into the place, before the signature": (
            lambda seed: seed.evil + seed.held(seed.inner + seed.signature),
            ELSEWHERE,
        ),
        "the signed content moved into the place, after the signature": (
            lambda seed: seed.evil + seed.held(seed.signature + seed.inner),
            ELSEWHERE,
        ),
        "the place with its signature inside the content": (
            lambda seed: b"<NoiDung>%b%b</NoiDung>" % (seed.evil, seed.held(seed.signature)),
            NO_PLACE,
        ),
        "the place twice, the signature in the first": (
            lambda seed: seed.evil + seed.held(seed.signature) + seed.held(b""),
            SEVERAL_PLACES,
        ),
        "the place twice, the signature in the second": (
            lambda seed: seed.evil + seed.held(b"") + seed.held(seed.signature),
            SEVERAL_PLACES,
        ),
        "the place twice, a signature in each": (
            lambda seed: seed.evil + seed.held(seed.signature) * 2,
            SEVERAL_PLACES,
        ),
        "the place inside the place": (
            lambda seed: seed.evil + seed.held(seed.held(seed.signature)),
            ELSEWHERE,
        ),
        "the signature beside its place": (
            lambda seed: seed.evil + seed.held(b"") + seed.signature,
            ELSEWHERE,
        ),
        "the signature as the first child of the root": (
            lambda seed: seed.signature + seed.inner + seed.held(b""),
            ELSEWHERE,
        ),
        "the signature deep inside the content": (
            lambda seed: seed.inner.replace(b"0100109106", seed.signature + b"0123456789") + seed.held(b""),
            ELSEWHERE,
        ),
        "the signature in an element inside its place": (
            lambda seed: seed.inner + seed.held(b"<a>" + seed.signature + b"</a>"),
            ELSEWHERE,
        ),
        "two signatures in the place": (
            lambda seed: seed.inner + seed.held(seed.signature * 2),
            SEVERAL,
        ),
        "a signature inside the signature's Object": (
            lambda seed: seed.inner + seed.held(_in_object(seed, seed.signature)),
            SEVERAL,
        ),
        "a signature inside the signed content": (
            lambda seed: seed.inner + seed.signature + seed.held(seed.signature),
            SEVERAL,
        ),
        "an empty signature before the right one": (
            lambda seed: seed.inner + seed.held(b"<Signature%b></Signature>" % XMLDSIG + seed.signature),
            SEVERAL,
        ),
        "a signature of another namespace before the right one": (
            lambda seed: seed.inner + seed.held(b"<Signature></Signature>" + seed.signature),
            ELSEWHERE,
        ),
    }


def _whole() -> list[Attack]:
    return [
        Attack(name, lambda seed, inside=inside: seed.around(inside(seed)), verdict)
        for name, (inside, verdict) in _schemes().items()
    ]


def _identified(seed: Seed) -> Seed:
    """Sign the same document by a reference to the Id of its root: valid for many verifiers."""
    mark = b"<" + seed.root
    named = seed.before.replace(mark, mark + b' Id="doc"', 1)
    # Attributes follow the declarations in canonical XML.
    named = named.replace(
        b' Id="doc"' + seed.shape.inherited.encode(), seed.shape.inherited.encode() + b' Id="doc"'
    )
    made = seed.resigned(named + seed.after, uri=' URI="#doc"')
    return replace(seed, before=named, signature=made)


# A repeated Id is told first; otherwise the reference itself is refused.
_BY_ID = {
    "the signed root moved into an Object of its signature": SIGNATURE,
    "the signed root in place of the signature's Object": REFERENCE,
    "the signed root moved before the signature's place": REFERENCE,
    "the signed root moved after the signature's place": REFERENCE,
    "the signed root with its signature as a sibling of an empty place": ELSEWHERE,
    "the signed root with its signature inside the place": ELSEWHERE,
    "the signed root in an element for extensions": REFERENCE,
    "the signature inside the moved root, and once more in the place": SEVERAL,
}


def _by_id(*, repeated: bool) -> list[Attack]:
    found = []
    schemes = _schemes()
    for name, verdict in _BY_ID.items():
        inside, _ = schemes[name]
        new = b' Id="doc"' if repeated else b' Id="other"'

        def change(seed: Seed, inside: Callable[[Seed], bytes] = inside, new: bytes = new) -> bytes:
            named = _identified(seed)
            start = named.start.replace(b' Id="doc"', new)
            return DECLARATION + start + inside(named) + named.end

        told = "with the Id twice" if repeated else "with an Id of its own"
        expected = verdict
        if repeated and verdict not in (ELSEWHERE, SEVERAL):
            expected = REPEATED_ID
        found.append(Attack(f"{name}, referred to by Id, {told}", change, expected))
    return found


def _in_namespace(seed: Seed) -> bytes:
    held = seed.held(seed.signature).replace(b"<%b>" % seed.place, b'<%b xmlns="urn:a">' % seed.place, 1)
    return seed.around(seed.inner, held)


_OTHERS = [
    Attack("the signature taken out", lambda seed: DECLARATION + seed.content, NOT_SIGNED),
    Attack(
        "the signature taken out with its place",
        lambda seed: DECLARATION + seed.start + seed.inner + seed.end,
        NO_PLACE,
    ),
    Attack(
        "a root of another name around everything",
        lambda seed: DECLARATION + b"<Dossier>" + seed.before + seed.signature + seed.after + b"</Dossier>",
        NO_PLACE,
    ),
    Attack(
        "the root renamed",
        lambda seed: seed.signed.replace(b"<%b" % seed.root, b"<Hosp").replace(seed.end, b"</Hosp>"),
        NO_PLACE,
    ),
    Attack(
        "the root in another case",
        lambda seed: seed.signed.replace(b"<%b" % seed.root, b"<HOSO").replace(seed.end, b"</HOSO>"),
        NO_PLACE,
    ),
    Attack(
        "the place in another case",
        lambda seed: seed.signed.replace(b"<%b>" % seed.place, b"<CKY_DVI>").replace(
            b"</%b>" % seed.place, b"</CKY_DVI>"
        ),
        NO_PLACE,
    ),
    Attack(
        "the signature of one document in another",
        lambda seed: seed.around(seed.inner.replace(b"0100109106", b"0123456789"), seed.held(seed.signature)),
        CHANGED,
    ),
    Attack(
        "a second root before the signed one",
        lambda seed: DECLARATION + seed.content + seed.before + seed.signature + seed.after,
        NOT_XML,
    ),
    Attack("a second root after the signed one", lambda seed: seed.signed + seed.content, NOT_XML),
    Attack(
        "the whole document twice", lambda seed: seed.signed + seed.signed.removeprefix(DECLARATION), NOT_XML
    ),
    Attack(
        "the place renamed and the signature moved to another",
        lambda seed: seed.around(seed.inner, b"<Cky_2>" + seed.signature + b"</Cky_2>", seed.held(b"")),
        ELSEWHERE,
    ),
    Attack(
        "the place moved to the front",
        lambda seed: seed.around(seed.held(seed.signature), seed.inner),
        CHANGED,
    ),
    Attack("the place in a namespace", _in_namespace, NO_PLACE),
    Attack(
        "an Object with a Manifest beside the right one",
        before(b"<Object>", b"<Object><Manifest></Manifest></Object>"),
        SIGNATURE,
    ),
    Attack("a Manifest in the Object", swap(b"<Object>", b"<Object><Manifest></Manifest>"), OBJECT),
    Attack(
        "the same Reference in a Manifest, nothing signed",
        lambda seed: seed.around(seed.evil, seed.held(_only_manifest(seed))),
        OBJECT,
    ),
    Attack(
        "the signature signed over another element name",
        lambda seed: seed.signed.replace(b"MaSoThue", b"MaSoThuo"),
        CHANGED,
    ),
    Attack(
        "the SignedInfo of another document under the value of this",
        lambda seed: seed.around(seed.evil, seed.held(_other_info(seed))),
        VALUE,
    ),
]


def _only_manifest(seed: Seed) -> bytes:
    info = seed.signature[seed.signature.index(b"<Reference") : seed.signature.index(b"</SignedInfo>")]
    return _instead_of_object(seed, b"<Manifest>" + info + b"</Manifest>")


def _other_info(seed: Seed) -> bytes:
    evil = seed.start + seed.evil + seed.held(b"") + seed.end
    info = seed.shape.info(evil).encode()
    start, end = seed.signature.index(b"<SignedInfo>"), seed.signature.index(b"<SignatureValue>")
    return seed.signature[:start] + info + seed.signature[end:]


ATTACKS = [*_whole(), *_by_id(repeated=False), *_by_id(repeated=True), *_OTHERS]
