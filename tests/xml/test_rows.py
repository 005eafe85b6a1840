from __future__ import annotations

import sqlite3
from collections import UserList, namedtuple
from enum import Enum

import pytest
from attrs import evolve
from xml_streamed import LAYOUT

from bhxh_sdk.errors import InputError, WrongTypeError
from bhxh_sdk.xml.rows import RowLayout, row_batches

ONE = b"<Dong><HoTen>%b</HoTen><MaSo>b</MaSo><Luong>c</Luong></Dong>"


class Word(str, Enum):  # noqa: UP042  # the very class that formats itself as `Word.A`
    A = "<a>"


@pytest.mark.parametrize(
    ("row", "first"),
    [
        (("%s", "b", "c"), b"%s"),
        (["a", "b", "c"], b"a"),
        (("<a>&", "b", "c"), b"&lt;a&gt;&amp;"),
        (("\u00a0<", "b", "c"), "\u00a0&lt;".encode()),
        ((Word.A, "b", "c"), b"&lt;a&gt;"),
        (namedtuple("Row", "x y z")("a", "b", "c"), b"a"),  # noqa: PYI024  # as databases give them
    ],
)
def test_a_row_of_any_kind_is_written(row, first):
    assert b"".join(row_batches(LAYOUT, [row])) == ONE % first


def test_the_rows_of_a_database_are_written():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    rows = connection.execute("select 'a', 'b', 'c'").fetchall()
    connection.close()
    assert b"".join(row_batches(LAYOUT, rows)) == ONE % b"a"


def test_rows_come_in_batches():
    batches = list(row_batches(LAYOUT, (("a", "b", "c") for _ in range(600))))
    assert [len(batch) // len(ONE % b"a") for batch in batches] == [256, 256, 88]


GOOD = ("a", "b", "c")


@pytest.mark.parametrize(
    ("row", "kind", "code", "field"),
    [
        (("a", "b"), InputError, "xml.row_length", ""),
        (("a", "b", "c", "d"), InputError, "xml.row_length", ""),
        ("abc", WrongTypeError, "input.wrong_type", ""),
        (b"abc", WrongTypeError, "input.wrong_type", ""),
        (None, WrongTypeError, "input.wrong_type", ""),
        ({"a": 1}, WrongTypeError, "input.wrong_type", ""),
        (("a", 5, "c"), WrongTypeError, "input.wrong_type", ".MaSo"),
        (("a", "b", None), WrongTypeError, "input.wrong_type", ".Luong"),
        (("a\nb", "b", "c"), InputError, "xml.control_characters", ".HoTen"),
        (("a", "\ud800", "c"), InputError, "xml.control_characters", ".MaSo"),
        (("a", "b", "\ufffe<"), InputError, "xml.control_characters", ".Luong"),
    ],
)
def test_a_bad_row_is_named_by_number_and_column(refused, row, kind, code, field):
    rows = [GOOD] * 300 + [row] + [GOOD] * 300
    with refused(kind, code, field=f"rows[300]{field}"):
        list(row_batches(LAYOUT, rows))


@pytest.mark.parametrize(
    ("change", "kind", "code", "field"),
    [
        ({"root": "a b"}, InputError, "xml.layout_name", "root"),
        ({"row": "1"}, InputError, "xml.layout_name", "row"),
        ({"row": None}, InputError, "xml.layout_name", "row"),
        ({"rows": "a//b"}, InputError, "xml.layout_name", "rows"),
        ({"rows": None}, WrongTypeError, "input.wrong_type", "rows"),
        ({"columns": ("a", "b:c")}, InputError, "xml.layout_name", "columns[1]"),
        ({"columns": ("a", "a")}, InputError, "xml.layout_columns", "columns"),
        ({"columns": ()}, InputError, "xml.layout_columns", "columns"),
        ({"columns": "abc"}, InputError, "xml.layout_columns", "columns"),
        ({"columns": None}, InputError, "xml.layout_columns", "columns"),
        ({"head": ["ab"]}, WrongTypeError, "input.wrong_type", "head[0]"),
        ({"head": [("a", "b", "c")]}, WrongTypeError, "input.wrong_type", "head[0]"),
        ({"head": [("a/", "b")]}, InputError, "xml.layout_name", "head[0]"),
        ({"tail": [("a", 5)]}, WrongTypeError, "input.wrong_type", "tail[0]"),
        ({"tail": [("a", "b\n")]}, InputError, "xml.control_characters", "tail[0]"),
        ({"namespaces": [("xmlns", "urn:a")]}, InputError, "xml.layout_name", "namespaces[0]"),
        ({"namespaces": {"a": ""}}, InputError, "xml.layout_name", "namespaces[0]"),
        ({"namespaces": {"": "urn:a"}}, InputError, "xml.layout_name", "namespaces[0]"),
        ({"namespaces": {"a": "\x01"}}, InputError, "xml.control_characters", "namespaces[0]"),
        ({"signature": "Other/Cky"}, InputError, "xml.layout_place", "signature"),
        ({"signature": "D02-TS"}, InputError, "xml.layout_place", "signature"),
        ({"signature": 5}, WrongTypeError, "input.wrong_type", "signature"),
    ],
)
def test_what_is_wrong_with_a_layout_is_named(refused, change, kind, code, field):
    with refused(kind, code, field=f"RowLayout.{field}"):
        evolve(LAYOUT, **change)


def test_lists_and_tables_become_tuples():
    layout = RowLayout(root="A", row="B", columns=["c"], head=[["d", "e"]], signature="A/F/G")
    assert (layout.columns, layout.head) == (("c",), (("d", "e"),))
    assert hash(layout)
    assert layout.body == b"<A><d>e</d><B>\0</B><F><G></G></F></A>"


class Shifting(UserList):
    """Tells one length, and gives another number of values."""

    def __init__(self, told, values):
        super().__init__(values)
        self.told = told

    def __len__(self):
        return self.told

    def __iter__(self):
        return iter(self.data)


@pytest.mark.parametrize("rows", [[Shifting(3, "ab")], [Shifting(3, "ab"), Shifting(3, "abcd")]])
def test_rows_that_give_another_number_of_values_than_they_tell_are_refused(refused, rows):
    with refused(InputError, "xml.row_length", field="rows[0]"):
        list(row_batches(LAYOUT, rows))


def test_a_row_is_read_once():
    class Once(UserList):
        def __iter__(self):
            values, self.data = self.data, ["x", "y", "z"]
            return iter(values)

    assert b"".join(row_batches(LAYOUT, [Once(["a<\u00a0", "b", "c"])])) == ONE % "a&lt;\u00a0".encode()
