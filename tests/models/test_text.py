from __future__ import annotations

import time
import unicodedata

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.errors import WrongTypeError
from bhxh_sdk.models.text import as_text, control_characters, is_text, normalised, same_name, without_marks


@given(st.text())
def test_normalising_twice_changes_nothing(value):
    once = normalised(value)
    assert normalised(once) == once
    assert unicodedata.is_normalized("NFC", once)


def test_decomposed_vietnamese_becomes_one_letter_each():
    assert normalised(unicodedata.normalize("NFD", " Nguyễn Thị Hộ ")) == "Nguyễn Thị Hộ"


@pytest.mark.parametrize(
    ("value", "bare"),
    [("Bình Thạnh", "binh thanh"), ("ĐÀ NẴNG", "da nang"), ("  Bà  Rịa\t", "ba ria"), ("", "")],
)
def test_marks_can_be_taken_off(value, bare):
    assert without_marks(value) == bare


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hòa", "Hoà"),
        ("thủy", "THUỶ"),
        ("Công ty  Ví dụ", "CÔNG TY VÍ DỤ"),
        ("quý", "qúy"),
        (unicodedata.normalize("NFD", "Nguyễn"), "Nguyễn"),
    ],
)
def test_the_same_name_written_differently_is_the_same(one, other):
    assert same_name(one, other)


@pytest.mark.parametrize(("one", "other"), [("Hoa", "Hòa"), ("Hòa", "Hóa"), ("Đông", "Dông"), ("an", "ăn")])
def test_marks_make_other_names(one, other):
    assert not same_name(one, other)


def test_characters_that_a_form_cannot_hold_are_named():
    assert control_characters("a\x00b\tc\n\ud800\ufffe\u2028") == (
        "U+0000",
        "U+0009",
        "U+000A",
        "U+D800",
        "U+FFFE",
        "U+2028",
    )
    assert control_characters("Công ty “Ví dụ” – 1&2 😀") == ()


def test_a_heap_of_marks_is_left_alone_in_linear_time():
    heap = "a" + "\u0301" * 50_000 + "\u0327" * 50_000
    began = time.perf_counter()
    assert normalised(heap) == heap
    assert without_marks(heap) == "a"
    assert same_name(heap, heap)
    assert time.perf_counter() - began < 2  # sorting so many marks takes tens of seconds


@pytest.mark.parametrize("mark", ["\u0f73", "\u0f75", "\u0f81"])
def test_marks_that_only_come_apart_into_marks_count_too(mark):
    heap = "a" + mark * 40
    assert normalised(heap) == heap


@given(st.text(st.characters(categories=["L", "Mn"]), max_size=30))
def test_ordinary_marks_are_normalised(value):
    assert normalised(value) == unicodedata.normalize("NFC", value).strip()


def test_a_text_field_holds_normalised_text_only():
    record = attrs.make_class(
        "Record", {"name": attrs.field(converter=as_text, validator=is_text)}, frozen=True
    )
    assert record(name=" a ").name == "a"
    with pytest.raises(WrongTypeError) as caught:
        record(name=5)
    assert caught.value.field == "Record.name"
    assert "int" in caught.value.message("vi")
