"""Command line: `bhxh`, for people and for scripts.

What a command needs is imported when it runs, so that `bhxh --help` is quick and a missing extra is a
message.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_EXTRA = frozenset({"typer", "rich"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what stands after `bhxh`; the process's own by default.

    Returns:
        The exit code, one of `bhxh_sdk.cli.exit_codes.ExitCode`.

    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        from bhxh_sdk.cli.running import run
    except ModuleNotFoundError as missing:
        if missing.name not in _EXTRA:
            raise
        from bhxh_sdk.cli.output import Output
        from bhxh_sdk.errors import MissingExtraError

        return Output.from_arguments(given).failure(MissingExtraError(extra="cli"))
    return run(given)
