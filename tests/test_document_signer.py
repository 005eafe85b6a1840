from __future__ import annotations

import asyncio
import copy
import gc
import itertools
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time

import attrs
import pytest
from batch_world import Card, forms, on_curve
from workflow_world import NOW, Person, StillClock

import bhxh_sdk as bhxh
from bhxh_sdk import signers, xml
from bhxh_sdk.document_signer import GROUP_OF_A_THREAD, DocumentSigner, checked_workers
from bhxh_sdk.errors import (
    InputError,
    KeyPasswordError,
    SigningDeclinedError,
    SigningError,
    StillWaitingError,
    WrongTypeError,
)
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.signers import SigningState, SoftKeySigner
from bhxh_sdk.system import AskPerson
from bhxh_sdk.token_errors import TokenRemovedError


@pytest.fixture
def key():
    return signers.throwaway(now=NOW)


@pytest.fixture
def signing(key):
    with DocumentSigner(key, clock=StillClock(), workers=2) as opened:
        yield opened


def threads_of_batches():
    return [thread for thread in threading.enumerate() if thread.name.startswith("bhxh-batch")]


def test_one_form_is_signed_with_a_key_at_hand(signing):
    (form,) = forms(1)
    signed = signing.sign(form)
    assert xml.verify(signed.content).signing_time == NOW
    assert signed.certificate == signing.certificate
    assert bhxh.DocumentSigner is DocumentSigner


def test_one_form_is_signed_by_a_signer_elsewhere(key):
    with DocumentSigner(Card(key), ask=Person(), clock=StillClock()) as signing:
        assert xml.verify(signing.sign(forms(1)[0], profile="rsa-pss").content, profile="rsa-pss")


def test_ecdsa_with_a_certificate_that_was_given(key):
    signer = on_curve()
    (certificate,) = asyncio.run(signer.certificates())
    with DocumentSigner(signer, certificate=certificate) as signing:
        (outcome,) = signing.sign_all(forms(1), profile="ecdsa", signing_time=NOW)
        assert xml.verify(outcome.signed.content, profile="ecdsa").signing_time == NOW


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, GROUP_OF_A_THREAD, 3 * GROUP_OF_A_THREAD + 5])
def test_outcomes_come_in_order_whatever_the_threads(signing, workers, count):
    documents = forms(count)
    outcomes = list(signing.sign_all(documents, workers=workers))
    assert [outcome.index for outcome in outcomes] == list(range(count))
    assert all(outcome.document is form for outcome, form in zip(outcomes, documents, strict=True))
    for outcome in outcomes[::20]:
        found = xml.read(xml.verify(outcome.signed.content).content)
        assert found.organisation.address == outcome.document.organisation.address
    assert threads_of_batches() == []


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_documents_among_good_ones(signing, workers):
    documents = [*forms(40), b"no xml", *forms(40)]
    outcomes = list(signing.sign_all(documents, workers=workers))
    assert [outcome.index for outcome in outcomes if outcome.error] == [40]
    assert sum(outcome.signed is not None for outcome in outcomes) == 80


def test_a_card_gets_as_many_digests_as_it_takes_and_asks_once(key):
    card, person = Card(key, largest_batch=3), Person()
    with DocumentSigner(card, ask=person, clock=StillClock()) as signing:
        outcomes = list(signing.sign_all([*forms(3), b"no xml", *forms(3)]))
    assert [len(jobs) for jobs in card.calls] == [3, 2, 1]
    assert [outcome.index for outcome in outcomes if outcome.error] == [3]
    assert len(person.asked) == 1
    assert card.closed


def test_a_card_of_one_digest_signs_one_after_the_other(key):
    card, person = Card(key, largest_batch=1), Person()
    with DocumentSigner(card, ask=person, clock=StillClock()) as signing:
        run = signing.sign_all(forms(3))
        next(run)
        assert len(card.calls) == 1
        assert len(list(run)) == 2
    assert len(person.asked) == 1


@pytest.mark.parametrize("form", ["pem", "p12"])
def test_one_question_for_the_password_of_a_key_file(tmp_path, form):
    issued = SandboxPki(NOW).issue()
    path = tmp_path / "k"
    content = issued.p12("bí mật") if form == "p12" else issued.key_pem("bí mật") + issued.certificates_pem()
    path.write_bytes(content)
    asked = []
    ask = AskPerson(on_secret=lambda question: asked.append(question) or "bí mật")
    signer = SoftKeySigner.from_file(path, ask=ask)
    own = next(item for item in asyncio.run(issued.signer().certificates()) if item.has_private_key)
    with DocumentSigner(signer, certificate=own, ask=ask, clock=StillClock(), workers=2) as signing:
        assert len(list(signing.sign_all(forms(70)))) == 70
        signing.sign(forms(1)[0])
    assert len(asked) == 1


@pytest.fixture
def p12(tmp_path):
    path = tmp_path / "k.p12"
    path.write_bytes(SandboxPki(NOW).issue().p12("bí mật"))
    return path


def test_the_holder_asks_for_the_password_of_the_certificates(p12):
    asked = []
    ask = AskPerson(on_secret=lambda question: asked.append(question) or "bí mật")
    with DocumentSigner(
        signers.open_signer(f"softkey:{p12}"), ask=ask, clock=StillClock(), workers=2
    ) as signing:
        assert len(list(signing.sign_all(forms(40)))) == 40
        assert signing.sign(forms(1)[0]).content
    assert [question.purpose for question in asked] == ["key_password"]


def test_the_signers_own_person_is_asked_first(p12):
    own = AskPerson(on_secret=lambda _: "bí mật")
    with DocumentSigner(SoftKeySigner.from_file(p12, ask=own), clock=StillClock()) as signing:
        assert signing.certificate


def test_a_wrong_password_for_the_certificates_is_asked_for_again(p12):
    answers = iter(["sai", "bí mật"])
    ask = AskPerson(on_secret=lambda _: next(answers))
    with DocumentSigner(SoftKeySigner.from_file(p12), ask=ask, clock=StillClock()) as signing:
        with pytest.raises(KeyPasswordError):
            signing.sign(forms(1)[0])
        assert signing.sign(forms(1)[0]).content


def test_a_wrong_pin_ends_the_batch_and_is_never_tried_again(key):
    card, person = Card(key, largest_batch=2, errors={1: KeyPasswordError(name="card")}), Person()
    with DocumentSigner(card, ask=person, clock=StillClock()) as signing:
        got = []
        with pytest.raises(KeyPasswordError):
            got.extend(iter_all(signing.sign_all(forms(6)), got))
        assert [outcome.index for outcome in got] == [0, 1]
        assert len(card.calls) == 2
        signing.sign(forms(1)[0])
    assert len(person.asked) == 2


def iter_all(run, into):
    """Collect while iterating, so that what came before an error is kept."""
    for outcome in run:
        into.append(outcome)
    return ()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", [SigningDeclinedError, ZeroDivisionError])
def test_an_error_of_the_key_is_raised_after_what_was_signed(signing, workers, kind):
    signing.certificate  # noqa: B018  # opens the key
    real, count = signing._batch._key._key, itertools.count()

    def failing(digest, hash_name, scheme):
        if next(count) >= 75:
            raise kind
        return real(digest, hash_name, scheme)

    signing._batch._key._key = failing
    got: list[object] = []
    with pytest.raises(kind):
        iter_all(signing.sign_all(forms(500), workers=workers), got)
    assert [outcome.index for outcome in got] == list(range(len(got)))
    assert len(got) == 75 if workers == 1 else 0 < len(got) <= 75
    assert threads_of_batches() == []


def test_a_key_that_failed_is_opened_anew_for_the_next_document(signing):
    certificate, first = signing.certificate, signing._batch

    def pulled_out(digest, hash_name, scheme):
        raise TokenRemovedError(name="HR")

    first._key._key = pulled_out
    with pytest.raises(TokenRemovedError):
        signing.sign(forms(1)[0])
    assert signing.sign(forms(1)[0]).certificate == certificate
    assert signing._batch is not first
    assert signing._batch is signing._opened()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("signer", ["at hand", "card"])
def test_an_error_of_the_source_is_raised_after_what_it_gave(key, workers, signer):
    def source():
        yield from forms(70)
        raise OSError

    got: list[object] = []
    own = key if signer == "at hand" else Card(key)
    with DocumentSigner(own, ask=Person(), clock=StillClock()) as signing:
        with pytest.raises(OSError):  # noqa: PT011  # any other would be another class
            iter_all(signing.sign_all(source(), workers=workers), got)
        assert len(got) == 70


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_a_source_is_read_only_a_little_ahead(signing, workers):
    read = itertools.count()
    last = -1

    def source():
        nonlocal last
        for form in itertools.cycle(forms(1)):
            last = next(read)
            yield form

    run = signing.sign_all(source(), workers=workers)
    assert last == -1
    for _ in range(100):
        outcome = next(run)
        ahead = 1 if workers == 1 else 2 * workers * GROUP_OF_A_THREAD
        assert last - outcome.index <= ahead
    run.close()
    assert threads_of_batches() == []


def test_an_early_break_leaves_no_thread_behind(signing):
    for outcome in signing.sign_all(itertools.cycle(forms(1))):
        if outcome.index == 5:
            break
    gc.collect()
    assert threads_of_batches() == []


def test_what_is_not_read_to_its_end_is_stopped_with_the_signer(key):
    with DocumentSigner(key, clock=StillClock(), workers=2) as signing:
        run = signing.sign_all(itertools.cycle(forms(1)))
        next(run)
        assert threads_of_batches()
    assert threads_of_batches() == []
    assert list(run) == []
    with pytest.raises(SigningError) as caught:
        signing.sign(forms(1)[0])
    assert caught.value.code == "signing.closed"


def test_large_documents_are_not_heaped_up(signing):
    built = xml.build(forms(1)[0]).content
    large = built.replace(b"<Hoso", b"<Hoso" + b" " * (1 << 20), 1)
    outcomes = signing.sign_all([large] * 5, workers=2)
    assert sum(outcome.signed is not None for outcome in outcomes) == 5


def test_two_batches_may_be_read_in_turn(signing):
    one, two = signing.sign_all(forms(100)), signing.sign_all(forms(100))
    pairs = list(zip(one, two, strict=True))
    assert all(first.index == second.index for first, second in pairs)
    assert all(first.signed == second.signed for first, second in pairs)


def test_a_person_who_confirms_elsewhere_is_waited_for(key):
    told = []

    def pending(done):
        return attrs.evolve(done, state=SigningState.PENDING)

    card = Card(key, changed=pending)
    with (
        DocumentSigner(card, ask=Person(), clock=StillClock(), on_pending=told.append) as signing,
        pytest.raises(StillWaitingError),
    ):
        signing.sign(forms(1)[0])
    assert told


@pytest.mark.parametrize(
    ("workers", "kind"), [(0, InputError), (-1, InputError), ("2", WrongTypeError), (1.5, WrongTypeError)]
)
def test_an_impossible_number_of_threads_is_refused(key, signing, workers, kind):
    for call in (lambda: DocumentSigner(key, workers=workers), lambda: signing.sign_all([], workers=workers)):
        with pytest.raises(kind) as caught:
            call()
        assert caught.value.field == "workers"
        assert caught.value.message("vi")


@pytest.mark.parametrize("one", [b"<a/>", "<a/>", forms(1)[0], xml.build(forms(1)[0]), None])
def test_one_document_in_place_of_many_is_refused(signing, one):
    with pytest.raises(WrongTypeError) as caught:
        signing.sign_all(one)
    assert caught.value.field == "documents"


def test_an_impossible_way_is_refused_before_a_document_is_read(signing):
    with pytest.raises(InputError):
        signing.sign_all(iter(forms(1)), profile="nonsense")


def test_it_shows_and_gives_away_nothing(key):
    signing = DocumentSigner(key)
    assert repr(signing) == "DocumentSigner(SoftKeySigner('softkey:new'))"
    for spread in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            spread(signing)


ENDLESS = """
    import itertools, threading, time
    from batch_world import forms
    import bhxh_sdk as bhxh

    with bhxh.DocumentSigner(bhxh.open_signer("softkey:new"), workers=2) as signing:
        try:
            for outcome in signing.sign_all(itertools.cycle(forms(1))):
                if outcome.index == 100:
                    print("going", flush=True)
        except KeyboardInterrupt:
            left = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
            print("stopped", left, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no Ctrl-C to one process")
def test_ctrl_c_stops_at_once_and_leaves_no_thread(request):
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(ENDLESS)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=request.path.parent,
    )
    assert process.stdout.readline() == "going\n"
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    assert time.monotonic() - started < 5
    assert said == "stopped []\n"
    assert process.returncode == 0


@pytest.mark.parametrize("wrong", ["softkey:new", None, SoftKeySigner, object()])
@pytest.mark.parametrize("holder", [DocumentSigner, bhxh.AsyncDocumentSigner])
def test_what_is_no_signer_is_refused_at_once(holder, wrong):
    with pytest.raises(WrongTypeError) as caught:
        holder(wrong)
    assert caught.value.field == "signer"


@pytest.mark.parametrize("workers", [65, 10**6])
@pytest.mark.parametrize("holder", [DocumentSigner, bhxh.AsyncDocumentSigner])
def test_too_many_threads_are_refused_at_once(key, holder, workers):
    holder(key, workers=64)
    with pytest.raises(InputError) as caught:
        holder(key, workers=workers)
    assert caught.value.code == "signing.workers"


def test_a_machine_of_many_cores_gets_no_more_threads_than_help(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 256)
    assert checked_workers(None) == 64


@pytest.mark.parametrize("kind", [DocumentSigner, bhxh.AsyncDocumentSigner])
def test_a_function_is_nobody_to_ask(key, kind):
    with pytest.raises(WrongTypeError) as caught:
        kind(Card(key), ask=lambda question: "1234")
    assert caught.value.field == "ask"


@pytest.mark.parametrize("wrong", [[], {}, None, 1])
def test_a_profile_of_another_type_is_refused(signing, wrong):
    with pytest.raises(WrongTypeError) as caught:
        signing.sign(forms(1)[0], profile=wrong)
    assert caught.value.field == "profile"
