"""Which confirmations a CSC 2.0 credential needs: the expression of `auth`, such as `PIN AND (OTP OR TAN)`.

Source: CSC API 2.0, credentials/info: names of objects, AND, OR, XOR and parentheses.
"""

from __future__ import annotations

import re

__all__ = ["chosen"]

_TOKENS = re.compile(r"[()]|[^\s()]+")
_EITHER = frozenset({"OR", "XOR"})
_DEEPEST = 20


def chosen(expression: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that satisfy an expression, as few as can be, in the order of `known`.

    Args:
        expression: the expression; empty for all.
        known: the names of the objects.

    Returns:
        Of alternatives the shorter one, and the first of equals. All names where the expression cannot be
        read or names something else.

    """
    tokens = _TOKENS.findall(expression)
    if not tokens:
        return known
    try:
        names = _Reader(tokens).whole()
    except ValueError:
        return known
    return tuple(name for name in known if name in names) if names <= set(known) else known


class _Reader:
    """Reads an expression from left to right; AND binds closer than OR and XOR."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._depth = 0

    def whole(self) -> frozenset[str]:
        names = self._either()
        if self._tokens:
            raise ValueError("more behind the end")
        return names

    def _either(self) -> frozenset[str]:
        names = self._every()
        while self._tokens and self._tokens[0].upper() in _EITHER:
            self._tokens.pop(0)
            other = self._every()
            names = other if len(other) < len(names) else names
        return names

    def _every(self) -> frozenset[str]:
        names = self._one()
        while self._tokens and self._tokens[0].upper() == "AND":
            self._tokens.pop(0)
            names |= self._one()
        return names

    def _one(self) -> frozenset[str]:
        name = self._tokens.pop(0) if self._tokens else ")"
        if name == "(":
            return self._inner()
        if name == ")" or name.upper() in {"AND", *_EITHER}:
            raise ValueError("a name is missing")
        return frozenset({name})

    def _inner(self) -> frozenset[str]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("too deep")
        names = self._either()
        if not self._tokens or self._tokens.pop(0) != ")":
            raise ValueError("a parenthesis is open")
        self._depth -= 1
        return names
