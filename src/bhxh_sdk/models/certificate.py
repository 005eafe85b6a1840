"""What a certificate says: its owner, its issuer, its validity and what its key may do."""

from __future__ import annotations

import re
import warnings
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import field, frozen
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID

from bhxh_sdk.errors import UnreadableFileError
from bhxh_sdk.models.identifiers import PersonalId, TaxCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

__all__ = ["CertificateInfo", "days_left", "load_certificate"]

_TAX_CODE = re.compile(r"\s*MST\s*[:\-]?\s*([0-9]{10}(?:-[0-9]{3})?|[0-9]{12})\s*", re.IGNORECASE)
_PERSONAL_ID = re.compile(r"\s*CCCD\s*[:\-]?\s*([0-9]{12})\s*", re.IGNORECASE)
_IDENTITY = re.compile(
    r"\s*(MST|CCCD|CMND|HC|MNS)\s*(?:[:\-]\s*|(?=[0-9]))([^\s:\-]\S{0,63})\s*", re.IGNORECASE
)
_NOT_READABLE = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion)
_ORGANISATION_IDENTIFIER = x509.ObjectIdentifier("2.5.4.97")


@frozen(kw_only=True)
class CertificateInfo:
    """Hold the facts of an X.509 certificate that registrations and rules need.

    Make one with `from_der`.

    Args:
        subject: the subject as text, certificate order, with the names that XML signatures use (`CN=…,
            UID=…`).
        issuer: the issuer as text, in the same form.
        common_name: the owner's name.
        issuer_name: the issuer's common name.
        serial: serial number; compare it as a number, never as text.
        not_before: start of validity, UTC.
        not_after: end of validity, UTC.
        tax_codes: every `MST:` value of the subject, in order.
        personal_ids: every `CCCD:` value of the subject, in order.
        identities: kind and value of every identity that the subject names, in order and as written: `MST`
            (tax code), `CCCD` or `CMND` (personal id, new and old), `HC` (passport), `MNS` (a unit's code).
        signing_allowed: whether key usage names digitalSignature or nonRepudiation, or is absent.
        key_kind: `rsa`, `ec` or another algorithm's name.
        key_bits: key size in bits, 0 when it does not apply.
        der: the certificate's exact bytes.

    """

    subject: str
    issuer: str
    common_name: str
    issuer_name: str
    serial: int
    not_before: datetime
    not_after: datetime
    tax_codes: tuple[TaxCode, ...] = ()
    personal_ids: tuple[PersonalId, ...] = field(default=(), repr=False)
    identities: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    signing_allowed: bool = True
    key_kind: str = "rsa"
    key_bits: int = 2048
    der: bytes = field(default=b"", repr=False)

    @classmethod
    def from_der(cls, der: bytes) -> CertificateInfo:
        """Read a certificate.

        Args:
            der: the certificate in DER.

        Raises:
            UnreadableFileError: the bytes are not a certificate.

        """
        try:
            with _odd_ones_without_warning():
                return _facts(x509.load_der_x509_certificate(der), der)
        except _NOT_READABLE as error:
            raise UnreadableFileError("input.not_a_certificate", field="certificate") from error

    @property
    def serial_text(self) -> str:
        """The serial number as upper-case hexadecimal of whole bytes, as certificate programs show it."""
        digits = f"{self.serial:X}"
        return digits.zfill(len(digits) + len(digits) % 2)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate in hexadecimal."""
        digest = hashes.Hash(hashes.SHA256())
        digest.update(self.der)
        return digest.finalize().hex()

    def valid_at(self, moment: datetime) -> bool:
        """Tell whether the validity dates include that moment."""
        return self.not_before <= moment <= self.not_after

    def belongs_to(self, tax_code: TaxCode) -> bool:
        """Tell whether one of the tax codes is that code, or the organisation whose branch it is."""
        return any(own == tax_code or own.value == tax_code.organisation for own in self.tax_codes)


def days_left(certificate: CertificateInfo, now: datetime) -> int:
    """Return how many whole days the certificate is still valid; negative once it has expired."""
    return (certificate.not_after - now).days


def load_certificate(der: bytes) -> x509.Certificate:
    """Load a certificate that `CertificateInfo.from_der` took, for what it does not tell.

    Raises:
        ValueError, TypeError, UnsupportedAlgorithm: the bytes are not a certificate.

    """
    with _odd_ones_without_warning():
        return x509.load_der_x509_certificate(der)


@contextmanager
def _odd_ones_without_warning() -> Iterator[None]:
    """Names over 64 bytes are common in Vietnam; serial numbers have been odd elsewhere."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _facts(certificate: x509.Certificate, der: bytes) -> CertificateInfo:
    identities = _identity_values(certificate.subject)
    kind, bits = _key_facts(certificate.public_key())
    return CertificateInfo(
        subject=_name_text(certificate.subject),
        issuer=_name_text(certificate.issuer),
        common_name=_common_name(certificate.subject),
        issuer_name=_common_name(certificate.issuer),
        serial=certificate.serial_number,
        not_before=_utc(certificate.not_valid_before_utc),
        not_after=_utc(certificate.not_valid_after_utc),
        tax_codes=tuple(TaxCode(match[1]) for value in identities if (match := _TAX_CODE.fullmatch(value))),
        personal_ids=tuple(
            PersonalId(match[1]) for value in identities if (match := _PERSONAL_ID.fullmatch(value))
        ),
        identities=tuple(
            (match[1].upper(), match[2]) for value in identities if (match := _IDENTITY.fullmatch(value))
        ),
        signing_allowed=_signing_allowed(certificate),
        key_kind=kind,
        key_bits=bits,
        der=der,
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _identity_values(subject: x509.Name) -> list[str]:
    """Return the values that may carry a tax code or a personal id: UIDs, then the two rarer places."""
    places = (NameOID.USER_ID, NameOID.SERIAL_NUMBER, _ORGANISATION_IDENTIFIER)
    return [str(item.value) for place in places for item in subject.get_attributes_for_oid(place)]


def _common_name(name: x509.Name) -> str:
    return next((str(item.value) for item in name.get_attributes_for_oid(NameOID.COMMON_NAME)), "")


_SHORT_NAMES = {
    NameOID.COMMON_NAME: "CN",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.TITLE: "T",
    NameOID.LOCALITY_NAME: "L",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.COUNTRY_NAME: "C",
    NameOID.EMAIL_ADDRESS: "E",
    NameOID.USER_ID: "UID",
}


def _name_text(name: x509.Name) -> str:
    """Write a name in certificate order, with the short names that Vietnamese tools print."""
    return ", ".join(rdn.rfc4514_string(_SHORT_NAMES) for rdn in name.rdns)


def _signing_allowed(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.content_commitment


def _key_facts(key: CertificatePublicKeyTypes) -> tuple[str, int]:
    if isinstance(key, RSAPublicKey):
        return "rsa", key.key_size
    if isinstance(key, EllipticCurvePublicKey):
        return "ec", key.key_size
    return type(key).__name__.removesuffix("PublicKey").lower(), 0
