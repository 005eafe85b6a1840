"""How time, CPU and memory grow with size: signing and verifying 2 KB, 100 KB, 5 MB and 50 MB.

Ours and every peer, each in a process of its own: the libraries, Java (warm) and `xmlsec1`, whose process
starts anew for each document. Each line puts ours beside one of them.
"""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import FULL, Scale
from benchmarks.lab.child import Child
from benchmarks.lab.libraries import installed, java, java_signs, java_verifies
from benchmarks.lab.material import FORM_AT, ROWS, bench_forms, rows, workplace
from benchmarks.lab.turns import beside, in_turns, spent
from bhxh_sdk import xml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks import Result
    from benchmarks.lab.material import Key
    from benchmarks.lab.turns import Contender, Cost
    from benchmarks.peers.java import Java

__all__ = ["results"]


class _Size(NamedTuple):
    """A size: its name, the part of all rows that has it, how often it runs."""

    name: str
    part: float
    rounds: int
    block: int


_SIZES = (
    _Size("2k", 0, 5, 10),
    _Size("100k", 0.002, 5, 4),
    _Size("5m", 0.1, 3, 1),
    _Size("50m", 1, 1, 1),
)
_LARGE = frozenset({"5m", "50m"})
"""Sizes at which memory tells something about the document."""


def results(scale: Scale = FULL) -> Iterator[Result]:
    """Measure every size, signing and verifying, all in turns."""
    with workplace() as key:
        program = java(key.folder)
        names = ["floor", *installed(), *_programs()]
        for size in _SIZES:
            unsigned, signed, at = _documents(key, size, scale)
            for work, file in (("sign", unsigned), ("verify", signed)):
                costs = _costs(key, work, file, at, names, program, size, scale)
                yield from _lines(f"growth_{work}_{size.name}", costs, with_memory=size.name in _LARGE)


def _documents(key: Key, size: _Size, scale: Scale) -> tuple[Path, Path, str]:
    at = ROWS.signature if size.part else FORM_AT
    content = rows(max(1, int(scale.rows * size.part))) if size.part else xml.build(bench_forms(1)[0]).content
    unsigned, signed = key.folder / f"{size.name}.xml", key.folder / f"{size.name}-signed.xml"
    unsigned.write_bytes(content)
    signed.write_bytes(key.signed(content, at))
    return unsigned, signed, at


def _programs() -> list[str]:
    if shutil.which("xmlsec1") is None:
        print("left out: xmlsec1: not installed", file=sys.stderr)
        return []
    return ["xmlsec1"]


def _costs(  # what is measured, with what, and how often
    key: Key,
    work: str,
    file: Path,
    at: str,
    names: list[str],
    program: Java | None,
    size: _Size,
    scale: Scale,
) -> dict[str, Cost]:
    with ExitStack() as stack:
        contenders: dict[str, Contender] = {}
        for name in ["ours", *names]:
            task = name if name == "floor" else f"{work}-{name}"
            contenders[name] = stack.enter_context(Child(task, key, file, file, at))
        if program:
            signs = work == "sign"
            contenders["java"] = stack.enter_context(
                java_signs(program, key, file, at, scale) if signs else java_verifies(program, file, scale)
            )
        return in_turns(contenders, rounds=min(size.rounds, scale.large_rounds), block=size.block)


def _lines(name: str, costs: dict[str, Cost], *, with_memory: bool) -> Iterator[Result]:
    for other, cost in costs.items():
        if other == "ours":
            continue
        yield beside(f"{name}_vs_{other}", costs["ours"], cost)
        cpu, memory = spent(f"{name}_vs_{other}", costs["ours"], cost)
        yield cpu
        if with_memory:
            yield memory
