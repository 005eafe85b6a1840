"""`bhxh certificates`, `bhxh sign` and `bhxh verify`."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from bhxh_sdk import xml
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.cli.signing import _chosen
from bhxh_sdk.errors import CertificateUnusableError, KeyNotFoundError, PersonNeededError
from bhxh_sdk.signers import SigningCertificate, throwaway
from bhxh_sdk.system import AskPerson

MEMBERS = {"subject", "serial", "tax_code", "not_before", "not_after"}


@pytest.fixture
def signed(bhxh, form_file, key_file, tmp_path):
    """A signed document, and the call that made it."""
    bhxh("build", form_file(), "-o", "plain.xml")
    done = bhxh(
        "sign", "plain.xml", "-o", "signed.xml", "--signer", f"softkey:{key_file('0100109106')}", "--json"
    )
    assert done.code == 0, done
    assert done.json["signer"]["tax_code"] == "0100109106"
    return tmp_path / "signed.xml"


def test_certificates_are_listed_without_a_question(bhxh, key_file):
    done = bhxh("certificates", "--signer", f"softkey:{key_file('0100109106')}", "--json")
    listed, *chain = done.json
    assert done.code == 0
    assert set(listed) >= MEMBERS | {"key_id", "has_private_key"}
    assert listed["has_private_key"] is True
    assert [item["has_private_key"] for item in chain] == [False, False]
    assert "MST:0100109106" in listed["subject"]
    assert "MST:0100109106" in bhxh("certificates", "--signer", f"softkey:{key_file('0100109106')}").out


def test_a_signed_document_verifies_and_says_what_was_signed_by_whom(bhxh, signed):
    done = bhxh("verify", signed, "--json")
    assert done.code == 0
    answer = done.json
    assert answer["valid"] is True
    assert answer["reason"] == ""
    assert set(answer["signer"]) >= MEMBERS
    assert answer["signer"]["tax_code"] == "0100109106"
    assert answer["algorithm"] == "rsa-sha256"
    assert answer["at"] == "Hoso/CKy_Dvi"
    assert "0100109106" in answer["signed"]
    for_people = bhxh("verify", signed, "--lang", "en")
    assert "VALID" in for_people.out
    assert "<Hoso" in for_people.out


def test_a_changed_document_is_not_valid(bhxh, signed):
    signed.write_bytes(signed.read_bytes().replace(b"TZ0001Z", b"TZ0002Z"))
    done = bhxh("verify", signed, "--json")
    assert done.code == 1
    assert done.json["valid"] is False
    assert done.json["reason"]
    assert done.json["signer"] is None
    assert bhxh("verify", signed, "--lang", "en").out.startswith("The signature is NOT valid")


@pytest.mark.parametrize("content", [b"", b"no xml", b"<!DOCTYPE a><a/>", b"<a/>"])
def test_what_is_no_signed_document_is_not_valid(bhxh, tmp_path, content):
    (tmp_path / "a.xml").write_bytes(content)
    done = bhxh("verify", "a.xml", "--json")
    assert (done.code, done.json["valid"]) == (1, False)


def test_the_issuer_is_checked_against_a_folder_of_roots(bhxh, signed, key_file, tmp_path):
    (tmp_path / "roots").mkdir()
    empty = bhxh("verify", signed, "--roots", "roots", "--json")
    assert (empty.code, empty.error["code"]) == (2, "cli.no_roots")
    alien = throwaway()
    (tmp_path / "roots" / "alien.der").write_bytes(run_blocking(alien.certificates())[0].certificate.der)
    done = bhxh("verify", signed, "--roots", "roots", "--json")
    assert (done.code, done.json["valid"]) == (1, False)
    assert bhxh("verify", signed, "--roots", "nowhere", "--json").error["code"] == "cli.no_folder"


def test_a_document_of_a_trusted_issuer_is_trusted(bhxh, signed, pki, tmp_path):
    (tmp_path / "roots").mkdir()
    (tmp_path / "roots" / "root.der").write_bytes(pki.roots[0])
    (tmp_path / "roots" / "issuing.cer").write_bytes(pki.intermediates[0])
    (tmp_path / "roots" / "README.txt").write_text("not a certificate", encoding="utf-8")
    done = bhxh("verify", signed, "--roots", "roots", "--json")
    assert (done.code, done.json["trusted"]) == (0, True)


@pytest.mark.parametrize("moment", ["0001-01-01", "9999-12-31T23:59:59"])
@pytest.mark.parametrize("zone", ["Asia/Ho_Chi_Minh", "America/Lima"])
def test_no_moment_is_a_fault_of_the_program(bhxh, signed, monkeypatch, moment, zone):
    with monkeypatch.context() as patched:
        patched.setenv("TZ", zone)
        time.tzset()
        done = bhxh("verify", signed, "--moment", moment, "--json")
    time.tzset()
    assert done.code in {1, 2}
    if done.code == 2:
        assert (done.error["code"], done.error["field"]) == ("cli.bad_moment", "moment")


def test_the_certificate_may_be_judged_at_another_moment(bhxh, signed):
    done = bhxh("verify", signed, "--moment", "2001-01-01", "--json")
    assert (done.code, done.json["valid"]) == (1, False)


def test_a_missing_file_is_our_mistake_not_a_bad_signature(bhxh):
    assert bhxh("verify", "nowhere.xml", "--json").error["code"] == "cli.file_missing"
    assert bhxh("verify", "nowhere.xml").code == 2


def test_sign_never_overwrites_and_checks_before_it_signs(bhxh, signed, key_file):
    signer = f"softkey:{key_file('0100109106')}"
    again = bhxh("sign", "plain.xml", "-o", signed, "--signer", signer, "--json")
    assert (again.code, again.error["code"]) == (2, "cli.file_exists")
    missing = bhxh("sign", "nowhere.xml", "-o", "x.xml", "--signer", signer, "--json")
    assert (missing.code, missing.error["code"]) == (2, "cli.file_missing")


def test_a_document_without_the_place_is_refused(bhxh, signed, key_file, tmp_path):
    signer = f"softkey:{key_file('0100109106')}"
    done = bhxh("sign", "plain.xml", "-o", "x.xml", "--signer", signer, "--at", "Hoso/Nowhere", "--json")
    assert done.code == 2
    again = bhxh("sign", signed, "-o", "x.xml", "--signer", signer, "--json")
    assert (again.code, again.error["code"].split(".")[0]) == (2, "document")
    assert not (tmp_path / "x.xml").exists()


@pytest.mark.parametrize(
    ("uri", "code"),
    [
        ("nonsense", 3),
        ("floppy:A", 3),
        ("softkey:missing.p12", 2),
        ("softkey:key.p12?password=secret", 2),
    ],
)
def test_a_wrong_signer_is_a_typed_error_that_shows_no_secret(bhxh, uri, code):
    done = bhxh("certificates", "--signer", uri, "--json")
    assert done.code == code
    assert "secret" not in done.out.replace("signing.secret_in_uri", "")


def test_several_files_are_signed_with_one_login_into_a_folder(bhxh, signed, key_file, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "second.xml").write_bytes((tmp_path / "plain.xml").read_bytes())
    signer = f"softkey:{key_file('0100109106')}"
    done = bhxh("sign", "plain.xml", "second.xml", "-o", "out", "--signer", signer, "--json")
    assert done.code == 0
    assert [row["source"] for row in done.json["files"]] == ["plain.xml", "second.xml"]
    assert done.json["signer"]["tax_code"] == "0100109106"
    for row in done.json["files"]:
        assert bhxh("verify", row["file"]).code == 0


def test_one_file_may_go_into_a_folder_too(bhxh, signed, key_file, tmp_path):
    (tmp_path / "out").mkdir()
    done = bhxh("sign", "plain.xml", "-o", "out", "--signer", f"softkey:{key_file('0100109106')}")
    assert done.code == 0
    assert (tmp_path / "out" / "plain.xml").exists()


def test_one_bad_file_does_not_stop_the_others(bhxh, signed, key_file, tmp_path):
    (tmp_path / "out").mkdir()
    call = ("sign", signed, "plain.xml", "-o", "out", "--signer", f"softkey:{key_file('0100109106')}")
    for_people = bhxh(*call, "--lang", "en")
    assert for_people.code == 2
    assert "Not signed" in for_people.out
    done = bhxh(*call, "--force", "--json")
    assert done.code == 2
    bad, good = done.json["files"]
    assert (bad["file"], bad["error"]["code"]) == (None, "document.already_signed")
    assert good["error"] is None
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["plain.xml"]


def test_several_files_need_a_folder_and_names_of_their_own(bhxh, signed, key_file, tmp_path):
    signer = f"softkey:{key_file('0100109106')}"
    nowhere = bhxh("sign", "plain.xml", signed, "-o", "nowhere", "--signer", signer, "--json")
    assert (nowhere.code, nowhere.error["code"]) == (2, "cli.no_folder")
    (tmp_path / "out").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "plain.xml").write_bytes(b"<a/>")
    doubled = bhxh("sign", "plain.xml", "other/plain.xml", "-o", "out", "--signer", signer, "--json")
    assert (doubled.code, doubled.error["code"]) == (2, "cli.same_name")
    missing = bhxh("sign", "plain.xml", "missing.xml", "-o", "out", "--signer", signer, "--json")
    assert (missing.code, missing.error["code"]) == (2, "cli.file_missing")
    assert not list((tmp_path / "out").iterdir())


def test_an_unusable_certificate_makes_no_signature(bhxh, signed, expired_key):
    done = bhxh("sign", "plain.xml", "-o", "x.xml", "--signer", f"softkey:{expired_key}", "--json")
    assert (done.code, done.error["code"]) == (4, "signing.certificate_expired")


def test_a_wrong_serial_number_finds_no_certificate(bhxh, signed, key_file):
    signer = f"softkey:{key_file('0100109106')}"
    done = bhxh("sign", "plain.xml", "-o", "x.xml", "--signer", signer, "--certificate", "AB", "--json")
    assert (done.code, done.error["code"]) == (4, "cli.no_certificate")


def test_a_locked_key_asks_a_person_and_nobody_is_there(bhxh, signed, locked_key, monkeypatch):
    done = bhxh("sign", "plain.xml", "-o", "x.xml", "--signer", f"softkey:{locked_key}", "--json")
    assert done.code in {4, 6}
    monkeypatch.setenv("KEY_PASSWORD", "mat-khau-thu")
    uri = f"softkey:{locked_key}?password-env=KEY_PASSWORD"
    assert bhxh("sign", "plain.xml", "-o", "x.xml", "--signer", uri).code == 0


def test_between_several_certificates_a_person_chooses(pki):
    offered = [
        SigningCertificate(certificate=pki.issue(name, own_key=True).info, key_id=name, has_private_key=True)
        for name in ("A", "B")
    ]
    now = datetime.now(UTC)
    second = run_blocking(_chosen(offered, "", now, AskPerson(on_choose=lambda _: 1)))
    assert second.key_id == "B"
    named = run_blocking(_chosen(offered, offered[0].certificate.serial_text, now, AskPerson()))
    assert named.key_id == "A"
    with pytest.raises(KeyNotFoundError):
        run_blocking(_chosen(offered, "", now, AskPerson(on_choose=lambda _: -1)))
    with pytest.raises(PersonNeededError):
        run_blocking(_chosen(offered, "", now, AskPerson()))


@pytest.mark.parametrize("kind", ["not_yet_valid", "not_for_signing"])
def test_what_is_against_the_only_certificate_is_said(pki, kind):
    (certificate,) = [
        SigningCertificate(certificate=getattr(pki, kind)().info, key_id="A", has_private_key=True)
    ]
    with pytest.raises(CertificateUnusableError) as caught:
        run_blocking(_chosen([certificate], "", datetime.now(UTC), AskPerson()))
    assert caught.value.code == f"signing.certificate_{kind}"


def test_a_certificate_without_its_key_cannot_sign(pki):
    alone = SigningCertificate(certificate=pki.issue().info, key_id="A", has_private_key=False)
    with pytest.raises(KeyNotFoundError):
        run_blocking(_chosen([alone], "", datetime.now(UTC), AskPerson()))


def told(bhxh, *call):
    """Return the answer's code and its hint in both languages."""
    answers = [bhxh(*call, "--json", "--lang", language).json for language in ("en", "vi")]
    shown = [answer.get("error", answer) for answer in answers]
    return shown[0]["code"], [each["hint"] for each in shown]


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("Hoso/Nowhere", "document.no_place"),
        ("Hoso/NoiDung", "document.signature_elsewhere"),
        ("Hoso", "xml.not_a_path"),
    ],
)
def test_a_wrong_place_says_to_check_the_place(bhxh, signed, at, code):
    given, hints = told(bhxh, "verify", signed, "--at", at)
    assert given == code
    assert all("--at" in hint for hint in hints)
    assert "to sign in" not in bhxh("verify", signed, "--at", at, "--lang", "en").out


def test_a_form_that_is_no_document_yet_says_how_to_make_one(bhxh, form_file, key_file):
    signer = f"softkey:{key_file('0100109106')}"
    given, hints = told(bhxh, "sign", form_file(), "-o", "x.xml", "--signer", signer)
    assert given == "document.not_well_formed"
    assert all("bhxh build" in hint for hint in hints)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"<SignatureValue>", b'<SignatureValue Id="v">', "document.signature_shape"),
        (b"2001/04/xmldsig-more#rsa-sha256", b"2000/09/xmldsig#rsa-sha1", "document.algorithm"),
        (b"</CKy_Dvi>", b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/></CKy_Dvi>', "several"),
    ],
)
def test_a_signature_of_another_shape_is_told_from_a_broken_one(bhxh, signed, old, new, code):
    content = signed.read_bytes()
    assert old in content
    signed.write_bytes(content.replace(old, new))
    given, hints = told(bhxh, "verify", signed)
    assert code in given
    for name in ("--profile", "--countersigned", "xml.verify_foreign"):
        assert all(name in hint for hint in hints)
    assert "of another shape than asked for" in bhxh("verify", signed, "--lang", "en").out


def signed_again(path, pki, profile):
    """Sign a document in the shape named, by an I-VAN or whoever."""
    ivan = pki.issue(name="I-VAN THÍ DỤ")
    prepared = xml.prepare(path.read_bytes(), ivan.info, profile=profile, signing_time=datetime.now(UTC))
    value = ivan.key.sign(prepared.signed_info, PKCS1v15(), SHA256())
    path.write_bytes(xml.complete(prepared, value))


def test_a_countersigned_document_shows_both_signers(bhxh, signed, pki):
    signed_again(signed, pki, "countersignature")
    assert bhxh("verify", signed, "--json").json["code"] == "document.several_signatures"
    done = bhxh("verify", signed, "--countersigned", "--json")
    assert (done.code, done.json["valid"]) == (0, True)
    assert done.json["signer"]["tax_code"] == "0100109106"
    assert "I-VAN THÍ DỤ" in done.json["countersignature"]["signer"]["subject"]
    text = bhxh("verify", signed, "--countersigned", "--lang", "en").out
    assert text.count("VALID") == 2
    assert "I-VAN THÍ DỤ" in text
    both = bhxh("verify", signed, "--countersigned", "--at", "Hoso/CKy_Dvi", "--json")
    assert (both.code, both.error["code"]) == (2, "cli.at_or_countersigned")


def test_a_countersigned_document_without_its_countersignature_is_not_valid(bhxh, signed):
    done = bhxh("verify", signed, "--countersigned", "--json")
    assert (done.code, done.json["valid"], done.json["at"]) == (1, False, "Hoso/CKy_iVan")


def test_another_shape_is_accepted_when_its_profile_is_named(bhxh, signed, pki, tmp_path):
    plain = tmp_path / "plain.xml"
    signed_again(plain, pki, "referenced-time")
    assert bhxh("verify", plain).code == 1
    assert bhxh("verify", plain, "--profile", "referenced-time").code == 0
    unknown = bhxh("verify", plain, "--profile", "nonsense", "--json")
    assert (unknown.code, unknown.error["field"]) == (2, "profile")


def test_a_document_over_the_size_limit_says_which_option_raises_it(bhxh, signed):
    signed.write_bytes(signed.read_bytes() + b" " * 1024 * 1024)
    given, hints = told(bhxh, "verify", signed, "--size-limit", "1")
    assert given == "document.too_large"
    assert all("--size-limit" in hint and "size_limit" in hint for hint in hints)
    assert bhxh("verify", signed, "--size-limit", "2").code == 0


def test_an_expired_certificate_is_told_from_a_wrong_signature(bhxh, signed):
    done = bhxh("verify", signed, "--moment", "2001-01-01", "--json")
    assert done.json["signer"]["tax_code"] == "0100109106"
    text = bhxh("verify", signed, "--moment", "2001-01-01", "--lang", "en").out
    assert text.startswith("The signature is right, its certificate is not accepted: ")
