"""Choosing the certificate: the one that can sign for the organisation now, never a guess between several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.errors import CertificateUnusableError, KeyNotFoundError
from bhxh_sdk.ports import Question

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bhxh_sdk.models import Organisation
    from bhxh_sdk.ports import Ask
    from bhxh_sdk.signers.contract import SigningCertificate

__all__ = ["choose", "choose_certificate"]


def choose_certificate(
    certificates: Sequence[SigningCertificate], organisation: Organisation | None, moment: datetime
) -> SigningCertificate:
    """Return the one certificate that can sign for the organisation at that moment.

    It has its private key here (or may have), is valid, is for signing, has an RSA key, and names the
    organisation's tax code. A certificate that names no tax code is taken only when it is the single one that
    could sign at all.

    Args:
        certificates: what the signer listed.
        organisation: who registers; None when the owner does not matter.
        moment: when the signature is made, with its zone.

    Raises:
        CertificateUnusableError: there is one certificate, and it cannot be used; the code says why.
        KeyNotFoundError: none fits, or several do; the text lists each with what is against it.

    """
    fitting = _fitting(certificates, organisation, moment)
    if len(fitting) > 1:
        serials = ", ".join(item.certificate.serial_text for item in fitting)
        raise KeyNotFoundError("signing.several_fit", count=len(fitting), serials=serials)
    return fitting[0]


async def choose(
    certificates: Sequence[SigningCertificate], organisation: Organisation | None, moment: datetime, ask: Ask
) -> SigningCertificate:
    """Return the certificate that fits, as `choose_certificate` does; between several, a person chooses.

    Args:
        certificates: what the signer listed.
        organisation: who registers; None when the owner does not matter.
        moment: when the signature is made, with its zone.
        ask: the person.

    Raises:
        CertificateUnusableError: there is one certificate, and it cannot be used; the code says why.
        KeyNotFoundError: none fits, or the person took none of them.

    """
    fitting = _fitting(certificates, organisation, moment)
    if len(fitting) == 1:
        return fitting[0]
    choices = tuple(_shown(item) for item in fitting)
    question = Question(
        purpose="choose_certificate", subject=organisation.name if organisation else "", choices=choices
    )
    answer = await ask.choose(question)
    if not 0 <= answer < len(fitting):
        raise KeyNotFoundError("signing.none_chosen", count=len(fitting))
    return fitting[answer]


def _shown(item: SigningCertificate) -> str:
    facts = item.certificate
    return f"{facts.common_name}, {facts.serial_text}, {facts.issuer_name}, {facts.not_after:%d/%m/%Y}"


def _fitting(
    certificates: Sequence[SigningCertificate], organisation: Organisation | None, moment: datetime
) -> list[SigningCertificate]:
    """Return the certificates that fit, at least one."""
    different = {item.certificate.der or item.key_id: item for item in certificates}
    judged = [(item, _against(item, organisation, moment)) for item in different.values()]
    if fitting := [item for item, against in judged if not against]:
        return fitting
    could_sign = [pair for pair in judged if pair[1] not in {"no_key", "not_for_signing"}]
    if could_sign and all(against == "no_tax_code" for _, against in could_sign):
        return [item for item, _ in could_sign]
    considered = could_sign or judged
    if len(considered) == 1:
        _refuse(*considered[0], organisation)
    reasons: dict[str, str] = {}
    for item, against in judged:
        serial = item.certificate.serial_text
        reasons[against] = f"{reasons[against]}, {serial}" if against in reasons else serial
    raise KeyNotFoundError(
        "signing.none_fits" if judged else "signing.none_listed", count=len(judged), **reasons
    )


def _against(item: SigningCertificate, organisation: Organisation | None, moment: datetime) -> str:
    """Return the stable word for what is against a certificate, or an empty text."""
    facts = item.certificate
    own = organisation is None or facts.belongs_to(organisation.tax_code)
    obstacles = {
        "no_key": item.has_private_key is False,
        "not_for_signing": not facts.signing_allowed,
        "other_tax_code": bool(facts.tax_codes) and not own,
        "expired": moment > facts.not_after,
        "not_yet_valid": moment < facts.not_before,
        "not_rsa": facts.key_kind != "rsa",
        "no_tax_code": not own,
    }
    return next((word for word, holds in obstacles.items() if holds), "")


def _refuse(item: SigningCertificate, against: str, organisation: Organisation | None) -> None:
    facts = item.certificate
    kind = KeyNotFoundError if against == "no_key" else CertificateUnusableError
    raise kind(
        f"signing.certificate_{against}",
        name=facts.common_name,
        serial=facts.serial_text,
        not_before=f"{facts.not_before:%d/%m/%Y}",
        not_after=f"{facts.not_after:%d/%m/%Y}",
        kind=facts.key_kind,
        expected=organisation.tax_code.masked if organisation else "",
        got=", ".join(code.masked for code in facts.tax_codes),
    )
