"""One thread at a time, and none of a forked process."""

from __future__ import annotations

import os
from threading import Thread

import pytest

from bhxh_sdk.signers.pkcs11.contract import CkrError
from bhxh_sdk.signers.pkcs11.locks import FORKED, ModuleLock, loading_lock


def test_one_thread_is_in_at_a_time():
    lock, inside, most = ModuleLock(), [], []

    def work(number):
        for _ in range(200):
            with lock:
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    threads = [Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (800, 1)


def test_an_error_inside_frees_the_lock():
    lock = ModuleLock()
    with pytest.raises(ZeroDivisionError), lock:
        raise ZeroDivisionError
    with lock:
        assert not lock.forked


def test_a_fork_is_kept_out_whether_the_lock_was_held_or_not(monkeypatch):
    lock = ModuleLock()
    with lock:
        monkeypatch.setattr(os, "getpid", lambda: -1)
        assert lock.forked
        with pytest.raises(CkrError) as caught, lock:
            pytest.fail("it let a fork in")
    assert (caught.value.code, caught.value.name) == (0x190, FORKED)


def test_what_waits_for_a_lock_is_done_once_it_is_free_and_in_its_turn():
    lock, done = ModuleLock(), []

    def work(number):
        with lock:
            done.append(number)

    lock.when_free(lambda: work(0))
    assert done == [0]
    with lock:
        for number in range(1, 2000):
            lock.when_free(lambda number=number: work(number))
        assert done == [0]
    assert done == list(range(2000))


def test_what_comes_while_others_are_done_is_done_after_them():
    lock, done = ModuleLock(), []

    def work():
        with lock:
            lock.when_free(lambda: done.append("later"))
            done.append("sooner")

    lock.when_free(work)
    assert done == ["sooner", "later"]


def test_many_threads_leave_nothing_undone():
    lock, done = ModuleLock(), []

    def work(number):
        for _ in range(500):
            with lock:
                lock.when_free(lambda: done.append(number))
            lock.when_free(lambda: done.append(number))

    threads = [Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4000


def test_a_fork_does_nothing_that_waits(monkeypatch):
    lock, done = ModuleLock(), []
    monkeypatch.setattr(os, "getpid", lambda: -1)
    lock.when_free(lambda: done.append(1))
    assert done == []


def test_each_process_has_its_own_lock_for_loading(monkeypatch):
    ours = loading_lock()
    assert loading_lock() is ours
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert loading_lock() is not ours


def test_a_thread_that_is_inside_does_later_what_takes_the_lock():
    lock, done = ModuleLock(), []

    def work():
        with lock:
            done.append("closed")

    lock.outside(work)
    with lock:
        lock.outside(work)
        assert done == ["closed"]
    assert done == ["closed"] * 2


def test_a_signal_while_a_thread_waits_leaves_it_outside():
    lock, done = ModuleLock(), []

    class Interrupted:
        def acquire(self):
            raise KeyboardInterrupt

    lock._lock, free = Interrupted(), lock._lock
    with pytest.raises(KeyboardInterrupt), lock:
        pytest.fail("it was let in")
    lock._lock = free
    with lock:
        thread = Thread(target=lambda: lock.outside(lambda: done.append("at once")))
        thread.start()
        thread.join()
    lock.outside(lambda: done.append("at once"))
    assert done == ["at once"] * 2
