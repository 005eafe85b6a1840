"""Faults on demand: the next answer of an operation goes wrong in a chosen way.

A portal or I-VAN that never loses an answer teaches nothing about the most expensive failure.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Fault", "Faults", "FaultyApp"]


class Fault(Enum):
    """How an answer goes wrong. The first four come before anything is done, the others after it was done."""

    HTML_PAGE = "html_page"
    SERVER_ERROR = "server_error"
    UNAVAILABLE = "unavailable"
    REDIRECT = "redirect"
    HTML_AFTER = "html_after"
    LOSE_REPLY = "lose_reply"
    CUT_REPLY = "cut_reply"
    HOLD_REPLY = "hold_reply"


class Faults:
    """The faults that are planned, by operation.

    Args:
        paths: path of each operation, so that a fault can be planned by the operation's name.

    """

    def __init__(self, paths: Mapping[str, str] | None = None) -> None:
        self._paths = dict(paths or {})
        self._planned: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._lock = threading.Lock()

    def next(self, operation: str, fault: Fault, times: int = 1) -> None:
        """Let the next answers of an operation go wrong.

        Args:
            operation: its name in the profile, such as `register`, or its path. Operations of one path share
                their faults.
            fault: how.
            times: how many answers.

        """
        with self._lock:
            self._planned[self._paths.get(operation, operation)].extend([fault] * times)

    def clear(self) -> None:
        """Forget every planned fault."""
        with self._lock:
            self._planned.clear()

    def take(self, path: str) -> Fault | None:
        """Return the fault of the next answer for a path, and forget it."""
        with self._lock:
            planned = self._planned.get(path)
            return planned.popleft() if planned else None


_PAGE = "<!DOCTYPE html><html><head><title>Đăng nhập</title></head><body>Vui lòng đăng nhập</body></html>"

_INSTEAD: Mapping[Fault, tuple[int, str, str, Mapping[str, str]]] = {
    Fault.HTML_PAGE: (200, "text/html; charset=utf-8", _PAGE, {}),
    Fault.HTML_AFTER: (200, "text/html; charset=utf-8", _PAGE, {}),
    Fault.SERVER_ERROR: (500, "text/plain; charset=utf-8", "Internal Server Error", {}),
    Fault.UNAVAILABLE: (503, "text/plain; charset=utf-8", "Service Unavailable", {"retry-after": "1"}),
    Fault.REDIRECT: (302, "text/plain; charset=utf-8", "", {"location": "https://login.example/"}),
}
_BEFORE = frozenset({Fault.HTML_PAGE, Fault.SERVER_ERROR, Fault.UNAVAILABLE, Fault.REDIRECT})


class FaultyApp:
    """An ASGI application whose answers go wrong as planned.

    Args:
        app: the application behind it.
        faults: what is planned.

    """

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        fault = self._faults.take(scope["path"]) if scope["type"] == "http" else None
        if fault is None:
            await self._app(scope, receive, send)
            return
        held: list[Message] = []
        if fault not in _BEFORE:
            await self._app(scope, receive, _holding(held))
        if fault in _INSTEAD:
            await _answer(send, *_INSTEAD[fault])
        elif fault is Fault.LOSE_REPLY:
            await _break_off(send)
        elif fault is Fault.CUT_REPLY:
            await _cut(send, held)
        else:
            await _wait_for_the_end(receive)


def _holding(held: list[Message]) -> Send:
    async def hold(message: Message) -> None:
        held.append(message)

    return hold


async def _answer(send: Send, status: int, content_type: str, text: str, headers: Mapping[str, str]) -> None:
    body = text.encode()
    named = {"content-type": content_type, "content-length": str(len(body)), **headers}
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def _break_off(send: Send) -> None:
    """Promise a body and never send it: the server closes the connection in the middle of the answer."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
    await send({"type": "http.response.body", "body": b"", "more_body": True})


async def _cut(send: Send, held: list[Message]) -> None:
    """Send half of the body with a length that fits the half, as a repairing proxy does."""
    start = held[0]
    body = b"".join(message.get("body", b"") for message in held[1:])
    half = body[: len(body) // 2]
    headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
    await send({**start, "headers": [*headers, (b"content-length", str(len(half)).encode())]})
    await send({"type": "http.response.body", "body": half})


async def _wait_for_the_end(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
