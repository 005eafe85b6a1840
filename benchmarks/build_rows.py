"""50,000 rows of 25 columns built from records, signed and written to a file.

Beside it: the same records in an lxml tree, signed by signxml, whose parser is made to take large documents.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks import FULL, Scale
from benchmarks.lab.child import Child
from benchmarks.lab.material import ROWS, workplace
from benchmarks.lab.turns import faster, in_turns, spent
from bhxh_sdk import xml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks import Result

__all__ = ["results"]

_SMALL = 600
_ROUNDS = 3


def results(scale: Scale = FULL) -> Iterator[Result]:
    """Measure both in turns, then verify what both wrote."""
    name, at = "build_sign_rows_50k_vs_signxml", ROWS.signature
    with workplace() as key, ExitStack() as stack:
        contenders = {
            who: stack.enter_context(Child(f"rows-{who}", key, _SMALL, scale.rows, at))
            for who in ("ours", "signxml")
        }
        costs = in_turns(contenders, rounds=min(_ROUNDS, scale.large_rounds))
        for who in contenders:
            xml.verify((key.folder / f"{who}-rows.xml").read_bytes(), at=at)
    yield faster(name, costs["ours"], costs["signxml"], bar="at least 6")
    yield from spent(name, costs["ours"], costs["signxml"], most_mb=8)
