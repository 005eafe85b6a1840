"""Moving between the portal and I-VANs: stop where the organisation is, then register where it goes.

No source proves that the two may be held at once, so the new registration is sent only when the stop is
accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from bhxh_sdk.errors import RefusedError
from bhxh_sdk.models import Action
from bhxh_sdk.workflow.dossier import Dossier  # noqa: TC001  # attrs and cattrs read the annotations at run time
from bhxh_sdk.workflow.following import follow
from bhxh_sdk.workflow.registering import preflight, register
from bhxh_sdk.workflow.state import State

if TYPE_CHECKING:
    from bhxh_sdk.models import Ivan, Portal, Registration, Stop
    from bhxh_sdk.workflow.world import World

__all__ = ["Switch", "switch"]


@frozen(kw_only=True)
class Switch:
    """The two declarations of a move.

    Args:
        stop: the declaration that ends the old place.
        registration: the one that begins the new place; None until the stop is accepted.

    """

    stop: Dossier
    registration: Dossier | None = None


async def switch(
    old: World,
    new: World,
    form: Registration,
    *,
    to: Portal | Ivan,
    stop: Stop,
    key: str = "",
    confirmed: bool = False,
) -> Switch:
    """Move an organisation to another place of transaction; call again with the same key to go on.

    Args:
        old: the world whose channel the organisation leaves.
        new: the world whose channel it goes to.
        form: the registration as it stands; its `transact_at` is the old place.
        to: the new place.
        stop: from when and why the old place ends.
        key: key of the move; the two declarations stand under `key-stop` and `key-register`. Empty to draw
            one.
        confirmed: whether a person has confirmed both declarations.

    Raises:
        InputError: one of the two declarations has mistakes; nothing was sent.
        RefusedError: the agency refused the stop; the old place goes on.

    """
    key = key or old.clock.new_id()
    ending = evolve(form, action=Action.STOP, stop=stop, attachments=())
    beginning = evolve(form, action=Action.REGISTER, transact_at=to, stop=None)
    preflight(new, beginning)  # a move that cannot be finished is not begun
    stopped = await register(old, ending, key=f"{key}-stop", confirmed=confirmed)
    if stopped.state.state is State.SUBMITTED:
        stopped = await follow(old, stopped.key)
    if stopped.state.state is State.REFUSED:
        raise RefusedError(
            reference=stopped.key,
            agency_code=stopped.state.fact("agency_code"),
            agency_text=stopped.state.fact("agency_text"),
        )
    if stopped.state.state is not State.COMPLETED:
        return Switch(stop=stopped)
    return Switch(
        stop=stopped,
        registration=await register(new, beginning, key=f"{key}-register", confirmed=confirmed),
    )
