from __future__ import annotations

import base64
import pickle
from functools import partial
from io import BytesIO, StringIO

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk import xml
from bhxh_sdk.errors import InputError, UnreadableFileError, WrongTypeError
from bhxh_sdk.models import Attachment
from bhxh_sdk.xml.file_source import base64_blocks, sources_of


def source(content: bytes, length: int | None = None, kind=BytesIO) -> xml.FileSource:
    return xml.FileSource(
        file_name="a.pdf", open=partial(kind, content), length=len(content) if length is None else length
    )


class Dribble(BytesIO):
    """Gives less than asked for, as a pipe does."""

    def read(self, size: int = -1) -> bytes:
        return super().read(min(size, 1 + self.tell() % 5))


@given(st.binary(max_size=100))
def test_a_file_is_given_in_base64_however_it_is_read(content):
    for kind in (BytesIO, Dribble):
        assert b"".join(base64_blocks(source(content, kind=kind), "files[0]")) == base64.b64encode(content)


def test_a_large_file_is_given_in_blocks():
    content = bytes(range(256)) * 4000
    blocks = list(base64_blocks(source(content), "files[0]"))
    assert b"".join(blocks) == base64.b64encode(content)
    assert len(blocks) == 3


@pytest.mark.parametrize("length", [0, 4, 6, 2_000_000])
def test_a_file_of_another_length_is_refused(refused, length):
    with refused(InputError, "xml.file_length", field="files[3].length"):
        list(base64_blocks(source(b"12345", length), "files[3]"))


def test_a_file_without_end_is_left_early(refused):
    class Endless(BytesIO):
        def read(self, size: int = -1) -> bytes:
            return b"x" * size

    with refused(InputError, "xml.file_length", field="files[0].length"):
        list(base64_blocks(source(b"", 1_000_000, Endless), "files[0]"))


def test_a_file_that_cannot_be_read_is_named(refused, tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(b"abc")
    there = xml.FileSource.from_path(path)
    path.unlink()
    with refused(UnreadableFileError, "input.unreadable_file", field="files[0]"):
        list(base64_blocks(there, "files[0]"))
    for wrong in (path, tmp_path / "a\0b"):
        with refused(UnreadableFileError, "input.unreadable_file", field="path"):
            xml.FileSource.from_path(wrong)
    with refused(WrongTypeError, "input.wrong_type", field="files[0]"):
        list(base64_blocks(evolve(there, open=partial(StringIO, "abc")), "files[0]"))


def test_a_file_on_disk_brings_name_and_length(tmp_path):
    path = tmp_path / "Giấy phép.pdf"
    path.write_bytes(b"abcd")
    own = xml.FileSource.from_path(path, form_code="TK3-TS-595", description=" Giấy ")
    assert (own.file_name, own.length, own.form_code, own.description) == (
        "Giấy phép.pdf",
        4,
        "TK3-TS",
        "Giấy",
    )
    again = pickle.loads(pickle.dumps(own))  # noqa: S301  # our own bytes
    assert b"".join(base64_blocks(again, "files[0]")) == b"YWJjZA=="
    assert xml.FileSource.from_path(path, file_name="b.pdf").file_name == "b.pdf"


def test_an_attachment_is_a_source_too():
    file = Attachment(file_name="a.xml", content=b"<a/>", form_code="D02-TS", description="b")
    (own,) = sources_of([file])
    assert (own.file_name, own.length, own.form_code, own.description) == ("a.xml", 4, "D02-TS", "b")
    assert sources_of([own]) == (own,)


def test_wrong_values_are_refused(refused):
    for field, change in {
        "file_name": {"file_name": 5},
        "open": {"open": b"abc"},
        "length": {"length": "5"},
        "form_code": {"form_code": None},
        "description": {"description": b""},
    }.items():
        with refused(WrongTypeError, "input.wrong_type", field=f"FileSource.{field}"):
            evolve(source(b""), **change)
    with refused(InputError, "xml.negative_length", field="FileSource.length"):
        source(b"", -1)


def test_a_file_that_goes_on_after_its_end_is_refused(refused):
    class Stutter(BytesIO):
        def read(self, size: int = -1) -> bytes:
            self.stops = not getattr(self, "stops", True)
            return b"" if self.stops else super().read(min(size, 3))

    with refused(InputError, "xml.file_length", field="files[0].length"):
        list(base64_blocks(source(b"123456", 3, Stutter), "files[0]"))


def test_no_block_follows_one_with_padding(refused):
    class Pausing(BytesIO):
        calls = 0

        def read(self, size: int = -1) -> bytes:
            self.calls += 1
            return b"" if self.calls == 2 else super().read(min(size, 1 + self.tell()))

    with refused(InputError, "xml.file_length", field="files[0].length"):
        list(base64_blocks(source(b"abc", kind=Pausing), "files[0]"))


@pytest.mark.parametrize("given", [None, 5, b"abc", "abc", iter([b"abc"])])
def test_what_is_opened_must_be_a_file(refused, given):
    opened = evolve(source(b"abc"), open=lambda: given)
    with refused(WrongTypeError, "input.wrong_type", field="files[0].open"):
        list(base64_blocks(opened, "files[0]"))
