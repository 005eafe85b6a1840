"""The peers that are installed; those that are not are left out, and named on standard error."""

from __future__ import annotations

import importlib
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.lab.material import MOMENT
from benchmarks.lab.memory import Watched
from benchmarks.peers.java import Java

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks import Scale
    from benchmarks.lab.material import Key
    from benchmarks.lab.turns import Contender
    from benchmarks.peers.java import JavaBench

__all__ = ["LIBRARIES", "installed", "java", "java_signs", "java_verifies", "library"]

LIBRARIES = {"bergshamra": "Bergshamra", "python_xmlsec": "PythonXmlsec", "signxml": "WithSignxml"}


def library(name: str, key: Key):  # noqa: ANN201  # one of three classes, alike but for what only signxml has
    """Make a peer of this process."""
    module = importlib.import_module(f"benchmarks.peers.{'with_signxml' if name == 'signxml' else name}")
    return getattr(module, LIBRARIES[name])(key.for_peers, MOMENT)


def installed() -> list[str]:
    """Name the libraries that can be imported here."""
    found = []
    for name in LIBRARIES:
        try:
            importlib.import_module(f"benchmarks.peers.{'with_signxml' if name == 'signxml' else name}")
        except ImportError as error:
            print(f"left out: {name}: {error}", file=sys.stderr)
        else:
            found.append(name)
    return found


def java(folder: Path) -> Java | None:
    """Compile the Java program; None where there is no Java."""
    if shutil.which("javac") is None or shutil.which("java") is None:
        print("left out: java: no javac", file=sys.stderr)
        return None
    into = folder / "java"
    into.mkdir(exist_ok=True)
    return Java(into, heap="3g")


@contextmanager
def java_signs(peer: Java, key: Key, file: Path, at: str, scale: Scale) -> Iterator[Contender]:
    """Give Java, warm, signing a file."""
    with peer.bench_sign(key.for_peers, file, at, MOMENT) as bench:
        yield _warm(bench, scale)


@contextmanager
def java_verifies(peer: Java, file: Path, scale: Scale) -> Iterator[Contender]:
    """Give Java, warm, verifying a file."""
    with peer.bench_verify(file) as bench:
        yield _warm(bench, scale)


def _warm(bench: JavaBench, scale: Scale) -> Contender:
    """Let Java compile what it runs; its memory counts from before the first run."""
    watched = Watched(bench.pid)
    first = bench.median(1)
    bench.median(max(1, int(scale.warm_ms / first)))
    bench.median(max(1, int(scale.warm_ms / bench.median(3))))
    return lambda runs: watched.cost(bench.median(runs), runs)
