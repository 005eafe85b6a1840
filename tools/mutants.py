"""The mutants of a module: its syntax tree, changed in one small way after the other.

Comparisons and operators are swapped, conditions turned round, constants and bounds changed, results and
assigned values replaced by None, statements deleted, and of several kinds of error one is no longer caught.
"""

from __future__ import annotations

import ast
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "bhxh_sdk.xml."

_PAIRS = (
    *((ast.Eq, ast.NotEq), (ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Is, ast.IsNot), (ast.In, ast.NotIn)),
    *((ast.And, ast.Or), (ast.Add, ast.Sub), (ast.Mult, ast.FloorDiv), (ast.BitAnd, ast.BitOr)),
    (ast.Break, ast.Continue),
)
SWAPS: dict[type[ast.AST], type[ast.AST]] = {**dict(_PAIRS), **{other: one for one, other in _PAIRS}}
SKIPPED = {"annotation", "returns", "names", "type_params"}
DELETED = (ast.Expr, ast.Raise, ast.AugAssign, ast.Delete, ast.Assert)


class Mutant(NamedTuple):
    """Say what is changed and where; `function` is empty outside functions, `alone` needs an interpreter."""

    module: str
    number: int
    first: int
    last: int
    function: str
    alone: bool
    change: str


class Place(NamedTuple):
    """Say in which function and statement a node stands."""

    function: str = ""
    prefix: str = ""
    alone: bool = False
    statement: ast.AST | None = None


def replacements(node: ast.AST) -> Iterator[ast.AST]:
    """Give the nodes that may stand in the place of one."""
    if isinstance(node, ast.Constant):
        yield from map(ast.Constant, _other_values(node.value))
    if type(node) in SWAPS:
        yield SWAPS[type(node)]()
    if isinstance(node, DELETED):
        yield ast.Pass()
    match node:
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.Return(value=ast.expr()) if ast.unparse(node) != "return None":
            yield ast.Return(None)
        case ast.Assign() if not isinstance(node.value, ast.Constant):
            yield ast.Assign(node.targets, ast.Constant(None))
        case ast.ExceptHandler(type=ast.Tuple(elts=kinds)):
            for kind in kinds:
                left = ast.Tuple([one for one in kinds if one is not kind], ast.Load())
                yield ast.ExceptHandler(left, node.name, node.body)
        case ast.Lambda():
            yield ast.Lambda(node.args, ast.Constant(None))


def _other_values(value: object) -> Iterator[object]:
    match value:
        case bool():
            yield not value
        case int():
            yield value + 1
        case str():
            yield f"XX{value}XX"
        case bytes():
            yield b"XX%bXX" % value


def children(node: ast.AST) -> Iterator[tuple[str, int | None, ast.AST]]:
    """Give the nodes directly below one, without those that say nothing at run time."""
    for name, value in ast.iter_fields(node):
        if name in SKIPPED:
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(child, ast.AST) and not _is_silent(child):
                yield name, index if isinstance(value, list) else None, child


def _is_silent(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant(value=str())) | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "__slots__")]):
            return True
    return False


def below(place: Place, name: str, node: ast.AST, child: ast.AST) -> Place:
    """Return where a child stands."""
    if isinstance(node, ast.ClassDef):
        place = place._replace(prefix=f"{node.name}." if name == "body" else "", alone=True)
    if isinstance(node, ast.FunctionDef) and name == "body" and not place.function:
        # What a function with another inside it returned is often kept from the import on.
        nested = any(isinstance(inner, ast.FunctionDef) for inner in node.body)
        place = place._replace(function=place.prefix + node.name, alone=nested)
    elif name == "decorator_list":
        place = place._replace(alone=True)
    return place._replace(statement=child) if isinstance(child, ast.stmt | ast.ExceptHandler) else place


def mutants(module: str, node: ast.AST, place: Place) -> Iterator[Mutant]:
    """Change what is below a node in every way; it is as before when the next mutant is asked for."""
    for name, index, child in children(node):
        here = below(place, name, node, child)
        spot = here.statement or child
        was = _shown(spot)
        own = () if isinstance(node, ast.Slice) and isinstance(child, ast.Constant) else replacements(child)
        for new in (*own, *_in_context(node, name, child)):
            if hasattr(child, "lineno"):
                ast.fix_missing_locations(ast.copy_location(new, child))
            _put(node, name, index, new)
            now = _shown(new if spot is child else spot)
            yield Mutant(module, 0, *_header(spot), here.function, here.alone, f"{was} -> {now}")
            _put(node, name, index, child)
        yield from mutants(module, child, here)


def _in_context(node: ast.AST, name: str, child: ast.AST) -> Iterator[ast.expr]:
    """Give replacements that depend on what stands around: conditions turned round, bounds moved by one."""
    if not isinstance(child, ast.expr):
        return
    if name in {"test", "ifs"} and not isinstance(child, ast.Compare | ast.UnaryOp):
        yield ast.UnaryOp(ast.Not(), child)
    if isinstance(node, ast.Slice):
        yield from (ast.BinOp(child, operation, ast.Constant(1)) for operation in (ast.Add(), ast.Sub()))


def _put(node: ast.AST, name: str, index: int | None, child: ast.AST) -> None:
    if index is None:
        setattr(node, name, child)
    else:
        getattr(node, name)[index] = child


def _header(node: ast.AST) -> tuple[int, int]:
    """Return the lines of a statement, without those of the statements inside it."""
    inside = [one.lineno for one in getattr(node, "body", []) if hasattr(one, "lineno")]
    return node.lineno, max(node.lineno, min(inside) - 1) if inside else node.end_lineno or node.lineno


def _shown(node: ast.AST) -> str:
    with contextlib.suppress(AttributeError, ValueError):
        return ast.unparse(node).partition("\n")[0].strip()
    return type(node).__name__


def all_mutants(module: str) -> Iterator[tuple[Mutant, ast.Module]]:
    """Give every mutant of a module with the changed tree."""
    tree = ast.parse(path_of(module).read_text(encoding="utf-8"))
    for number, mutant in enumerate(mutants(module, tree, Place())):
        yield mutant._replace(number=number), tree


def path_of(module: str) -> Path:
    """Return where a module's source stands."""
    return ROOT.joinpath("src", *f"{PACKAGE}{module}".split(".")).with_suffix(".py")
