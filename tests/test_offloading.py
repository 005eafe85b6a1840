from __future__ import annotations

import asyncio
import threading
import time

import pytest
from attrs import frozen
from workflow_world import NOW, Person, StillClock

from bhxh_sdk.errors import KeyPasswordError, WrongStateError
from bhxh_sdk.offloading import OffLoopJournal, OffLoopLocalSigner, OffLoopSigner
from bhxh_sdk.ports import CaptchaChallenge, Event, Question
from bhxh_sdk.signers import Capabilities, LocalSigner
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
