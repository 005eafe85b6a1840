"""A process of its own for one task, so that memory is counted honestly: both sides of it.

`python -m benchmarks.lab.child TASK KEYS SMALL ARGUMENT AT` does the task on something small first, so that
all is loaded; then, for each number N that it reads, N times on the argument, and prints what one took.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Self

from benchmarks.lab.memory import forget_peak, held_mb, peak_mb
from benchmarks.lab.turns import Cost

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from benchmarks.lab.material import Key

__all__ = ["Child", "Program", "main"]

_ROOT = Path(__file__).parents[2]


class Program:
    """Start a program that obeys orders: `with Program(...) as program: program(3)`; a contender.

    For each number N on its standard input it runs N times, and prints in JSON what one run took: wall time
    and time of all cores in milliseconds, memory in MB.

    Args:
        command: the program and its arguments.

    """

    def __init__(self, *command: str) -> None:
        self._command = command

    def __enter__(self) -> Self:
        """Start it."""
        self._process = subprocess.Popen(
            self._command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="ascii"
        )
        return self

    def __call__(self, runs: int) -> Cost:
        """Let it run.

        Raises:
            ChildProcessError: it ended; what it said stands on standard error.

        """
        print(runs, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline() if self._process.stdout else ""
        if not answer:
            raise ChildProcessError(" ".join(self._command))
        return Cost(*json.loads(answer))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


class Child(Program):
    """Start a task in a process of its own.

    Args:
        task: its name.
        key: who signs.
        small: something small to begin with.
        argument: what to work on.
        at: where the signature stands.

    """

    def __init__(self, task: str, key: Key, small: object, argument: object, at: str = "") -> None:
        words = [task, str(key.folder), str(small), str(argument), at]
        super().__init__(sys.executable, "-m", "benchmarks.lab.child", *words)


def main(task: str, keys: str, small: str, argument: str, at: str) -> None:
    """Obey orders from standard input."""
    from benchmarks.lab.material import Key  # noqa: PLC0415  # only the child needs all of it
    from benchmarks.lab.tasks import TASKS  # noqa: PLC0415  # as above

    key = Key(Path(keys))
    TASKS[task](key, small, at)()
    action = TASKS[task](key, argument, at)
    for order in sys.stdin:
        print(json.dumps(_measured(action, int(order))), flush=True)


def _measured(action: Callable[[], object], runs: int) -> tuple[float, float, float]:
    gc.collect()
    forget_peak()
    before, cpu, times = held_mb(), _cpu(), []
    for _ in range(runs):
        start = perf_counter()
        result = action()
        times.append(perf_counter() - start)
        del result
    others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # of a program that was started
    return median(times) * 1000, (_cpu() - cpu) / runs * 1000, max(peak_mb() - before, others)


def _cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main(*sys.argv[1:])
