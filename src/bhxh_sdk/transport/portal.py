"""The portal channel: the public-service portal of Vietnam Social Security.

The calls around a registration are seen in captures; registration, progress, activation, password reset and
the list of agencies are not, so they exist only where the profile says how they are made.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from bhxh_sdk.errors import InputError
from bhxh_sdk.models import Account, Action, Ivan, Outcome, Progress, Receipt
from bhxh_sdk.transport.calling import Answer, Caller, before_change, in_doubt
from bhxh_sdk.transport.channel import ChannelCapabilities, ListEntry, Operation
from bhxh_sdk.transport.identity import ClientIdentity
from bhxh_sdk.transport.logging_in import log_in
from bhxh_sdk.transport.portal_records import (
    agency,
    entries,
    entry,
    notice,
    numbered_progress,
    past_filing,
    procedure_form,
    total_of,
    traced,
)
from bhxh_sdk.transport.records import account_of

if TYPE_CHECKING:
    from bhxh_sdk.models import Agency, Credentials, Notice, Registration, Session
    from bhxh_sdk.ports import Ask, Clock, Sender
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.transport.channel import Filing
    from bhxh_sdk.transport.portal_records import ProcedureForm
    from bhxh_sdk.transport.profile import EndpointProfile
    from bhxh_sdk.transport.retrying import RetryPolicy

__all__ = ["PortalChannel"]

_PAGE_SIZE = 100
_MOST_PAGES = 100

_OPERATIONS = {
    Action.REGISTER: Operation.REGISTER,
    Action.ADJUST: Operation.ADJUST,
    Action.STOP: Operation.STOP,
}


class PortalChannel:
    """Talk to the portal. It is a `bhxh_sdk.transport.Channel`.

    Args:
        profile: how to talk to it, such as `EndpointProfile.shipped("portal-vss")` with overrides.
        sender: sends one request; `HttpSender` or `AsyncHttpSender`.
        clock: time, waiting and chance.
        passphrase: the constant of the portal's web page that the client header is encrypted with.
        retry: how calls that change nothing are repeated.

    """

    def __init__(
        self,
        profile: EndpointProfile,
        sender: Sender,
        clock: Clock,
        *,
        passphrase: Secret | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        self.profile = profile
        self.asynchronous = getattr(sender, "asynchronous", None)
        self._clock = clock
        self._caller = Caller(profile, sender, clock, retry)
        self._identity = ClientIdentity(self._caller, clock, passphrase)

    @property
    def capabilities(self) -> ChannelCapabilities:
        """What the profile has an endpoint for."""
        known = frozenset(one for one in Operation if one.value in self.profile.operations)
        return ChannelCapabilities(name="portal", operations=known, proven=self.profile.proven)

    def demand(self, operation: Operation) -> None:
        """Raise `UnsupportedOperationError`, saying what to supply, unless the profile has the operation."""
        self.profile.endpoint(operation.value)

    async def submit(self, filing: Filing) -> Receipt:
        """File a registration, adjustment, stop or first registration. Sent once, never repeated.

        Raises:
            InputError: there is no document to send; without a certificate the form goes by paper.
            UnsupportedOperationError: the profile does not have the operation.
            RefusedError: the portal said no.
            NotSentError: nothing left.
            UnknownOutcomeError: it may have arrived.

        """
        operation = _operation(filing.form)
        with before_change():
            values = _facts(filing) | _document(filing)
        answer = await self._change(operation, values, filing.key)
        with in_doubt(filing.key):
            return Receipt(
                sending_key=answer.needed("sending_key"),
                dossier_number=answer.text("dossier_number"),
                received_at=answer.moment("received_at"),
                text=answer.text("text"),
                activation_by_mail=answer.flag("activation_by_mail") is not False,
            )

    async def progress(self, sending_key: str) -> Progress:
        """Tell how far the agency is."""
        return numbered_progress(
            await self._read(Operation.PROGRESS, {"sending_key": sending_key}), sending_key
        )

    async def find(self, filing: Filing) -> Progress | None:
        """Look for a filing whose answer was lost, by its own key and its document's SHA-256."""
        sha256 = filing.document.sha256 if filing.document else None
        answer = await self._read(Operation.FIND, {"key": filing.key, "sha256": sha256})
        return None if answer.value is None else numbered_progress(answer, "")

    async def activate(self, filing: Filing, sending_key: str, code: Secret) -> Account:
        """Hand in the mailed activation code. Sent once, never repeated.

        Raises:
            ActivationError: the code is wrong, expired or replaced, or the account is active already.
            NotSentError: nothing left.
            UnknownOutcomeError: it may have arrived.

        """
        values = _facts(filing) | {"sending_key": sending_key, "code": code}
        answer = await self._change(Operation.ACTIVATE, values, sending_key)
        with in_doubt(sending_key):
            return account_of(answer)

    async def log_in(self, credentials: Credentials, ask: Ask, unit_code: str = "") -> Session:
        """Open a session: a person answers the captcha, once, and chooses the unit when there are several.

        Args:
            credentials: user name and password. An organisation's user name is its tax code.
            ask: asks the person.
            unit_code: the unit to act for; empty to ask when there are several.

        Raises:
            LogInRefusedError: user name, password or captcha is wrong. It is never tried again by code.
            UnexpectedReplyError: the answer is lost or cannot be understood; log in again.

        """
        return await log_in(self._caller, self._identity, self._clock, credentials, ask, unit_code)

    async def check(self, session: Session) -> None:
        """Ask whether the session still holds.

        Raises:
            SessionExpiredError: it does not.

        """
        await self._read_as(session, "check", {})

    async def change_password(self, session: Session, old: Secret, new: Secret) -> None:
        """Change the password of the account. Sent once, never repeated.

        Raises:
            SessionExpiredError: log in again first.
            RefusedError: the portal said no.
            UnknownOutcomeError: it may have arrived: log in with the new password to see.

        """
        values = {"user_name": session.user_name, "old": old, "new": new}
        await self._change(Operation.CHANGE_PASSWORD, values, session.user_name, session)

    async def request_password_reset(self, unit_code: str, tax_code: str) -> None:
        """Ask for a new password by e-mail. Sent once, never repeated."""
        await self._change(
            Operation.RESET_PASSWORD, {"unit_code": unit_code, "tax_code": tax_code}, unit_code
        )

    async def history(self, session: Session) -> tuple[Progress, ...]:
        """List the filings of the session's unit."""
        return tuple([past_filing(row) for row in await self._pages(session, Operation.HISTORY.value, {})])

    async def notices(self, session: Session, dossier_number: str) -> tuple[Notice, ...]:
        """List the notices about a dossier."""
        answer = await self._read_as(session, Operation.NOTICES.value, {"dossier_number": dossier_number})
        return tuple(notice(row) for row in answer.rows())

    async def trace(self, session: Session, dossier_number: str) -> Progress:
        """Tell which departments have handled a dossier."""
        answer = await self._read_as(session, "trace", {"dossier_number": dossier_number})
        steps = tuple(traced(number, row) for number, row in enumerate(answer.rows(), start=1))
        number = answer.text("dossier_number") or dossier_number
        return Progress(outcome=Outcome.UNKNOWN, steps=steps, dossier_number=number)

    async def files(self, session: Session, dossier_number: str) -> tuple[ListEntry, ...]:
        """List the files of a dossier; `internal_id` is where the portal keeps the file."""
        answer = await self._read_as(session, "files", {"dossier_number": dossier_number})
        return entries(answer)

    async def procedures(self, session: Session, *, agency_id: str = "") -> tuple[ListEntry, ...]:
        """List the procedures that the portal takes declarations for.

        Args:
            session: an open session.
            agency_id: the portal's own number of an agency, such as an agency's `internal_id`, to list only
                its procedures; empty for all that the portal shows.

        Raises:
            SessionExpiredError: log in again first.

        Source: dispatch 028, seen in a capture of 2026.

        """
        return tuple(
            [entry(row) for row in await self._pages(session, "procedures", {"agency_id": agency_id})]
        )

    async def forms_of(self, session: Session, procedure_code: str) -> tuple[ProcedureForm, ...]:
        """List the forms of a procedure, as the agency of the session's unit wants them.

        Args:
            session: an open session.
            procedure_code: the procedure's code, as `procedures` lists it.

        Raises:
            SessionExpiredError: log in again first.

        Source: dispatch 062, seen in a capture of 2026.

        """
        agency_code = session.unit.agency_code if session.unit else ""
        values = {"procedure_code": procedure_code, "form_agency_code": agency_code}
        answer = await self._read_as(session, "procedure_forms", values)
        return tuple(procedure_form(row, procedure_code) for row in answer.rows())

    async def agencies(self, province_code: str) -> tuple[Agency, ...]:
        """List the agencies of a province."""
        answer = await self._read(Operation.AGENCIES, {"province_code": province_code})
        source = f"{self.profile.name} {answer.endpoint.path}"
        return tuple(agency(row, source) for row in answer.rows())

    async def ivans(self) -> tuple[Ivan, ...]:
        """List the I-VANs that the portal offers."""
        answer = await self._read(Operation.IVANS, {})
        return tuple(Ivan(row.text("code"), row.text("name")) for row in answer.rows())

    async def provinces(self) -> tuple[ListEntry, ...]:
        """List the provinces."""
        return entries(await self._read(Operation.PROVINCES, {}))

    async def wards(self, province_code: str) -> tuple[ListEntry, ...]:
        """List the wards of a province."""
        return entries(await self._read(Operation.WARDS, {"province_code": province_code}), province_code)

    async def close(self) -> None:
        """Do nothing: every request has a connection of its own."""

    async def _read(self, operation: Operation, values: dict[str, Any]) -> Answer:
        self.profile.endpoint(operation.value)
        return await self._caller.read(operation.value, values, headers=await self._identity.headers())

    async def _pages(self, session: Session, operation: str, values: dict[str, Any]) -> list[Answer]:
        """Return the rows of all pages."""
        rows: list[Answer] = []
        for page in range(1, _MOST_PAGES + 1):
            answer = await self._read_as(
                session, operation, {**values, "page": page, "page_size": _PAGE_SIZE}
            )
            found = answer.rows()
            rows += found
            if len(found) < _PAGE_SIZE or len(rows) >= total_of(answer, len(rows)):
                break
        return rows

    async def _read_as(self, session: Session, operation: str, values: dict[str, Any]) -> Answer:
        self.profile.endpoint(operation)
        return await self._caller.read(
            operation,
            {**_context(session, self.profile), **values},
            bearer=session.token,
            headers=await self._identity.headers(session.client_header),
        )

    async def _change(
        self, operation: Operation, values: dict[str, Any], reference: str, session: Session | None = None
    ) -> Answer:
        with before_change():
            self.profile.endpoint(operation.value)
            headers = await self._identity.headers(session.client_header if session else "")
        bearer = session.token if session else None
        with in_doubt(reference):
            return await self._caller.once(operation.value, values, bearer=bearer, headers=headers)


def _operation(form: Registration) -> Operation:
    return Operation.FIRST_REGISTER if form.is_first else _OPERATIONS[form.action]


def _facts(filing: Filing) -> dict[str, Any]:
    form = filing.form
    return {
        "key": filing.key,
        "action": form.action.value,
        "unit_code": str(form.unit_code or ""),
        "tax_code": str(form.organisation.tax_code),
        "agency_code": str(form.agency.code),
    }


def _document(filing: Filing) -> dict[str, Any]:
    if filing.document is None:
        raise InputError("input.no_document", field="document")
    content = base64.b64encode(filing.document.content).decode()
    return {"document": content, "file_name": filing.document.file_name}


def _context(session: Session, profile: EndpointProfile) -> dict[str, Any]:
    unit = session.unit
    return {
        "unit_code": unit.unit_code if unit else "",
        "user_unit_code": unit.unit_code if unit else "",
        "agency_code": unit.agency_code if unit else "",
        "user_kind": profile.settings.get("user_kind", ""),
    }
