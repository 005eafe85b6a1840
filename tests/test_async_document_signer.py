from __future__ import annotations

import asyncio
import contextlib
import copy
import itertools
import pickle
import threading

import pytest
from batch_world import Card, forms
from workflow_world import NOW, Person, StillClock

import bhxh_sdk as bhxh
from bhxh_sdk import signers, xml
from bhxh_sdk.async_document_signer import AsyncDocumentSigner
from bhxh_sdk.errors import InputError, KeyPasswordError, SigningError, WrongTypeError
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.system import AskPerson


@pytest.fixture
def key():
    return signers.throwaway(now=NOW)


@pytest.fixture
def signed_by():
    """Sign documents; return the outcomes, and the error that ended them."""

    def signed_by(signer, documents, ask=None, **options):
        async def main():
            outcomes = []
            async with AsyncDocumentSigner(signer, ask=ask, clock=StillClock(), workers=2) as signing:
                try:
                    async for outcome in signing.sign_all(documents, **options):
                        outcomes.append(outcome)  # noqa: PERF401  # what came before an error is kept
                except Exception as error:  # noqa: BLE001  # judged by the test
                    return outcomes, error
                return outcomes, None

        return asyncio.run(main())

    return signed_by


@pytest.mark.parametrize("count", [0, 1, 200])
def test_outcomes_come_in_order(key, signed_by, count):
    documents = forms(count)
    outcomes, error = signed_by(key, documents)
    assert error is None
    assert [outcome.index for outcome in outcomes] == list(range(count))
    for outcome in outcomes[::40]:
        found = xml.read(xml.verify(outcome.signed.content).content)
        assert found.organisation.address == outcome.document.organisation.address
    assert bhxh.AsyncDocumentSigner is AsyncDocumentSigner


def test_a_key_that_failed_is_opened_anew_for_the_next_document(key):
    def pulled_out(digest, hash_name, scheme):
        raise SigningError

    async def main():
        async with AsyncDocumentSigner(key, clock=StillClock()) as signing:
            await signing.sign(forms(1)[0])
            signing._batch._key._key = pulled_out
            with pytest.raises(SigningError):
                await signing.sign(forms(1)[0])
            return await signing.sign(forms(1)[0])

    assert xml.verify(asyncio.run(main()).content)


def test_a_card_works_on_a_thread_of_its_own_and_asks_once(key, signed_by):
    class Slow(Card):
        async def start(self, jobs, certificate, ask, clock):
            names.append(threading.current_thread().name)
            return await super().start(jobs, certificate, ask, clock)

    names, person, card = [], Person(), Slow(key, largest_batch=2)
    outcomes, error = signed_by(card, [*forms(3), b"no xml"], person)
    assert error is None
    assert [outcome.error is None for outcome in outcomes] == [True, True, True, False]
    assert len(person.asked) == 1
    assert all(name.startswith("bhxh-signer") for name in names)
    assert card.closed


def test_an_error_of_the_signer_is_raised_after_what_was_signed(key, signed_by):
    card = Card(key, largest_batch=2, errors={1: KeyPasswordError(name="card")})
    outcomes, error = signed_by(card, forms(6), Person())
    assert len(outcomes) == 2
    assert isinstance(error, KeyPasswordError)


@pytest.mark.parametrize(("documents", "options"), [(b"<a/>", {}), ([], {"profile": "nonsense"})])
def test_what_is_impossible_is_refused(key, signed_by, documents, options):
    outcomes, error = signed_by(key, documents, **options)
    assert not outcomes
    assert isinstance(error, WrongTypeError | InputError)


@pytest.mark.parametrize("local", [True, False])
def test_one_document_is_signed(key, local):
    async def main():
        signer = key if local else Card(key)
        async with AsyncDocumentSigner(signer, ask=Person(), on_pending=print) as signing:
            return [await signing.sign(form, signing_time=NOW) for form in forms(2)]

    assert all(xml.verify(signed.content).signing_time == NOW for signed in asyncio.run(main()))


def test_an_early_end_leaves_no_thread_behind(key):
    async def main():
        async with AsyncDocumentSigner(key, clock=StillClock()) as signing:
            run = signing.sign_all(itertools.cycle(forms(1)))
            async with contextlib.aclosing(run):
                async for outcome in run:
                    if outcome.index == 5:
                        break
            return [thread.name for thread in threading.enumerate() if thread.name.startswith("bhxh-batch")]

    assert asyncio.run(main()) == []


def test_a_cancelled_batch_leaves_no_thread_behind(key):
    async def main():
        async with AsyncDocumentSigner(key, clock=StillClock()) as signing:

            async def read():
                async for _ in signing.sign_all(itertools.cycle(forms(1))):
                    started.set()

            started = asyncio.Event()
            task = asyncio.create_task(read())
            await started.wait()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("bhxh-batch")]


def test_it_is_closed_unused_and_shows_nothing(key):
    signing = AsyncDocumentSigner(key)
    assert repr(signing) == "AsyncDocumentSigner(SoftKeySigner('softkey:new'))"
    for spread in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            spread(signing)
    asyncio.run(signing.close())
    with pytest.raises(SigningError):
        asyncio.run(signing.sign(forms(1)[0]))


def test_the_holder_asks_for_the_password_of_the_certificates(tmp_path):
    path, asked = tmp_path / "k.p12", []
    path.write_bytes(SandboxPki(NOW).issue().p12("bí mật"))

    async def answer(question):
        asked.append(question)
        return "bí mật"

    async def signed():
        signer = signers.SoftKeySigner.from_file(path)
        async with AsyncDocumentSigner(
            signer, ask=AskPerson(on_secret=answer), clock=StillClock()
        ) as signing:
            return await signing.sign(forms(1)[0])

    assert asyncio.run(signed()).content
    assert len(asked) == 1
