"""Foreign signatures: documents whose signature has another shape than ours, from signers of any make.

`verify` accepts one fixed profile and is fast. This accepts what XML Signature allows and a careful receiver
can
take: any place, prefixes, either canonicalisation, references to parts of the document. The proof is
signxml's; the shape is judged here before, and only bytes that a verified digest covers are handed out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime  # noqa: TC003  # attrs reads the annotations at run time
from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import field, frozen
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from bhxh_sdk.errors import (
    BhxhError,
    InputError,
    VerificationError,
    WrongTypeError,
)
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.models.certificate import load_certificate
from bhxh_sdk.trust import TrustReport  # noqa: TC001  # attrs reads the annotations at run time
from bhxh_sdk.xml.foreign_shape import (
    MOST_REFERENCES,
    SIGNATURES,
    ForeignParts,
    element_at,
    foreign_parts,
    steps_of,
)
from bhxh_sdk.xml.foreign_time import signing_time
from bhxh_sdk.xml.reader import SIZE_LIMIT, opened_to_verify, parsed
from bhxh_sdk.xml.signer_trust import trust_question

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from bhxh_sdk.trust import Evidence, TrustPolicy

__all__ = ["FOREIGN_ALGORITHMS", "ForeignVerified", "verify_foreign"]

FOREIGN_ALGORITHMS = ("rsa-sha256", "rsa-sha384", "rsa-sha512")
"""The signature algorithms that are accepted unless the caller says otherwise."""

_CURVES = (SECP256R1, SECP384R1, SECP521R1)


@frozen(kw_only=True)
class ForeignVerified:
    """Hold what a valid foreign signature covers. Read only this, never the document itself.

    Args:
        content: the canonical bytes of the signed element that was asked for, without the signature.
        contents: the canonical bytes that each reference covers, by its URI (empty for the whole document).
        certificate: the signer's certificate.
        algorithm: the signature algorithm, such as `rsa-sha256`.
        canonicalisation: that of SignedInfo: `inclusive`, `inclusive-1.1` or `exclusive`.
        signing_time: the time that the signature claims; None when it claims none that can be told.
        signing_time_protected: whether a verified reference covers that time, so that the signer did write
            it.
        at: path of the signature's place.
        trust: what is known of the certificate's path; None when nobody asked.

    """

    content: bytes = field(repr=lambda content: f"<{len(content)} bytes>")
    contents: Mapping[str, bytes] = field(repr=lambda contents: repr(list(contents)))
    certificate: CertificateInfo
    algorithm: str
    canonicalisation: str
    signing_time: datetime | None
    signing_time_protected: bool
    at: str
    trust: TrustReport | None = None

    @property
    def trusted(self) -> bool:
        """Whether the certificate was traced to a trusted one; `trust` says what is known of revocation."""
        return self.trust is not None


def verify_foreign(  # noqa: PLR0913  # one keyword for each expectation, as `verify` has them
    content: bytes,
    *,
    at: str,
    covers: str | None = None,
    expected_references: int = 1,
    certificate: CertificateInfo | None = None,
    algorithms: Collection[str] = FOREIGN_ALGORITHMS,
    allow_sha1: bool = False,
    smallest_key: int = 2048,
    roots: Sequence[bytes] | None = None,
    moment: datetime | None = None,
    trust: TrustPolicy | None = None,
    evidence: Evidence | None = None,
    size_limit: int = SIZE_LIMIT,
) -> ForeignVerified:
    """Verify a signature of another shape than ours.

    Args:
        content: the signed document's bytes.
        at: path of the signature's parent, such as `BHXH/CKYDTU_DVI`; `{urn:example}Name` in a namespace.
        covers: path of the element that a reference must mean, whose bytes are handed out; None for the root.
        expected_references: how many references the signature has, 1 to 10.
        certificate: the signer's, where the document holds none; it must equal the one it holds.
        algorithms: accepted signature algorithms: rsa-sha, rsa-pss-sha, ecdsa-sha with 256, 384, 512.
        allow_sha1: accept rsa-sha1 and SHA-1 digests, for documents of old signers.
        smallest_key: fewest bits that an RSA key may have.
        roots: as for `verify`, and so are the next three.
        moment: when the certificate must have been valid.
        trust: whom to trust.
        evidence: what is known about revocation.
        size_limit: how many bytes the document may have.

    Raises:
        VerificationError: it is not valid, or holds something that is not accepted; `reason` says what.
        InputError: a parameter is wrong.
        SetupError: the installed signxml cannot be held to its part.

    """
    _check_expectations(at, covers, expected_references, algorithms)
    _check_given(certificate)
    question = trust_question(roots, moment, trust, evidence, smallest_key)
    _, root = opened_to_verify(content, size_limit)
    accepted = {*algorithms, "rsa-sha1"} if allow_sha1 else set(algorithms)
    parts = foreign_parts(root, at, algorithms=accepted, expected=expected_references)
    wanted = _wanted(root, parts, covers)
    signer = _signer(parts, certificate, smallest_key)
    contents = _signed_contents(root, parts, signer)
    report = question.ask(signer)
    return _handed_out(parts, contents, wanted, signer=signer, at=at, report=report)


def _check_given(certificate: CertificateInfo | None) -> None:
    if not isinstance(certificate, CertificateInfo | None):
        raise WrongTypeError(field="certificate", expected="CertificateInfo", got=type(certificate).__name__)


def _check_expectations(
    at: str, covers: str | None, expected_references: int, algorithms: Collection[str]
) -> None:
    steps_of(at, "at")
    if covers is not None:
        steps_of(covers, "covers")
    if not isinstance(expected_references, int):
        raise WrongTypeError(
            field="expected_references", expected="int", got=type(expected_references).__name__
        )
    if not 1 <= expected_references <= MOST_REFERENCES:
        raise InputError("xml.references_expected", field="expected_references", most=MOST_REFERENCES)
    if not isinstance(algorithms, Collection):
        raise WrongTypeError(field="algorithms", expected="Collection[str]", got=type(algorithms).__name__)
    for name in algorithms:
        if name not in (choices := set(SIGNATURES.values()) - {"rsa-sha1"}):
            known = ", ".join(sorted(choices))
            raise InputError("xml.unknown_algorithm", field="algorithms", value=str(name)[:80], known=known)


def _wanted(root: etree._Element, parts: ForeignParts, covers: str | None) -> str:
    """Return the URI of the reference that means exactly the element asked for."""
    element = root if covers is None else element_at(root, covers, "covers")
    for reference in parts.references:
        if reference.target is element:
            return reference.uri
    raise VerificationError("document.not_covered", field=covers or str(root.tag)[:80], reason="not-covered")


def _signer(parts: ForeignParts, given: CertificateInfo | None, smallest_key: int) -> CertificateInfo:
    """Return the signer's certificate, its key fit for the algorithm."""
    if given is not None and parts.certificate not in {None, given.der}:
        raise VerificationError("document.other_certificate", reason="other-certificate")
    der = given.der if given is not None else parts.certificate
    if der is None:
        raise VerificationError("document.no_certificate", reason="no-certificate")
    try:
        certificate = CertificateInfo.from_der(der)
    except BhxhError as error:
        raise VerificationError("document.certificate_unreadable", reason="certificate") from error
    key = load_certificate(der).public_key()
    if isinstance(key, RSAPublicKey) and key.key_size < smallest_key:
        raise VerificationError(
            "document.key_too_short", reason="key-too-short", bits=key.key_size, smallest=smallest_key
        )
    if parts.key not in {None, _key_value(key, parts.algorithm)}:
        raise VerificationError("document.other_key", reason="key-mismatch")
    return certificate


def _key_value(key: CertificatePublicKeyTypes, algorithm: str) -> tuple[int, int] | bytes:
    """Return the key as KeyValue would hold it, if the algorithm takes a key of its kind."""
    if isinstance(key, RSAPublicKey) and algorithm.startswith("rsa"):
        numbers = key.public_numbers()
        return numbers.n, numbers.e
    if (
        algorithm.startswith("ecdsa")
        and isinstance(key, EllipticCurvePublicKey)
        and isinstance(key.curve, _CURVES)
    ):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    raise VerificationError("document.key_for_algorithm", reason="key-kind", algorithm=algorithm)


def _signed_contents(
    root: etree._Element, parts: ForeignParts, signer: CertificateInfo
) -> Mapping[str, bytes]:
    """Return the verified bytes by the references' URIs."""
    from signxml.exceptions import InvalidDigest, SignXMLException  # noqa: PLC0415  # it takes long to import

    from bhxh_sdk.xml.foreign_verifier import ForeignVerifier  # noqa: PLC0415  # as above

    verifier = ForeignVerifier(parts)
    try:
        contents = verifier.signed_contents(root, load_certificate(signer.der))
    except InvalidDigest as error:
        raise VerificationError("document.changed", reason="content-changed") from error
    except (InvalidSignature, UnsupportedAlgorithm) as error:
        raise VerificationError("document.signature_wrong", reason="signature-value") from error
    except etree.LxmlError as error:
        raise VerificationError("document.no_canonical_form", reason="not-canonical") from error
    except (SignXMLException, ValueError, TypeError) as error:  # as a key that is odd
        raise VerificationError(
            "document.signature_shape", reason="structure", element="Signature"
        ) from error
    return MappingProxyType(dict(zip((one.uri for one in parts.references), contents, strict=True)))


def _handed_out(
    parts: ForeignParts,
    contents: Mapping[str, bytes],
    wanted: str,
    *,
    signer: CertificateInfo,
    at: str,
    report: TrustReport | None,
) -> ForeignVerified:
    protected, time = _signing_time(parts, contents)
    return ForeignVerified(
        content=contents[wanted],
        contents=contents,
        certificate=signer,
        algorithm=parts.algorithm,
        canonicalisation=parts.canonicalisation,
        signing_time=time,
        signing_time_protected=protected,
        at=at,
        trust=report,
    )


def _signing_time(parts: ForeignParts, contents: Mapping[str, bytes]) -> tuple[bool, datetime | None]:
    """Return whether the claimed time is signed, and the time; a signed claim counts before all others."""
    inside = [
        parsed(contents[reference.uri])
        for reference in parts.references
        if parts.signature in reference.target.iterancestors()
    ]
    claimed, time = signing_time(inside)
    if claimed:
        return time is not None, time
    return False, signing_time([parts.signature])[1]
