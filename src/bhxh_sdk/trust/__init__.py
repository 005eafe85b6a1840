"""Trust in a certificate: its path to the caller's roots, its purpose, and whether it was revoked.

Nothing is trusted by itself: no root is shipped. `gather` asks the authorities over a `Sender` and returns
`Evidence`; `judge` decides from the evidence alone, without network, today or in ten years.
"""

from bhxh_sdk.trust.evidence import Evidence, Failure, OcspAnswer, RevocationList
from bhxh_sdk.trust.gathering import addresses, gather
from bhxh_sdk.trust.judging import CertificateStatus, Revocation, TrustReport, check_validity, judge
from bhxh_sdk.trust.policy import RevocationMode, TrustPolicy
from bhxh_sdk.trust.reading import read_certificates, read_crl

__all__ = [
    "CertificateStatus",
    "Evidence",
    "Failure",
    "OcspAnswer",
    "Revocation",
    "RevocationList",
    "RevocationMode",
    "TrustPolicy",
    "TrustReport",
    "addresses",
    "check_validity",
    "gather",
    "judge",
    "read_certificates",
    "read_crl",
]
