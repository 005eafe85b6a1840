from __future__ import annotations

import json
import pickle
from io import BytesIO

import pytest
from xml_streamed import LAYOUT, NOON

from bhxh_sdk import xml
from bhxh_sdk.errors import DocumentError


@pytest.fixture
def waiting(certificate) -> xml.PreparedStream:
    rows = [("Nguyễn Văn Mẫu", "1", "2")]
    return xml.stream_rows(LAYOUT, rows, BytesIO(), certificate=certificate, signing_time=NOON)


def test_it_is_saved_and_read_back(waiting):
    assert xml.PreparedStream.from_bytes(waiting.to_bytes()) == waiting
    assert pickle.loads(pickle.dumps(waiting)) == waiting  # noqa: S301  # our own bytes


def test_it_holds_nothing_of_the_document(waiting):
    assert "Văn Mẫu" not in waiting.to_bytes().decode("unicode-escape")
    assert waiting.content_digest.hex() in repr(waiting)


def test_the_closing_tags_follow_from_the_place(waiting):
    assert waiting.tail == b"</Cky></D02-TS>"


def test_damage_is_noticed(refused, waiting):
    saved = waiting.to_bytes()
    for damaged in (b"", b"x", b"[]", b"{}", b"[" * 100_000, saved[:-2]):
        with refused(DocumentError, "document.prepared_unreadable", field="saved"):
            xml.PreparedStream.from_bytes(damaged)
    changed = {**json.loads(saved), "position": 5}
    with refused(DocumentError, "document.prepared_unreadable", field="checksum"):
        xml.PreparedStream.from_bytes(json.dumps(changed).encode())
    with refused(DocumentError, "document.prepared_version"):
        xml.PreparedStream.from_bytes(json.dumps({**changed, "version": 9}).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"position": "x"},
        {"content_digest": "x"},
        {"namespaces": 5},
        {"namespaces": [["a"]]},
        {"certificate": "AAAA"},
        {"signing_time": "2026-01-01"},
        {"profile": {"name": "x", "scheme": "y"}},
    ],
)
def test_a_member_that_is_none_is_named(refused, waiting, change):
    from bhxh_sdk.xml.saving import saved

    data = json.loads(waiting.to_bytes())
    del data["checksum"]
    with refused(DocumentError, "document.prepared_unreadable", field=next(iter(change))):
        xml.PreparedStream.from_bytes(saved({**data, **change}, 1))
