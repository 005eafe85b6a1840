"""Files are read whole or not at all, and written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bhxh_sdk.cli import files
from bhxh_sdk.errors import InputError, UnreadableFileError


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "a.xml"
    files.write(path, b"content", force=False)
    assert files.read(path, "IN") == b"content"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.xml"]


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    path = tmp_path / "a.xml"
    path.write_bytes(b"x")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "open", denied)
        with pytest.raises(UnreadableFileError) as caught:
            files.read(path, "IN")
    assert caught.value.parameters["name"] == str(path)
    assert "Permission denied" in caught.value.message("en")


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGEST_FILE", 3)
    (tmp_path / "a").write_bytes(b"1234")
    with pytest.raises(UnreadableFileError) as caught:
        files.read(tmp_path / "a", "IN")
    assert caught.value.code == "cli.file_too_large"


def test_a_name_that_no_file_can_have_is_an_error_of_ours(tmp_path):
    with pytest.raises(UnreadableFileError):
        files.read(tmp_path / "a\0b", "IN")
    with pytest.raises(UnreadableFileError):
        files.read(tmp_path / ("x" * 5000), "IN")


def test_a_write_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "fsync", full)
        with pytest.raises(InputError) as caught:
            files.write(tmp_path / "a.xml", b"content", force=False)
    assert caught.value.code == "cli.cannot_write"
    assert "No space left" in caught.value.message("en")
    assert list(tmp_path.iterdir()) == []


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableFileError) as caught:
        files.read(tmp_path / "pipe", "IN")
    assert caught.value.code == "cli.file_not_plain"


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="no files of the kernel here")
def test_a_file_that_gives_more_than_it_says_is_not_plain():
    with pytest.raises(UnreadableFileError) as caught:
        files.read(Path("/proc/self/maps"), "IN")
    assert caught.value.code == "cli.file_not_plain"
