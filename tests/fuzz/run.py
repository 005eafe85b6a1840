"""Runs: inputs go through the targets, new roads are kept, and findings are made small."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fuzz.seeds import Inputs, genuine, kept
from fuzz.targets import Finding, outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Report", "fuzz", "smaller"]

_LARGEST_KEPT = 20_000


@dataclass(kw_only=True)
class Report:
    """Hold what a run found.

    Args:
        executions: how many inputs were tried.
        seconds: how long that took.
        findings: input and what was wrong with the answer, by the kind of fault.
        roads: input and kind by the answers that no earlier input gave.

    """

    executions: int = 0
    seconds: float = 0.0
    findings: dict[str, tuple[str, bytes, str]] = field(default_factory=dict)
    roads: dict[str, tuple[str, bytes]] = field(default_factory=dict)


def fuzz(runs: int, number: int, *, current: Path | None = None) -> Report:
    """Try inputs.

    Args:
        runs: how many.
        number: where chance starts.
        current: a file that always holds the input being tried, for the case that the process dies of it.

    """
    report = Report()
    begun = time.perf_counter()
    pool = {kind: [*genuine()[kind], *inputs] for kind, inputs in kept().items()}
    inputs = Inputs(number=number, pool=pool)
    for kind, contents in pool.items():
        for content in tuple(contents):
            _try(report, kind, content, None)
    written = None if current is None else os.open(current, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    for _ in range(runs):
        kind, content = inputs.next()
        if written is not None:
            os.pwrite(written, content, 0)
            os.ftruncate(written, len(content))
        _try(report, kind, content, pool)
    report.executions = runs
    report.seconds = time.perf_counter() - begun
    return report


def _try(report: Report, kind: str, content: bytes, pool: dict[str, list[bytes]] | None) -> None:
    new = False
    try:
        for road in outcome(kind, content):
            if road not in report.roads:
                report.roads[road] = kind, content
                new = True
    except Finding as finding:
        report.findings.setdefault(str(finding)[:80], (kind, content, str(finding)))
    if new and pool is not None and len(content) < _LARGEST_KEPT:
        pool[kind].append(content)


def smaller(content: bytes, same: Callable[[bytes], bool], *, tries: int = 400) -> bytes:
    """Return a smaller input for which the same holds: pieces are taken out as long as that succeeds."""
    size = max(1, len(content) // 2)
    while size and tries:
        start = 0
        while start < len(content) and tries:
            without = content[:start] + content[start + size :]
            tries -= 1
            if same(without):
                content = without
            else:
                start += size
        size //= 2
    return content


def same_finding(kind: str, told: str) -> Callable[[bytes], bool]:
    """Return a test of whether an input still gives the same fault."""

    def same(content: bytes) -> bool:
        try:
            list(outcome(kind, content))
        except Finding as finding:
            return str(finding)[:80] == told[:80]
        return False

    return same


def same_road(kind: str, road: str) -> Callable[[bytes], bool]:
    """Return a test of whether an input still gives the same answer by the same road."""

    def same(content: bytes) -> bool:
        try:
            return road in outcome(kind, content)
        except Finding:
            return False

    return same


def name_of(kind: str, content: bytes) -> str:
    """Return the file name for an input."""
    return f"{hashlib.sha256(content).hexdigest()[:16]}.{kind}"
