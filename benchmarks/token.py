"""Signatures with a token in a kept session, through each binding, beside a C program that does nothing else.

`isolated` is the default binding in a helper process.

Ours is `TokenSigner.local_key`; the floor is C_SignInit and C_Sign over 51 bytes. Each in a process of its
own, on the same token: SoftHSM2, and openCryptoki where it may run. The difference is a few microseconds, so
that the best round of each process counts, and the middle one of three processes.

And how long an event loop is held while documents are signed beside it with a token that takes 300 ms.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import FULL, Result, Scale
from benchmarks.lab.child import Child, Program
from benchmarks.lab.material import workplace
from benchmarks.lab.tokens import BINDINGS, SLOW_MS, loop_held_ms, openers, token_floor
from benchmarks.lab.turns import Cost, in_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.lab.material import Key
    from benchmarks.lab.tokens import Token
    from benchmarks.lab.turns import Contender

__all__ = ["results"]

_BARS = {"python-pkcs11": "at least 0.95", "pykcs11": "at least 0.80"}
_LOOP_BARS = {"python-pkcs11": "ours at most 20 ms"}
_MOST_ROUNDS = 20
_PROCESSES = 3
"""How many processes of each: where memory comes to lie makes one some hundredths slower than the next."""
_SIGNATURES = 50
"""How many signatures are one run."""


def results(scale: Scale = FULL) -> Iterator[Result]:
    """Measure on every token that is there."""
    if shutil.which("cc") is None:
        print("left out: token: no cc", file=sys.stderr)
        return
    opened, missing = openers()
    for name, opener in opened.items():
        with workplace() as key, ExitStack() as stack:
            try:
                token = stack.enter_context(opener(key))
            except missing as error:
                print(f"left out: token: {name}: {error}", file=sys.stderr)
                continue
            yield from _lines("" if name == "softhsm2" else f"_{name}", _costs(key, token, scale))
            if name == "softhsm2":
                yield from _loop_lines(key)


def _costs(key: Key, token: Token, scale: Scale) -> dict[str, Cost]:
    """Measure all in turns; of each subject the middle one of its processes counts."""
    names, program = ["floor", *_bindings()], str(token_floor(key.folder))
    with ExitStack() as stack:
        contenders: dict[str, Contender] = {}
        for number in range(min(_PROCESSES, scale.large_rounds)):
            floor = Program(program, *token, str(_SIGNATURES))
            contenders[f"floor {number}"] = _started(floor, stack)
            for binding in names[1:]:
                child = Child(f"token-{binding}", key, 1, _SIGNATURES, json.dumps(token))
                contenders[f"{binding} {number}"] = _started(child, stack)
        found = in_turns(contenders, rounds=min(_MOST_ROUNDS, scale.rounds), block=2, pick=min)
    return {name: _middle([cost for one, cost in found.items() if one.split()[0] == name]) for name in names}


def _started(program: Program, stack: ExitStack) -> Contender:
    """Start a process and wait until it is logged in: SoftHSM2 fails where another one logs in meanwhile."""
    contender = stack.enter_context(program)
    contender(1)
    return contender


def _bindings() -> list[str]:
    found = [binding for binding, package in BINDINGS.items() if importlib.util.find_spec(package)]
    for binding in sorted(BINDINGS.keys() - set(found)):
        print(f"left out: {binding}: not installed", file=sys.stderr)
    return found


def _middle(costs: list[Cost]) -> Cost:
    return Cost(median(cost.ms for cost in costs), median(cost.cpu_ms for cost in costs))


def _lines(suffix: str, costs: dict[str, Cost]) -> Iterator[Result]:
    floor = costs.pop("floor")
    for binding, cost in costs.items():
        name = f"token_{binding.replace('-', '_')}_vs_floor{suffix}"
        yield Result(
            name=name,
            ours=_SIGNATURES * 1000 / cost.ms,
            against=_SIGNATURES * 1000 / floor.ms,
            unit="signatures per s",
            better="higher",
            bar=_BARS.get(binding, "none"),
        )
        yield Result(
            name=f"{name}_cpu",
            ours=cost.cpu_ms * 1000 / _SIGNATURES,
            against=floor.cpu_ms * 1000 / _SIGNATURES,
            unit="us of all cores per signature",
            better="lower",
        )


def _loop_lines(key: Key) -> Iterator[Result]:
    for binding in _bindings():
        yield Result(
            name=f"token_{binding.replace('-', '_')}_loop_held",
            ours=loop_held_ms(key, binding),
            against=SLOW_MS,
            unit="ms",
            better="lower",
            bar=_LOOP_BARS.get(binding, "none"),
        )
