"""The asynchronous client: the calls of `bhxh_sdk.Client`, awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from bhxh_sdk import catalogue as catalogue_room
from bhxh_sdk.client import channel_of, journal_of
from bhxh_sdk.offloading import OffLoopJournal, beside_the_loop, closed
from bhxh_sdk.signers.holding import checked_signer
from bhxh_sdk.system import AsyncSystemClock, ask_of, telling
from bhxh_sdk.workflow import Desk, World

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from bhxh_sdk.catalogue import Catalogue, ListDifference
    from bhxh_sdk.findings import Report
    from bhxh_sdk.models import Ivan, Portal, Registration, Session, Stop
    from bhxh_sdk.ports import Ask, Clock, Journal
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers import Signer
    from bhxh_sdk.system import OnPending
    from bhxh_sdk.transport import Channel
    from bhxh_sdk.workflow import RegistrationStatus

__all__ = ["AsyncClient"]


class AsyncClient:
    """Register an organisation, and everything after it, in an event loop.

    Every call is that of `bhxh_sdk.Client`, awaited. A local signer and the journal run on threads of their
    own, so that neither a slow token nor the disk holds up the loop.

    Args:
        channel: the portal or an I-VAN, with an asynchronous sender; None for paper alone.
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
                channel=channel_of(channel, asynchronous=True),
                signer=None if signer is None else beside_the_loop(checked_signer(signer)),
                journal=OffLoopJournal(journal_of(journal)),
                clock=clock or AsyncSystemClock(),
                ask=ask_of(ask),
                catalogue=catalogue or catalogue_room.shipped(),
                on_pending=None if on_pending is None else telling(on_pending),
            )
        )

    async def check(self, form: Registration) -> Report:
        """See `Client.check`."""
        return await self._desk.check(form)

    async def register(
        self, form: Registration, *, confirmed: bool = False, key: str = ""
    ) -> RegistrationStatus:
        """See `Client.register`."""
        return await self._desk.register(form, confirmed=confirmed, key=key)

    async def resume(
        self, key: str, *, confirmed: bool = False, send_again: bool = False, sign_again: bool = False
    ) -> RegistrationStatus:
        """See `Client.resume`."""
        return await self._desk.resume(key, confirmed=confirmed, send_again=send_again, sign_again=sign_again)

    async def activate(
        self, key: str, code: str | Secret = "", *, mail: str | bytes = "", try_again: bool = False
    ) -> RegistrationStatus:
        """See `Client.activate`."""
        return await self._desk.activate(key, code, mail=mail, try_again=try_again)

    async def log_in(
        self,
        key: str,
        password: str | Secret = "",
        *,
        mail: str | bytes = "",
        user_name: str = "",
        unit_code: str = "",
    ) -> Session:
        """See `Client.log_in`."""
        return await self._desk.log_in(key, password, mail=mail, user_name=user_name, unit_code=unit_code)

    async def change_password(
        self, key: str, session: Session, old: str | Secret, new: str | Secret
    ) -> RegistrationStatus:
        """See `Client.change_password`."""
        return await self._desk.change_password(key, session, old, new)

    async def status(self, key: str) -> RegistrationStatus:
        """See `Client.status`."""
        return await self._desk.status(key)

    async def statuses(self) -> tuple[RegistrationStatus, ...]:
        """See `Client.statuses`."""
        return await self._desk.statuses()

    async def find(self, form: Registration) -> tuple[RegistrationStatus, ...]:
        """See `Client.find`."""
        return await self._desk.find(form)

    async def refresh(self, key: str) -> RegistrationStatus:
        """See `Client.refresh`."""
        return await self._desk.refresh(key)

    async def wait_for_decision(self, key: str, *, seconds: float, every: float = 5.0) -> RegistrationStatus:
        """See `Client.wait_for_decision`."""
        return await self._desk.wait_for_decision(key, seconds=seconds, every=every)

    async def record_handed_in(self, key: str, *, dossier_number: str = "") -> RegistrationStatus:
        """See `Client.record_handed_in`."""
        return await self._desk.record_handed_in(key, dossier_number=dossier_number)

    async def record_decision(
        self, key: str, *, accepted: bool, code: str = "", text: str = ""
    ) -> RegistrationStatus:
        """See `Client.record_decision`."""
        return await self._desk.record_decision(key, accepted=accepted, code=code, text=text)

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
        """See `Client.switch`."""
        return await self._desk.switch(form, to=to, channel=channel, stop=stop, confirmed=confirmed, key=key)

    async def document(self, key: str) -> bytes:
        """See `Client.document`."""
        return await self._desk.document(key)

    async def refresh_catalogue(self) -> tuple[Catalogue, tuple[ListDifference, ...]]:
        """See `Client.refresh_catalogue`."""
        return await self._desk.refresh_catalogue()

    async def close(self) -> None:
        """Release channel, signer and journal."""
        world = self._desk.world
        await world.channel.close()
        if world.signer is not None:
            await closed(world.signer)
        await closed(world.journal)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
