"""One registration as the journal holds it: its events, its state and its documents."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from attrs import define, field

from bhxh_sdk.errors import InputError, WrongStateError
from bhxh_sdk.models import Action, CertificateInfo, Registration, form_from_dict, form_to_dict
from bhxh_sdk.ports import Event
from bhxh_sdk.workflow.state import TRANSITIONS, EventKind, State, StateOfRegistration, folded
from bhxh_sdk.workflow.steps import Route
from bhxh_sdk.workflow.world import World, completed, vietnamese_date

__all__ = ["Dossier", "content_digest"]

# Keys become file names and travel in requests.
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@define
class Dossier:
    """Lead one registration's entry in the journal.

    Open one with `new` or `opened`.
    """

    key: str
    world: World = field(repr=False)
    state: StateOfRegistration
    form: Registration = field(repr=False)

    @classmethod
    async def new(cls, world: World, form: Registration, key: str) -> Dossier:
        """Enter a registration under a key, or open the entry when the same one stands there already.

        Raises:
            InputError: the key is not a plain word, or another registration stands under it.

        """
        if not _is_key(key):
            raise InputError("workflow.bad_key", field="key")
        content = _as_json(form)
        digest = await world.journal.keep(content)
        state = folded(await world.journal.events(key))
        if state.state is State.NEW:
            facts = _opening_facts(world, form, digest)
            event = Event(kind=EventKind.STARTED.value, at=world.now(), data=facts)
            await world.journal.append(key, 0, event)
        elif state.fact("form") != digest:
            raise InputError("workflow.other_content", field="key", reference=key)
        return await cls.opened(world, key)

    @classmethod
    async def opened(cls, world: World, key: str) -> Dossier:
        """Open the entry of a registration.

        Raises:
            WrongStateError: the journal does not know the key.

        """
        events = await world.journal.events(key)
        if not events:
            raise WrongStateError("workflow.unknown_key", field="key", reference=key)
        state = folded(events)
        data = json.loads(await world.journal.kept(state.fact("form")))
        form = completed(form_from_dict(data), world.catalogue, vietnamese_date(events[0].at))
        return cls(key=key, world=world, state=state, form=form)

    async def add(self, kind: EventKind, **data: str | int | bool | None) -> None:
        """Add an event: first checked against the table, then made durable, then taken into the state."""
        event = Event(kind=kind.value, at=self.world.now(), data=data)
        state = self.state.after(event)
        await self.world.journal.append(self.key, self.state.position, event)
        self.state = state

    async def conclude(self, kind: EventKind, **data: str | int | bool | None) -> None:
        """Write down what came of a request, unless another process has found it out first.

        Two processes may look after one registration: while this one waited for the answer, the other one may
        have taken the sending for a doubt, or have asked what became of it.
        """
        try:
            await self.add(kind, **data)
        except WrongStateError:
            await self.reload()
            if kind in TRANSITIONS[self.state.state]:
                await self.add(kind, **data)

    async def reload(self) -> None:
        """Take in what another process has written down meanwhile."""
        self.state = folded(await self.world.journal.events(self.key))

    async def keep(self, content: bytes) -> str:
        """Keep a document and return its digest."""
        return await self.world.journal.keep(content)

    async def kept(self, fact: str) -> bytes:
        """Return the document that a fact names."""
        return await self.world.journal.kept(self.state.fact(fact))

    async def certificate(self) -> CertificateInfo | None:
        """Return the certificate chosen for signing; None when there is none."""
        if not self.state.fact("certificate"):
            return None
        return CertificateInfo.from_der(await self.kept("certificate"))

    @property
    def route(self) -> Route:
        """Which way the declaration goes."""
        with_account = self.form.action is Action.REGISTER
        if self.form.use_certificate:
            return Route.ACCOUNT if with_account else Route.CHANGE
        return Route.PAPER if with_account else Route.PAPER_CHANGE


def _is_key(key: object) -> bool:
    return isinstance(key, str) and _KEY.fullmatch(key) is not None


def content_digest(form: Registration) -> str:
    """Return what tells one form's content from another's: the SHA-256 under which the journal keeps it."""
    return hashlib.sha256(_as_json(form)).hexdigest()


def _as_json(form: Registration) -> bytes:
    return json.dumps(form_to_dict(form), ensure_ascii=False, sort_keys=True).encode()


def _opening_facts(world: World, form: Registration, digest: str) -> dict[str, Any]:
    return {
        "form": digest,
        "action": form.action.value,
        "channel": world.channel.capabilities.name,
        "organisation": form.organisation.name,
    }
