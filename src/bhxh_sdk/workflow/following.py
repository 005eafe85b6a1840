"""After submission: progress, the agency's decision, activation and log-in; steps 25 to 29."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.errors import (
    AlreadyActivatedError,
    BhxhError,
    RefusedError,
    StillWaitingError,
    UnknownOutcomeError,
    WrongStateError,
)
from bhxh_sdk.models import Action, Credentials, Outcome
from bhxh_sdk.workflow.dossier import Dossier
from bhxh_sdk.workflow.registering import filing_of
from bhxh_sdk.workflow.state import TRANSITIONS, EventKind, State

if TYPE_CHECKING:
    from bhxh_sdk.models import Progress, Session
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.workflow.world import World

__all__ = [
    "activate",
    "change_password",
    "follow",
    "log_in",
    "record_decision",
    "record_handed_in",
    "settle_activation",
    "wait_for_decision",
]


async def follow(world: World, key: str) -> Dossier:
    """Ask the channel how far the agency is and write down what is new; a refusal is final.

    Raises:
        WrongStateError: nothing has been submitted yet.

    """
    dossier = await Dossier.opened(world, key)
    if dossier.state.state is State.REFUSED:
        return dossier
    _demand(dossier, EventKind.NUMBERED, "workflow.not_submitted")
    if dossier.state.fact("sending_key"):
        await _take_in(dossier, await world.channel.progress(dossier.state.fact("sending_key")))
    return dossier


async def wait_for_decision(world: World, key: str, *, seconds: float, every: float = 5.0) -> Dossier:
    """Follow a registration until the agency has decided.

    Args:
        world: what to work with.
        key: the registration's key.
        seconds: how long to wait at most.
        every: how long to wait between two questions.

    Raises:
        StillWaitingError: no decision yet; not a failure, ask again later.

    """
    end = world.clock.monotonic() + seconds
    while True:
        dossier = await follow(world, key)
        if dossier.state.accepted or dossier.state.state is State.REFUSED:
            return dossier
        if world.clock.monotonic() + every > end:
            raise StillWaitingError("workflow.no_decision_yet", reference=key)
        await world.clock.sleep(every)


async def _take_in(dossier: Dossier, progress: Progress) -> None:
    state = dossier.state
    if progress.dossier_number and progress.dossier_number != state.fact("dossier_number"):
        await dossier.add(EventKind.NUMBERED, dossier_number=progress.dossier_number)
    if progress.outcome is Outcome.ACCEPTED and not state.accepted:
        await dossier.add(_acceptance(dossier))
    if progress.outcome is Outcome.REFUSED and state.state is not State.REFUSED:
        code, text = progress.reason
        await dossier.add(EventKind.REFUSED, agency_code=code, agency_text=text)


def _acceptance(dossier: Dossier) -> EventKind:
    """An accepted adjustment or stop is at its end; a registration goes on to its account."""
    return EventKind.ACCEPTED if dossier.form.action is Action.REGISTER else EventKind.COMPLETED


async def record_handed_in(world: World, key: str, *, dossier_number: str = "") -> Dossier:
    """Write down that a person has handed in the printed declaration (step 24 on the paper route)."""
    dossier = await Dossier.opened(world, key)
    _demand(dossier, EventKind.HANDED_IN, "workflow.not_printed")
    await dossier.add(EventKind.HANDED_IN, dossier_number=dossier_number)
    return dossier


async def record_decision(
    world: World, key: str, *, accepted: bool, code: str = "", text: str = ""
) -> Dossier:
    """Write down the agency's decision that a person has received on paper or by telephone."""
    dossier = await Dossier.opened(world, key)
    if dossier.state.accepted:
        raise WrongStateError("workflow.decided", reference=key)
    kind = _acceptance(dossier) if accepted else EventKind.REFUSED
    _demand(dossier, kind, "workflow.not_submitted")
    await dossier.add(kind, agency_code=code, agency_text=text)
    return dossier


async def activate(world: World, key: str, code: Secret, *, try_again: bool = False) -> Dossier:
    """Hand in the mailed activation code: steps 25 to 28.

    The code is sent once. When the answer is lost, the channel is asked what became of it; the code is sent
    again only by a person's decision.

    Args:
        world: what to work with.
        key: the registration's key.
        code: the activation code.
        try_again: a person's decision to send a code although an earlier sending may have arrived.

    """
    dossier = await Dossier.opened(world, key)
    if dossier.state.activated:
        raise AlreadyActivatedError("workflow.already_activated", reference=key)
    if dossier.form.action is not Action.REGISTER:
        raise WrongStateError("workflow.no_account", reference=key, action=dossier.form.action.value)
    if dossier.state.state in {State.ACTIVATING, State.ACTIVATION_IN_DOUBT}:
        await _settle(dossier, try_again=try_again)
        if dossier.state.activated:
            return dossier
    _demand(dossier, EventKind.ACTIVATION_INTENDED, "workflow.not_submitted")
    await dossier.add(EventKind.CODE_RECEIVED)
    await _hand_in(dossier, code)
    return dossier


async def _hand_in(dossier: Dossier, code: Secret) -> None:
    filing = await filing_of(dossier)
    sending_key = dossier.state.fact("sending_key")
    await dossier.add(EventKind.ACTIVATION_INTENDED)
    try:
        account = await dossier.world.channel.activate(filing, sending_key, code)
    except AlreadyActivatedError:
        # The other side knows better: an earlier code was taken, by us or by somebody else.
        await dossier.conclude(EventKind.ACTIVATED)
        raise
    except RefusedError as error:
        await dossier.conclude(EventKind.ACTIVATION_REFUSED, reason=error.code)
        raise
    except BhxhError as error:
        if error.nothing_left:
            await dossier.conclude(EventKind.ACTIVATION_NOT_SENT, reason=error.code)
            raise
        await dossier.conclude(EventKind.ACTIVATION_UNKNOWN, reason=error.code)
        raise _in_doubt(dossier) from error
    await dossier.conclude(EventKind.ACTIVATED, user_name=account.user_name)


async def settle_activation(world: World, key: str) -> Dossier:
    """Find out what became of an activation whose answer was lost."""
    dossier = await Dossier.opened(world, key)
    if dossier.state.state in {State.ACTIVATING, State.ACTIVATION_IN_DOUBT}:
        await _settle(dossier, try_again=False)
    return dossier


async def _settle(dossier: Dossier, *, try_again: bool) -> None:
    if dossier.state.state is State.ACTIVATING:
        await dossier.add(EventKind.ACTIVATION_UNKNOWN, reason="interrupted")
    progress = await dossier.world.channel.progress(dossier.state.fact("sending_key"))
    if progress.activated:
        await dossier.add(EventKind.ACTIVATED)
    elif try_again:
        await dossier.add(EventKind.RESEND_DECIDED)
    else:
        raise _in_doubt(dossier)


def _in_doubt(dossier: Dossier) -> UnknownOutcomeError:
    return UnknownOutcomeError("workflow.activation_in_doubt", reference=dossier.key)


async def log_in(
    world: World, key: str, password: Secret, *, user_name: str = "", unit_code: str = ""
) -> Session:
    """Open a session with the account: step 29.

    Args:
        world: what to work with.
        key: the registration's key.
        password: the password, from the credentials mail.
        user_name: the name to log in with; empty to take what activation said, else the tax code.
        unit_code: the unit to act for; empty to take the registration's own.

    """
    dossier = await Dossier.opened(world, key)
    _demand(dossier, EventKind.LOGGED_IN, "workflow.not_activated")
    form = dossier.form
    name = user_name or dossier.state.fact("user_name") or form.organisation.tax_code.value
    unit = unit_code or str(form.unit_code or "")
    session = await world.channel.log_in(Credentials(user_name=name, password=password), world.ask, unit)
    await dossier.add(EventKind.LOGGED_IN, user_name=session.user_name)
    return session


async def change_password(world: World, key: str, session: Session, old: Secret, new: Secret) -> Dossier:
    """Change the account's password."""
    dossier = await Dossier.opened(world, key)
    _demand(dossier, EventKind.PASSWORD_CHANGED, "workflow.not_logged_in")
    await world.channel.change_password(session, old, new)
    await dossier.add(EventKind.PASSWORD_CHANGED)
    return dossier


def _demand(dossier: Dossier, kind: EventKind, code: str) -> None:
    """Refuse a call that the state has no place for, before anything is sent."""
    if kind not in TRANSITIONS[dossier.state.state]:
        raise WrongStateError(code, reference=dossier.key, state=dossier.state.state.value)
