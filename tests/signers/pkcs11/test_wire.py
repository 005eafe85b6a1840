"""Values as JSON between two processes that do not trust each other's form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.pkcs11.contract import ModuleInfo, TokenCertificate, TokenFlag, TokenInfo, TokenKey
from bhxh_sdk.signers.pkcs11.probe import OUTCOMES, ProbeAnswer, ProbedToken
from bhxh_sdk.signers.pkcs11.wire import GarbledError, decoded, encoded, value_of, wire_value

TEXTS = st.text(max_size=8)
TOKENS = st.builds(
    TokenInfo,
    slot=st.integers(0, 2**64),
    label=TEXTS,
    serial=TEXTS,
    flags=st.sampled_from(
        [TokenFlag(0), TokenFlag.USER_PIN_LOCKED | TokenFlag.LOGIN_REQUIRED, TokenFlag(0x21)]
    ),
)
VALUES = st.one_of(
    TOKENS,
    st.builds(ModuleInfo, path=TEXTS, version=TEXTS),
    st.builds(TokenCertificate, der=st.binary(max_size=40), key_id=st.binary(max_size=4), label=TEXTS),
    st.builds(
        TokenKey,
        handle=st.integers(0, 9),
        key_id=st.binary(max_size=4),
        modulus=st.none() | st.integers(0, 2**4096),
        always_authenticate=st.booleans(),
    ),
    st.builds(
        ProbeAnswer,
        outcome=st.sampled_from(sorted(OUTCOMES)),
        tokens=st.lists(
            st.builds(ProbedToken, token=TOKENS, certificates=st.tuples(st.binary(max_size=9))), max_size=2
        ).map(tuple),
    ),
)


@given(VALUES)
def test_a_value_comes_back_as_it_was(value):
    line = encoded({"value": wire_value(value)})
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert value_of(type(value), decoded(line)["value"]) == value


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}"]
)
def test_what_is_no_message_is_garbled(line):
    with pytest.raises(GarbledError):
        decoded(line)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (int, "7"),
        (int, True),
        (int, 1.5),
        (str, 7),
        (str, None),
        (type(None), 0),
        (bytes, "no base64!"),
        (bytes, 7),
        (bool, 1),
        (TokenInfo, {}),
        (ProbeAnswer, {"outcome": "splendid"}),
        (TokenInfo, []),
        (TokenInfo, {"slot": "1"}),
        (TokenInfo, {"slot": 1, "flags": "x"}),
        (tuple[TokenInfo, ...], {"slot": 1}),
        (TokenKey, {"handle": 1, "modulus": "1"}),
    ],
)
def test_a_value_of_another_type_is_garbled(kind, found):
    with pytest.raises(GarbledError):
        value_of(kind, found)


def test_a_secret_is_no_json():
    with pytest.raises(TypeError):
        encoded(wire_value({"pin": Secret("135790")}))
    assert b"135790" in encoded(wire_value({"pin": Secret("135790")}), Secret.reveal)
