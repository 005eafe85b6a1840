"""The one module that opens connections: sends a request, once, and knows whether any of it left.

Two senders share every decision: `HttpSender` blocks inside and its methods never suspend; `AsyncHttpSender`
really waits. Each request has a connection of its own: a connection kept open may be half dead, and then
nobody could tell whether a request that died on it was executed. So the proof is simple: a connection without
a written byte has sent nothing; the bytes of a TLS handshake are not the request.

httpx has no total deadline, no limit of size and no word on whether anything was sent (measured with 0.28).
The network streams here give each single operation only the time that is left, count what arrives, and note
the first byte that is handed over.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from bhxh_sdk.errors import InputError
from bhxh_sdk.ports import Reply
from bhxh_sdk.transport.exchange import Exchange, Unseen, nothing_left
from bhxh_sdk.transport.outbound import Limits, OutboundPolicy, Unpacker, sendable, tls_context

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from bhxh_sdk.ports import Clock, Request
    from bhxh_sdk.secret import Secret

__all__ = ["AsyncHttpSender", "HttpSender", "multipart_body"]

_PIECE = 65_536


class _Connection(httpcore.NetworkStream):
    """A blocking socket whose every wait ends with the exchange's deadline."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self._sock = sock
        self._exchange = exchange

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  # the exchange's deadline rules
        self._sock.settimeout(self._exchange.remaining())
        return self._exchange.received(self._sock.recv(min(max_bytes, _PIECE)))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  # the exchange's deadline rules
        view = memoryview(buffer)
        while view:
            self._sock.settimeout(self._exchange.remaining())
            self._exchange.writing(sealed=isinstance(self._sock, ssl.SSLSocket))
            view = view[self._sock.send(view[:_PIECE]) :]

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002  # the exchange's deadline rules
    ) -> _Connection:
        self._sock.settimeout(self._exchange.remaining())
        try:
            sock = ssl_context.wrap_socket(self._sock, server_hostname=server_hostname)
        except OSError:
            self._sock.close()
            raise
        return _Connection(sock, self._exchange)

    def close(self) -> None:
        self._sock.close()


class _Network(httpcore.NetworkBackend):
    """Opens blocking connections for one exchange; looking a name up takes as long as the system lets it."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002  # the exchange's deadline rules
        local_address: str | None = None,  # noqa: ARG002  # never asked for
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002  # never asked for
    ) -> _Connection:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for left in range(len(addresses), 1, -1):
            try:
                return self._open(addresses[-left], self._exchange.remaining() / left)
            except OSError:
                continue
        return self._open(addresses[-1], self._exchange.remaining())

    def _open(self, address: tuple[Any, ...], seconds: float) -> _Connection:
        family, kind, protocol, _, place = address
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(seconds)
            sock.connect(place)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            sock.close()
            raise
        return _Connection(sock, self._exchange)


class _AsyncConnection(httpcore.AsyncNetworkStream):
    """An asynchronous stream whose every wait ends with the exchange's deadline."""

    def __init__(
        self, stream: httpcore.AsyncNetworkStream, exchange: Exchange, *, sealed: bool = False
    ) -> None:
        self._stream = stream
        self._exchange = exchange
        self._sealed = sealed

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109  # httpcore's signature
        data = await self._stream.read(min(max_bytes, _PIECE), timeout=self._exchange.remaining())
        return self._exchange.received(data)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109  # httpcore's signature
        left = self._exchange.remaining()
        if buffer:
            self._exchange.writing(sealed=self._sealed)
            await self._stream.write(buffer, timeout=left)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109  # httpcore's signature
    ) -> _AsyncConnection:
        left = self._exchange.remaining()
        stream = await self._stream.start_tls(ssl_context, server_hostname, left)
        return _AsyncConnection(stream, self._exchange, sealed=True)

    async def aclose(self) -> None:
        await self._stream.aclose()


class _AsyncNetwork(httpcore.AsyncNetworkBackend):
    """Opens asynchronous connections for one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109  # httpcore's signature
        local_address: str | None = None,  # noqa: ARG002  # never asked for
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002  # never asked for
    ) -> _AsyncConnection:
        left = self._exchange.remaining()
        return _AsyncConnection(await self._backend.connect_tcp(host, port, timeout=left), self._exchange)


class _HttpSender:
    """Everything that the two senders decide alike."""

    def __init__(  # noqa: PLR0913  # named options; the first is the only one without a name
        self,
        clock: Clock,
        *,
        allowed_hosts: Iterable[str],
        ca_bundle: str | os.PathLike[str] | None = None,
        user_agent: str = "",
        trust_env: bool = False,
        limits: Limits | None = None,
        client_certificate: str | os.PathLike[str] | None = None,
        client_key: str | os.PathLike[str] | None = None,
        client_key_password: Secret | None = None,
    ) -> None:
        self._clock = clock
        self._policy = OutboundPolicy(allowed_hosts=allowed_hosts, trust_env=trust_env)
        self._tls = tls_context(
            _path(ca_bundle),
            client_certificate=_path(client_certificate),
            client_key=_path(client_key),
            client_key_password=client_key_password,
        )
        self._user_agent = user_agent or f"bhxh-sdk/{version('bhxh-sdk')}"
        self._limits = limits or Limits()
        self._cookies = httpx.Cookies()

    def _begin(self, request: Request) -> tuple[httpx.Request, Exchange]:
        """Check where the request goes and bring it to httpx's form; nothing is connected yet."""
        with nothing_left():
            self._policy.check(request.url)
            prepared = self._prepared(request)
            return prepared, Exchange(
                self._clock, request, self._limits, proxy=self._policy.proxy(request.url)
            )

    def _prepared(self, request: Request) -> httpx.Request:
        with suppress(httpx.InvalidURL, TypeError, ValueError):
            if all(sendable(*header) for header in (*request.headers, ("User-Agent", self._user_agent))):
                return self._in_httpx_form(request)
        raise InputError("input.request", field="request")  # Python's own error would carry the header

    def _in_httpx_form(self, request: Request) -> httpx.Request:
        headers = httpx.Headers({"Accept": "*/*", "User-Agent": self._user_agent})
        headers.update(list(request.headers))
        headers.update({"Accept-Encoding": "gzip", "Connection": "close"})
        prepared = httpx.Request(request.method, request.url, headers=headers, content=request.body)
        self._cookies.set_cookie_header(prepared)
        return prepared

    def _receiving(self, response: httpcore.Response, exchange: Exchange, asked: httpx.Request) -> Unpacker:
        """Keep the cookies and get ready for the body."""
        headers = httpx.Headers([pair for pair in response.headers if not _is_odd_cookie(*pair)])
        self._cookies.extract_cookies(httpx.Response(response.status, headers=headers, request=asked))
        return Unpacker(headers.get("content-encoding", ""), exchange.limits.decoded_bytes)

    @staticmethod
    def _reply(response: httpcore.Response, body: bytes) -> Reply:
        headers = httpx.Headers(response.headers)
        pairs = tuple((name.lower(), value) for name, value in headers.multi_items())
        return Reply(status=response.status, headers=pairs, body=body)


def _path(file: str | os.PathLike[str] | None) -> Path | None:
    return None if file is None else Path(file)


def _is_odd_cookie(name: bytes, value: bytes) -> bool:
    """Tell whether a cookie could not be sent back: kept, it would break every later call."""
    return name.lower() == b"set-cookie" and not (value.isascii() and value.decode().isprintable())


def _core_request(asked: httpx.Request) -> dict[str, Any]:
    url = asked.url
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    return {
        "method": asked.method,
        "url": target,
        "headers": asked.headers.raw,
        "content": asked.content or None,
    }


class HttpSender(_HttpSender):
    """Send requests and wait: a `bhxh_sdk.ports.Sender` whose method never suspends.

    May be used by several threads. Name resolution has no time limit but the system's own.

    Args:
        clock: measures the deadline.
        allowed_hosts: the hosts that may be called: a name for the scheme's usual port, or `name:port`.
        ca_bundle: PEM file with the only certificate authorities to trust; None for those of the system.
        user_agent: what to call ourselves; `bhxh-sdk/<version>` when empty.
        trust_env: whether proxies named by the environment are used.
        limits: how much an answer may weigh.
        client_certificate: PEM file with our own certificate, for servers that demand one (mutual TLS).
        client_key: PEM file with its private key; None where the certificate's file holds it too.
        client_key_password: what an encrypted key is opened with.

    Raises:
        SetupError: the CA bundle, certificate or key cannot be read, or the key's password is missing or
            wrong; `field` names the argument.

    """

    asynchronous = False

    async def send(self, request: Request) -> Reply:
        """Send a request once and return the complete answer.

        Raises:
            SetupError: the host is not allowed; nothing was connected.
            InputError: the address or a header cannot be sent.
            NotSentError: no byte of the request left.
            UnknownOutcomeError: it may have arrived, and no complete answer came.

        """
        with Unseen():
            asked, exchange = self._begin(request)
            try:
                return self._answered(asked, exchange)
            except Exception as error:  # noqa: BLE001  # whatever went wrong below, the question is the same: did a byte leave?
                exchange.failed(error)

    def _answered(self, asked: httpx.Request, exchange: Exchange) -> Reply:
        """Send it and read the answer: a frame of its own, for it holds pieces of the answer."""
        with (
            self._pool(exchange.proxy, _Network(exchange)) as pool,
            pool.stream(**_core_request(asked)) as response,
        ):
            body = self._receiving(response, exchange, asked)
            for piece in response.iter_stream():
                body.feed(piece)
            return self._reply(response, body.result())

    def _pool(self, proxy: str, network: _Network) -> httpcore.ConnectionPool:
        if proxy:
            return httpcore.HTTPProxy(
                _proxy_address(proxy), **_proxy_login(proxy), ssl_context=self._tls, network_backend=network
            )
        return httpcore.ConnectionPool(ssl_context=self._tls, network_backend=network)


class AsyncHttpSender(_HttpSender):
    """Send requests without blocking the event loop: a `bhxh_sdk.ports.Sender` that really waits.

    Takes the same arguments as `HttpSender` and decides alike.
    """

    asynchronous = True

    async def send(self, request: Request) -> Reply:
        """Send a request once and return the complete answer.

        Raises:
            SetupError: the host is not allowed; nothing was connected.
            InputError: the address or a header cannot be sent.
            NotSentError: no byte of the request left.
            UnknownOutcomeError: it may have arrived, and no complete answer came.

        """
        with Unseen():
            asked, exchange = self._begin(request)
            try:
                return await self._answered(asked, exchange)
            except Exception as error:  # noqa: BLE001  # whatever went wrong below, the question is the same: did a byte leave?
                exchange.failed(error)

    async def _answered(self, asked: httpx.Request, exchange: Exchange) -> Reply:
        """Send it and read the answer: a frame of its own, for it holds pieces of the answer."""
        async with (
            self._pool(exchange.proxy, _AsyncNetwork(exchange)) as pool,
            pool.stream(**_core_request(asked)) as response,
        ):
            body = self._receiving(response, exchange, asked)
            async for piece in response.aiter_stream():
                body.feed(piece)
            return self._reply(response, body.result())

    def _pool(self, proxy: str, network: _AsyncNetwork) -> httpcore.AsyncConnectionPool:
        if proxy:
            return httpcore.AsyncHTTPProxy(
                _proxy_address(proxy), **_proxy_login(proxy), ssl_context=self._tls, network_backend=network
            )
        return httpcore.AsyncConnectionPool(ssl_context=self._tls, network_backend=network)


def _proxy_address(proxy: str) -> str:
    return str(httpx.URL(proxy).copy_with(username=None, password=None))


def _proxy_login(proxy: str) -> dict[str, Any]:
    url = httpx.URL(proxy)
    return {"proxy_auth": (url.username, url.password)} if url.username else {}


def multipart_body(
    fields: Mapping[str, str], files: Sequence[tuple[str, tuple[str, bytes, str]]], boundary: str
) -> tuple[str, bytes]:
    """Return content type and body of a multipart form.

    Args:
        fields: plain members.
        files: member name and (file name, content, media type).
        boundary: a text that occurs in none of them.

    """
    content_type = f"multipart/form-data; boundary={boundary}"
    request = httpx.Request(
        "POST",
        "http://localhost",
        data=dict(fields),
        files=list(files),
        headers={"Content-Type": content_type},
    )
    return content_type, request.read()
