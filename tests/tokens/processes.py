"""Scripts and programs run in processes of their own: a driver's state belongs to its process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tokens.entries import Entry

__all__ = ["MissingError", "need", "run_python", "run_tool", "write_entries"]

_TESTS = Path(__file__).parents[1]


class MissingError(Exception):
    """Something that is not of this project is not here, or may not be used."""


def need(*tools: str) -> None:
    """Demand commands.

    Raises:
        MissingError: one is not there.

    """
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        raise MissingError(f"not installed: {', '.join(missing)}")


def run_python(
    script: str,
    *arguments: object,
    environment: Mapping[str, str] | None = None,
    answers: int | None = 0,
    timeout: float = 60,
) -> str:
    """Run a script in a new interpreter, with the test folders importable, and return what it printed.

    Args:
        script: Python, indented as it stands in the test.
        arguments: become `sys.argv[1:]`.
        environment: added to this process's.
        answers: the exit code that it must end with; None for any; a signal is negative.
        timeout: how long it may take, in seconds.

    """
    command = [sys.executable, "-c", dedent(script), *map(str, arguments)]
    paths = os.pathsep.join([str(_TESTS), str(_TESTS.parent), os.environ.get("PYTHONPATH", "")])
    return run_tool(
        command, environment={"PYTHONPATH": paths, **(environment or {})}, answers=answers, timeout=timeout
    )


def run_tool(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    given: str = "",
    answers: int | None = 0,
    timeout: float = 60,
) -> str:
    """Run a program and return what it printed.

    Args:
        command: the program and its arguments.
        environment: added to this process's.
        given: goes to its standard input.
        answers: the exit code that it must end with; None for any; a signal is negative.
        timeout: how long it may take, in seconds.

    """
    done = subprocess.run(
        list(command),
        env={**os.environ, **(environment or {})},
        input=given,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if answers is not None and done.returncode != answers:
        said = f"{done.stdout}\n{done.stderr}"
        raise AssertionError(f"{command[0]} ended with {done.returncode}, not {answers}:\n{said}")
    return done.stdout


def write_entries(
    module: str,
    pin: str,
    tokens: Mapping[str, Sequence[Entry]],
    environment: Mapping[str, str] | None = None,
) -> None:
    """Write entries onto tokens, named by label, through python-pkcs11 in a process of its own."""
    orders = [
        {"module": module, "label": label, "pin": pin, "objects": [_in_json(entry) for entry in entries]}
        for label, entries in tokens.items()
        if entries
    ]
    program = str(Path(__file__).with_name("writing.py"))
    run_tool([sys.executable, program], environment=environment, given=json.dumps(orders))


def _in_json(entry: Entry) -> dict[str, str]:
    return {
        "key_id": entry.key_id,
        "label": entry.label,
        "key": b64encode(entry.key_der).decode(),
        "certificate": b64encode(entry.certificate).decode(),
    }
