"""Running a command: whatever happens becomes a message and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import typer

from bhxh_sdk.cli.app import command_tree
from bhxh_sdk.cli.exit_codes import ExitCode
from bhxh_sdk.cli.output import Output
from bhxh_sdk.cli.usage import complaint
from bhxh_sdk.errors import BhxhError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["run"]

# Every complaint of the option parser derives from this; typer exports it by no name of its own.
_PARSER_ERROR: type[Exception] = typer.BadParameter.__mro__[2]


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code.

    Args:
        arguments: what stands after `bhxh`; nothing asks for the help.

    """
    output = Output.from_arguments(arguments)
    _write_utf8()
    try:
        return _called(arguments, output)
    except BhxhError as error:
        return output.failure(error)
    except (KeyboardInterrupt, typer.Abort):
        output.failure(InputError("cli.interrupted"))
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read the answer has read enough; the interpreter must not complain at its end.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except Exception as error:
        if os.environ.get("BHXH_DEBUG"):
            raise
        output.failure(BhxhError("cli.unforeseen", kind=type(error).__name__, reason=str(error)))
        return ExitCode.UNFORESEEN


def _called(arguments: Sequence[str], output: Output) -> int:
    command = command_tree(output.language)
    try:
        code = command.main(list(arguments) or ["--help"], "bhxh", standalone_mode=False, obj=output)
    except _PARSER_ERROR as error:
        raise InputError("cli.usage", reason=complaint(error, output.language)) from error
    except SystemExit:
        raise BrokenPipeError from None  # the only exit that typer takes by itself here
    if code == ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    return ExitCode.DONE if code is None else ExitCode(code)


def _write_utf8() -> None:
    """Write UTF-8 even where the console's own encoding has no Vietnamese letters."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
