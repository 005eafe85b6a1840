"""Contenders have their turns one after the other, so that a busy moment of the machine hits all alike."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from benchmarks import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

__all__ = ["Contender", "Cost", "beside", "faster", "in_turns", "measured", "spent", "timed"]

T = TypeVar("T")


@dataclass(frozen=True)
class Cost:
    """What one run takes.

    Args:
        ms: wall time, the median.
        cpu_ms: time of all cores, the mean.
        peak_mb: most memory above what was held before; 0 where it is not measured.

    """

    ms: float
    cpu_ms: float = 0.0
    peak_mb: float = 0.0


Contender: TypeAlias = "Callable[[int], Cost]"
"""Runs so many times and tells what one run took."""


def measured(action: Callable[[], object], runs: int) -> Cost:
    """Run in this process, without a look at memory."""
    times = []
    cpu = process_time()
    for _ in range(runs):
        start = perf_counter()
        action()
        times.append(perf_counter() - start)
    return Cost(median(times) * 1000, (process_time() - cpu) / runs * 1000)


def timed(action: Callable[[T], object], inputs: Sequence[T]) -> Contender:
    """Make a contender of this process, which goes through its inputs again and again."""
    following = cycle(inputs)

    def run(runs: int) -> Cost:
        taken = [next(following) for _ in range(runs)]
        nexts = iter(taken)
        return measured(lambda: action(next(nexts)), runs)

    return run


def in_turns(
    contenders: Mapping[str, Contender],
    *,
    rounds: int,
    block: int = 1,
    pick: Callable[[Iterable[float]], float] = median,
) -> dict[str, Cost]:
    """Let everyone run a block in each round; another goes first each time.

    Args:
        contenders: by name.
        rounds: how many.
        block: how often each runs in a round.
        pick: which of the rounds' times count; `min` tells small differences on a busy machine.

    Returns:
        What was picked of the rounds, after one that only warms up; of memory the most, the first round
        included, because what an allocator keeps is not taken again later.

    """
    names = list(contenders)
    costs: dict[str, list[Cost]] = {name: [contenders[name](block)] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            costs[name].append(contenders[name](block))
    return {name: _picked(found, pick) for name, found in costs.items()}


def _picked(costs: Sequence[Cost], pick: Callable[[Iterable[float]], float]) -> Cost:
    later = costs[1:]
    return Cost(
        pick(cost.ms for cost in later),
        pick(cost.cpu_ms for cost in later),
        max(cost.peak_mb for cost in costs),
    )


def beside(name: str, ours: Cost, against: Cost, *, bar: str = "none", small: bool = False) -> Result:
    """Put two times side by side: the ratio is how many times as long ours takes.

    Args:
        name: the result's name.
        ours: what ours takes.
        against: what the other takes.
        bar: what must be reached.
        small: whether to give microseconds.

    """
    unit, factor = ("us", 1000) if small else ("ms", 1)
    return Result(
        name=name, ours=ours.ms * factor, against=against.ms * factor, unit=unit, better="lower", bar=bar
    )


def faster(name: str, ours: Cost, against: Cost, *, bar: str = "none") -> Result:
    """Put two speeds side by side: the ratio is how many times as fast ours is."""
    return Result(
        name=name,
        ours=1000 / ours.ms,
        against=1000 / against.ms,
        unit="documents per s",
        better="higher",
        bar=bar,
    )


def spent(name: str, ours: Cost, against: Cost, *, most_mb: float | None = None) -> Iterator[Result]:
    """Give what else was spent: time of all cores, and memory."""
    yield Result(
        name=f"{name}_cpu", ours=ours.cpu_ms, against=against.cpu_ms, unit="ms of all cores", better="lower"
    )
    yield Result(
        name=f"{name}_peak_mb",
        ours=ours.peak_mb,
        against=against.peak_mb,
        unit="MB",
        better="lower",
        bar="none" if most_mb is None else f"ours at most {most_mb:g} MB",
    )
