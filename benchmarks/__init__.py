"""Benchmarks: each module measures one thing and yields one result per figure; `make bench` prints them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, kw_only=True)
class Result:
    """One figure: ours beside what it is measured against."""

    name: str
    ours: float
    against: float
    unit: str
    better: Literal["lower", "higher"]
    bar: str

    def line(self) -> str:
        """The result as one line of JSON."""
        ratio = round(self.ours / self.against, 3) if self.against else None
        members = asdict(self) | {
            "ours": round(self.ours, 3),
            "against": round(self.against, 3),
            "ratio": ratio,
        }
        order = ("name", "ours", "against", "ratio", "unit", "better", "bar")
        return json.dumps({key: members[key] for key in order})


def interleaved(
    ours: Callable[[], object], against: Callable[[], object], *, runs: int
) -> tuple[float, float]:
    """Median milliseconds of both, run in turns so that a busy moment of the machine hits both alike."""
    measured: tuple[list[float], list[float]] = ([], [])
    for run in range(runs + 1):
        for action, times in zip((ours, against), measured, strict=True):
            start = perf_counter()
            action()
            elapsed = (perf_counter() - start) * 1000
            if run:  # the first round only warms the caches
                times.append(elapsed)
    return median(measured[0]), median(measured[1])
