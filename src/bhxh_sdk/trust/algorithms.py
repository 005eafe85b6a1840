"""Which signatures count: the same rule for certificates, revocation lists and OCSP answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature

if TYPE_CHECKING:
    from pyhanko_certvalidator.policy_decl import AlgorithmUsagePolicy
    from pyhanko_certvalidator.sig_validate import SignatureValidator

    from bhxh_sdk.trust.policy import TrustPolicy

__all__ = ["algorithm_rules", "signature_validator"]

_BROKEN = frozenset({"md2", "md4", "md5"})


def algorithm_rules(policy: TrustPolicy) -> AlgorithmUsagePolicy:
    """Return the library's rules about hashes and key sizes for that policy."""
    from pyhanko_certvalidator.policy_decl import DisallowWeakAlgorithmsPolicy  # noqa: PLC0415  # an extra

    return DisallowWeakAlgorithmsPolicy(  # type: ignore[no-untyped-call]  # its constructor has no types
        weak_hash_algos=_BROKEN if policy.allow_sha1 else _BROKEN | {"sha1"},
        rsa_key_size_threshold=policy.smallest_key,
    )


def signature_validator(rules: AlgorithmUsagePolicy) -> SignatureValidator:
    """Return a validator that holds every signature to the rules.

    The library itself applies them to certificates only: a list or an answer signed with MD5 would pass.
    """
    from pyhanko_certvalidator.sig_validate import DefaultSignatureValidator  # noqa: PLC0415  # an extra

    class Validator(DefaultSignatureValidator):
        def validate_signature(
            self,
            signature: bytes,
            signed_data: bytes,
            public_key_info: Any,  # noqa: ANN401  # asn1crypto has no types
            signature_algorithm: Any,  # noqa: ANN401  # as above
            *context: Any,  # noqa: ANN401  # passed on as it is
        ) -> None:
            if not rules.signature_algorithm_allowed(signature_algorithm, None, public_key_info):
                raise InvalidSignature
            super().validate_signature(signature, signed_data, public_key_info, signature_algorithm, *context)

    return Validator()
