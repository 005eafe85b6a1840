from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.errors import BhxhError, InputError, SetupError
from bhxh_sdk.signers import SignerAddress


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("softkey:key.p12", "key.p12"),
        ("SoftKey:key.p12", "key.p12"),
        ("softkey:th%C6%B0%20m%E1%BB%A5c/kh%C3%B3a.p12", "thư mục/khóa.p12"),
        ("softkey:thư mục/khóa+1#2.p12", "thư mục/khóa+1#2.p12"),
        (r"softkey:C:\Khóa\a.p12", r"C:\Khóa\a.p12"),
        ("softkey:/C:/Keys/a.p12", "C:/Keys/a.p12"),
        ("softkey:///C:/Keys/a.p12", "C:/Keys/a.p12"),
        ("softkey:///etc/a.p12", "/etc/a.p12"),
        ("softkey://server/share/a.p12", "//server/share/a.p12"),
        ("softkey:100%25.p12", "100%.p12"),
        ("softkey:", ""),
    ],
)
def test_a_path_is_read_as_people_write_it(uri, path):
    address = SignerAddress.parse(uri)
    assert (address.scheme, address.path) == ("softkey", path)


@given(st.text(min_size=1))
def test_a_percent_encoded_path_comes_back(path):
    path = path.encode("utf-8", "replace").decode()
    assert SignerAddress.parse("softkey:./" + quote(path)).path == "./" + path


def test_options_are_decoded_and_plus_stays_plus():
    address = SignerAddress.parse("softkey:a?cert=b%26+c.pem&&Password-Env=NAME&flag")
    assert address.options == {"cert": "b&+c.pem", "password-env": "NAME", "flag": ""}


@pytest.mark.parametrize(
    "name", ["password", "PASSWORD", "pin", "client_secret", "pass%77ord", " passphrase", "token"]
)
def test_a_secret_in_an_address_is_refused_without_showing_it(name):
    with pytest.raises(InputError) as caught:
        SignerAddress.parse(f"softkey:key.p12?cert=a&{name}=hunter2")
    error = caught.value
    assert error.code == "signing.secret_in_uri"
    assert (
        "hunter2" not in f"{error} {error.message('vi')} {error.hint('vi')} {error.parameters} {error.report}"
    )
    assert "password-env" in error.hint("vi")


def test_an_option_that_stands_twice_is_refused():
    with pytest.raises(InputError) as caught:
        SignerAddress.parse("softkey:a?cert=b&cert=c")
    assert caught.value.code == "signing.doubled_option"


@pytest.mark.parametrize("uri", ["", "key.p12", r"C:\key.p12", ":a", "soft key:a", "1a:b", "ký:a"])
def test_an_address_without_a_scheme_is_refused(uri):
    with pytest.raises(SetupError) as caught:
        SignerAddress.parse(uri)
    assert caught.value.code == "signing.no_scheme"


@given(st.text())
def test_whatever_an_address_is_only_our_own_errors_come_out(uri):
    try:
        SignerAddress.parse(uri).file("a")
    except BhxhError:
        return


def test_a_relative_path_starts_at_the_base_folder(tmp_path):
    address = SignerAddress.parse("softkey:a", base_dir=tmp_path)
    assert address.file("k/a.p12") == tmp_path / "k" / "a.p12"
    assert address.file(str(tmp_path / "b")) == tmp_path / "b"
    assert SignerAddress.parse("softkey:a").file("a") == Path("a")


def test_the_home_folder_has_a_short_name(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert SignerAddress.parse("softkey:a").file("~/key.p12") == tmp_path / "key.p12"


def test_an_unknown_home_folder_is_an_input_error(monkeypatch):
    def unknown(_):
        raise RuntimeError

    monkeypatch.setattr(Path, "expanduser", unknown)
    with pytest.raises(InputError) as caught:
        SignerAddress.parse("softkey:a").file("~nobody/key.p12")
    assert caught.value.code == "signing.no_home"


def test_a_missing_path_is_an_input_error():
    with pytest.raises(InputError) as caught:
        SignerAddress.parse("softkey:").file("")
    assert caught.value.code == "signing.no_path"


def test_an_unknown_option_is_refused_with_the_known_ones():
    with pytest.raises(InputError) as caught:
        SignerAddress.parse("softkey:a?certs=b").only("cert", "password-env")
    assert caught.value.code == "signing.unknown_option"
    assert "cert, password-env" in caught.value.hint("en")
