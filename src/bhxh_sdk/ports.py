"""Ports: what the core asks of the world, as small protocols, and the plain values that pass through them.

Every method is `async def`. The blocking client passes ports that never suspend, the asynchronous client
ports that really wait; the core cannot tell the difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from attrs import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bhxh_sdk.secret import Secret

__all__ = [
    "Ask",
    "CaptchaChallenge",
    "Clock",
    "Event",
    "EventData",
    "Inbox",
    "Journal",
    "Question",
    "Reply",
    "Request",
    "Sender",
]

EventData = dict[str, "str | int | bool | None"]
"""What an event remembers: flat JSON values. Never a secret."""


@frozen(kw_only=True)
class Request:
    """Describe one HTTP request.

    Args:
        method: `GET`, `POST`, ….
        url: absolute address. It never holds a secret.
        headers: name and value pairs.
        body: the exact bytes to send.
        deadline_seconds: how long the whole exchange may take, from connecting to the last byte.

    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    deadline_seconds: float = 30.0

    @property
    def host(self) -> str:
        """The host that the request goes to, in lower case."""
        return urlsplit(self.url).hostname or ""


@frozen(kw_only=True)
class Reply:
    """Hold one HTTP answer, its body complete and decoded.

    Args:
        status: HTTP status code.
        headers: name and value pairs, names in lower case.
        body: the decoded bytes.

    """

    status: int
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str:
        """Return the first header of that name, or an empty text."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key == wanted), "")


class Sender(Protocol):
    """Send one HTTP request.

    Raises `NotSentError` when it is certain that no byte of the request left, `UnknownOutcomeError` when it
    may have arrived. Never repeats a request, never follows a redirect.
    """

    async def send(self, request: Request) -> Reply:
        """Send the request and return the complete answer."""
        ...


class Clock(Protocol):
    """Give time, waiting, randomness and new identifiers."""

    def now(self) -> datetime:
        """Return the present moment, with its zone (UTC)."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never go back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def random_bytes(self, count: int) -> bytes:
        """Return bytes fit for keys and salts."""
        ...

    def new_id(self) -> str:
        """Return a new identifier that nobody else will draw: 32 hexadecimal digits."""
        ...


@frozen(kw_only=True)
class CaptchaChallenge:
    """Show a person the picture of a captcha; nobody else answers it.

    Args:
        image: the picture's bytes (PNG in every capture seen).
        purpose: what the answer is for, such as `log_in`.

    """

    image: bytes = field(repr=False)
    purpose: str


@frozen(kw_only=True)
class Question:
    """Ask a person one thing.

    Args:
        purpose: stable word for what the answer is for, such as `key_password`, `otp` or `choose_unit`.
        subject: what it concerns, for people: a certificate's owner, a unit's name.
        choices: the possible answers, when there is a choice to make.

    """

    purpose: str
    subject: str = ""
    choices: Sequence[str] = ()


class Ask(Protocol):
    """Ask a person. A method raises `PersonNeededError` when nobody is there to answer."""

    async def secret(self, question: Question) -> Secret:
        """Return a password, PIN or one-time code, entered once for this question."""
        ...

    async def captcha(self, challenge: CaptchaChallenge) -> str:
        """Return the characters that a person reads in the picture."""
        ...

    async def choose(self, question: Question) -> int:
        """Return the position of the choice that the person takes."""
        ...

    async def confirm(self, question: Question) -> bool:
        """Return whether the person agrees."""
        ...


@frozen(kw_only=True)
class Event:
    """Remember one thing that happened to a registration.

    Args:
        kind: the event's name in the state table.
        at: when, in UTC.
        data: flat JSON values; documents are kept apart and named by their SHA-256.

    """

    kind: str
    at: datetime
    data: Mapping[str, str | int | bool | None] = field(factory=dict, hash=False)


class Journal(Protocol):
    """Keep the events of registrations so that nothing acknowledged is ever lost."""

    async def append(self, key: str, position: int, event: Event) -> None:
        """Add the event as number `position` (from 0) of the registration, durably.

        Raises `WrongStateError` when that position is taken: another process was faster.
        """
        ...

    async def events(self, key: str) -> tuple[Event, ...]:
        """Return the events of a registration, oldest first; none for an unknown key."""
        ...

    async def keys(self) -> tuple[str, ...]:
        """Return the keys of all registrations, oldest first."""
        ...

    async def begun_with(self, fact: str, value: str) -> tuple[str, ...]:
        """Return the keys of the registrations whose first event has that fact, oldest first."""
        ...

    async def keep(self, content: bytes) -> str:
        """Keep a document's exact bytes and return their SHA-256 in hexadecimal."""
        ...

    async def kept(self, digest: str) -> bytes:
        """Return the bytes of a kept document, checked against its digest."""
        ...

    def close(self) -> None:
        """Release what the journal holds."""
        ...


class Inbox(Protocol):
    """Read mail, for activation codes and accounts."""

    async def mails(self) -> tuple[bytes, ...]:
        """Return the mails at hand as raw RFC 5322 bytes, oldest first."""
        ...
