"""Models: frozen values for everything that a registration is made of.

A model takes what a person typed, normalises it, and raises only for a wrong Python type. Whether the content
is right is judged by `bhxh_sdk.rules`, which reports every mistake at once.
"""

from bhxh_sdk.models.account import Account, ActivationCode, Credentials, Session, Unit
from bhxh_sdk.models.agency import Agency, AgencyLevel, Certainty
from bhxh_sdk.models.certificate import CertificateInfo, days_left
from bhxh_sdk.models.document import Document, SignedDocument
from bhxh_sdk.models.envelope import DossierEnvelope, without_decree_number
from bhxh_sdk.models.form import form_from_dict, form_to_dict
from bhxh_sdk.models.identifiers import (
    AgencyCode,
    EmailAddress,
    MobileNumber,
    PersonalId,
    TaxCode,
    TaxCodeKind,
    UnitCode,
)
from bhxh_sdk.models.organisation import Contact, Organisation
from bhxh_sdk.models.receipt import Notice, Outcome, Progress, ProgressStep, Receipt
from bhxh_sdk.models.registration import (
    Action,
    Attachment,
    Ivan,
    Portal,
    Registration,
    ResultDelivery,
    Stop,
    StopReason,
)
from bhxh_sdk.models.signature import SignatureScheme

__all__ = [
    "Account",
    "Action",
    "ActivationCode",
    "Agency",
    "AgencyCode",
    "AgencyLevel",
    "Attachment",
    "Certainty",
    "CertificateInfo",
    "Contact",
    "Credentials",
    "Document",
    "DossierEnvelope",
    "EmailAddress",
    "Ivan",
    "MobileNumber",
    "Notice",
    "Organisation",
    "Outcome",
    "PersonalId",
    "Portal",
    "Progress",
    "ProgressStep",
    "Receipt",
    "Registration",
    "ResultDelivery",
    "Session",
    "SignatureScheme",
    "SignedDocument",
    "Stop",
    "StopReason",
    "TaxCode",
    "TaxCodeKind",
    "Unit",
    "UnitCode",
    "days_left",
    "form_from_dict",
    "form_to_dict",
    "without_decree_number",
]
