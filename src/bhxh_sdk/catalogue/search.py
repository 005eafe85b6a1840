"""Search by code or name: without marks, tolerant of misspelling, best match first."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from rapidfuzz import fuzz

from bhxh_sdk.models.text import normalised, without_marks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Keys", "ranked", "similar"]

T = TypeVar("T")

Keys = tuple[str, tuple[str, ...]]
"""What an entry is found by: its code, and every name it has or had."""

_EXACT_CODE, _EXACT_NAME, _CODE_PREFIX, _NAME_PREFIX, _FUZZY = range(5)
_CLOSE_ENOUGH = 78.0
_LONGEST_QUERY = 200
_bare = lru_cache(maxsize=8192)(without_marks)


def ranked(query: str, entries: Iterable[T], keys: Callable[[T], Keys], limit: int) -> tuple[T, ...]:
    """Return the entries that fit a query: exact code, exact name, prefixes, then what only resembles it.

    Args:
        query: part of a code or name, with or without marks.
        entries: what to search.
        keys: tells code and names of an entry.
        limit: how many to return at most.

    """
    text = normalised(query[:_LONGEST_QUERY])
    bare = without_marks(text)
    if not bare:
        return ()
    found = []
    for position, entry in enumerate(entries):
        code, names = keys(entry)
        rank, score = min(_code_rank(bare, code), *(_name_rank(bare, name) for name in names))
        if rank <= _FUZZY:
            marked = max(fuzz.partial_ratio(text.casefold(), name.casefold()) for name in (code, *names))
            found.append(((rank, score, -marked, position), entry))
    found.sort(key=lambda pair: pair[0])
    return tuple(entry for _, entry in found[: max(limit, 0)])


def similar(query: str, entries: Iterable[T], keys: Callable[[T], Keys]) -> str:
    """Return up to three entries that somebody may have meant, as `code name; code name`."""
    pairs = (keys(entry) for entry in ranked(query, entries, keys, 3))
    return "; ".join(" ".join(filter(None, (code, names[0]))) for code, names in pairs)


_NO_MATCH = (_FUZZY + 1, 0.0)


def _code_rank(query: str, code: str) -> tuple[int, float]:
    bare = _bare(code)
    if query == bare:
        return _EXACT_CODE, 0.0
    if bare.startswith(query):
        return _CODE_PREFIX, 0.0
    return _fuzzy(fuzz.ratio(query, bare)) if query.isdigit() else _NO_MATCH


def _name_rank(query: str, name: str) -> tuple[int, float]:
    bare = _bare(name)
    if query == bare:
        return _EXACT_NAME, 0.0
    if f" {query}" in f" {bare}":
        return _NAME_PREFIX, float(len(bare))
    shorter = min(len(query), len(bare))
    if shorter < min(len(query), 4):
        return _NO_MATCH
    return _fuzzy(max(fuzz.partial_ratio(query, bare), fuzz.token_set_ratio(query, bare)))


def _fuzzy(likeness: float) -> tuple[int, float]:
    return (_FUZZY, -likeness) if likeness >= _CLOSE_ENOUGH else _NO_MATCH
