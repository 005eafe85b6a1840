"""Every attack is refused, by every road, for its own reason."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from attacks.corpus import CORPUS
from attacks.forge import SEEDS, seed
from attacks.harmless import HARMLESS, UNTRUSTED, Harmless
from attacks.verifiers import VERIFIERS, judged, shown

from bhxh_sdk import xml
from bhxh_sdk.errors import VerificationError

if TYPE_CHECKING:
    from attacks.attack import Attack, Verdict


def _named(table: list[Attack] | tuple[Attack, ...] | list[Harmless]) -> list[object]:
    return [pytest.param(entry, id=entry.name) for entry in table]


@pytest.fixture(params=VERIFIERS)
def verify(request):
    return VERIFIERS[request.param]


def test_the_corpus_is_large_and_names_each_attack_once():
    names = Counter(attack.name for attack in CORPUS)
    assert len(names) >= 260
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("name", SEEDS)
def test_the_documents_that_attacks_start_from_are_genuine(verify, name):
    genuine = seed(name)
    assert verify(genuine.signed, at=genuine.at).content == genuine.content


def _told(error: VerificationError, verdict: Verdict) -> tuple[object, ...]:
    """Return what the error says of what the verdict expects; an element without its namespace."""
    facts = {name: str(error.parameters.get(name)).rpartition("}")[2] for name in verdict.facts}
    return error.reason, error.code, facts


@pytest.mark.parametrize("attack", _named(CORPUS))
def test_an_attack_is_refused_by_every_road_for_its_own_reason(attack):
    for name in attack.seeds:
        genuine = seed(name)
        content = attack.change(genuine)
        assert content != genuine.signed or attack.options
        first, *others = [judged(road, content, at=genuine.at, **attack.options) for road in VERIFIERS]
        assert isinstance(first, VerificationError), name
        expected = attack.verdict
        assert _told(first, expected) == (expected.reason, expected.code, dict(expected.facts)), name
        for other in others:
            as_signed = isinstance(other, xml.Verified) and attack.raw and other.content == attack.raw
            assert as_signed or shown(other) == shown(first), name
        for language in ("vi", "en"):
            assert first.message(language) not in {"", first.code}


@pytest.mark.parametrize("change", _named(HARMLESS))
def test_a_harmless_change_is_accepted_by_every_road_and_leaves_no_lie(change):
    for name in change.seeds:
        genuine = seed(name)
        content = change.change(genuine)
        assert content != genuine.signed
        verified, *others = [judged(road, content, at=genuine.at) for road in VERIFIERS]
        assert isinstance(verified, xml.Verified), (name, verified)
        assert all(other == verified for other in others)
        assert verified.content == genuine.content
        assert verified.certificate.der == genuine.shape.owner.certificate
        assert not verified.trusted
        assert not change.lie or change.lie not in _everything(verified)


def _everything(verified: xml.Verified) -> str:
    certificate = verified.certificate
    return f"{verified!r}{verified.content.decode()}{certificate!r}{certificate.subject}"


def test_what_a_changed_signing_time_says_is_told_and_marked_as_not_protected():
    genuine = seed("portal")
    verified = xml.verify(HARMLESS[0].change(genuine), at=genuine.at)
    assert verified.signing_time is not None
    assert verified.signing_time.year == 1999
    assert not verified.is_time_protected


def test_a_name_in_a_certificate_that_nobody_checked_is_not_trusted(verify):
    genuine = seed("portal")
    verified = verify(UNTRUSTED.change(genuine), at=genuine.at)
    assert verified.content == genuine.content
    assert not verified.trusted
