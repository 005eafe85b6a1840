from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk import trust
from bhxh_sdk.errors import InputError, VerificationError, WrongTypeError

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=7)), timezone(timedelta(hours=-3, minutes=-30))])
WORDS = st.text(max_size=30).filter(lambda text: text.isprintable())
EVIDENCE = st.builds(
    trust.Evidence,
    gathered_at=st.datetimes(timezones=ZONES),
    certificates=st.tuples(st.binary(max_size=40)),
    lists=st.lists(
        st.builds(trust.RevocationList, content=st.binary(max_size=40), source=WORDS, certificate=WORDS),
        max_size=3,
    ).map(tuple),
    answers=st.lists(
        st.builds(trust.OcspAnswer, content=st.binary(max_size=40), source=WORDS, certificate=WORDS),
        max_size=3,
    ).map(tuple),
    failures=st.lists(st.builds(trust.Failure, source=WORDS, certificate=WORDS, code=WORDS), max_size=3).map(
        tuple
    ),
)


@given(EVIDENCE)
def test_evidence_survives_being_kept(evidence):
    kept = evidence.to_bytes()
    assert trust.Evidence.from_bytes(kept) == evidence
    assert trust.Evidence.from_bytes(kept).to_bytes() == kept


@given(at=st.integers(0, 10_000), replacement=st.integers(0, 255))
def test_damage_is_noticed(at, replacement):
    evidence = trust.Evidence(gathered_at=NOON, lists=(trust.RevocationList(content=b"list"),))
    kept = bytearray(evidence.to_bytes())
    kept[at % len(kept)] = replacement
    with suppress(VerificationError):
        assert trust.Evidence.from_bytes(bytes(kept)) == evidence


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"[]", b"{}", b"[" * 100_000, b"\xff", json.dumps({"format": "x"}).encode()]
)
def test_what_is_no_evidence_is_refused(refused, content):
    with refused("trust.evidence_damaged"):
        trust.Evidence.from_bytes(content)


def test_of_another_format_is_refused(refused):
    kept = trust.Evidence(gathered_at=NOON).to_bytes().replace(b"evidence 1", b"evidence 9")
    with refused("trust.evidence_damaged"):
        trust.Evidence.from_bytes(kept)


def test_the_time_of_gathering_has_a_zone(refused):
    with refused("trust.no_zone", InputError, field="gathered_at"):
        trust.Evidence(gathered_at=datetime(2026, 6, 1))  # noqa: DTZ001  # the zone that is missing
    with pytest.raises(WrongTypeError):
        trust.Evidence(gathered_at="2026-06-01")
