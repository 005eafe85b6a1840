from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from workflow_world import a_form

import bhxh_sdk as bhxh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLACES = {"portal": bhxh.Portal(), "ivan": bhxh.Ivan("00040")}


@pytest.fixture(params=list(PLACES))
def place(request) -> str:
    return request.param


@pytest.fixture
def open_client(bhxh_sandbox, tmp_path) -> Iterator[Callable[..., bhxh.Client]]:
    """Opens clients of the sandbox on one journal file; all are closed at the end."""
    opened: list[bhxh.Client] = []

    def open_one(place: str = "portal", **changes: Any) -> bhxh.Client:
        channel = bhxh_sandbox.portal_channel if place == "portal" else bhxh_sandbox.ivan_channel
        options = {
            "signer": bhxh_sandbox.signer(a_form().organisation),
            "journal": tmp_path / "journal.db",
            "ask": bhxh_sandbox.ask,
            "clock": bhxh_sandbox.clock,
        }
        client = bhxh.Client(changes.pop("channel", None) or channel(), **{**options, **changes})
        opened.append(client)
        return client

    yield open_one
    for client in opened:
        client.close()


@pytest.fixture
def mail(bhxh_sandbox) -> Callable[[], bytes]:
    """Gives the newest mail to the contact, as raw bytes."""

    def newest() -> bytes:
        return bhxh_sandbox.outbox.as_eml(bhxh_sandbox.outbox.latest("hr@example.com"))

    return newest
