"""Forms with a list of rows: what they look like, and their rows as bytes, batch by batch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from bhxh_sdk.errors import InputError, WrongTypeError
from bhxh_sdk.models.text import control_characters
from bhxh_sdk.xml.sink import LATER
from bhxh_sdk.xml.writer import CanonicalWriter, escaped
from bhxh_sdk.xml.writing import is_clean

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RowLayout", "row_batches"]

_BATCH = 256
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_NO_ROWS = (str, bytes, bytearray, memoryview)  # sequences, but not of texts


def _as_pairs(value: Any) -> Any:  # noqa: ANN401  # a wrong type is left for the check, which names the field
    pairs = value.items() if isinstance(value, Mapping) else value
    return tuple(tuple(pair) if isinstance(pair, list) else pair for pair in _as_tuple(pairs))


def _as_tuple(value: Any) -> Any:  # noqa: ANN401  # as above
    return () if isinstance(value, str) or not hasattr(value, "__iter__") else tuple(value)


@frozen(kw_only=True)
class RowLayout:
    """Describe a form that is a list of rows; no shipped profile has one, the names are the caller's.

    Names are ASCII names of elements without a prefix. A path is names joined by `/`, below the root.

    Args:
        root: name of the root element, such as `D02-TS`.
        namespaces: prefixes and URIs that the root declares.
        head: path and text of each field before the rows, in order.
        rows: path of the element that holds the rows; empty for the root itself.
        row: name of the element of one row.
        columns: names of the elements in a row, in order.
        tail: path and text of each field after the rows, in order.
        signature: path of the element that takes the signature, from the root on, such as `D02-TS/Cky`. It
            is written last.

    Raises:
        InputError: something is no name, path, declaration or text that XML can hold; `field` names it.
        WrongTypeError: a text is not a text.

    """

    root: str
    namespaces: tuple[tuple[str, str], ...] = field(default=(), converter=_as_pairs)
    head: tuple[tuple[str, str], ...] = field(default=(), converter=_as_pairs)
    rows: str = ""
    row: str
    columns: tuple[str, ...] = field(converter=_as_tuple)
    tail: tuple[tuple[str, str], ...] = field(default=(), converter=_as_pairs)
    signature: str

    def __attrs_post_init__(self) -> None:
        for name in ("root", "row"):
            _check_name(getattr(self, name), name)
        if self.rows != "":
            _check_path(self.rows, "rows")
        _check_columns(self.columns)
        for name in ("head", "tail"):
            _check_fields(getattr(self, name), name)
        _check_namespaces(self.namespaces)
        _check_path(self.signature, "signature")
        if not self.signature.startswith(f"{self.root}/"):
            raise InputError("xml.layout_place", field="RowLayout.signature", value=self.signature)

    @property
    def template(self) -> str:
        """One row, with `%s` for each text."""
        columns = "".join(f"<{name}>%s</{name}>" for name in self.columns)
        return f"<{self.row}>{columns}</{self.row}>"

    @property
    def mark(self) -> bytes:
        """What stands for the rows in `body`."""
        return f"<{self.row}>{LATER}</{self.row}>".encode()

    @property
    def body(self) -> bytes:
        """The document without its declaration, a mark in place of its rows, its signature's place empty."""
        writer = CanonicalWriter()
        writer.start(self.root, self.namespaces)
        list_path = self.rows.split("/") if self.rows else []
        place = self.signature.split("/")[1:]
        for path, text in (
            *self.head,
            ("/".join([*list_path, self.row]), LATER),
            *self.tail,
            ("/".join(place), ""),
        ):
            *parents, name = path.split("/")
            writer.stand_in(tuple(parents), 1)
            writer.leaf(name, text)
        writer.stand_in((), 1)
        writer.end()
        return writer.content()


def _check_name(name: object, where: str) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError("xml.layout_name", field=f"RowLayout.{where}", value=str(name)[:80])


def _check_path(path: object, where: str) -> None:
    if not isinstance(path, str):
        raise WrongTypeError(field=f"RowLayout.{where}", expected="str", got=type(path).__name__)
    for name in path.split("/"):
        _check_name(name, where)


def _check_columns(columns: Sequence[str]) -> None:
    for number, name in enumerate(columns):
        _check_name(name, f"columns[{number}]")
    if not columns or len(set(columns)) != len(columns):
        raise InputError("xml.layout_columns", field="RowLayout.columns")


def _check_fields(fields: Sequence[Any], where: str) -> None:
    for number, pair in enumerate(fields):
        here = f"{where}[{number}]"
        _check_pair(pair, here)
        _check_path(pair[0], here)
        _checked(pair[1], f"RowLayout.{here}")


def _check_namespaces(namespaces: Sequence[Any]) -> None:
    for number, pair in enumerate(namespaces):
        here = f"namespaces[{number}]"
        _check_pair(pair, here)
        _check_name(pair[0], here)
        uri = _checked(pair[1], f"RowLayout.{here}")
        if not uri or pair[0].lower().startswith("xml"):
            raise InputError("xml.layout_name", field=f"RowLayout.{here}", value=pair[0][:80])


def _check_pair(pair: object, where: str) -> None:
    if not isinstance(pair, tuple) or len(pair) != 2:  # noqa: PLR2004  # a pair
        raise WrongTypeError(field=f"RowLayout.{where}", expected="tuple[str, str]", got=type(pair).__name__)


def row_batches(layout: RowLayout, rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Give the rows as bytes, some hundred at a time.

    Raises:
        WrongTypeError: a row is not a sequence, or a value not a text; `field` names row and column.
        InputError: a row has too many or too few values, or one holds a character that XML cannot.

    """
    template = layout.template
    whole = template * _BATCH
    try:
        rest = iter(rows)
    except TypeError as error:
        raise WrongTypeError(field="rows", expected="Iterable", got=type(rows).__name__) from error
    first = 0
    while given := tuple(islice(rest, _BATCH)):
        batch = _tuples(given, first)
        texts = _plain_texts(layout, batch) or _careful_texts(layout, batch, first)
        yield ((whole if len(batch) == _BATCH else template * len(batch)) % texts).encode()
        first += len(batch)


def _tuples(batch: Sequence[Any], first: int) -> tuple[tuple[Any, ...], ...]:
    """Take each row once: what a row of a caller's making says of its length need not be what it gives."""
    if not all(map(_is_row, set(map(type, batch)))):
        kinds: list[type] = list(map(type, batch))
        wrong = next(number for number, kind in enumerate(kinds) if not _is_row(kind))
        raise WrongTypeError(
            field=f"rows[{first + wrong}]", expected="Sequence[str]", got=kinds[wrong].__name__
        )
    return tuple(map(tuple, batch))


def _plain_texts(layout: RowLayout, batch: Sequence[tuple[str, ...]]) -> tuple[str, ...] | None:
    """Return all texts, escaped, of rows in which nothing is unusual; None otherwise."""
    if set(map(len, batch)) != {len(layout.columns)}:
        return None
    texts = tuple(chain.from_iterable(batch))
    # A class made from `str` may format itself as something other than it is.
    if set(map(type, texts)) != {str}:
        return None
    joined = "".join(texts)
    if is_clean(joined):
        return texts
    # All at once: what can be printed holds neither the separator nor anything that is not only escaped.
    return tuple(escaped(LATER.join(texts)).split(LATER)) if joined.isprintable() else None


def _careful_texts(layout: RowLayout, batch: Sequence[tuple[Any, ...]], first: int) -> tuple[str, ...]:
    """Return the escaped texts of rows, looked at one by one."""
    checked = (_row_texts(layout, row, f"rows[{number}]") for number, row in enumerate(batch, first))
    return tuple(chain.from_iterable(checked))


def _row_texts(layout: RowLayout, row: tuple[Any, ...], where: str) -> Iterator[str]:
    expected = len(layout.columns)
    if len(row) != expected:
        raise InputError("xml.row_length", field=where, got=len(row), expected=expected)
    for value, column in zip(row, layout.columns, strict=True):
        yield escaped(_checked(value, f"{where}.{column}"))


@lru_cache(maxsize=64)
def _is_row(kind: type) -> bool:
    return issubclass(kind, Sequence) and not issubclass(kind, _NO_ROWS)


def _checked(value: object, where: str) -> str:
    """Return a text that XML can hold.

    Raises:
        WrongTypeError: it is not a text.
        InputError: it holds a character that XML cannot.

    """
    if not isinstance(value, str):
        raise WrongTypeError(field=where, expected="str", got=type(value).__name__)
    text = str.__str__(value)
    if not text.isprintable() and (characters := control_characters(text)):
        raise InputError("xml.control_characters", field=where, characters=", ".join(characters))
    return text
