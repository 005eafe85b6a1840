"""Fixtures for pytest: a sandbox for each test that asks for one.

pytest loads this module on every start, so it imports nothing of the package until a fixture is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bhxh_sdk.sandbox import Mailbox, Sandbox
    from bhxh_sdk.transport import PortalChannel
    from bhxh_sdk.transport.ivan import IvanChannel

__all__ = ["bhxh_ivan", "bhxh_mailbox", "bhxh_portal", "bhxh_sandbox"]

MAILBOX = "hr@example.com"


@pytest.fixture
def bhxh_sandbox() -> Iterator[Sandbox]:
    """A sandbox that serves a portal and an I-VAN on this machine, in virtual time."""
    from bhxh_sdk.sandbox import Sandbox  # noqa: PLC0415  # see the module's docstring

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def bhxh_portal(bhxh_sandbox: Sandbox) -> PortalChannel:
    """A channel to the sandbox's portal, for a blocking client."""
    return bhxh_sandbox.portal_channel()


@pytest.fixture
def bhxh_ivan(bhxh_sandbox: Sandbox) -> IvanChannel:
    """A channel to the sandbox's I-VAN, for a blocking client."""
    return bhxh_sandbox.ivan_channel()


@pytest.fixture
def bhxh_mailbox(bhxh_sandbox: Sandbox) -> Mailbox:
    """The mailbox of `hr@example.com` in the sandbox."""
    return bhxh_sandbox.outbox.inbox(MAILBOX)
