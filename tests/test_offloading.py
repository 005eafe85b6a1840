from __future__ import annotations

import asyncio
import threading
import time

import pytest
from attrs import frozen
from workflow_world import NOW, Person, StillClock

from bhxh_sdk.errors import KeyPasswordError, NotSentError, PersonNeededError, WrongStateError
from bhxh_sdk.offloading import (
    OffLoopJournal,
    OffLoopLocalSigner,
    OffLoopSigner,
    beside_the_loop,
    closed,
)
from bhxh_sdk.ports import CaptchaChallenge, Event, Question
from bhxh_sdk.signers import Capabilities, LocalSigner, NotesSigning
from bhxh_sdk.workflow import MemoryJournal


@frozen
class TokenLike:
    """A signer that takes its time, asks a person, and must be used from one thread."""

    threads: list[str]
    capabilities: Capabilities = Capabilities(name="token")  # noqa: RUF009  # a frozen value

    async def certificates(self):
        self.threads.append(threading.current_thread().name)
        time.sleep(0.05)  # noqa: ASYNC251  # a driver blocks its thread
        return ()

    async def start(self, jobs, certificate, ask, clock):
        self.threads.append(threading.current_thread().name)
        question = Question(purpose="pin")
        secret = await ask.secret(question)
        picture = await ask.captcha(CaptchaChallenge(image=b"", purpose="pin"))
        return secret, picture, await ask.choose(question), await ask.confirm(question)

    async def result(self, transaction, clock):
        raise KeyPasswordError

    def close(self):
        self.threads.append(threading.current_thread().name)


def test_a_slow_signer_does_not_hold_up_the_loop():
    async def main() -> int:
        signer, beats = OffLoopSigner(TokenLike([])), 0
        task = asyncio.create_task(signer.certificates())
        while not task.done():
            await asyncio.sleep(0.005)
            beats += 1
        signer.close()
        return beats

    assert asyncio.run(main()) >= 3


def test_all_work_is_done_on_one_thread_and_questions_in_the_loop():
    async def main() -> tuple[list[str], object]:
        signer = OffLoopSigner(token := TokenLike([]))
        assert signer.capabilities.name == "token"
        await asyncio.gather(signer.certificates(), signer.certificates())
        answers = await signer.start([], None, Person(), StillClock())
        with pytest.raises(KeyPasswordError):
            await signer.result(None, StillClock())
        signer.close()
        return token.threads, answers

    threads, (secret, picture, choice, agreed) = asyncio.run(main())
    assert len(set(threads)) == 1
    assert threads[0].startswith("bhxh-signer")
    assert (secret.reveal(), picture, choice, agreed) == ("secret", "abcd", 0, True)


def test_a_question_ends_when_nobody_waits_for_its_answer_any_more():
    asked = threading.Event()

    class Silent(Person):
        async def secret(self, question):
            asked.set()
            await asyncio.sleep(60)

    class Wanting(TokenLike):
        async def start(self, jobs, certificate, ask, clock):
            try:
                await ask.secret(Question(purpose="pin"))
            except PersonNeededError as error:
                self.threads.append(error.field)
            with pytest.raises(PersonNeededError):
                await ask.confirm(Question(purpose="pin_pad"))

    async def main(leave) -> list[str]:
        signer = OffLoopSigner(token := Wanting([]))
        start = asyncio.create_task(signer.start([], None, Silent(), StillClock()))
        await asyncio.to_thread(asked.wait)
        leave(signer, start)
        await asyncio.wait([start])
        await closed(signer)
        return token.threads

    for leave in (lambda _, start: start.cancel(), lambda signer, _: signer.close()):
        asked.clear()
        threads = asyncio.run(asyncio.wait_for(main(leave), 10))
        assert threads[0] == "pin"
        assert threads[1].startswith("bhxh-signer")


def test_closing_does_not_hold_up_the_loop_and_tells_what_went_wrong():
    class Slow(TokenLike):
        def close(self):
            time.sleep(0.1)
            raise KeyPasswordError

    async def main() -> int:
        signer, beats = OffLoopSigner(Slow([])), 0
        task = asyncio.create_task(closed(signer))
        while not task.done():
            await asyncio.sleep(0.005)
            beats += 1
        with pytest.raises(KeyPasswordError):
            await task
        return beats

    assert asyncio.run(main()) >= 5
    with pytest.raises(KeyPasswordError):
        OffLoopSigner(Slow([])).close()


def test_what_is_still_open_has_no_end_to_wait_for():
    async def main() -> None:
        signer = OffLoopSigner(TokenLike([]))
        await asyncio.wait_for(signer.ended(), 1)
        await closed(TokenLike([]))
        await closed(signer)

    asyncio.run(main())


class NotingLike(TokenLike):
    """A signer that reaches a person and has each step noted first."""

    asynchronous = False

    async def start_noted(self, jobs, certificate, ask, clock, note):
        if note is not None:
            await note("intended")
        return threading.current_thread().name

    async def result_noted(self, transaction, clock, note):
        await note("further")
        return threading.current_thread().name


def test_notes_are_kept_in_the_loop():
    async def main() -> list[str]:
        kept = []

        async def keep(transaction):
            kept.append((transaction, threading.current_thread().name))

        signer = beside_the_loop(NotingLike([]))
        assert isinstance(signer, NotesSigning)
        thread = await signer.start_noted([], None, Person(), StillClock(), keep)
        assert await signer.start_noted([], None, Person(), StillClock(), None) == thread
        assert await signer.result_noted(None, StillClock(), keep) == thread
        await closed(signer)
        return [thread, *kept]

    thread, *kept = asyncio.run(main())
    assert thread.startswith("bhxh-signer")
    assert kept == [("intended", "MainThread"), ("further", "MainThread")]


@pytest.mark.parametrize("step", ["start", "question"])
@pytest.mark.parametrize("when", ["before the note", "without a note", "at the note", "after the note"])
def test_no_phone_rings_when_nobody_waits_any_more(step, when):
    logged_in, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    class LoggingIn(NotingLike):
        async def start_noted(self, jobs, certificate, ask, clock, note):
            logged_in.set()
            go_on.wait()
            try:
                await note("intended")
                self.threads.append("rang")
            except NotSentError as error:
                self.threads.append(error.code)
                raise
            finally:
                ended.set()

        async def result_noted(self, transaction, clock, note):
            await self.start_noted([], None, None, clock, note)

    async def main() -> tuple[list[str], list[str]]:
        kept, noting = [], asyncio.Event()

        async def keep(transaction):
            kept.append(transaction)
            noting.set()
            if when == "after the note":
                call.cancel()  # the note is kept to its end, and the caller has left when the thread goes on
            else:
                await asyncio.sleep(60)

        signer, note = beside_the_loop(token := LoggingIn([])), None if when == "without a note" else keep
        asked = {
            "start": lambda: signer.start_noted([], None, Person(), StillClock(), note),
            "question": lambda: signer.result_noted(None, StillClock(), note),
        }
        call = asyncio.create_task(asked[step]())
        await asyncio.to_thread(logged_in.wait)
        if when in {"at the note", "after the note"}:
            go_on.set()
            await noting.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        go_on.set()
        await asyncio.to_thread(ended.wait)
        await closed(signer)
        return kept, token.threads[:-1]

    kept, threads = asyncio.run(asyncio.wait_for(main(), 10))
    assert threads == ["not_sent"]
    assert kept == (["intended"] if when in {"at the note", "after the note"} else [])


def test_which_signers_run_beside_the_loop():
    class InTheLoop(NotingLike):
        asynchronous = True

    waiting = InTheLoop([])
    assert beside_the_loop(waiting) is waiting
    assert type(beside_the_loop(KeyLike([]))) is OffLoopLocalSigner
    assert type(beside_the_loop(TokenLike([]))) is OffLoopSigner


class KeyLike(TokenLike):
    """A key at hand that asks a person when it is opened."""

    async def local_key(self, certificate, ask):
        self.threads.append(threading.current_thread().name)
        secret = await ask.secret(Question(purpose="pin"))
        return lambda digest, hash_name, scheme: secret.reveal().encode()


def test_a_key_at_hand_is_opened_on_the_thread_and_signs_on_any():
    async def main() -> tuple[list[str], bytes]:
        signer = OffLoopLocalSigner(token := KeyLike([]))
        assert isinstance(signer, LocalSigner)
        assert not isinstance(OffLoopSigner(token), LocalSigner)
        key = await signer.local_key(None, Person())
        signer.close()
        return token.threads, key(b"", None, None)

    threads, value = asyncio.run(main())
    assert {name.rpartition("_")[0] for name in threads} == {"bhxh-signer"}
    assert value == b"secret"


def test_what_is_closed_says_so_itself_and_may_be_closed_again():
    class Closed(TokenLike):
        async def certificates(self):
            raise WrongStateError

    async def main() -> None:
        signer = OffLoopSigner(token := Closed([]))
        signer.close()
        signer.close()
        assert len(token.threads) == 1
        assert repr(signer) == repr(token)
        with pytest.raises(WrongStateError):
            await signer.certificates()

    asyncio.run(main())


def test_a_journal_on_a_thread_is_the_same_journal():
    async def main() -> None:
        journal = OffLoopJournal(MemoryJournal())
        event = Event(kind="started", at=NOW)
        await journal.append("k", 0, event)
        with pytest.raises(WrongStateError):
            await journal.append("k", 0, event)
        assert await journal.events("k") == (event,)
        assert await journal.keys() == ("k",)
        assert await journal.kept(await journal.keep(b"x")) == b"x"
        journal.close()

    asyncio.run(main())
