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


def test_each_process_has_its_own_lock_for_loading(monkeypatch):
    ours = loading_lock()
    assert loading_lock() is ours
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert loading_lock() is not ours
