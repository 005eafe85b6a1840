"""The client of one command: its channel, its signer and its journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.channels import open_channel
from bhxh_sdk.cli.choosing import asking_for
from bhxh_sdk.cli.pending import Waiting
from bhxh_sdk.client import Client
from bhxh_sdk.errors import InputError, JournalError

if TYPE_CHECKING:
    from pathlib import Path

    from bhxh_sdk.cli.output import Output
    from bhxh_sdk.transport import Channel

__all__ = ["client_for"]


def client_for(
    output: Output,
    journal: Path,
    *,
    channel: Path | None = None,
    signer: str = "",
    new_journal: bool = False,
) -> Client:
    """Open the client of a command.

    Args:
        output: where people are asked and told.
        journal: the journal's file.
        channel: the channel's file; None for no channel.
        signer: the signer's address; empty for no signer.
        new_journal: whether the journal may be made when it does not exist.

    Raises:
        JournalError: there is no such journal: a mistyped name must not look like an empty journal.
        SetupError: the channel or the signer cannot be opened.

    """
    if not new_journal and not journal.exists():
        raise JournalError("cli.no_journal", field="journal", name=str(journal))
    from bhxh_sdk.cli.signing import opened

    opened_signer = opened(signer, output) if signer else None
    return Client(
        None if channel is None else _opened_channel(channel),
        signer=opened_signer,
        journal=journal,
        ask=asking_for(opened_signer, output),
        on_pending=Waiting.on(opened_signer, output),
    )


def _opened_channel(path: Path) -> Channel:
    """Open a channel; what is wrong with its file names the file, for there is a form beside it."""
    try:
        return open_channel(path)
    except InputError as error:
        if error.code != "input.report":
            raise
        count = len(error.report.errors)
        raise InputError(
            "cli.channel_file", field="channel", report=error.report, name=str(path), count=count
        ) from None
