"""Signers for batches: a card that asks for its PIN at every call, and a key on a curve."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
from attrs import define, evolve, field
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from workflow_world import NOW, a_form

from bhxh_sdk.ports import Question
from bhxh_sdk.signers import Capabilities, SigningJob, SoftKeySigner

if TYPE_CHECKING:
    from bhxh_sdk.models import Registration

__all__ = ["Card", "forms", "on_curve"]


@define
class Card:
    """A signer whose key is not at hand; `errors` are raised by the calls of those numbers, from 0."""

    key: SoftKeySigner
    largest_batch: int = 10
    purpose: str = "pin"
    errors: dict[int, Exception] = field(factory=dict)
    changed: Any = None
    secrets: list[str] = field(factory=list)
    calls: list[list[SigningJob]] = field(factory=list)
    closed: bool = False

    @property
    def capabilities(self):
        return Capabilities(
            name="softkey", largest_batch=self.largest_batch, schemes=self.key.capabilities.schemes
        )

    async def certificates(self):
        return await self.key.certificates()

    async def start(self, jobs, certificate, ask, clock):
        self.calls.append(list(jobs))
        secret = await ask.secret(Question(purpose=self.purpose, subject="card"))
        self.secrets.append(secret.reveal())
        secret.wipe()
        if (number := len(self.calls) - 1) in self.errors:
            raise self.errors[number]
        done = await self.key.start(jobs, certificate, ask, clock)
        return self.changed(done) if self.changed else done

    async def result(self, transaction, clock):
        return await self.key.result(transaction, clock)

    def close(self):
        self.closed = True
        self.key.close()


def forms(count: int, **changes: Any) -> list[Registration]:
    """Make dated forms that differ in their address."""
    form = a_form(**changes).dated(date(2026, 3, 2))
    return [
        evolve(form, organisation=attrs.evolve(form.organisation, address=f"Số {number} Đường Ví Dụ"))
        for number in range(count)
    ]


def on_curve() -> SoftKeySigner:
    """Make a signer with a new key on P-256."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "VÍ DỤ")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(NOW + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return SoftKeySigner.from_key(key, [certificate])
