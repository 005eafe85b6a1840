"""Signed documents of 50 MB verified: one that we wrote, and one whose bytes are not canonical.

The first is proven by its digest, beside Java; the second has to be parsed and canonicalised, beside one
parse by libxml2 and one canonicalisation into a hash. Each in a process of its own.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks import FULL, Scale
from benchmarks.lab.child import Child
from benchmarks.lab.libraries import java, java_verifies
from benchmarks.lab.material import ROWS, foreign_rows, rows, workplace
from benchmarks.lab.turns import beside, faster, in_turns, spent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks import Result
    from benchmarks.lab.material import Key
    from benchmarks.lab.turns import Contender

__all__ = ["results"]

_AT = ROWS.signature


def results(scale: Scale = FULL) -> Iterator[Result]:
    """Measure both documents, all in turns."""
    with workplace() as key, ExitStack() as stack:
        small, large = _signed(key, "own", rows, scale.rows)
        foreign_small, foreign = _signed(key, "foreign", foreign_rows, scale.rows * 21 // 25)
        contenders: dict[str, Contender] = {
            "ours": stack.enter_context(Child("verify-ours", key, small, large, _AT)),
            "floor": stack.enter_context(Child("floor", key, small, large, _AT)),
            "foreign": stack.enter_context(Child("verify-ours", key, foreign_small, foreign, _AT)),
            "foreign_floor": stack.enter_context(Child("floor", key, foreign_small, foreign, _AT)),
        }
        if program := java(key.folder):
            contenders["java"] = stack.enter_context(java_verifies(program, large, scale))
        costs = in_turns(contenders, rounds=scale.large_rounds)
    name = "verify_foreign_rows_50m_vs_floor"
    yield beside(name, costs["foreign"], costs["foreign_floor"], bar="at most 1.3")
    yield from spent(name, costs["foreign"], costs["foreign_floor"])
    yield beside("verify_rows_50m_vs_floor", costs["ours"], costs["floor"])
    if "java" in costs:
        yield faster("verify_rows_50m_vs_java", costs["ours"], costs["java"], bar="at least 5")
        yield from spent("verify_rows_50m_vs_java", costs["ours"], costs["java"])


def _signed(key: Key, name: str, make: Callable[[int], bytes], count: int) -> tuple[Path, Path]:
    """Sign a small and a large document of a kind."""
    small, large = key.folder / f"{name}-small.xml", key.folder / f"{name}-large.xml"
    small.write_bytes(key.signed(make(2), _AT))
    large.write_bytes(key.signed(make(count), _AT))
    return small, large
