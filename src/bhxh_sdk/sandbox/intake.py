"""The sandbox agency's counter: what comes in is verified strictly, read, and compared with what is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from bhxh_sdk import xml
from bhxh_sdk.errors import BhxhError, VerificationError
from bhxh_sdk.models import Action, Portal
from bhxh_sdk.models.text import same_name
from bhxh_sdk.sandbox.reasons import Reason, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bhxh_sdk.models import Registration
    from bhxh_sdk.ports import Clock
    from bhxh_sdk.sandbox.case import Submission
    from bhxh_sdk.sandbox.settings import AgencySettings

__all__ = ["Intake"]


class Intake:
    """Turn a filing into a registration that can be believed.

    Args:
        clock: the moment at which certificates must be valid.
        roots: certificates in DER that are trusted to issue signers' certificates.

    """

    def __init__(self, clock: Clock, roots: Iterable[bytes]) -> None:
        self._clock = clock
        self._roots = tuple(roots)

    def trust(self, certificate: bytes) -> None:
        """Trust one more certificate, in DER."""
        self._roots += (certificate,)

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
        verified = self._verified(document)
        try:
            form = xml.read(verified.content)
        except BhxhError as error:
            raise Refusal(Reason.DOCUMENT_UNREADABLE) from error
        organisation = form.organisation
        if not organisation.tax_code and verified.certificate.tax_codes:
            # Documents of 2015 carry no tax code: the certificate tells whose they are.
            organisation = evolve(organisation, tax_code=verified.certificate.tax_codes[0])
        if not verified.certificate.belongs_to(organisation.tax_code):
            raise Refusal(Reason.CERTIFICATE_OF_ANOTHER)
        return evolve(form, organisation=organisation)

    def _verified(self, document: bytes) -> xml.Verified:
        at = next(
            (place for place in _PLACES if f"<{place.split('/')[0]}".encode() in document[:500]), _PLACES[0]
        )
        try:
            return xml.verify(document, at=at, thorough=True, roots=self._roots, moment=self._clock.now())
        except VerificationError as error:
            raise Refusal(_REASONS.get(error.reason, Reason.SIGNATURE_INVALID)) from error

    def check(self, form: Registration, settings: AgencySettings) -> None:
        """Compare the facts of a registration with what the agency knows.

        Raises:
            Refusal: they do not fit.

        """
        if not form.organisation.tax_code.check_digit_fits:
            raise Refusal(Reason.TAX_CODE_INVALID)
        email = form.contact.email
        needed = form.action is not Action.STOP
        if needed and (not email.is_well_formed or str(email) in settings.unusable_emails):
            raise Refusal(Reason.EMAIL_UNUSABLE)
        if form.is_first and not form.attachments:
            raise Refusal(Reason.ATTACHMENT_MISSING)
        if settings.known_units is not None and not form.is_first:
            _check_unit(form, settings)


_PLACES = (xml.PLACE, "BHXH/CKYDTU_DVI")

_REASONS = {
    "not-signed": Reason.SIGNATURE_MISSING,
    "not-xml": Reason.DOCUMENT_UNREADABLE,
    "unsafe": Reason.DOCUMENT_UNREADABLE,
    "expired": Reason.CERTIFICATE_EXPIRED,
    "not-yet-valid": Reason.CERTIFICATE_NOT_YET_VALID,
    "untrusted": Reason.CERTIFICATE_UNTRUSTED,
    "key-usage": Reason.CERTIFICATE_NOT_FOR_SIGNING,
}
"""What the verifier's reasons mean here; every other one is an invalid signature."""


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
