from __future__ import annotations

import pytest
from attrs import evolve

from bhxh_sdk.signers.pkcs11 import KeyCriteria, TokenCriteria
from bhxh_sdk.signers.pkcs11.contract import TokenCertificate, TokenInfo, TokenKey
from bhxh_sdk.signers.pkcs11.criteria import shown

TOKEN = TokenInfo(
    slot=3, label="HR", manufacturer="Example", model="One", serial="0A1B", reader="Reader 1", flags=0x400
)


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"label": "HR", "slot": 3}, True),
        ({"label": "hr"}, False),
        ({"slot": 0}, False),
        ({"serial": "FFFF"}, False),
        ({"reader": "Reader 2"}, False),
    ],
)
def test_criteria_tell_tokens_apart(changes, fits):
    assert TokenCriteria(**changes).fit(TOKEN) is fits


def test_composed_and_decomposed_accents_are_the_same_label():
    assert TokenCriteria(label="Ke\u0302\u0301 toa\u0301n ").fit(evolve(TOKEN, label="K\u1ebf to\u00e1n"))


def test_criteria_are_shown_without_what_is_not_said():
    assert str(TokenCriteria(label="HR", slot=0)) == "label=HR, slot=0"
    assert str(TokenCriteria()) == ""
    assert str(KeyCriteria(key_id=b"\xa1")) == "id=a1"


def test_a_token_is_shown_by_what_it_has():
    assert shown(TOKEN) == "HR (0A1B)"
    assert shown(evolve(TOKEN, label="")) == "One (0A1B)"
    assert shown(TokenInfo(slot=2, reader="Reader")) == "Reader"
    assert shown(TokenInfo(slot=2)) == "slot 2"


def named(*key_ids, label="sign"):
    return [TokenCertificate(der=b"", key_id=key_id, label=label) for key_id in key_ids]


def keys(*key_ids):
    return [TokenKey(handle=0, key_id=key_id, label="sign") for key_id in key_ids]


def test_an_id_names_the_certificate_else_the_key():
    certificates, found = named(b"1", b"2"), keys(b"1", b"3")
    assert KeyCriteria(key_id=b"2").certificates(certificates) == (certificates[1],)
    assert KeyCriteria(key_id=b"2").keys(found, certificates) == tuple(found)
    assert KeyCriteria(key_id=b"3").certificates(certificates) == tuple(certificates)
    assert KeyCriteria(key_id=b"3").keys(found, certificates) == (found[1],)


def test_a_type_says_whose_id_it_is():
    certificates, found = named(b"1", b"2"), keys(b"1", b"2")
    private = KeyCriteria(key_id=b"1", kind="private")
    assert private.certificates(certificates) == tuple(certificates)
    assert private.keys(found, certificates) == (found[0],)
    own = KeyCriteria(key_id=b"3", kind="cert")
    assert own.certificates(certificates) == ()
    assert own.keys(found, certificates) == tuple(found)
