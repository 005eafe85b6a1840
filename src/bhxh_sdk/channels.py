"""Channels for the clients: opened with the machine's own clock and the sender that fits, or none at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bhxh_sdk import transport
from bhxh_sdk.errors import SetupError
from bhxh_sdk.system import AsyncSystemClock, SystemClock
from bhxh_sdk.transport import AsyncHttpSender, ChannelCapabilities, HttpSender

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from bhxh_sdk.secret import Secret
    from bhxh_sdk.transport import Channel

__all__ = ["NoChannel", "open_channel"]


class NoChannel:
    """Stand in where no channel was given: for paper, and for what the journal alone can tell."""

    capabilities = ChannelCapabilities(name="none", operations=frozenset())
    asynchronous = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # every operation of a channel
        """Refuse every operation.

        Raises:
            SetupError: always.

        """
        error = SetupError("setup.no_channel", field="channel", operation=name)
        error.nothing_left = True
        raise error

    async def close(self) -> None:
        """Do nothing."""


def open_channel(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    asynchronous: bool = False,
    secrets: Mapping[str, Secret] | None = None,
) -> Channel:
    """Open the channel that a TOML file or a table describes. Nothing is connected yet.

    Args:
        source: path of the file, or the table itself, such as `{"kind": "portal", "profile": "portal-vss"}`;
            see `bhxh_sdk.transport.open_channel` for its keys.
        asynchronous: whether it is for `AsyncClient`.
        secrets: secrets by their key, such as `{"passphrase": Secret(…)}`; without them the environment
            variables that the table names are read.

    Raises:
        UnreadableFileError: the file is missing or is no TOML.
        InputError: a key is unknown, missing or of a wrong type.
        SetupError: a secret is named and the environment does not have it.

    """
    if asynchronous:
        return transport.open_channel(
            source, clock=AsyncSystemClock(), sender_factory=AsyncHttpSender, secrets=secrets
        )
    return transport.open_channel(source, clock=SystemClock(), sender_factory=HttpSender, secrets=secrets)
