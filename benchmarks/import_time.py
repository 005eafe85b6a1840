"""What starting costs.

Importing every name of `bhxh_sdk` is measured beside its dependencies alone, `bhxh --help` beside typer and
rich alone, each run in a fresh interpreter. The dependencies are the outside modules that the package itself
imports, read from one such import, so that the comparison stays fair when the package's imports change.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import FULL, Result, Scale
from benchmarks.lab.turns import beside, in_turns, timed

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIST_DEPENDENCIES = """
import builtins, sys
seen, original = {}, builtins.__import__
def watching(name, globals=None, locals=None, fromlist=(), level=0):
    importer = (globals or {}).get("__name__") or ""
    module = original(name, globals, locals, fromlist, level)
    top = name.partition(".")[0]
    if importer.partition(".")[0] == "bhxh_sdk" and not level and top != "bhxh_sdk":
        seen[name] = None
        for member in fromlist or ():
            if f"{name}.{member}" in sys.modules:
                seen[f"{name}.{member}"] = None
    return module
builtins.__import__ = watching
from bhxh_sdk import *
builtins.__import__ = original
print(*(n for n in seen if n.partition(".")[0] not in sys.stdlib_module_names and n in sys.modules))
"""


def _python(code: str) -> str:
    return _run(sys.executable, "-c", code)


def _run(*command: str | Path) -> str:
    """Run with byte code kept, as an installed package is run."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=kept).stdout


def _dependencies() -> list[str]:
    return _python(_LIST_DEPENDENCIES).split()


def results(scale: Scale = FULL) -> Iterator[Result]:
    """Measure both starts."""
    dependencies = _dependencies()
    imports = f"import {', '.join(dependencies)}" if dependencies else "pass"
    command = Path(sys.executable).with_name("bhxh")
    contenders = {
        "import": timed(_python, ["from bhxh_sdk import *"]),
        "dependencies": timed(_python, [imports]),
        "command": timed(lambda option: _run(command, option), ["--help"]),
        "libraries": timed(_python, ["import typer, rich"]),
    }
    costs = in_turns(contenders, rounds=scale.starts)
    yield beside("import_ms", costs["import"], costs["dependencies"], bar="at most 150 ms above dependencies")
    yield beside(
        "cli_start_ms", costs["command"], costs["libraries"], bar="at most 150 ms above typer and rich"
    )
