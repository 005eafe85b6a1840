"""Mutual TLS: our own certificate is shown to a real server that demands one, and every mistake is named."""

from __future__ import annotations

import asyncio
import ssl
import traceback
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from portal_world import run
from raw_server import certified, raw_server, read_request

from bhxh_sdk.errors import NotSentError, SetupError, UnknownOutcomeError
from bhxh_sdk.ports import Request
from bhxh_sdk.secret import Secret
from bhxh_sdk.system import SystemClock
from bhxh_sdk.transport import AsyncHttpSender, HttpSender

PASSWORD = "canary-key-password"
KINDS = [HttpSender, AsyncHttpSender]


@pytest.fixture(params=KINDS, ids=["blocking", "asynchronous"])
def kind(request):
    return request.param


def identity(folder, name, password=""):
    """Write a self-signed certificate and its key, apart."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    shut = serialization.BestAvailableEncryption(password.encode()) if password else None
    files = folder / f"{name}.crt", folder / f"{name}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            shut or serialization.NoEncryption(),
        )
    )
    return files


class Server:
    """What the server saw: the client's certificate in DER, of each connection."""

    def __init__(self, folder, trusted, *, newest=ssl.TLSVersion.TLSv1_3):
        self.context, self.bundle = certified(folder)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.load_verify_locations(trusted)
        self.context.maximum_version = newest
        self.seen = []

    def __call__(self, connection):
        with self.context.wrap_socket(connection, server_side=True) as sealed:
            self.seen.append(sealed.getpeercert(binary_form=True))
            read_request(sealed)
            sealed.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def exchanged(kind, server, **options):
    with raw_server(server) as raw:
        sender = kind(
            SystemClock(), allowed_hosts=[f"127.0.0.1:{raw.port}"], ca_bundle=server.bundle, **options
        )
        request = Request(method="POST", url=f"https://127.0.0.1:{raw.port}/", body=b"{}", deadline_seconds=5)
        return run(sender.send(request)) if kind is HttpSender else asyncio.run(sender.send(request))


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_the_server_sees_our_certificate(kind, tmp_path, password):
    certificate, key = identity(tmp_path, "client", password)
    server = Server(tmp_path, certificate)
    options = {"client_key_password": Secret(password)} if password else {}
    reply = exchanged(kind, server, client_certificate=str(certificate), client_key=key, **options)
    assert reply.status == 200
    shown = x509.load_pem_x509_certificate(certificate.read_bytes())
    assert server.seen == [shown.public_bytes(serialization.Encoding.DER)]


def test_one_file_may_hold_certificate_and_key(kind, tmp_path):
    certificate, key = identity(tmp_path, "client", PASSWORD)
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    server = Server(tmp_path, certificate)
    reply = exchanged(kind, server, client_certificate=both, client_key_password=Secret(PASSWORD))
    assert reply.status == 200


def test_two_senders_do_not_share_an_identity(kind, tmp_path):
    """Settings without a key are shared; those with one never are."""
    certificate, key = identity(tmp_path, "client")
    server = Server(tmp_path, certificate)
    assert exchanged(kind, server, client_certificate=certificate, client_key=key).status == 200
    with pytest.raises((NotSentError, UnknownOutcomeError)):
        exchanged(kind, server)


def test_a_server_that_demands_a_certificate_says_so_after_the_request_with_tls_1_3(kind, tmp_path):
    """For the client the handshake is over before the server has judged; so the outcome is in doubt."""
    trusted, _ = identity(tmp_path, "trusted")
    with pytest.raises(UnknownOutcomeError) as caught:
        exchanged(kind, Server(tmp_path, trusted))
    assert caught.value.code in {"unknown_outcome.client_certificate", "unknown_outcome.connection"}


def test_a_certificate_that_the_server_does_not_trust_sends_nothing_with_tls_1_2(kind, tmp_path):
    trusted, _ = identity(tmp_path, "trusted")
    certificate, key = identity(tmp_path, "client")
    server = Server(tmp_path, trusted, newest=ssl.TLSVersion.TLSv1_2)
    with pytest.raises(NotSentError) as caught:
        exchanged(kind, server, client_certificate=certificate, client_key=key)
    assert caught.value.code == "not_sent.client_certificate"
    assert "client_certificate" in caught.value.hint("en")


class TestMistakesAreNamed:
    """Each with its argument and its file, before anything is connected; never with the password."""

    @staticmethod
    def refusal(kind, **options):
        with pytest.raises(SetupError) as caught:
            kind(SystemClock(), allowed_hosts=["127.0.0.1"], **options)
        error = caught.value
        told = "".join(traceback.format_exception(error)) + repr(error) + repr(error.parameters)
        assert PASSWORD not in told
        assert "canary" not in told
        return error.code, error.field

    @pytest.mark.parametrize("content", [None, b"", b"no PEM at all"])
    def test_a_certificate_that_cannot_be_read(self, kind, tmp_path, content):
        file = tmp_path / "client.crt"
        if content is not None:
            file.write_bytes(content)
        found = self.refusal(kind, client_certificate=file)
        assert found == ("setup.client_certificate", "client_certificate")

    @pytest.mark.parametrize("content", [None, b"no PEM at all"])
    def test_a_key_that_cannot_be_read(self, kind, tmp_path, content):
        certificate, key = identity(tmp_path, "client")
        key.unlink()
        if content is not None:
            key.write_bytes(content)
        found = self.refusal(kind, client_certificate=certificate, client_key=key)
        assert found == ("setup.client_key", "client_key")

    def test_a_certificate_without_its_key(self, kind, tmp_path):
        certificate, _ = identity(tmp_path, "client")
        assert self.refusal(kind, client_certificate=certificate) == ("setup.client_key", "client_key")

    def test_a_key_without_its_certificate(self, kind, tmp_path):
        _, key = identity(tmp_path, "client")
        found = self.refusal(kind, client_key=key)
        assert found == ("setup.client_key_alone", "client_certificate")

    @pytest.mark.parametrize("broken", ["client_certificate", "client_key"])
    def test_a_broken_file_is_told_from_a_sound_one(self, kind, tmp_path, broken):
        certificate, key = identity(tmp_path, "client")
        file = certificate if broken == "client_certificate" else key
        lines = file.read_bytes().splitlines(keepends=True)
        file.write_bytes(lines[0] + b"AAAA\n" + lines[-1])
        found = self.refusal(kind, client_certificate=certificate, client_key=key)
        assert found == (f"setup.{broken}", broken)

    def test_the_key_of_another_certificate(self, kind, tmp_path):
        certificate, _ = identity(tmp_path, "client")
        _, key = identity(tmp_path, "other")
        found = self.refusal(kind, client_certificate=certificate, client_key=key)
        assert found == ("setup.client_key_mismatch", "client_key")

    @pytest.mark.parametrize("password", [None, Secret("")])
    def test_a_missing_password_is_not_asked_for_at_the_terminal(self, kind, tmp_path, password):
        certificate, key = identity(tmp_path, "client", PASSWORD)
        found = self.refusal(
            kind, client_certificate=certificate, client_key=key, client_key_password=password
        )
        assert found == ("setup.client_key_password_missing", "client_key_password")

    @pytest.mark.parametrize("wrong", ["canary-wrong", "canary" * 500])
    def test_a_wrong_password(self, kind, tmp_path, wrong):
        certificate, key = identity(tmp_path, "client", PASSWORD)
        found = self.refusal(
            kind, client_certificate=certificate, client_key=key, client_key_password=Secret(wrong)
        )
        assert found == ("setup.client_key_password", "client_key_password")
