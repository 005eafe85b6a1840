"""We judge signatures that others made in the field's shape."""

from __future__ import annotations

import random

import pytest
from interop.documents import read_again
from interop.verifiers import SIGNERS, Signer
from interop.workshop import MOMENT, NOON, flipped, place_in, positions

from benchmarks.peers.java import Java
from bhxh_sdk import xml
from bhxh_sdk.errors import VerificationError

EACH = [
    pytest.param(signer, id=signer.name, marks=pytest.mark.needs_tool(*signer.tools)) for signer in SIGNERS
]


@pytest.fixture
def signed(workshop):
    def signed(signer: Signer):
        folder = workshop.once(f"signed-by-{signer.name}", lambda into: signer.sign(workshop, into))
        return sorted(folder.iterdir())

    return signed


@pytest.mark.parametrize("signer", EACH)
def test_a_signature_of_another_maker_verifies_and_covers_the_form(workshop, signed, signer: Signer):
    files = signed(signer)
    assert len(files) >= 100
    for file in files:
        kind = file.stem.rpartition("-")[0]
        unsigned = (workshop.few_unsigned() / file.name).read_bytes()
        verified = xml.verify(file.read_bytes(), at=place_in(file))
        assert verified.certificate.der == workshop.key.certificate
        assert verified.signing_time == NOON
        assert read_again(kind, verified.content) == read_again(kind, unsigned)


@pytest.mark.parametrize("signer", EACH)
def test_its_document_with_one_changed_byte_is_refused(signed, signer: Signer):
    chance = random.Random(3)  # noqa: S311  # repeatable test data
    for file in signed(signer):
        content = file.read_bytes()
        changed = flipped(content, chance.choice(positions(content)))
        with pytest.raises(VerificationError):
            xml.verify(changed, at=place_in(file))


@pytest.mark.needs_tool("java", "javac")
def test_java_measures_itself(workshop):
    """For the benchmarks: rounds by order, in one warm process that ends with the block."""
    java = Java(workshop.once("java", Java))
    name = "portal-register-001.xml"
    signed, unsigned = workshop.signed("field") / name, workshop.unsigned() / name
    with (
        java.bench_verify(signed) as verifying,
        java.bench_sign(workshop.key, unsigned, place_in(unsigned), MOMENT) as signing,
    ):
        assert [verifying.median(2) > 0, signing.median(3) > 0, verifying.median(1) > 0] == [True] * 3
    assert verifying.has_ended
    assert signing.has_ended
