"""The table of return values against the standard's header, and against what python-pkcs11 raises."""

from __future__ import annotations

import pytest

from bhxh_sdk.signers.pkcs11.ckr import CKR, VENDOR_DEFINED, ckr_name, ckr_of_class, ckr_of_text


def test_names_and_numbers_are_those_of_the_header():
    low_level = pytest.importorskip("PyKCS11.LowLevel")
    header = {
        getattr(low_level, name): name
        for name in dir(low_level)
        if name.startswith("CKR_") and getattr(low_level, name) <= 0x200
    }
    of_3_0 = {0x42: "CKR_AEAD_DECRYPT_FAILED"}
    assert header == CKR | of_3_0


def test_every_error_of_python_pkcs11_has_its_number():
    exceptions = pytest.importorskip("pkcs11.exceptions")
    own = {"PKCS11Error", "MultipleObjectsReturned", "MultipleTokensReturned", "NoSuchKey", "NoSuchToken"}
    names = {
        name
        for name, value in vars(exceptions).items()
        if isinstance(value, type) and issubclass(value, exceptions.PKCS11Error)
    }
    assert {name for name in names if ckr_of_class(name) is None} == own
    assert ckr_of_class("PinIncorrect") == 0xA0
    assert ckr_of_class("AnotherUserAlreadyLoggedIn") == 0x104
    assert ckr_of_class("FunctionCancelled") == 0x50
    assert ckr_of_class("TokenNotRecognised") == 0xE1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Initialisation error (already initialized). Should never see this.", 0x191),
        ("Initialisation error (not initialized). Should never see this.", 0x190),
        ("Buffer was too small. Should never see this.", 0x150),
        ("Parallel not supported. Should never see this.", 0xB4),
        ("User type invalid. Should never see this.", 0x103),
        ("Unmapped error code 0x80000005", 0x80000005),
        ("OS exception while loading /lib/token.so", None),
    ],
)
def test_a_number_that_only_the_text_tells_is_read_from_it(text, code):
    assert ckr_of_text(text) == code


def test_every_value_has_something_to_be_called_by():
    assert ckr_name(0xA4) == "CKR_PIN_LOCKED"
    assert ckr_name(VENDOR_DEFINED + 5) == "0x80000005"
    assert ckr_name(None) == "?"
