"""An existing document of 50,000 rows, 50 MB, signed.

Beside it: one parse by libxml2, one canonicalisation into a hash, and value and certificate put into a copy
of the document; and Java. Each in a process of its own. Value and copy take 20 ms, but whoever frees the
copy has the C library hand the freed tree's memory back to the system, and takes it anew the next time,
which costs a quarter of a second where page faults are dear. So `prepare`, which makes no copy, is printed
beside parse and canonicalisation alone, too.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks import FULL, Scale
from benchmarks.lab.child import Child
from benchmarks.lab.libraries import java, java_signs
from benchmarks.lab.material import ROWS, rows, workplace
from benchmarks.lab.turns import beside, faster, in_turns, spent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks import Result
    from benchmarks.lab.turns import Contender

__all__ = ["results"]


def results(scale: Scale = FULL) -> Iterator[Result]:
    """Measure all in turns."""
    at = ROWS.signature
    with workplace() as key, ExitStack() as stack:
        small, large = key.folder / "small.xml", key.folder / "large.xml"
        small.write_bytes(rows(2))
        large.write_bytes(rows(scale.rows))
        contenders: dict[str, Contender] = {
            "ours": stack.enter_context(Child("sign-ours", key, small, large, at)),
            "floor": stack.enter_context(Child("floor-signed", key, small, large, at)),
            "prepare": stack.enter_context(Child("prepare-ours", key, small, large, at)),
            "bare": stack.enter_context(Child("floor", key, small, large, at)),
        }
        if program := java(key.folder):
            contenders["java"] = stack.enter_context(java_signs(program, key, large, at, scale))
        costs = in_turns(contenders, rounds=scale.large_rounds)
    yield beside("sign_rows_50m_vs_floor", costs["ours"], costs["floor"], bar="at most 1.3")
    yield from spent("sign_rows_50m_vs_floor", costs["ours"], costs["floor"])
    yield beside("prepare_rows_50m_vs_floor", costs["prepare"], costs["bare"], bar="at most 1.3")
    if "java" in costs:
        yield faster("sign_rows_50m_vs_java", costs["ours"], costs["java"], bar="at least 1")
        yield from spent("sign_rows_50m_vs_java", costs["ours"], costs["java"])
