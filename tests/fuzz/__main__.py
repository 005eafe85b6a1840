"""Fuzz from the command line: `python -m fuzz --runs 1000000`, see `make fuzz`."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from fuzz.run import Report, fuzz, name_of, same_finding, same_road, smaller
from fuzz.seeds import CORPUS

FINDINGS = Path("build/fuzz-findings")
LARGEST = 240_000


def main() -> int:
    """Run, tell, and keep what is worth it."""
    options = _options()
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        current = [Path(folder, f"current-{number}") for number in range(options.processes)]
        try:
            reports = _run(options, current)
        except BrokenProcessPool:
            for path in current:
                _store(FINDINGS / f"died-{path.name}", path.read_bytes())
            sys.stdout.write(f"a process died; its last inputs are in {FINDINGS}\n")
            return 1
    seconds = time.perf_counter() - begun
    findings = {name: found for report in reports for name, found in report.findings.items()}
    executions = sum(report.executions for report in reports)
    summary = {
        "executions": executions,
        "seconds": round(seconds, 1),
        "executions per second": round(executions / seconds),
        "roads": len({road for report in reports for road in report.roads}),
        "findings": len(findings),
    }
    sys.stdout.write(json.dumps(summary) + "\n")
    for kind, content, told in findings.values():
        small = smaller(content, same_finding(kind, told))
        path = FINDINGS / name_of(kind, small)
        _store(path, small)
        sys.stdout.write(f"{path}: {told}\n")
    if options.keep:
        _keep(reports)
    return bool(findings)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=50_000, help="how many inputs to try")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9, help="where chance starts")
    parser.add_argument(
        "--keep", action="store_true", help="add an input for each new road to the kept corpus"
    )
    options = parser.parse_args()
    sys.stdout.write(f"seed {options.seed}\n")
    return options


def _run(options: argparse.Namespace, current: list[Path]) -> list[Report]:
    count = options.processes
    share = -(-options.runs // count)
    with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:
        started = [
            pool.submit(fuzz, share, options.seed + number, current=current[number])
            for number in range(count)
        ]
        return [future.result() for future in started]


def _store(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _keep(reports: list[Report]) -> None:
    """Keep the smallest input for each road that the kept ones do not take."""
    roads: dict[str, tuple[str, bytes]] = {}
    for report in reports:
        for road, (kind, content) in report.roads.items():
            if road not in roads or len(content) < len(roads[road][1]):
                roads[road] = kind, content
    size = sum(path.stat().st_size for path in CORPUS.glob("*"))
    known = set(fuzz(0, 0).roads)
    for road, (kind, content) in sorted(roads.items()):
        if road in known:
            continue
        small = smaller(content, same_road(kind, road), tries=150)
        if size + len(small) < LARGEST:
            _store(CORPUS / name_of(kind, small), small)
            size += len(small)
    sys.stdout.write(f"{len(list(CORPUS.glob('*')))} kept inputs, {size} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
