"""What the flow works with: one channel, perhaps a signer, and the ports to the world."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from bhxh_sdk.errors import UnknownCodeError, WrongTypeError
from bhxh_sdk.models import Ivan, Registration

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import date

    from bhxh_sdk.catalogue import Catalogue
    from bhxh_sdk.ports import Ask, Clock, Journal
    from bhxh_sdk.signers import Signer, SigningTransaction
    from bhxh_sdk.transport import Channel

__all__ = ["World", "completed", "vietnamese_date"]

_VIETNAM = timezone(timedelta(hours=7))


@frozen(kw_only=True)
class World:
    """Bundle what one flow works with.

    Args:
        channel: the portal or an I-VAN.
        signer: signs documents; None for paper, or when the channel's service signs.
        journal: remembers.
        clock: gives time and identifiers.
        ask: asks a person.
        catalogue: the code lists to complete and check forms with.
        on_pending: told while a person has to confirm a signature elsewhere.

    """

    channel: Channel
    signer: Signer | None
    journal: Journal
    clock: Clock
    ask: Ask
    catalogue: Catalogue
    on_pending: Callable[[SigningTransaction], Awaitable[None]] | None = field(default=None, repr=False)

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return self.clock.now().astimezone(UTC)


def vietnamese_date(moment: datetime) -> date:
    """Return the date in Vietnam at that moment: forms are dated by it."""
    return moment.astimezone(_VIETNAM).date()


def completed(form: Registration, catalogue: Catalogue, today: date) -> Registration:
    """Return the form with its empty dates, and the names that its codes stand for, filled in.

    A code that the catalogue does not hold is left as it is: the check reports it.

    Raises:
        WrongTypeError: it is no registration.

    """
    if not isinstance(form, Registration):
        raise WrongTypeError(field="form", expected="Registration", got=type(form).__name__)
    agency, transact_at = form.agency, form.transact_at
    with contextlib.suppress(UnknownCodeError):
        agency = agency if agency.name else catalogue.agency(agency.code, on=today)
    with contextlib.suppress(UnknownCodeError):
        if isinstance(transact_at, Ivan) and not transact_at.name:
            transact_at = catalogue.ivan(transact_at.code)
    return evolve(form, agency=agency, transact_at=transact_at).dated(today)
