"""Options that commands share: their names, metavariables and environment variables.

Their help stands in the message catalogue; see `bhxh_sdk.cli.app`.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "DEFAULT_JOURNAL",
    "AsJson",
    "At",
    "AttachmentsFrom",
    "ChannelFile",
    "Force",
    "FormFile",
    "JournalFile",
    "Key",
    "Lang",
    "LanguageName",
    "OptionalChannelFile",
    "OptionalSignerUri",
    "OutFile",
    "SignerUri",
    "Yes",
]

DEFAULT_JOURNAL = Path("bhxh-journal.db")
"""The journal when none is named: a file in the working folder, where whoever looks for it finds it."""

_CHANNEL = typer.Option("--channel", metavar="CHANNEL.toml", envvar="BHXH_CHANNEL")
_SIGNER = typer.Option("--signer", metavar="URI", envvar="BHXH_SIGNER")


class LanguageName(Enum):
    """The languages of `--lang`."""

    VI = "vi"
    EN = "en"


AsJson = Annotated[bool, typer.Option("--json")]
Lang = Annotated[LanguageName, typer.Option("--lang")]
FormFile = Annotated[Path, typer.Argument(metavar="FORM")]
AttachmentsFrom = Annotated[Path | None, typer.Option("--attachments-from", metavar="DIR")]
OutFile = Annotated[Path, typer.Option("--output", "-o", metavar="OUT")]
Force = Annotated[bool, typer.Option("--force")]
ChannelFile = Annotated[Path, _CHANNEL]
OptionalChannelFile = Annotated[Path | None, _CHANNEL]
SignerUri = Annotated[str, _SIGNER]
OptionalSignerUri = Annotated[str, _SIGNER]
JournalFile = Annotated[Path, typer.Option("--journal", metavar="FILE", envvar="BHXH_JOURNAL")]
Key = Annotated[str, typer.Argument(metavar="KEY")]
At = Annotated[str, typer.Option("--at", metavar="PATH")]
Yes = Annotated[bool, typer.Option("--yes")]
