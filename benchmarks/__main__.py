"""Run every benchmark, or those whose module is named: `python -m benchmarks [import_time ...]`."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks

__all__ = ["main", "modules"]


def modules() -> list[str]:
    """Name every benchmark: the modules here, but for this one."""
    found = pkgutil.iter_modules(benchmarks.__path__)
    return [module.name for module in found if module.name != "__main__" and not module.ispkg]


def main(wanted: list[str]) -> None:
    """Print one JSON line per result."""
    known = modules()
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(known)}")
    for name in wanted or known:
        for result in importlib.import_module(f"benchmarks.{name}").results():
            print(result.line(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
