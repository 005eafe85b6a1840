"""SIM signatures: conversations with the sandbox in this process, and with answers written by hand."""

from __future__ import annotations

import base64
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from raw_server import certified

from bhxh_sdk import errors, remote_errors
from bhxh_sdk.errors import (
    InputError,
    Retry,
    SignatureMismatchError,
    SigningExpiredError,
    StillWaitingError,
    UnexpectedReplyError,
    UnknownCodeError,
    UnknownOutcomeError,
)
from bhxh_sdk.ports import Reply
from bhxh_sdk.remote_errors import ProviderBusyError, ProviderLoginError
from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.sandbox.remote import Answer, Mischief
from bhxh_sdk.sandbox.remote.mss import MssProvider
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers import (
    HashName,
    SigningJob,
    SigningState,
    resume,
    sign,
    started,
    transaction_from_dict,
    transaction_to_dict,
)
from bhxh_sdk.signers.contract import SigningCertificate
from bhxh_sdk.signers.remote import RemoteProfile, dialect_names, open_profile, protocol_of
from bhxh_sdk.signers.remote.mss_codes import ENDING, FAULTS, STATUSES, fault_meaning
from bhxh_sdk.signers.verdicts import failure_of

URL = "https://mssp.example"
NS = "{http://uri.etsi.org/TS102204/v1.1.2#}"
SIGNATURE, STATUS, REGISTRATION = "MSS_SignaturePort", "MSS_StatusQueryPort", "MSS_RegistrationPort"
LATE = {"dialect_changes": {"registers_first": False}}
SYNCH = {"dialect_changes": {"mode": "synch"}}
DONE, PENDING, AMBIGUOUS = SigningState.DONE, SigningState.PENDING, SigningState.AMBIGUOUS

EXPECTED = {
    "pending": None,
    "done": None,
    "declined": errors.SigningDeclinedError,
    "expired": errors.SigningExpiredError,
    "failed": remote_errors.ProviderFailedError,
    "login": remote_errors.ProviderLoginError,
    "request": remote_errors.ProviderRequestError,
    "certificate": errors.CertificateUnusableError,
    "no_certificate": errors.KeyNotFoundError,
    "locked": remote_errors.ConfirmationLockedError,
    "busy": remote_errors.ProviderBusyError,
    "unreachable": remote_errors.SignerUnreachableError,
}


@attrs.define
class World:
    """A service, a signer with an account there, and the sender between them."""

    provider: object
    sender: object
    clock: object
    run: object
    person: object
    table: dict
    issued: object

    def signer(self, **changes):
        """Open a signer, as another process would."""
        changes = {**changes}
        secrets = changes.pop("secrets", {"ap_password": Secret("sandbox-ap-password")})
        own = self.table.get("dialect_changes", {}) | changes.pop("dialect_changes", {})
        return open_profile(
            RemoteProfile.from_table({**self.table, **changes, "dialect_changes": own}),
            clock=self.clock,
            senders=lambda clock, **options: self.sender,
            secrets=secrets,
            environment={},
        )

    def certificate(self, signer):
        """Return the certificate, or a stand-in where it comes only with the signature."""
        listed = self.run(signer.certificates())
        if listed:
            return listed[0]
        blank = attrs.evolve(self.issued.info, der=b"")
        return SigningCertificate(certificate=blank, key_id="84900000000")

    def begun(self, jobs, signer=None, note=None, **changes):
        signer = signer or self.signer(**changes)
        certificate = self.certificate(signer)
        return self.run(started(signer, jobs, certificate, self.person(), self.clock, note)), signer

    def asked(self, transaction, signer):
        return self.run(signer.result(transaction, self.clock))

    def signed(self, jobs, on_pending=None, **changes):
        signer = self.signer(**changes)
        certificate = self.certificate(signer)
        return self.run(sign(signer, jobs, certificate, self.person(), self.clock, on_pending))

    def calls(self, port):
        return [request for request in self.sender.requests if request.url.endswith(port)]

    def message(self, port, number=-1):
        """Return a message that was sent, without what is around it."""
        return etree.fromstring(self.calls(port)[number].body)[0][0][0]

    @property
    def most_sent(self):
        return max(Counter(self.provider.desk.accepted).values(), default=0)


@pytest.fixture
def make(pki, direct, run, person, now):
    def world(dialect="vn"):
        clock = VirtualClock(now, seed=5)
        provider = MssProvider(clock, dialect)
        issued = pki.issue()
        provider.add(issued)
        table = provider.profile_table(URL)
        return World(provider, direct(provider), clock, run, person, table, issued)

    return world


@pytest.fixture
def world(make):
    return make()


class Canned:
    """Answers one signature or status query after another from a script."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def answer(self, request):
        status, body = self.answers.pop(0)
        return Reply(status=status, headers=(("content-type", "application/soap+xml"),), body=body.encode())


HEAD = (
    '<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Body>'
    '<Any><m:{name} xmlns:m="http://uri.etsi.org/TS102204/v1.1.2#" MajorVersion="1" MinorVersion="1" {more}>'
)
TAIL = "</m:{name}></Any></env:Body></env:Envelope>"


def told(code, more='MSSP_TransID="T1"', *, name="MSS_SignatureResp", inside="", detail="", status=200):
    about = f'<m:Status><m:StatusCode Value="{code}"/><m:StatusDetail>{detail}</m:StatusDetail></m:Status>'
    head, tail = HEAD.format(name=name, more=more), TAIL.format(name=name)
    return status, head + inside + about + tail


def fault(value, status=500):
    return status, (
        '<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Body><env:Fault><env:Code>'
        f"<env:Value>env:Receiver</env:Value><env:Subcode><env:Value>{value}</env:Value></env:Subcode>"
        "</env:Code></env:Fault></env:Body></env:Envelope>"
    )


@pytest.fixture
def canned(world, direct):
    """Put written answers in the service's place; the certificate is not asked for."""
    world.table["dialect_changes"] = {"registers_first": False}

    def put(*answers):
        world.sender = direct(Canned(*answers))
        return world

    return put


class TestSigning:
    @pytest.mark.parametrize("dialect", dialect_names("mss"))
    @pytest.mark.parametrize("mode", ["synch", "asynchClientServer"])
    def test_every_dialect_signs_in_both_modes(self, make, job, dialect, mode):
        world = make(dialect)
        world.provider.desk.phone.takes = timedelta(seconds=9)
        changes = {"mode": mode, "registers_first": True}
        value = world.signed([job()], dialect_changes=changes)["one"]
        assert len(value) == 256
        assert world.most_sent == 1
        assert len(world.provider.desk.phone.rings) == 1

    def test_the_certificate_comes_by_the_registration_query(self, world):
        listed = world.run(world.signer().certificates())
        assert [item.certificate.der for item in listed] == [world.issued.der]
        assert listed[0].key_id == "84900000000"
        assert len(world.message(REGISTRATION)) == 3
        assert world.provider.desk.phone.rings == []

    def test_two_documents_are_two_confirmations(self, world, job):
        assert set(world.signed([job("a"), job("b")])) == {"a", "b"}
        assert len(world.provider.desk.phone.rings) == 2
        assert world.signer().capabilities.largest_batch == 1

    @pytest.mark.parametrize("name", list(HashName))
    def test_other_hash_functions_where_a_dialect_has_them(self, make, name):
        world = make("etsi")
        size = {"sha256": 32, "sha384": 48, "sha512": 64}[name.value]
        task = SigningJob(document_id="x", digest=bytes(size), hash_name=name)
        assert world.signed([task], dialect_changes={"registers_first": True})["x"]

    def test_another_process_goes_on(self, world, job):
        world.provider.desk.phone.takes = timedelta(seconds=30)
        transaction, first = world.begun([job()])
        first.close()
        kept = transaction_from_dict(transaction_to_dict(transaction))
        again = world.signer()
        values = world.run(resume(again, kept, [job()], world.certificate(again), world.clock))
        assert set(values) == {"one"}
        assert world.most_sent == 1

    def test_a_person_sees_code_text_and_deadline(self, world, job):
        seen = []

        async def note(transaction):
            seen.append(transaction)

        world.provider.desk.phone.takes = timedelta(seconds=5)
        world.signed([job(document_name="Đăng ký BHXH")], note)
        ring = world.provider.desk.phone.rings[0]
        assert ring.shown == f"Đăng ký BHXH {seen[-1].show}"
        assert re.fullmatch(r"\d{4}", seen[-1].show)
        assert seen[-1].deadline - datetime(2026, 9, 1, 3, tzinfo=UTC) == timedelta(seconds=300)

    def test_the_code_stays_empty_where_the_service_tells_none(self, world, job):
        world.provider.tells_code = False
        transaction, _ = world.begun([job()])
        assert transaction.show == ""

    def test_capabilities(self, world):
        usual = world.signer().capabilities
        assert usual.confirms_elsewhere
        assert usual.resumable
        assert not usual.needs_secret
        assert usual.knows_certificate_first
        assert not world.signer(**SYNCH).capabilities.resumable
        assert not world.signer(**LATE).capabilities.knows_certificate_first

    def test_nothing_is_held(self, world):
        protocol = protocol_of(RemoteProfile.from_table(world.table))
        assert tuple(protocol.hidden()) == ()
        protocol.forget()


class TestCertificate:
    def test_it_may_come_only_with_the_signature(self, world, job):
        signer = world.signer(**LATE)
        assert world.run(signer.certificates()) == ()
        transaction, _ = world.begun([job()], signer)
        assert transaction.certificate == b""
        finished = world.asked(transaction, signer)
        assert finished.state is DONE
        assert finished.certificate == world.issued.der

    def test_of_several_the_one_that_the_signature_fits_is_taken(self, world, job):
        """The sandbox sends the authorities' certificates first."""
        transaction, signer = world.begun([job()], **LATE)
        assert world.asked(transaction, signer).certificate == world.issued.der

    def test_a_service_that_tells_none(self, world, job):
        world.provider.tells_certificate = False
        transaction, signer = world.begun([job()], **LATE)
        assert world.asked(transaction, signer).certificate == b""

    def test_one_that_fits_nothing_comes_along_and_fails_the_check(self, world, job):
        world.provider.desk.misbehave(Mischief.WRONG_SIGNATURE)
        transaction, signer = world.begun([job()], **LATE)
        finished = world.asked(transaction, signer)
        assert finished.certificate
        late = attrs.evolve(world.certificate(signer), certificate=world.issued.info)
        with pytest.raises(SignatureMismatchError):
            world.run(resume(signer, finished, [job()], late, world.clock))

    def test_one_of_another_kind_of_key_fits_no_signature(self, canned, job, tmp_path):
        certified(tmp_path)
        pem = (tmp_path / "bundle.pem").read_text()
        value = "<m:MSS_Signature><m:Base64Signature>AAAA</m:Base64Signature></m:MSS_Signature>"
        world = canned(told("500", inside=value, detail=f"<c>{pem}</c>"))
        transaction, _ = world.begun([job()])
        assert transaction.state is DONE
        assert b"loopback test" in transaction.certificate

    def test_of_a_transaction_without_jobs_no_signature_is_used(self, world, canned, job):
        """One that version 1 kept has none."""
        good = base64.b64encode(world.issued.der).decode()
        canned(told("100"), told("500", name="MSS_StatusResp", detail=f"<c>{good}</c>"))
        transaction, signer = world.begun([job()])
        bare = attrs.evolve(transaction, jobs=())
        own = SigningCertificate(certificate=world.issued.info, key_id=transaction.key_id)
        with pytest.raises(SignatureMismatchError):
            world.run(resume(signer, bare, [job()], own, world.clock))

    @pytest.mark.parametrize("armour", [True, False])
    def test_it_may_stand_in_the_profile(self, world, armour):
        pem = world.issued.certificate.public_bytes(Encoding.PEM).decode()
        text = pem if armour else base64.b64encode(world.issued.der).decode()
        signer = world.signer(certificate_pem=text, **LATE)
        assert world.run(signer.certificates())[0].certificate.der == world.issued.der
        assert signer.capabilities.knows_certificate_first
        assert world.sender.requests == []

    def test_one_in_the_profile_that_cannot_be_read_is_named(self, world):
        with pytest.raises(InputError) as caught:
            world.signer(certificate_pem="nothing")
        assert caught.value.field == "certificate_pem"

    def test_one_that_cannot_be_read_hides_no_other(self, world, canned):
        good = base64.b64encode(world.issued.der).decode()
        cert = "<m:CertificateResponse><m:X509Certificate>{}</m:X509Certificate></m:CertificateResponse>"
        inside = cert.format("AAAA") + cert.format(good)
        answer = told("408", "", name="MSS_RegistrationResp", inside=inside)
        signer = canned(answer).signer(dialect_changes={"registers_first": True})
        assert [item.certificate.der for item in world.run(signer.certificates())] == [world.issued.der]

    def test_a_registration_whose_certificates_cannot_be_read_is_no_answer(self, world, canned):
        inside = "<m:CertificateResponse><m:X509Certificate>AAAA</m:X509Certificate></m:CertificateResponse>"
        canned(told("408", "", name="MSS_RegistrationResp", inside=inside))
        with pytest.raises(UnexpectedReplyError):
            world.run(world.signer(dialect_changes={"registers_first": True}).certificates())

    def test_a_registration_without_certificates_lists_none(self, world, canned):
        canned(told("408", "", name="MSS_RegistrationResp"))
        assert world.run(world.signer(dialect_changes={"registers_first": True}).certificates()) == ()

    def test_of_many_certificates_the_first_are_looked_at(self, world, canned):
        good = base64.b64encode(world.issued.der).decode()
        inside = f"<m:X509Certificate>{good}</m:X509Certificate>" * 60
        canned(told("408", "", name="MSS_RegistrationResp", inside=inside))
        signer = world.signer(dialect_changes={"registers_first": True})
        assert len(world.run(signer.certificates())) == 50

    @pytest.mark.parametrize(("before", "is_found"), [(49, True), (50, False)])
    def test_of_many_elements_the_first_are_looked_at_for_a_certificate(
        self, world, canned, job, before, is_found
    ):
        good = base64.b64encode(world.issued.der).decode()
        value = "<m:MSS_Signature><m:Base64Signature>AAAA</m:Base64Signature></m:MSS_Signature>"
        detail = "<c>short</c>" * 500 + f"<c>{'A' * 101}</c>" * before + f"<c>{good}</c>"
        canned(told("500", inside=value, detail=detail))
        transaction, _ = world.begun([job()])
        assert transaction.state is DONE
        assert transaction.certificate == (world.issued.der if is_found else b"")

    def test_line_ends_in_its_base64(self, world):
        world.provider.desk.misbehave(Mischief.LINE_ENDS)
        assert world.run(world.signer().certificates())[0].certificate.der == world.issued.der

    @pytest.mark.parametrize("code", ["501", "503", "505", "500", "100"])
    def test_a_query_that_brings_none_is_an_error(self, world, code):
        world.provider.plan(code)
        with pytest.raises(errors.SigningError) as caught:
            world.run(world.signer().certificates())
        assert caught.value.parameters["provider_code"] == code

    @pytest.mark.parametrize("code", sorted(FAULTS))
    def test_a_fault_of_the_query_is_an_error(self, world, code):
        world.provider.plan(code)
        with pytest.raises(EXPECTED[FAULTS[code].verdict.value]) as caught:
            world.run(world.signer().certificates())
        assert caught.value.parameters["provider_code"] == code

    def test_an_unknown_status_of_the_query_is_no_answer(self, world, canned):
        canned(told("999", "", name="MSS_RegistrationResp"))
        with pytest.raises(UnexpectedReplyError):
            world.run(world.signer(dialect_changes={"registers_first": True}).certificates())


class TestOnTheWire:
    """What section 6.3 of the facts shows, byte for byte where bytes matter."""

    def test_the_whole_signature_request(self, world, job):
        world.begun(
            [job(document_name="Dang ky BHXH")],
            dialect_changes={"services": [], "transaction_prefix": "T"},
        )
        request = world.calls(SIGNATURE)[0]
        assert request.url == f"{URL}/soap/services/MSS_SignaturePort"
        assert dict(request.headers) == {
            "Content-Type": "application/soap+xml; charset=UTF-8",
            "SOAPAction": '"#MSS_Signature"',
        }
        data = base64.b64encode(
            bytes.fromhex("3031300d060960864801650304020105000420") + job().digest
        ).decode()
        name = world.provider.names[0]
        wanted = f"""<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Body>
 <MSS_Signature>
  <mss:MSS_SignatureReq xmlns:mss="http://uri.etsi.org/TS102204/v1.1.2#" MessagingMode="asynchClientServer"
      MajorVersion="1" MinorVersion="1" TimeOut="300">
   <mss:AP_Info AP_ID="http://ap.example.com/sandbox" AP_TransID="{name}" AP_PWD="sandbox-ap-password"
      Instant="2026-09-01T03:00:00.000Z"/>
   <mss:MSSP_Info><mss:MSSP_ID/></mss:MSSP_Info>
   <mss:MobileUser><mss:MSISDN>84900000000</mss:MSISDN></mss:MobileUser>
   <mss:DataToBeSigned MimeType="application/octet-stream" Encoding="base64">{data}</mss:DataToBeSigned>
   <mss:DataToBeDisplayed>Dang ky BHXH %%VC%%</mss:DataToBeDisplayed>
   <mss:SignatureProfile><mss:mssURI>http://mobile-id.vn/digitalSignature</mss:mssURI></mss:SignatureProfile>
   <mss:MSS_Format><mss:mssURI>http://uri.etsi.org/TS102204/v1.1.2#PKCS1</mss:mssURI></mss:MSS_Format>
  </mss:MSS_SignatureReq>
 </MSS_Signature></env:Body></env:Envelope>"""
        assert plain(request.body) == plain(wanted.encode())

    def test_the_whole_status_query(self, world, job):
        transaction, signer = world.begun([job()])
        world.asked(transaction, signer)
        request = world.calls(STATUS)[0]
        assert dict(request.headers)["SOAPAction"] == '"#MSS_StatusQuery"'
        assert etree.fromstring(request.body)[0][0].tag == "MSS_StatusQuery"
        message = world.message(STATUS)
        assert message.tag == f"{NS}MSS_StatusReq"
        assert message.get("MSSP_TransID") == transaction.provider_id
        assert [child.tag.removeprefix(NS) for child in message] == ["AP_Info", "MSSP_Info"]

    def test_additional_services_stand_before_the_format(self, world, job):
        world.begun([job()])
        names = [child.tag.removeprefix(NS) for child in world.message(SIGNATURE)]
        assert names[-2:] == ["AdditionalServices", "MSS_Format"]
        uris = [
            item.text for item in world.message(SIGNATURE).find(f"{NS}AdditionalServices").iter(f"{NS}mssURI")
        ]
        assert [uri.partition("#")[2] for uri in uris] == ["signingCertificate", "signatureValidation"]

    @pytest.mark.parametrize(("name", "size"), [("sha256", 51), ("sha384", 67), ("sha512", 83)])
    def test_data_to_be_signed_is_a_digest_info(self, make, name, size):
        world = make("etsi")
        task = SigningJob(document_id="x", digest=bytes(size - 19), hash_name=HashName(name))
        world.begun([task])
        text = world.message(SIGNATURE).findtext(f"{NS}DataToBeSigned")
        assert len(base64.b64decode(text)) == size

    def test_a_dialect_may_send_the_bare_digest(self, canned, job):
        world = canned(told("100"))
        world.begun([job()], dialect_changes={"data": "digest"})
        text = world.message(SIGNATURE).findtext(f"{NS}DataToBeSigned")
        assert base64.b64decode(text) == job().digest

    def test_the_transaction_name_begins_with_a_letter_and_stays_the_same(self, world, job):
        transaction, signer = world.begun([job()])
        world.asked(transaction, signer)
        names = {world.message(port).find(f"{NS}AP_Info").get("AP_TransID") for port in (SIGNATURE, STATUS)}
        assert names == {f"A{transaction.transaction_id}"}

    def test_the_services_own_address_where_a_profile_gives_it(self, world, job):
        world.begun([job()], mssp_id="http://mssp.example.com")
        place = world.message(SIGNATURE).find(f"{NS}MSSP_Info/{NS}MSSP_ID/{NS}URI")
        assert place.text == "http://mssp.example.com"

    def test_ports_may_have_addresses_of_their_own(self, world):
        profile = RemoteProfile.from_table({**world.table, "status_url": "https://other.example/status"})
        assert protocol_of(profile).addresses == (
            f"{URL}/soap/services/MSS_SignaturePort",
            "https://other.example/status",
            f"{URL}/soap/services/MSS_RegistrationPort",
        )

    def test_timeout_is_in_seconds_and_a_synchronous_call_waits_five_longer(self, world, job):
        world.begun([job()], **SYNCH)
        request = world.calls(SIGNATURE)[0]
        assert world.message(SIGNATURE).get("TimeOut") == "300"
        assert request.deadline_seconds == 305
        world.begun([job()])
        assert world.calls(SIGNATURE)[1].deadline_seconds == 30

    def test_no_password_where_the_client_certificate_says_who_we_are(self, canned, job):
        world = canned(told("100"))
        world.begun([job()], has_password=False, secrets={})
        assert world.message(SIGNATURE).find(f"{NS}AP_Info").get("AP_PWD") == ""
        del world.table["ap_password_env"]
        assert world.signer().capabilities.needs_secret
        assert not world.signer(has_password=False).capabilities.needs_secret


def plain(content):
    """Return XML without white space between elements, and attributes in one order."""
    root = etree.fromstring(content, etree.XMLParser(remove_blank_text=True))
    return etree.tostring(root, method="c14n2", strip_text=True)


class TestText:
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("Tờ khai", "Tờ khai %%VC%%"),
            ("", "BHXH %%VC%%"),
            ("\x00\n\U0001f600", "BHXH %%VC%%"),
            ("a\r\n\tb\u202ec\ue000d", "a b c d %%VC%%"),
            ("x" * 100, "x" * 53 + " %%VC%%"),
            ("%%VC%%", "BHXH %%VC%%"),
            ("%%%%VC%%VC%%", "%% VC%% %%VC%%"),
            ("e\u0323\u0302", "ệ %%VC%%"),
        ],
    )
    def test_it_is_one_short_line_with_one_mark(self, canned, job, name, shown):
        world = canned(told("100"))
        world.begun([job(document_name=name)])
        assert world.message(SIGNATURE).findtext(f"{NS}DataToBeDisplayed") == shown

    def test_a_dialect_without_a_mark(self, canned, job):
        world = canned(told("100"))
        world.begun([job(document_name="x" * 100)], dialect_changes={"code_mark": ""})
        assert world.message(SIGNATURE).findtext(f"{NS}DataToBeDisplayed") == "x" * 60


class TestNumber:
    @pytest.mark.parametrize(
        "text", ["0900000000", "+84 900 000 000", "84900000000", "0084.900.000.000", "(0900) 000-000"]
    )
    def test_it_is_sent_in_its_international_form(self, world, job, text):
        world.begun([job()], msisdn=text)
        assert world.message(SIGNATURE).findtext(f".//{NS}MSISDN") == "84900000000"

    @pytest.mark.parametrize("text", ["", "abc", "0", "84", "8490000000012345", "٨٤٩٠٠٠٠٠٠٠٠"])
    def test_what_is_no_number_is_refused(self, world, text):
        with pytest.raises(InputError) as caught:
            world.signer(msisdn=text)
        assert (caught.value.code, caught.value.field) == ("remote.msisdn", "msisdn")

    def test_without_a_country_code_no_zero_is_replaced(self, make):
        with pytest.raises(InputError):
            make("etsi").signer(msisdn="0900000000")

    def test_a_dialect_may_want_a_plus(self, canned, job):
        world = canned(told("100"))
        world.begun([job()], dialect_changes={"number_plus": True})
        assert world.message(SIGNATURE).findtext(f".//{NS}MSISDN") == "+84900000000"


OUTCOMES = {
    "pending": "100 504",
    "done": "500 502",
    "declined": "401",
    "expired": "208 2081 2082",
    "failed": "405 423 424 503 505 780 900",
    "login": "104",
    "request": "101 102 103 107 108 109",
    "certificate": "425 501",
    "no_certificate": "404 407 422",
    "locked": "402 403",
    "busy": "406",
    "unreachable": "105 209",
}
NAMES = [
    "100",
    "REQUEST_OK",
    "500",
    "SIGNATURE",
    "501",
    "REVOKED_CERTIFICATE",
    "502",
    "VALID_SIGNATURE",
    "503",
    "INVALID_SIGNATURE",
    "504",
    "OUTSTANDING_TRANSACTION",
    "505",
    "CONSTRAINT_MISMATCH",
    "101",
    "WRONG_PARAM",
    "102",
    "MISSING_PARAM",
    "103",
    "WRONG_DATA_LENGTH",
    "104",
    "UNAUTHORIZED_ACCESS",
    "105",
    "UNKNOWN_CLIENT",
    "107",
    "INAPPROPRIATE_DATA",
    "108",
    "INCOMPATIBLE_INTERFACE",
    "109",
    "UNSUPPORTED_PROFILE",
    "208",
    "EXPIRED_TRANSACTION",
    "209",
    "OTA_ERROR",
    "401",
    "USER_CANCEL",
    "402",
    "PIN_NR_BLOCKED",
    "403",
    "CARD_BLOCKED",
    "404",
    "NO_KEY_FOUND",
    "405",
    "NO_CRL_FOUND",
    "406",
    "PB_SIGNATURE_PROCESS",
    "407",
    "REGISTRATION_ERROR",
    "422",
    "NO_CERT_FOUND",
    "425",
    "ERROR_CERTIFICATE",
    "780",
    "UNABLE_TO_PROVIDE_SERVICES",
    "900",
    "INTERNAL_ERROR",
]


def test_the_tables_are_those_of_the_standard():
    meanings = {**STATUSES, **FAULTS}
    told_here = {code: verdict for verdict, codes in OUTCOMES.items() for code in codes.split()}
    assert {code: meaning.verdict.value for code, meaning in meanings.items()} == told_here
    for code, name in zip(NAMES[::2], NAMES[1::2], strict=True):
        assert meanings[code].name == name


def test_what_may_be_about_the_query_itself_ends_no_signature():
    assert FAULTS.keys() - ENDING == {
        "101",
        "102",
        "103",
        "104",
        "105",
        "107",
        "108",
        "109",
        "406",
        "407",
        "780",
        "900",
    }


class TestCodes:
    """Every row of the tables, produced by the sandbox's service, ends in its typed error."""

    @staticmethod
    def judged(failure, code, meaning):
        kind = EXPECTED[meaning.verdict.value]
        assert type(failure) is kind
        assert failure.parameters["provider_code"] == code
        assert failure.parameters["provider_name"] == meaning.name
        assert failure.retry is kind.retry
        for language in ("vi", "en"):
            assert failure.message(language)
            assert failure.hint(language)

    @pytest.mark.parametrize("code", sorted(FAULTS.keys() - {"780", "900"}))
    def test_a_fault_of_the_signature_ends_it(self, world, job, code):
        signer = world.signer()
        certificate = world.certificate(signer)
        world.provider.plan(code)
        transaction = world.run(started(signer, [job()], certificate, world.person(), world.clock))
        self.judged(failure_of(transaction), code, FAULTS[code])

    @pytest.mark.parametrize("code", ["700", "750", "780", "799", "900"])
    def test_a_fault_that_does_not_say_whether_the_sim_was_asked_is_a_doubt(self, world, job, code):
        signer = world.signer()
        certificate = world.certificate(signer)
        world.provider.plan(code)
        with pytest.raises(UnknownOutcomeError):
            world.run(sign(signer, [job()], certificate, world.person(), world.clock))
        assert len(world.calls(SIGNATURE)) == 1

    def test_a_dialect_may_know_what_such_a_fault_means(self, canned, job):
        world = canned(fault("mss:_900"))
        transaction, _ = world.begun([job()], dialect_changes={"faults": {"900": "failed INTERNAL_ERROR"}})
        assert type(failure_of(transaction)) is remote_errors.ProviderFailedError

    @pytest.mark.parametrize("code", sorted(FAULTS))
    def test_a_fault_of_the_status_query_ends_what_it_can_only_be_about(self, world, job, code):
        transaction, signer = world.begun([job()])
        world.provider.plan(code)
        if code in ENDING:
            failure = failure_of(world.asked(transaction, signer))
        else:
            with pytest.raises(errors.SigningError) as caught:
                world.asked(transaction, signer)
            failure = caught.value
            assert failure.reference == transaction.transaction_id
        self.judged(failure, code, FAULTS[code])

    @pytest.mark.parametrize("code", sorted(STATUSES))
    def test_a_status(self, world, job, code):
        transaction, signer = world.begun([job()])
        world.provider.plan(code)
        meaning = STATUSES[code]
        if meaning.verdict.value == "done":
            with pytest.raises(SignatureMismatchError):  # done, without a value
                world.asked(transaction, signer)
            return
        after = world.asked(transaction, signer)
        if meaning.verdict.value == "pending":
            assert after.state is PENDING
        else:
            self.judged(failure_of(after), code, meaning)

    @pytest.mark.parametrize(("services", "code"), [([], b'"500"'), (None, b'"502"')])
    def test_both_codes_of_success(self, world, job, services, code):
        replies = []
        answer = world.provider.answer
        world.sender.provider = attrs.make_class("Spy", [])()
        type(world.sender.provider).answer = lambda _, request: replies.append(answer(request)) or replies[-1]
        changes = {} if services is None else {"dialect_changes": {"services": services}}
        assert world.signed([job()], **changes)
        assert code in replies[-1].body

    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (Answer.DECLINES, "401"),
            (Answer.IGNORES, "208"),
            (Answer.IS_UNREACHABLE, "209"),
            (Answer.HAS_LOCKED_PIN, "402"),
        ],
    )
    @pytest.mark.parametrize("changes", [{}, SYNCH], ids=["asynchronous", "synchronous"])
    def test_what_the_person_does(self, world, job, answer, code, changes):
        world.provider.desk.phone.next(answer)
        with pytest.raises(EXPECTED[FAULTS[code].verdict.value]) as caught:
            world.signed([job()], **changes)
        assert caught.value.parameters["provider_code"] == code
        assert world.most_sent == 1

    @pytest.mark.parametrize("code", ["208", "2081", "2082"])
    def test_208_is_expiry_and_not_a_refusal(self, world, job, code):
        transaction, signer = world.begun([job()])
        world.provider.plan(code)
        assert type(failure_of(world.asked(transaction, signer))) is SigningExpiredError

    def test_408_after_a_signature_is_no_signature(self, world, job):
        """A vendor's sample takes it for one; the standard says that somebody was registered."""
        assert "408" not in STATUSES
        signer = world.signer()
        certificate = world.certificate(signer)
        world.provider.plan("408")
        transaction = world.run(started(signer, [job()], certificate, world.person(), world.clock))
        assert transaction.state is AMBIGUOUS

    def test_408_of_a_status_query_leaves_it_open(self, world, job):
        transaction, signer = world.begun([job()])
        world.provider.plan("408")
        with pytest.raises(UnexpectedReplyError):
            world.asked(transaction, signer)
        assert world.asked(transaction, signer).state is DONE

    @pytest.mark.parametrize("code", ["700", "750", "799"])
    def test_routing_faults(self, world, code):
        world.provider.plan(code)
        with pytest.raises(remote_errors.SignerUnreachableError):
            world.run(world.signer().certificates())

    def test_unknown_codes(self):
        assert fault_meaning("999", {}) is None
        assert fault_meaning("", {}) is None
        assert fault_meaning("7", {}) is None

    def test_a_busy_sim_may_be_tried_again(self, world, job):
        world.provider.desk.phone.next(Answer.IGNORES)
        world.begun([job()])
        transaction, _ = world.begun([job("two")])
        failure = failure_of(transaction)
        assert type(failure) is ProviderBusyError
        assert failure.retry is Retry.NOW

    def test_a_dialect_may_read_a_code_differently(self, world, job):
        transaction, signer = world.begun([job()], dialect_changes={"faults": {"401": "failed ODD"}})
        world.provider.plan("401")
        failure = failure_of(world.asked(transaction, signer))
        assert (type(failure), failure.parameters["provider_name"]) == (
            remote_errors.ProviderFailedError,
            "ODD",
        )

    def test_a_dialect_may_add_a_status(self, canned, job):
        world = canned(told("590", 'MSSP_TransID="T1"'))
        transaction, _ = world.begun([job()], dialect_changes={"statuses": {"590": "declined NO"}})
        assert transaction.state is SigningState.DECLINED


class TestDoubts:
    """A call that may have rung a phone is never sent again, and nothing is guessed."""

    @pytest.mark.parametrize("changes", [{}, SYNCH], ids=["asynchronous", "synchronous"])
    def test_a_lost_answer_is_ambiguous_because_the_id_comes_only_in_it(self, world, job, changes):
        signer = world.signer(**changes)
        certificate = world.certificate(signer)
        world.sender.plan.append("lost")
        with pytest.raises(UnknownOutcomeError):
            world.run(sign(signer, [job()], certificate, world.person(), world.clock))
        assert world.most_sent == 1
        assert len(world.provider.desk.phone.rings) == 1

    def test_an_intent_is_kept_before_the_phone_rings(self, world, job):
        kept = []

        async def note(transaction):
            kept.append((transaction.state, len(world.provider.desk.phone.rings)))

        world.begun([job()], note=note)
        assert kept == [(SigningState.INTENDED, 0)]

    def test_an_intent_alone_is_ambiguous_afterwards(self, world, job):
        kept = []

        async def note(transaction):
            kept.append(transaction)

        _, signer = world.begun([job()], note=note)
        assert world.asked(kept[0], signer).state is AMBIGUOUS

    @pytest.mark.parametrize(
        ("mischief", "rings"),
        [
            (Mischief.PAGE_AFTER, 1),
            (Mischief.ERROR_AFTER, 1),
            (Mischief.PAGE, 0),
            (Mischief.ERROR_BEFORE, 0),
        ],
    )
    def test_an_odd_answer_to_a_signature_is_ambiguous(self, world, job, mischief, rings):
        signer = world.signer()
        certificate = world.certificate(signer)
        world.provider.desk.misbehave(mischief)
        transaction = world.run(started(signer, [job()], certificate, world.person(), world.clock))
        assert transaction.state is AMBIGUOUS
        assert len(world.provider.desk.phone.rings) == rings

    @pytest.mark.parametrize("mischief", [Mischief.PAGE, Mischief.ERROR_BEFORE])
    def test_an_odd_answer_to_a_question_leaves_it_open(self, world, job, mischief):
        transaction, signer = world.begun([job()])
        world.provider.desk.misbehave(mischief)
        with pytest.raises(UnexpectedReplyError):
            world.asked(transaction, signer)
        assert world.asked(transaction, signer).state is DONE

    def test_a_query_that_the_service_does_not_know_proves_nothing(self, world, job):
        transaction, signer = world.begun([job()])
        odd = attrs.evolve(transaction, provider_id="nobody's")
        with pytest.raises(remote_errors.ProviderRequestError):
            world.asked(odd, signer)

    def test_a_silent_person_is_waited_for_until_the_deadline(self, world, job):
        world.provider.desk.phone.next(Answer.CONFIRMS_LATE)
        with pytest.raises((StillWaitingError, SigningExpiredError)):
            world.signed([job()])

    @pytest.mark.parametrize(
        "answer",
        [
            told("100", ""),
            told("504", ""),
            told("999"),
            told(""),
            told("500", status=500),
            told("100", name="MSS_StatusResp"),
            fault("mss:_999"),
            fault("mss:_999", 400),
            fault("mss:_408", 400),
            fault("env:Sender"),
            fault("env:Sender", 400),
            fault("env:Sender", 408),
            told("100", inside='<m:AP_Info AP_TransID="Aother"/>'),
        ],
    )
    def test_an_answer_that_is_not_clear_is_a_doubt(self, canned, job, answer):
        transaction, _ = canned(answer).begun([job()])
        assert transaction.state is AMBIGUOUS

    def test_an_unknown_fault_with_a_status_of_4xx_is_a_request_that_was_not_taken(self, canned):
        world = canned(fault("mss:_999", 400))
        with pytest.raises(remote_errors.ProviderRequestError) as caught:
            world.run(world.signer(dialect_changes={"registers_first": True}).certificates())
        assert caught.value.parameters["provider_code"] == "999"

    @pytest.mark.parametrize("answer", [fault("mss:_999"), fault("env:Sender")])
    def test_an_unknown_fault_of_a_question_leaves_it_open(self, canned, job, answer):
        world = canned(told("100"), answer, told("504", name="MSS_StatusResp"))
        transaction, signer = world.begun([job()])
        with pytest.raises(UnexpectedReplyError):
            world.asked(transaction, signer)
        assert world.asked(transaction, signer).state is PENDING

    def test_an_answer_about_another_transaction_is_none(self, canned, job):
        world = canned(told("100"), told("500", 'MSSP_TransID="T2"', name="MSS_StatusResp"))
        transaction, signer = world.begun([job()])
        with pytest.raises(UnexpectedReplyError):
            world.asked(transaction, signer)

    def test_a_status_without_a_status(self, canned, job):
        empty = HEAD.format(name="MSS_SignatureResp", more="") + TAIL.format(name="MSS_SignatureResp")
        transaction, _ = canned((200, empty)).begun([job()])
        assert transaction.state is AMBIGUOUS


class TestValues:
    @pytest.mark.parametrize(
        ("mischief", "error"),
        [
            (Mischief.WRONG_SIGNATURE, SignatureMismatchError),
            (Mischief.MISSING, SignatureMismatchError),
            (Mischief.DOUBLED, SignatureMismatchError),
            (Mischief.NOT_BASE64, SignatureMismatchError),
            (Mischief.FAILS, remote_errors.ProviderFailedError),
            (Mischief.REVOKED, errors.CertificateUnusableError),
        ],
    )
    def test_a_wrong_value_is_never_used(self, world, job, mischief, error):
        signer = world.signer()
        certificate = world.certificate(signer)
        world.provider.desk.misbehave(mischief)
        with pytest.raises(error):
            world.run(sign(signer, [job()], certificate, world.person(), world.clock))
        assert world.most_sent == 1

    def test_a_foreign_id_is_another_transaction(self, world, job):
        transaction, signer = world.begun([job()])
        world.provider.desk.misbehave(Mischief.FOREIGN_ID)
        with pytest.raises(UnexpectedReplyError):
            world.asked(transaction, signer)
        assert world.asked(transaction, signer).state is DONE

    def test_line_ends_inside_base64(self, world, job):
        transaction, signer = world.begun([job()])
        world.provider.desk.misbehave(Mischief.LINE_ENDS)
        assert len(world.asked(transaction, signer).signatures["one"]) == 256

    @pytest.mark.parametrize(
        ("mischief", "error"),
        [(Mischief.BUSY, ProviderBusyError), (Mischief.INTERNAL, UnknownOutcomeError)],
    )
    def test_refusals_before_the_phone_rings(self, world, job, mischief, error):
        signer = world.signer()
        certificate = world.certificate(signer)
        world.provider.desk.misbehave(mischief)
        transaction = world.run(started(signer, [job()], certificate, world.person(), world.clock))
        assert type(failure_of(transaction)) is error
        assert world.provider.desk.phone.rings == []

    def test_an_answer_may_come_without_an_element_around_it(self, canned, job):
        status, text = told("100")
        bare = text.replace("<Any>", "").replace("</Any>", "")
        transaction, _ = canned((status, bare)).begun([job()])
        assert (transaction.state, transaction.provider_id) == (PENDING, "T1")


class TestPassword:
    def test_a_wrong_one_is_sent_once(self, world, job):
        signer = world.signer(secrets={"ap_password": Secret("canary-wrong")})
        for expected in (ProviderLoginError, remote_errors.ConfirmationSecretError):
            with pytest.raises(expected):
                world.run(signer.certificates())
        assert len(world.sender.requests) == 1

    def test_a_wrong_one_at_the_signature(self, world, job):
        signer = world.signer(secrets={"ap_password": Secret("canary-wrong")}, **LATE)
        transaction, _ = world.begun([job()], signer)
        assert type(failure_of(transaction)) is ProviderLoginError
        with pytest.raises(remote_errors.ConfirmationSecretError):
            world.begun([job()], signer)

    def test_a_client_certificate_that_is_refused_without_any_password(self, canned, job):
        transaction, _ = canned(fault("mss:_104")).begun([job()], has_password=False, secrets={})
        assert type(failure_of(transaction)) is ProviderLoginError

    def test_it_is_asked_for_once(self, world, job):
        del world.table["ap_password_env"]
        signer = world.signer(secrets={})
        person = world.person("sandbox-ap-password")
        certificate = world.run(signer.certificates_with(person))[0]
        world.run(sign(signer, [job()], certificate, person, world.clock))
        assert [question.purpose for question in person.asked] == ["remote_ap_password"]

    def test_it_is_in_no_transaction_and_no_text(self, canned, job):
        secret = "canary-ap-password"
        world = canned(told("503", detail=f"<m:x>{secret}</m:x>"), (500, fault("mss:_104")[1]))
        _, answer = fault("mss:_401")
        shown = answer.replace(
            "</env:Code>", f"</env:Code><env:Reason><env:Text>{secret}</env:Text></env:Reason>"
        )
        world.sender.provider.answers.insert(0, (500, shown))
        signer = world.signer(secrets={"ap_password": Secret(secret)})
        transaction, _ = world.begun([job()], signer)
        assert transaction.reason == "***"
        assert secret not in repr(transaction) + str(failure_of(transaction)) + repr(world.sender.requests)
        assert all(secret not in request.url for request in world.sender.requests)


class TestProfile:
    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"mode": "asynchServerServer"}, "dialect_changes.mode"),
            ({"data": "hex"}, "dialect_changes.data"),
            ({"hash_names": ["md5"]}, "dialect_changes.hash_names"),
            ({"faults": {"401": "nonsense"}}, "dialect_changes.faults.401"),
        ],
    )
    def test_a_member_that_cannot_be_is_named(self, world, changes, field):
        with pytest.raises(UnknownCodeError) as caught:
            world.signer(dialect_changes=changes)
        assert caught.value.field == field

    def test_the_plain_standard_names_no_signature_profile(self, make):
        world = make("etsi")
        world.table.pop("dialect_changes")
        with pytest.raises(InputError) as caught:
            world.signer()
        assert caught.value.field == "dialect_changes.signature_profile"

    def test_every_dialect_says_how_sure_it_is(self):
        assert dialect_names("mss") == ("etsi", "ficom", "kiuru", "vn")
