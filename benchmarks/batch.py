"""20,000 forms signed in a batch: two threads beside one, forms a second.

How much two cores give at all is told by the bare RSA operation in two processes beside one.

`BENCH_BATCH=2000` in the environment makes it a quick look.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import cycle, islice
from typing import TYPE_CHECKING

from benchmarks import FULL, Result, Scale
from benchmarks.lab.child import Child
from benchmarks.lab.material import bench_forms, workplace
from benchmarks.lab.turns import Cost, in_turns, measured
from benchmarks.sign_form import document_signer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.lab.turns import Contender
    from bhxh_sdk import DocumentSigner

__all__ = ["results"]

_FORMS = 64
_ROUNDS = 2
_WARM = 200


def results(scale: Scale = FULL) -> Iterator[Result]:
    """Sign all of them with one thread, then with two, twice."""
    with workplace() as key, document_signer(key) as signer, ExitStack() as stack:
        contenders = {str(workers): _signs(signer, workers, scale.forms) for workers in (1, 2)}
        for processes in (1, 2):
            children = [
                stack.enter_context(Child("rsa", key, _WARM, scale.forms // processes))
                for _ in range(processes)
            ]
            contenders[f"rsa-{processes}"] = partial(_together, children)
        costs = in_turns(contenders, rounds=min(_ROUNDS, scale.large_rounds))
    rates = {name: 1000 * scale.forms / cost.ms for name, cost in costs.items()}
    faster = partial(Result, unit="forms per s", better="higher")
    yield faster(name="batch_20k_two_cores_vs_one", ours=rates["2"], against=rates["1"], bar="at least 1.8")
    yield faster(name="rsa_20k_two_cores_vs_one", ours=rates["rsa-2"], against=rates["rsa-1"])
    yield Result(
        name="batch_20k_two_cores_vs_one_cpu",
        ours=costs["2"].cpu_ms * 1000 / scale.forms,
        against=costs["1"].cpu_ms * 1000 / scale.forms,
        unit="us of all cores per form",
        better="lower",
    )


def _together(children: Sequence[Child], runs: int) -> Cost:
    """Let processes run at the same time; the slowest counts."""
    with ThreadPoolExecutor(len(children)) as pool:
        costs = list(pool.map(lambda child: child(runs), children))
    return Cost(max(cost.ms for cost in costs), sum(cost.cpu_ms for cost in costs))


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
