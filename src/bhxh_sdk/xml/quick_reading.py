"""The quick road of verification: guess the canonical bytes, and let the digest prove the guess.

When SHA-256 of the guess equals the DigestValue that the signature covers, the guess is what the signer
hashed; no canonicalisation could prove more. The road is taken only by documents of the plainest kind, read
on their bytes: whatever is unusual, wrong or merely unexpected is left to the true road, which parses,
canonicalises, and says what is wrong.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from cryptography.exceptions import UnsupportedAlgorithm

from bhxh_sdk.errors import BhxhError
from bhxh_sdk.xml.canonical_bytes import Root, root_of
from bhxh_sdk.xml.keys import SignerKey, signer_of
from bhxh_sdk.xml.limits import check_elements
from bhxh_sdk.xml.reader import body_start
from bhxh_sdk.xml.signature_parts import moment_of
from bhxh_sdk.xml.signature_shape import (
    DIGEST_HASHES,
    DSIG,
    SIGNATURE_HASHES,
    TIME_NAMESPACE,
    around_digest,
    canonicalisation_of,
    default_methods,
    signature_pieces,
    transforms,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bhxh_sdk.xml.signature_profile import SignatureProfile
    from bhxh_sdk.xml.signature_shape import Namespaces

__all__ = ["Claim", "guess", "quick_claim"]


class Claim(NamedTuple):
    """Hold what a document of the plainest kind claims. Nothing of it is proven yet.

    Args:
        pieces: the root's tag, what follows it, the place's tag that this ends with, and what closes both.
        namespaces: how many namespaces the root declares.
        digest: the DigestValue as it stands, in base64.
        signed_info: the canonical SignedInfo with that digest.
        methods: URIs of the signature and the digest algorithm.
        value: the signature value.
        key: the signer's certificate and key; KeyValue says the same.
        signing_time: the claimed time; None when there is none.

    """

    pieces: tuple[bytes, bytes, bytes, bytes]
    namespaces: int
    digest: bytes
    signed_info: bytes
    methods: tuple[str, str]
    value: bytes
    key: SignerKey
    signing_time: datetime | None


def quick_claim(content: bytes, at: str, profile: SignatureProfile, size_limit: int) -> Claim | None:
    """Read a signed document of the plainest kind from its bytes.

    Args:
        content: the document's bytes.
        at: path of the element that holds the signature.
        profile: the one shape that the signature may have.
        size_limit: how many bytes the document may have.

    Returns:
        What it claims; None when the document is not that plain.

    """
    plan = _plan(at, profile)
    if plan is None:
        return None
    try:
        begin = body_start(content, size_limit=size_limit)
        after_tag = content.find(b">", begin) + 1
        root = root_of(content[begin:after_tag])
        start = content.rfind(b"<Signature ")
        if not _is_expected(root, plan) or not content.startswith(plan.place, start - len(plan.place)):
            return None
        found = _own_signature(content, start, plan) or _any_signature(content, start, plan)
        if found is None or _has_attributes(content, after_tag, start):
            return None
        pieces = (root.canonical, content[after_tag:start], plan.place, plan.endings)
        return _claim(pieces, found, root.namespaces, profile)
    except (BhxhError, ValueError):  # UTF-8 or base64 that is none
        return None


def _has_attributes(content: bytes, start: int, end: int) -> bool:
    """Tell it of a large document, which is dear to copy before `guess` looks closer."""
    large = end - start > _LARGE
    return large and content.find(b"=", start, end) >= 0 and _UNSAFE.search(content, start, end) is not None


def _is_expected(root: Root | None, plan: _Plan) -> TypeGuard[Root]:
    """Tell whether it is the plan's root, below which an element without attributes can be no signature."""
    return root is not None and root.name == plan.root and all(uri != DSIG for _, uri in root.namespaces)


class _Plan(NamedTuple):
    """Hold what is looked for: names of root and place, what ends the document, the signature's pieces."""

    root: bytes
    place: bytes
    endings: bytes
    pieces: tuple[bytes, bytes, bytes, bytes]
    methods: tuple[str, str]
    shape: re.Pattern[bytes]


class _Found(NamedTuple):
    """Hold the parts of a signature as they stand."""

    methods: tuple[str, str]
    digest: bytes
    value: bytes
    key_info: bytes
    time: bytes


_NAME = re.compile(rb"[^\s<>/&=:\"']+")
_UNSAFE = re.compile(rb"<(?:[!?]|[^<>]*[\"'])|&(?!(?:amp|lt|gt|#xD);)")
_EMPTY = re.compile(rb"<([^\s<>/&=\"']+) ?/>")
_MOST_EXPANDED = 50_000
_LARGE = 1_000_000
_WHITE_SPACE = b" \t\r\n"


@lru_cache(maxsize=64)
def _plan(at: str, profile: SignatureProfile) -> _Plan | None:
    """Return what is looked for; None where only the true road goes."""
    names = at.encode().split(b"/")
    unusual = profile.is_exclusive or profile.over or profile.signing_time == "protected"
    if unusual or len(names) != 2 or not all(map(_NAME.fullmatch, names)):  # noqa: PLR2004  # the root, and the place in it
        return None
    root, place = names
    return _Plan(
        root=root,
        place=b"<%b>" % place,
        endings=b"</%b></%b>" % (place, root),
        pieces=signature_pieces(profile),
        methods=default_methods(profile),
        shape=_shape(profile),
    )


def guess(claim: Claim) -> bytes | None:
    """Return what may be the canonical document without the signature, what .NET writes otherwise made so.

    Asked for once the signature value is verified: it costs time that grows with the document.

    Returns:
        The guess; None when there is more than elements without attributes and texts with canonical
        references, another place that begins like this one, or too many of anything.

    """
    root, inside, place, endings = claim.pieces
    if _has_unusual(inside):
        if _UNSAFE.search(inside):
            return None
        inside = inside.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if inside.find(place[:-1]) != len(inside) - len(place) or not _is_bounded(inside, claim.namespaces):
        return None
    if b"/>" in inside:
        inside, count = _EMPTY.subn(rb"<\1></\1>", inside, _MOST_EXPANDED)
        if count == _MOST_EXPANDED:
            return None  # the true road is quicker
    return b"".join((root, inside, endings))


def _has_unusual(inside: bytes) -> bool:
    """Tell whether a letter stands there that may begin what is not plain; one letter is found fastest."""
    # Written out: a loop over the letters takes twice the time on a small document.
    return b"&" in inside or b"=" in inside or b"!" in inside or b"?" in inside or b"\r" in inside


def _is_bounded(inside: bytes, namespaces: int) -> bool:
    try:
        check_elements(inside, namespaces)
    except BhxhError:
        return False
    return True


def _own_signature(body: bytes, start: int, plan: _Plan) -> _Found | None:
    """Take a signature as this package writes it apart, by comparing its pieces."""
    head, middle, before, after = plan.pieces
    digest = start + len(head)
    value = digest + _DIGEST_LENGTH + len(middle)
    if not body.startswith(head, start) or not body.startswith(middle, digest + _DIGEST_LENGTH):
        return None
    key_info = body.find(b"</SignatureValue>", value) + len(b"</SignatureValue>")
    time = body.find(b"</KeyInfo>", key_info) + len(b"</KeyInfo>")
    written = time + len(before)
    length = _TIME_LENGTH if before else 0
    if not body.startswith(before, time) or body[written + length :] != after + plan.endings:
        return None
    return _Found(
        plan.methods,
        body[digest : digest + _DIGEST_LENGTH],
        body[value : key_info - len(b"</SignatureValue>")],
        body[key_info:time],
        body[written : written + length],
    )


_DIGEST_LENGTH = 44
_TIME_LENGTH = 20


def _any_signature(body: bytes, start: int, plan: _Plan) -> _Found | None:
    """Take a signature on one line apart, in the field's order, empty elements written either way."""
    shape = plan.shape.match(body, start)
    if shape is None or body[shape.end() :].rstrip(_WHITE_SPACE) != plan.endings:
        return None
    method, digest_method, digest, value, key_info, time = shape.group(*_GROUPS)
    return _Found((method.decode(), digest_method.decode()), digest, value, key_info, time or b"")


def _claim(
    pieces: tuple[bytes, bytes, bytes, bytes],
    found: _Found,
    namespaces: Namespaces,
    profile: SignatureProfile,
) -> Claim | None:
    key, time = _known_key(found.key_info), None
    if found.time:
        time = moment_of(found.time.decode())
        if time is None:
            return None
    if key is None:
        return None
    before, after = around_digest(profile, namespaces, found.methods)
    signed = b"".join((before, found.digest, after))
    value = _decoded(found.value)
    return Claim(pieces, len(namespaces), found.digest, signed, found.methods, value, key, time)


def _known_key(key_info: bytes) -> SignerKey | None:
    """Read KeyInfo, which repeats for each document of a signer; comparing costs less than reading it."""
    if len(key_info) > _LONGEST_KEY_INFO:
        return None
    begin = key_info[:_TELLING]
    known = _keys.get(begin)
    if known is None or known[0] != key_info:
        if len(_keys) >= _MOST_KEPT:
            _keys.clear()
        known = _keys[begin] = (key_info, _key(key_info))
    return known[1]


_keys: dict[bytes, tuple[bytes, SignerKey | None]] = {}
_TELLING = (
    160  # enough of the modulus, or of the certificate's serial number and issuer, to tell signers apart
)
_MOST_KEPT = 512
_LONGEST_KEY_INFO = 20_000


def _key(key_info: bytes) -> SignerKey | None:
    """Return the signer's key; None when KeyInfo is not of the usual kind or names two keys."""
    found = _KEY_INFO.fullmatch(key_info)
    try:
        if found is None or not (found["subject"] or b"").decode().isprintable():
            return None
        key = signer_of(_decoded(found["certificate"]))
        if found["modulus"] is None:
            return key
        numbers = tuple(int.from_bytes(_decoded(found[name]), "big") for name in ("modulus", "exponent"))
    except (BhxhError, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if numbers == key.numbers else None


def _decoded(text: bytes) -> bytes:
    return a2b_base64(text, strict_mode=True)


def _shape(profile: SignatureProfile) -> re.Pattern[bytes]:
    """Return the pattern of a signature on one line, in the field's order, empty elements either way."""
    references = "".join(_empty("Transform", known) for known in transforms(profile))
    declared = f'xmlns="{re.escape(DSIG)}"'
    text = (
        f"<Signature (?:{_OWN_ID} {declared}|{declared}(?: {_OWN_ID})?)>"
        f"<SignedInfo>{_empty('CanonicalizationMethod', canonicalisation_of(profile))}"
        f"{_one_of('SignatureMethod', 'method', SIGNATURE_HASHES)}"
        f'<Reference URI=""><Transforms>{references}</Transforms>'
        f"{_one_of('DigestMethod', 'digest_method', DIGEST_HASHES)}"
        f"<DigestValue>(?P<digest>{_BASE64})</DigestValue></Reference></SignedInfo>"
        f"<SignatureValue>(?P<value>{_BASE64})</SignatureValue>"
        "(?P<key_info><KeyInfo>(?:(?!</KeyInfo>|</Signature>)<[^<]*+)*+</KeyInfo>)"
        f"{_time() if profile.signing_time == 'unprotected' else '(?P<time>)'}</Signature>"
    )
    return re.compile(text.encode())


_OWN_ID = 'Id="(?!proid")[A-Za-z_][A-Za-z0-9_.-]*+"'
_GROUPS = ("method", "digest_method", "digest", "value", "key_info", "time")
_ID = "[A-Za-z_][A-Za-z0-9_.-]*+"
_BASE64 = "[A-Za-z0-9+/]++={0,2}"
_KEY_INFO = re.compile(
    (
        "<KeyInfo>"
        f"(?:<KeyValue><RSAKeyValue><Modulus>(?P<modulus>{_BASE64})</Modulus>"
        f"<Exponent>(?P<exponent>{_BASE64})</Exponent></RSAKeyValue></KeyValue>)?"
        "<X509Data>(?:<X509SubjectName>"
        "(?P<subject>[^<>&]*+(?:&(?:amp|lt|gt|quot|apos);[^<>&]*+)*+)</X509SubjectName>)?"
        f"<X509Certificate>(?P<certificate>{_BASE64})</X509Certificate></X509Data></KeyInfo>"
    ).encode()
)
_DIGITS = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"


def _time() -> str:
    # The Ids of the shipped shapes are all different; others are compared on the true road.
    return (
        f'(?:<Object><SignatureProperties Id="proid" xmlns=""><SignatureProperty Target="#{_ID}">'
        f'<SigningTime xmlns="{re.escape(TIME_NAMESPACE)}">(?P<time>{_DIGITS})</SigningTime>'
        f"</SignatureProperty></SignatureProperties></Object>)?"
    )


def _empty(name: str, algorithm: str) -> str:
    return f'<{name} Algorithm="{re.escape(algorithm)}"(?: ?/>|></{name}>)'


def _one_of(name: str, group: str, algorithms: Iterable[str]) -> str:
    known = "|".join(map(re.escape, algorithms))
    return f'<{name} Algorithm="(?P<{group}>{known})"(?: ?/>|></{name}>)'
