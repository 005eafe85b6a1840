"""Check a form, or a certificate, against every rule: all findings at once, nothing raised."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

from bhxh_sdk.catalogue import Catalogue, shipped
from bhxh_sdk.errors import WrongTypeError
from bhxh_sdk.findings import Finding, Report
from bhxh_sdk.rules.certificate import CertificateCase
from bhxh_sdk.rules.rule import FormCase
from bhxh_sdk.rules.table import CERTIFICATE_RULES, FIELDS, FORM_RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bhxh_sdk.models import CertificateInfo, Organisation, Registration

__all__ = ["check", "check_certificate"]

_VIETNAM = timezone(timedelta(hours=7))


def check(
    form: Registration,
    *,
    on: date,
    certificate: CertificateInfo | None = None,
    confirmed: bool | None = None,
    catalogue: Catalogue | None = None,
) -> Report:
    """Find every mistake of a form, without a network.

    Args:
        form: the registration, as it was typed.
        on: the day that counts, in Vietnam.
        certificate: the certificate that shall sign; it is judged only when the form uses one.
        confirmed: whether a person has confirmed the form (step 17); None when that comes later.
        catalogue: code lists to use in place of the shipped ones.

    Returns:
        All findings, in the order of the form.

    Raises:
        WrongTypeError: `on` is not a plain date.

    """
    if not _is_plain_day(on):
        raise WrongTypeError(field="on", expected="date", got=type(on).__name__)
    case = FormCase(form=form, on=on, confirmed=confirmed, catalogue=catalogue or shipped())
    findings = [finding for rule in FORM_RULES for finding in rule.findings(case)]
    if form.use_certificate and certificate is not None:
        day = (datetime.combine(on, edge, _VIETNAM) for edge in (time.min, time.max))
        findings += _of_certificate(certificate, form.organisation, *day)
    return Report(sorted(findings, key=_position))


def check_certificate(certificate: CertificateInfo, organisation: Organisation, moment: datetime) -> Report:
    """Find every mistake of a certificate that shall sign for an organisation.

    Revocation is not looked up here: that needs a network.

    Args:
        certificate: what the certificate says.
        organisation: whose it should be.
        moment: the moment of signing, with its time zone.

    Raises:
        WrongTypeError: `moment` has no time zone.

    """
    if not _is_zoned(moment):
        raise WrongTypeError(field="moment", expected="datetime with a time zone", got=type(moment).__name__)
    return Report(_of_certificate(certificate, organisation, moment, moment))


def _is_plain_day(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _is_zoned(value: object) -> bool:
    return isinstance(value, datetime) and value.utcoffset() is not None


def _of_certificate(
    certificate: CertificateInfo, organisation: Organisation, earliest: datetime, latest: datetime
) -> Iterator[Finding]:
    case = CertificateCase(
        certificate=certificate, organisation=organisation, earliest=earliest, latest=latest
    )
    for rule in CERTIFICATE_RULES:
        yield from rule.findings(case)


def _position(finding: Finding) -> tuple[int, int]:
    """Tell where in the form a finding stands; attachments stand by number."""
    places = (place for place, field in enumerate(FIELDS) if finding.field.startswith(field))
    number = re.search(r"\[([0-9]+)\]", finding.field)
    return next(places), int(number[1]) if number else -1
