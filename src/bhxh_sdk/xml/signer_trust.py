"""What a verifier asks about the signer's certificate: nothing, its dates, or its path to trusted roots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bhxh_sdk import trust
from bhxh_sdk.errors import InputError, WrongTypeError
from bhxh_sdk.xml.moments import in_utc

if TYPE_CHECKING:
    from datetime import datetime

    from bhxh_sdk.models import CertificateInfo

__all__ = ["TrustQuestion", "trust_question"]


def trust_question(
    roots: Sequence[bytes] | None,
    moment: datetime | None,
    policy: trust.TrustPolicy | None,
    evidence: trust.Evidence | None,
    smallest_key: int,
) -> TrustQuestion:
    """Return what is to be asked, or say at once that it cannot be.

    Args:
        roots: certificates in DER that are trusted; revocation is then not checked. Not with a policy.
        moment: when the certificate must have been valid; needed with roots and with a policy.
        policy: whom to trust and how much must be proven.
        evidence: what is known about revocation, for a policy that requires it.
        smallest_key: fewest bits that an RSA key may have.

    Raises:
        WrongTypeError, InputError: a parameter is wrong, missing, or one too many.

    """
    if evidence is not None and policy is None:
        raise InputError("xml.evidence_without_policy", field="evidence")
    if roots is None and moment is None and policy is None and type(smallest_key) is int:
        return _NOTHING
    if not isinstance(smallest_key, int):
        raise WrongTypeError(field="smallest_key", expected="int", got=type(smallest_key).__name__)
    if not isinstance(roots, Sequence | None):
        raise WrongTypeError(field="roots", expected="Sequence", got=type(roots).__name__)
    if not isinstance(policy, trust.TrustPolicy | None):
        raise WrongTypeError(field="trust", expected="TrustPolicy", got=type(policy).__name__)
    if roots is not None and policy is not None:
        raise InputError("xml.roots_and_policy", field="roots")
    if roots is not None:
        policy = trust.TrustPolicy(roots=roots, revocation="off", smallest_key=smallest_key)
    if moment is None and policy is not None:
        raise InputError("xml.moment_needed", field="moment")
    return TrustQuestion(None if moment is None else in_utc(moment, "moment"), policy, evidence)


class TrustQuestion:
    """Ask about a signer's certificate what the caller wanted to know."""

    __slots__ = ("_evidence", "_moment", "_policy")

    def __init__(
        self, moment: datetime | None, policy: trust.TrustPolicy | None, evidence: trust.Evidence | None
    ) -> None:
        self._moment = moment
        self._policy = policy
        self._evidence = evidence

    def ask(self, certificate: CertificateInfo) -> trust.TrustReport | None:
        """Return what is known of the certificate; None when nobody asked for its path.

        Raises:
            VerificationError: it was not valid, or is not to be trusted.
            MissingExtraError: the extra `trust` is needed and not installed.

        """
        if self._moment is None:
            return None
        if self._policy is None:
            trust.check_validity(certificate, self._moment)
            return None
        return trust.judge(certificate, self._policy, self._moment, self._evidence)


_NOTHING = TrustQuestion(None, None, None)
