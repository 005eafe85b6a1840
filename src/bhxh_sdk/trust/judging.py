"""Judge a certificate: from roots, policy, moment and evidence alone, without network, always alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from bhxh_sdk.errors import InputError, VerificationError, WrongTypeError
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.trust.engine import Found, asked, check_path, paths
from bhxh_sdk.trust.policy import RevocationMode, TrustPolicy
from bhxh_sdk.trust.refusals import refusal

if TYPE_CHECKING:
    from bhxh_sdk.trust.engine import Path
    from bhxh_sdk.trust.evidence import Evidence

__all__ = [
    "CertificateStatus",
    "Revocation",
    "TrustReport",
    "check_validity",
    "instant",
    "judge",
    "status_of",
    "valid_path",
]


_EVER = timedelta(days=50 * 365)


class Revocation(Enum):
    """What is known of a certificate's revocation.

    Attributes:
        GOOD: a list or an answer of its time proves that it was not revoked at the moment judged.
        UNKNOWN: nothing proves it; `cause` says why.
        NOT_CHECKED: the policy did not ask.
        TRUSTED: the caller trusts this very certificate; nobody else can revoke it.

    """

    GOOD = "good"
    UNKNOWN = "unknown"
    NOT_CHECKED = "not-checked"
    TRUSTED = "trusted"


@frozen(kw_only=True)
class CertificateStatus:
    """Say how it stands with one certificate of a path.

    Args:
        certificate: the certificate.
        revocation: what is known of its revocation.
        cause: why that is unknown: the code of a message, such as `trust.revocation_stale`.
        source: address of the list or answer that proves it; empty when the caller supplied it.
        revoked_at: since when it is revoked: always after the moment judged.

    """

    certificate: CertificateInfo
    revocation: Revocation
    cause: str = ""
    source: str = ""
    revoked_at: datetime | None = None


@frozen(kw_only=True)
class TrustReport:
    """Say that a certificate was trusted at a moment, and how much of that was proven.

    Args:
        moment: the moment judged, UTC.
        path: the certificates from the signer's to the trusted one, each with its state.

    """

    moment: datetime
    path: tuple[CertificateStatus, ...] = field(repr=False)

    @property
    def revocation_proven(self) -> bool:
        """Whether every certificate but the trusted one is proven not to have been revoked."""
        return all(each.revocation in {Revocation.GOOD, Revocation.TRUSTED} for each in self.path)

    @property
    def warnings(self) -> tuple[VerificationError, ...]:
        """What a person should know: revocation unknown or not looked at, or revoked after the moment."""
        return tuple(warning for each in self.path for warning in _warnings(each))


def _warnings(status: CertificateStatus) -> list[VerificationError]:
    name = status.certificate.common_name
    found = []
    if status.revocation is Revocation.NOT_CHECKED:
        found.append(refusal("trust.revocation_not_checked", name=name))
    if status.cause:
        found.append(refusal(status.cause, name=name))
    if status.revoked_at:
        found.append(refusal("trust.revoked_later", name=name, date=_shown(status.revoked_at)))
    return found


def judge(
    certificate: CertificateInfo | bytes,
    policy: TrustPolicy,
    moment: datetime,
    evidence: Evidence | None = None,
) -> TrustReport:
    """Decide whether a certificate was to be trusted for signing at a moment.

    The path is judged by RFC 5280. A list or an answer must be of its time: not past its nextUpdate at
    `evidence.gathered_at` or, when that is later, at `moment`. A certificate revoked after `moment` was good
    then, and the report says when it was revoked.

    Args:
        certificate: the signer's certificate, or its DER.
        policy: whom to trust, and how much must be proven.
        moment: when the signature was made, with its zone. Take it from a receipt or a journal: whoever has
            a stolen key can write any time into a document.
        evidence: what `gather` found, or what was kept of it.

    Returns:
        The path and what is known of each certificate.

    Raises:
        VerificationError: it is not to be trusted; `reason` says why.
        InputError: a parameter is wrong.
        MissingExtraError: the extra `trust` is not installed.

    """
    leaf = _checked(certificate, policy)
    moment = instant(moment)
    _check_signer(leaf, policy, moment)
    if leaf.der in policy.roots:
        trusted = CertificateStatus(certificate=leaf, revocation=Revocation.TRUSTED)
        return TrustReport(moment=moment, path=(trusted,))
    refused: list[VerificationError] = []
    for path in paths(leaf, policy, evidence.certificates if evidence else ()):
        try:
            return _judged(path, policy, moment, evidence)
        except VerificationError as error:
            refused.append(error)
    raise refused[0]


def valid_path(leaf: CertificateInfo, policy: TrustPolicy, moment: datetime) -> Path:
    """Return the first path to a certificate that is valid but for revocation."""
    refused: list[VerificationError] = []
    for path in paths(leaf, policy, ()):
        try:
            check_path(path, policy, moment)
        except VerificationError as error:
            refused.append(error)
        else:
            return path
    raise refused[0]


def instant(moment: datetime) -> datetime:
    """Return a moment in UTC, or refuse it."""
    if not isinstance(moment, datetime):
        raise WrongTypeError(field="moment", expected="datetime", got=type(moment).__name__)
    if moment.utcoffset() is None:
        raise InputError("trust.no_zone", field="moment")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise InputError("trust.no_zone", field="moment") from error


def _checked(certificate: CertificateInfo | bytes, policy: TrustPolicy) -> CertificateInfo:
    if not isinstance(policy, TrustPolicy):
        raise WrongTypeError(field="policy", expected="TrustPolicy", got=type(policy).__name__)
    if isinstance(certificate, CertificateInfo):
        return certificate
    return CertificateInfo.from_der(certificate)


def check_validity(certificate: CertificateInfo, moment: datetime) -> None:
    """Refuse a certificate that was not valid at a moment; nothing else is looked at, and no extra needed.

    Args:
        certificate: the signer's certificate.
        moment: when it must have been valid, with its zone.

    Raises:
        VerificationError: `reason` is `not-yet-valid` or `expired`.
        InputError: the moment has no zone.

    """
    moment, name = instant(moment), certificate.common_name
    if moment < certificate.not_before:
        raise refusal("trust.not_yet_valid", name=name, date=_shown(certificate.not_before))
    if moment > certificate.not_after:
        raise refusal("trust.expired", name=name, date=_shown(certificate.not_after))


def _check_signer(leaf: CertificateInfo, policy: TrustPolicy, moment: datetime) -> None:
    check_validity(leaf, moment)
    name = leaf.common_name
    if not leaf.signing_allowed:
        raise refusal("trust.key_usage", name=name)
    if leaf.key_kind == "rsa" and leaf.key_bits < policy.smallest_key:
        raise refusal("trust.weak_key", name=name, bits=leaf.key_bits, smallest=policy.smallest_key)


def _judged(path: Path, policy: TrustPolicy, moment: datetime, evidence: Evidence | None) -> TrustReport:
    check_path(path, policy, moment)
    *issued, trusted = path.certificates
    if policy.revocation is RevocationMode.OFF:
        below = [CertificateStatus(certificate=each, revocation=Revocation.NOT_CHECKED) for each in issued]
    else:
        # From the root down: a list is worth no more than the authority that signed it.
        below = [status_of(path, at, policy, moment, evidence) for at in reversed(range(len(issued)))][::-1]
    _check_unknown(below, policy, evidence)
    top = CertificateStatus(certificate=trusted, revocation=Revocation.TRUSTED)
    return TrustReport(moment=moment, path=(*below, top))


def _check_unknown(statuses: list[CertificateStatus], policy: TrustPolicy, evidence: Evidence | None) -> None:
    if policy.revocation is not RevocationMode.REQUIRE:
        return
    for status in statuses:
        if status.revocation is Revocation.UNKNOWN:
            failures = evidence.failures if evidence else ()
            own = (each for each in failures if each.certificate == status.certificate.fingerprint)
            source = next((each.source for each in own), "")
            raise refusal(status.cause, name=status.certificate.common_name, source=source)


def status_of(
    path: Path, at: int, policy: TrustPolicy, moment: datetime, evidence: Evidence | None
) -> CertificateStatus:
    """Say what the evidence tells about the certificate at that place of a valid path.

    Raises:
        VerificationError: it was revoked at that moment, or the evidence cannot be read.

    """
    certificate = path.certificates[at]
    unknown = CertificateStatus(
        certificate=certificate, revocation=Revocation.UNKNOWN, cause="trust.revocation_unknown"
    )
    if evidence is None:
        return unknown
    found = _findings(path, at, policy, moment, evidence)
    return _conclusion(unknown, found, moment, evidence, policy)


def _findings(
    path: Path, at: int, policy: TrustPolicy, moment: datetime, evidence: Evidence
) -> list[tuple[Found, str]]:
    """Ask every answer and list: one that says "revoked" outweighs any other."""
    own = path.certificates[at].fingerprint
    reference = max(moment, evidence.gathered_at.astimezone(UTC))
    crls = [each.content for each in evidence.lists]
    found = []
    for answer in evidence.answers:
        if answer.certificate in {own, ""}:
            told = _told(path, at, policy, reference, crls, answer.content)
            if answer.certificate or told.cause != "trust.revocation_mismatch":
                found.append((told, answer.source))
    if crls:
        sources = [each.source for each in evidence.lists if each.certificate in {own, ""} and each.source]
        found.append((_told(path, at, policy, reference, crls), ", ".join(sources)))
    return found


def _told(
    path: Path, at: int, policy: TrustPolicy, reference: datetime, crls: list[bytes], ocsp: bytes = b""
) -> Found:
    """Ask; what is out of date proves nothing good, but a revocation does not grow old."""
    told = asked(path, at, policy, reference, crls=crls, ocsp=ocsp)
    if told.cause != "trust.revocation_stale":
        return told
    timeless = evolve(policy, clock_skew=_EVER)
    older = asked(path, at, timeless, reference, crls=crls, ocsp=ocsp)
    return older if older.revoked_at else told


def _conclusion(
    unknown: CertificateStatus,
    found: list[tuple[Found, str]],
    moment: datetime,
    evidence: Evidence,
    policy: TrustPolicy,
) -> CertificateStatus:
    certificate = unknown.certificate
    dates = [each.revoked_at for each, _ in found if each.revoked_at]
    if dates and min(dates) <= moment:
        raise refusal("trust.revoked", name=certificate.common_name, date=_shown(min(dates)))
    if dates:
        return evolve(unknown, revocation=Revocation.GOOD, cause="", revoked_at=min(dates))
    source = next((source for each, source in found if each.good), None)
    if source is None:
        return evolve(unknown, cause=_cause(found, evidence, certificate))
    if evidence.gathered_at > certificate.not_after + policy.clock_skew:
        # Authorities may drop a certificate from their lists once it has expired (RFC 5280, 3.3).
        return evolve(unknown, cause="trust.revocation_after_expiry")
    return evolve(unknown, revocation=Revocation.GOOD, cause="", source=source)


def _cause(found: list[tuple[Found, str]], evidence: Evidence, certificate: CertificateInfo) -> str:
    """Return the code of the most telling cause."""
    told = [each.cause for each, _ in found if each.cause != "trust.revocation_unknown"]
    failed = [each.code for each in evidence.failures if each.certificate == certificate.fingerprint]
    if not told and failed:
        return failed[0] if failed[0].startswith("trust.revocation_") else "trust.revocation_unavailable"
    return told[0] if told else "trust.revocation_unknown"


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
