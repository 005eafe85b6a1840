from __future__ import annotations

import os
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.errors import BhxhError, KeyNotFoundError, KeyPasswordError, UnreadableFileError
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.key_file import LARGEST_KEY_FILE, KeyFile, read_key_file

VIETNAMESE = "Khóa ký số – Công ty Ví Dụ (2026).pem"


@pytest.fixture(scope="module")
def issued(pki):
    return pki.issue()


@pytest.fixture(scope="module")
def pem(issued):
    return issued.key_pem() + issued.certificates_pem()


def opened(content, password=None, name="key.pem", **parts):
    return KeyFile(name=name, content=content, **parts).open(None if password is None else Secret(password))


def owner(pair):
    (own,) = [item for item in pair.certificates if item.has_private_key]
    return own.certificate


def test_a_pem_file_with_a_vietnamese_name_is_read(tmp_path, pem, issued):
    path = tmp_path / VIETNAMESE
    path.write_bytes(pem)
    file = read_key_file(path)
    assert file.name == VIETNAMESE
    assert owner(file.open(None)).der == issued.der


@pytest.mark.parametrize(
    "written",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: b"Bag Attributes\n    friendlyName: token\n" + text + b"\n\n-- the end --\n",
        lambda text: b"\n".join(reversed(text.split(b"\n\n"))),
    ],
    ids=["BOM", "CRLF", "remarks", "any order"],
)
def test_pem_survives_editors(pem, issued, written):
    assert owner(opened(written(pem))).der == issued.der


def test_the_certificate_that_matches_the_key_is_found_in_a_chain_of_any_order(issued):
    blocks = [item.public_bytes(Encoding.PEM) for item in (*issued.chain, issued.certificate)]
    pair = opened(b"".join(blocks) + issued.key_pem())
    assert [item.has_private_key for item in pair.certificates] == [False, False, True]
    assert owner(pair).der == issued.der


def test_a_certificate_that_stands_there_twice_is_listed_once(issued):
    assert len(opened(issued.key_pem() + issued.certificates_pem() * 2).certificates) == 3


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_the_certificate_may_lie_in_a_file_of_its_own(tmp_path, issued, encoding):
    (tmp_path / "k.pem").write_bytes(issued.key_pem())
    (tmp_path / "c.cer").write_bytes(issued.certificate.public_bytes(encoding))
    file = read_key_file(tmp_path / "k.pem", certificates=tmp_path / "c.cer")
    assert owner(file.open(None)).der == issued.der
    assert [item.certificate.der for item in file.certificates_in_clear()] == [issued.der]


def test_without_the_password_it_is_unknown_which_certificate_has_the_key(issued):
    file = KeyFile(name="k", content=issued.key_pem("bí mật") + issued.certificates_pem())
    assert [item.has_private_key for item in file.certificates_in_clear()] == [None] * 3
    assert file.open(None) is None
    assert owner(file.open(Secret("bí mật"))).der == issued.der


@pytest.mark.parametrize("legacy", [False, True])
def test_an_encrypted_pkcs12_file_opens_with_its_password(issued, legacy):
    content = issued.p12("bí mật", legacy=legacy)
    assert opened(content) is None
    assert KeyFile(name="k", content=content).certificates_in_clear() is None
    assert owner(opened(content, "bí mật")).der == issued.der


def test_a_pkcs12_file_without_encryption_opens_without_a_password(issued):
    assert owner(opened(issued.p12())).der == issued.der


@pytest.mark.needs_tool("openssl")
def test_pkcs12_with_the_oldest_encryption_opens(tmp_path, pem, issued):
    """Files exported by Windows before 2020 encrypt certificates with 40 bits of RC2."""
    (tmp_path / "k.pem").write_bytes(pem)
    command = [
        "openssl",
        "pkcs12",
        "-export",
        "-legacy",
        "-in",
        "k.pem",
        "-out",
        "k.p12",
        "-passout",
        "pass:x",
    ]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert owner(opened((tmp_path / "k.p12").read_bytes(), "x")).der == issued.der


@pytest.mark.needs_tool("openssl")
def test_a_key_in_the_oldest_pem_form_opens(tmp_path, issued):
    (tmp_path / "k.pem").write_bytes(issued.key_pem())
    command = [
        "openssl",
        "rsa",
        "-aes128",
        "-traditional",
        "-in",
        "k.pem",
        "-out",
        "o.pem",
        "-passout",
        "pass:x",
    ]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    content = (tmp_path / "o.pem").read_bytes() + issued.certificates_pem()
    assert opened(content) is None
    assert owner(opened(content, "x")).der == issued.der


@pytest.mark.parametrize("password", ["sai", ""])
@pytest.mark.parametrize("form", ["pem", "p12", "old p12"])
def test_a_wrong_or_empty_password_says_so_and_shows_nothing(issued, form, password):
    content = {
        "pem": issued.key_pem("đúng") + issued.certificates_pem(),
        "p12": issued.p12("đúng"),
        "old p12": issued.p12("đúng", legacy=True),
    }[form]
    with pytest.raises(KeyPasswordError) as caught:
        opened(content, password, name="khóa.p12")
    assert "khóa.p12" in str(caught.value)
    assert "sai" not in caught.value.message("en")
    assert caught.value.__cause__ is None


def test_a_key_of_another_certificate_is_refused(issued, pki):
    other = pki.issue(own_key=True)
    with pytest.raises(KeyNotFoundError) as caught:
        opened(other.key_pem() + issued.certificates_pem(), name="k.pem")
    assert caught.value.code == "signing.pair_mismatch"
    assert "k.pem" in caught.value.message("vi")
    assert issued.info.common_name in caught.value.message("vi")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (lambda issued: issued.key_pem(), "signing.no_certificate"),
        (lambda issued: issued.certificates_pem(), "signing.no_key"),
        (
            lambda issued: serialize_key_and_certificates(
                b"n", None, issued.certificate, None, NoEncryption()
            ),
            "signing.no_key",
        ),
        (
            lambda issued: serialize_key_and_certificates(b"n", issued.key, None, None, NoEncryption()),
            "signing.no_certificate",
        ),
    ],
    ids=["PEM without certificate", "PEM without key", "PKCS#12 without key", "PKCS#12 without certificate"],
)
def test_half_a_pair_is_refused(issued, content, code):
    with pytest.raises(KeyNotFoundError) as caught:
        opened(content(issued))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"hello", "signing.not_a_key_file"),
        (b"\x30\x82\x01\x00\x02\x01\x01", "signing.not_a_key_file"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "signing.broken_key"),
        (b"-----BEGIN RSA PRIVATE KEY-----\n", "signing.broken_key"),
    ],
)
def test_a_file_that_is_no_key_file_is_refused(content, code):
    with pytest.raises(UnreadableFileError) as caught:
        opened(content)
    assert caught.value.code == code


def test_a_damaged_certificate_is_refused(issued):
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    with pytest.raises(UnreadableFileError) as caught:
        opened(issued.key_pem() + broken)
    assert caught.value.code == "signing.broken_certificate"


def test_an_unknown_encryption_is_refused(monkeypatch, issued):
    from cryptography.exceptions import UnsupportedAlgorithm

    def refuse(*_):
        raise UnsupportedAlgorithm("no")

    monkeypatch.setattr("bhxh_sdk.signers.key_file.load_pkcs12", refuse)
    with pytest.raises(UnreadableFileError) as caught:
        opened(issued.p12("x"), "x")
    assert caught.value.code == "signing.unsupported_key_file"


def test_a_key_that_is_not_rsa_opens_too(issued):
    """Whether it may sign is judged when a certificate is chosen."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(KeyNotFoundError) as caught:
        opened(pem + issued.certificates_pem())
    assert caught.value.code == "signing.pair_mismatch"


@given(
    st.one_of(
        st.binary(max_size=200), st.binary(max_size=50).map(lambda tail: b"\x30\x80\x02\x01\x03" + tail)
    )
)
def test_whatever_a_file_holds_only_our_own_errors_come_out(content):
    with pytest.raises(BhxhError) as caught:
        opened(content, "x")
    assert caught.value.message("vi") != caught.value.code


def unreadable(path, **options):
    with pytest.raises(UnreadableFileError) as caught:
        read_key_file(path, **options)
    assert path.name in caught.value.message("en") or options
    return caught.value.code


def test_files_that_cannot_be_read_are_named(tmp_path, issued):
    (tmp_path / "empty.pem").write_bytes(b" \r\n")
    (tmp_path / "huge.pem").write_bytes(bytes(LARGEST_KEY_FILE + 1))
    (tmp_path / "key.pem").write_bytes(issued.key_pem())
    assert unreadable(tmp_path / "none.pem") == "signing.no_such_file"
    assert unreadable(tmp_path) == "signing.not_a_file"
    assert unreadable(tmp_path / "empty.pem") == "signing.empty_file"
    assert unreadable(tmp_path / "huge.pem") == "signing.file_too_large"
    assert unreadable(tmp_path / "a\0b") == "signing.no_such_file"
    key = tmp_path / "key.pem"
    assert unreadable(key, certificates=key) == "signing.no_certificate_in_file"
    (tmp_path / "c.cer").write_bytes(b"\x30\x03junk")
    assert unreadable(key, certificates=tmp_path / "c.cer") == "input.not_a_certificate"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are of Unix")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.pem")
    assert unreadable(tmp_path / "pipe.pem") == "signing.not_a_file"


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    from pathlib import Path

    path = tmp_path / "key.pem"
    path.write_bytes(b"x")
    opens = Path.open

    def refuse(self, *arguments):
        if self == path:
            raise PermissionError(13, "Permission denied")
        return opens(self, *arguments)

    monkeypatch.setattr(Path, "open", refuse)
    assert unreadable(path) == "signing.file_unreadable"


def test_nothing_secret_is_shown(issued):
    file = KeyFile(name="k", content=issued.key_pem() + issued.certificates_pem())
    assert "PRIVATE" not in repr(file)
    assert "key=" not in repr(file.open(None)).replace("has_private_key=", "")
