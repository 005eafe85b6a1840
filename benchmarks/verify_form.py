"""A signed registration of 2 KB verified.

Beside it: the bare RSA operation on the same values, and peers that verify the same documents with the
signer's certificate known beforehand. Ours has met the certificate before, but for the line that says so.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from cryptography import x509

from benchmarks import FULL, Scale
from benchmarks.lab.libraries import installed, java, java_verifies, library
from benchmarks.lab.material import FORM_AT, HASHED, NOW, PADDING, bench_forms, workplace
from benchmarks.lab.turns import beside, faster, in_turns, timed
from bhxh_sdk import xml
from bhxh_sdk.sandbox.pki import SandboxPki

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks import Result
    from benchmarks.lab.material import Key
    from benchmarks.lab.turns import Contender

__all__ = ["results"]

_FORMS = 64


def results(scale: Scale = FULL) -> Iterator[Result]:
    """Measure ours, the RSA operation and every peer in turns."""
    with workplace() as key, ExitStack() as stack:
        documents = [xml.build(form).content for form in bench_forms(_FORMS)]
        signed = [key.signed(content, FORM_AT) for content in documents]
        contenders: dict[str, Contender] = {
            "ours": timed(xml.verify, signed),
            "thorough": timed(lambda content: xml.verify(content, thorough=True), signed),
            "new": timed(xml.verify, _of_many(documents[0], scale.certificates)),
            "rsa": _bare(key, documents),
        }
        peers = _peers(key, signed, stack, scale)
        costs = in_turns(contenders, rounds=scale.rounds, block=scale.block)
        race = in_turns({"ours": contenders["ours"]} | peers, rounds=scale.rounds, block=scale.block)
    yield beside("verify_form_2k_vs_rsa", costs["ours"], costs["rsa"], bar="at most 2", small=True)
    yield beside("verify_form_2k_new_certificate_vs_rsa", costs["new"], costs["rsa"], small=True)
    yield beside("verify_form_2k_thorough_vs_rsa", costs["thorough"], costs["rsa"], small=True)
    if peers:
        fastest = min((race[name] for name in peers), key=lambda cost: cost.ms)
        yield faster("verify_form_2k_vs_peers", race["ours"], fastest, bar="at least 2.5")
    for name in peers:
        yield faster(f"verify_form_2k_vs_{name}", race["ours"], race[name], bar="at least 2.5")


def _bare(key: Key, documents: list[bytes]) -> Contender:
    """Verify the values with nothing around it."""
    public = x509.load_der_x509_certificate(key.certificate.der).public_key()
    digests = [xml.prepare(content, key.certificate, signing_time=NOW).digest for content in documents]
    pairs = [(key.value(digest), digest) for digest in digests]
    return timed(lambda pair: public.verify(*pair, PADDING, HASHED), pairs)


def _of_many(content: bytes, count: int) -> list[bytes]:
    """Sign a document with so many certificates, more than are remembered."""
    authority, signed = SandboxPki(NOW), []
    for _ in range(count):
        issued = authority.issue()
        prepared = xml.prepare(content, issued.info, signing_time=NOW)
        signed.append(xml.complete(prepared, issued.key.sign(prepared.digest, PADDING, HASHED)))
    return signed


def _peers(key: Key, signed: list[bytes], stack: ExitStack, scale: Scale) -> dict[str, Contender]:
    found: dict[str, Contender] = {}
    for name in installed():
        peer = library(name, key)
        if not all(map(peer.verify, signed)):
            raise ValueError(f"{name} does not take what is measured")
        found[name] = timed(peer.verify, signed)
    if program := java(key.folder):
        file = key.folder / "form.xml"
        file.write_bytes(signed[0])
        found["java"] = stack.enter_context(java_verifies(program, file, scale))
    return found
