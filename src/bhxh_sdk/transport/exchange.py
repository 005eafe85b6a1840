"""One request under way: the time that is left, the bytes that came, and whether a byte of it had left."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from bhxh_sdk.errors import BhxhError, NotSentError, UnknownOutcomeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bhxh_sdk.ports import Clock, Request
    from bhxh_sdk.transport.outbound import Limits

__all__ = ["Exchange", "OutOfTimeError", "TooLargeError", "Unseen", "nothing_left"]


@contextmanager
def nothing_left() -> Iterator[None]:
    """Mark the errors of what only gets a request ready: it is certain that the request did not leave."""
    try:
        yield
    except BhxhError as error:
        error.nothing_left = True
        raise


class Unseen:
    """Let an interruption through without the frames below, whose variables hold the request's bytes.

    An interruption is Ctrl-C or a task that is cancelled: the same exception goes on, from the frame of the
    `with` statement upwards. Failures pass untouched: `Exchange.failed` deals with them.
    """

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, frames: object) -> None:
        """Drop the frames of an interruption."""
        if not isinstance(error, Exception):
            _without_frames(error)


class OutOfTimeError(Exception):
    """The total deadline has passed. It never leaves the senders."""


class TooLargeError(Exception):
    """The answer passes a limit. It never leaves the senders."""


class Exchange:
    """One request under way.

    Args:
        clock: measures the time.
        request: what is sent; it brings the total deadline.
        limits: how much the answer may weigh.
        proxy: the proxy that it goes through; empty for none. It may hold a password, which no variable of a
            sender's frame does.

    Attributes:
        sent: whether a byte of the request was handed to the network. A TLS
            handshake is not the request.

    """

    def __init__(self, clock: Clock, request: Request, limits: Limits, *, proxy: str = "") -> None:
        self.sent = False
        self.limits = limits
        self.proxy = proxy
        self._clock = clock
        self._host = request.host
        self._sealed = request.url.lower().startswith("https:")
        self._end = clock.monotonic() + request.deadline_seconds
        self._received = 0

    def remaining(self) -> float:
        """Return the seconds that are left: every single wait is given no more than that.

        Raises:
            OutOfTimeError: none are left.

        """
        left = self._end - self._clock.monotonic()
        if left <= 0:
            raise OutOfTimeError
        return left

    def writing(self, *, sealed: bool) -> None:
        """Note that bytes are handed over next; those to a proxy in the clear are not the request itself."""
        self.sent = self.sent or sealed or not self._sealed

    def received(self, data: bytes) -> bytes:
        """Count what came from the network and return it.

        Raises:
            TooLargeError: it is too much.

        """
        self._received += len(data)
        if self._received > self.limits.raw_bytes:
            raise TooLargeError
        return data

    def failed(self, error: Exception) -> NoReturn:
        """Say what a failure means: the only question is whether a byte of the request had left.

        Raises:
            NotSentError: none had.
            UnknownOutcomeError: one had, and no complete answer came.

        """
        reason = _reason(error)
        _without_frames(error)
        if self.sent:
            raise UnknownOutcomeError(f"unknown_outcome.{reason}", host=self._host) from error
        raise NotSentError(f"not_sent.{reason}", host=self._host) from error


def _without_frames(error: BaseException | None) -> None:
    """Forget where a failure came from: the frames below hold the request's bytes in their variables."""
    waiting = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            one.__traceback__ = None
            waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]


_REASONS: Sequence[tuple[type[Exception] | tuple[type[Exception], ...], str]] = (
    (ssl.SSLCertVerificationError, "certificate"),
    ((OutOfTimeError, TimeoutError), "deadline"),
    ((TooLargeError, OverflowError), "too_large"),
)


# What a server says of our own certificate. With TLS 1.3 it may come when the request has left already.
_OUR_CERTIFICATE = frozenset(
    {
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_REVOKED",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
        "TLSV1_ALERT_UNKNOWN_CA",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    }
)


def _reason(error: BaseException | None) -> str:
    """Return the stable word for a failure, looking through what wraps it."""
    while error is not None:
        if isinstance(error, ssl.SSLError) and error.reason in _OUR_CERTIFICATE:
            return "client_certificate"
        for kinds, reason in _REASONS:
            if isinstance(error, kinds):
                return reason
        error = error.__cause__ or error.__context__  # httpcore's pool cuts the cause off
    return "connection"
