"""From a form to a submitted declaration: steps 1 to 24, written once and resumable anywhere.

One loop looks at where the registration stands and takes the next step, until somebody else has to act.
`register` and `resume` run the same loop; after a crash nothing is remembered but the journal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from bhxh_sdk import rules, xml
from bhxh_sdk.errors import (
    BhxhError,
    InputError,
    RefusedError,
    SetupError,
    UnknownOutcomeError,
)
from bhxh_sdk.models import Action, Ivan, Outcome, Portal, Receipt, SignedDocument
from bhxh_sdk.ports import Question
from bhxh_sdk.transport import Filing, Operation, SignatureBy
from bhxh_sdk.workflow.dossier import Dossier, content_digest
from bhxh_sdk.workflow.paper import declaration_html
from bhxh_sdk.workflow.signing import (
    choose_certificate,
    finish_signing,
    give_up_signing,
    open_signature,
    start_signing,
)
from bhxh_sdk.workflow.state import EventKind, State, folded
from bhxh_sdk.workflow.world import World, completed, vietnamese_date

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bhxh_sdk.models import Registration

__all__ = ["advance", "filing_of", "preflight", "register", "resume"]

_OPERATIONS = {
    Action.REGISTER: Operation.REGISTER,
    Action.ADJUST: Operation.ADJUST,
    Action.STOP: Operation.STOP,
}


@define
class _Walk:
    """One walk through the loop, with what the caller has decided beforehand.

    `let_go` is the id of the one signature that a person decided to let go.
    """

    dossier: Dossier
    confirmed: bool = False
    send_again: bool = False
    let_go: str = ""

    @property
    def world(self) -> World:
        return self.dossier.world


def preflight(world: World, form: Registration) -> None:
    """Check what can be checked before anything is written down or sent.

    Raises:
        InputError: the form has mistakes; the report names them all.
        UnsupportedOperationError: the channel's profile cannot file this declaration.
        SetupError: a signature is needed and there is no signer.

    """
    today = vietnamese_date(world.now())
    report = rules.check(completed(form, world.catalogue, today), on=today, catalogue=world.catalogue)
    if not report.ok:
        raise InputError.of(report)
    if not form.use_certificate:
        return
    _demand_place(world, form)
    operation = Operation.FIRST_REGISTER if form.is_first else _OPERATIONS[form.action]
    world.channel.demand(operation)
    if world.signer is None and world.channel.capabilities.signature_by is SignatureBy.CLIENT:
        raise SetupError("workflow.no_signer", field="signer")


_PLACES = {"portal": Portal, "ivan": Ivan}


def _demand_place(world: World, form: Registration) -> None:
    """Refuse a form for the portal at an I-VAN, and the other way round; other channels decide themselves."""
    name = world.channel.capabilities.name
    place = _PLACES.get(name)
    if place is not None and not isinstance(form.transact_at, place):
        raise InputError("workflow.other_place", field="transact_at", channel=name)


async def _demand_new(world: World, form: Registration) -> None:
    """Refuse to file the same form twice by accident: whoever means it gives a key."""
    for key in await world.journal.begun_with("form", content_digest(form)):
        state = folded(await world.journal.events(key)).state
        if state is not State.REFUSED:
            raise InputError("workflow.already_begun", field="key", reference=key, state=state.value)


async def register(world: World, form: Registration, *, key: str = "", confirmed: bool = False) -> Dossier:
    """File a declaration, or go on with it when it was begun under the same key.

    Args:
        world: what to work with.
        form: the declaration.
        key: the registration's key; empty to draw a new one.
        confirmed: whether a person has confirmed the declaration (step 17); otherwise one is asked.

    Raises:
        InputError: the form has mistakes, or, without a key, stands in the journal already.

    """
    preflight(world, form)
    if not key:
        await _demand_new(world, form)
    dossier = await Dossier.new(world, form, key or world.clock.new_id())
    await advance(dossier, confirmed=confirmed)
    return dossier


async def resume(
    world: World, key: str, *, confirmed: bool = False, send_again: bool = False, sign_again: bool = False
) -> Dossier:
    """Go on with a registration where it stands.

    Args:
        world: what to work with.
        key: the registration's key.
        confirmed: whether a person has confirmed the declaration (step 17).
        send_again: a person's decision to send once more although an earlier sending may have arrived.
        sign_again: a person's decision to have it signed once more although an earlier signature may have
            been asked for.

    """
    dossier = await Dossier.opened(world, key)
    await advance(dossier, confirmed=confirmed, send_again=send_again, sign_again=sign_again)
    return dossier


async def advance(
    dossier: Dossier, *, confirmed: bool = False, send_again: bool = False, sign_again: bool = False
) -> None:
    """Take step after step until somebody else has to act."""
    walk = _Walk(dossier, confirmed, send_again, open_signature(dossier) if sign_again else "")
    while (step := _NEXT.get(dossier.state.state)) is not None:
        await step(walk)


async def _check(walk: _Walk) -> None:
    """Steps 1 to 10, 14 to 16 and 19: the signer is there, its certificate fits, the form is right."""
    dossier, world = walk.dossier, walk.world
    certificate = await choose_certificate(dossier) if dossier.form.use_certificate else None
    today = vietnamese_date(world.now())
    report = rules.check(dossier.form, on=today, certificate=certificate, catalogue=world.catalogue)
    if not report.ok:
        raise InputError.of(report)
    await dossier.add(EventKind.CHECKED, warnings=len(report.warnings))


async def _confirm(walk: _Walk) -> None:
    """Step 17."""
    organisation = walk.dossier.form.organisation.name
    question = Question(purpose="confirm_registration", subject=organisation)
    if not (walk.confirmed or await walk.world.ask.confirm(question)):
        raise InputError("workflow.not_confirmed", field="confirmed", reference=walk.dossier.key)
    await walk.dossier.add(EventKind.CONFIRMED)


async def _build(walk: _Walk) -> None:
    """Step 18: the document that will be signed or printed, its bytes fixed from here on."""
    dossier = walk.dossier
    if not dossier.form.use_certificate:
        digest = await dossier.keep(declaration_html(dossier.form).encode())
        await dossier.add(EventKind.BUILT, document=digest, file_name=f"{dossier.key}.html")
        return
    document = xml.build(dossier.form, certificate=await dossier.certificate())
    digest = await dossier.keep(document.content)
    await dossier.add(
        EventKind.BUILT, document=digest, file_name=document.file_name, profile=document.profile
    )


async def _sign(walk: _Walk) -> None:
    """Steps 20 to 23: prepare, and start the signature; or leave it to the service, or to a pen."""
    dossier, world = walk.dossier, walk.world
    if not dossier.form.use_certificate:
        await dossier.add(EventKind.PRINTED)
        return
    if world.channel.capabilities.signature_by is SignatureBy.SERVICE:
        await dossier.add(EventKind.LEFT_TO_SERVICE)
        return
    await start_signing(dossier)


async def _finish(walk: _Walk) -> None:
    """Let a signature go only where it is the one decided on: another process may have begun one since."""
    if walk.let_go == open_signature(walk.dossier):
        await give_up_signing(walk.dossier)
    else:
        await finish_signing(walk.dossier)


async def _send(walk: _Walk) -> None:
    """Step 24: written down before it is tried, and what came of it after."""
    dossier = walk.dossier
    filing = await filing_of(dossier)
    await dossier.add(EventKind.SEND_INTENDED)
    try:
        receipt = await walk.world.channel.submit(filing)
    except RefusedError as error:
        await _refuse(dossier, error.agency_code, error.agency_text)
        raise
    except BhxhError as error:
        if error.nothing_left:
            await dossier.conclude(EventKind.NOT_SENT, reason=error.code)
            raise
        await dossier.conclude(EventKind.SEND_UNKNOWN, reason=error.code)
        raise _in_doubt(dossier) from error
    await _submitted(dossier, receipt)


async def _after_crash(walk: _Walk) -> None:
    """Take a sending whose end is not known for a doubt: a process was stopped in between."""
    await walk.dossier.conclude(EventKind.SEND_UNKNOWN, reason="interrupted")


async def _reconcile(walk: _Walk) -> None:
    """Ask what became of a sending; send again only if none is known and a person says so."""
    dossier = walk.dossier
    progress = await walk.world.channel.find(await filing_of(dossier))
    if progress is None and not walk.send_again:
        raise _in_doubt(dossier)
    if progress is None:
        walk.send_again = False
        await dossier.add(EventKind.RESEND_DECIDED)
    elif progress.outcome is Outcome.REFUSED:
        await _refuse(dossier, *progress.reason)
        raise RefusedError(reference=dossier.key, **_as_received(*progress.reason))
    else:
        receipt = Receipt(sending_key=progress.sending_key, dossier_number=progress.dossier_number)
        await _submitted(dossier, receipt)


async def filing_of(dossier: Dossier) -> Filing:
    """Return what the channel is handed: the form and, when there is one, the signed document."""
    document = None
    if EventKind.SIGNED in dossier.state.happened:
        document = SignedDocument(
            file_name=dossier.state.fact("file_name"),
            content=await dossier.kept("document"),
            profile=dossier.state.fact("profile"),
            certificate=await dossier.certificate(),
            at=dossier.state.fact("at"),
        )
    return Filing(
        key=dossier.key,
        form=dossier.form,
        document=document,
        certificate=await dossier.certificate(),
        key_id=dossier.state.fact("key_id"),
    )


async def _submitted(dossier: Dossier, receipt: Receipt) -> None:
    received_at = receipt.received_at.isoformat() if receipt.received_at else ""
    await dossier.conclude(
        EventKind.SUBMITTED,
        sending_key=receipt.sending_key,
        dossier_number=receipt.dossier_number,
        received_at=received_at,
        receipt=receipt.text,
    )


def _in_doubt(dossier: Dossier) -> UnknownOutcomeError:
    return UnknownOutcomeError("workflow.in_doubt", reference=dossier.key)


def _as_received(code: str, text: str) -> dict[str, str]:
    return {"agency_code": code, "agency_text": text}


async def _refuse(dossier: Dossier, code: str, text: str) -> None:
    await dossier.conclude(EventKind.REFUSED, **_as_received(code, text))


_NEXT: Mapping[State, Callable[[_Walk], Awaitable[None]]] = {
    State.STARTED: _check,
    State.CHECKED: _confirm,
    State.CONFIRMED: _build,
    State.BUILT: _sign,
    State.SIGNING: _finish,
    State.READY: _send,
    State.SENDING: _after_crash,
    State.IN_DOUBT: _reconcile,
}
"""What the loop does in each state; in every other state somebody else has to act."""
