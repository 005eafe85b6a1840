"""One-time codes, against the vectors of RFC 6238 and an independent implementation."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.errors import SetupError
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.remote.decision769_totp import TAKEN, code_time, one_time_code

START = datetime(1970, 1, 1, tzinfo=UTC)
KEY = b"12345678901234567890"


def code_at(key, seconds):
    secret = Secret(base64.b64encode(key).decode())
    return one_time_code(secret, START + timedelta(seconds=seconds)).reveal()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_rfc_6238_appendix_b(seconds, code):
    assert code_at(KEY, seconds) == code[-6:]


@given(st.binary(min_size=1, max_size=64), st.integers(0, 2**34))
def test_codes_equal_those_of_another_implementation(key, seconds):
    other = TOTP(key, 6, SHA1(), 30, enforce_key_length=False)  # noqa: S303  # what the interface wants
    assert code_at(key, seconds) == other.generate(seconds).decode()


SEVENTEEN = Secret(base64.b64encode(b"seventeen letters").decode())


@given(st.integers(0, 2**34), st.integers(0, 999_999), st.integers(1, 5))
def test_each_step_is_given_out_once(seconds, micro, count):
    TAKEN.clear()
    now = START + timedelta(seconds=seconds, microseconds=micro)
    first, *others = (code_time(Secret(SEVENTEEN), now) for _ in range(count))
    assert first == now
    steps = [(moment - START) // timedelta(seconds=30) for moment in (first, *others)]
    assert steps == list(range(steps[0], steps[0] + count))
    assert all((moment - START) % timedelta(seconds=30) == timedelta() for moment in others)


def test_each_secret_has_steps_of_its_own():
    TAKEN.clear()
    assert [code_time(Secret(text), START) for text in ("one", "two")] == [START, START]
    assert not any(b"one" in name for name, _ in TAKEN)


def test_old_steps_are_forgotten():
    TAKEN.clear()
    for number in range(100):
        code_time(SEVENTEEN, START + timedelta(seconds=30 * number))
    assert len(TAKEN) < 20


def test_of_many_threads_none_has_the_step_of_another():
    TAKEN.clear()
    with ThreadPoolExecutor(8) as pool:
        moments = list(pool.map(lambda _: code_time(SEVENTEEN, START), range(200)))
    assert len(set(moments)) == 200


@pytest.mark.parametrize("text", ["", "no base64!", "đ"])
def test_a_secret_that_is_no_base64_is_not_shown(text):
    with pytest.raises(SetupError) as caught:
        one_time_code(Secret(text), START)
    assert caught.value.__context__ is None
    assert not text or text not in f"{caught.value!r}{caught.value}"
