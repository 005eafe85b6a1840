from __future__ import annotations

import os

import pytest

from bhxh_sdk import xml
from bhxh_sdk.errors import InputError, WrongTypeError


def test_a_file_takes_its_name_when_it_is_whole(tmp_path):
    path = tmp_path / "a.xml"
    path.write_bytes(b"old")
    with xml.signed_file(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError("x"), OSError("x"), KeyboardInterrupt()])
def test_an_error_leaves_nothing_behind(tmp_path, error):
    path = tmp_path / "a.xml"
    with pytest.raises(type(error)), xml.signed_file(path) as file:  # noqa: PT012  # the error comes after a write
        file.write(b"half")
        raise error
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_refused(refused, tmp_path):
    for path in (tmp_path / "missing" / "a.xml", tmp_path):
        with refused(InputError, "xml.cannot_write", field="path"), xml.signed_file(path):
            pass
    assert not list(tmp_path.iterdir())
    with refused(WrongTypeError, "input.wrong_type", field="path"), xml.signed_file("a.xml"):
        pass


def test_a_disk_that_fails_at_the_end_leaves_nothing_behind(refused, tmp_path, monkeypatch):
    def fail(_number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with refused(InputError, "xml.cannot_write", field="path"), xml.signed_file(tmp_path / "a.xml") as file:
        file.write(b"x")
    assert not list(tmp_path.iterdir())
