"""A certification authority for the sandbox: root, issuing CA and certificates, made when they are needed.

Nothing is stored and nothing is to be trusted: every name says so.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import PBES, serialize_key_and_certificates
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.signers import SoftKeySigner
from bhxh_sdk.signers.test_certificate import EXAMPLE_NAME, EXAMPLE_TAX_CODE, key_usage, new_key, subject_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

__all__ = ["OTHER_TAX_CODE", "SandboxCertificate", "SandboxPki"]

OTHER_TAX_CODE = "0123456789"
"""The tax code in `SandboxPki.of_another`; its check digit is wrong, so that nobody owns it."""

_DAY = timedelta(days=1)
_AUTHORITY_YEARS = 10


@cache
def _shared_key(role: str) -> RSAPrivateKey:  # noqa: ARG001  # the role is the cache's key
    """Return one key for each role: making keys is slow, and in a sandbox nothing depends on fresh ones."""
    return new_key()


@frozen(kw_only=True)
class SandboxCertificate:
    """Hold an issued certificate with its key and chain.

    Args:
        key: the private key.
        certificate: the certificate.
        chain: the certificates above it, issuing CA first.

    """

    key: RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = field(repr=False)

    @property
    def der(self) -> bytes:
        """The certificate in DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def info(self) -> CertificateInfo:
        """What the certificate says."""
        return CertificateInfo.from_der(self.der)

    def signer(self) -> SoftKeySigner:
        """Return a signer with this key, its certificate and its chain."""
        return SoftKeySigner.from_key(self.key, [self.certificate, *self.chain], name="sandbox")

    def key_pem(self, password: str = "") -> bytes:
        """Return the key as PKCS#8 PEM, encrypted where a password is given."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, _encryption(password))

    def certificates_pem(self) -> bytes:
        """Return the certificate and its chain as PEM."""
        return b"".join(item.public_bytes(Encoding.PEM) for item in (self.certificate, *self.chain))

    def p12(self, password: str = "", *, legacy: bool = False) -> bytes:
        """Return key, certificate and chain as PKCS#12.

        Args:
            password: the password; empty for no encryption.
            legacy: whether to encrypt as older programs do, with triple DES and SHA-1.

        """
        encryption = _legacy_encryption(password) if legacy else _encryption(password)
        return serialize_key_and_certificates(b"sandbox", self.key, self.certificate, self.chain, encryption)


class SandboxPki:
    """Issue certificates as Vietnamese public authorities do: root, issuing CA, certificate.

    Keys are made once for each process: authorities and certificates of all sandboxes share theirs, unless a
    certificate is asked for with a key of its own.

    Args:
        now: the present moment of the sandbox, with its zone; validity is counted from it.

    """

    def __init__(self, now: datetime) -> None:
        self._now = now

    @cached_property
    def root(self) -> x509.Certificate:
        """The self-signed root."""
        return self._authority("bhxh-sdk sandbox root CA (not trusted)", "root", None)

    @cached_property
    def issuing(self) -> x509.Certificate:
        """The issuing CA, signed by the root."""
        return self._authority("bhxh-sdk sandbox CA (not trusted)", "issuing", self.root)

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The root in DER, to verify against."""
        return (self.root.public_bytes(Encoding.DER),)

    @property
    def intermediates(self) -> tuple[bytes, ...]:
        """The issuing CA in DER, for verifiers that want the whole chain."""
        return (self.issuing.public_bytes(Encoding.DER),)

    def issue(
        self,
        name: str = EXAMPLE_NAME,
        tax_code: str = EXAMPLE_TAX_CODE,
        *,
        identities: Sequence[str] | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        usage: x509.KeyUsage | None = None,
        own_key: bool = False,
    ) -> SandboxCertificate:
        """Issue a certificate for an organisation.

        Args:
            name: the organisation's name, at most 64 bytes of UTF-8.
            tax_code: its tax code, written as `UID=MST:…`.
            identities: every UID value, in place of the tax code's.
            not_before: start of validity; None for 30 days before now.
            not_after: end of validity; None for 335 days after now.
            usage: key usage; None for signing.
            own_key: whether it gets a key that no other certificate has.

        """
        key = new_key() if own_key else _shared_key("leaf")
        uids = [f"MST:{tax_code}"] if identities is None else identities
        builder = (
            self._builder(subject_name(name, uids, "Quận 1", "Thành phố Hồ Chí Minh"), key, self.issuing)
            .not_valid_before(not_before or self._now - 30 * _DAY)
            .not_valid_after(not_after or self._now + 335 * _DAY)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage or key_usage(), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage(
                    [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION]
                ),
                critical=False,
            )
        )
        certificate = builder.sign(_shared_key("issuing"), hashes.SHA256())
        return SandboxCertificate(key=key, certificate=certificate, chain=(self.issuing, self.root))

    def expired(self) -> SandboxCertificate:
        """Issue a certificate whose validity ended yesterday."""
        return self.issue(not_before=self._now - 366 * _DAY, not_after=self._now - _DAY)

    def not_yet_valid(self) -> SandboxCertificate:
        """Issue a certificate whose validity begins tomorrow."""
        return self.issue(not_before=self._now + _DAY, not_after=self._now + 366 * _DAY)

    def of_another(self) -> SandboxCertificate:
        """Issue a certificate with the tax code of another organisation."""
        return self.issue(tax_code=OTHER_TAX_CODE)

    def not_for_signing(self) -> SandboxCertificate:
        """Issue a certificate whose key usage allows encryption only."""
        return self.issue(usage=key_usage(signing=False))

    def of_a_person_inside(self, tax_code: str = EXAMPLE_TAX_CODE) -> SandboxCertificate:
        """Issue a certificate of a person in an organisation: two UID values, the personal id first."""
        return self.issue("NGUYỄN VĂN VÍ DỤ", identities=["CCCD:001099000001", f"MST:{tax_code}"])

    def without_tax_code(self) -> SandboxCertificate:
        """Issue a certificate whose subject names no tax code."""
        return self.issue(identities=[])

    def _authority(self, name: str, role: str, issuer: x509.Certificate | None) -> x509.Certificate:
        key = _shared_key(role)
        subject = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.COUNTRY_NAME, "VN")]
        )
        builder = (
            self._builder(subject, key, issuer)
            .not_valid_before(self._now - _AUTHORITY_YEARS * 365 * _DAY)
            .not_valid_after(self._now + _AUTHORITY_YEARS * 365 * _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_authority_usage(), critical=True)
        )
        return builder.sign(key if issuer is None else _shared_key("root"), hashes.SHA256())

    def _builder(
        self, subject: x509.Name, key: RSAPrivateKey, issuer: x509.Certificate | None
    ) -> x509.CertificateBuilder:
        above = key.public_key() if issuer is None else issuer.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if issuer is None else issuer.subject)
            .public_key(key.public_key())
            .serial_number(_serial_number())
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False)  # type: ignore[arg-type]  # the issuer's key is RSA, `public_key` promises any kind
        )


def _serial_number() -> int:
    """Draw sixteen bytes beginning with 54 01, as many Vietnamese authorities do."""
    return (0x5401 << 112) + x509.random_serial_number() % (1 << 112)


def _authority_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _encryption(password: str) -> KeySerializationEncryption:
    return BestAvailableEncryption(password.encode()) if password else NoEncryption()


def _legacy_encryption(password: str) -> KeySerializationEncryption:
    builder = PrivateFormat.PKCS12.encryption_builder().key_cert_algorithm(PBES.PBESv1SHA1And3KeyTripleDESCBC)
    return builder.hmac_hash(hashes.SHA1()).build(password.encode())  # noqa: S303  # the very point of a legacy file
