from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.errors import InputError
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.signers import (
    HashName,
    SigningJob,
    SigningState,
    SigningTransaction,
    transaction_from_dict,
    transaction_to_dict,
)

ZONES = st.integers(-720, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))

transactions = st.builds(
    SigningTransaction,
    transaction_id=st.text(min_size=1),
    backend=st.text(),
    state=st.sampled_from(SigningState),
    key_id=st.text(),
    provider_id=st.text(),
    signatures=st.dictionaries(st.text(), st.binary(max_size=300), max_size=3),
    deadline=st.none() | st.datetimes(timezones=ZONES, allow_imaginary=False),
    poll_after_seconds=st.floats(0, 1e6),
    jobs=st.lists(
        st.builds(
            SigningJob,
            document_id=st.text(),
            digest=st.binary(min_size=32, max_size=64),
            hash_name=st.sampled_from(HashName),
            document_name=st.text(),
            file_type=st.text(),
            scheme=st.sampled_from(SignatureScheme),
        ),
        max_size=3,
    ).map(tuple),
    stage=st.text(),
    certificate=st.binary(max_size=50),
    account=st.text(),
    show=st.text(),
    failure=st.text(),
    reason_code=st.text(),
    reason_name=st.text(),
    reason=st.text(),
)


@given(transactions)
def test_a_transaction_comes_back_from_json_as_it_was(transaction):
    kept = json.dumps(transaction_to_dict(transaction))
    assert transaction_from_dict(json.loads(kept)) == transaction


def good():
    transaction = SigningTransaction(
        transaction_id="1",
        backend="phone",
        state=SigningState.DONE,
        signatures={"a": b"x"},
        deadline=datetime(2026, 9, 1, tzinfo=UTC),
    )
    return transaction_to_dict(transaction)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("transaction_id", 5),
        ("jobs", {}),
        ("jobs", [5]),
        ("jobs", [{"document_id": "a"}]),
        ("certificate", "*"),
        ("stage", None),
        ("state", "finished"),
        ("state", []),
        ("signatures", ["a"]),
        ("signatures", {"a": 1}),
        ("signatures", {"a": "é"}),
        ("signatures", {"a": "AAA"}),
        ("deadline", "soon"),
        ("deadline", "2026-09-01T00:00:00"),
        ("deadline", 5),
        ("poll_after_seconds", -1),
        ("poll_after_seconds", "1"),
        ("poll_after_seconds", float("inf")),
        ("show", None),
    ],
)
def test_a_damaged_member_is_named(field, value):
    with pytest.raises(InputError) as caught:
        transaction_from_dict({**good(), field: value})
    assert (caught.value.code, caught.value.field) == ("signing.transaction_broken", field)


def test_a_missing_member_is_named():
    data = good()
    del data["backend"]
    with pytest.raises(InputError) as caught:
        transaction_from_dict(data)
    assert caught.value.field == "backend"


def test_a_transaction_of_the_version_before_is_read():
    new = {"jobs", "stage", "certificate", "account", "failure", "reason_code", "reason_name"}
    kept = {name: value for name, value in good().items() if name not in new} | {"version": 1}
    assert transaction_from_dict(kept) == transaction_from_dict(good())


@pytest.mark.parametrize("version", [None, 3, "1"])
def test_another_version_is_refused(version):
    with pytest.raises(InputError) as caught:
        transaction_from_dict({**good(), "version": version})
    assert caught.value.code == "signing.transaction_version"
