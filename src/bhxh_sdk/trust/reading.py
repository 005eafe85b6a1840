"""Read certificates and revocation lists as authorities hand them out: DER, PEM, or PEM with several."""

from __future__ import annotations

import base64
import binascii
import re
import warnings
from typing import TYPE_CHECKING, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from bhxh_sdk.errors import UnreadableFileError, WrongTypeError
from bhxh_sdk.models import CertificateInfo

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NOT_READABLE", "quietly", "read_certificates", "read_crl"]

T = TypeVar("T")

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\s]*)-----END \1-----")
_CERTIFICATE = {b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"}
_CRL = {b"X509 CRL"}

NOT_READABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion)
"""What cryptography raises for content that is not what it should be."""


def quietly(load: Callable[[bytes], T], der: bytes) -> T:
    """Load DER without the warnings that odd but usual Vietnamese certificates cause."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load(der)


def read_certificates(content: bytes, field: str = "certificate") -> tuple[bytes, ...]:
    """Read the certificates of a file.

    Args:
        content: one certificate in DER, or PEM with one or several and any text around them.
        field: what an error names it.

    Returns:
        The certificates in DER, in the order of the file; at least one.

    Raises:
        UnreadableFileError: there is no certificate, or one is damaged.

    """
    ders = _blocks(content, _CERTIFICATE, field) or [content]
    return tuple(CertificateInfo.from_der(der).der for der in ders)


def read_crl(content: bytes, field: str = "crl") -> bytes:
    """Read a revocation list; the national root publishes its own as PEM, others publish DER.

    Args:
        content: one list in DER or PEM.
        field: what an error names it.

    Returns:
        The list in DER.

    Raises:
        UnreadableFileError: it is not one revocation list.

    """
    ders = _blocks(content, _CRL, field) or [content]
    try:
        (der,) = ders
        quietly(x509.load_der_x509_crl, der)
    except NOT_READABLE as error:
        raise UnreadableFileError("trust.not_a_crl", field=field) from error
    return der


def _blocks(content: bytes, labels: set[bytes], field: str) -> list[bytes]:
    if not isinstance(content, bytes):
        raise WrongTypeError(field=field, expected="bytes", got=type(content).__name__)
    try:
        return [
            base64.b64decode(b"".join(text.split()), validate=True)
            for label, text in _BLOCK.findall(content)
            if label in labels
        ]
    except binascii.Error as error:
        raise UnreadableFileError("input.not_a_certificate", field=field) from error
