"""The sandbox's SIM service demands what the interface demands, and says no in the interface's own form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from lxml import etree

from bhxh_sdk.ports import Request
from bhxh_sdk.sandbox.clock import VirtualClock
from bhxh_sdk.sandbox.pki import SandboxPki
from bhxh_sdk.sandbox.remote import Answer, Mischief
from bhxh_sdk.sandbox.remote.mss import MssProvider
from bhxh_sdk.signers.remote.soap import Fault, opened

NOW = datetime(2026, 9, 1, 3, 0, tzinfo=UTC)
URL = "https://mssp.example/soap/services/"
ENV = "{http://www.w3.org/2003/05/soap-envelope}"
NS = "{http://uri.etsi.org/TS102204/v1.1.2#}"
DATA = "MDEwDQYJYIZIAWUDBAIBBQAEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

ABOUT = """<mss:AP_Info AP_ID="http://ap.example.com/sandbox" AP_TransID="A0001" AP_PWD="sandbox-ap-password"
 Instant="2026-01-01T00:00:00.000Z"/><mss:MSSP_Info><mss:MSSP_ID/></mss:MSSP_Info>"""
USER = "<mss:MobileUser><mss:MSISDN>84900000000</mss:MSISDN></mss:MobileUser>"
HEAD = '<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Body>'
TAIL = "</env:Body></env:Envelope>"
XMLNS = 'xmlns:mss="http://uri.etsi.org/TS102204/v1.1.2#" MajorVersion="1" MinorVersion="1"'
SIGNATURE = f"""{HEAD}<MSS_Signature><mss:MSS_SignatureReq {XMLNS} MessagingMode="asynchClientServer"
 TimeOut="300">{ABOUT}{USER}<mss:DataToBeSigned MimeType="application/octet-stream" Encoding="base64">{DATA}
</mss:DataToBeSigned><mss:DataToBeDisplayed>Dang ky BHXH %%VC%%</mss:DataToBeDisplayed>
<mss:SignatureProfile><mss:mssURI>http://mobile-id.vn/digitalSignature</mss:mssURI></mss:SignatureProfile>
<mss:MSS_Format><mss:mssURI>http://uri.etsi.org/TS102204/v1.1.2#PKCS1</mss:mssURI></mss:MSS_Format>
</mss:MSS_SignatureReq></MSS_Signature>{TAIL}"""
QUERY = (
    f'{HEAD}<MSS_StatusQuery><mss:MSS_StatusReq {XMLNS} MSSP_TransID="T1">{ABOUT}</mss:MSS_StatusReq>'
    f"</MSS_StatusQuery>{TAIL}"
)
REGISTRATION = (
    f"{HEAD}<MSS_Registration><mss:MSS_RegistrationReq {XMLNS}>{ABOUT}{USER}</mss:MSS_RegistrationReq>"
    f"</MSS_Registration>{TAIL}"
)


@attrs.define
class Caller:
    """Sends messages written by hand, as a client that others wrote does."""

    provider: MssProvider
    clock: VirtualClock

    def send(self, operation, body, **changes):
        headers = {
            "Content-Type": "application/soap+xml; charset=UTF-8",
            "SOAPAction": f'"#{operation}"',
            **changes,
        }
        url = f"{URL}{operation}Port"
        request = Request(method="POST", url=url, headers=tuple(headers.items()), body=body.encode())
        return self.provider.answer(request)

    def refusal(self, operation, body, **changes):
        reply = self.send(operation, body, **changes)
        fault = opened(reply.body)
        assert isinstance(fault, Fault)
        assert reply.status == 500
        return fault.code

    def query(self, name):
        return self.send("MSS_StatusQuery", QUERY.replace('"T1"', f'"{name}"'))


@pytest.fixture
def caller():
    clock = VirtualClock(NOW, seed=3)
    provider = MssProvider(clock)
    provider.add(SandboxPki(NOW).issue())
    return Caller(provider, clock)


def status(reply):
    return etree.fromstring(reply.body).find(f".//{NS}StatusCode").get("Value")


def test_the_captured_wire_form_is_taken(caller):
    """100, 504, 500: as an open-source client saw it with a small service."""
    caller.provider.desk.phone.takes = timedelta(seconds=4)
    reply = caller.send("MSS_Signature", SIGNATURE)
    message = etree.fromstring(reply.body)[0][0][0]
    assert (reply.status, status(reply)) == (200, "100")
    assert etree.fromstring(reply.body)[0][0].tag == "MSS_SignatureResponse"
    assert status(caller.query(message.get("MSSP_TransID"))) == "504"
    caller.clock.advance(timedelta(seconds=4))
    done = caller.query(message.get("MSSP_TransID"))
    assert status(done) == "500"
    assert etree.fromstring(done.body).findtext(f".//{NS}Base64Signature")
    assert caller.provider.desk.accepted == (bytes(32),)
    assert caller.provider.desk.phone.rings[0].shown == "Dang ky BHXH 0000"


def test_a_synchronous_call_lasts_until_the_person_has_answered(caller):
    caller.provider.desk.phone.takes = timedelta(seconds=40)
    reply = caller.send("MSS_Signature", SIGNATURE.replace("asynchClientServer", "synch"))
    assert status(reply) == "500"
    assert caller.clock.now() - NOW == timedelta(seconds=40)


def test_a_refusal_is_a_fault_with_a_number_in_the_services_namespace(caller):
    caller.provider.desk.phone.next(Answer.DECLINES)
    reply = caller.send("MSS_Signature", SIGNATURE.replace("asynchClientServer", "synch"))
    fault = etree.fromstring(reply.body).find(f".//{ENV}Fault")
    assert reply.status == 500
    assert fault.findtext(f"{ENV}Code/{ENV}Value") == "env:Receiver"
    value = fault.find(f"{ENV}Code/{ENV}Subcode/{ENV}Value")
    assert value.text == "mss:_401"
    assert value.nsmap["mss"] == NS.strip("{}")


def test_a_registration_query_tells_the_certificate(caller):
    reply = caller.send("MSS_Registration", REGISTRATION)
    assert status(reply) == "408"
    assert etree.fromstring(reply.body).findtext(f".//{NS}CertificateResponse/{NS}X509Certificate")


WRONG = {
    "version": ('MajorVersion="1"', 'MajorVersion="2"', "108"),
    "no mode": ('MessagingMode="asynchClientServer"', "", "102"),
    "server mode": ("asynchClientServer", "asynchServerServer", "101"),
    "no time": ('TimeOut="300"', "", "102"),
    "milliseconds": ('TimeOut="300"', 'TimeOut="300000"', "101"),
    "no password": ("sandbox-ap-password", "", "102"),
    "wrong password": ("sandbox-ap-password", "other", "104"),
    "name begins with a digit": ('"A0001"', '"0001"', "101"),
    "instant": ("00:00:00.000Z", "00:00:00", "101"),
    "no service": ("<mss:MSSP_ID/>", "", "102"),
    "no number": (USER, "", "102"),
    "number with a plus": ("84900000000", "+84900000000", "101"),
    "number of nobody": ("84900000000", "84911111111", "105"),
    "type": ("application/octet-stream", "text/plain", "101"),
    "no base64": (DATA, "*", "107"),
    "a bare digest": (DATA, "A" * 43 + "=", "103"),
    "profile": ("digitalSignature", "other", "109"),
    "format": ("#PKCS1", "#PKCS7", "109"),
    "qualified wrapper": ("MSS_Signature>", "env:MSS_Signature>", "108"),
    "empty wrapper": (SIGNATURE, f"{HEAD}<MSS_Signature/>{TAIL}", "108"),
    "another message": ("MSS_SignatureReq", "MSS_StatusReq", "108"),
    "a fault": (SIGNATURE, f"{HEAD}<env:Fault/>{TAIL}", "108"),
    "no message": (SIGNATURE, "<a/>", "101"),
    "order": (ABOUT + USER, USER + ABOUT, "101"),
    "namespace": ("<mss:MSSP_ID/>", '<MSSP_ID xmlns="urn:x"/>', "101"),
}


@pytest.mark.parametrize(("old", "new", "code"), WRONG.values(), ids=WRONG)
def test_what_the_interface_demands(caller, old, new, code):
    assert old in SIGNATURE
    assert caller.refusal("MSS_Signature", SIGNATURE.replace(old, new)) == code
    assert caller.provider.desk.phone.rings == []


@pytest.mark.parametrize("changes", [{"SOAPAction": "#MSS_Signature"}, {"Content-Type": "text/xml"}])
def test_the_headers_it_demands(caller, changes):
    assert caller.refusal("MSS_Signature", SIGNATURE, **changes) == "108"


def test_other_addresses_and_methods_are_pages(caller):
    for method, port in (("GET", "MSS_SignaturePort"), ("POST", "MSS_ReceiptPort")):
        reply = caller.provider.answer(Request(method=method, url=URL + port))
        assert (reply.status, reply.header("content-type")) == (404, "text/html")


def test_a_query_of_another_client_tells_nothing(caller):
    reply = caller.send("MSS_Signature", SIGNATURE)
    name = etree.fromstring(reply.body)[0][0][0].get("MSSP_TransID")
    other = QUERY.replace('"T1"', f'"{name}"').replace("A0001", "A0002")
    assert caller.refusal("MSS_StatusQuery", other) == "101"
    assert caller.refusal("MSS_StatusQuery", QUERY) == "101"


def test_one_signature_at_a_time(caller):
    caller.provider.desk.phone.next(Answer.IGNORES)
    caller.send("MSS_Signature", SIGNATURE)
    assert caller.refusal("MSS_Signature", SIGNATURE) == "406"
    caller.clock.advance(timedelta(seconds=301))
    assert status(caller.send("MSS_Signature", SIGNATURE)) == "100"


def test_the_time_is_that_of_the_request(caller):
    caller.provider.desk.phone.next(Answer.IGNORES)
    reply = caller.send("MSS_Signature", SIGNATURE.replace('TimeOut="300"', 'TimeOut="20"'))
    name = etree.fromstring(reply.body)[0][0][0].get("MSSP_TransID")
    caller.clock.advance(timedelta(seconds=20))
    assert opened(caller.query(name).body).code == "208"


@pytest.mark.parametrize("mischief", [Mischief.PAGE, Mischief.ERROR_BEFORE])
def test_pages_and_errors_as_planned(caller, mischief):
    caller.provider.desk.misbehave(mischief)
    reply = caller.send("MSS_Registration", REGISTRATION)
    assert reply.header("content-type").startswith("text/")
    assert status(caller.send("MSS_Registration", REGISTRATION)) == "408"
