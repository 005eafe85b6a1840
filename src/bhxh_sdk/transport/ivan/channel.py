"""The I-VAN channel: the calls of an I-VAN's back end, as an app of one shows them.

Two kinds of I-VAN exist: one is handed the signed document, the other is told which remote certificate to use
and builds and signs the document itself, while a person confirms on a phone. The profile says which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bhxh_sdk.errors import (
    BhxhError,
    InputError,
    NotSentError,
    RefusedError,
    SetupError,
    UnexpectedReplyError,
    UnsupportedOperationError,
)
from bhxh_sdk.models import Account, Action, Agency, AgencyCode, Receipt, Session, Unit
from bhxh_sdk.transport.calling import Caller, in_doubt
from bhxh_sdk.transport.channel import ChannelCapabilities, Operation, SignatureBy
from bhxh_sdk.transport.ivan.access import IvanAccess, preparing
from bhxh_sdk.transport.ivan.facts import facts
from bhxh_sdk.transport.ivan.progress import matching, past, progress
from bhxh_sdk.transport.logging_in import with_unit
from bhxh_sdk.transport.records import account_of

if TYPE_CHECKING:
    from bhxh_sdk.models import Credentials, Ivan, Notice, Progress, Registration
    from bhxh_sdk.ports import Ask, Clock, Sender
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.transport.calling import Answer
    from bhxh_sdk.transport.channel import Filing, ListEntry
    from bhxh_sdk.transport.profile import EndpointProfile
    from bhxh_sdk.transport.retrying import RetryPolicy

__all__ = ["IvanChannel"]

_OPERATIONS = {
    Action.REGISTER: Operation.REGISTER,
    Action.ADJUST: Operation.ADJUST,
    Action.STOP: Operation.STOP,
}
_BESIDE_DOCUMENT = (
    "key",
    "action",
    "document",
    "file_name",
    "sha256",
    "unit_code",
    "tax_code",
    "agency_code",
)


class IvanChannel:
    """Talk to an I-VAN. It is a `bhxh_sdk.transport.Channel`.

    Args:
        profile: how to talk to it, such as `EndpointProfile.shipped("ivan-vbhxh")` with its address supplied.
        sender: sends one request; `HttpSender` or `AsyncHttpSender`.
        clock: time, waiting and chance.
        token: a bearer token that the caller got elsewhere.
        account: the integrator's account at the I-VAN, to log in with when a call needs it.
        user_id: the user of the remote certificate, where the service signs; empty to take the profile's
            setting of that name.
        credential_id: the remote certificate to sign with; empty to take the filing's, or the only one there
            is.
        retry: how calls that change nothing are repeated.

    Raises:
        SetupError: the profile still has no address of its own.

    """

    def __init__(
        self,
        profile: EndpointProfile,
        sender: Sender,
        clock: Clock,
        *,
        token: Secret | None = None,
        account: Credentials | None = None,
        user_id: str = "",
        credential_id: str = "",
        retry: RetryPolicy | None = None,
    ) -> None:
        if (urlsplit(profile.base_url).hostname or "").endswith(".invalid"):
            raise SetupError("setup.ivan_address", field="base_url", profile=profile.name)
        self.profile = profile
        self.asynchronous = getattr(sender, "asynchronous", None)
        self._caller = Caller(profile, sender, clock, retry)
        self._access = IvanAccess(self._caller, token, account)
        self._user_id = user_id or profile.settings.get("user_id", "")
        self._credential_id = credential_id or profile.settings.get("credential_id", "")

    @property
    def capabilities(self) -> ChannelCapabilities:
        """What the profile has an endpoint for, and who signs."""
        known = {one for one in Operation if one.value in self.profile.operations}
        if Operation.HISTORY in known:
            known.add(Operation.FIND)
        signature_by = SignatureBy(self.profile.settings.get("signature_by", SignatureBy.CLIENT.value))
        return ChannelCapabilities(
            name="ivan", operations=frozenset(known), signature_by=signature_by, proven=self.profile.proven
        )

    def demand(self, operation: Operation) -> None:
        """Raise `UnsupportedOperationError`, saying what to supply, unless the profile has the operation."""
        self.profile.endpoint(operation.value)

    async def submit(self, filing: Filing) -> Receipt:
        """File a registration, adjustment, stop or first registration. Sent once.

        It is sent once more, with a new session of the integrator's account, only where the I-VAN answers
        that the session has ended: by that it says itself that it did nothing.

        Where the service signs, this waits until a person has confirmed on the phone (up to three minutes).
        An I-VAN whose answer holds no sending key is asked for its history before and after, to learn the
        key.

        Raises:
            InputError: the client signs and there is no document.
            SetupError: it is not known which remote certificate shall sign, or the account was not let in.
            UnsupportedOperationError: the profile does not have the operation.
            RefusedError: the I-VAN or the agency said no.
            NotSentError: nothing was filed: it did not leave, the caller's own token had ended, or nobody
                confirmed.
            UnknownOutcomeError: it may have arrived.

        """
        operation = _operation(filing.form).value
        with preparing():
            self.profile.endpoint(operation)
            values = await self._values(filing)
            before = await self._sending_keys(operation, filing)
        with in_doubt(filing.key):
            answer = await self._file(operation, values)
            if answer.value is False:
                raise UnexpectedReplyError("unexpected_reply.shape")
            if "sending_key" in answer.endpoint.answer:
                return _receipt(answer)
        return Receipt(sending_key=await self._new_key(operation, filing, before), activation_by_mail=False)

    async def _values(self, filing: Filing) -> dict[str, Any]:
        known = facts(filing)
        if self.capabilities.signature_by is not SignatureBy.SERVICE:
            if filing.document is None:
                raise InputError("input.no_document", field="document")
            return {name: known[name] for name in _BESIDE_DOCUMENT}
        credential_id = filing.key_id or self._credential_id or await self._only_credential()
        return {**known, "user_id": self._user_id, "credential_id": credential_id}

    async def _only_credential(self) -> str:
        found = (await self._access.read("credentials", {"user_id": self._user_id})).rows()
        if len(found) != 1:
            raise SetupError("setup.ivan_credential", field="credential_id", count=len(found))
        return found[0].needed("key_id")

    async def _file(self, operation: str, values: dict[str, Any]) -> Answer:
        try:
            return await self._access.change(operation, values)
        except RefusedError as error:
            if error.agency_code in self.profile.settings.get("retry_codes", "").split():
                said = {"agency_code": error.agency_code, "agency_text": error.agency_text}
                raise NotSentError("not_sent.not_confirmed", **said) from error
            raise

    async def _sending_keys(self, operation: str, filing: Filing) -> frozenset[str]:
        """Return the keys that the history holds already; nothing where the answer itself brings the key."""
        if "sending_key" in self.profile.endpoint(operation).answer:
            return frozenset()
        return frozenset(row.text("sending_key") for row in await self._candidates(filing))

    async def _new_key(self, operation: str, filing: Filing, before: frozenset[str]) -> str:
        """Return the one new key of the history; empty when it cannot be told. The filing has arrived."""
        try:
            new = await self._sending_keys(operation, filing) - before - {""}
        except BhxhError:
            return ""
        return next(iter(new)) if len(new) == 1 else ""

    async def _candidates(self, filing: Filing) -> list[Answer]:
        rows = (await self._access.read(Operation.HISTORY.value)).rows()
        return matching(rows, filing.form, self.profile)

    async def progress(self, sending_key: str) -> Progress:
        """Tell how far the agency is."""
        return progress(await self._access.read("progress", {"sending_key": sending_key}), sending_key)

    async def find(self, filing: Filing) -> Progress | None:
        """Look for a filing whose answer was lost.

        By its key and document where the profile can; otherwise in the history, by kind and day. Several that
        may be it are no answer: None, and a person looks.
        """
        if Operation.FIND.value in self.profile.operations:
            sha256 = filing.document.sha256 if filing.document else None
            answer = await self._access.read("find", {"key": filing.key, "sha256": sha256})
            return None if answer.value is None else progress(answer)
        found = await self._candidates(filing)
        return past(found[0]) if len(found) == 1 else None

    async def activate(self, filing: Filing, sending_key: str, code: Secret) -> Account:
        """Hand in the mailed activation code. Sent once, or once more with a new session as in `submit`.

        Raises:
            UnsupportedOperationError: this I-VAN has no activation step; the portal has.
            ActivationError: the code is wrong, expired or replaced, or the account is active already.
            UnknownOutcomeError: it may have arrived.

        """
        self.profile.endpoint(Operation.ACTIVATE.value)
        values = {"key": filing.key, "sending_key": sending_key, "code": code}
        answer = await self._change(Operation.ACTIVATE, values, sending_key)
        with in_doubt(sending_key):
            return account_of(answer)

    async def log_in(self, credentials: Credentials, ask: Ask, unit_code: str = "") -> Session:
        """Open a session with an account at the I-VAN; there is no captcha.

        Args:
            credentials: user name and password.
            ask: asks which unit to act for, when there are several.
            unit_code: the unit to act for; empty to ask.

        Raises:
            LogInRefusedError: user name or password is wrong. It is never tried again by code.
            InputError: no such unit belongs to the account.

        """
        token = await self._access.log_in(credentials)
        units: tuple[Unit, ...] = ()
        if "registration_info" in self.profile.operations:
            units = _units(await self._caller.read("registration_info", bearer=token))
        session = Session(user_name=credentials.user_name, token=token, units=units)
        return await with_unit(session, ask, unit_code)

    async def change_password(self, session: Session, old: Secret, new: Secret) -> None:
        """Change the password of the account. Sent once, never repeated."""
        values = {"user_name": session.user_name, "old": old, "new": new}
        with in_doubt(session.user_name):
            await self._caller.once(Operation.CHANGE_PASSWORD.value, values, bearer=session.token)

    async def request_password_reset(self, unit_code: str, tax_code: str) -> None:
        """Ask for a new password by e-mail. Sent once, or once more with a new session as in `submit`."""
        values = {"unit_code": unit_code, "tax_code": tax_code}
        await self._change(Operation.RESET_PASSWORD, values, unit_code)

    async def history(self, session: Session) -> tuple[Progress, ...]:
        """List the filings of the session's unit."""
        answer = await self._caller.read(Operation.HISTORY.value, bearer=session.token)
        return tuple(past(row) for row in answer.rows())

    async def notices(self, session: Session, dossier_number: str) -> tuple[Notice, ...]:  # noqa: ARG002  # no I-VAN shows such a call
        """Refuse: no I-VAN shows such a call.

        Raises:
            UnsupportedOperationError: always.

        """
        raise _unsupported(Operation.NOTICES)

    async def agencies(self, province_code: str) -> tuple[Agency, ...]:
        """List the agencies of a province."""
        answer = await self._access.read(Operation.AGENCIES.value, {"province_code": province_code})
        return tuple(
            Agency(
                code=AgencyCode(row.text("code")),
                name=row.text("name"),
                province_code=row.text("province"),
                source=f"{self.profile.name} {answer.endpoint.path}",
                certainty=answer.endpoint.certainty,
            )
            for row in answer.rows()
            if row.text("province") == province_code
        )

    async def ivans(self) -> tuple[Ivan, ...]:
        """Refuse: an I-VAN does not list the others.

        Raises:
            UnsupportedOperationError: always.

        """
        raise _unsupported(Operation.IVANS)

    async def provinces(self) -> tuple[ListEntry, ...]:
        """Refuse: no I-VAN shows such a call.

        Raises:
            UnsupportedOperationError: always.

        """
        raise _unsupported(Operation.PROVINCES)

    async def wards(self, province_code: str) -> tuple[ListEntry, ...]:  # noqa: ARG002  # no I-VAN shows such a call
        """Refuse: no I-VAN shows such a call.

        Raises:
            UnsupportedOperationError: always.

        """
        raise _unsupported(Operation.WARDS)

    async def close(self) -> None:
        """Do nothing: every request has a connection of its own."""

    async def _change(self, operation: Operation, values: dict[str, Any], reference: str) -> Answer:
        with in_doubt(reference):
            return await self._access.change(operation.value, values)


def _unsupported(operation: Operation) -> UnsupportedOperationError:
    return UnsupportedOperationError(operation=operation.value)


def _operation(form: Registration) -> Operation:
    return Operation.FIRST_REGISTER if form.is_first else _OPERATIONS[form.action]


def _receipt(answer: Answer) -> Receipt:
    return Receipt(
        sending_key=answer.needed("sending_key"),
        dossier_number=answer.text("dossier_number"),
        received_at=answer.moment("received_at"),
        text=answer.text("text"),
        activation_by_mail=answer.flag("activation_by_mail") is True,
    )


def _units(answer: Answer) -> tuple[Unit, ...]:
    """Read the units of an account: one record, or a list of them."""
    rows = answer.rows() if isinstance(answer.value, list) else (answer,)
    return tuple(
        Unit(
            unit_code=row.text("unit_code"),
            name=row.text("unit_name"),
            tax_code=row.text("tax_code"),
            agency_code=row.text("agency_code"),
            internal_id=row.text("internal_id"),
        )
        for row in rows
        if row.text("unit_code")
    )
