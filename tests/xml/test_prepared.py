from __future__ import annotations

import json
import pickle
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from bhxh_sdk import xml
from bhxh_sdk.errors import DocumentError

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def waiting(form, certificate) -> xml.PreparedSignature:
    return xml.prepare(xml.build(form).content, certificate, signing_time=NOON)


def test_it_is_saved_and_read_back(waiting):
    assert xml.PreparedSignature.from_bytes(waiting.to_bytes()) == waiting
    assert pickle.loads(pickle.dumps(waiting)) == waiting  # noqa: S301  # our own bytes


def test_it_shows_sizes_and_digests_only(waiting):
    assert "0912345678" not in repr(waiting)
    assert waiting.content_digest.hex() in repr(waiting)


def test_another_process_completes_it(waiting, key, tmp_path):
    value = key.sign(waiting.signed_info, padding.PKCS1v15(), hashes.SHA256())
    (tmp_path / "waiting.json").write_bytes(waiting.to_bytes())
    (tmp_path / "value").write_bytes(value)
    code = """
from pathlib import Path
from bhxh_sdk import xml
waiting = xml.PreparedSignature.from_bytes(Path("waiting.json").read_bytes())
Path("signed.xml").write_bytes(xml.complete(waiting, Path("value").read_bytes()))
"""
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert (tmp_path / "signed.xml").read_bytes() == xml.complete(waiting, value)


def test_damage_is_noticed(refused, waiting):
    saved = waiting.to_bytes()
    for damaged in (
        b"",
        b"[]",
        b"{}",
        b"1",
        b"\xff",
        saved[:-1],
        saved.replace(b"Hoso", b"Host"),
        b"[" * 100_000,
    ):
        with refused(DocumentError, "document.prepared_unreadable"):
            xml.PreparedSignature.from_bytes(damaged)


def test_a_later_version_is_refused(refused, waiting):
    data = json.loads(waiting.to_bytes())
    with refused(DocumentError, "document.prepared_version"):
        xml.PreparedSignature.from_bytes(json.dumps({**data, "version": 2}).encode())


@pytest.mark.parametrize(
    ("name", "value"),
    [("document", 1), ("certificate", "AAAA"), ("signing_time", "soon"), ("position", None), ("at", None)],
)
def test_a_value_that_was_changed_with_its_checksum_is_refused_or_does_not_complete(
    refused, waiting, name, value
):
    data = json.loads(waiting.to_bytes())
    del data["checksum"]
    if value is None:
        del data[name]
    else:
        data[name] = value
    digest = hashes.Hash(hashes.SHA256())
    digest.update(json.dumps(data, sort_keys=True).encode())
    saved = json.dumps({**data, "checksum": digest.finalize().hex()}).encode()
    with refused(DocumentError, "document.prepared_unreadable"):
        xml.PreparedSignature.from_bytes(saved)
