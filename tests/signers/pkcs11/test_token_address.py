from __future__ import annotations

from urllib.parse import quote

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.errors import BhxhError, InputError, WrongTypeError
from bhxh_sdk.signers import SignerAddress, open_signer
from bhxh_sdk.signers.pkcs11 import KeyCriteria, TokenAddress, TokenCriteria
from bhxh_sdk.signers.pkcs11.contract import TokenCertificate, TokenInfo
from bhxh_sdk.signers.pkcs11.criteria import LibraryCriteria, key_uri

TOKEN = TokenInfo(
    slot=3, label="HR", manufacturer="Example", model="One", serial="0A1B", reader="Reader 1", flags=0x400
)


def parsed(uri):
    return TokenAddress.parse(uri)


def test_an_address_may_name_everything():
    address = parsed(
        "pkcs11:token=HR;serial=0A1B;manufacturer=Example;model=One;slot-id=3;slot-description=Reader%201"
        ";id=%01%02;object=sign;type=private;library-manufacturer=Maker;library-description=Driver"
        ";library-version=2.6;x-vendor=anything"
        "?module-path=/opt/x.so&module-name=x&binding=pykcs11&pin-env=TOKEN_PIN&isolated=1&x-vendor=1"
    )
    assert address == TokenAddress(
        token=TokenCriteria(
            label="HR", serial="0A1B", manufacturer="Example", model="One", reader="Reader 1", slot=3
        ),
        key=KeyCriteria(key_id=b"\x01\x02", label="sign", kind="private"),
        library=LibraryCriteria(manufacturer="Maker", description="Driver", version="2.6"),
        module_path="/opt/x.so",
        module_name="x",
        binding="pykcs11",
        pin_env="TOKEN_PIN",
        isolated=True,
    )


def test_an_address_may_name_nothing():
    assert parsed("pkcs11:") == TokenAddress()


@pytest.mark.parametrize(("text", "holds"), [("1", True), ("yes", True), ("", True), ("0", False)])
def test_isolation_is_yes_or_no(text, holds):
    assert parsed(f"pkcs11:?isolated={text}").isolated is holds


@given(st.text(min_size=1), st.text(min_size=1), st.binary(min_size=1))
def test_whatever_a_token_is_called_its_address_finds_it(label, name, key_id):
    label, name = (text.encode("utf-8", "replace").decode() for text in (label, name))
    token = evolve(TOKEN, label=label)
    own = TokenCertificate(der=b"", key_id=key_id, label=name)
    address = parsed(key_uri(token, own))
    assert address.token.fit(token)
    assert address.key.certificates([evolve(own, key_id=b""), own]) == (own,)
    unnamed = parsed(key_uri(evolve(token, label="", serial=""), evolve(own, key_id=b"")))
    assert (unnamed.token.slot, unnamed.key.label) == (3, name)


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("pkcs11:token=HR;token=HR", "signing.doubled_option"),
        ("pkcs11:tokne=HR", "pkcs11.unknown_attribute"),
        ("pkcs11:token", "pkcs11.unknown_attribute"),
        ("pkcs11:pin-value=4711", "pkcs11.unknown_attribute"),
        ("pkcs11:slot-manufacturer=Example", "pkcs11.unknown_attribute"),
        ("pkcs11:token=%FF", "pkcs11.not_text"),
        ("pkcs11:slot-id=one", "pkcs11.slot_number"),
        ("pkcs11:slot-id=", "pkcs11.slot_number"),
        ("pkcs11:type=public", "pkcs11.not_one_of"),
        ("pkcs11:?binding=ctypes", "pkcs11.not_one_of"),
        ("pkcs11:?isolated=perhaps", "pkcs11.not_one_of"),
        ("pkcs11:?module=x", "signing.unknown_option"),
        ("pkcs11:?pin-value=4711", "pin.in_address"),
        ("pkcs11:?pin-source=file:4711", "pin.in_address"),
        ("pkcs11:?PIN-%56alue=4711", "pin.in_address"),
        ("pkcs11:?pin=4711", "signing.secret_in_uri"),
    ],
)
def test_what_an_address_cannot_say_is_refused(uri, code):
    with pytest.raises(InputError) as caught:
        parsed(uri)
    error = caught.value
    assert (error.code, error.field) == (code, "signer")
    assert "4711" not in f"{error} {error.message('vi')} {error.hint('vi')} {error.parameters}"
    assert error.hint("vi")


def test_the_text_says_where_a_pin_may_come_from():
    with pytest.raises(InputError) as caught:
        parsed("pkcs11:?pin-value=4711")
    assert "pin-env" in caught.value.hint("vi")


@given(st.text())
def test_whatever_an_address_is_only_our_own_errors_come_out(text):
    try:
        parsed(f"pkcs11:{text}")
    except BhxhError:
        return


def test_a_relative_module_path_starts_at_the_base_folder(tmp_path):
    (tmp_path / "here.so").touch()
    for written, path in {
        "lib/x.so": str(tmp_path / "lib/x.so"),
        "here.so": str(tmp_path / "here.so"),
        "elsewhere.so": "elsewhere.so",
        r"lib\x.dll": str(tmp_path / r"lib\x.dll"),
    }.items():
        address = SignerAddress.parse(f"pkcs11:?module-path={quote(written)}", base_dir=tmp_path)
        assert TokenAddress.parse(address).module_path == path


@pytest.mark.parametrize("address", [None, 7, b"pkcs11:"])
def test_what_is_no_text_is_no_address(address):
    with pytest.raises(WrongTypeError) as caught:
        TokenAddress.parse(address)
    assert caught.value.field == "signer"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("pkcs11:token=HR&pin-value=13572468", "pin.in_address"),
        ("pkcs11:token=HR&PIN-Source=13572468", "pin.in_address"),
        ("pkcs11:token=HR&p%69n-value=13572468", "pin.in_address"),
        ("pkcs11:token=HR&id=%A1&pin=13572468", "signing.secret_in_uri"),
        ("pkcs11:token=HR;pin-value=13572468", "pkcs11.unknown_attribute"),
        ("pkcs11:token=HR;x-a=1&pin-value=13572468", "pin.in_address"),
        ("pkcs11:?13572468", "signing.unknown_option"),
        ("pkcs11:?13572468=1", "signing.unknown_option"),
        ("pkcs11:?geheim", "signing.unknown_option"),
        ("pkcs11:?13572468&13572468", "signing.doubled_option"),
        ("pkcs11:13572468", "pkcs11.unknown_attribute"),
        ("pkcs11:13572468=1", "pkcs11.unknown_attribute"),
        ("pkcs11:13572468;13572468", "pkcs11.unknown_attribute"),
        ("pkcs11:?pin-env=13572468", "pin.in_address"),
        ("softkey:a.p12?13572468", "signing.unknown_option"),
    ],
)
def test_what_may_be_a_pin_is_refused_and_not_shown(address, code):
    with pytest.raises(InputError) as caught:
        open_signer(address)
    assert caught.value.code == code
    shown = f"{caught.value} {caught.value.message('vi')} {caught.value.hint('en')} {caught.value.parameters}"
    assert "13572468" not in shown
    assert "geheim" not in shown


def test_an_ampersand_in_a_label_is_part_of_it():
    assert TokenAddress.parse("pkcs11:token=R&D").token.label == "R&D"
