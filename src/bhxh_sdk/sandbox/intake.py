"""The sandbox agency's counter: reads what comes in with the package's own strict verifier, and checks the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk import xml
from bhxh_sdk.errors import BhxhError, VerificationError
from bhxh_sdk.models import Portal
from bhxh_sdk.models.text import same_name
from bhxh_sdk.sandbox.reasons import Reason, Refusal

if TYPE_CHECKING:
    from bhxh_sdk.models import CertificateInfo, Registration
    from bhxh_sdk.ports import Clock
    from bhxh_sdk.sandbox.case import Submission
    from bhxh_sdk.sandbox.settings import AgencySettings

__all__ = ["Intake"]


class Intake:
    """Turn a filing into a registration that can be believed.

    Args:
        clock: the moment at which certificates must be valid.
        roots: the certification authorities that are trusted.

    """

    def __init__(self, clock: Clock, roots: tuple[CertificateInfo, ...]) -> None:
        self._clock = clock
        self._roots = roots

    def form(self, submission: Submission) -> Registration:
        """Return what was filed: from the verified bytes of the document, or from the facts without one.

        Raises:
            Refusal: the document cannot be read or trusted, or is about something else.

        """
        form = self._filed(submission)
        place = "portal" if isinstance(form.transact_at, Portal) else form.transact_at.code
        if submission.action not in {None, form.action} or place != submission.channel:
            raise Refusal(Reason.WRONG_ACTION)
        return form

    def _filed(self, submission: Submission) -> Registration:
        if submission.document is not None:
            return self._read(submission.document)
        if submission.facts is None or submission.channel == "portal":
            raise Refusal(Reason.SIGNATURE_MISSING)
        return submission.facts

    def _read(self, document: bytes) -> Registration:
        try:
            verified = xml.verify(document, at="Hoso/CKy_Dvi", roots=self._roots, moment=self._clock.now())
            form = xml.read(verified.content)
        except VerificationError as error:
            raise Refusal(_REASONS.get(error.reason, Reason.SIGNATURE_INVALID)) from error
        except BhxhError as error:
            raise Refusal(Reason.DOCUMENT_UNREADABLE) from error
        if not verified.certificate.belongs_to(form.organisation.tax_code):
            raise Refusal(Reason.CERTIFICATE_OF_ANOTHER)
        return form

    def check(self, form: Registration, settings: AgencySettings) -> None:
        """Compare the facts of a registration with what the agency knows.

        Raises:
            Refusal: they do not fit.

        """
        if not form.organisation.tax_code.check_digit_fits:
            raise Refusal(Reason.TAX_CODE_INVALID)
        email = form.contact.email
        if not email.is_well_formed or str(email) in settings.unusable_emails:
            raise Refusal(Reason.EMAIL_UNUSABLE)
        if form.is_first and not form.attachments:
            raise Refusal(Reason.ATTACHMENT_MISSING)
        if settings.known_units is not None and not form.is_first:
            _check_unit(form, settings)


_REASONS: dict[str, Reason] = {}


def _check_unit(form: Registration, settings: AgencySettings) -> None:
    known = (settings.known_units or {}).get(str(form.unit_code))
    if known is None:
        raise Refusal(Reason.UNIT_UNKNOWN)
    if known.agency_code != str(form.agency.code):
        raise Refusal(Reason.UNIT_OF_ANOTHER_AGENCY)
    if known.tax_code and known.tax_code != str(form.organisation.tax_code):
        raise Refusal(Reason.TAX_CODE_OF_ANOTHER)
    if known.name and not same_name(known.name, form.organisation.name):
        raise Refusal(Reason.NAME_DIFFERS)
