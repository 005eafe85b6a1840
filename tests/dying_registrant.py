"""A registration in a process of its own, which ends by SIGKILL at the moment that its orders name.

Run it with the path of the orders: JSON with `moment`, `journal`, `portal`, `profile` and `environment`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from workflow_world import Person, a_form

from bhxh_sdk import Client
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.remote import RemoteProfile, open_profile
from bhxh_sdk.system import SystemClock
from bhxh_sdk.transport import EndpointProfile, HttpSender, PortalChannel
from bhxh_sdk.workflow import EventKind, SqliteJournal

MOMENTS = ("intent", "second", "answer", "polling", "call")
"""After the intent was written down; after that of a second call; before the answer is; between questions;
never, for who is killed from outside during a call."""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingJournal(SqliteJournal):
    """A journal whose process is gone after the intent stands in it, or before the answer does."""

    moment = ""
    intents = 0

    async def append(self, key, position, event):
        """Add an event, if there is time."""
        if self.moment == "answer" and event.kind == EventKind.SIGNING_STARTED.value:
            die()
        await super().append(key, position, event)
        self.intents += event.kind == EventKind.SIGNING_INTENDED.value
        if self.intents == {"intent": 1, "second": 2}.get(self.moment):
            die()


class DyingClock(SystemClock):
    """A clock that hurries to the first question, and whose process is gone before the second."""

    moment = ""
    naps = 0

    async def sleep(self, seconds):
        """Wait no longer, or for ever."""
        self.naps += 1
        if self.moment == "polling" and self.naps > 1:
            die()


def main(path: str) -> None:
    orders = json.loads(Path(path).read_text("utf-8"))
    DyingJournal.moment = DyingClock.moment = orders["moment"]
    clock, real = DyingClock(), SystemClock()
    portal = EndpointProfile.shipped("portal-sandbox").with_overrides({"base_url": orders["portal"]})
    signer = open_profile(
        RemoteProfile.from_table(orders["profile"]),
        clock=clock,
        senders=lambda _, **options: HttpSender(real, **options),
        environment=orders["environment"],
    )
    channel = PortalChannel(
        portal,
        HttpSender(real, allowed_hosts=portal.allowed_hosts),
        clock,
        passphrase=Secret(orders["passphrase"]),
    )
    journal = DyingJournal(orders["journal"])
    with Client(channel, signer=signer, journal=journal, ask=Person(), clock=clock) as client:
        client.register(a_form(), key="k", confirmed=True)


if __name__ == "__main__":
    main(sys.argv[1])
