"""A registration of 2 KB prepared for signing, without a key: from the model, and from its finished bytes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks import FULL, Scale
from benchmarks.lab.material import FORM_AT, NOW, bench_forms, workplace
from benchmarks.lab.turns import beside, in_turns, timed
from bhxh_sdk import xml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks import Result

__all__ = ["results"]

_FORMS = 64
_BAR = "at most 0.2"


def results(scale: Scale = FULL) -> Iterator[Result]:
    """Measure both beside the RSA operation that follows."""
    with workplace() as key:
        forms = bench_forms(_FORMS)
        documents = [xml.build(form).content for form in forms]
        asked = {"certificate": key.certificate, "signing_time": NOW}
        digests = [xml.prepare_form(form, **asked).digest for form in forms]
        contenders = {
            "form": timed(partial(xml.prepare_form, **asked), forms),
            "bytes": timed(partial(xml.prepare, at=FORM_AT, **asked), documents),
            "rsa": timed(key.value, digests),
        }
        costs = in_turns(contenders, rounds=scale.rounds, block=scale.block)
    yield beside("prepare_form_2k_vs_rsa", costs["form"], costs["rsa"], bar=_BAR, small=True)
    yield beside("prepare_built_form_2k_vs_rsa", costs["bytes"], costs["rsa"], bar=_BAR, small=True)
