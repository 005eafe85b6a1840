"""The signer's certificate: its key, its validity, and who issued it.

A document holds the signer's certificate alone, so the trusted certificates must include the one that issued
it. Every trusted certificate is trusted as it is given: chains above it are the caller's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtensionOID

from bhxh_sdk.errors import InputError, VerificationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bhxh_sdk.models import CertificateInfo

__all__ = ["certificate_key", "check_chain", "check_validity"]

_UNDERSTOOD = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.CERTIFICATE_POLICIES,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
}


def certificate_key(certificate: CertificateInfo) -> RSAPublicKey:
    """Return the certificate's RSA key.

    Raises:
        VerificationError: it has a key of another kind.

    """
    key = x509.load_der_x509_certificate(certificate.der).public_key()
    if not isinstance(key, RSAPublicKey):
        raise VerificationError("document.key_kind", reason="key-kind", kind=certificate.key_kind)
    return key


def check_validity(certificate: CertificateInfo, moment: datetime) -> None:
    """Refuse a certificate that was not valid at that moment."""
    if moment < certificate.not_before:
        raise VerificationError(
            "document.not_yet_valid", reason="not-yet-valid", name=certificate.common_name
        )
    if moment > certificate.not_after:
        raise VerificationError("document.expired", reason="expired", name=certificate.common_name)


def check_chain(certificate: CertificateInfo, roots: Sequence[bytes], moment: datetime) -> None:
    """Refuse a certificate that may not sign, or that none of the roots issued.

    Args:
        certificate: the signer's certificate.
        roots: the trusted certificates in DER; the signer's own may be among them.
        moment: when the issuer must have been valid.

    Raises:
        VerificationError: `reason` is `key-usage` or `untrusted`.
        InputError: a root is not a certificate.

    """
    trusted = [_root(der, number) for number, der in enumerate(roots)]
    if not certificate.signing_allowed:
        raise VerificationError("document.key_usage", reason="key-usage", name=certificate.common_name)
    signer = x509.load_der_x509_certificate(certificate.der)
    if any(extension.critical and extension.oid not in _UNDERSTOOD for extension in signer.extensions):
        raise VerificationError("document.untrusted", reason="untrusted", name=certificate.common_name)
    if certificate.der in roots or any(_issued(signer, root, moment) for root in trusted):
        return
    raise VerificationError("document.untrusted", reason="untrusted", name=certificate.common_name)


def _root(der: bytes, number: int) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, TypeError, x509.InvalidVersion) as error:
        raise InputError("xml.not_a_certificate", field=f"roots[{number}]") from error


def _issued(signer: x509.Certificate, root: x509.Certificate, moment: datetime) -> bool:
    if not (root.not_valid_before_utc <= moment <= root.not_valid_after_utc and _may_issue(root)):
        return False
    try:
        signer.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _may_issue(root: x509.Certificate) -> bool:
    try:
        constraints = root.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = root.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return False
    except (ValueError, x509.DuplicateExtension):
        return False
    return constraints.ca and usage.key_cert_sign
