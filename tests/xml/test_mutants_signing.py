"""What mutation testing found untested in signing, prepared values, profiles and places."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from attrs import evolve
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from bhxh_sdk import trust, xml
from bhxh_sdk.errors import (
    CertificateUnusableError,
    DocumentError,
    InputError,
    VerificationError,
    WrongTypeError,
)
from bhxh_sdk.models import Certainty, CertificateInfo, SignatureScheme
from bhxh_sdk.xml import prepared as prepared_module
from bhxh_sdk.xml import saving, signature
from bhxh_sdk.xml.places import canonical, ids, path_of, signatures
from bhxh_sdk.xml.prepared import PreparedSignature
from bhxh_sdk.xml.signature_profile import SignatureProfile, place_of, signature_profile
from bhxh_sdk.xml.signer_trust import trust_question

NOON = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LONG = "x" * 60


@pytest.fixture
def waiting(form, certificate) -> PreparedSignature:
    return xml.prepare(xml.build(form).content, certificate, signing_time=NOON)


def prepared(content: bytes, certificate: CertificateInfo, at: str = xml.PLACE) -> PreparedSignature:
    return xml.prepare(content, certificate, at=at, signing_time=NOON)


def test_wrong_types_are_told_with_what_was_expected(refused, waiting, certificate):
    for expected, call in {
        "PreparedSignature": lambda: xml.complete(b"", b""),
        "bytes": lambda: xml.complete(waiting, "x"),
        "CertificateInfo": lambda: prepared(b"", certificate.der),
        "SignatureProfile": lambda: xml.verify(b"", profile=5),
        "str": lambda: place_of(signature_profile("field"), 5),
        "int": lambda: xml.verify(b"", smallest_key="2048"),
        "Sequence": lambda: xml.verify(b"", roots=5, moment=NOON),
        "TrustPolicy": lambda: xml.verify(b"", trust=5, moment=NOON),
    }.items():
        with refused(WrongTypeError, "input.wrong_type") as caught:
            call()
        assert caught.value.parameters["expected"] == expected


def test_a_key_that_cannot_sign_is_the_certificates_fault(refused, issue, curve_key, small_key, certificate):
    content = b"<Hoso><CKy_Dvi/></Hoso>"
    for owner, code, facts in (
        (issue(curve_key.public_key()), "document.key_kind", {}),
        (issue(small_key.public_key()), "document.key_too_short", {"bits": 1024, "smallest": 2048}),
    ):
        with refused(CertificateUnusableError, code, field="certificate") as caught:
            prepared(content, CertificateInfo.from_der(owner))
        assert facts.items() <= caught.value.parameters.items()
    for changes, code in (
        ({"der": b"x"}, "certificate_unreadable"),
        ({"subject": "CN=\x01"}, "certificate_subject"),
    ):
        with refused(CertificateUnusableError, f"document.{code}", field="certificate"):
            prepared(content, evolve(certificate, **changes))


def test_a_subject_may_hold_spaces_of_any_kind(certificate):
    assert prepared(b"<Hoso><CKy_Dvi/></Hoso>", evolve(certificate, subject="CN=A\u00a0B"))


def test_a_value_that_was_read_back_completes(waiting, key):
    value = key.sign(waiting.signed_info, padding.PKCS1v15(), hashes.SHA256())
    again = PreparedSignature.from_bytes(waiting.to_bytes())
    assert (waiting.is_intact, again.is_intact) == (True, False)
    assert xml.complete(again, value) == xml.complete(waiting, value)


def test_a_place_that_is_not_empty_is_told_before_its_id(refused, certificate):
    for place in (b"<CKy_Dvi Id='sigid'/>", b"<CKy_Dvi><a Id='sigid'/></CKy_Dvi>"):
        with refused(DocumentError, "document.place_not_empty", field=xml.PLACE):
            prepared(b"<Hoso>" + place + b"</Hoso>", certificate)


@pytest.mark.parametrize(
    ("content", "at"),
    [
        (b"<Hoso><CKy_Dvi></CKy_Dvi><CKy_DviX></CKy_DviX></Hoso>", xml.PLACE),
        (b"<Hoso><A><CKy></CKy></A><CKyX></CKyX></Hoso>", "Hoso/A/CKy"),
        (b"<Hoso><A><CKy></CKy><b></b></A></Hoso>", "Hoso/A/CKy"),
    ],
)
def test_a_place_is_not_mistaken_for_one_that_begins_like_it(sign, content, at):
    assert xml.verify(sign(content, at), at=at).content == content


def test_a_place_at_the_end_is_found_without_looking_at_all_others(certificate, monkeypatch):
    monkeypatch.setattr(signature, "_nth_start", None)
    assert prepared(b"<Hoso><CKy_Dvi/></Hoso>", certificate).document == b"<Hoso><CKy_Dvi></CKy_Dvi></Hoso>"


def test_large_documents_that_are_canonical_are_not_canonicalised(certificate, monkeypatch):
    monkeypatch.setattr(signature, "_LARGE", 10)
    expected = prepared(b"<Hoso><CKy_Dvi/></Hoso>", certificate)
    exclusive = signature_profile("exclusive")
    monkeypatch.setattr(signature, "canonical", lambda *_, **__: b"")
    assert prepared(b"<Hoso><CKy_Dvi/></Hoso>", certificate) == expected
    other = xml.prepare(b"<Hoso><CKy_Dvi/></Hoso>", certificate, signing_time=NOON, profile=exclusive)
    assert other.content_digest == signature.sha256(b"")


def test_small_documents_are_canonicalised(certificate, monkeypatch):
    monkeypatch.setattr(signature, "is_canonical", None)
    assert prepared(b"<Hoso><CKy_Dvi/></Hoso>", certificate)


@pytest.mark.parametrize("properties", ["proid", ""])
def test_a_protected_time_is_written_in_canonical_order(sign, properties):
    profile = evolve(signature_profile("referenced-time"), properties_id=properties)
    signed = sign(b"<Hoso><CKy_Dvi/></Hoso>", profile=profile)
    own = b' Id="proid"' if properties else b""
    assert b'<SignatureProperties xmlns=""' + own + b"><SignatureProperty Target=" in signed
    assert xml.verify(signed, profile=profile).is_time_protected


# --- prepared values


def test_a_prepared_value_shows_sizes(waiting):
    shown = repr(waiting)
    assert f"document=<{len(waiting.document)} bytes>" in shown
    assert f"signed_info=<{len(waiting.signed_info)} bytes>" in shown
    assert "intact" not in shown


def test_a_prepared_value_is_made_by_name_and_is_not_intact_unless_just_made(waiting):
    parts = {name: getattr(waiting, name) for name in prepared_module._READERS if name != "profile"}
    made = PreparedSignature(**parts)
    assert made == waiting
    assert made.profile == signature_profile("field")
    assert not made.is_intact
    with pytest.raises(TypeError):
        PreparedSignature(*parts.values())  # type: ignore[misc]
    with pytest.raises(TypeError):
        PreparedSignature(**parts, intact=True)  # type: ignore[call-arg]


def saved_again(waiting: PreparedSignature, **changes: object) -> bytes:
    data = {**json.loads(waiting.to_bytes()), **changes}
    data = {name: value for name, value in data.items() if value is not None and name != "checksum"}
    return json.dumps({**data, "checksum": saving._checksum(data)}).encode()


def test_the_profile_is_saved(certificate):
    profile = evolve(signature_profile("field"), name="own", signature_id="own")
    one = xml.prepare(b"<Hoso><CKy_Dvi/></Hoso>", certificate, signing_time=NOON, profile=profile)
    assert PreparedSignature.from_bytes(one.to_bytes()).profile == profile


def test_the_same_value_is_saved_as_the_same_bytes(waiting):
    names = list(json.loads(waiting.to_bytes()))
    assert names == sorted(names)


@pytest.mark.parametrize("saved", [b'{"version": 2, "checksum": "x"}', b'"text"', b"null", b"[1]"])
def test_what_is_no_prepared_value_is_refused(refused, saved):
    with refused(DocumentError, "document.prepared_unreadable"):
        PreparedSignature.from_bytes(saved)


def test_an_unknown_version_is_told_in_forty_letters(refused, waiting):
    with refused(DocumentError, "document.prepared_version") as caught:
        PreparedSignature.from_bytes(saved_again(waiting, version=LONG))
    assert (caught.value.parameters["version"], caught.value.parameters["known"]) == (LONG[:40], 2)


# --- profiles


def test_a_profile_has_the_fields_shape_unless_it_says_otherwise():
    plain = SignatureProfile(name="own")
    assert plain.to_dict() == {
        "name": "own",
        "title": "",
        "at": "Hoso/CKy_Dvi",
        "over": [],
        "signature_id": "sigid",
        "properties_id": "proid",
        "time_id": "",
        "canonicalisation": "inclusive",
        "scheme": SignatureScheme.RSA_PKCS1.value,
        "key_value": True,
        "subject_name": True,
        "signing_time": "unprotected",
        "certainty": Certainty.UNKNOWN.value,
        "note": "",
    }
    assert plain.ids == {"sigid", "proid"}
    with pytest.raises(TypeError):
        SignatureProfile("own")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("canonicalisation", "inclusive, exclusive"),
        ("signing_time", "unprotected, protected, none"),
        ("scheme", ", ".join(scheme.value for scheme in SignatureScheme)),
    ],
)
def test_an_impossible_value_is_told_in_forty_letters_with_the_known_ones(refused, name, known):
    with refused(InputError, "xml.signature_profile_value", field=name) as caught:
        SignatureProfile(name="own", **{name: LONG})
    assert (caught.value.parameters["value"], caught.value.parameters["known"]) == (LONG[:40], known)


def test_an_impossible_id_is_told_in_forty_letters(refused):
    with refused(InputError, "xml.signature_profile_id", field="signature_id") as caught:
        SignatureProfile(name="own", signature_id=" " + LONG)
    assert caught.value.parameters["value"] == (" " + LONG)[:40]
    for name, changes in (
        ("signature_id", {"signature_id": ""}),
        ("time_id", {"signing_time": "protected", "time_id": ""}),
    ):
        with refused(InputError, "xml.signature_profile_id", field=name) as caught:
            SignatureProfile(name="own", **changes)
        assert caught.value.parameters["value"] == ""
    assert SignatureProfile(name="own", properties_id="").ids == {"sigid"}
    assert SignatureProfile(name="own", signature_id="a" * 81)
    with refused(InputError, "xml.signature_profile_id"):
        SignatureProfile(name="own", signature_id="a" * 82)


def test_an_unknown_profile_is_told_in_forty_letters_with_the_known_ones(refused):
    with refused(InputError, "xml.unknown_signature_profile", field="profile") as caught:
        signature_profile(LONG)
    assert caught.value.parameters["name"] == LONG[:40]
    known = ", ".join(profile.name for profile in xml.signature_profiles())
    assert caught.value.parameters["known"] == known


# --- places


def test_every_form_of_id_is_found_on_the_bytes_and_in_the_tree():
    body = b"<r Id='a' ID='b' id='c' xml:id='d' x='e'><s id='1&amp;2'/></r>"
    for content, expected in (
        (body, {"a", "b", "c", "d", "1&2"}),
        (body.replace(b"&amp;", b""), {"a", "b", "c", "d", "12"}),
    ):
        root = etree.fromstring(content)
        assert set(ids(root)) == set(ids(root, content)) == expected


def test_the_tree_is_not_walked_where_the_bytes_tell_the_ids():
    body = b"<r Id='a'/>"
    assert list(ids(None, body)) == ["a"]  # type: ignore[arg-type]


def test_signatures_are_found_wherever_they_stand():
    one = b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"></Signature>'
    for body, count in (
        (b"<r>Signature</r>", 0),
        (b"<r></r>", 0),
        (one, 1),
        (b"<r>" + one + b"</r>", 1),
        (b"<r><a>" + one + b"</a><b></b></r>", 1),
        (b"<r><a></a><b>" + one + b"</b></r>", 1),
        (b"<r><b>" + one + b"</b><b>" + one + b"</b></r>", 2),
        (b"<r><b>" + one + b"</b><bc></bc><b></b></r>", 1),
    ):
        root = etree.fromstring(body)
        assert len(signatures(root, body)) == count, body


def test_only_the_last_child_is_walked_where_the_bytes_tell():
    one = b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"></Signature>'
    body = b"<r><a></a><b>" + one + b"</b></r>"
    other = etree.fromstring(body.replace(b"<a></a>", b"<a>" + one + b"</a>"))
    assert len(signatures(other, body)) == 1


def test_the_canonical_form_is_inclusive_unless_asked_otherwise():
    root = etree.fromstring(b'<r xmlns:a="urn:a"><b><!-- --></b></r>')
    assert canonical(root) == b'<r xmlns:a="urn:a"><b></b></r>'
    assert canonical(root, exclusive=True) == b"<r><b></b></r>"


@pytest.mark.parametrize("error", [ValueError(), etree.LxmlError("")], ids=["value", "lxml"])
def test_whatever_the_library_says_there_is_no_canonical_form(refused, monkeypatch, error):
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(etree, "tostring", fails)
    with refused(DocumentError, "document.no_canonical_form"):
        canonical(etree.Element("r"))


def test_the_path_of_nothing_is_empty():
    assert path_of(None) == ""


# --- trust


def test_nothing_asked_gives_no_report(certificate):
    assert trust_question(None, None, None, None, 2048).ask(certificate) is None
    assert trust_question(None, NOON, None, None, 2048).ask(certificate) is None


def test_roots_are_a_policy_without_revocation_and_with_the_smallest_key(
    refused, certificate, authority, key
):
    question = trust_question([authority], NOON, None, None, 4096)
    with refused(VerificationError, "trust.weak_key"):
        question.ask(certificate)
    report = trust_question([authority], NOON, None, None, 2048).ask(certificate)
    assert isinstance(report, trust.TrustReport)
