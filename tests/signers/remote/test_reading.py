from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.errors import SignatureMismatchError, UnexpectedReplyError
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.ports import Reply
from bhxh_sdk.signers import SigningJob, SigningState, SigningTransaction
from bhxh_sdk.signers.remote.reading import (
    as_number,
    as_text,
    bytes_of,
    certificate_of,
    json_answer,
    raw_value,
    signatures_by_id,
    signatures_in_order,
    unexpected,
    word,
)


def reply(body, **more):
    return Reply(status=200, body=body, **more)


def transaction(*names):
    jobs = tuple(
        SigningJob(document_id=name, digest=b"x" * 32, document_name=f"{name}.xml") for name in names
    )
    return SigningTransaction(transaction_id="t", backend="b", state=SigningState.PENDING, jobs=jobs)


def text(value):
    return base64.b64encode(value).decode()


def test_an_object_with_a_byte_order_mark_and_an_array():
    assert json_answer(reply(b"\xef\xbb\xbf" + json.dumps({"a": 1}).encode())) == {"a": 1}
    assert json_answer(reply(b"[1]")) == {"items": [1]}


@pytest.mark.parametrize("body", [b"", b"<html>", b"5", b'"a"', b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_data_is_told_without_its_body(body):
    with pytest.raises(UnexpectedReplyError) as caught:
        json_answer(reply(body, headers=(("content-type", "text/html; charset=x"),)))
    assert caught.value.parameters == {"status": 200, "content_type": "text/html"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"status_code": 777, "message": "HET_LUOT_KY\x1b"}, "777: HET_LUOT_KY"),
        ({"error": "odd", "error_description": None}, "odd"),
        ({"message": "only"}, "400: only"),
        ({"secret": "x"}, None),
        ([1], None),
    ],
)
def test_what_a_service_said_is_kept_though_nobody_knows_it(body, said):
    error = unexpected(Reply(status=400, body=json.dumps(body).encode()))
    assert error.parameters.get("reason") == said
    assert (said or "400") in error.message("vi")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        ({}, ""),
        ([1], ""),
        (5, "5"),
        ("a\r\nb\x1b[31m\u202e", "a b [31m"),
        ("12\u200b34\u200e \u200f\u061c\ufeff\u2067cuối\u2060", "1234 cuối"),
        ("x" * 400, "x" * 300),
    ],
)
def test_a_text_is_one_printable_line(value, shown):
    assert as_text(value) == shown


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("3600", 3600),
        (5, 5),
        (1.5, 1.5),
        ("x", None),
        (None, None),
        (True, None),
        ("inf", None),
        (10**400, None),
    ],
)
def test_a_number_may_be_a_text(value, number):
    assert as_number(value) == number


@pytest.mark.parametrize(
    ("value", "compared"), [(1.0, "1"), (1, "1"), (" done ", "DONE"), (None, ""), (1.5, "1.5")]
)
def test_a_word_is_compared_in_one_form(value, compared):
    assert word(value) == compared


@given(st.binary(max_size=300), st.booleans())
def test_base64_with_line_ends_without_padding_or_in_the_url_alphabet(value, url):
    plain = base64.urlsafe_b64encode(value) if url else base64.b64encode(value)
    broken = b"\r\n".join(plain[start : start + 64] for start in range(0, len(plain), 64))
    assert bytes_of(broken.decode().rstrip("=")) == value


@pytest.mark.parametrize("value", [None, 5, "*", "a", "ă", "a=b"])
def test_what_is_no_base64(value):
    with pytest.raises(ValueError, match="not"):
        bytes_of(value)


def test_a_certificate_in_any_dress(pki):
    der = pki.issue().der
    plain = text(der)
    assert certificate_of(plain).der == der
    assert (
        certificate_of(f"-----BEGIN CERTIFICATE-----\r\n{plain}\r\n-----END CERTIFICATE-----\r\n").der == der
    )
    assert certificate_of("abcd") is certificate_of(None) is certificate_of("*") is None


@given(st.integers(1, 2**256 - 1), st.integers(1, 2**256 - 1))
def test_der_becomes_r_and_s(r, s):
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    der = encode_dss_signature(r, s)
    if len(der) != 64:  # then nobody could tell the two apart
        assert raw_value(der, SignatureScheme.ECDSA) == raw
    assert raw_value(raw, SignatureScheme.ECDSA) == raw
    assert raw_value(der, SignatureScheme.RSA_PKCS1) == der


@pytest.mark.parametrize("value", [b"", b"no", encode_dss_signature(2**300, 5)])
def test_an_odd_value_is_left_to_the_check(value):
    assert raw_value(value, SignatureScheme.ECDSA) == value


def test_values_in_order():
    found = signatures_in_order(transaction("a", "b"), [text(b"1"), text(b"2") + "\r\n"])
    assert found == {"a": b"1", "b": b"2"}


@pytest.mark.parametrize(
    ("values", "code"),
    [([], "remote.count"), (["MQ==", "MQ==", "MQ=="], "remote.count"), (["MQ==", "*"], "remote.not_base64")],
)
def test_values_in_order_that_do_not_fit(values, code):
    with pytest.raises(SignatureMismatchError) as caught:
        signatures_in_order(transaction("a", "b"), values)
    assert (caught.value.code, caught.value.reference) == (code, "t")


def test_values_by_id():
    assert signatures_by_id(transaction("a", "b"), [("b", "Mg=="), ("a", "MQ==")]) == {"a": b"1", "b": b"2"}
    sent = {"x1": "a", "x2": "b"}
    assert signatures_by_id(transaction("a", "b"), [("x2", "Mg=="), ("x1", "MQ==")], sent) == {
        "a": b"1",
        "b": b"2",
    }


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([("a", "MQ==")], "signing.missing_signature"),
        ([("a", "MQ=="), ("a", "MQ=="), ("b", "Mg==")], "remote.doubled_signature"),
        ([("a", "MQ=="), ("b", "Mg=="), ("c\n", "Mg==")], "signing.unexpected_signature"),
        ([("a", "MQ=="), ("b", None)], "remote.not_base64"),
    ],
)
def test_values_by_id_that_do_not_fit(pairs, code):
    with pytest.raises(SignatureMismatchError) as caught:
        signatures_by_id(transaction("a", "b"), pairs)
    assert caught.value.code == code
    assert caught.value.message("vi").isprintable()
