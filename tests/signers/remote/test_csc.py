"""Signing with a CSC service of version 1: batches, certificates, PIN and one-time code."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from csc_world import OTP, PIN, answers, fails, maker

from bhxh_sdk.errors import (
    CertificateUnusableError,
    KeyNotFoundError,
    UnexpectedReplyError,
    UnsupportedOperationError,
)
from bhxh_sdk.models import CertificateInfo, SignatureScheme
from bhxh_sdk.remote_errors import (
    ConfirmationLockedError,
    ConfirmationSecretError,
    ProviderFailedError,
    ProviderLoginError,
    ProviderRequestError,
)
from bhxh_sdk.sandbox.pki import SandboxCertificate
from bhxh_sdk.sandbox.remote.provider import json_reply
from bhxh_sdk.signers import SigningCertificate, SigningState
from bhxh_sdk.signers.flow import values_of
from bhxh_sdk.signers.remote import dialect_names
from bhxh_sdk.signers.transactions import transaction_to_dict


@pytest.fixture
def world(clock, person, run, direct, pki):
    return maker(clock, person, run, direct, pki)


# Version 1.


def test_a_batch_is_signed_with_one_confirmation(world, job):
    made = world()
    values = made.sign(job("one", document_name="Tờ khai"), job("two"))
    assert set(values) == {"one", "two"}
    assert made.paths() == [
        "credentials/list",
        "credentials/info",
        "credentials/authorize",
        "signatures/signHash",
    ]
    assert len(made.provider.desk.phone.rings) == 1
    assert made.provider.desk.phone.rings[0].shown == "Tờ khai"
    [authorize] = made.bodies("authorize")
    assert authorize["numSignatures"] == 2
    [signing] = made.bodies("signHash")
    assert signing["hash"] == authorize["hash"]
    assert signing["signAlgo"] == "1.2.840.113549.1.1.11"
    assert "hashAlgo" not in signing


def test_an_intent_is_kept_before_each_call_that_starts_something(world, job):
    made = world()
    made.sign(job())
    assert [(item.state, item.stage) for item in made.kept] == [
        (SigningState.INTENDED, "authorizing"),
        (SigningState.INTENDED, "signing"),
    ]
    assert "sad" not in json.dumps([transaction_to_dict(item) for item in made.kept])


def test_a_call_that_blocks_until_the_phone_is_confirmed_has_the_life_of_the_transaction(world, job):
    made = world(dialect_changes={"life_seconds": 200, "sign_seconds": 70})
    made.sign(job())
    assert [item.deadline_seconds for item in made.sender.requests] == [30.0, 30.0, 200.0, 70.0]


def test_more_hashes_than_multisign_are_split(world, job):
    made = world()
    made.provider.multisign = 3
    made.sign(*(job(str(number)) for number in range(7)))
    assert [body["numSignatures"] for body in made.bodies("authorize")] == [3, 3, 1]
    assert len(set(made.provider.desk.accepted)) == len(made.provider.desk.accepted) == 7


def test_a_setting_lowers_the_batch(world, job):
    made = world(largest_batch=2)
    assert made.signer.capabilities.largest_batch == 2
    made.sign(*(job(str(number)) for number in range(3)))
    assert [body["numSignatures"] for body in made.bodies("authorize")] == [2, 1]


def test_before_a_credential_was_read_one_hash_is_sent_at_a_time(world):
    made = world()
    assert made.signer.capabilities.largest_batch == 1
    made.provider.multisign = "2147483647"
    made.certificates()
    assert made.signer.capabilities.largest_batch == 2147483647


def test_plain_rsa_has_its_hash_named(world, job):
    made = world()
    made.provider.algorithms = ("1.2.840.113549.1.1.1",)
    made.sign(job())
    [body] = made.bodies("signHash")
    assert body["signAlgo"] == "1.2.840.113549.1.1.1"
    assert body["hashAlgo"] == "2.16.840.1.101.3.4.2.1"


def test_a_value_of_a_curve_comes_in_der_and_is_used_as_r_and_s(world, job, now):
    made = world()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "EC")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 5, now, now + timedelta(days=9))
    issued = SandboxCertificate(key=key, certificate=builder.sign(key, hashes.SHA256()), chain=())
    made.provider.desk.credentials.clear()
    made.provider.add("curve", issued)
    values = made.sign(job(scheme=SignatureScheme.ECDSA))
    assert len(values["one"]) == 64
    assert made.bodies("signHash")[0]["signAlgo"] == "1.2.840.10045.4.3.2"


def test_rsa_pss_is_refused_before_anything_is_sent(world, job):
    made = world()
    with pytest.raises(UnsupportedOperationError):
        made.sign(job(scheme=SignatureScheme.RSA_PSS))
    assert "credentials/authorize" not in made.paths()


def test_without_scal_2_the_hashes_are_bound_all_the_same(world, job):
    made = world()
    made.provider.scal = "1"
    made.sign(job())
    assert made.bodies("authorize")[0]["hash"]


def test_optional_settings_are_sent_along(world, job):
    made = world(user_id="0100109106", language="vi", client_data="lab")
    made.sign(job())
    assert made.bodies("list")[0] == {"userID": "0100109106", "clientData": "lab"}
    assert made.bodies("info")[0] == {
        "credentialID": "lab/unit",
        "certificates": "single",
        "certInfo": False,
        "authInfo": True,
        "lang": "vi",
        "clientData": "lab",
    }


def test_an_array_of_documents_goes_along_where_the_dialect_has_one(world, job):
    made = world(dialect="adss")
    made.sign(job("one", document_name="Tờ khai.xml"), job("two"))
    for body in (made.bodies("authorize")[0], made.bodies("signHash")[0]):
        assert [item["document_id"] for item in body["documents"]] == ["one", "two"]
        assert base64.b64decode(body["documents"][0]["document_name"]) == b"to khai_xml"
    assert base64.b64decode(made.bodies("authorize")[0]["description"]) == b"to khai_xml"


def test_a_description_has_at_most_500_characters(world, job):
    made = world()
    made.sign(*(job(str(number), document_name=f"{number}" * 80) for number in range(9)))
    assert len(made.bodies("authorize")[0]["description"]) == 500


# Certificates.


def test_the_list_is_read_page_by_page(world, pki):
    made = world()
    for number in range(4):
        made.provider.add(f"k{number}", pki.issue())
    made.provider.page_size = 2
    assert [item.key_id for item in made.certificates()] == ["lab/unit", "k0", "k1", "k2", "k3"]
    assert made.paths().count("credentials/list") == 3


def test_a_list_without_end_is_left_after_many_pages(world):
    made = world()
    reply = json_reply({"credentialIDs": [], "nextPageToken": "again"})
    answers(made, "credentials/list", *[reply] * 200)
    assert made.certificates() == ()
    assert len(made.sender.requests) == 20


def test_of_many_credentials_the_first_ones_are_read(world):
    made = world()
    pages = [
        json_reply({"credentialIDs": [f"{page}-{number}" for number in range(150)], "nextPageToken": "more"})
        for page in range(5)
    ]
    answers(made, "credentials/list", *pages)
    der = base64.b64encode(made.provider.desk.credentials["lab/unit"].issued.der).decode()
    answers(made, "credentials/info", *[json_reply({"cert": {"certificates": [der]}})] * 500)
    listed = made.certificates()
    assert [item.key_id for item in listed] == [f"0-{n}" for n in range(150)] + [f"1-{n}" for n in range(50)]
    assert made.paths().count("credentials/list") == 2
    assert made.paths().count("credentials/info") == 200


def test_of_one_long_page_the_first_credentials_are_read(world):
    made = world(version=2)
    infos = [{"credentialID": f"i{number}", "cert": {}} for number in range(3000)]
    answer = {"credentialIDs": [f"c{number}" for number in range(3000)], "credentialInfos": infos}
    answers(made, "credentials/list", json_reply(answer))
    with pytest.raises(KeyNotFoundError):
        made.certificates()
    assert made.paths().count("credentials/info") == 200


@pytest.mark.parametrize("lets", [True, False])
def test_a_service_that_takes_its_time_is_not_asked_for_ever(world, clock, lets):
    made = world()
    names = [f"c{number}" for number in range(100)]
    answers(made, "credentials/list", json_reply({"credentialIDs": names}))
    der = base64.b64encode(made.provider.desk.credentials["lab/unit"].issued.der).decode()

    def slow(request):
        clock.seconds += 25
        good = json_reply({"cert": {"certificates": [der]}})
        return good if lets else json_reply({"error": "invalid_request"}, 400)

    answers(made, "credentials/info", *[slow] * 100)
    if lets:
        assert [item.key_id for item in made.certificates()] == names[:5]
    else:
        with pytest.raises(ProviderRequestError):
            made.certificates()
    assert made.paths().count("credentials/info") == 5


def test_a_named_credential_is_the_only_one_read(world, pki):
    made = world(credential="lab/unit")
    made.provider.add("other", pki.issue())
    assert [item.key_id for item in made.certificates()] == ["lab/unit"]
    assert made.paths() == ["credentials/info"]


def test_one_credential_that_cannot_be_read_hides_no_other(world, pki):
    made = world()
    made.provider.add("second", pki.issue())
    made.provider.refuse("credentials/info", "server_error", status=500)
    assert [item.key_id for item in made.certificates()] == ["second"]


@pytest.mark.parametrize(
    "certificates",
    [None, [], [None], ["*"], ["bm90IGEgY2VydGlmaWNhdGU="], "text", [7]],
)
def test_one_unreadable_certificate_hides_no_other(world, pki, certificates):
    made = world()
    made.provider.add("second", pki.issue())
    answers(made, "credentials/info", json_reply({"cert": {"certificates": certificates}}), None)
    assert [item.key_id for item in made.certificates()] == ["second"]


@pytest.mark.parametrize("wrapped", ["-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----", "{}"])
def test_a_certificate_may_come_with_armour_and_line_ends(world, pki, wrapped):
    made = world()
    text = base64.encodebytes(pki.issue().der).decode().replace("\n", "\r\n")
    info = {"cert": {"certificates": [wrapped.format(text)]}, "key": "odd", "PIN": None}
    answers(made, "credentials/info", json_reply(info))
    [found] = made.certificates()
    assert found.certificate == CertificateInfo.from_der(pki.issue().der) or found.certificate.der


def test_the_trouble_of_the_only_credential_is_told(world):
    made = world()
    made.provider.refuse("credentials/info", "server_error", status=500)
    with pytest.raises(ProviderFailedError):
        made.certificates()


def test_a_refused_login_ends_the_list_at_once(world, pki):
    made = world()
    made.provider.add("second", pki.issue())
    made.provider.refuse("credentials/info", "unauthorized_client", status=401)
    with pytest.raises(ProviderLoginError):
        made.certificates()


def test_an_unknown_credential_is_told_as_no_key(world):
    made = world(credential="nobody")
    with pytest.raises(KeyNotFoundError) as caught:
        made.certificates()
    assert caught.value.parameters["provider_text"] == "Invalid parameter credentialID"


@pytest.mark.parametrize("answer", [{}, {"credentialIDs": "x"}, {"credentialIDs": None}])
def test_an_answer_without_list_is_unexpected(world, answer):
    made = world()
    answers(made, "credentials/list", json_reply(answer))
    with pytest.raises(UnexpectedReplyError):
        made.certificates()


def test_a_disabled_key_is_set_aside_where_another_can_sign(world, pki):
    made = world()
    made.provider.add("second", pki.issue())
    made.provider.disabled.add("lab/unit")
    assert [item.has_private_key for item in made.certificates()] == [False, True]


@pytest.mark.parametrize(
    ("info", "text"),
    [
        ({"key": {"status": "disabled"}}, "disabled"),
        ({"cert": {"status": "revoked"}}, "revoked"),
        ({"cert": {"status": "Suspended"}}, "Suspended"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_before_anybody_is_asked(world, job, pki, info, text):
    made = world()
    der = base64.b64encode(pki.issue().der).decode()
    info = {**info, "cert": {"certificates": [der], **info.get("cert", {})}}
    answers(made, "credentials/info", json_reply(info))
    error = fails(made, job())
    assert isinstance(error, CertificateUnusableError)
    assert error.parameters["provider_text"] == text
    assert "credentials/authorize" not in made.paths()


# PIN and one-time code.


def test_pin_and_code_are_asked_for_after_the_credential_was_read_and_before_the_note(world, job):
    made = world(mode="explicit", own={"pin": PIN, "otp": OTP}, secrets={}, answers=[PIN, OTP])
    made.sign(job())
    assert [question.purpose for question in made.person.asked] == ["remote_pin", "remote_otp"]
    assert made.signer.capabilities.needs_secret
    [body] = made.bodies("authorize")
    assert (body["PIN"], body["OTP"]) == (PIN, OTP)
    assert "credentials/sendOTP" not in made.paths()


def test_a_code_that_comes_by_message_is_sent_first(world, job):
    made = world(mode="explicit", own={"otp": OTP, "is_sent": True})
    made.sign(job())
    assert made.paths()[2:] == ["credentials/sendOTP", "credentials/authorize", "signatures/signHash"]


def test_what_is_optional_is_asked_for_where_a_setting_says_so(world, job):
    made = world(mode="explicit", own={"pin": PIN}, ask_optional=True)
    asked = made.provider.person.asked
    made.provider.person.asked = lambda mode: {**asked(mode), "PIN": {"presence": "optional"}}
    made.sign(job())
    assert made.bodies("authorize")[0]["PIN"] == PIN


def test_presence_may_be_a_truth_value(world, job):
    made = world(mode="explicit", own={"pin": PIN})
    asked = made.provider.person.asked
    made.provider.person.asked = lambda mode: {
        **asked(mode),
        "PIN": {"presence": True},
        "OTP": {"presence": False},
    }
    made.sign(job())
    assert made.bodies("authorize")[0]["PIN"] == PIN


@pytest.mark.parametrize(("wrong", "code"), [("pin", "invalid_pin"), ("otp", "invalid_otp")])
def test_a_wrong_secret_is_never_sent_again(world, job, wrong, code):
    own = {"pin": PIN, "otp": OTP}
    made = world(mode="explicit", own=own, secrets={**own, wrong: "999999"})
    error = fails(made, job())
    assert isinstance(error, ConfirmationSecretError)
    assert error.parameters["provider_code"] == code
    assert "999999" not in repr(error) + str(error)
    again = fails(made, job())
    assert again.code == "remote.secret_refused_before"
    assert made.paths().count("credentials/authorize") == 1


@pytest.mark.parametrize(("member", "text"), [("PIN", "PIN locked"), ("OTP", "OTP locked")])
def test_a_locked_secret_is_told_as_locked(world, job, member, text):
    made = world(mode="explicit", own={"pin": PIN, "otp": OTP})
    made.provider.person.tries[member] = 0
    error = fails(made, job())
    assert isinstance(error, ConfirmationLockedError)
    assert error.parameters["provider_text"] == text


# Dialects.


def test_the_dialects_come_with_the_package():
    assert dialect_names("csc") == ("adss", "v1", "v2")


def test_values_are_verified_by_the_flow(world, job):
    made = world()
    own = made.certificates()[0]
    done = made.start(job(), certificate=own)
    assert values_of(done, [job()], own)
    assert isinstance(own, SigningCertificate)
