"""Texts that a person reads on a phone."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.signers.remote.phone_text import plain_base64, plain_text
from bhxh_sdk.signers.remote.reading import certificate_of


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Tờ khai đăng ký.xml", "to khai dang ky_xml"),
        ("D01-TS_2026", "d01-ts_2026"),
        ("a\r\nb\tc", "a b c"),
        ("文件", "document"),
        ("", "document"),
        (" .xml ", "xml"),
    ],
)
def test_vietnamese_marks_and_signs_are_left_out(text, plain):
    assert plain_text(text) == plain


@given(st.text(max_size=300))
def test_any_text_gives_plain_base64_under_100_characters(text):
    encoded = plain_base64(text)
    assert 0 < len(encoded) < 100
    assert re.fullmatch(r"[a-zA-Z0-9_\- ]+", base64.b64decode(encoded, validate=True).decode())


@pytest.mark.parametrize("before", ["", "-----BEGIN CERTIFICATE-----\r\n"])
def test_a_certificate_is_read_in_any_dress(pki, before):
    der = pki.issue().der
    after = before.replace("BEGIN", "END")
    text = base64.encodebytes(der).decode().replace("\n", "\r\n")
    found = certificate_of(before + text + after)
    assert found is not None
    assert found.der == der


@pytest.mark.parametrize("odd", [None, 7, "", "*", "AAAA", "-----BEGIN CERTIFICATE-----"])
def test_what_is_no_certificate_is_none(odd):
    assert certificate_of(odd) is None
