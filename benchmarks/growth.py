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
        for size in (size for size in _SIZES if size.name in scale.growth):
            for work in ("sign", "verify"):
                costs = _costs(_Job.made(key, work, size, scale), names, program, scale)
                yield from _lines(f"growth_{work}_{size.name}", costs, with_memory=size.name in _LARGE)


class _Job(NamedTuple):
    """What is done with which document; the small one is where everyone begins."""

    key: Key
    work: str
    size: _Size
    at: str
    small: Path
    file: Path

    @classmethod
    def made(cls, key: Key, work: str, size: _Size, scale: Scale) -> _Job:
        """Write the documents."""
        at = ROWS.signature if size.part else FORM_AT
        contents = [rows(2), rows(max(1, int(scale.rows * size.part)))] if size.part else _two_forms()
        files = [key.folder / f"{work}-{size.name}-{number}.xml" for number in range(2)]
        for file, content in zip(files, contents, strict=True):
            file.write_bytes(content if work == "sign" else key.signed(content, at))
        return cls(key, work, size, at, *files)

    def child(self, name: str) -> Child:
        """Start a contender of that name."""
        task = name if name == "floor" else f"{self.work}-{name}"
        return Child(task, self.key, self.small, self.file, self.at)


def _two_forms() -> list[bytes]:
    return [xml.build(form).content for form in bench_forms(2)]


def _programs() -> list[str]:
    if shutil.which("xmlsec1") is None:
        print("left out: xmlsec1: not installed", file=sys.stderr)
        return []
    return ["xmlsec1"]


def _costs(job: _Job, names: list[str], program: Java | None, scale: Scale) -> dict[str, Cost]:
    with ExitStack() as stack:
        contenders: dict[str, Contender] = {
            name: stack.enter_context(job.child(name)) for name in ["ours", *names]
        }
        if program:
            warm = (
                java_signs(program, job.key, job.file, job.at, scale)
                if job.work == "sign"
                else java_verifies(program, job.file, scale)
            )
            contenders["java"] = stack.enter_context(warm)
        rounds = min(job.size.rounds, scale.large_rounds)
        return in_turns(contenders, rounds=rounds, block=job.size.block)


def _lines(name: str, costs: dict[str, Cost], *, with_memory: bool) -> Iterator[Result]:
    for other, cost in costs.items():
        if other == "ours":
            continue
        yield beside(f"{name}_vs_{other}", costs["ours"], cost)
        cpu, memory = spent(f"{name}_vs_{other}", costs["ours"], cost)
        yield cpu
        if with_memory:
            yield memory
