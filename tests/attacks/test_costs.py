"""A refusal costs little, whatever the document is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SECONDS = 0.1
MEGABYTES = 50
# As large as a genuine list of people: refused after what it costs to accept such a list.
LARGE = {
    "a million elements": (1.0, 250),
    "a text of 20 megabytes": (0.5, 150),
    "a text of 9 megabytes": (0.3, 80),
    "2,100,000 elements": (0.4, 50),
    "2,100,000 end tags": (0.4, 50),
    "100,000 elements": (0.2, 50),
    "an attribute of 3 megabytes": (0.2, 50),
    "an algorithm of 3 megabytes": (0.2, 50),
}
TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells a process's high-water mark"
)
def test_every_refusal_takes_less_than_100_ms_and_50_mb():
    made = subprocess.run(
        [sys.executable, "-m", "attacks.measure"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        check=True,
        text=True,
    )
    lines = [json.loads(line) for line in made.stdout.splitlines()]
    assert len(lines) >= 260
    assert [line for line in lines if _over(line)] == []


def _over(line: dict[str, Any]) -> bool:
    seconds, megabytes = LARGE.get(line["attack"], (SECONDS, MEGABYTES))
    return line["seconds"] >= seconds or line["megabytes"] >= megabytes
