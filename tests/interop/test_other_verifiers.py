"""Independent verifiers judge our signatures."""

from __future__ import annotations

from collections import Counter

import pytest
from interop.documents import COUNT, PROFILES
from interop.verifiers import VERIFIERS, Verifier
from interop.workshop import place_in

from bhxh_sdk import xml
from bhxh_sdk.errors import VerificationError

EACH = [
    pytest.param(verifier, id=verifier.name, marks=pytest.mark.needs_tool(*verifier.tools))
    for verifier in VERIFIERS
]
EACH_WITH_SHAPE = [
    pytest.param(
        verifier, shape, id=f"{verifier.name}-{shape}", marks=pytest.mark.needs_tool(*verifier.tools)
    )
    for shape in sorted({shape for verifier in VERIFIERS for shape in verifier.shapes})
    for verifier in VERIFIERS
    if shape in verifier.shapes
]
STARTS_ANEW_AFTER_EACH_REFUSAL = {"xmlsec1"}


def refused_by(verdicts) -> dict[str, str]:
    return {name: answer.reason for name, answer in verdicts.items() if not answer.accepted}


def test_there_are_enough_documents_of_every_profile(workshop):
    kinds = Counter(file.stem.rpartition("-")[0] for file in workshop.signed("field").iterdir())
    assert kinds == dict.fromkeys(PROFILES, COUNT)


@pytest.mark.parametrize(("verifier", "shape"), EACH_WITH_SHAPE)
def test_every_document_is_accepted(workshop, verifier: Verifier, shape: str):
    profile = xml.signature_profile(shape)
    folder = workshop.signed(shape)
    verdicts = workshop.verdicts(verifier, folder, profile.at if profile.over else None)
    assert refused_by(verdicts) == {}
    assert len(verdicts) >= COUNT
    if verifier.tools:
        assert set(verdicts) == {file.name for file in folder.iterdir()}


@pytest.mark.parametrize("verifier", EACH)
def test_the_certificate_alone_leads_to_the_same_answer(workshop, verifier: Verifier):
    verdicts = workshop.verdicts(verifier, workshop.without_key_value())
    assert refused_by(verdicts) == {}
    assert len(verdicts) == len(PROFILES)


@pytest.mark.parametrize("verifier", EACH)
def test_a_document_with_one_changed_byte_is_refused(workshop, verifier: Verifier):
    verdicts = workshop.verdicts(verifier, workshop.changed_somewhere())
    assert len(verdicts) == 100
    assert len(refused_by(verdicts)) == 100


@pytest.mark.parametrize("verifier", [each for each in EACH if each.id not in STARTS_ANEW_AFTER_EACH_REFUSAL])
def test_a_change_of_any_byte_is_refused(workshop, verifier: Verifier):
    verdicts = workshop.verdicts(verifier, workshop.changed_everywhere())
    assert len(verdicts) >= COUNT
    assert refused_by(verdicts).keys() == verdicts.keys()


def test_we_refuse_the_same_documents(workshop):
    for folder in (workshop.changed_somewhere(), workshop.changed_everywhere()):
        for file in folder.iterdir():
            with pytest.raises(VerificationError):
                xml.verify(file.read_bytes(), at=place_in(file))
