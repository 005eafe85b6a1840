"""Certification authorities for tests: certificates, lists, answers, and where they are asked for."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from bhxh_sdk.errors import BhxhError
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.ports import Reply

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OCSP_ADDRESS = "http://ocsp.example.com/"
CRL_ADDRESS = "http://crl.example.com/{}.crl"
SIGNING = ("digital_signature", "content_commitment")


@cache
def new_key(_role, bits=2048):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def usage(*wanted):
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
    return x509.KeyUsage(**{name: name in wanted for name in names})


def subject(name, *more):
    country = x509.NameAttribute(NameOID.COUNTRY_NAME, "VN")
    return x509.Name([country, x509.NameAttribute(NameOID.COMMON_NAME, name), *more])


def access(*urls, method=AuthorityInformationAccessOID.OCSP):
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for url in urls]
    )


def points(*urls):
    names = [x509.UniformResourceIdentifier(url) for url in urls]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])


class Authority:
    """An authority with its key and certificate, or somebody who has only those of a signer."""

    def __init__(self, key, certificate, above=None):
        self.key = key
        self.certificate = certificate
        self.above = above

    @property
    def der(self):
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def info(self):
        return CertificateInfo.from_der(self.der)

    @classmethod
    def root(cls, name="ROOT VÍ DỤ", role="root", **options):
        return cls._made(None, name, role, **{"ca": True, "keys": ("key_cert_sign", "crl_sign"), **options})

    def authority(self, name="CA VÍ DỤ", role="issuing", **options):
        return self._made(self, name, role, **{"ca": True, "keys": ("key_cert_sign", "crl_sign"), **options})

    def signer(self, name="CÔNG TY TNHH VÍ DỤ", role="signer", **options):
        return self._made(self, name, role, **{"ca": False, "keys": SIGNING, **options})

    def responder(self, *, checked=False, extended=True, **options):
        extensions = [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False)] if extended else []
        if not checked:
            extensions.append((x509.OCSPNoCheck(), False))
        given = {"extensions": extensions, "ocsp": (), "crls": (), **options}
        return self.signer("OCSP VÍ DỤ", "responder", **given)

    @classmethod
    def _made(
        cls,
        above,
        name,
        role,
        *,
        ca,
        keys,
        bits=2048,
        start=NOON - 300 * DAY,
        end=NOON + 300 * DAY,
        length=None,
        ocsp=(OCSP_ADDRESS,),
        crls=None,
        extensions=(),
        algorithm=None,
        more=(),
        basic=True,
    ):
        key = new_key(role, bits)
        signing = above.key if above else key
        crls = (CRL_ADDRESS.format((above or cls).__dict__.get("role", "list")),) if crls is None else crls
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject(name, *more))
            .issuer_name(above.certificate.subject if above else subject(name, *more))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
            )
        )
        if basic:
            builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=length), critical=True)
        if keys:
            builder = builder.add_extension(usage(*keys), critical=True)
        if above and ocsp:
            builder = builder.add_extension(access(*ocsp), critical=False)
        if above and crls:
            builder = builder.add_extension(points(*crls), critical=False)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        made = cls(key, builder.sign(signing, algorithm or hashes.SHA256()), above)
        made.role = role
        return made

    def crl(
        self,
        revoked=(),
        *,
        at=NOON,
        until=NOON + 7 * DAY,
        when=NOON - DAY,
        key=None,
        name=None,
        algorithm=None,
    ):
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(name or self.certificate.subject)
            .last_update(at)
            .next_update(until)
        )
        for other in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(other.certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(when).build())
        builder = builder.add_extension(x509.CRLNumber(1), critical=False)
        return builder.sign(key or self.key, algorithm or hashes.SHA256()).public_bytes(Encoding.DER)

    def answer(
        self,
        about,
        *,
        revoked=None,
        unknown=False,
        at=NOON,
        until=NOON + DAY,
        by=None,
        nonce=None,
        key=None,
        algorithm=None,
    ):
        status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
        if unknown:
            status = ocsp.OCSPCertStatus.UNKNOWN
        by = by or self
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=about.certificate,
                issuer=self.certificate,
                algorithm=hashes.SHA1(),  # noqa: S303  # the hash that responders use to name certificates
                cert_status=status,
                this_update=at,
                next_update=until,
                revocation_time=revoked,
                revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
        )
        if by is not self:
            builder = builder.certificates([by.certificate])
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        return builder.sign(key or by.key, algorithm or hashes.SHA256()).public_bytes(Encoding.DER)


class StillClock:
    """A clock that stands still, with a nonce that is always the same."""

    def __init__(self, now=NOON):
        self._now = now

    def now(self):
        return self._now

    def monotonic(self):
        return 0.0

    def random_bytes(self, count):
        return b"\x07" * count


class Mailman:
    """A sender in memory: answers by address, errors are raised."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    async def send(self, request):
        self.asked.append(request)
        answer = self.answers[request.url]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, BhxhError):
            raise answer
        return answer if isinstance(answer, Reply) else Reply(status=200, body=answer)


@contextmanager
def served():
    """Serve answers by path on this machine's loopback; a value may be bytes or (status, bytes)."""
    answers = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._reply(b"")

        def do_POST(self):
            self._reply(self.rfile.read(int(self.headers["Content-Length"])))

        def _reply(self, body):
            answer = answers[self.path]
            answer = answer(body) if callable(answer) else answer
            status, content = answer if isinstance(answer, tuple) else (200, answer)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", answers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
