"""The same targets under atheris, which finds new roads by coverage: Linux, `pip install --group fuzz`.

`python -m fuzz.with_atheris FOLDER -runs=100000` with the folder of a corpus that it may add to.
"""

from __future__ import annotations

import sys
from random import Random

import atheris

with atheris.instrument_imports(include=["bhxh_sdk"]):
    from fuzz.mutator import mutated
    from fuzz.seeds import genuine
    from fuzz.targets import outcome


def mutate(content: bytes, largest: int, number: int) -> bytes:
    """Mutate by our own changes half of the time, by atheris's otherwise."""
    random = Random(number)  # noqa: S311  # atheris gives the number to make it repeatable
    if random.random() < 0.5:
        return bytes(atheris.Mutate(content, largest))
    return mutated(content, random, GENUINE)[:largest]


def one_input(content: bytes) -> None:
    """Try one input; a `Finding` ends the run, and atheris keeps the input."""
    for _ in outcome("json" if content[:1] == b"{" else "xml", content):
        pass


if __name__ == "__main__":
    GENUINE = genuine()["xml"]
    atheris.Setup(sys.argv, one_input, custom_mutator=mutate)
    atheris.Fuzz()
