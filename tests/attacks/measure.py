"""Measure the refusals, in a process of its own: `python -m attacks.measure` prints one JSON line each.

Memory is what the whole process needed more at its highest, libxml2 included, which no Python tool sees;
Linux lets a process set its own high-water mark back.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from attacks.corpus import CORPUS
from attacks.forge import seed
from attacks.verifiers import VERIFIERS, judged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STATUS = Path("/proc/self/status")
ENOUGH = 0.05
LARGE = 100_000
MARK = Path("/proc/self/clear_refs")


def _status(name: str) -> float:
    """Return a line of the process's own status, in MB."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024


def measured() -> Iterator[dict[str, object]]:
    """Judge every attack on its first document by every road, and give what that took."""
    trim = ctypes.CDLL(None).malloc_trim
    for attack in CORPUS:
        genuine = seed(attack.seeds[0])
        content = attack.change(genuine)
        for road in VERIFIERS:
            if len(content) > LARGE:
                gc.collect()
                trim(0)
            MARK.write_text("5")
            start = _status("VmRSS")
            seconds = _seconds(road, content, genuine.at, attack.options)
            grown = _status("VmHWM") - start
            for _ in range(2 * (seconds > ENOUGH)):  # the machine may have been busy with something else
                seconds = min(seconds, _seconds(road, content, genuine.at, attack.options))
            yield {
                "attack": attack.name,
                "road": road,
                "size": len(content),
                "seconds": seconds,
                "megabytes": round(grown, 1),
            }


def _seconds(road: str, content: bytes, at: str, options: Mapping[str, object]) -> float:
    start = time.process_time()
    judged(road, content, at=at, **options)
    return round(time.process_time() - start, 4)


if __name__ == "__main__":
    for line in measured():
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
