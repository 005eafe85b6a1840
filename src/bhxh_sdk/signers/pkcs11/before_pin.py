"""What is refused before a PIN is asked for: it could only be spent in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.errors import CertificateUnusableError, UnsupportedOperationError
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.signers.contract import HashName
from bhxh_sdk.signers.pkcs11.contract import Mechanism
from bhxh_sdk.signers.pkcs11.mechanisms import mechanism_of
from bhxh_sdk.signers.values import public_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bhxh_sdk.models import CertificateInfo
    from bhxh_sdk.signers.contract import SigningJob
    from bhxh_sdk.signers.pkcs11.opened import OpenedToken

__all__ = ["demand_digest_way", "demand_valid", "demand_ways"]


def demand_ways(jobs: Sequence[SigningJob], info: CertificateInfo, token: OpenedToken) -> None:
    """Refuse what the key or the token cannot do.

    Args:
        jobs: what is to be signed.
        info: the certificate.
        token: its token.

    Raises:
        CertificateUnusableError: the key cannot sign in that way.
        UnsupportedOperationError: the token does not.

    """
    public_key(info, {job.scheme for job in jobs})
    offered = token.mechanisms()
    for scheme, hash_name in {(job.scheme, job.hash_name) for job in jobs}:
        mechanism_of(scheme, hash_name, offered, token.name)


def demand_digest_way(info: CertificateInfo, token: OpenedToken) -> None:
    """Refuse a token that cannot sign a digest alone.

    Raises:
        UnsupportedOperationError: it signs only what it hashes itself, or not at all.

    """
    public_key(info, ())
    scheme = SignatureScheme.ECDSA if info.key_kind == "ec" else SignatureScheme.RSA_PKCS1
    offered = token.mechanisms()
    if scheme is SignatureScheme.RSA_PKCS1 and Mechanism.RSA_PKCS_PSS in offered:
        return
    if mechanism_of(scheme, HashName.SHA256, offered, token.name) is Mechanism.SHA256_RSA_PKCS:
        raise UnsupportedOperationError("pkcs11.whole_document_needed", name=token.name)


def demand_valid(info: CertificateInfo, moment: datetime) -> None:
    """Refuse a certificate that is not valid at a moment.

    Raises:
        CertificateUnusableError: it is not.

    """
    if info.valid_at(moment):
        return
    word = "expired" if moment > info.not_after else "not_yet_valid"
    raise CertificateUnusableError(
        f"signing.certificate_{word}",
        name=info.common_name,
        serial=info.serial_text,
        not_before=f"{info.not_before:%d/%m/%Y}",
        not_after=f"{info.not_after:%d/%m/%Y}",
    )
