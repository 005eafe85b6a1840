"""One line out, one line back, over a child process's standard input and output, with a limit to waiting."""

from __future__ import annotations

import os
import select
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.pkcs11.probing import ended
from bhxh_sdk.signers.pkcs11.wire import GarbledError, decoded, encoded

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

__all__ = [
    "LONGEST_LINE",
    "LONGEST_REQUEST",
    "PipeEndedError",
    "PipeHungError",
    "Pipes",
    "RequestTooLongError",
]

LONGEST_LINE = 8 << 20
"""Bytes of the longest line that either side takes."""

LONGEST_REQUEST = 1 << 16
"""Bytes of the longest request: some hundreds are usual, and few thousands where a token hashes a whole
SignedInfo itself."""

_PIECE = 1 << 16
_PIECE_SECONDS = 2.0  # an answer is written at once; only its first piece may take the call's own time
_TELLING_SECONDS = 5.0
_PAUSE_SECONDS = 0.01


class PipeEndedError(Exception):
    """The child has ended, or it has closed its end."""


class PipeHungError(Exception):
    """No answer came in time."""


class RequestTooLongError(Exception):
    """A request is longer than any that is needed; nothing of it was sent."""


class Pipes:
    """Speak with a child process; one thread at a time.

    Args:
        process: a process whose standard input and output are pipes without buffers.

    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        # On Windows a pipe cannot be told not to wait (os.set_blocking knows pipes there from 3.12 on):
        # a write waits until the child reads. It does read: it waits for the next request as soon as it has
        # answered the last, and the number in that answer shows that it has read that one. What is left is a
        # child that somebody stopped between two calls, and a request longer than the pipe's buffer; it goes
        # on when the child does.
        if sys.platform != "win32":
            os.set_blocking(process.stdin.fileno(), False)  # type: ignore[union-attr]  # a pipe, see above

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message; this is the one place where a secret in it is revealed.

        Raises:
            RequestTooLongError: it is too long.
            GarbledError: something was said that nobody has asked for; nothing was sent.
            PipeEndedError: nobody is there to read it.
            PipeHungError: it is not read.

        """
        if self._readable(0):
            self._piece()  # raises where it is the end that can be read
            raise GarbledError
        rest = memoryview(encoded(message, Secret.reveal))
        if len(rest) > LONGEST_REQUEST:
            raise RequestTooLongError
        for _ in self._looks(_TELLING_SECONDS):
            try:
                rest = rest[self._process.stdin.write(rest) or 0 :]  # type: ignore[union-attr]  # a pipe, see above
            except (OSError, ValueError) as error:  # ValueError: closed on this side
                raise PipeEndedError from error
            if not rest:
                return
        raise PipeHungError

    def hear(self, seconds: float) -> dict[str, Any]:
        """Wait for a message.

        Args:
            seconds: how long until it begins; its rest may take two seconds more.

        Raises:
            PipeHungError: none came in time.
            PipeEndedError: none will come.
            GarbledError: what came is no message, or more than one.

        """
        if not self._readable(seconds):
            raise PipeHungError
        line = b""
        for _ in self._looks(_PIECE_SECONDS):
            if self._readable(0):
                line += self._piece()
            if len(line) > LONGEST_LINE:
                raise GarbledError
            if line.endswith(b"\n"):
                return decoded(line)
        raise PipeHungError

    def _looks(self, seconds: float) -> Iterator[None]:
        """Give as many looks as there are pauses in that time, however little each of them finds."""
        yield
        for _ in range(round(seconds / _PAUSE_SECONDS)):
            ended(self._process, _PAUSE_SECONDS)
            yield

    def _piece(self) -> bytes:
        try:
            piece = os.read(self._process.stdout.fileno(), _PIECE)  # type: ignore[union-attr]  # a pipe, see above
        except (OSError, ValueError) as error:
            raise PipeEndedError from error
        if not piece:
            raise PipeEndedError
        return piece

    def _readable(self, seconds: float) -> bool:
        if sys.platform == "win32":
            return self._readable_on_windows(seconds)
        try:
            poll = select.poll()  # much cheaper than a selector, for each request asks twice
            poll.register(self._process.stdout, select.POLLIN)  # type: ignore[arg-type]  # a pipe, see above
            return bool(poll.poll(seconds * 1000))
        except (OSError, ValueError) as error:
            raise PipeEndedError from error

    def _readable_on_windows(self, seconds: float) -> bool:
        """Look again and again: Windows cannot wait for an anonymous pipe and for time at once."""
        handle = import_module("msvcrt").get_osfhandle(self._process.stdout.fileno())  # type: ignore[union-attr]  # a pipe, see above
        peek = import_module("_winapi").PeekNamedPipe
        for _ in self._looks(seconds):
            try:
                if peek(handle, 0)[0]:
                    return True
            except OSError:
                return True  # the other end is closed: reading will tell
        return False
