"""Benchmarks: each module measures one thing and yields one result per figure; `make bench` prints them.

All that stands in one ratio is measured in one run, on the same documents, in turns. What a number means and
which ones are bars: `docs/reference/benchmarks.md`.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Literal

__all__ = ["FULL", "TINY", "Result", "Scale"]

_ROUNDED = ".4g"


@dataclass(frozen=True, kw_only=True)
class Result:
    """One figure: ours beside what it is measured against; the ratio is the first by the second."""

    name: str
    ours: float
    against: float
    unit: str
    better: Literal["lower", "higher"]
    bar: str = "none"

    def line(self) -> str:
        """The result as one line of JSON."""
        ratio = round(self.ours / self.against, 3) if self.against else None
        members = asdict(self) | {
            "ours": float(format(self.ours, _ROUNDED)),
            "against": float(format(self.against, _ROUNDED)),
            "ratio": ratio,
        }
        order = ("name", "ours", "against", "ratio", "unit", "better", "bar")
        return json.dumps({key: members[key] for key in order})


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is measured; names of results speak of the full scale.

    Args:
        rounds: how often everything small and quick has its turn.
        peer_rounds: the same, where slow peers take part.
        block: how often it runs in a turn.
        large_rounds: how often everything large has its turn.
        starts: how often a program is started.
        rows: rows of the document that has 50 MB.
        file_bytes: size of the attachment that has 50 MB in base64.
        forms: how many forms are a batch.
        certificates: how many different certificates are met for the first time.
        warm_ms: how long a Java program runs before it is measured, twice.
        growth: which sizes growth is measured at.

    """

    rounds: int = 200
    peer_rounds: int = 100
    block: int = 15
    large_rounds: int = 5
    starts: int = 11
    rows: int = 50_000
    file_bytes: int = 37_500_000
    forms: int = 20_000
    certificates: int = 600
    warm_ms: int = 1000
    growth: tuple[str, ...] = ("2k", "100k", "5m", "50m")


FULL = Scale(forms=int(os.environ.get("BENCH_BATCH", "20000")))
TINY = Scale(
    rounds=1,
    peer_rounds=1,
    block=2,
    large_rounds=1,
    starts=1,
    rows=100,
    file_bytes=10_000,
    forms=70,
    certificates=3,
    warm_ms=1,
    growth=("2k", "50m"),
)
