from __future__ import annotations

import copy
import json
import pickle

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.secret import Secret

VALUE = "mật khẩu 123456"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_only_reveal_shows_the_value(value):
    assert Secret(value).reveal() == value
    assert Secret(value.encode()).reveal() == value
    assert Secret(bytearray(value.encode())).reveal() == value
    assert Secret(Secret(value)).reveal() == value


@pytest.mark.parametrize(
    "show", [repr, str, "{}".format, "{:>5}".format, "{!r}".format, "%s".__mod__], ids=range(6)
)
def test_no_text_of_a_secret_holds_the_value(show):
    assert VALUE not in show(Secret(VALUE))
    assert "***" in show(Secret(VALUE))


def test_a_secret_inside_a_record_stays_hidden():
    record = attrs.make_class("Record", ["password"])(Secret(VALUE))
    assert VALUE not in repr(record)
    assert VALUE not in repr(attrs.asdict(record))


@pytest.mark.parametrize(
    "spread", [pickle.dumps, json.dumps, vars, hash, Secret.__getstate__], ids=lambda way: way.__name__
)
def test_a_secret_cannot_be_spread(spread):
    with pytest.raises(TypeError) as caught:
        spread(Secret(VALUE))
    assert VALUE not in str(caught.value)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_is_a_secret_of_its_own(duplicate):
    first = Secret(VALUE)
    second = duplicate(first)
    first.wipe()
    assert second.reveal() == VALUE


def test_wiping_overwrites_the_value():
    secret = Secret(VALUE)
    data = secret._data
    secret.wipe()
    assert not secret
    assert not secret.reveal()
    assert not data


def test_an_empty_secret_is_false():
    assert not Secret("")
    assert Secret("x")


def test_secrets_are_compared_by_value():
    assert Secret(VALUE) == Secret(VALUE.encode())
    assert Secret(VALUE) != Secret("other")
    assert Secret(VALUE) != VALUE


@pytest.mark.parametrize("value", [None, 123456, ["a"]])
def test_a_secret_is_made_of_text(value):
    with pytest.raises(TypeError) as caught:
        Secret(value)
    assert "123456" not in str(caught.value)


@pytest.mark.parametrize("value", [b"abc\xff", "abc\ud800"])
def test_what_is_not_utf8_is_refused_without_showing_it(value):
    with pytest.raises(ValueError, match="UTF-8") as caught:
        Secret(value)
    error = caught.value
    assert error.__cause__ is error.__context__ is None
    assert "abc" not in str(error)
