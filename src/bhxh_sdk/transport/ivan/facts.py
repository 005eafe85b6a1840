"""What an I-VAN may be told about a filing, by our names; a profile chooses among them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from bhxh_sdk.transport.writing import Upload

if TYPE_CHECKING:
    from datetime import date

    from bhxh_sdk.models import CertificateInfo, Registration
    from bhxh_sdk.transport.channel import Filing

__all__ = ["facts"]


def facts(filing: Filing) -> dict[str, Any]:
    """Return every value that a profile may send of a filing; what there is none of is None."""
    return {
        "key": filing.key,
        "action": filing.form.action.value,
        **_document(filing),
        **_form(filing.form),
        **_certificate(filing.certificate),
    }


def _document(filing: Filing) -> dict[str, Any]:
    document = filing.document
    if document is None:
        return {}
    return {
        "document": base64.b64encode(document.content).decode(),
        "file_name": document.file_name,
        "sha256": document.sha256,
    }


def _form(form: Registration) -> dict[str, Any]:
    organisation, contact, stop = form.organisation, form.contact, form.stop
    return {
        "agency_code": str(form.agency.code),
        "agency_name": form.agency.name,
        "agency_parent": form.agency.parent_code,
        "name": organisation.name,
        "tax_code": str(organisation.tax_code),
        "unit_code": str(organisation.unit_code or ""),
        "address": organisation.address,
        "phone": organisation.phone or str(contact.mobile),
        "contact_name": contact.name,
        "contact_address": contact.address,
        "mobile": str(contact.mobile),
        "email": str(contact.email),
        "delivery": form.result_delivery.value,
        "made_on": _day(form.made_on),
        "starts_on": _day(form.starts_on),
        "changes": form.changes,
        "stop_from": _day(stop.from_date) if stop else None,
        "stop_reason": stop.reason.value if stop and stop.reason else None,
        "stop_text": stop.text if stop else None,
        "attachments": [Upload(file_name=file.file_name, content=file.content) for file in form.attachments]
        or None,
    }


def _certificate(certificate: CertificateInfo | None) -> dict[str, Any]:
    if certificate is None:
        return {}
    return {
        "serial": certificate.serial_text,
        "certificate_subject": certificate.common_name,
        "certificate_issuer": certificate.issuer_name,
        "valid_from": _day(certificate.not_before),
        "valid_to": _day(certificate.not_after),
    }


def _day(day: date | None) -> str | None:
    """Write a date in the order that every dossier of the agency has."""
    return None if day is None else f"{day:%d/%m/%Y}"
