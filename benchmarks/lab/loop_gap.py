"""How long an event loop is held while a token signs: `python -m benchmarks.lab.loop_gap MODULE BINDING PIN`.

Documents are signed as `AsyncDocumentSigner` has it done, on a thread beside the loop; meanwhile a task wakes
up every millisecond, and the longest time between two of its turns is printed, in milliseconds.
"""

from __future__ import annotations

import asyncio
import sys
from time import perf_counter

from benchmarks.lab.material import bench_forms
from bhxh_sdk import AsyncDocumentSigner
from bhxh_sdk.signers.pkcs11.signer import TokenSigner

__all__ = ["longest_gap"]

_DOCUMENTS = 3


async def longest_gap(module: str, binding: str, pin: str) -> float:
    """Sign documents after one that only warms up, and measure beside it.

    Args:
        module: of a token with one pair.
        binding: which loads it; `isolated` for the default one in a helper process.
        pin: the user PIN.

    """
    isolated = binding == "isolated"
    holder = TokenSigner.from_module(module, binding="" if isolated else binding, isolated=isolated, pin=pin)
    async with AsyncDocumentSigner(holder) as signer:
        forms = bench_forms(1 + _DOCUMENTS)
        await signer.sign(forms[0])
        signing = asyncio.create_task(_each(signer, forms[1:]))
        longest, before = 0.0, perf_counter()
        while not signing.done():
            await asyncio.sleep(0.001)
            now = perf_counter()
            longest, before = max(longest, now - before), now
        await signing
    return longest * 1000


async def _each(signer: AsyncDocumentSigner, forms: list[object]) -> None:
    for form in forms:
        await signer.sign(form)


if __name__ == "__main__":
    print(asyncio.run(longest_gap(*sys.argv[1:])))
