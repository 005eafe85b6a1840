"""A provider of Decision 769, a signer for it, and jobs: everything in this process, in virtual time."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import PersonNeededError
from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.sandbox.remote.ca769 import Decision769Provider
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import SigningJob
from bhxh_sdk.signers import sign as signed
from bhxh_sdk.signers.remote import RemoteProfile, open_profile
from bhxh_sdk.signers.remote.decision769_totp import TAKEN

BASE = "https://signing.example.com/sca/sp769"
DIALECTS = ("plain", "vnpt", "vnpt-th", "ca2")


class Person:
    """Answers questions for secrets, and remembers them."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    async def secret(self, question):
        self.asked.append(question.purpose)
        if question.purpose not in self.answers:
            raise PersonNeededError("person_needed.nobody_to_ask", field=question.purpose)
        return Secret(self.answers[question.purpose])


class World:
    """One provider, one signer."""

    def __init__(self, direct, dialect="vnpt", **options):
        TAKEN.clear()  # every world begins at the same moment, with the same secret
        self.clock = VirtualClock(datetime(2026, 9, 1, 3, 0, tzinfo=UTC), seed=7)
        self.provider = Decision769Provider(self.clock, dialect, **options)
        self.pki = SandboxPki(self.clock.now())
        self.issued = self.pki.issue()
        self.provider.add(self.issued)
        self.sender = direct(self.provider)
        self.desk, self.phone = self.provider.desk, self.provider.desk.phone
        self.notes = []

    def profile(self, **changes):
        return RemoteProfile.from_table(self.provider.profile_table(BASE) | changes)

    def signer(self, *, ask=None, secrets=None, **changes):
        return open_profile(
            self.profile(**changes),
            clock=self.clock,
            senders=lambda clock, **options: self.sender,
            ask=ask,
            secrets=self.provider.secrets if secrets is None else secrets,
            environment={},
        )

    def certificates(self, **changes):
        return run_blocking(self.signer(**changes).certificates())

    async def keep(self, transaction):
        self.notes.append(transaction)

    def start(self, signer, jobs):
        certificate = run_blocking(signer.certificates())[0]
        return run_blocking(signer.start_noted(jobs, certificate, Person(), self.clock, self.keep))

    def result(self, signer, transaction):
        return run_blocking(signer.result(transaction, self.clock))

    def sign(self, count=1, signer=None, ask=None, **changes):
        """Sign so many documents; the values are verified on the way."""
        signer = signer or self.signer(**changes)
        certificate = run_blocking(signer.certificates())[0]
        person = ask or Person()
        return run_blocking(signed(signer, jobs(count), certificate, person, self.clock, self.keep))

    def sent(self, end):
        """Return the bodies of the requests whose path ends so."""
        return [json.loads(item.body) for item in self.sender.requests if item.url.endswith(end)]


def jobs(count=1):
    return [
        SigningJob(
            document_id=f"dossier-{number}",
            digest=hashlib.sha256(f"document {number}".encode()).digest(),
            document_name=f"Tờ khai {number}",
        )
        for number in range(1, count + 1)
    ]
