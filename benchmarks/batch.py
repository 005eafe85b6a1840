"""20,000 forms signed in a batch: two threads beside one, forms a second.

`BENCH_BATCH=2000` in the environment makes it a quick look.
"""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING

from benchmarks import FULL, Result, Scale
from benchmarks.lab.material import bench_forms, workplace
from benchmarks.lab.turns import Cost, in_turns, measured
from benchmarks.sign_form import document_signer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.lab.turns import Contender
    from bhxh_sdk import DocumentSigner

__all__ = ["results"]

_FORMS = 64
_ROUNDS = 2
_WARM = 200


def results(scale: Scale = FULL) -> Iterator[Result]:
    """Sign all of them with one thread, then with two, twice."""
    with workplace() as key, document_signer(key) as signer:
        contenders = {str(workers): _signs(signer, workers, scale.forms) for workers in (1, 2)}
        costs = in_turns(contenders, rounds=min(_ROUNDS, scale.large_rounds))
    rates = {name: 1000 * scale.forms / cost.ms for name, cost in costs.items()}
    yield Result(
        name="batch_20k_two_cores_vs_one",
        ours=rates["2"],
        against=rates["1"],
        unit="forms per s",
        better="higher",
        bar="at least 1.8",
    )
    yield Result(
        name="batch_20k_two_cores_vs_one_cpu",
        ours=costs["2"].cpu_ms * 1000 / scale.forms,
        against=costs["1"].cpu_ms * 1000 / scale.forms,
        unit="us of all cores per form",
        better="lower",
    )


def _signs(signer: DocumentSigner, workers: int, count: int) -> Contender:
    """Sign so many, but for the first time, when it is only to warm up."""
    forms = bench_forms(_FORMS)
    following = iter([min(count, _WARM)])

    def run() -> None:
        wanted = next(following, count)
        documents = islice(cycle(forms), wanted)
        signed = sum(outcome.signed is not None for outcome in signer.sign_all(documents, workers=workers))
        if signed != wanted:
            raise ValueError(f"{wanted - signed} forms were not signed")

    def measure(runs: int) -> Cost:
        return measured(run, runs)

    return measure
