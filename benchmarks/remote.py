"""Signatures at a provider in another process, over loopback, beside a bare httpx loop of the same requests.

`remote_batch_500_vs_httpx`: 500 forms under one confirmation, for which the person takes just under two
seconds; asked after once a second. Ours is `DocumentSigner.sign_all` from the models to signed bytes, every
value verified; the loop is given finished digests and looks at nothing.

`remote_one_vs_httpx`: one form where the answer brings the signature at once: what is left is the cost of one
signature over the provider's own time. Both open a connection for each request: one that is kept takes 45 ms
here, because two small writes on it wait for a delayed acknowledgement.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import cycle
from time import sleep
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx

from benchmarks import FULL, Result, Scale
from benchmarks.lab.material import NOW, bench_forms, workplace
from benchmarks.lab.signing_service import BATCH, Service, signing_service
from benchmarks.lab.turns import beside, in_turns, measured, timed
from bhxh_sdk import DocumentSigner, xml
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.signers.remote import RemoteProfile, open_profile
from bhxh_sdk.system import SystemClock
from bhxh_sdk.transport import HttpSender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.lab.material import Key
    from bhxh_sdk import Registration

__all__ = ["results"]

_PHONE_SECONDS = 1.9
_POLL_SECONDS = 1.0
_FORMS = 64
_ONCE = httpx.Limits(max_keepalive_connections=0)


def results(scale: Scale = FULL) -> Iterator[Result]:
    """Measure a batch and a single signature, each beside the bare loop."""
    with workplace() as key:
        yield from _batch(key, scale)
        yield from _one(key, scale)


def _batch(key: Key, scale: Scale) -> Iterator[Result]:
    forms = bench_forms(min(BATCH, scale.forms))
    with (
        signing_service(key, _PHONE_SECONDS) as service,
        _document_signer(service) as signer,
        httpx.Client(limits=_ONCE) as client,
    ):
        digests = _digests(key, forms)
        contenders = {
            "ours": lambda runs: measured(lambda: _signed(signer, forms), runs),
            "httpx": lambda runs: measured(lambda: _looped(service, client, digests), runs),
        }
        costs = in_turns(contenders, rounds=scale.large_rounds)
    yield beside("remote_batch_500_vs_httpx", costs["ours"], costs["httpx"], bar="at most 1.05")
    yield Result(
        name="remote_batch_500_vs_httpx_cpu",
        ours=costs["ours"].cpu_ms,
        against=costs["httpx"].cpu_ms,
        unit="ms of all cores",
        better="lower",
    )


def _one(key: Key, scale: Scale) -> Iterator[Result]:
    forms = bench_forms(_FORMS)
    with (
        signing_service(key, 0) as service,
        _document_signer(service) as signer,
        httpx.Client(limits=_ONCE) as client,
    ):
        nexts: Callable[[], str] = cycle(_digests(key, forms)).__next__
        costs = in_turns(
            {
                "ours": timed(signer.sign, forms),
                "httpx": lambda runs: measured(lambda: _looped(service, client, [nexts()]), runs),
            },
            rounds=scale.rounds,
        )
    yield beside("remote_one_vs_httpx", costs["ours"], costs["httpx"])


@contextmanager
def _document_signer(service: Service) -> Iterator[DocumentSigner]:
    """Open a signer as an integrator does; its certificate is known before anything is measured."""
    profile = RemoteProfile.from_table(service.profile)
    remote = open_profile(profile, clock=SystemClock(), senders=HttpSender, secrets=service.secrets)
    (certificate,) = run_blocking(remote.certificates())
    with DocumentSigner(remote, certificate=certificate) as signer:
        yield signer


def _digests(key: Key, forms: list[Registration]) -> list[str]:
    documents = (xml.build(form).content for form in forms)
    return [xml.prepare(content, key.certificate, signing_time=NOW).digest.hex() for content in documents]


def _signed(signer: DocumentSigner, forms: list[Registration]) -> None:
    if not all(outcome.signed for outcome in signer.sign_all(forms)):
        raise ValueError("a document was not signed")


def _looped(service: Service, client: httpx.Client, digests: list[str]) -> None:
    """Ask for signatures and ask after them, at the pace of ours."""
    name = uuid4().hex
    found = service.asked(client, service.sign_body(name, digests))
    while not found:
        sleep(_POLL_SECONDS)
        found = service.told(client, name)
    if len(found) != len(digests):
        raise ValueError("a signature is missing")
