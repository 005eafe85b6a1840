"""A file of 37.5 MB written into an envelope as 50 MB of base64, hashed and signed on the way.

Beside it: base64, SHA-256 and writing in one loop. `..._kept` has the file on the disk before it gets its
name, as `signed_file` does, and the loop waits for the disk too.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks import FULL, Scale
from benchmarks.lab.child import Child
from benchmarks.lab.material import workplace
from benchmarks.lab.turns import beside, in_turns, spent
from bhxh_sdk import xml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks import Result

__all__ = ["results"]

_SMALL = 100_000
_AT = xml.profile("envelope").signature


def results(scale: Scale = FULL) -> Iterator[Result]:
    """Measure all in turns, then verify what was written."""
    name = "attachment_50m_vs_floor"
    with workplace() as key, ExitStack() as stack:
        small, large = (_file(key.folder, size) for size in (_SMALL, scale.file_bytes))
        contenders = {
            who: stack.enter_context(Child(f"attachment-{who}", key, small, large))
            for who in ("ours", "floor", "ours-kept", "floor-kept")
        }
        costs = in_turns(contenders, rounds=scale.large_rounds)
        for kind in ("ours", "kept"):
            xml.verify((key.folder / f"{large.name}.{kind}.xml").read_bytes(), at=_AT)
    yield beside(name, costs["ours"], costs["floor"], bar="at most 2")
    yield from spent(name, costs["ours"], costs["floor"], most_mb=8)
    yield beside("attachment_50m_kept_vs_floor", costs["ours-kept"], costs["floor-kept"])


def _file(folder: Path, size: int) -> Path:
    path = folder / f"{size}.pdf"
    path.write_bytes(os.urandom(size))
    return path
