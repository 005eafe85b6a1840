"""A CSC service of the sandbox in this process, and a signer in front of it."""

from __future__ import annotations

import json

import pytest

from bhxh_sdk.ports import Reply
from bhxh_sdk.sandbox.remote.csc import CscProvider
from bhxh_sdk.sandbox.remote.csc_people import CscPerson
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import sign
from bhxh_sdk.signers.flow import started
from bhxh_sdk.signers.remote import ProviderSecrets, RemoteProfile, RemoteSigner, protocol_of

ADDRESS = "https://signing.example.com"
PIN, OTP = "271828", "314159"


class World:
    """A service, a signer in front of it, and what lies between."""

    def __init__(self, provider, sender, clock, run, person, secrets=None, **settings):
        self.provider = provider
        self.sender = sender
        self.clock = clock
        self.run = run
        self.person = person
        self.table = provider.profile_table(ADDRESS, **settings)
        self.secrets = provider.secrets if secrets is None else secrets
        self.kept = []
        self.signer = self.open()

    def open(self, **changes):
        profile = RemoteProfile.from_table({**self.table, **changes})
        table = {name: Secret(value) for name, value in self.secrets.items() if value}
        protocol = protocol_of(profile)
        return RemoteSigner(
            protocol,
            self.sender,
            self.clock,
            secrets=ProviderSecrets(profile.places, table, {}),
            ask=self.person,
        )

    def certificates(self):
        return self.run(self.signer.certificates())

    async def keep(self, transaction):
        self.kept.append(transaction)

    def sign(self, *jobs):
        own = self.certificates()[0]
        return self.run(sign(self.signer, jobs, own, self.person, self.clock, self.keep))

    def start(self, *jobs, certificate=None):
        own = certificate or self.certificates()[0]
        return self.run(started(self.signer, jobs, own, self.person, self.clock, self.keep))

    def paths(self):
        return [request.url.split("/csc/")[1].partition("/")[2] for request in self.sender.requests]

    def bodies(self, path):
        return [json.loads(item.body) for item in self.sender.requests if item.url.endswith(path)]


def maker(clock, person, run, direct, pki):
    """Return what makes a service with one key, and a signer in front of it.

    What is not a setting of the service is one of the profile.
    """

    def make(*, answers=(), secrets=None, mode="implicit", version=1, own=None, sender=direct, **more):
        service = {name: more.pop(name) for name in ("life", "signing", "needs_login") if name in more}
        own = own or {}
        provider = CscProvider(clock, version=version, mode=mode, person=CscPerson(version, **own), **service)
        provider.add("lab/unit", pki.issue())
        return World(provider, sender(provider), clock, run, person(*answers), secrets, **more)

    return make


def fails(world, *jobs):
    """Sign, and return the error that it ends in, whose texts exist in both languages."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  # each test says which it is
        world.sign(*jobs)
    error = caught.value
    texts = [ask(language) for ask in (error.message, error.hint) for language in ("vi", "en")]
    assert all(texts)
    assert len(set(texts)) == 4
    return error


def answers(made, path, *replies):
    """Have the next requests to a path answered so; None for the service's own answer."""
    planned = list(replies)
    original = made.provider.answer

    def answer(request):
        if not request.url.endswith(path) or not planned:
            return original(request)
        reply = planned.pop(0)
        if reply is None:
            return original(request)
        return reply(request) if callable(reply) else reply

    made.provider.answer = answer


def json_reply_of(value):
    """Answer JSON that may hold half a surrogate pair."""
    return Reply(status=200, headers=(("content-type", "application/json"),), body=json.dumps(value).encode())


def consenting(made):
    """Have the person open the address, agree, and copy the code."""
    asked = made.person._answer

    async def answer(question):
        await asked(question)
        return made.provider.access.consent(question.subject)

    made.person._answer = answer

    async def secret(question):
        return Secret(await answer(question))

    made.person.secret = secret


def waiting(world, job, clock, run, path):
    made = world(version=2)
    found = made.start(job())
    if path.endswith("signPolling"):
        found = run(made.signer.result(found, clock))
    return made, found
