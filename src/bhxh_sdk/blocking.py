"""The driver of the blocking client: it runs the one asynchronous core without an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from bhxh_sdk.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["run_blocking"]

T = TypeVar("T")


def run_blocking(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine whose ports never suspend to its end.

    Args:
        coroutine: a call of the core.

    Returns:
        What the coroutine returns.

    Raises:
        SetupError: a port really waited: an asynchronous sender, signer or callback was given to the blocking
            client.

    """
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise SetupError("setup.suspended")
