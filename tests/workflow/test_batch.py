from __future__ import annotations

import asyncio

import attrs
import pytest
from batch_world import Card, forms
from hypothesis import given
from hypothesis import strategies as st
from workflow_world import Person, StillClock, a_form, a_licence

from bhxh_sdk import xml
from bhxh_sdk.errors import DocumentError, InputError, KeyPasswordError, SigningExpiredError
from bhxh_sdk.workflow import batch as batches
from bhxh_sdk.workflow.batch import BatchDone, BatchGroup, grouped, signed_here, signed_there
from bhxh_sdk.workflow.signing_batch import SigningBatch, SigningWay

WAY = SigningWay()


@pytest.fixture
def opened(soft_key):
    def opened(signer=soft_key):
        return asyncio.run(SigningBatch.opened(signer, None, Person(), StillClock()))

    return opened


def group(*documents, failure=None):
    return BatchGroup(list(enumerate(documents)), failure)


@given(count=st.integers(0, 40), size=st.integers(1, 12))
def test_groups_hold_every_document_once_and_in_order(count, size):
    documents = [b"<a/>"] * count
    groups = list(grouped(documents, size))
    assert [index for part in groups for index, _ in part.items] == list(range(count))
    assert all(len(part.items) == size for part in groups[:-1])
    assert all(0 < len(part.items) <= size for part in groups)


def test_large_documents_end_a_group_early():
    licence = a_licence()
    form = a_form(attachments=(licence,))
    heavy = len(licence.content)
    assert [len(part.items) for part in grouped([form] * 4, 100, 2 * heavy)] == [2, 2]
    built = xml.build(forms(1)[0])
    assert [len(part.items) for part in grouped([built] * 3, 100, len(built.content))] == [1, 1, 1]
    assert [len(part.items) for part in grouped([object()] * 3, 100, 1)] == [3]


def test_no_further_than_the_present_group_is_read():
    read = []

    def source():
        for number in range(100):
            read.append(number)
            yield b"<a/>"

    next(grouped(source(), 7))
    assert len(read) == 7


@pytest.mark.parametrize("before", [0, 1, 3])
def test_an_error_of_the_source_comes_after_what_it_gave(before):
    def source():
        yield from [b"<a/>"] * before
        raise OSError

    groups = list(grouped(source(), 3))
    assert sum(len(part.items) for part in groups) == before
    assert [type(part.failure) for part in groups][-1] is OSError


@pytest.mark.parametrize("local", [True, False])
def test_one_bad_document_never_stops_the_others(opened, soft_key, local):
    good = forms(1)[0]
    bad = attrs.evolve(good, organisation=attrs.evolve(good.organisation, address="a\x00b"))
    documents = group(good, b"no xml", bad, good, 7)
    batch = opened(soft_key if local else Card(soft_key))
    done = signed_here(batch, WAY, documents) if local else asyncio.run(signed_there(batch, WAY, documents))
    assert [outcome.index for outcome in done.outcomes] == [0, 1, 2, 3, 4]
    assert [outcome.signed is not None for outcome in done.outcomes] == [True, False, False, True, False]
    assert isinstance(done.outcomes[1].error, DocumentError)
    assert all(isinstance(done.outcomes[index].error, InputError) for index in (2, 4))
    assert done.outcomes[3].document is good
    assert done.failure is None


def test_an_error_of_the_signer_ends_a_group_after_what_was_signed(opened):
    batch, calls = opened(), []
    real = batch._key

    def failing(digest, hash_name, scheme):
        calls.append(digest)
        if len(calls) == 3:
            raise SigningExpiredError
        return real(digest, hash_name, scheme)

    batch._key = failing
    done = signed_here(batch, WAY, group(*forms(5)))
    assert [outcome.index for outcome in done.outcomes] == [0, 1]
    assert isinstance(done.failure, SigningExpiredError)
    assert len(calls) == 3


def test_an_error_of_a_remote_signer_signs_nothing_of_the_group(opened, soft_key):
    batch = opened(Card(soft_key, errors={0: KeyPasswordError(name="card")}))
    with pytest.raises(KeyPasswordError):
        asyncio.run(signed_there(batch, WAY, group(*forms(2))))


def test_outcomes_are_handed_out_before_the_error(opened):
    failure = OSError()
    done = signed_here(opened(), WAY, group(*forms(2), failure=failure))
    handed = done.handed_out()
    assert [next(handed).index for _ in range(2)] == [0, 1]
    with pytest.raises(OSError) as caught:  # noqa: PT011  # the very one
        next(handed)
    assert caught.value is failure
    assert list(BatchDone(()).handed_out()) == []


def test_an_outcome_shows_no_document(opened):
    (outcome,) = signed_here(opened(), WAY, group(*forms(1))).outcomes
    assert "Đường Ví Dụ" not in repr(outcome)
    assert batches.GROUP_BYTES > 0
