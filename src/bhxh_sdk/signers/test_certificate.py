"""Throwaway certificates for trying things out: a fresh key under a Vietnamese subject that nobody trusts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from bhxh_sdk.errors import InputError
from bhxh_sdk.signers.soft_key import SoftKeySigner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

__all__ = ["TEST_ISSUER", "key_usage", "new_key", "subject_name", "throwaway"]

TEST_ISSUER = "bhxh-sdk test CA (not trusted)"
"""Common name of the issuer of every throwaway certificate."""

EXAMPLE_NAME = "CÔNG TY TNHH VÍ DỤ"
EXAMPLE_TAX_CODE = "0100109106"
_ALWAYS = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC))
_YEAR = timedelta(days=365)


def throwaway(
    *,
    tax_code: str = EXAMPLE_TAX_CODE,
    common_name: str = EXAMPLE_NAME,
    locality: str = "Quận 1",
    province: str = "Thành phố Hồ Chí Minh",
    now: datetime | None = None,
) -> SoftKeySigner:
    """Make a signer with a new RSA key of 2048 bits and a certificate that is good for tests only.

    Args:
        tax_code: the tax code of the subject's `UID=MST:…`; empty for a subject without one.
        common_name: the subject's name, at most 64 bytes of UTF-8.
        locality: the subject's district.
        province: the subject's province.
        now: the present moment, with its zone; the certificate is valid from a day before it, for a year.
            None makes it valid from 2020 to 2049.

    Raises:
        InputError: a part of the subject is too long, or `now` has no zone.

    """
    if now is not None and now.tzinfo is None:
        raise InputError("signing.no_time_zone", field="now")
    start, end = _ALWAYS if now is None else (now - timedelta(days=1), now - timedelta(days=1) + _YEAR)
    key = new_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject_name(common_name, [f"MST:{tax_code}"] if tax_code else [], locality, province))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, TEST_ISSUER)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(), critical=True)
    )
    # Nobody has the issuer's key: signed by the subject's own, it is plain that no chain leads anywhere.
    return SoftKeySigner.from_key(key, [builder.sign(key, hashes.SHA256())], name="softkey:new")


def new_key() -> RSAPrivateKey:
    """Make an RSA key of 2048 bits, the size of every Vietnamese certificate seen."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def subject_name(
    common_name: str, identities: Sequence[str], locality: str = "", province: str = ""
) -> x509.Name:
    """Write a subject as Vietnamese certification authorities do.

    Args:
        common_name: the owner's name.
        identities: the UID values in order, such as `MST:0100109106` or `CCCD:001099000001`.
        locality: district; empty for none.
        province: province; empty for none.

    Raises:
        InputError: a part is empty or too long.

    """
    parts = [
        *((NameOID.USER_ID, identity) for identity in identities),
        (NameOID.COMMON_NAME, common_name),
        (NameOID.LOCALITY_NAME, locality),
        (NameOID.STATE_OR_PROVINCE_NAME, province),
        (NameOID.COUNTRY_NAME, "VN"),
    ]
    try:
        return x509.Name(
            [
                x509.NameAttribute(oid, text)
                for oid, text in parts
                if text or oid in {NameOID.COMMON_NAME, NameOID.USER_ID}
            ]
        )
    except ValueError as error:
        raise InputError("signing.subject_part", field="common_name", reason=str(error)) from error


def key_usage(*, signing: bool = True) -> x509.KeyUsage:
    """Make the key usage to sign (digitalSignature, nonRepudiation), or one that only encrypts."""
    return x509.KeyUsage(
        digital_signature=signing,
        content_commitment=signing,
        key_encipherment=not signing,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
