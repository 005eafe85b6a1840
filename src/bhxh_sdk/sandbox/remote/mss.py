"""A SIM signing service (ETSI TS 102 204) to try everything on: signature, status query, registration.

It demands the wire form that was captured from an open-source client, down to the order of the elements. How
its code to compare is made, and what it calls the elements below `StatusDetail`, is invented: nobody has told
how real services do it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bhxh_sdk.sandbox.remote.desk import DeskState, Mischief, SigningDesk
from bhxh_sdk.sandbox.remote.mss_wire import (
    ACTIONS,
    Asked,
    FaultError,
    fault_reply,
    message_reply,
    read,
)
from bhxh_sdk.sandbox.remote.phone import SandboxPhone
from bhxh_sdk.sandbox.remote.provider import page_reply, planned_reply, text_base64
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.contract import HashName
from bhxh_sdk.signers.remote.soap import Part
from bhxh_sdk.signers.values import digest_info

if TYPE_CHECKING:
    from bhxh_sdk.ports import Reply, Request
    from bhxh_sdk.sandbox.clock import VirtualClock
    from bhxh_sdk.sandbox.pki import SandboxCertificate
    from bhxh_sdk.sandbox.remote.desk import Credential, Transaction

__all__ = ["MssProvider"]

_NUMBER = "84900000000"
_AP_ID = "http://ap.example.com/sandbox"
_AP_PASSWORD = "sandbox-ap-password"  # invented, and known to everybody
_VN = "http://mobile-id.vn/MSSP/v1.0.0#"
_ETSI = "http://uri.etsi.org/TS102204/v1.1.2#"
_PROFILES = {
    "vn": ("http://mobile-id.vn/digitalSignature", f"{_ETSI}PKCS1"),
    "etsi": ("http://profiles.example.com/digitalSignature", f"{_ETSI}PKCS1"),
    "ficom": ("http://alauda.mobi/digitalSignature", "http://mss.ficom.fi/TS102204/v1.0.0#PKCS1"),
    "kiuru": ("http://alauda.mobi/digitalSignature", "http://www.methics.fi/KiuruMSSP/v3.2.0#PKCS1"),
}
_STATUSES = frozenset({"100", "408", "500", "501", "502", "503", "504", "505"})
_LENGTHS = {HashName.SHA256: 32, HashName.SHA384: 48, HashName.SHA512: 64}
_LONGEST_SECONDS = 600
_SECOND = timedelta(seconds=1)
_FAULTS = {
    DeskState.DECLINED: "401",
    DeskState.EXPIRED: "208",
    DeskState.UNREACHABLE: "209",
    DeskState.LOCKED: "402",
}


class MssProvider:
    """A SIM signing service.

    Args:
        clock: the time that it lives in; a synchronous signature moves it on until the person has answered.
        dialect: `vn`, `etsi`, `ficom` or `kiuru`.
        phone: the phone with the SIM.
        signing: how long signing takes once the person has confirmed.

    Attributes:
        desk: its transactions.
        registered_number: the SIM's number.
        tells_code: whether the code to compare is told to us too, and not on the phone alone.
        tells_certificate: whether the certificate comes with a signature that asks for it.
        names: every `AP_TransID` that was sent with a signature.

    """

    def __init__(
        self,
        clock: VirtualClock,
        dialect: str = "vn",
        *,
        phone: SandboxPhone | None = None,
        signing: timedelta = timedelta(),
    ) -> None:
        self.desk = SigningDesk(clock, phone or SandboxPhone(), signing=signing)
        self.registered_number = _NUMBER
        self.tells_code = True
        self.tells_certificate = True
        self.names: list[str] = []
        self._dialect = dialect
        self._clock = clock
        self._planned: deque[str] = deque()
        self._asked: dict[str, Asked] = {}

    def add(self, issued: SandboxCertificate) -> Credential:
        """Keep the key of the SIM.

        Args:
            issued: certificate, chain and private key.

        """
        return self.desk.add(self.registered_number, issued)

    def plan(self, *codes: str) -> None:
        """Answer the next requests with these status codes or faults, before anything else happens."""
        self._planned.extend(codes)

    @property
    def environment(self) -> dict[str, str]:
        """The secrets as environment variables, by the names that `profile_table` uses."""
        return {"AP_PASSWORD": _AP_PASSWORD}

    @property
    def secrets(self) -> dict[str, Secret]:
        """The secrets by their names in a profile."""
        return {"ap_password": Secret(_AP_PASSWORD)}

    def profile_table(self, base_url: str) -> dict[str, Any]:
        """Return a profile for this service.

        Args:
            base_url: where it is served.

        """
        table: dict[str, Any] = {
            "kind": "mss",
            "dialect": self._dialect,
            "base_url": f"{base_url}/soap/services",
            "ap_id": _AP_ID,
            "msisdn": self.registered_number,
            "ap_password_env": "AP_PASSWORD",
        }
        if self._dialect == "etsi":
            table["dialect_changes"] = {"signature_profile": _PROFILES["etsi"][0]}
        return table

    def answer(self, request: Request) -> Reply:
        """Answer one request."""
        operation = ACTIONS.get(request.url.rpartition("/")[2])
        if operation is None or request.method != "POST":
            return page_reply(404)
        if odd := planned_reply(self.desk, after=False):
            return odd
        try:
            asked = read(request, operation)
            self._demand_account(asked)
            return self._planned_answer(asked) or _ANSWERS[operation](self, asked)
        except FaultError as fault:
            return fault_reply(fault.code, fault.text)

    def _planned_answer(self, asked: Asked) -> Reply | None:
        if self.desk.takes(Mischief.INTERNAL):
            raise FaultError("900", "INTERNAL_ERROR")
        if not self._planned:
            return None
        code = self._planned.popleft()
        if code not in _STATUSES:
            raise FaultError(code, f"planned {code}")
        name = asked.message.get("MSSP_TransID") or self.desk.new_id()
        return message_reply(asked, code, provider_id=name)

    def _demand_account(self, asked: Asked) -> None:
        if (asked.about("AP_ID"), asked.about("AP_PWD")) != (_AP_ID, _AP_PASSWORD):
            raise FaultError("104", "UNAUTHORIZED_ACCESS")

    def _credential(self, asked: Asked) -> Credential:
        number = asked.text("MobileUser", "MSISDN")
        if not re.fullmatch(r"[1-9][0-9]{7,14}", number):
            raise FaultError("101", "MSISDN")
        if number not in self.desk.credentials:
            raise FaultError("105", "UNKNOWN_CLIENT")
        return self.desk.credentials[number]

    def _registration(self, asked: Asked) -> Reply:
        """Tell the certificate of a number."""
        credential = self._credential(asked)
        text = text_base64(credential.issued.der, self.desk)
        found = Part("X509Certificate", _ETSI, text=text)
        return message_reply(asked, "408", extra=(Part("CertificateResponse", _ETSI, parts=(found,)),))

    def _signature(self, asked: Asked) -> Reply:
        """Let the phone ring, and wait for the person where that was asked for."""
        transaction = self._begun(asked)
        if odd := planned_reply(self.desk, after=True):
            return odd
        if asked.message.get("MessagingMode") == "asynchClientServer":
            return message_reply(
                asked, "100", provider_id=transaction.name, detail=self._code(transaction, asked)
            )
        while self.desk.state(transaction) in {DeskState.WAITING, DeskState.CONFIRMED}:
            self._clock.advance(_SECOND)
        return self._told(transaction, asked)

    def _begun(self, asked: Asked) -> Transaction:
        credential = self._credential(asked)
        self._demand_profile(asked)
        seconds = asked.message.get("TimeOut")
        if not seconds.isdecimal() or not 1 <= int(seconds) <= _LONGEST_SECONDS:
            raise FaultError("101", "TimeOut")
        digest, hash_name = _to_sign(asked)
        waiting = (self.desk.state(item) for item in self.desk.transactions.values())
        if DeskState.WAITING in waiting or self.desk.takes(Mischief.BUSY):
            raise FaultError("406", "PB_SIGNATURE_PROCESS")
        code, shown = _code_of(digest), asked.text("DataToBeDisplayed")
        transaction = self.desk.begin(
            credential, [("1", digest)], hash_name=hash_name, shown=[shown.replace("%%VC%%", code)]
        )
        transaction.ends = transaction.begun + timedelta(seconds=int(seconds))
        self._asked[transaction.name] = asked
        self.names.append(asked.about("AP_TransID"))
        return transaction

    def _demand_profile(self, asked: Asked) -> None:
        told = asked.text("SignatureProfile", "mssURI"), asked.text("MSS_Format", "mssURI")
        if told != _PROFILES[self._dialect]:
            raise FaultError("109", "UNSUPPORTED_PROFILE")

    def _status(self, asked: Asked) -> Reply:
        """Tell how a transaction stands."""
        name = asked.message.get("MSSP_TransID")
        if name not in self.desk.transactions:
            raise FaultError("101", "MSSP_TransID")
        if asked.about("AP_TransID") != self._asked[name].about("AP_TransID"):
            raise FaultError("101", "AP_TransID")
        transaction = self.desk.transactions[name]
        if self.desk.state(transaction) in {DeskState.WAITING, DeskState.CONFIRMED}:
            detail = self._code(transaction, self._asked[name])
            return message_reply(asked, "504", provider_id=name, detail=detail)
        return self._told(transaction, asked)

    def _told(self, transaction: Transaction, asked: Asked) -> Reply:
        """Answer about a transaction that has ended."""
        state, name = self.desk.state(transaction), transaction.name
        if state in _FAULTS:
            raise FaultError(_FAULTS[state], state.value)
        if state is DeskState.FAILED:
            return message_reply(asked, "503", provider_id=name)
        if self.desk.takes(Mischief.REVOKED):
            return message_reply(asked, "501", provider_id=name)
        pairs = self.desk.signed(transaction)
        values = [Part("Base64Signature", _ETSI, text=text_base64(value, self.desk)) for _, value in pairs]
        is_foreign = any(document == "of-somebody-else" for document, _ in pairs)
        first = self._asked[name]
        return message_reply(
            asked,
            "502" if f"{_VN}signatureValidation" in first.services else "500",
            provider_id="of-somebody-else" if is_foreign else name,
            extra=(Part("MSS_Signature", _ETSI, parts=tuple(values)),),
            detail=(*self._code(transaction, first), *self._certificate(transaction, first)),
        )

    def _code(self, transaction: Transaction, asked: Asked) -> tuple[Part, ...]:
        if not self.tells_code or "%%VC%%" not in asked.text("DataToBeDisplayed"):
            return ()
        return (Part("VerificationCode", _VN, text=_code_of(transaction.documents[0][1])),)

    def _certificate(self, transaction: Transaction, asked: Asked) -> tuple[Part, ...]:
        if not self.tells_certificate or f"{_VN}signingCertificate" not in asked.services:
            return ()
        chain = reversed(transaction.credential.chain)  # the signer's own comes last here
        texts = [Part("X509Certificate", _VN, text=base64.b64encode(der).decode()) for der in chain]
        return (Part("signingCertificate", _VN, parts=tuple(texts)),)


_ANSWERS = {
    "MSS_Signature": MssProvider._signature,  # noqa: SLF001  # a table of this class's own methods
    "MSS_StatusQuery": MssProvider._status,  # noqa: SLF001  # as above
    "MSS_Registration": MssProvider._registration,  # noqa: SLF001  # as above
}


def _to_sign(asked: Asked) -> tuple[bytes, HashName]:
    """Return the digest in `DataToBeSigned`, and the function that made it."""
    part = asked.message.first("DataToBeSigned")
    described = part and (part.get("MimeType"), part.get("Encoding"))
    if part is None or described != ("application/octet-stream", "base64"):
        raise FaultError("101", "DataToBeSigned")
    try:
        data = base64.b64decode(part.text, validate=True)
    except binascii.Error:
        raise FaultError("107", "INAPPROPRIATE_DATA") from None
    for hash_name, length in _LENGTHS.items():
        start = digest_info(b"", hash_name)
        if data.startswith(start) and len(data) == len(start) + length:
            return data[len(start) :], hash_name
    raise FaultError("103", "WRONG_DATA_LENGTH")


def _code_of(digest: bytes) -> str:
    """Return the code that phone and client show: four digits, in a way that is this sandbox's own."""
    return f"{int.from_bytes(digest[-2:], 'big') % 10_000:04d}"
