"""The shape of the signature: one fixed form, written byte by byte and expected byte by byte.

Source: the signatures of four signing paths seen in dossiers; XML Signature Syntax and Processing
(https://www.w3.org/TR/xmldsig-core1/). No namespace prefix, inclusive Canonical XML 1.0, RSA PKCS#1 v1.5, one
Reference with URI "" and the enveloped-signature transform alone.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes

from bhxh_sdk.xml.writer import escaped, escaped_attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

__all__ = [
    "CANONICALISATION",
    "DIGEST_HASHES",
    "DSIG",
    "ENVELOPED",
    "SIGNATURE_HASHES",
    "TIME_NAMESPACE",
    "signature",
    "signed_info",
]

DSIG = "http://www.w3.org/2000/09/xmldsig#"
CANONICALISATION = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = f"{DSIG}enveloped-signature"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
TIME_NAMESPACE = "http://example.org/#signatureProperties"
"""The namespace of SigningTime, as every producer seen writes it."""

SIGNATURE_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    RSA_SHA256: hashes.SHA256(),
    f"{DSIG}rsa-sha1": hashes.SHA1(),  # noqa: S303  # verified only, and only when asked for
}
DIGEST_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    SHA256: hashes.SHA256(),
    f"{DSIG}sha1": hashes.SHA1(),  # noqa: S303  # as above
}


def signed_info(
    namespaces: Mapping[str | None, str],
    digest: bytes,
    *,
    signature_method: str = RSA_SHA256,
    digest_method: str = SHA256,
) -> bytes:
    """Return the canonical SignedInfo: the exact bytes that are signed.

    Args:
        namespaces: every declaration in scope where the signature stands; inclusive canonical XML repeats
            them.
        digest: digest of the document without the signature.
        signature_method: URI of the signature algorithm.
        digest_method: URI of the digest algorithm.

    """
    inherited = sorted((prefix, uri) for prefix, uri in namespaces.items() if prefix)
    declared = "".join(f' xmlns:{prefix}="{escaped_attribute(uri)}"' for prefix, uri in inherited)
    return _signed_info(f' xmlns="{DSIG}"{declared}', digest, signature_method, digest_method).encode()


def _signed_info(declared: str, digest: bytes, signature_method: str, digest_method: str) -> str:
    return (
        f"<SignedInfo{declared}>"
        f'<CanonicalizationMethod Algorithm="{CANONICALISATION}"></CanonicalizationMethod>'
        f'<SignatureMethod Algorithm="{signature_method}"></SignatureMethod>'
        f'<Reference URI=""><Transforms><Transform Algorithm="{ENVELOPED}"></Transform></Transforms>'
        f'<DigestMethod Algorithm="{digest_method}"></DigestMethod>'
        f"<DigestValue>{_base64(digest)}</DigestValue></Reference></SignedInfo>"
    )


def signature(
    digest: bytes, value: bytes, key: RSAPublicNumbers, subject: str, certificate: bytes, signing_time: str
) -> bytes:
    """Return the whole Signature element, on one line.

    Args:
        digest: digest of the document without the signature.
        value: the signature value over `signed_info`.
        key: the public key.
        subject: subject name of the certificate; nothing relies on it.
        certificate: the certificate in DER.
        signing_time: `yyyy-MM-ddTHH:mm:ssZ`; it is not protected by the signature.

    """
    return (
        f'<Signature Id="sigid" xmlns="{DSIG}">'
        f"{_signed_info('', digest, RSA_SHA256, SHA256)}"
        f"<SignatureValue>{_base64(value)}</SignatureValue>"
        f"<KeyInfo><KeyValue><RSAKeyValue><Modulus>{_number(key.n)}</Modulus><Exponent>{_number(key.e)}</Exponent>"
        f"</RSAKeyValue></KeyValue><X509Data><X509SubjectName>{escaped(subject)}</X509SubjectName>"
        f"<X509Certificate>{_base64(certificate)}</X509Certificate></X509Data></KeyInfo>"
        f'<Object><SignatureProperties Id="proid" xmlns=""><SignatureProperty Target="#sigid">'
        f'<SigningTime xmlns="{TIME_NAMESPACE}">{signing_time}</SigningTime>'
        f"</SignatureProperty></SignatureProperties></Object></Signature>"
    ).encode()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _number(value: int) -> str:
    return _base64(value.to_bytes((value.bit_length() + 7) // 8, "big"))
