"""`bhxh verify` with roots, lists, authorities online and kept evidence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from trust_world import Authority, served

from bhxh_sdk import xml
from bhxh_sdk.models import CertificateInfo

DAY = timedelta(days=1)


class World:
    """Authorities online on this machine, a signer below them and a document signed by it."""

    def __init__(self, address, answers):
        now = datetime.now(UTC).replace(microsecond=0)
        life = {"start": now - 300 * DAY, "end": now + 300 * DAY}
        self.valid = {"at": now - DAY, "until": now + DAY}
        self.answers = answers
        self.root = Authority.root(**life)
        self.issuing = self.root.authority(ocsp=(), crls=(f"{address}/root.crl",), **life)
        self.signer = self.issuing.signer(ocsp=(f"{address}/ocsp",), crls=(), **life)
        answers["/root.crl"] = self.root.crl(**self.valid)
        answers["/ocsp"] = self.issuing.answer(self.signer, **self.valid)

    def lay(self, folder):
        for name in ("roots", "between"):
            (folder / name).mkdir()
        (folder / "roots" / "root.cer").write_bytes(self.root.der)
        (folder / "between" / "ca.pem").write_bytes(self.issuing.certificate.public_bytes(Encoding.PEM))
        (folder / "root.crl").write_bytes(self.root.crl(**self.valid))
        (folder / "ca.crl").write_bytes(self.issuing.crl(**self.valid))
        key = self.signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "key.pem").write_bytes(key + self.signer.certificate.public_bytes(Encoding.PEM))


@pytest.fixture
def world(bhxh, form_file, tmp_path):
    with served() as (address, answers):
        world = World(address, answers)
        world.lay(tmp_path)
        assert bhxh("build", form_file(), "-o", "plain.xml").code == 0
        done = bhxh("sign", "plain.xml", "-o", "signed.xml", "--signer", "softkey:key.pem")
        assert done.code == 0, done
        yield world


FOLDERS = ("--roots", "roots", "--intermediates", "between")


def test_with_roots_alone_the_answer_says_that_revocation_was_not_checked(bhxh, world):
    done = bhxh("verify", "signed.xml", *FOLDERS, "--json")
    assert (done.code, done.json["trusted"]) == (0, True)
    told = done.json["trust"]
    assert told["revocation_proven"] is False
    assert [each["revocation"] for each in told["path"]] == ["not-checked", "not-checked", "trusted"]
    assert {each["code"] for each in told["warnings"]} == {"trust.revocation_not_checked"}
    text = bhxh("verify", "signed.xml", *FOLDERS, "--lang", "en").out
    assert "ROOT VÍ DỤ" in text
    assert "trust.revocation_not_checked" in text


def test_without_roots_nothing_is_said_of_trust(bhxh, world):
    done = bhxh("verify", "signed.xml", "--json")
    assert (done.code, done.json["trusted"], done.json["trust"]) == (0, False, None)


def test_lists_from_files_prove_it(bhxh, world):
    lists = ("--crl", "root.crl", "--crl", "ca.crl")
    done = bhxh("verify", "signed.xml", *FOLDERS, *lists, "--json")
    assert (done.code, done.json["trust"]["revocation_proven"]) == (0, True)
    assert "Proven not to be revoked" in bhxh("verify", "signed.xml", *FOLDERS, *lists, "--lang", "en").out


def test_a_list_that_is_missing_is_a_refusal_unless_softness_is_asked_for(bhxh, world):
    done = bhxh("verify", "signed.xml", *FOLDERS, "--crl", "root.crl", "--json")
    assert (done.code, done.json["reason"], done.json["trust"]) == (1, "revocation-unknown", None)
    soft = bhxh("verify", "signed.xml", *FOLDERS, "--crl", "root.crl", "--revocation", "soft", "--json")
    assert (soft.code, soft.json["trust"]["revocation_proven"]) == (0, False)


def test_the_authorities_are_asked_and_the_evidence_judged_again_without_them(bhxh, world, tmp_path):
    done = bhxh("verify", "signed.xml", *FOLDERS, "--online", "--evidence", "kept.json", "--json")
    assert (done.code, done.json["trust"]["revocation_proven"]) == (0, True)
    world.answers.clear()
    again = bhxh("verify", "signed.xml", "--roots", "roots", "--from-evidence", "kept.json", "--json")
    assert (again.code, again.json["trust"]["path"]) == (0, done.json["trust"]["path"])
    damaged = (tmp_path / "kept.json").read_bytes().replace(b"2", b"3", 1)
    (tmp_path / "damaged.json").write_bytes(damaged)
    broken = bhxh("verify", "signed.xml", "--roots", "roots", "--from-evidence", "damaged.json", "--json")
    assert (broken.code, broken.error["code"]) == (2, "trust.evidence_damaged")
    assert broken.error["field"] == "from_evidence"


def test_a_revoked_certificate_is_refused_and_the_evidence_is_kept_all_the_same(bhxh, world, tmp_path):
    revoked = datetime.now(UTC).replace(microsecond=0) - DAY
    world.answers["/ocsp"] = world.issuing.answer(world.signer, revoked=revoked, **world.valid)
    done = bhxh("verify", "signed.xml", *FOLDERS, "--online", "--evidence", "kept.json", "--json")
    assert (done.code, done.json["valid"], done.json["reason"]) == (1, False, "revoked")
    assert (tmp_path / "kept.json").exists()
    assert done.json["evidence"] == "kept.json"
    assert "VÍ DỤ" in done.json["signer"]["issuer"]
    call = ("verify", "signed.xml", *FOLDERS, "--online", "--evidence", "kept.json", "--lang", "en")
    assert "--force" in bhxh(*call, "--json").error["hint"]
    text = bhxh(*call, "--force").out
    assert text.startswith("The signature is right, its certificate is not accepted: ")
    assert "trust.revoked" in text
    assert done.json["signer"]["issuer"] in text
    assert "The evidence was kept in “kept.json”." in text
    before = (revoked - DAY).isoformat()[:19]
    then = bhxh(
        "verify",
        "signed.xml",
        "--roots",
        "roots",
        "--from-evidence",
        "kept.json",
        "--moment",
        before,
        "--json",
    )
    assert (then.code, then.json["trust"]["path"][0]["revoked_at"]) == (0, revoked.isoformat())


def test_a_responder_that_is_down_is_made_good_by_a_list_from_a_file(bhxh, world):
    world.answers["/ocsp"] = (503, b"<html>Down</html>")
    done = bhxh("verify", "signed.xml", *FOLDERS, "--online", "--json")
    assert (done.code, done.json["reason"]) == (1, "revocation-unavailable")
    done = bhxh("verify", "signed.xml", *FOLDERS, "--online", "--crl", "ca.crl", "--json")
    assert done.code == 0


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (("--online",), "cli.roots_needed"),
        (("--revocation", "off"), "cli.roots_needed"),
        (("--roots", "roots", "--revocation", "maybe"), "trust.unknown_mode"),
        (("--roots", "roots", "--from-evidence", "a", "--online"), "cli.one_evidence"),
        (("--roots", "roots", "--evidence", "a"), "cli.no_evidence"),
        (("--roots", "roots", "--online", "--evidence", "root.crl"), "cli.file_exists"),
        (("--roots", "roots", "--crl", "signed.xml"), "trust.not_a_crl"),
        (("--roots", "roots", "--intermediates", "nowhere"), "cli.no_folder"),
    ],
)
def test_options_that_do_not_fit_are_our_mistake(bhxh, world, given, code):
    done = bhxh("verify", "signed.xml", *given, "--json")
    assert (done.code, done.error["code"]) == (2, code)


def test_both_signers_of_a_countersigned_document_are_judged_and_their_evidence_kept_together(
    bhxh, world, tmp_path
):
    signed = (tmp_path / "signed.xml").read_bytes()
    prepared = xml.prepare(
        signed,
        CertificateInfo.from_der(world.signer.der),
        profile="countersignature",
        signing_time=datetime.now(UTC),
    )
    value = world.signer.key.sign(prepared.signed_info, PKCS1v15(), SHA256())
    (tmp_path / "both.xml").write_bytes(xml.complete(prepared, value))
    call = ("verify", "both.xml", "--countersigned", "--json")
    done = bhxh(*call, *FOLDERS, "--online", "--evidence", "kept.json")
    assert (done.code, done.json["at"]) == (0, "Hoso/CKy_Dvi")
    assert done.json["countersignature"]["at"] == "Hoso/CKy_iVan"
    assert done.json["countersignature"]["trust"]["revocation_proven"] is True
    world.answers.clear()
    assert bhxh(*call, "--roots", "roots", "--from-evidence", "kept.json").code == 0
