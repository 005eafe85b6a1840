"""Five hundred documents at every provider that takes so many at once: the phone rings once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from batch_world import forms
from remote_chaos import Person
from remote_ways import WAYS

from bhxh_sdk import AsyncDocumentSigner, DocumentSigner, xml
from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.signers.remote import ProviderSecrets, RemoteProfile, RemoteSigner, protocol_of

COUNT = 500
BY_PHONE = ["ca769-plain", "ca769-vnpt", "ca769-ca2", "csc-v1", "csc-v2", "mysign-blocking", "mysign-polled"]


@pytest.fixture
def place_and_signer(direct):
    """Make a provider that takes five hundred, and a signer there."""

    def make(way):
        clock = VirtualClock(datetime(2026, 9, 1, 3, 0, tzinfo=UTC), seed=7)
        place = WAYS[way](clock, SandboxPki(clock.now()).issue())
        table = dict(place.table)
        if way.startswith("ca769"):
            place.provider.largest_batch = COUNT
            table["dialect_changes"] = {**table.get("dialect_changes", {}), "largest_batch": COUNT}
        if way.startswith("csc"):
            place.provider.multisign = COUNT
        sender = direct(place.provider)
        signer = RemoteSigner(
            protocol_of(RemoteProfile.from_table(table)),
            sender,
            clock,
            secrets=ProviderSecrets(given={k: v for k, v in place.secrets.items() if v}),
            ask=Person(place),
        )
        return place, sender, signer, clock

    return make


@pytest.mark.parametrize("way", BY_PHONE)
def test_five_hundred_documents_take_one_confirmation(way, place_and_signer):
    place, sender, remote, clock = place_and_signer(way)
    with DocumentSigner(remote, clock=clock) as signer:
        signed = [outcome.signed for outcome in signer.sign_all(forms(COUNT))]
    desk = place.provider.desk
    assert len(desk.phone.rings) == 1
    assert len(desk.accepted) == len(set(desk.accepted)) == COUNT
    for path in place.starts:
        assert len([request for request in sender.requests if request.url.endswith(path)]) == 1
    for document in (signed[0], signed[-1]):
        assert xml.verify(document.content).certificate.der == remote_certificate(place)
    assert len({document.content for document in signed}) == COUNT


def remote_certificate(place):
    (credential,) = place.provider.desk.credentials.values()
    return credential.issued.der


@pytest.mark.parametrize("way", ["ca769-vnpt", "csc-v2", "mysign-polled"])
def test_in_a_loop_too(way, place_and_signer, run):
    place, sender, remote, clock = place_and_signer(way)
    sender.asynchronous = True

    async def signs():
        async with AsyncDocumentSigner(remote, clock=clock) as signer:
            return [outcome.signed async for outcome in signer.sign_all(forms(COUNT))]

    assert len(list(filter(None, run(signs())))) == COUNT
    assert len(place.provider.desk.phone.rings) == 1


@pytest.mark.parametrize(("way", "rings"), [("ca769-vnpt-th", 0), ("csc-v1-pin", 1), ("csc-v2-pin", 1)])
def test_without_a_phone_secrets_are_entered_once(way, rings, place_and_signer):
    place, sender, remote, clock = place_and_signer(way)
    with DocumentSigner(remote, clock=clock, ask=Person(place)) as signer:
        assert all(outcome.signed for outcome in signer.sign_all(forms(COUNT)))
    for path in place.starts:
        assert len([request for request in sender.requests if request.url.endswith(path)]) == 1
    assert len(place.provider.desk.phone.rings) == rings
