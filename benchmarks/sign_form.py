"""A registration of 2 KB signed with a soft key, from the model to signed bytes.

Beside it: the bare RSA operation on the same digests, and peers that sign the same documents, built already.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from attrs import evolve
from cryptography import x509

from benchmarks import FULL, Scale
from benchmarks.lab.libraries import installed, java, java_signs, library
from benchmarks.lab.material import FORM_AT, NOW, bench_forms, workplace
from benchmarks.lab.turns import beside, faster, in_turns, timed
from bhxh_sdk import DocumentSigner, xml
from bhxh_sdk.signers import SoftKeySigner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks import Result
    from benchmarks.lab.material import Key
    from benchmarks.lab.turns import Contender

__all__ = ["document_signer", "results"]

_FORMS = 64
_BARS = {"signxml": "at least 1.7", "python_xmlsec": "at least 1.7"}


def results(scale: Scale = FULL) -> Iterator[Result]:
    """Measure ours, the RSA operation and every peer in turns."""
    with workplace() as key, ExitStack() as stack:
        forms = bench_forms(_FORMS)
        documents = [xml.build(form).content for form in forms]
        prepared = [xml.prepare(content, key.certificate, signing_time=NOW) for content in documents]
        signer = stack.enter_context(document_signer(key))
        if not xml.verify(signer.sign(forms[0]).content).certificate == key.certificate:
            raise ValueError("what was signed does not verify")
        contenders: dict[str, Contender] = {
            "ours": timed(signer.sign, forms),
            "undated": timed(signer.sign, [evolve(form, made_on=None, starts_on=None) for form in forms]),
            "rsa": timed(key.value, [one.digest for one in prepared]),
        }
        peers = _peers(key, documents, stack, scale)
        costs = in_turns(contenders, rounds=scale.rounds, block=scale.block)
        race = in_turns({"ours": contenders["ours"]} | peers, rounds=scale.peer_rounds, block=scale.block)
    yield beside("sign_form_2k_vs_rsa", costs["ours"], costs["rsa"], bar="at most 1.10", small=True)
    yield beside("sign_form_2k_undated_vs_rsa", costs["undated"], costs["rsa"], small=True)
    for name in peers:
        bar = _BARS.get(name, "none")
        yield faster(f"sign_form_2k_vs_{name}", race["ours"], race[name], bar=bar)


def document_signer(key: Key) -> DocumentSigner:
    """Open a signer with the key at hand, as an integrator does."""
    certificate = x509.load_der_x509_certificate(key.certificate.der)
    return DocumentSigner(SoftKeySigner.from_key(key.private, [certificate]))


def _peers(key: Key, documents: list[bytes], stack: ExitStack, scale: Scale) -> dict[str, Contender]:
    found: dict[str, Contender] = {}
    for name in installed():
        peer = library(name, key)
        found[name] = timed(lambda content, peer=peer: peer.sign(content, FORM_AT), documents)
    if program := java(key.folder):
        file = key.folder / "form.xml"
        file.write_bytes(documents[0])
        found["java"] = stack.enter_context(java_signs(program, key, file, FORM_AT, scale))
    return found
