"""What is put onto test tokens: keys and certificates of an invented organisation, made once a process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.signers.test_certificate import EXAMPLE_NAME, EXAMPLE_TAX_CODE, key_usage, subject_name

if TYPE_CHECKING:
    from bhxh_sdk.sandbox.pki import SandboxCertificate

__all__ = ["NOW", "PIN", "SO_PIN", "Entry", "Shelf", "shelf"]

NOW = datetime(2026, 9, 1, 3, 0, tzinfo=UTC)
"""The moment of the signers' tests; certificates here are valid then and for years after."""

PIN = "12345678"
SO_PIN = "87654321"
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A key, a certificate, or a pair, under one CKA_ID and one label.

    Args:
        key_id: CKA_ID in hexadecimal; may be empty.
        label: CKA_LABEL.
        certificate: in DER; empty for a key alone.
        key: the private key; None for a certificate alone.

    """

    key_id: str
    label: str
    certificate: bytes = field(default=b"", repr=False)
    key: Any = field(default=None, repr=False)

    @classmethod
    def of(cls, key_id: str, label: str, issued: SandboxCertificate) -> Entry:
        """Make a pair of an issued certificate."""
        return cls(key_id=key_id, label=label, certificate=issued.der, key=issued.key)

    @property
    def key_der(self) -> bytes:
        """The key as PKCS#8 in DER; empty where there is none."""
        if self.key is None:
            return b""
        return self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


class Shelf:
    """Entries to take from; each has a key that no other has."""

    def __init__(self) -> None:
        self.pki = SandboxPki(NOW)

    def _issue(self, **changes: Any) -> SandboxCertificate:
        dates = {"not_before": NOW - 300 * _DAY, "not_after": NOW + 1500 * _DAY}
        return self.pki.issue(own_key=True, **(dates | changes))

    @cached_property
    def a1(self) -> Entry:
        """A pair that is valid."""
        return Entry.of("a1", "sign", self._issue())

    @cached_property
    def a2(self) -> Entry:
        """Another pair of the same organisation that is valid."""
        return Entry.of("a2", "second", self._issue())

    @cached_property
    def b2(self) -> Entry:
        """A certificate without a key."""
        return Entry(key_id="b2", label="no key", certificate=self._issue().der)

    @cached_property
    def c3(self) -> Entry:
        """A pair whose certificate ended before `NOW`."""
        expired = self._issue(not_before=NOW - 700 * _DAY, not_after=NOW - 5 * _DAY)
        return Entry.of("c3", "expired", expired)

    @cached_property
    def _d4_issued(self) -> SandboxCertificate:
        return self._issue()

    @property
    def d4(self) -> Entry:
        """A certificate whose key stands under another id, `e5`."""
        return Entry(key_id="d4", label="certificate of e5", certificate=self._d4_issued.der)

    @property
    def e5(self) -> Entry:
        """The key to the certificate `d4`."""
        return Entry(key_id="e5", label="key of d4", key=self._d4_issued.key)

    @cached_property
    def f6(self) -> Entry:
        """A pair on P-256; its certificate is signed by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = subject_name(EXAMPLE_NAME, [f"MST:{EXAMPLE_TAX_CODE}"])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 300 * _DAY)
            .not_valid_after(NOW + 1500 * _DAY)
            .add_extension(key_usage(), critical=True)
            .sign(key, hashes.SHA256())
        )
        return Entry(key_id="f6", label="curve", certificate=certificate.public_bytes(Encoding.DER), key=key)

    @cached_property
    def other(self) -> Entry:
        """A pair of another organisation."""
        return Entry.of("0b", "other", self._issue(name="CÔNG TY VÍ DỤ KHÁC", tax_code="0100112437"))

    @property
    def authority(self) -> Entry:
        """The issuing authority's certificate, as many tokens carry it."""
        return Entry(key_id="", label="CA", certificate=self.pki.intermediates[0])


@cache
def shelf() -> Shelf:
    """Return the shelf of this process."""
    return Shelf()
