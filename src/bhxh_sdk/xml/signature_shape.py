"""The shape of a signature: fixed pieces, written byte by byte and expected byte by byte.

Source: the signatures of four signing paths seen in dossiers; XML Signature Syntax and Processing
(https://www.w3.org/TR/xmldsig-core1/); Canonical XML 1.0. What differs between profiles is data
(`signature_profile`).
"""

from __future__ import annotations

import base64
from binascii import b2a_base64
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.xml.writer import escaped, escaped_attribute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bhxh_sdk.xml.signature_profile import SignatureProfile

__all__ = [
    "CANONICALISATION",
    "DIGEST_HASHES",
    "DSIG",
    "ENVELOPED",
    "RSA_SHA1",
    "SIGNATURE_HASHES",
    "SIGNATURE_METHODS",
    "TIME_NAMESPACE",
    "Namespaces",
    "around_digest",
    "base64_of",
    "canonicalisation_of",
    "default_methods",
    "in_scope",
    "key_info",
    "signature",
    "signature_pieces",
    "signed_info",
    "signed_info_around",
    "signed_time_object",
    "time_transforms",
    "transforms",
]

DSIG = "http://www.w3.org/2000/09/xmldsig#"
CANONICALISATION = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = f"{DSIG}enveloped-signature"
RSA_SHA1 = f"{DSIG}rsa-sha1"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
TIME_NAMESPACE = "http://example.org/#signatureProperties"
"""The namespace of SigningTime, as every producer seen writes it."""

SIGNATURE_METHODS: Mapping[SignatureScheme, str] = {
    SignatureScheme.RSA_PKCS1: RSA_SHA256,
    SignatureScheme.RSA_PSS: "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    SignatureScheme.ECDSA: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
}
"""The algorithm that each scheme is written with, always over SHA-256 (RFC 9231)."""

SIGNATURE_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    **{method: hashes.SHA256() for method in SIGNATURE_METHODS.values()},
    RSA_SHA1: hashes.SHA1(),  # noqa: S303  # verified only, and only when asked for
}
DIGEST_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    SHA256: hashes.SHA256(),
    f"{DSIG}sha1": hashes.SHA1(),  # noqa: S303  # as above
}

Namespaces = tuple[tuple[str, str], ...]
"""Prefix and URI of the declarations in scope, sorted by prefix, the default namespace left out."""


def in_scope(declared: Mapping[str | None, str]) -> Namespaces:
    """Return the declarations that inclusive canonical XML repeats on an element without a prefix."""
    return tuple(sorted((prefix, uri) for prefix, uri in declared.items() if prefix))


def canonicalisation_of(profile: SignatureProfile) -> str:
    """Return the canonicalisation algorithm of a profile."""
    return EXCLUSIVE if profile.is_exclusive else CANONICALISATION


def signed_info(
    profile: SignatureProfile,
    namespaces: Namespaces,
    digest: bytes,
    signing_time: str = "",
    *,
    methods: tuple[str, str] | None = None,
) -> bytes:
    """Return the canonical SignedInfo: the exact bytes that are signed.

    Args:
        profile: the signature's profile.
        namespaces: the declarations in scope where the signature stands.
        digest: digest of the document without the signature.
        signing_time: the time as written, for a profile that protects it.
        methods: URIs of the signature and the digest algorithm; None for those of the profile.

    """
    before, after = signed_info_around(profile, namespaces, methods)
    if profile.signing_time != "protected":
        return b"%b%b%b" % (before, base64_of(digest), after)
    hashing = DIGEST_HASHES[SHA256 if methods is None else methods[1]]
    state = hashes.Hash(hashing)
    state.update(signed_time_object(profile, namespaces, signing_time))
    middle, after = after.split(b"\0")
    return b"%b%b%b%b%b" % (before, base64_of(digest), middle, base64_of(state.finalize()), after)


def signed_info_around(
    profile: SignatureProfile, namespaces: Namespaces, methods: tuple[str, str] | None
) -> tuple[bytes, bytes]:
    """Return what stands around the digest in SignedInfo; a NUL stands for the digest of the time."""
    if sum([len(uri) for _, uri in namespaces]) > _LONGEST_KEPT:
        return around_digest.__wrapped__(profile, namespaces, methods)
    return around_digest(profile, namespaces, methods)


_LONGEST_KEPT = 2000


@lru_cache(maxsize=256)
def around_digest(
    profile: SignatureProfile, namespaces: Namespaces, methods: tuple[str, str] | None
) -> tuple[bytes, bytes]:
    """Return the same as `signed_info_around`, for namespaces that are known to be short: it is kept."""
    signature_method, digest_method = methods or default_methods(profile)
    before = (
        f"<SignedInfo{_declared(profile, namespaces)}>"
        f'<CanonicalizationMethod Algorithm="{canonicalisation_of(profile)}"></CanonicalizationMethod>'
        f'<SignatureMethod Algorithm="{signature_method}"></SignatureMethod>'
        f'<Reference URI="">{_transforms(transforms(profile))}'
        f'<DigestMethod Algorithm="{digest_method}"></DigestMethod><DigestValue>'
    )
    after = "</DigestValue></Reference>"
    if profile.signing_time == "protected":
        after += (
            f'<Reference URI="#{profile.time_id}">{_transforms(time_transforms(profile))}'
            f'<DigestMethod Algorithm="{digest_method}"></DigestMethod>'
            f"<DigestValue>\0</DigestValue></Reference>"
        )
    return before.encode(), f"{after}</SignedInfo>".encode()


@lru_cache(maxsize=64)
def default_methods(profile: SignatureProfile) -> tuple[str, str]:
    """Return the URIs of a profile's signature and digest algorithm."""
    return SIGNATURE_METHODS[profile.scheme], SHA256


def signature_pieces(profile: SignatureProfile) -> tuple[bytes, bytes, bytes, bytes]:
    """Return what a Signature has around its digest and around its time, the same for each signer.

    Between the second and the third piece stand the value, the end of its element, and KeyInfo. Of a profile
    that protects the time, the second piece holds a NUL for its digest.
    """
    before, after = signed_info_around(profile, (), None)
    start, time_before, time_after = _around_key_info(profile)
    head = start + before[before.index(b">") + 1 :]
    return head, after + b"<SignatureValue>", time_before, time_after


def _transforms(algorithms: Sequence[str]) -> str:
    listed = "".join(f'<Transform Algorithm="{algorithm}"></Transform>' for algorithm in algorithms)
    return f"<Transforms>{listed}</Transforms>" if listed else ""


def transforms(profile: SignatureProfile) -> Sequence[str]:
    """Return the transforms of the reference to the document."""
    return (ENVELOPED, EXCLUSIVE) if profile.is_exclusive else (ENVELOPED,)


def time_transforms(profile: SignatureProfile) -> Sequence[str]:
    """Return the transforms of the reference to a protected time: without any, the form is inclusive."""
    return (EXCLUSIVE,) if profile.is_exclusive else ()


def _declared(profile: SignatureProfile, namespaces: Namespaces) -> str:
    inherited = () if profile.is_exclusive else namespaces
    return f' xmlns="{DSIG}"' + "".join(
        f' xmlns:{prefix}="{escaped_attribute(uri)}"' for prefix, uri in inherited
    )


def signed_time_object(profile: SignatureProfile, namespaces: Namespaces, signing_time: str) -> bytes:
    """Return the canonical Object of a protected time: the bytes that the second Reference digests."""
    return _time_object(profile, f"{_declared(profile, namespaces)} ", signing_time)


def _time_object(profile: SignatureProfile, declared: str, signing_time: str) -> bytes:
    own = f' Id="{profile.properties_id}"' if profile.properties_id else ""
    return (
        f'<Object{declared}Id="{profile.time_id}"><SignatureProperties xmlns=""{own}>'
        f'<SignatureProperty Target="#{profile.signature_id}">'
        f'<SigningTime xmlns="{TIME_NAMESPACE}">{signing_time}</SigningTime>'
        f"</SignatureProperty></SignatureProperties></Object>"
    ).encode()


def signature(
    profile: SignatureProfile,
    signed: bytes,
    value: bytes,
    subject: str,
    certificate: bytes,
    signing_time: str,
) -> bytes:
    """Return the whole Signature element, on one line.

    Args:
        profile: the signature's profile.
        signed: the canonical SignedInfo; its declarations are those of the elements around it.
        value: the signature value over it.
        subject: subject name of the certificate; nothing relies on it.
        certificate: the certificate in DER.
        signing_time: `yyyy-MM-ddTHH:mm:ssZ`.

    """
    start, key, time_before, time_after = _around(profile, subject, certificate)
    return b"%b%b%b%b%b%b%b%b" % (
        start,
        signed[signed.index(b">") + 1 :],
        b"<SignatureValue>",
        base64_of(value),
        key,
        time_before,
        signing_time.encode() if time_before else b"",
        time_after,
    )


@lru_cache(maxsize=256)
def _around(profile: SignatureProfile, subject: str, certificate: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return what a signature of this certificate always repeats."""
    start, before, after = _around_key_info(profile)
    return start, b"</SignatureValue>" + key_info(profile, subject, certificate), before, after


def _around_key_info(profile: SignatureProfile) -> tuple[bytes, bytes, bytes]:
    """Return what stands before SignedInfo's children, and before and after the time."""
    start = f'<Signature Id="{profile.signature_id}" xmlns="{DSIG}"><SignedInfo>'.encode()
    if profile.signing_time == "none":
        return start, b"", b"</Signature>"
    before, after = _unprotected(profile) if profile.signing_time == "unprotected" else _protected(profile)
    return start, before, after + b"</Signature>"


def _protected(profile: SignatureProfile) -> tuple[bytes, bytes]:
    before, after = _time_object(profile, " ", "\0").split(b"\0")
    return before, after


def _unprotected(profile: SignatureProfile) -> tuple[bytes, bytes]:
    """In the order of attributes that the field writes, which is not the canonical one."""
    own = f'Id="{profile.properties_id}" ' if profile.properties_id else ""
    before = (
        f'<Object><SignatureProperties {own}xmlns=""><SignatureProperty Target="#{profile.signature_id}">'
        f'<SigningTime xmlns="{TIME_NAMESPACE}">'
    )
    return before.encode(), b"</SigningTime></SignatureProperty></SignatureProperties></Object>"


def key_info(profile: SignatureProfile, subject: str, certificate: bytes) -> bytes:
    """Return KeyInfo: the key's numbers, the subject's name before the certificate, all on one line."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    value = ""
    if profile.key_value and isinstance(key, RSAPublicKey):
        numbers = key.public_numbers()
        value = (
            f"<KeyValue><RSAKeyValue><Modulus>{_number(numbers.n)}</Modulus>"
            f"<Exponent>{_number(numbers.e)}</Exponent></RSAKeyValue></KeyValue>"
        )
    name = f"<X509SubjectName>{escaped(subject)}</X509SubjectName>" if profile.subject_name else ""
    held = base64.b64encode(certificate).decode()
    return (
        f"<KeyInfo>{value}<X509Data>{name}<X509Certificate>{held}</X509Certificate></X509Data></KeyInfo>"
    ).encode()


def base64_of(content: bytes) -> bytes:
    """Return bytes in base64, on one line."""
    return b2a_base64(content, newline=False)


def _number(value: int) -> str:
    return base64_of(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode()
