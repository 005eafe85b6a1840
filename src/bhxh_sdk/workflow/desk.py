"""The desk: every operation of the workflow on one world, in terms that a caller thinks in.

Both clients are thin faces of this one class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from bhxh_sdk import rules, signers
from bhxh_sdk.errors import InputError, SigningError, WrongTypeError
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.holding import certificates_of
from bhxh_sdk.transport.mailbox import activation_code_in, credentials_in
from bhxh_sdk.workflow import following, registering
from bhxh_sdk.workflow.dossier import Dossier, content_digest
from bhxh_sdk.workflow.renewing import refreshed_catalogue
from bhxh_sdk.workflow.status import RegistrationStatus, status_of
from bhxh_sdk.workflow.switching import switch
from bhxh_sdk.workflow.world import World, completed, vietnamese_date

if TYPE_CHECKING:
    from bhxh_sdk.catalogue import Catalogue, ListDifference
    from bhxh_sdk.findings import Report
    from bhxh_sdk.models import CertificateInfo, Ivan, Portal, Registration, Session, Stop
    from bhxh_sdk.transport import Channel

__all__ = ["Desk"]


@frozen
class Desk:
    """Carry out what a client is asked."""

    world: World

    async def check(self, form: Registration) -> Report:
        """Return every finding about the form and the signer's certificate; nothing is sent."""
        world, today = self.world, vietnamese_date(self.world.now())
        form = completed(form, world.catalogue, today)
        certificate = await self._certificate(form) if form.use_certificate else None
        return rules.check(form, on=today, certificate=certificate, catalogue=world.catalogue)

    async def register(
        self, form: Registration, *, confirmed: bool = False, key: str = ""
    ) -> RegistrationStatus:
        """File a declaration."""
        return status_of(await registering.register(self.world, form, key=key, confirmed=confirmed))

    async def resume(
        self, key: str, *, confirmed: bool = False, send_again: bool = False, sign_again: bool = False
    ) -> RegistrationStatus:
        """Go on with a registration, or find out what became of its activation."""
        await following.settle_activation(self.world, key)
        dossier = await registering.resume(
            self.world, key, confirmed=confirmed, send_again=send_again, sign_again=sign_again
        )
        return status_of(dossier)

    async def activate(
        self, key: str, code: str | Secret = "", *, mail: str | bytes = "", try_again: bool = False
    ) -> RegistrationStatus:
        """Hand in the activation code, given by itself or in a mail."""
        if mail and code:
            raise InputError("workflow.code_twice", field="code", reference=key)
        found = activation_code_in(mail).code if mail else _typed_code(_secret(code, "code"), key)
        return status_of(await following.activate(self.world, key, found, try_again=try_again))

    async def log_in(
        self,
        key: str,
        password: str | Secret = "",
        *,
        mail: str | bytes = "",
        user_name: str = "",
        unit_code: str = "",
    ) -> Session:
        """Open a session with the password, given by itself or in a mail."""
        secret = _secret(password, "password")
        if mail:
            credentials = credentials_in(mail)
            secret, user_name = credentials.password, user_name or credentials.user_name
        if not secret:
            raise InputError("workflow.no_password", field="password", reference=key)
        return await following.log_in(self.world, key, secret, user_name=user_name, unit_code=unit_code)

    async def change_password(
        self, key: str, session: Session, old: str | Secret, new: str | Secret
    ) -> RegistrationStatus:
        """Change the account's password."""
        dossier = await following.change_password(
            self.world, key, session, _secret(old, "old"), _secret(new, "new")
        )
        return status_of(dossier)

    async def status(self, key: str) -> RegistrationStatus:
        """Return where a registration stands by the journal alone."""
        return status_of(await Dossier.opened(self.world, key))

    async def statuses(self) -> tuple[RegistrationStatus, ...]:
        """Return where every registration of the journal stands, oldest first."""
        return tuple([await self.status(key) for key in await self.world.journal.keys()])

    async def find(self, form: Registration) -> tuple[RegistrationStatus, ...]:
        """Return where the registrations stand that began with the same form, oldest first."""
        keys = await self.world.journal.begun_with("form", content_digest(form))
        return tuple([await self.status(key) for key in keys])

    async def refresh(self, key: str) -> RegistrationStatus:
        """Ask the channel how far the agency is."""
        return status_of(await following.follow(self.world, key))

    async def wait_for_decision(self, key: str, *, seconds: float, every: float = 5.0) -> RegistrationStatus:
        """Ask again and again until the agency has decided."""
        return status_of(await following.wait_for_decision(self.world, key, seconds=seconds, every=every))

    async def record_handed_in(self, key: str, *, dossier_number: str = "") -> RegistrationStatus:
        """Write down that a person has handed in the printed declaration."""
        dossier = await following.record_handed_in(self.world, key, dossier_number=dossier_number)
        return status_of(dossier)

    async def record_decision(
        self, key: str, *, accepted: bool, code: str = "", text: str = ""
    ) -> RegistrationStatus:
        """Write down a decision that a person has received on paper."""
        dossier = await following.record_decision(self.world, key, accepted=accepted, code=code, text=text)
        return status_of(dossier)

    async def switch(
        self,
        form: Registration,
        *,
        to: Portal | Ivan,
        channel: Channel,
        stop: Stop,
        confirmed: bool = False,
        key: str = "",
    ) -> tuple[RegistrationStatus, RegistrationStatus | None]:
        """Move to another place of transaction: the stop, and the registration once the stop is accepted."""
        new = evolve(self.world, channel=channel)
        move = await switch(self.world, new, form, to=to, stop=stop, key=key, confirmed=confirmed)
        registration = status_of(move.registration) if move.registration else None
        return status_of(move.stop), registration

    async def document(self, key: str) -> bytes:
        """Return the exact bytes of the declaration: signed, or the page to print."""
        dossier = await Dossier.opened(self.world, key)
        if not dossier.state.fact("document"):
            raise InputError("workflow.no_document", field="key", reference=key)
        return await dossier.kept("document")

    async def refresh_catalogue(self) -> tuple[Catalogue, tuple[ListDifference, ...]]:
        """Ask the channel for newer code lists."""
        return await refreshed_catalogue(self.world)

    async def _certificate(self, form: Registration) -> CertificateInfo | None:
        """Return the certificate to check the form against; None when none could be meant."""
        if self.world.signer is None:
            return None
        offered = await certificates_of(self.world.signer, self.world.ask)
        try:
            return signers.choose_certificate(offered, form.organisation, self.world.now()).certificate
        except SigningError:
            # The only certificate there is: the report says what is wrong with it.
            return offered[0].certificate if len(offered) == 1 else None


def _secret(value: str | Secret, field: str) -> Secret:
    if not isinstance(value, str | Secret):
        raise WrongTypeError(field=field, expected="str or Secret", got=type(value).__name__)
    return Secret(value)


_LONGEST_CODE = 64


def _typed_code(code: Secret, key: str) -> Secret:
    """Return a code as typed, without white space around it; what cannot be one is refused before it is sent.

    The other side counts the tries.
    """
    text = code.reveal().strip()
    if not text:
        raise InputError("workflow.no_code", field="code", reference=key)
    if len(text) > _LONGEST_CODE or not text.isprintable() or " " in text:
        raise InputError("workflow.code_form", field="code", reference=key)
    return Secret(text)
