"""Virtual time: a clock that waits without waiting."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["VirtualClock"]


class VirtualClock:
    """A clock whose time passes only when it is told to, or when somebody sleeps on it.

    It is a `bhxh_sdk.ports.Clock` for blocking and asynchronous clients alike: `sleep` never suspends. Client
    and sandbox may share it from different threads.

    Args:
        start: where time begins, with its zone; None for the machine's present moment.
        seed: makes random bytes and identifiers repeatable; two clocks of one seed draw the same ones. None
            to draw what nobody can foresee.
        flowing: whether real time passes too, for a sandbox that people use by hand.

    """

    def __init__(
        self, start: datetime | None = None, *, seed: int | str | None = None, flowing: bool = False
    ) -> None:
        self._start = (start or datetime.now(UTC)).astimezone(UTC)
        self._passed = timedelta()
        self._flowing_since = time.monotonic() if flowing else None
        self._seed = os.urandom(32) if seed is None else str(seed).encode()
        self._drawn = 0
        self._watchers: list[Callable[[], object]] = []
        self._lock = threading.RLock()

    def now(self) -> datetime:
        """Return the present virtual moment, in UTC."""
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the virtual seconds since the clock was made."""
        flowed = 0.0 if self._flowing_since is None else time.monotonic() - self._flowing_since
        with self._lock:
            return self._passed.total_seconds() + flowed

    async def sleep(self, seconds: float) -> None:
        """Let that much virtual time pass, at once."""
        self.advance(timedelta(seconds=max(seconds, 0)))

    def advance(self, by: timedelta) -> datetime:
        """Let virtual time pass and return the new moment.

        Args:
            by: how much; never negative.

        Raises:
            ValueError: time would go back.

        """
        if by < timedelta():
            msg = "virtual time never goes back"
            raise ValueError(msg)
        with self._lock:
            self._passed += by
        for watcher in tuple(self._watchers):
            watcher()
        return self.now()

    def watch(self, watcher: Callable[[], object]) -> None:
        """Call the watcher each time the clock was moved on, after it was."""
        self._watchers.append(watcher)

    def random_bytes(self, count: int) -> bytes:
        """Return bytes that depend on the seed and on how often bytes were drawn before."""
        with self._lock:
            self._drawn += 1
            return hashlib.shake_256(self._seed + self._drawn.to_bytes(8, "big")).digest(count)

    def new_id(self) -> str:
        """Return a new identifier: 32 hexadecimal digits."""
        return self.random_bytes(16).hex()
