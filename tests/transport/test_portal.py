"""The portal channel against the sandbox's portal, over real loopback HTTP."""

from __future__ import annotations

import pytest
from portal_world import PortalWorld, run, served


@pytest.fixture
def world():
    world = PortalWorld()
    with served(world.portal.app) as world.base_url:
        yield world


def test_a_unit_registers_activates_and_logs_in(world):
    channel = world.channel()
    filing = world.filing()
    receipt = run(channel.submit(filing))
    assert receipt.sending_key
    assert receipt.dossier_number == ""
    account = run(channel.activate(filing, receipt.sending_key, world.code()))
    assert account.credentials_by_mail
    progress = run(channel.progress(receipt.sending_key))
    print(progress)
    session = run(channel.log_in(world.credentials(), world.person))
    print(session)
    assert session.unit.unit_code == "TZ0001Z"
    print(run(channel.history(session)))
    print(run(channel.notices(session, progress.dossier_number)))
    print(run(channel.trace(session, progress.dossier_number)))
    print(run(channel.files(session, progress.dossier_number)))
    print(run(channel.find(filing)))
    print(
        run(channel.provinces())[:2],
        run(channel.wards("01"))[:2],
        run(channel.ivans())[:2],
        run(channel.agencies("01"))[:2],
    )
