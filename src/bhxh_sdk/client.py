"""The blocking client, and the check of a form.

`Client` needs no event loop and therefore also works inside one, as in a notebook.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from bhxh_sdk import catalogue as catalogue_room
from bhxh_sdk import rules
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.channels import NoChannel
from bhxh_sdk.errors import SetupError
from bhxh_sdk.signers.holding import checked_signer
from bhxh_sdk.system import SystemClock, ask_of, demand_calls, telling
from bhxh_sdk.workflow import Desk, MemoryJournal, SqliteJournal, World, completed, vietnamese_date

if TYPE_CHECKING:
    from datetime import date
    from types import TracebackType

    from bhxh_sdk.catalogue import Catalogue, ListDifference
    from bhxh_sdk.findings import Report
    from bhxh_sdk.models import CertificateInfo, Ivan, Portal, Registration, Session, Stop
    from bhxh_sdk.ports import Ask, Clock, Journal
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers import Signer
    from bhxh_sdk.system import OnPending
    from bhxh_sdk.transport import Channel
    from bhxh_sdk.workflow import RegistrationStatus

__all__ = ["Client", "channel_of", "check", "journal_of"]


def check(
    form: Registration,
    *,
    on: date | None = None,
    certificate: CertificateInfo | None = None,
    confirmed: bool | None = None,
    catalogue: Catalogue | None = None,
) -> Report:
    """Check a form without any network: all findings at once, nothing raised.

    Args:
        form: the declaration; names that its codes stand for and empty dates are filled in first.
        on: the date to check against; today in Vietnam by default.
        certificate: the certificate that will sign, to check it against the organisation.
        confirmed: whether the confirmation box (step 17) is ticked; None to leave that out.
        catalogue: the code lists; the shipped ones by default.

    """
    day = on or vietnamese_date(SystemClock().now())
    lists = catalogue or catalogue_room.shipped()
    return rules.check(
        completed(form, lists, day), on=day, certificate=certificate, confirmed=confirmed, catalogue=lists
    )


def journal_of(given: str | Path | Journal | None) -> Journal:
    """Return the journal that a client was given: a path means an SQLite file, nothing means memory.

    Raises:
        WrongTypeError: it is neither.
        JournalError: the file cannot be opened or is no journal.

    """
    if given is None:
        return MemoryJournal()
    if isinstance(given, str | Path):
        return SqliteJournal(given)
    demand_calls("journal", given, "append", "events", "keep")
    return given


def channel_of(channel: Channel | None, *, asynchronous: bool) -> Channel:
    """Return the channel that a client was given; one of the other kind would hold up the loop, or lack it.

    Raises:
        WrongTypeError: it is no channel.
        SetupError: its sender is of the other kind.

    """
    if channel is None:
        return cast("Channel", NoChannel())
    demand_calls("channel", channel, "submit", "progress", "find")
    if getattr(channel, "asynchronous", None) is (not asynchronous):
        raise SetupError("setup.other_kind_of_channel", field="channel")
    return channel


def _blocking(signer: Signer) -> Signer:
    """Return a signer whose calls never suspend.

    Raises:
        SetupError: it waits in an event loop, which there is none of.

    """
    if getattr(signer, "asynchronous", False):
        raise SetupError("setup.other_kind_of_signer", field="signer")
    return signer


class Client:
    """Register an organisation, and everything after it, with blocking calls.

    Use it as a context manager, from one thread at a time. It takes over channel, signer and journal and
    closes them at its end.

    Args:
        channel: the portal or an I-VAN, with a blocking sender; None for paper alone.
        signer: signs the declarations; None for paper, or when the channel's service signs.
        journal: path of an SQLite file, or a journal; None to remember only as long as the process lives.
        ask: whom to ask for captchas, secrets and decisions; nobody by default.
        clock: the clock; the machine's by default.
        catalogue: the code lists; the shipped ones by default.
        on_pending: called while a person has to confirm a signature on another device.

    """

    def __init__(
        self,
        channel: Channel | None,
        *,
        signer: Signer | None = None,
        journal: str | Path | Journal | None = None,
        ask: Ask | None = None,
        clock: Clock | None = None,
        catalogue: Catalogue | None = None,
        on_pending: OnPending | None = None,
    ) -> None:
        self._desk = Desk(
            World(
                channel=channel_of(channel, asynchronous=False),
                signer=None if signer is None else _blocking(checked_signer(signer)),
                journal=journal_of(journal),
                clock=clock or SystemClock(),
                ask=ask_of(ask),
                catalogue=catalogue or catalogue_room.shipped(),
                on_pending=None if on_pending is None else telling(on_pending),
            )
        )

    def check(self, form: Registration) -> Report:
        """Return every finding about the form and the signer's certificate; nothing is sent."""
        return run_blocking(self._desk.check(form))

    def register(self, form: Registration, *, confirmed: bool = False, key: str = "") -> RegistrationStatus:
        """File a declaration: steps 1 to 24 of the guide.

        Args:
            form: the declaration.
            confirmed: whether a person has confirmed it (step 17).
            key: a key of your own, drawn before anything is sent; the same key with the same form goes on
                where it stands. Empty to draw one; a form that stands in the journal already is then refused.

        Returns:
            Where the registration stands.

        Raises:
            InputError: the form has mistakes; its report names them all; nothing was sent.
            SigningError: no signature was made; nothing was sent.
            RefusedError: the agency or the I-VAN said no.
            NotSentError: certain that nothing was sent; call `resume`.
            UnknownOutcomeError: it may have arrived; call `resume`, which asks before anything else.
            PersonNeededError: nobody has confirmed it, and there is nobody to ask.
            SetupError: a signer, a secret or an operation of the channel's profile is missing.

        """
        return run_blocking(self._desk.register(form, confirmed=confirmed, key=key))

    def resume(
        self, key: str, *, confirmed: bool = False, send_again: bool = False, sign_again: bool = False
    ) -> RegistrationStatus:
        """Go on with a registration where it stands, in this or in another process.

        Args:
            key: the registration's key.
            confirmed: whether a person has confirmed it, if that was still to do.
            send_again: a person's decision to send once more although an earlier sending may have arrived.
            sign_again: a person's decision to have it signed once more although an earlier signature may
                have been asked for; how that one stands is asked first.

        """
        return run_blocking(
            self._desk.resume(key, confirmed=confirmed, send_again=send_again, sign_again=sign_again)
        )

    def activate(
        self, key: str, code: str | Secret = "", *, mail: str | bytes = "", try_again: bool = False
    ) -> RegistrationStatus:
        """Hand in the mailed activation code: steps 25 to 28.

        Args:
            key: the registration's key.
            code: the code by itself.
            mail: the mail that holds it instead: pasted text, or the bytes of an `.eml` file.
            try_again: a person's decision to send a code although an earlier one may have arrived.

        Raises:
            ActivationError: wrong, expired, revoked, or activated already.
            UnknownOutcomeError: it may have arrived; call `resume`.

        """
        return run_blocking(self._desk.activate(key, code, mail=mail, try_again=try_again))

    def log_in(
        self,
        key: str,
        password: str | Secret = "",
        *,
        mail: str | bytes = "",
        user_name: str = "",
        unit_code: str = "",
    ) -> Session:
        """Log in with the account: step 29. A person answers the captcha.

        Args:
            key: the registration's key.
            password: the password.
            mail: the mail that holds user name and password instead.
            user_name: the name, when it is neither in the mail nor known from activation.
            unit_code: the unit to act for, when it is not the registration's own.

        Raises:
            LogInRefusedError: user name, password or captcha is wrong.

        """
        return run_blocking(
            self._desk.log_in(key, password, mail=mail, user_name=user_name, unit_code=unit_code)
        )

    def change_password(
        self, key: str, session: Session, old: str | Secret, new: str | Secret
    ) -> RegistrationStatus:
        """Change the account's password."""
        return run_blocking(self._desk.change_password(key, session, old, new))

    def status(self, key: str) -> RegistrationStatus:
        """Return where a registration stands by the journal alone."""
        return run_blocking(self._desk.status(key))

    def statuses(self) -> tuple[RegistrationStatus, ...]:
        """Return where every registration of the journal stands, oldest first."""
        return run_blocking(self._desk.statuses())

    def find(self, form: Registration) -> tuple[RegistrationStatus, ...]:
        """Return where the registrations of the journal stand that began with the same form, oldest first."""
        return run_blocking(self._desk.find(form))

    def refresh(self, key: str) -> RegistrationStatus:
        """Ask the channel how far the agency is."""
        return run_blocking(self._desk.refresh(key))

    def wait_for_decision(self, key: str, *, seconds: float, every: float = 5.0) -> RegistrationStatus:
        """Ask every few seconds until the agency has decided; `StillWaitingError` when time is up."""
        return run_blocking(self._desk.wait_for_decision(key, seconds=seconds, every=every))

    def record_handed_in(self, key: str, *, dossier_number: str = "") -> RegistrationStatus:
        """Write down that a person has handed in the printed declaration."""
        return run_blocking(self._desk.record_handed_in(key, dossier_number=dossier_number))

    def record_decision(
        self, key: str, *, accepted: bool, code: str = "", text: str = ""
    ) -> RegistrationStatus:
        """Write down a decision that a person has received on paper or by telephone."""
        return run_blocking(self._desk.record_decision(key, accepted=accepted, code=code, text=text))

    def switch(
        self,
        form: Registration,
        *,
        to: Portal | Ivan,
        channel: Channel,
        stop: Stop,
        confirmed: bool = False,
        key: str = "",
    ) -> tuple[RegistrationStatus, RegistrationStatus | None]:
        """Move between the portal and I-VANs: stop at this client's channel, then register at the other.

        Args:
            form: the registration as it stands.
            to: the new place of transaction.
            channel: the channel of the new place.
            stop: from when and why the old place ends.
            confirmed: whether a person has confirmed both declarations.
            key: key of the move; call again with it until the registration is there.

        Returns:
            The stop, and the registration; None in its place until the stop is accepted.

        """
        return run_blocking(
            self._desk.switch(form, to=to, channel=channel, stop=stop, confirmed=confirmed, key=key)
        )

    def document(self, key: str) -> bytes:
        """Return the exact bytes of the declaration: the signed XML, or the page to print."""
        return run_blocking(self._desk.document(key))

    def refresh_catalogue(self) -> tuple[Catalogue, tuple[ListDifference, ...]]:
        """Ask the channel for its lists of I-VANs, provinces and wards.

        Returns:
            A new catalogue, to be given to a client by hand, and what differs from the present one. The
            present one is not replaced.

        """
        return run_blocking(self._desk.refresh_catalogue())

    def close(self) -> None:
        """Release channel, signer and journal."""
        world = self._desk.world
        run_blocking(world.channel.close())
        if world.signer is not None:
            world.signer.close()
        world.journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
