from __future__ import annotations

import importlib.metadata

import pytest

from bhxh_sdk.errors import (
    InputError,
    KeyPasswordError,
    MissingExtraError,
    SetupError,
    UnreadableFileError,
)
from bhxh_sdk.signers import known_schemes, open_signer, register_scheme, sign, uri

PASSWORD = "bí mật"


@pytest.fixture
def schemes(monkeypatch):
    monkeypatch.setattr(uri, "_OPENERS", dict(uri._OPENERS))


@pytest.fixture
def installed(monkeypatch):
    """Install entry points, which this process forgets afterwards."""
    points = []

    def entry_points(*, group):
        return importlib.metadata.EntryPoints(points).select(group=group)

    def install(name, value):
        points.append(importlib.metadata.EntryPoint(name=name, value=value, group="bhxh_sdk.signers"))

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    return install


@pytest.fixture(scope="module")
def issued(pki):
    return pki.issue()


def signs(run, signer, job, person, clock):
    certificate = run(signer.certificates())[0]
    return run(sign(signer, [job()], certificate, person, clock)).keys() == {"one"}


def test_a_pem_file_is_opened(run, tmp_path, issued, job, person, clock):
    (tmp_path / "khóa ký.pem").write_bytes(issued.key_pem() + issued.certificates_pem())
    signer = open_signer("softkey:khóa%20ký.pem", base_dir=tmp_path)
    assert signs(run, signer, job, person(), clock)


def test_key_and_certificate_may_lie_apart(run, tmp_path, issued, job, person, clock):
    (tmp_path / "k.pem").write_bytes(issued.key_pem(PASSWORD))
    (tmp_path / "c.pem").write_bytes(issued.certificates_pem())
    signer = open_signer("softkey:k.pem?cert=c.pem", base_dir=tmp_path)
    assert signs(run, signer, job, person(PASSWORD), clock)


def test_the_password_of_a_pkcs12_file_comes_from_the_variable_named(
    run, tmp_path, issued, job, person, clock, monkeypatch
):
    (tmp_path / "k.p12").write_bytes(issued.p12(PASSWORD))
    monkeypatch.setenv("KEY_PASSWORD", PASSWORD)
    signer = open_signer("softkey:k.p12?password-env=KEY_PASSWORD", base_dir=tmp_path)
    assert signs(run, signer, job, person(), clock)


def test_the_password_of_a_pkcs12_file_is_asked_for(run, tmp_path, issued, job, person, clock):
    (tmp_path / "k.p12").write_bytes(issued.p12(PASSWORD))
    signer = open_signer("softkey:k.p12", base_dir=tmp_path, ask=person(PASSWORD))
    assert signs(run, signer, job, person(), clock)
    with pytest.raises(KeyPasswordError):
        run(open_signer("softkey:k.p12", base_dir=tmp_path).certificates())


def test_a_throwaway_key_is_made(run, job, person, clock):
    signer = open_signer("softkey:new?tax-code=0100109106-001&name=CHI%20NHÁNH VÍ DỤ", clock=clock)
    (listed,) = run(signer.certificates())
    assert listed.certificate.common_name == "CHI NHÁNH VÍ DỤ"
    assert [code.value for code in listed.certificate.tax_codes] == ["0100109106-001"]
    assert listed.certificate.valid_at(clock.now())
    assert signs(run, signer, job, person(), clock)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(UnreadableFileError) as caught:
        open_signer("softkey:none.p12", base_dir=tmp_path)
    assert "none.p12" in caught.value.message("vi")


@pytest.mark.parametrize("address", ["softkey:a?name=b", "softkey:new?cert=a"])
def test_an_option_of_the_other_form_is_refused(address):
    with pytest.raises(InputError) as caught:
        open_signer(address)
    assert caught.value.code == "signing.unknown_option"


def test_an_unknown_scheme_is_told_the_known_ones(schemes):
    with pytest.raises(SetupError) as caught:
        open_signer("token:slot0")
    assert caught.value.code == "signing.unknown_scheme"
    assert "softkey" in caught.value.hint("vi")


@pytest.mark.parametrize("scheme", ["ca769", "csc", "mysign", "mss"])
def test_a_remote_signer_needs_a_clock_and_a_sender(scheme):
    with pytest.raises(SetupError) as caught:
        open_signer(f"{scheme}:anything")
    assert caught.value.code == "remote.no_sender"
    assert scheme in caught.value.message("vi")


def test_a_scheme_can_be_added(schemes):
    register_scheme("Vault", lambda address: (address.path, address.options))
    assert open_signer("vault:key/1?mount=a") == ("key/1", {"mount": "a"})
    assert "vault" in known_schemes()


def test_the_librarys_own_scheme_cannot_be_replaced(schemes):
    with pytest.raises(InputError) as caught:
        register_scheme("SOFTKEY", lambda _: None)
    assert caught.value.code == "signing.scheme_taken"


def test_another_package_adds_a_scheme_by_entry_point(installed):
    installed("fake", "pathlib:PurePath")
    installed("vault", "builtins:repr")
    assert known_schemes() == ("ca769", "csc", "fake", "mss", "mysign", "pkcs11", "softkey", "vault")
    assert "path='key/1'" in open_signer("vault:key/1")


def test_an_entry_point_that_cannot_be_loaded_is_named(installed):
    installed("vault", "no_such_module:opener")
    with pytest.raises(SetupError) as caught:
        open_signer("vault:key/1")
    assert caught.value.code == "signing.backend_broken"
    assert "no_such_module:opener" in caught.value.message("vi")


def test_an_entry_point_may_say_what_is_missing(installed, monkeypatch):
    def load(_):
        raise MissingExtraError(extra="vault")

    monkeypatch.setattr(importlib.metadata.EntryPoint, "load", load)
    installed("vault", "a:b")
    with pytest.raises(MissingExtraError):
        open_signer("vault:key/1")
