"""Serving applications on this machine: one thread, one event loop, sockets bound before anybody is told."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn

from bhxh_sdk.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp

__all__ = ["Serving"]

_HOST = "127.0.0.1"
_START_SECONDS = 20.0
_TICK_SECONDS = 0.005


class Serving:
    """Applications that are being served.

    Args:
        apps: the applications.
        ports: a port for each; 0 for a free one.

    Attributes:
        urls: the address of each.

    Raises:
        SetupError: a port is taken, or the server does not come up.

    """

    def __init__(self, apps: Sequence[ASGIApp], ports: Sequence[int]) -> None:
        sockets = _bound(ports)
        self.urls = tuple(f"http://{_HOST}:{sock.getsockname()[1]}" for sock in sockets)
        self._servers = [uvicorn.Server(_config(app)) for app in apps]
        self._thread = threading.Thread(target=self._run, args=(sockets,), name="bhxh-sandbox", daemon=True)
        self._thread.start()
        self._wait()

    def _run(self, sockets: Sequence[socket.socket]) -> None:
        asyncio.run(self._serve(sockets))

    async def _serve(self, sockets: Sequence[socket.socket]) -> None:
        pairs = zip(self._servers, sockets, strict=True)
        await asyncio.gather(*(server.serve(sockets=[sock]) for server, sock in pairs))

    def _wait(self) -> None:
        pause = threading.Event()
        for _ in range(int(_START_SECONDS / _TICK_SECONDS)):
            if all(server.started for server in self._servers):
                return
            if not self._thread.is_alive():
                break
            pause.wait(_TICK_SECONDS)
        self.stop()
        raise SetupError("setup.sandbox_start")

    def end(self) -> None:
        """Stop serving without waiting for it; answers under way are dropped."""
        for server in self._servers:
            server.should_exit = True

    def stop(self) -> None:
        """Stop serving and wait until the thread has ended."""
        self.end()
        self._thread.join()


def _bound(ports: Sequence[int]) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    for port in ports:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sockets.append(sock)
        try:
            sock.bind((_HOST, port))
            sock.listen()
        except (OSError, OverflowError) as error:
            for opened in sockets:
                opened.close()
            raise SetupError("setup.sandbox_port", field="port", port=port) from error
    return sockets


def _config(app: ASGIApp) -> uvicorn.Config:
    """Keep quiet: planned faults would fill the log, and a test's output is the test's."""
    return uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=0,
    )
