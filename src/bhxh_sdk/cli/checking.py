"""Checking a form file as far as it can be read, so that one pass names every mistake."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from bhxh_sdk.cli.certificates import certificates_in_file
from bhxh_sdk.cli.form_files import form_data, form_of
from bhxh_sdk.errors import InputError
from bhxh_sdk.findings import Report

if TYPE_CHECKING:
    from pathlib import Path

    from bhxh_sdk.cli.output import Output
    from bhxh_sdk.findings import Finding
    from bhxh_sdk.models import CertificateInfo, Registration

__all__ = ["certificate_for", "judged", "report_on"]

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_TABLES = {"agency", "organisation", "contact"}
_NEEDED = {"code", "name", "tax_code"}
# What is no mistake of its own while the member that decides on it cannot be read.
_JUDGED_BY = {"attachment.licence_missing": "organisation", "stop.": "action", "changes.": "action"}
_ROUNDS = 3  # a table that is put in empty has needed members of its own


def judged(form: Registration, certificate: CertificateInfo | None) -> Report:
    """Return every finding about a form and the certificate that shall sign it."""
    from bhxh_sdk.client import check

    return check(form, certificate=certificate)


def certificate_for(
    form: Registration, output: Output, *, certificate: Path | None, signer: str
) -> CertificateInfo | None:
    """Return the certificate to judge: one from a file, or the one that a signer would sign with.

    A signer that shows its certificate only with the signature leaves it out.

    Args:
        form: the registration.
        output: where a password is asked.
        certificate: a certificate file; None for none.
        signer: a signer's address; empty for none.

    """
    if certificate is not None:
        return certificates_in_file(certificate)[0]
    if not signer:
        return None
    from bhxh_sdk import signers
    from bhxh_sdk.cli.signing import listed
    from bhxh_sdk.system import SystemClock

    offered, comes_later = listed(signer, output)
    if comes_later:
        return None
    if len(offered) == 1:
        return offered[0].certificate
    return signers.choose_certificate(offered, form.organisation, SystemClock().now()).certificate


def report_on(
    path: Path,
    output: Output,
    *,
    certificate: Path | None,
    signer: str,
    attachments_from: Path | None = None,
) -> Report:
    """Return every finding about a form file: of its members and types, and of the rules.

    Args:
        path: the form file.
        output: where a password is asked.
        certificate: a certificate file to judge with it; None for none.
        signer: address of a signer whose certificate is judged with it; empty for none.
        attachments_from: the folder that attachments lie in; None for the form's own.

    """
    data, folder = form_data(path), attachments_from or path.parent
    form: Registration | None
    try:
        form, shape = form_of(data, folder), Report()
    except InputError as error:
        form, shape = _readable_rest(data, folder, error.report), error.report
    if form is None:
        return shape
    rules = judged(form, certificate_for(form, output, certificate=certificate, signer=signer))
    named = {finding.field for finding in shape}
    return shape + Report(finding for finding in rules if not _concerns(finding, named))


def _concerns(finding: Finding, named: set[str]) -> bool:
    """Tell whether the reader has named the field already: what it left out is not missing to the person."""
    judged_by = next((field for code, field in _JUDGED_BY.items() if finding.code.startswith(code)), None)
    if judged_by in named:
        return True
    return any(
        finding.field == field or finding.field.startswith((f"{field}.", f"{field}[")) for field in named
    )


def _readable_rest(data: Any, folder: Path, report: Report) -> Registration | None:  # noqa: ANN401  # foreign data
    """Return the form with what cannot be read left empty; None when nothing sensible is left."""
    rest = copy.deepcopy(data)
    for _ in range(_ROUNDS):
        for finding in reversed(report.findings):
            _mend(rest, finding)
        try:
            return form_of(rest, folder)
        except InputError as error:
            report = error.report
    return None


def _mend(data: Any, finding: Finding) -> None:  # noqa: ANN401  # foreign data
    """Take out what cannot be read, or put in an empty value where one has to be."""
    *above, last = _place(finding)
    try:
        holder = data
        for step in above:
            holder = holder[step]
        _mend_member(holder, last, finding.code)
    except (LookupError, TypeError):  # what should be a table is a list, or the other way round
        _empty(data, str(next(iter((*above, last)))))


def _place(finding: Finding) -> list[str | int]:
    """Return the steps to a finding's place; only an unknown member's name may look like several steps."""
    path, own = finding.field, []
    if finding.code == "form.unknown_member":
        own = [str(finding.parameters["name"])]
        path = path.removesuffix(own[0])
    return [name or int(index) for name, index in _STEP.findall(path)] + own or [""]


def _mend_member(holder: Any, last: str | int, code: str) -> None:  # noqa: ANN401  # foreign data
    if last in _TABLES:
        holder[last] = {}
    elif code == "form.missing" or last in _NEEDED:
        holder[last] = ""
    elif last != "" or code == "form.unknown_member":
        del holder[last]


def _empty(data: Any, member: str) -> None:  # noqa: ANN401  # foreign data
    if isinstance(data, dict):
        data.pop(member, None)
        if member in _TABLES:
            data[member] = {}
