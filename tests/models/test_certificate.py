from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.errors import UnreadableFileError
from bhxh_sdk.models import CertificateInfo, PersonalId, TaxCode, days_left
from bhxh_sdk.sandbox.pki import SandboxPki

NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def pki():
    return SandboxPki(NOW)


def made(*parts, key=None, extensions=()):
    """Make a small self-signed certificate with these parts of a subject."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(parts)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0x0ABC)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=10))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return CertificateInfo.from_der(builder.sign(key, algorithm).public_bytes(Encoding.DER))


def part(oid, text):
    return x509.NameAttribute(oid, text)


def test_the_facts_of_a_vietnamese_certificate_are_read(pki):
    issued = pki.issue()
    info = issued.info
    assert (
        info.subject == "UID=MST:0100109106, CN=CÔNG TY TNHH VÍ DỤ, L=Quận 1, ST=Thành phố Hồ Chí Minh, C=VN"
    )
    assert info.issuer == "CN=bhxh-sdk sandbox CA (not trusted), C=VN"
    assert (info.common_name, info.issuer_name) == ("CÔNG TY TNHH VÍ DỤ", "bhxh-sdk sandbox CA (not trusted)")
    assert info.serial == issued.certificate.serial_number
    assert info.tax_codes == (TaxCode("0100109106"),)
    assert (info.key_kind, info.key_bits, info.signing_allowed) == ("rsa", 2048, True)
    assert (info.not_before, info.not_after) == (NOW - timedelta(days=30), NOW + timedelta(days=335))
    assert info.der == issued.der
    assert info.fingerprint == issued.certificate.fingerprint(hashes.SHA256()).hex()


def test_a_serial_number_is_shown_in_whole_bytes():
    assert made(part(NameOID.COMMON_NAME, "a")).serial_text == "0ABC"


@pytest.mark.parametrize(
    ("oid", "text", "found"),
    [
        (NameOID.USER_ID, "MST:0100109106", "0100109106"),
        (NameOID.USER_ID, " mst - 0100109106-001 ", "0100109106-001"),
        (NameOID.USER_ID, "MST0100109106", "0100109106"),
        (NameOID.USER_ID, "MST:001099000001", "001099000001"),
        (NameOID.SERIAL_NUMBER, "MST:0100109106", "0100109106"),
        (NameOID.ORGANIZATION_IDENTIFIER, "MST:0100109106", "0100109106"),
    ],
)
def test_a_tax_code_is_found_where_authorities_write_it(oid, text, found):
    assert made(part(oid, text)).tax_codes == (TaxCode(found),)


@pytest.mark.parametrize("text", ["0100109106", "MST:12345", "CMND:012345678", "xMST:0100109106"])
def test_a_tax_code_is_never_guessed(text):
    assert made(part(NameOID.USER_ID, text)).tax_codes == ()


def test_several_identities_are_kept_in_order():
    info = made(
        *[part(NameOID.USER_ID, text) for text in ("CCCD:001099000001", "MST:0100109106", "MST:0123456789")]
    )
    assert info.personal_ids == (PersonalId("001099000001"),)
    assert [code.value for code in info.tax_codes] == ["0100109106", "0123456789"]
    assert "001099000001" not in repr(info).replace(info.subject, "").replace(info.issuer, "")


def test_every_kind_of_identity_is_kept_as_written():
    written = ("cmnd:012345678", "MST:0100109106", "HC: B1234567", "MNS-A.01", "CCCD 001099000001", "mst:1")
    info = made(*[part(NameOID.USER_ID, text) for text in (*written, "HCM City", "0100109106", "HC:", "x")])
    assert info.identities == (
        ("CMND", "012345678"),
        ("MST", "0100109106"),
        ("HC", "B1234567"),
        ("MNS", "A.01"),
        ("CCCD", "001099000001"),
        ("MST", "1"),
    )
    assert [code.value for code in info.tax_codes] == ["0100109106"]
    assert "012345678" not in repr(info).replace(info.subject, "").replace(info.issuer, "")


@pytest.mark.parametrize("encoding", ["UTF8String", "BMPString", "T61String", "PrintableString", "IA5String"])
def test_identities_are_read_in_every_encoding_and_from_parts_with_several_values(encoding):
    kind = x509.name._ASN1Type[encoding]
    several = x509.RelativeDistinguishedName(
        [
            x509.NameAttribute(NameOID.USER_ID, "CCCD:001099000001", _type=kind),
            x509.NameAttribute(NameOID.USER_ID, "mst:0100109106", _type=kind),
            x509.NameAttribute(NameOID.COMMON_NAME, "VI DU", _type=kind),
        ]
    )
    info = made(several)
    assert [code.value for code in info.tax_codes] == ["0100109106"]
    assert info.personal_ids == (PersonalId("001099000001"),)
    assert info.common_name == "VI DU"


def test_a_subject_with_commas_and_quotes_is_escaped_not_split():
    info = made(part(NameOID.COMMON_NAME, 'CÔNG TY "A, B" + C'), part(NameOID.EMAIL_ADDRESS, "a@example.com"))
    assert info.common_name == 'CÔNG TY "A, B" + C'
    assert info.subject == r"CN=CÔNG TY \"A\, B\" \+ C, E=a@example.com"


def test_a_name_longer_than_the_standard_allows_is_read():
    name = "CÔNG TY TRÁCH NHIỆM HỮU HẠN MỘT THÀNH VIÊN THƯƠNG MẠI VÀ DỊCH VỤ VÍ DỤ"
    with pytest.warns(UserWarning, match="length"):
        long = x509.NameAttribute(NameOID.COMMON_NAME, name, _validate=False)
    assert made(long).common_name == name


def test_a_certificate_without_a_common_name_is_read():
    assert made(part(NameOID.USER_ID, "MST:0100109106")).common_name == ""


def test_keys_of_every_kind_are_told_apart():
    name = part(NameOID.COMMON_NAME, "a")
    elliptic, edwards = made(name), made(name, key=ed25519.Ed25519PrivateKey.generate())
    assert (elliptic.key_kind, elliptic.key_bits) == ("ec", 256)
    assert (edwards.key_kind, edwards.key_bits) == ("ed25519", 0)


def test_key_usage_decides_whether_signing_is_allowed(pki):
    assert made(part(NameOID.COMMON_NAME, "a")).signing_allowed
    assert pki.issue().info.signing_allowed
    assert not pki.not_for_signing().info.signing_allowed


@given(st.binary(max_size=100))
def test_what_is_no_certificate_is_refused(content):
    with pytest.raises(UnreadableFileError) as caught:
        CertificateInfo.from_der(content)
    assert caught.value.code == "input.not_a_certificate"


@given(st.integers(0, 700), st.integers(1, 255))
def test_a_damaged_certificate_is_read_or_refused(position, change):
    content = bytearray(SandboxPki(NOW).root.public_bytes(Encoding.DER))
    content[position % len(content)] ^= change
    try:
        assert CertificateInfo.from_der(bytes(content)).der
    except UnreadableFileError as error:
        assert error.code == "input.not_a_certificate"  # noqa: PT017  # both ends are right


def test_a_key_of_an_unknown_kind_is_refused(pki, monkeypatch):
    def refuse(_):
        raise UnsupportedAlgorithm("no")

    monkeypatch.setattr("bhxh_sdk.models.certificate._key_facts", refuse)
    with pytest.raises(UnreadableFileError):
        CertificateInfo.from_der(pki.issue().der)


def test_validity_includes_both_ends(pki):
    info = pki.issue().info
    second = timedelta(seconds=1)
    assert info.valid_at(info.not_before)
    assert info.valid_at(info.not_after)
    assert not info.valid_at(info.not_before - second)
    assert not info.valid_at(info.not_after + second)


def test_days_left_are_whole_days(pki):
    info = pki.issue().info
    assert days_left(info, NOW) == 335
    assert days_left(info, NOW + timedelta(hours=1)) == 334
    assert days_left(info, info.not_after + timedelta(hours=1)) == -1


def test_a_certificate_belongs_to_its_organisation_and_the_branches(pki):
    info, branch = pki.issue().info, pki.issue(tax_code="0100109106-001").info
    assert info.belongs_to(TaxCode("0100109106"))
    assert info.belongs_to(TaxCode("0100109106-001"))
    assert not info.belongs_to(TaxCode("0123456789"))
    assert branch.belongs_to(TaxCode("0100109106-001"))
    assert not branch.belongs_to(TaxCode("0100109106"))
    assert not branch.belongs_to(TaxCode("0100109106-002"))
