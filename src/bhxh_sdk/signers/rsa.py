"""RSA PKCS#1 v1.5 over a digest: the one signature form that every Vietnamese source shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from bhxh_sdk.errors import CertificateUnusableError, UnreadableFileError
from bhxh_sdk.signers.contract import HashName

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from bhxh_sdk.models import CertificateInfo
    from bhxh_sdk.signers.contract import SigningJob

__all__ = ["public_key", "signature_fits", "signed"]

_PADDING = PKCS1v15()
_HASHES = {
    HashName.SHA256: Prehashed(hashes.SHA256()),
    HashName.SHA384: Prehashed(hashes.SHA384()),
    HashName.SHA512: Prehashed(hashes.SHA512()),
}


def signed(key: RSAPrivateKey, job: SigningJob) -> bytes:
    """Sign the digest of a job."""
    return key.sign(job.digest, _PADDING, _HASHES[job.hash_name])


def signature_fits(key: RSAPublicKey, job: SigningJob, value: bytes) -> bool:
    """Tell whether a signature value belongs to the job's digest and the key."""
    try:
        key.verify(value, job.digest, _PADDING, _HASHES[job.hash_name])
    except InvalidSignature:
        return False
    return True


def public_key(certificate: CertificateInfo) -> RSAPublicKey:
    """Return the public key of a certificate.

    Raises:
        CertificateUnusableError: its key is not RSA; whether BHXH takes other keys is not known.
        UnreadableFileError: the certificate has no bytes, or they are not a certificate.

    """
    try:
        key = x509.load_der_x509_certificate(certificate.der).public_key()
    except ValueError as error:
        raise UnreadableFileError("input.not_a_certificate", field="certificate") from error
    if not isinstance(key, RSAPublicKey):
        raise CertificateUnusableError(
            "signing.certificate_not_rsa", name=certificate.common_name, kind=certificate.key_kind
        )
    return key
