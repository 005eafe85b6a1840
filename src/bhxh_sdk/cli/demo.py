"""`bhxh demo`: one organisation registers on the embedded sandbox, all 29 steps, over real HTTP."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from bhxh_sdk.cli import options  # noqa: TC001  # typer reads the annotations at run time
from bhxh_sdk.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from bhxh_sdk.cli.output import Output

__all__ = ["ChannelKind", "demo"]


class ChannelKind(Enum):
    """The channels that the sandbox has."""

    PORTAL = "portal"
    IVAN = "ivan"


def demo(
    ctx: typer.Context,
    channel: Annotated[ChannelKind, typer.Option("--channel")] = ChannelKind.PORTAL,
    signer: options.OptionalSignerUri = "",
) -> ExitCode:
    """Run the whole flow and print its timeline."""
    from bhxh_sdk.cli.demonstration import demonstrated
    from bhxh_sdk.cli.views import timeline_lines

    output: Output = ctx.obj
    shown = demonstrated(channel.value, signer, output)
    status = shown.status
    facts = {"user_name": shown.session.user_name, "unit_code": shown.unit_code}
    data = status.as_dict(output.language) | {
        "channel": channel.value,
        "session": facts,
        "seconds": round(shown.seconds, 3),
    }
    lines = [
        *timeline_lines(status, output),
        output.text("cli.logged_in", user_name=shown.session.user_name),
        output.text("cli.demo.time", seconds=f"{shown.seconds:.2f}"),
        output.text("cli.demo.sandbox_only"),
    ]
    output.answer(data, lines)
    return ExitCode.DONE
