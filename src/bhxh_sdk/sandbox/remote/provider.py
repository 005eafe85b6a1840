"""A provider's interface as a plain function from request to answer, and the application that serves it."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs

from starlette.requests import Request as WebRequest
from starlette.responses import Response

from bhxh_sdk.ports import Reply, Request
from bhxh_sdk.sandbox.faults import Faults, FaultyApp
from bhxh_sdk.sandbox.remote.desk import Mischief

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from bhxh_sdk.sandbox.remote.desk import SigningDesk

__all__ = [
    "PAGE",
    "SandboxProvider",
    "app_of",
    "digest_of",
    "form_of",
    "json_of",
    "json_reply",
    "line_ends",
    "page_reply",
    "planned_reply",
    "text_base64",
]

PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
_LINE = 64


class SandboxProvider(Protocol):
    """One provider: what it is asked, and what it answers.

    The answer is made without any network, so that tests may ask it millions of times; `app_of` serves it.
    """

    @property
    def desk(self) -> SigningDesk:
        """Its transactions."""
        ...

    def answer(self, request: Request) -> Reply:
        """Answer one request."""
        ...


def json_reply(value: object, status: int = 200) -> Reply:
    """Return an answer in JSON."""
    headers = (("content-type", "application/json; charset=utf-8"),)
    return Reply(status=status, headers=headers, body=json.dumps(value, ensure_ascii=False).encode())


def page_reply(status: int = 200) -> Reply:
    """Return a page where data was promised."""
    return Reply(status=status, headers=(("content-type", "text/html"),), body=PAGE.encode())


def planned_reply(desk: SigningDesk, *, after: bool) -> Reply | None:
    """Return the odd answer that is planned next; None for none.

    Args:
        desk: where it is planned.
        after: whether the request was accepted already.

    """
    page, error = (
        (Mischief.PAGE_AFTER, Mischief.ERROR_AFTER) if after else (Mischief.PAGE, Mischief.ERROR_BEFORE)
    )
    taken = desk.takes(page, error)
    if taken is None:
        return None
    return page_reply() if taken is page else Reply(status=500, headers=_PLAIN, body=b"Internal Server Error")


def json_of(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request; an empty one where there is none."""
    try:
        value = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def form_of(request: Request) -> dict[str, str]:
    """Return the members of a form-encoded request."""
    return {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}


def text_base64(value: bytes, desk: SigningDesk) -> str:
    """Return a value as base64, with line ends or spoilt where that is planned."""
    text = base64.b64encode(value).decode()
    taken = desk.takes(Mischief.LINE_ENDS, Mischief.NOT_BASE64)
    if taken is Mischief.NOT_BASE64:
        return "*" + text[1:]
    return line_ends(text) if taken else text


def line_ends(text: str) -> str:
    """Return a base64 text in lines that end with CR and LF."""
    return "".join(f"{text[start : start + _LINE]}\r\n" for start in range(0, len(text), _LINE))


def digest_of(text: object) -> bytes | None:
    """Return the digest in a base64 text; None where it is none of 32, 48 or 64 bytes."""
    try:
        digest = base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest if len(digest) in _DIGESTS else None


def app_of(provider: SandboxProvider, faults: Faults | None = None) -> ASGIApp:
    """Return the application that serves a provider.

    Args:
        provider: the provider.
        faults: what goes wrong below the provider's interface, by path.

    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        asked = WebRequest(scope, receive)
        headers = tuple((name.lower(), value) for name, value in asked.headers.items())
        request = Request(method=asked.method, url=str(asked.url), headers=headers, body=await asked.body())
        reply = provider.answer(request)
        await Response(reply.body, reply.status, dict(reply.headers))(scope, receive, send)

    return FaultyApp(serve, faults or Faults())


_PLAIN = (("content-type", "text/plain; charset=utf-8"),)
_DIGESTS = (32, 48, 64)
