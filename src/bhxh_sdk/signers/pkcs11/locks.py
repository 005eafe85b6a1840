"""One call at a time into a module, and only from the process that loaded it.

python-pkcs11 tells a module that there is one thread, and calls into it release the GIL: without this lock,
sessions used from two threads corrupt the module's memory. It is one lock for the module, not one for a
session, because the tokens of a module share the module's state. A token signs one thing at a time anyway.
"""

from __future__ import annotations

import os
from collections import deque
from threading import Lock, get_ident
from typing import TYPE_CHECKING

from bhxh_sdk.signers.pkcs11.contract import CkrError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["FORKED", "ModuleLock", "loading_lock"]

FORKED = "forked"
"""`CkrError.name` of a call from a forked process."""
_NOT_INITIALIZED = 0x190
_LOADING: dict[int, Lock] = {}


class ModuleLock:
    """Hold off other threads while one is in the module: `with lock: …`.

    Raises:
        CkrError: the process is a fork of the one that loaded the module: there C_Initialize was never called
            (PKCS#11 2.40, section 5.4), and the lock may be held by a thread that does not exist.

    """

    __slots__ = ("_catching_up", "_inside", "_lock", "_process", "_waiting")

    def __init__(self) -> None:
        self._lock = Lock()
        self._catching_up = Lock()
        self._process = os.getpid()
        self._inside: set[int] = set()
        self._waiting: deque[Callable[[], None]] = deque()

    @property
    def forked(self) -> bool:
        """Whether this process is a fork of the one that made the lock."""
        return os.getpid() != self._process

    def __enter__(self) -> None:
        if self.forked:
            raise CkrError(_NOT_INITIALIZED, "", FORKED)
        # Before and after the lock is held: a signal's handler may run at any moment between.
        self._inside.add(get_ident())
        try:
            self._lock.acquire()
        except BaseException:  # a handler's, while this thread waits
            self._inside.discard(get_ident())
            raise

    def outside(self, work: Callable[[], None]) -> None:
        """Do some work that takes this lock: now, or, in a thread that is inside, once the lock is free.

        A signal's handler runs in the thread that it interrupts: there it would wait for itself.

        Args:
            work: what to do; it raises nothing.

        """
        if get_ident() in self._inside:
            self.when_free(work)
        else:
            work()

    def when_free(self, work: Callable[[], None]) -> None:
        """Do some work that takes this lock: at once, or when whoever holds it lets go; never in a fork.

        For finalisers: they run at any moment, in a thread that may hold this very lock.

        Args:
            work: what to do; it raises nothing.

        """
        if not self.forked:
            self._waiting.append(work)
            self._catch_up()

    def _catch_up(self) -> None:
        # Where the lock is free, this thread does not hold it. Another may take it meanwhile: that one lets
        # go, for it finds whatever this thread holds not to be free.
        while self._waiting and not self._lock.locked() and self._catching_up.acquire(blocking=False):
            try:
                while self._waiting:
                    self._waiting.popleft()()
            finally:
                self._catching_up.release()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lock.release()
        self._inside.discard(get_ident())
        if self._waiting:
            self._catch_up()


def loading_lock() -> Lock:
    """Return the lock under which this process loads modules; a fork never inherits one that is held."""
    return _LOADING.setdefault(os.getpid(), Lock())
