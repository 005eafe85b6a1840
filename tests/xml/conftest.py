from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from bhxh_sdk import xml
from bhxh_sdk.models import (
    Agency,
    Attachment,
    CertificateInfo,
    Contact,
    DossierEnvelope,
    Ivan,
    Organisation,
    Registration,
    SignatureScheme,
)

if TYPE_CHECKING:
    from bhxh_sdk.errors import BhxhError

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _new_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@pytest.fixture(scope="session")
def key():
    return _new_key()


@pytest.fixture(scope="session")
def authority_key():
    return _new_key()


@pytest.fixture(scope="session")
def small_key():
    return _new_key(1024)


@pytest.fixture(scope="session")
def curve_key():
    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str, *more: x509.NameAttribute) -> x509.Name:
    country = x509.NameAttribute(NameOID.COUNTRY_NAME, "VN")
    return x509.Name([country, x509.NameAttribute(NameOID.COMMON_NAME, common_name), *more])


def _usage(**wanted: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: wanted.get(name, False) for name in names})


@pytest.fixture(scope="session")
def issue(authority_key):
    """Make a certificate in DER; without an issuer's key the test authority signs it."""

    def issue(
        public_key,
        common_name="CÔNG TY TNHH VÍ DỤ",
        *,
        issuer_name="CA VÍ DỤ",
        issuer_key=authority_key,
        start=datetime(2025, 1, 1, tzinfo=UTC),
        end=datetime(2030, 1, 1, tzinfo=UTC),
        usage=("digital_signature", "content_commitment"),
        authority=False,
        extensions=(),
    ) -> bytes:
        owner = () if authority else (x509.NameAttribute(NameOID.USER_ID, "MST:0100109106"),)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common_name, *owner))
            .issuer_name(_name(issuer_name))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if usage:
            builder = builder.add_extension(_usage(**dict.fromkeys(usage, True)), critical=True)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        made = builder.sign(issuer_key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.DER)

    return issue


@pytest.fixture(scope="session")
def authority(issue, authority_key) -> bytes:
    return issue(authority_key.public_key(), "CA VÍ DỤ", authority=True, usage=("key_cert_sign", "crl_sign"))


@pytest.fixture(scope="session")
def certificate(issue, key) -> CertificateInfo:
    return CertificateInfo.from_der(issue(key.public_key()))


def value_by(key, prepared: xml.PreparedSignature) -> bytes:
    """Sign what was prepared, in the way that its profile says."""
    scheme = prepared.profile.scheme
    if scheme is SignatureScheme.ECDSA:
        pair = decode_dss_signature(key.sign(prepared.signed_info, ec.ECDSA(hashes.SHA256())))
        return b"".join(number.to_bytes(32, "big") for number in pair)
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    way = pss if scheme is SignatureScheme.RSA_PSS else padding.PKCS1v15()
    return key.sign(prepared.signed_info, way, hashes.SHA256())


@pytest.fixture(scope="session")
def sign(key, certificate):
    """Sign a document with the test key."""

    def sign(
        content: bytes, at: str | None = xml.PLACE, *, who=certificate, with_key=key, profile="field"
    ) -> bytes:
        prepared = xml.prepare(content, who, at=at, signing_time=NOON, profile=profile)
        return xml.complete(prepared, value_by(with_key, prepared))

    return sign


@pytest.fixture(scope="session")
def refused():
    """Expect a typed error with a text in both languages."""

    @contextmanager
    def refused(kind: type[BhxhError], code: str, **facts: object):
        with pytest.raises(kind) as caught:
            yield caught
        error = caught.value
        assert error.code == code
        for language in ("vi", "en"):
            message = error.message(language)
            assert message not in {"", error.code} or error.code == "input.wrong_type"
        for name, value in facts.items():
            assert getattr(error, name) == value

    return refused


@pytest.fixture(scope="session")
def form() -> Registration:
    return Registration(
        agency=Agency(code="07906", name="BHXH cơ sở Ví Dụ"),
        organisation=Organisation(
            name="CÔNG TY TNHH VÍ DỤ & CON",
            tax_code="0100109106",
            unit_code="TZ0001Z",
            address="Số 1 Đường Ví Dụ",
            phone="0281234567",
        ),
        contact=Contact(
            name="Nguyễn Văn Mẫu",
            address="Số 2 <Đường> Ví Dụ",
            mobile="0912345678",
            email="hr@example.com",
        ),
    ).dated(date(2026, 1, 2))


@pytest.fixture(scope="session")
def envelope() -> DossierEnvelope:
    return DossierEnvelope(
        ivan=Ivan("00099", "Công ty I-VAN Ví Dụ"),
        organisation_name="CÔNG TY TNHH VÍ DỤ",
        unit_code="TZ0001Z",
        tax_code="0100109106",
        signer_name="Nguyễn Văn Mẫu",
        phone="0281234567",
        agency_code="07906",
        procedure_name="Báo tăng lao động",
        procedure_code="600-595",
        period=date(2026, 1, 17),
        made_on=date(2026, 1, 2),
        files=(
            Attachment(
                file_name="D02-TS.xml", content=b"<a/>", form_code="D02-TS-595", description="Danh sách"
            ),
            Attachment(file_name="giay-phep", content=b""),
        ),
    )
