"""Inputs of unknown origin: the kept ones and fresh mutations give typed errors, and nothing else."""

from __future__ import annotations

import json
from random import Random

import pytest
from fuzz import run, targets
from fuzz.mutator import checksum, mutated, mutated_saved
from fuzz.seeds import CORPUS, Inputs, genuine, kept

from bhxh_sdk.errors import DocumentError

FRESH = 10_000


def test_the_kept_inputs_are_many_and_small():
    sizes = [path.stat().st_size for path in CORPUS.glob("*.*")]
    assert len(sizes) > 100
    assert sum(sizes) < 300_000


def test_every_kept_input_gives_a_value_or_a_typed_error():
    for kind, contents in kept().items():
        for content in contents:
            list(targets.outcome(kind, content))


@pytest.mark.parametrize("part", range(2))
def test_fresh_mutations_give_a_value_or_a_typed_error(part):
    chosen = Random().randrange(10**9)  # noqa: S311  # another run tries other inputs
    report = run.fuzz(FRESH, chosen)
    assert report.executions == FRESH
    assert report.findings == {}, f"--seed {chosen}"
    assert len(report.roads) > 100


def test_the_same_number_gives_the_same_changes():
    contents = genuine()["xml"]
    made = [[mutated(contents[0], random, contents) for _ in range(50)] for random in (Random(1), Random(1))]  # noqa: S311
    assert made[0] == made[1]
    assert len(set(made[0])) > 40


def test_genuine_documents_and_rightly_signed_mutations_are_reached():
    report = run.fuzz(300, 3)
    assert {"verify: verified", "read: read", "read_envelope: read", "parsed: parsed"} <= set(report.roads)
    assert "PreparedSignature.from_bytes: prepared" in report.roads
    kinds = {Inputs(number=number, pool=genuine()).next()[0] for number in range(200)}
    assert kinds == {"xml", "json"}


def test_a_saved_value_can_be_changed_behind_its_checksum():
    saved = genuine()["json"][0]
    data = json.loads(saved)
    assert data.pop("checksum") == checksum(data)
    made = {mutated_saved(saved, Random(number), [saved]) for number in range(50)}  # noqa: S311
    assert len(made) > 30
    assert mutated_saved(b"[", Random(1), [b"["]) is not None  # noqa: S311


def test_an_exception_of_another_kind_is_a_finding_and_is_made_small(monkeypatch):
    def fragile(content: bytes) -> str:
        if b"<a>" in content:
            raise ValueError("broken")
        raise DocumentError("document.not_signed")

    monkeypatch.setitem(targets.TARGETS, "xml", {"fragile": fragile})
    report = run.fuzz(3000, 1)
    ((name, (kind, content, told)),) = report.findings.items()
    assert told.startswith("fragile: ValueError in fragile, test_fuzz.py:")
    assert name == told[:80]
    assert run.smaller(content, run.same_finding(kind, told), tries=10_000) == b"<a>"
    assert not run.same_finding(kind, told)(b"")


def test_an_answer_that_takes_too_long_is_a_finding(monkeypatch):
    monkeypatch.setattr(targets, "SLOW", -1.0)
    with pytest.raises(targets.Finding, match="took"):
        list(targets.outcome("xml", b"<a/>"))


def test_roads_that_differ_are_a_finding(monkeypatch):
    monkeypatch.setitem(targets.VERIFIERS, "strange", lambda content, **options: None)
    with pytest.raises(targets.Finding, match="the roads differ"):
        list(targets.outcome("xml", genuine()["xml"][0]))


def test_a_road_is_kept_by_the_input_that_still_takes_it():
    content = genuine()["xml"][0]
    assert run.same_road("xml", "verify: verified")(content)
    assert not run.same_road("xml", "verify: verified")(b"")
