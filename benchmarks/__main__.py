"""Run every benchmark, or those whose module is named: `python -m benchmarks [import_time ...]`."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks


def main(wanted: list[str]) -> None:
    """Print one JSON line per result."""
    found = pkgutil.iter_modules(benchmarks.__path__)
    modules = [module.name for module in found if module.name != "__main__" and not module.ispkg]
    unknown = sorted(set(wanted) - set(modules))
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(modules)}")
    for name in wanted or modules:
        for result in importlib.import_module(f"benchmarks.{name}").results():
            print(result.line(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
