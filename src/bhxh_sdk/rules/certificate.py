"""Rules about the certificate that shall sign (steps 15, 19 and 21)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from bhxh_sdk.models import TaxCodeKind, days_left
from bhxh_sdk.models.text import same_name
from bhxh_sdk.rules.rule import Hit, error, hit, rule, shown, warning
from bhxh_sdk.rules.sources import SIGNING_LAW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bhxh_sdk.models import CertificateInfo, Organisation

__all__ = ["CertificateCase", "key", "owner_name", "tax_code", "usage", "validity"]

WARNING_DAYS = 60
SHORTEST_KEY = {"rsa": 2048, "ec": 256}

_SUBJECT = "not proven: the tax code and the name in a certificate's subject should be the unit's"


@frozen(kw_only=True)
class CertificateCase:
    """What the rules of a certificate look at.

    Args:
        certificate: what it says.
        organisation: whose it should be.
        earliest: first moment that counts; the same as `latest` for one moment.
        latest: last moment that counts.

    """

    certificate: CertificateInfo
    organisation: Organisation
    earliest: datetime
    latest: datetime


@rule(
    error("certificate.expired", SIGNING_LAW),
    error("certificate.not_yet_valid", SIGNING_LAW),
    warning("certificate.expires_soon", "the new serial must be registered after every renewal"),
)
def validity(case: CertificateCase) -> Iterator[Hit]:
    """The certificate is valid at some time of the day, and for a while longer."""
    certificate = case.certificate
    left = days_left(certificate, case.earliest)
    if certificate.not_after < case.earliest:
        yield hit("certificate.expired", "certificate.not_after", value=_moment(certificate.not_after))
    elif certificate.not_before > case.latest:
        yield hit(
            "certificate.not_yet_valid", "certificate.not_before", value=_moment(certificate.not_before)
        )
    elif left <= WARNING_DAYS:
        value = _moment(certificate.not_after)
        yield hit("certificate.expires_soon", "certificate.not_after", value=value, days=left)


def _moment(moment: datetime) -> str:
    return f"{moment.isoformat(sep=' ', timespec='minutes')}"


@rule(error("certificate.not_for_signing", "RFC 5280, section 4.2.1.3: key usage"))
def usage(case: CertificateCase) -> Iterator[Hit]:
    """The certificate's key may sign."""
    if not case.certificate.signing_allowed:
        yield hit("certificate.not_for_signing", "certificate.signing_allowed")


@rule(error("certificate.key_too_short", "NIST SP 800-131A; keys of 2048 bits are the rule in the field"))
def key(case: CertificateCase) -> Iterator[Hit]:
    """The key is long enough to be trusted."""
    kind, bits = case.certificate.key_kind, case.certificate.key_bits
    if bits < SHORTEST_KEY.get(kind, 0):
        yield hit(
            "certificate.key_too_short",
            "certificate.key_bits",
            kind=kind.upper(),
            bits=bits,
            limit=SHORTEST_KEY[kind],
        )


@rule(
    warning("certificate.tax_code_absent", _SUBJECT),
    error(
        "certificate.tax_code_differs", "MST value of the subject; signing programs refuse such a certificate"
    ),
)
def tax_code(case: CertificateCase) -> Iterator[Hit]:
    """The subject's tax code is the organisation's, or that of the organisation whose branch it is."""
    own, certificate = case.organisation.tax_code, case.certificate
    personal = {personal_id.value for personal_id in certificate.personal_ids}
    if own.kind is TaxCodeKind.PERSON and own.value in personal:
        return
    if not certificate.tax_codes:
        yield hit("certificate.tax_code_absent", "certificate.tax_codes")
    elif own and not certificate.belongs_to(own):
        found = ", ".join(code.masked for code in certificate.tax_codes)
        yield hit(
            "certificate.tax_code_differs", "certificate.tax_codes", expected=shown(own.masked), found=found
        )


@rule(warning("certificate.name_differs", _SUBJECT))
def owner_name(case: CertificateCase) -> Iterator[Hit]:
    """The subject's CN or O is the organisation's name."""
    name, certificate = case.organisation.name, case.certificate
    owners = (certificate.common_name, *_organisations(certificate.subject))
    if name and not any(same_name(name, owner) for owner in owners):
        found = shown(certificate.common_name)
        yield hit("certificate.name_differs", "certificate.common_name", expected=shown(name), found=found)


def _organisations(subject: str) -> Iterator[str]:
    """Give the values of O in a subject text, their escapes undone."""
    for match in re.finditer(r"(?:^|, |\+)O=((?:\\.|[^,+\\])*)", subject):
        yield re.sub(r"\\(.)", r"\1", match[1])
