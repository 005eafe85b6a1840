"""Gather evidence: ask the responders and fetch the lists that the certificates of a path name."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from attrs import evolve
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from bhxh_sdk.errors import BhxhError, UnreadableFileError
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.ports import Request
from bhxh_sdk.trust.evidence import Evidence, Failure, OcspAnswer, RevocationList
from bhxh_sdk.trust.judging import Revocation, status_of, valid_path
from bhxh_sdk.trust.reading import NOT_READABLE, quietly, read_crl
from bhxh_sdk.trust.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bhxh_sdk.ports import Clock, Reply, Sender
    from bhxh_sdk.trust.engine import Path
    from bhxh_sdk.trust.policy import TrustPolicy

__all__ = ["addresses", "gather"]

T = TypeVar("T", bound=x509.ExtensionType)

_MOST_ADDRESSES = 4
"""How many addresses of one kind a certificate may name before the rest is left aside."""
_LONGEST_ADDRESS = 1024
_OK = 200


def addresses(certificate: CertificateInfo | bytes, policy: TrustPolicy, moment: datetime) -> tuple[str, ...]:
    """Return the addresses that `gather` would ask, to allow their hosts in a sender.

    Only certificates of a path that leads to a root are looked at: a forged certificate names none.

    Args:
        certificate: the signer's certificate, or its DER.
        policy: whom to trust.
        moment: when the path must be valid.

    Raises:
        VerificationError: no valid path leads to a root.

    """
    path = _path(certificate, policy, moment)
    issued = path.certificates[:-1] if path else ()
    return tuple(
        dict.fromkeys(url for each in issued for url in (*_responders(each), *_distribution_points(each)))
    )


async def gather(
    certificate: CertificateInfo | bytes,
    policy: TrustPolicy,
    sender: Sender,
    clock: Clock,
    *,
    moment: datetime | None = None,
    deadline_seconds: float = 15.0,
) -> Evidence:
    """Ask the authorities about every certificate of a path but the trusted one.

    The responder named in the certificate is asked first (RFC 6960, by POST, with a nonce); where its answer
    proves nothing, the revocation lists are fetched (by GET; DER or PEM). Addresses come from certificates
    whose path to a root is valid; http and https only. Which hosts may be called and how much an answer may
    weigh is the sender's business. Missing authorities are not fetched: supply them as intermediates.

    A source that is down or answers nonsense is no error here: it is remembered, and `judge` refuses what
    is not proven.

    Args:
        certificate: the signer's certificate, or its DER.
        policy: whom to trust.
        sender: sends the requests.
        clock: gives the present and the nonce.
        moment: when the path must be valid; None for now.
        deadline_seconds: how long one answer may take.

    Returns:
        What was said, for `judge` now or later; keep it with the document.

    Raises:
        VerificationError: no valid path leads to a root; nothing was sent.
        MissingExtraError: the extra `trust` is not installed.

    """
    now = clock.now()
    path = _path(certificate, policy, moment or now)
    evidence = Evidence(gathered_at=now)
    if path is None:
        return evidence
    evidence = evolve(evidence, certificates=tuple(each.der for each in path.certificates[1:-1]))
    errand = _Errand(path, policy, sender, clock, deadline_seconds)
    for at in range(len(path.certificates) - 1):
        evidence = await errand.asked(at, evidence)
    return evidence


def _path(certificate: CertificateInfo | bytes, policy: TrustPolicy, moment: datetime) -> Path | None:
    leaf = certificate if isinstance(certificate, CertificateInfo) else CertificateInfo.from_der(certificate)
    return None if leaf.der in policy.roots else valid_path(leaf, policy, moment)


class _Errand:
    """Ask about one path."""

    def __init__(
        self, path: Path, policy: TrustPolicy, sender: Sender, clock: Clock, deadline: float
    ) -> None:
        self._path = path
        self._policy = policy
        self._sender = sender
        self._clock = clock
        self._deadline = deadline

    async def asked(self, at: int, evidence: Evidence) -> Evidence:
        """Return the evidence with what there is about the certificate at that place."""
        certificate = self._path.certificates[at]
        for ask, urls in (
            (self._answer, _responders(certificate)),
            (self._list, _distribution_points(certificate)),
        ):
            for url in urls:
                if self._settled(at, evidence):
                    return evidence
                try:
                    evidence = await ask(url, at, evidence)
                except BhxhError as error:
                    failure = Failure(source=url, certificate=certificate.fingerprint, code=error.code)
                    evidence = evolve(evidence, failures=(*evidence.failures, failure))
        return evidence

    def _settled(self, at: int, evidence: Evidence) -> bool:
        try:
            status = status_of(self._path, at, self._policy, evidence.gathered_at, evidence)
        except BhxhError:
            return True  # revoked, and no other source can mend that
        return status.revocation is Revocation.GOOD

    async def _answer(self, url: str, at: int, evidence: Evidence) -> Evidence:
        nonce = self._clock.random_bytes(16)
        own, issuer = self._path.certificates[at : at + 2]
        headers = (("Content-Type", "application/ocsp-request"), ("Accept", "application/ocsp-response"))
        body = _question(own.der, issuer.der, nonce)
        reply = await self._send(Request(method="POST", url=url, headers=headers, body=body))
        _check_answer(reply.body, nonce)
        answer = OcspAnswer(content=reply.body, source=url, certificate=own.fingerprint)
        return evolve(evidence, answers=(*evidence.answers, answer))

    async def _list(self, url: str, at: int, evidence: Evidence) -> Evidence:
        if any(each.source == url for each in evidence.lists):
            return evidence
        reply = await self._send(Request(method="GET", url=url))
        own = self._path.certificates[at].fingerprint
        found = RevocationList(content=read_crl(reply.body), source=url, certificate=own)
        return evolve(evidence, lists=(*evidence.lists, found))

    async def _send(self, request: Request) -> Reply:
        reply = await self._sender.send(evolve(request, deadline_seconds=self._deadline))
        if reply.status != _OK:
            raise refusal("trust.answer_status", status=reply.status)
        return reply


def _question(certificate: bytes, issuer: bytes, nonce: bytes) -> bytes:
    own, above = (quietly(x509.load_der_x509_certificate, der) for der in (certificate, issuer))
    # SHA-1 names the certificate here and protects nothing; many responders know no other (RFC 5019, 2.1.1).
    builder = ocsp.OCSPRequestBuilder().add_certificate(own, above, hashes.SHA1())  # noqa: S303  # see above
    request = builder.add_extension(x509.OCSPNonce(nonce), critical=False).build()
    return request.public_bytes(Encoding.DER)


def _check_answer(body: bytes, nonce: bytes) -> None:
    """Refuse what is no answer, or the answer to another question. Many responders leave the nonce out."""
    try:
        answer = quietly(ocsp.load_der_ocsp_response, body)
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise refusal("trust.answer_refused", status=answer.response_status.name)
        given = [each.value.nonce for each in answer.extensions if isinstance(each.value, x509.OCSPNonce)]
    except NOT_READABLE as error:
        raise UnreadableFileError("trust.not_an_answer", field="ocsp") from error
    if given and given != [nonce]:
        raise refusal("trust.revocation_mismatch")


def _responders(certificate: CertificateInfo) -> tuple[str, ...]:
    """Return the addresses of OCSP responders that a certificate names."""
    access = _extension(certificate, x509.AuthorityInformationAccess)
    places = [
        each.access_location
        for each in access or ()
        if each.access_method == AuthorityInformationAccessOID.OCSP
    ]
    return _callable(places)


def _distribution_points(certificate: CertificateInfo) -> tuple[str, ...]:
    """Return the addresses of revocation lists that a certificate names."""
    points = _extension(certificate, x509.CRLDistributionPoints)
    return _callable([name for point in points or () for name in point.full_name or ()])


def _extension(certificate: CertificateInfo, kind: type[T]) -> T | None:
    loaded = quietly(x509.load_der_x509_certificate, certificate.der)
    try:
        return loaded.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _callable(names: list[x509.GeneralName]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_web_addresses(names)))[:_MOST_ADDRESSES]


def _web_addresses(names: list[x509.GeneralName]) -> Iterator[str]:
    for name in names:
        if isinstance(name, x509.UniformResourceIdentifier) and len(name.value) <= _LONGEST_ADDRESS:
            try:
                parts = urlsplit(name.value)
            except ValueError:
                continue
            if parts.scheme in {"http", "https"} and parts.hostname and not parts.username:
                yield name.value
