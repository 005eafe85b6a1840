"""The whole corpus of attacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attacks import algorithms, content, encodings, keys, owned, structure, wrapping

if TYPE_CHECKING:
    from attacks.attack import Attack

__all__ = ["CORPUS"]

CORPUS: tuple[Attack, ...] = (
    *wrapping.ATTACKS,
    *structure.ATTACKS,
    *algorithms.ATTACKS,
    *keys.ATTACKS,
    *content.ATTACKS,
    *encodings.ATTACKS,
    *owned.ATTACKS,
)
