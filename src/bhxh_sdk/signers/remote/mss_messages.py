"""The messages of ETSI TS 102 204: what we say, and what a SIM service says, as plain values.

The wire form was captured from an open-source client; what differs between services is a member of `Dialect`.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Mapping  # noqa: TC003  # the dialect's types are read at run time
from datetime import UTC
from typing import TYPE_CHECKING

from attrs import field, frozen

from bhxh_sdk.errors import InputError
from bhxh_sdk.signers.contract import HashName
from bhxh_sdk.signers.remote.profile import one_of
from bhxh_sdk.signers.remote.soap import Part
from bhxh_sdk.signers.values import digest_info

if TYPE_CHECKING:
    from datetime import datetime

    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.contract import SigningJob

__all__ = ["ASYNCHRONOUS", "SYNCHRONOUS", "Dialect", "Settings", "Writer", "number_of"]

SYNCHRONOUS, ASYNCHRONOUS = "synch", "asynchClientServer"

_DATA = ("digest_info", "digest")
_SHORTEST_NUMBER, _LONGEST_NUMBER = 8, 15  # ITU-T E.164 allows fifteen digits
_NOT_SHOWN = re.compile(r"[^ -\ud7ff\uf900-\ufffd]|[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")


@frozen(kw_only=True)
class Settings:
    """What a profile says of our account and the SIM.

    Args:
        base_url: the folder of the service's ports, such as `https://mssp.example/soap/services`.
        ap_id: our name as an application provider, often a URI.
        msisdn: the SIM's telephone number, with or without country code.
        mssp_id: the service's own URI; empty to leave it out.
        has_password: whether `AP_PWD` is sent; the secret `ap_password`. Where false, the client certificate
            alone says who we are.
        certificate_pem: the SIM's certificate where it is known before; PEM, or its base64 alone. It goes
            before a question to the service.
        display_text: what the phone shows of a document without a name.
        signature_url: the complete address where it is not the port below `base_url`.
        status_url: likewise.
        registration_url: likewise.

    """

    base_url: str
    ap_id: str
    msisdn: str
    mssp_id: str = ""
    has_password: bool = True
    certificate_pem: str = ""
    display_text: str = "BHXH"
    signature_url: str = ""
    status_url: str = ""
    registration_url: str = ""


@frozen(kw_only=True)
class Dialect:
    """How one SIM service differs from others.

    Args:
        certainty: how its members are known.
        namespace: of every message.
        mode: `synch`: one call lasts until the person has answered; `asynchClientServer`: we ask again.
        signature_port: the last part of the address.
        status_port: likewise.
        registration_port: likewise.
        signature_profile: URI of the kind of signature.
        signature_format: URI of its form; the value must be bare PKCS#1.
        services: URIs of what else is asked for, such as the certificate.
        registers_first: whether a registration request with only the number brings the certificate.
        registered_statuses: the codes of its success.
        data: `digest_info` (DER) or `digest`: what `DataToBeSigned` holds in base64.
        hash_names: the hash functions that may be asked for.
        country_code: put in place of a leading 0; empty where numbers are always written with it.
        number_plus: whether numbers are sent with a leading `+`.
        code_mark: what the SIM replaces by the code to compare; empty for nothing.
        display_characters: the longest text for the phone, the mark included.
        timeout_seconds: how long the person has.
        extra_seconds: how much longer a synchronous call may take.
        poll_seconds: the pause between two questions.
        transaction_prefix: begins `AP_TransID`, which must not begin with a digit.
        code_elements: elements below `StatusDetail` that hold the code to compare, where there are any.
        statuses: what differs from the standard's codes: a verdict and, after a blank, a name.
        faults: likewise.

    """

    certainty: str
    namespace: str
    mode: str
    signature_port: str
    status_port: str
    registration_port: str
    signature_profile: str
    signature_format: str
    services: tuple[str, ...]
    registers_first: bool
    registered_statuses: tuple[str, ...]
    data: str
    hash_names: tuple[str, ...]
    country_code: str
    code_mark: str
    timeout_seconds: int
    poll_seconds: float
    number_plus: bool = False
    display_characters: int = 60
    extra_seconds: int = 5
    transaction_prefix: str = "A"
    code_elements: tuple[str, ...] = ("VerificationCode",)
    statuses: Mapping[str, str] = field(factory=dict, hash=False)
    faults: Mapping[str, str] = field(factory=dict, hash=False)

    def checked(self) -> Dialect:
        """Return this dialect.

        Raises:
            UnknownCodeError: a member has a value that it cannot have; `field` names it.
            InputError: it names no signature profile.

        """
        known = {
            "mode": ((self.mode,), (SYNCHRONOUS, ASYNCHRONOUS)),
            "data": ((self.data,), _DATA),
            "hash_names": (self.hash_names, tuple(item.value for item in HashName)),
        }
        for name, (values, choices) in known.items():
            for value in values:
                one_of(f"dialect_changes.{name}", value, choices)
        if not self.signature_profile:
            raise InputError("remote.setting_missing", field="dialect_changes.signature_profile")
        return self


class Writer:
    """Write our messages.

    Args:
        settings: our account and the SIM.
        dialect: the service's ways.

    Raises:
        InputError: the telephone number is none.

    """

    def __init__(self, settings: Settings, dialect: Dialect) -> None:
        self._settings = settings
        self._dialect = dialect
        self.number = number_of(settings.msisdn, dialect)

    def name_of(self, transaction_id: str) -> str:
        """Return `AP_TransID` for our transaction id: always the same, and never begun with a digit."""
        return self._dialect.transaction_prefix + _NOT_IN_NAMES.sub("_", transaction_id)

    def signature(self, job: SigningJob, transaction_id: str, password: Secret, now: datetime) -> Part:
        """Return `MSS_SignatureReq`.

        Args:
            job: what to sign.
            transaction_id: our identifier.
            password: `AP_PWD`, or an empty one.
            now: the present moment.

        """
        form = self._dialect
        attributes = {"MessagingMode": form.mode, "TimeOut": str(form.timeout_seconds)}
        described = [
            self._part("Service", self._part("Description", self._uri(uri))) for uri in form.services
        ]
        parts = [
            *self._about(transaction_id, password, now),
            self._user(),
            Part(
                "DataToBeSigned",
                form.namespace,
                {"MimeType": "application/octet-stream", "Encoding": "base64"},
                base64.b64encode(self._data(job)).decode(),
            ),
            self._text("DataToBeDisplayed", self.displayed(job)),
            self._part("SignatureProfile", self._uri(form.signature_profile)),
            *([self._part("AdditionalServices", *described)] if described else []),
            self._part("MSS_Format", self._uri(form.signature_format)),
        ]
        return self._message("MSS_SignatureReq", attributes, parts)

    def status(self, transaction_id: str, provider_id: str, password: Secret, now: datetime) -> Part:
        """Return `MSS_StatusReq`.

        Args:
            transaction_id: our identifier.
            provider_id: the service's.
            password: `AP_PWD`, or an empty one.
            now: the present moment.

        """
        about = self._about(transaction_id, password, now)
        return self._message("MSS_StatusReq", {"MSSP_TransID": provider_id}, about)

    def registration(self, transaction_id: str, password: Secret, now: datetime) -> Part:
        """Return `MSS_RegistrationReq` with nothing but the number.

        Args:
            transaction_id: names this question.
            password: `AP_PWD`, or an empty one.
            now: the present moment.

        """
        parts = [*self._about(transaction_id, password, now), self._user()]
        return self._message("MSS_RegistrationReq", {}, parts)

    def displayed(self, job: SigningJob) -> str:
        """Return what the phone shows: one line in the letters of UCS-2, with the mark for the code."""
        mark = self._dialect.code_mark
        shown = self._line(job.document_name) or self._line(self._settings.display_text)
        room = max(0, self._dialect.display_characters - len(f" {mark}" if mark else ""))
        return f"{shown[:room].rstrip()} {mark}".strip()

    def _line(self, text: str) -> str:
        if mark := self._dialect.code_mark:
            text = text.replace(mark, " ")  # a document's name shows no second code
        return " ".join(_NOT_SHOWN.sub(" ", unicodedata.normalize("NFC", text)).split())

    def _data(self, job: SigningJob) -> bytes:
        is_der = self._dialect.data == "digest_info"
        return digest_info(job.digest, job.hash_name) if is_der else job.digest

    def _about(self, transaction_id: str, password: Secret, now: datetime) -> list[Part]:
        """Return who asks, and whom."""
        moment = now.astimezone(UTC)
        who = {
            "AP_ID": self._settings.ap_id,
            "AP_TransID": self.name_of(transaction_id),
            "AP_PWD": password.reveal(),
            "Instant": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
        }
        uri = self._settings.mssp_id
        service = self._part("MSSP_ID", *([self._text("URI", uri)] if uri else []))
        return [Part("AP_Info", self._dialect.namespace, who), self._part("MSSP_Info", service)]

    def _user(self) -> Part:
        return self._part("MobileUser", self._text("MSISDN", self.number))

    def _uri(self, uri: str) -> Part:
        return self._text("mssURI", uri)

    def _text(self, name: str, text: str) -> Part:
        return Part(name, self._dialect.namespace, text=text)

    def _part(self, name: str, *parts: Part) -> Part:
        return Part(name, self._dialect.namespace, parts=parts)

    def _message(self, name: str, attributes: Mapping[str, str], parts: list[Part]) -> Part:
        versions = {"MajorVersion": "1", "MinorVersion": "1"}
        return Part(name, self._dialect.namespace, {**versions, **attributes}, parts=tuple(parts))


def number_of(text: str, dialect: Dialect) -> str:
    """Return a telephone number in its international form: `0900 000 000` gives `84900000000`.

    Args:
        text: the number as people write it.
        dialect: the country code in place of a leading 0, and whether a `+` is sent.

    Raises:
        InputError: it is no telephone number, or lacks its country code.

    """
    digits = re.sub(r"[\s.()-]", "", text).removeprefix("+")
    digits = digits.removeprefix("00")
    if digits.startswith("0") and dialect.country_code:
        digits = dialect.country_code + digits[1:]
    usual = digits.isascii() and digits.isdecimal() and not digits.startswith("0")
    if not usual or not _SHORTEST_NUMBER <= len(digits) <= _LONGEST_NUMBER:
        raise InputError("remote.msisdn", field="msisdn")
    return f"+{digits}" if dialect.number_plus else digits
