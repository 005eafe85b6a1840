from __future__ import annotations

import json
import pickle
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from attrs import evolve
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from bhxh_sdk import xml
from bhxh_sdk.errors import (
    CertificateUnusableError,
    DocumentError,
    SignatureMismatchError,
    WrongTypeError,
)
from bhxh_sdk.models import CertificateInfo

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
        with refused(DocumentError, "document.prepared_unreadable") as caught:
            xml.PreparedSignature.from_bytes(damaged)
        assert caught.value.field in {"saved", "checksum"}


def test_a_later_version_is_refused(refused, waiting):
    data = json.loads(waiting.to_bytes())
    with refused(DocumentError, "document.prepared_version"):
        xml.PreparedSignature.from_bytes(json.dumps({**data, "version": 3}).encode())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("document", 1),
        ("content_digest", "x"),
        ("certificate", "AAAA"),
        ("signing_time", "soon"),
        ("signing_time", 1),
        ("signing_time", "2026-01-02T03:04:05"),
        ("signing_time", "0001-01-01T00:00:00+14:00"),
        ("signing_time", "9999-12-31T23:59:59-14:00"),
        ("position", float("inf")),
        ("position", 1.5),
        ("position", None),
        ("at", None),
    ],
)
def test_a_value_that_was_changed_with_its_checksum_is_refused_by_name(refused, waiting, name, value):
    data = json.loads(waiting.to_bytes())
    del data["checksum"]
    if value is None:
        del data[name]
    else:
        data[name] = value
    digest = hashes.Hash(hashes.SHA256())
    digest.update(json.dumps(data, sort_keys=True).encode())
    saved = json.dumps({**data, "checksum": digest.finalize().hex()}).encode()
    with refused(DocumentError, "document.prepared_unreadable", field=name):
        xml.PreparedSignature.from_bytes(saved)


@pytest.mark.parametrize(
    "change",
    [
        lambda was: {"document": was.document.replace(b"07906", b"00101")},
        lambda was: {"document": b"<a"},
        lambda was: {"document": "text"},
        lambda was: {"document": was.document.replace(b"<Hoso", b"<Hoso xmlns:a='urn:a'")},
        lambda was: {"position": was.position - 5},
        lambda was: {"position": "1"},
        lambda was: {"content_digest": bytes(32)},
        lambda was: {"at": "Hoso/NoiDung"},
        lambda was: {"signing_time": NOON.replace(microsecond=1)},
        lambda was: {"signing_time": "soon"},
    ],
)
def test_a_value_changed_between_preparing_and_completing_does_not_complete(refused, waiting, key, change):
    value = key.sign(waiting.signed_info, padding.PKCS1v15(), hashes.SHA256())
    with refused(SignatureMismatchError, "document.prepared_changed", field="prepared"):
        xml.complete(evolve(waiting, **change(waiting)), value)


def test_only_a_prepared_value_is_completed(refused):
    with refused(WrongTypeError, "input.wrong_type", field="prepared"):
        xml.complete(b"", b"")


@pytest.mark.parametrize("is_saved", [False, True])
def test_the_certificate_may_come_with_the_value(form, certificate, key, is_saved):
    content = xml.build(form).content
    waiting = xml.prepare(content, None, signing_time=NOON)
    if is_saved:
        waiting = xml.PreparedSignature.from_bytes(waiting.to_bytes())
    assert waiting.certificate is None
    assert waiting.digest == xml.prepare(content, certificate, signing_time=NOON).digest
    value = key.sign(waiting.signed_info, padding.PKCS1v15(), hashes.SHA256())
    signed = xml.complete(waiting, value, certificate)
    assert signed == xml.complete(xml.prepare(content, certificate, signing_time=NOON), value)
    assert xml.verify(signed).certificate == certificate


@pytest.fixture(scope="module")
def other(issue, authority_key) -> CertificateInfo:
    return CertificateInfo.from_der(issue(authority_key.public_key()))


@pytest.fixture
def unnamed(form, key):
    """A document prepared without a certificate, and its value."""
    prepared = xml.prepare(xml.build(form).content, None, signing_time=NOON)
    return prepared, key.sign(prepared.signed_info, padding.PKCS1v15(), hashes.SHA256())


def test_without_any_certificate_nothing_is_completed(refused, unnamed):
    with refused(CertificateUnusableError, "document.certificate_to_come"):
        xml.complete(*unnamed)


def test_the_certificate_that_came_must_fit_the_value(refused, unnamed, issue, curve_key, other):
    with refused(SignatureMismatchError, "document.value_mismatch"):
        xml.complete(*unnamed, other)
    with refused(CertificateUnusableError, "document.key_kind"):
        xml.complete(*unnamed, CertificateInfo.from_der(issue(curve_key.public_key())))
    with refused(WrongTypeError, "input.wrong_type"):
        xml.complete(*unnamed, b"certificate")


def test_a_second_certificate_is_refused(refused, waiting, certificate, key, other):
    value = key.sign(waiting.signed_info, padding.PKCS1v15(), hashes.SHA256())
    assert xml.complete(waiting, value, certificate) == xml.complete(waiting, value)
    with refused(CertificateUnusableError, "document.another_certificate"):
        xml.complete(waiting, value, other)


def test_what_was_prepared_without_is_noticed_when_changed(refused, unnamed, certificate):
    prepared, value = unnamed
    with refused(SignatureMismatchError, "document.prepared_changed"):
        xml.complete(evolve(prepared, position=prepared.position - 1), value, certificate)
