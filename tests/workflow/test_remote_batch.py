"""Documents that a person signs elsewhere: one confirmation for a call, and nothing is asked for twice."""

from __future__ import annotations

import asyncio

import pytest
from batch_world import forms
from handset import Handset, Unnoted, lost
from workflow_world import StillClock

from bhxh_sdk import AsyncDocumentSigner, DocumentSigner, xml
from bhxh_sdk.errors import (
    NotSentError,
    SignatureMismatchError,
    SigningDeclinedError,
    SigningExpiredError,
    StillWaitingError,
    UnknownOutcomeError,
)
from bhxh_sdk.models import Document
from bhxh_sdk.signers import SigningState

PENDING, AMBIGUOUS = SigningState.PENDING, SigningState.AMBIGUOUS


def in_turn(signer, documents):
    """Sign documents; return what was signed, and the error that ended the batch."""
    signed = []
    with DocumentSigner(signer, clock=StillClock()) as signing:
        try:
            signed.extend(signing.sign_all(documents))
        except Exception as error:  # noqa: BLE001  # the tests look at it
            return signed, error
    return signed, None


def in_a_loop(signer, documents):
    async def main():
        signed = []
        async with AsyncDocumentSigner(signer, clock=StillClock()) as signing:
            try:
                async for outcome in signing.sign_all(documents):
                    signed.append(outcome)  # noqa: PERF401  # what came before the error counts
            except Exception as error:  # noqa: BLE001  # as above
                return signed, error
        return signed, None

    return asyncio.run(main())


@pytest.fixture(params=[in_turn, in_a_loop])
def sign_all(request):
    return request.param


@pytest.mark.parametrize("kind", ["form", "document"])
def test_five_hundred_small_documents_are_one_confirmation(soft_key, sign_all, kind):
    documents = forms(500)
    if kind == "document":
        documents = [xml.build(form) for form in documents]
        assert isinstance(documents[0], Document)
    handset = Handset(soft_key, largest_batch=500)
    outcomes, error = sign_all(handset, documents)
    assert error is None
    assert [outcome.index for outcome in outcomes] == list(range(500))
    assert [len(ring) for ring in handset.rings] == [500]
    for outcome in outcomes[::99]:
        assert xml.verify(outcome.signed.content)


@pytest.mark.parametrize(("largest", "rings"), [(1, [1] * 5), (2, [2, 2, 1]), (5, [5]), (50, [5])])
def test_as_many_go_into_one_call_as_it_takes(soft_key, sign_all, largest, rings):
    handset = Handset(soft_key, largest_batch=largest)
    outcomes, error = sign_all(handset, forms(5))
    assert (len(outcomes), error) == (5, None)
    assert [len(ring) for ring in handset.rings] == rings


ENDS = [
    (AMBIGUOUS, UnknownOutcomeError),
    (SigningState.DECLINED, SigningDeclinedError),
    (SigningState.EXPIRED, SigningExpiredError),
    (NotSentError(), NotSentError),
    (lost(), UnknownOutcomeError),
]


@pytest.mark.parametrize(("end", "kind"), ENDS)
@pytest.mark.parametrize("notes", [True, False])
def test_what_was_signed_before_is_kept_and_nothing_starts_after(soft_key, sign_all, end, kind, notes):
    handset = Handset(soft_key, largest_batch=2, starts=[None, end])
    outcomes, error = sign_all(handset if notes else Unnoted(handset), forms(6))
    assert [outcome.index for outcome in outcomes] == [0, 1]
    assert all(xml.verify(outcome.signed.content) for outcome in outcomes)
    assert type(error) is kind
    assert [len(ring) for ring in handset.rings] == [2, 2]


def test_nobody_confirms_in_time(soft_key, sign_all):
    handset = Handset(soft_key, largest_batch=2, starts=[None, PENDING], asks=[PENDING] * 100)
    outcomes, error = sign_all(handset, forms(6))
    assert len(outcomes) == 2
    assert type(error) is StillWaitingError
    assert error.reference == handset.asked[-1].transaction_id
    assert len(handset.rings) == 2


def test_values_of_one_transaction_that_are_exchanged_sign_nothing(soft_key, sign_all, monkeypatch):
    real = Handset._stands

    async def exchanged(self, transaction, plan, clock):
        found = await real(self, transaction, plan, clock)
        names = list(found.signatures)
        values = [found.signatures[name] for name in reversed(names)]
        found.signatures.update(zip(names, values, strict=True))
        return found

    monkeypatch.setattr(Handset, "_stands", exchanged)
    outcomes, error = sign_all(Handset(soft_key), forms(2))
    assert (outcomes, type(error)) == ([], SignatureMismatchError)
