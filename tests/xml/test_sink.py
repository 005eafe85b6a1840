from __future__ import annotations

import os
from io import BytesIO

import pytest

from bhxh_sdk.errors import InputError
from bhxh_sdk.xml.sink import Sink, append


class Taking(BytesIO):
    """Tells what it is told to tell of the bytes that it took."""

    def __init__(self, told):
        super().__init__()
        self.told = told

    def write(self, content):
        super().write(content)
        return self.told


@pytest.mark.parametrize("told", [None, 0, -1, 4, 10**9, "3", 1.5, b""])
def test_a_file_that_does_not_take_what_it_is_given_is_refused(refused, told):
    sink = Sink(Taking(told))
    sink.write(b"123")
    with refused(InputError, "xml.cannot_write", field="target"):
        sink.digest()


def test_a_file_that_takes_a_little_at_a_time_gets_everything():
    class Little(BytesIO):
        def write(self, content):
            return super().write(bytes(content[:2]))

    target = Little()
    append(target, b"12345", 0)
    assert target.getvalue() == b"12345"


def test_a_full_pipe_that_does_not_wait_loses_nothing_silently(refused):
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with (
        os.fdopen(reading, "rb"),
        os.fdopen(writing, "wb", buffering=0) as target,
        refused(InputError, "xml.cannot_write", field="target"),
    ):
        append(target, bytes(1_000_000), 0)
