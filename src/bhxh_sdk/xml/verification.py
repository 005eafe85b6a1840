"""Strict verification: one shape of signature is accepted, everything else is refused with a reason.

The SignedInfo bytes are not canonicalised out of the document: they are rebuilt from the expected pieces, so
a document can only say what this module understands. What was verified is handed out as `Verified.content`;
read nothing else.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  # attrs reads the annotations at run time
from typing import TYPE_CHECKING, NamedTuple

from attrs import evolve, field, frozen
from cryptography.exceptions import UnsupportedAlgorithm

from bhxh_sdk.errors import (
    BhxhError,
    DocumentError,
    VerificationError,
)
from bhxh_sdk.models import CertificateInfo, SignatureScheme
from bhxh_sdk.trust import TrustReport  # noqa: TC001  # attrs reads the annotations at run time
from bhxh_sdk.xml.keys import SignerKey, digest_of, signer_of, value_fits, wrong_kind
from bhxh_sdk.xml.places import canonical, check_receivable, element_at, ids, path_of, signatures
from bhxh_sdk.xml.quick_reading import guess, quick_claim
from bhxh_sdk.xml.reader import SIZE_LIMIT, opened_to_verify
from bhxh_sdk.xml.signature_parts import SignatureParts, moment_of, parts_of
from bhxh_sdk.xml.signature_profile import SignatureProfile, as_signature_profile, place_of
from bhxh_sdk.xml.signature_shape import (
    DIGEST_HASHES,
    RSA_SHA1,
    SIGNATURE_HASHES,
    SIGNATURE_METHODS,
    base64_of,
    default_methods,
    signed_info,
)
from bhxh_sdk.xml.signer_trust import trust_question
from bhxh_sdk.xml.tree import is_blank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml import etree

    from bhxh_sdk.trust import Evidence, TrustPolicy

__all__ = ["Verified", "verify"]


_ALGORITHMS = {
    SIGNATURE_METHODS[SignatureScheme.RSA_PKCS1]: "rsa-sha256",
    SIGNATURE_METHODS[SignatureScheme.RSA_PSS]: "rsa-pss-sha256",
    SIGNATURE_METHODS[SignatureScheme.ECDSA]: "ecdsa-sha256",
    RSA_SHA1: "rsa-sha1",
}


@frozen(kw_only=True)
class Verified:
    """Hold what a valid signature covers.

    Args:
        content: the canonical bytes that were signed: the document without the signature. Read only these.
        certificate: the signer's certificate.
        algorithm: `rsa-sha256`; `rsa-sha1`, `rsa-pss-sha256` or `ecdsa-sha256` when that was asked for.
        signing_time: the time that the document claims; None when it claims none.
        is_time_protected: whether the signature covers that time; in the field's shape nothing does.
        at: path of the signature's place.
        trust: what is known of the certificate's path; None when nobody asked.

    """

    content: bytes = field(repr=lambda content: f"<{len(content)} bytes>")
    certificate: CertificateInfo
    algorithm: str
    signing_time: datetime | None
    is_time_protected: bool = False
    at: str
    trust: TrustReport | None = None

    @property
    def trusted(self) -> bool:
        """Whether the certificate was traced to a trusted one; `trust` says what is known of revocation."""
        return self.trust is not None


def verify(  # noqa: PLR0913  # one keyword for each expectation
    content: bytes,
    *,
    at: str | None = None,
    profile: SignatureProfile | str = "field",
    allow_sha1: bool = False,
    smallest_key: int = 2048,
    roots: Sequence[bytes] | None = None,
    moment: datetime | None = None,
    trust: TrustPolicy | None = None,
    evidence: Evidence | None = None,
    thorough: bool = False,
    size_limit: int = SIZE_LIMIT,
) -> Verified:
    """Verify the signature of a document.

    Args:
        content: the signed document's bytes.
        at: path of the element that holds the signature; None for the profile's.
        profile: the one shape of signature that is accepted, or its name.
        allow_sha1: accept rsa-sha1 and SHA-1 digests, for documents of old signers.
        smallest_key: fewest bits that the RSA key may have.
        roots: certificates in DER that are trusted to issue signers' certificates, revocation not checked;
            None not to check the issuer.
        moment: when the certificate must have been valid; None not to check. Needed with `roots` and `trust`.
        trust: whom to trust and how much must be proven, in place of `roots`.
        evidence: what `bhxh_sdk.trust.gather` found about revocation.
        thorough: parse and canonicalise even where the digest alone proves what was signed. A signer may
            hash bytes that are no canonical XML; they are handed out as signed, unless this is asked for.
        size_limit: how many bytes the document may have.

    Returns:
        What was signed and by whom.

    Raises:
        VerificationError: the signature is not valid, or not of the one shape accepted; `reason` says why.
        InputError: a parameter is wrong.
        MissingExtraError: `roots` or `trust` are given and the extra `trust` is not installed.

    """
    question = trust_question(roots, moment, trust, evidence, smallest_key)
    shape = as_signature_profile(profile)
    at = place_of(shape, at)
    rules = _Expectations(profile=shape, allow_sha1=allow_sha1, smallest_key=smallest_key)
    verified = None if thorough else _verified_quickly(content, at, rules, size_limit)
    if verified is None:
        verified = _verified_truly(content, at, rules, size_limit)
    report = question.ask(verified.certificate)
    return verified if report is None else evolve(verified, trust=report)


class _Expectations(NamedTuple):
    """Say what the caller accepts."""

    profile: SignatureProfile
    allow_sha1: bool
    smallest_key: int


def _verified_quickly(content: bytes, at: str, rules: _Expectations, size_limit: int) -> Verified | None:
    """Return what is proven by a guess; None when the true road has to judge."""
    claim = quick_claim(content, at, rules.profile, size_limit)
    if claim is None:
        return None
    key, (signature_method, digest_method) = claim.key, claim.methods
    try:
        _check_algorithms(signature_method, digest_method, rules)
        _check_key(key, rules)
    except VerificationError:
        return None
    hash_name = SIGNATURE_HASHES[signature_method].name
    if not value_fits(key, claim.value, claim.signed_info, rules.profile.scheme, hash_name):
        return None
    signed = guess(claim)
    if signed is None or base64_of(digest_of(signed, DIGEST_HASHES[digest_method].name)) != claim.digest:
        return None
    return _verified(signed, key, signature_method, claim.signing_time, at, rules)


def _verified_truly(content: bytes, at: str, rules: _Expectations, size_limit: int) -> Verified:
    """Parse, canonicalise and compare.

    Raises:
        VerificationError: the signature is not valid, or not of the one shape accepted.

    """
    body, root = opened_to_verify(content, size_limit)
    place, signature = _only_signature(root, body, at, rules.profile)
    parts = parts_of(signature, rules.profile)
    _check_algorithms(parts.signature_method, parts.digest_method, rules)
    key = _signer(parts, rules)
    _check_value(parts, key, rules.profile)
    _take_out(signature, place)
    signed = _canonical(root, rules.profile, len(body))
    if digest_of(signed, DIGEST_HASHES[parts.digest_method].name) != parts.digest:
        raise VerificationError("document.changed", reason="content-changed")
    return _verified(signed, key, parts.signature_method, moment_of(parts.signing_time), at, rules)


def _verified(
    signed: bytes,
    key: SignerKey,
    signature_method: str,
    signing_time: datetime | None,
    at: str,
    rules: _Expectations,
) -> Verified:
    return Verified(
        content=signed,
        certificate=key.certificate,
        algorithm=_ALGORITHMS[signature_method],
        signing_time=signing_time,
        is_time_protected=rules.profile.signing_time == "protected",
        at=at,
    )


def _only_signature(
    root: etree._Element, body: bytes, at: str, profile: SignatureProfile
) -> tuple[etree._Element, etree._Element]:
    """Return the signature's place and the signature, which stands there alone."""
    try:
        place = element_at(root, at)
        check_receivable(place)
    except DocumentError as error:
        raise VerificationError(error.code, field=at, reason="place") from error
    there = signatures(root, body)
    too_many = len(there) > 1 + len(profile.over)  # a path for each would cost much
    found = there if too_many else [one for one in there if path_of(one.getparent()) not in profile.over]
    if len(found) > 1:
        raise VerificationError("document.several_signatures", field=at, reason="several-signatures")
    if not found:
        raise VerificationError("document.not_signed", field=at, reason="not-signed")
    alone = len(place) == 1 and is_blank(place.text) and is_blank(found[0].tail)
    if found[0].getparent() is not place or not alone:
        raise VerificationError("document.signature_elsewhere", field=at, reason="place")
    known = ids(root, body)
    if len(known) != len(set(known)):
        raise VerificationError("document.repeated_id", field=at, reason="repeated-id")
    return place, found[0]


def _check_algorithms(signature_method: str, digest_method: str, rules: _Expectations) -> None:
    if (signature_method, digest_method) == default_methods(rules.profile):
        return
    old = rules.allow_sha1 and rules.profile.scheme is SignatureScheme.RSA_PKCS1
    if signature_method not in {SIGNATURE_METHODS[rules.profile.scheme], *([RSA_SHA1] if old else [])}:
        raise VerificationError(
            "document.algorithm", reason="signature-algorithm", algorithm=signature_method[:80]
        )
    digesting = DIGEST_HASHES.get(digest_method)
    if digesting is None or (digesting.name == "sha1" and not rules.allow_sha1):
        raise VerificationError("document.algorithm", reason="digest-algorithm", algorithm=digest_method[:80])


def _signer(parts: SignatureParts, rules: _Expectations) -> SignerKey:
    try:
        key = signer_of(parts.certificate)
    except (BhxhError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise VerificationError("document.certificate_unreadable", reason="certificate") from error
    _check_key(key, rules)
    if parts.key is not None and parts.key != key.numbers:
        raise VerificationError("document.other_key", reason="key-mismatch")
    return key


def _check_key(key: SignerKey, rules: _Expectations) -> None:
    if rules.profile.scheme not in key.schemes:
        raise VerificationError(
            wrong_kind(rules.profile.scheme), reason="key-kind", kind=key.certificate.key_kind
        )
    if key.strength < rules.smallest_key:
        raise VerificationError(
            "document.key_too_short", reason="key-too-short", bits=key.strength, smallest=rules.smallest_key
        )


def _check_value(parts: SignatureParts, key: SignerKey, profile: SignatureProfile) -> None:
    expected = signed_info(
        profile,
        parts.namespaces,
        parts.digest,
        parts.signing_time,
        methods=(parts.signature_method, parts.digest_method),
    )
    hash_name = SIGNATURE_HASHES[parts.signature_method].name
    fits = value_fits(key, parts.value, expected, profile.scheme, hash_name)
    if not fits or base64_of(parts.time_digest) not in expected:
        raise VerificationError("document.signature_wrong", reason="signature-value")


def _take_out(signature: etree._Element, place: etree._Element) -> None:
    """Leave the document as the enveloped-signature transform does: the tail stays."""
    place.text = (place.text or "") + (signature.tail or "")
    place.remove(signature)


def _canonical(root: etree._Element, profile: SignatureProfile, size: int) -> bytes:
    try:
        return canonical(root, exclusive=profile.is_exclusive, size=size)
    except DocumentError as error:
        raise VerificationError(error.code, reason="not-canonical") from error
