"""The one module that knows pyhanko-certvalidator: paths by RFC 5280, lists by RFC 5280, answers by RFC 6960.

The library is given everything and fetches nothing, so its coroutines never suspend. It is imported when a
certificate is judged, not before.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import field, frozen

from bhxh_sdk.errors import MissingExtraError
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.trust.algorithms import algorithm_rules, signature_validator
from bhxh_sdk.trust.refusals import refusal, refusal_for

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Sequence
    from datetime import datetime

    from pyhanko_certvalidator.context import ValidationContext
    from pyhanko_certvalidator.policy_decl import RevocationCheckingPolicy

    from bhxh_sdk.trust.policy import TrustPolicy

__all__ = ["Found", "Path", "asked", "check_path", "paths"]

T = TypeVar("T")

_MOST_PATHS = 16
"""How many paths are tried: cross-signed authorities have two or three."""


@frozen(kw_only=True)
class Path:
    """Hold a path: the certificates from the signer's to the trusted one, and the library's view of it."""

    certificates: tuple[CertificateInfo, ...]
    inner: Any = field(repr=False, eq=False)


@frozen(kw_only=True)
class Found:
    """Say what lists or answers tell about one certificate.

    Args:
        good: whether they prove that it was not revoked.
        revoked_at: since when it is revoked, whatever else is said.
        cause: why nothing is proven: the code of a refusal.

    """

    good: bool = False
    revoked_at: datetime | None = None
    cause: str = ""


def paths(leaf: CertificateInfo, policy: TrustPolicy, more: Sequence[bytes]) -> tuple[Path, ...]:
    """Return the paths from a trusted certificate to this one, without judging them.

    Args:
        leaf: the signer's certificate.
        policy: whom to trust.
        more: further certificates in DER that may lie between.

    Raises:
        VerificationError: there is none; `reason` is `untrusted`.
        MissingExtraError: the library is not installed.

    """
    with _guarded(leaf):
        from pyhanko_certvalidator.registry import (  # noqa: PLC0415  # slow to import, and an extra
            CertificateRegistry,
            PathBuilder,
            SimpleTrustManager,
        )

        anchors = [_anchor(root) for root in policy.roots]
        trusted = SimpleTrustManager.build(trust_roots=anchors)
        registry = CertificateRegistry.build([_loaded(der) for der in (*policy.intermediates, *more)])
        found = _finished(_search(PathBuilder(trusted, registry), _loaded(leaf.der)))
        return tuple(Path(certificates=_facts(path), inner=path) for path in found)


async def _search(builder: Any, leaf: Any) -> list[Any]:  # noqa: ANN401  # the library's objects
    walk = builder.async_build_paths_lazy(leaf)
    found = []
    async for path in walk:
        found.append(path)
        if len(found) == _MOST_PATHS:
            break
    await walk.cancel()
    return found


def _anchor(root: bytes) -> Any:  # noqa: ANN401  # the library's object
    """Return a trust anchor that its own certificate limits: in time, in length, in names.

    The certificate policies of a root are left aside: RFC 5280 gives them no meaning there.
    """
    from pyhanko_certvalidator.authority import (  # noqa: PLC0415  # as above
        CertTrustAnchor,
        TrustedServiceType,
        derive_quals_from_cert,
    )
    from pyhanko_certvalidator.policy_decl import PKIXValidationParams  # noqa: PLC0415  # as above

    certificate = _loaded(root)
    limits = derive_quals_from_cert(certificate)
    names = limits.standard_parameters or PKIXValidationParams()
    return CertTrustAnchor(
        certificate,
        type(limits)(
            standard_parameters=PKIXValidationParams(
                initial_permitted_subtrees=names.initial_permitted_subtrees,
                initial_excluded_subtrees=names.initial_excluded_subtrees,
            ),
            max_path_length=limits.max_path_length,
            trusted_service_type=TrustedServiceType.CERTIFICATE_AUTHORITY,
        ),
    )


def _facts(path: Any) -> tuple[CertificateInfo, ...]:  # noqa: ANN401  # the library's object
    ders = [certificate.dump() for certificate in path.iter_certs(include_root=True)]
    return tuple(CertificateInfo.from_der(der) for der in reversed(ders))


def check_path(path: Path, policy: TrustPolicy, moment: datetime) -> None:
    """Refuse a path that was not valid at that moment; revocation is another question.

    Raises:
        VerificationError: with the reason.

    """
    for issuer in path.certificates[1:]:
        _check_issuer(issuer, policy, moment)
    _check_anchor(path.certificates[-1])
    with _guarded(path.certificates[0]):
        from pyhanko_certvalidator.policy_decl import NO_REVOCATION  # noqa: PLC0415  # as above
        from pyhanko_certvalidator.validate import async_validate_path  # noqa: PLC0415  # as above

        context = _context(policy, moment, timedelta(0), NO_REVOCATION, trust_roots=[path.inner.trust_anchor])
        _finished(async_validate_path(context, path.inner))


def _check_issuer(issuer: CertificateInfo, policy: TrustPolicy, moment: datetime) -> None:
    name = issuer.common_name
    if not issuer.valid_at(moment):
        raise refusal("trust.issuer_expired", name=name)
    if issuer.key_kind == "rsa" and issuer.key_bits < policy.smallest_key:
        raise refusal("trust.weak_key", name=name, bits=issuer.key_bits, smallest=policy.smallest_key)


def _check_anchor(anchor: CertificateInfo) -> None:
    """Refuse a trusted certificate that may not issue: the library asks that of all others only."""
    certificate = _loaded(anchor.der)
    usage = certificate.key_usage_value
    if not certificate.ca or (usage and "key_cert_sign" not in usage.native):
        raise refusal("trust.not_a_ca", name=anchor.common_name)


def asked(
    path: Path, at: int, policy: TrustPolicy, reference: datetime, *, crls: Sequence[bytes], ocsp: bytes = b""
) -> Found:
    """Ask revocation lists, or an OCSP answer, about one certificate of a valid path.

    The authorities above are taken as good here: each is asked about on its own. Lists are asked together,
    because one of them may hold some reasons, or the changes since another, only.

    Args:
        path: a path that is valid but for revocation.
        at: the certificate's place in it; 0 is the signer's.
        policy: how strict to be.
        reference: when lists and answers must be of their time.
        crls: lists in DER.
        ocsp: an answer in DER; then the lists serve to prove the responder's certificate only.

    Raises:
        VerificationError: the bytes cannot be read.

    """
    with _guarded(path.certificates[at]):
        from pyhanko_certvalidator.errors import RevokedError  # noqa: PLC0415  # as above

        try:
            _finished(_question(path, at, policy, reference, crls, ocsp))
        except RevokedError as error:
            return Found(revoked_at=error.revocation_dt)
        except _unproven() as error:
            return Found(cause=_cause(error, from_ocsp=bool(ocsp)))
    return Found(good=True)


def _question(
    path: Path, at: int, policy: TrustPolicy, reference: datetime, crls: Sequence[bytes], ocsp: bytes
) -> Coroutine[Any, Any, None]:
    from pyhanko_certvalidator.authority import CertTrustAnchor  # noqa: PLC0415  # as above
    from pyhanko_certvalidator.path import ValidationPath  # noqa: PLC0415  # as above
    from pyhanko_certvalidator.policy_decl import RevocationCheckingPolicy  # noqa: PLC0415  # as above
    from pyhanko_certvalidator.revinfo.validate_crl import verify_crl  # noqa: PLC0415  # as above
    from pyhanko_certvalidator.revinfo.validate_ocsp import verify_ocsp_response  # noqa: PLC0415  # as above

    # A responder answers for its issuer alone; the issuer of a list is looked for in the whole path.
    above = path.certificates[at + 1 : at + 2] if ocsp else path.certificates[at + 1 :]
    own = _loaded(path.certificates[at].der)
    top, *between = (_loaded(each.der) for each in reversed(above))
    anchor = CertTrustAnchor(top)
    # A responder's certificate that names its own lists must be on none of them; one that names none is
    # left to the client by RFC 6960, 4.2.2.2.1, and authorities give such certificates short lives.
    rule = RevocationCheckingPolicy.from_legacy("hard-fail")
    given = {"crls": [_loaded_list(each) for each in crls], "ocsps": [ocsp] if ocsp else []}
    roots = {"trust_roots": [anchor], "other_certs": between}
    context = _context(policy, reference, policy.clock_skew, rule, **roots, **given)
    for length, authority in enumerate(between):
        known = ValidationPath(anchor, between[:length], authority)
        context.record_validation(authority, known)  # type: ignore[no-untyped-call]  # it has no types
    verify = verify_ocsp_response if ocsp else verify_crl
    return verify(own, ValidationPath(anchor, between, own), context)


def _context(
    policy: TrustPolicy,
    moment: datetime,
    skew: timedelta,
    rule: RevocationCheckingPolicy,
    **given: Any,  # noqa: ANN401  # arguments of the library
) -> ValidationContext:
    """Return the library's context: nothing is fetched, and nothing but `moment` is the present.

    A revocation is reported whatever its date: whether it came too late to matter is decided elsewhere.
    """
    from pyhanko_certvalidator.context import ValidationContext  # noqa: PLC0415  # as above
    from pyhanko_certvalidator.ltv.types import (  # noqa: PLC0415  # as above
        ValidationTimingInfo,
        ValidationTimingParams,
    )
    from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy  # noqa: PLC0415  # as above

    rules = algorithm_rules(policy)
    context = ValidationContext(
        moment=moment,
        time_tolerance=skew,
        allow_fetching=False,
        revinfo_policy=CertRevTrustPolicy(rule),
        algorithm_usage_policy=rules,
        signature_validator=signature_validator(rules),
        **{"crls": [], "ocsps": [], **given},
    )
    timing = ValidationTimingInfo(moment, moment, point_in_time_validation=False)
    context.timing_params = ValidationTimingParams(timing, time_tolerance=skew)
    return context


def _unproven() -> tuple[type[Exception], ...]:
    from pyhanko_certvalidator import errors  # noqa: PLC0415  # as above

    return (errors.CRLValidationError, errors.OCSPValidationError)


def _cause(error: Exception, *, from_ocsp: bool) -> str:
    """Say why lists or an answer prove nothing."""
    told = " ".join(str(failure[0]) for failure in getattr(error, "failures", ()))
    if getattr(error, "suspect_stale", None) or "recent" in told:
        return "trust.revocation_stale"
    if from_ocsp and ("NoMatches" in type(error).__name__ or "does not match" in told):
        return "trust.revocation_mismatch"
    return "trust.revocation_signature" if told else "trust.revocation_unknown"


def _loaded(der: bytes) -> Any:  # noqa: ANN401  # asn1crypto has no types
    from asn1crypto.x509 import Certificate  # type: ignore[import-untyped]  # noqa: PLC0415  # no types; an extra

    return Certificate.load(der)


def _loaded_list(der: bytes) -> Any:  # noqa: ANN401  # asn1crypto has no types
    from asn1crypto.crl import CertificateList  # type: ignore[import-untyped]  # noqa: PLC0415  # as above

    return CertificateList.load(der)


def _finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise TypeError("the certificate library waited for something")


@contextmanager
def _guarded(certificate: CertificateInfo) -> Iterator[None]:
    """Turn whatever the library stumbles over into a refusal: when in doubt, the answer is no."""
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(extra="trust", name=str(error.name)) from error
    except Exception as error:  # foreign bytes in a foreign parser: any error means no
        raise refusal_for(error, certificate.common_name) from error
