"""A provider of Decision 769 to try everything on: as written, VNPT SmartCA with and without a phone, CA2."""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from attrs import field, frozen
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from bhxh_sdk.sandbox.remote.ca769_ways import (
    WAITING_MESSAGE,
    WAYS,
    Refusal,
    certificate_entry,
    envelope,
)
from bhxh_sdk.sandbox.remote.desk import DeskState, Mischief, SigningDesk, Transaction
from bhxh_sdk.sandbox.remote.phone import Answer, Ring, SandboxPhone
from bhxh_sdk.sandbox.remote.provider import json_of, page_reply, planned_reply, text_base64
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.contract import HashName
from bhxh_sdk.signers.test_certificate import EXAMPLE_TAX_CODE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bhxh_sdk.ports import Clock, Reply, Request
    from bhxh_sdk.sandbox.pki import SandboxCertificate
    from bhxh_sdk.sandbox.remote.desk import Credential

__all__ = ["Decision769Provider"]

_SAD_SECONDS = 299
_UNTOLD = frozenset({DeskState.UNREACHABLE, DeskState.LOCKED})
_CREDENTIALS = "SP_CREDENTIAL_INVALID"
_CERTIFICATE = "CREDENTIAL_STATUS_INVALID"
_SP_PASSWORD = "sandbox-sp-password"  # invented, and known to everybody
_PASSWORD = "sandbox-password"  # as above
_TOTP_KEY = b"sandbox-totp-secret!"


@frozen(kw_only=True)
class _Document:
    """A document of a signing request."""

    name: str
    digest: bytes = field(repr=False)


class Decision769Provider:
    """A provider that follows Decision 769, in one dialect.

    Args:
        clock: the time that the provider lives in.
        dialect: `plain`, `vnpt`, `vnpt-th` or `ca2`.
        phone: the phone of the person who confirms; nobody's rings in `vnpt-th`.
        life: how long a person has to confirm; None for what the provider allows.
        signing: how long signing takes once the person has confirmed.
        is_synchronous: whether a signature that is confirmed at once comes with the first answer.

    Attributes:
        desk: its transactions.
        user_id: who signs.
        largest_batch: the most documents in one request.
        pending: how a transaction that waits is told: `message`, `null` (no list yet), `missing` (only the
            transaction's id), `empty` (a list of empty values), or a `status_code` such as `102`.
        words: how a refusal and an expiry are told; a state without a word is told as waiting.
        results: name of the list of signatures.
        status_id: which name the question for the result takes: `transaction_id` or `tran_code`.
        status_members: what the question for the result must tell.
        kinds: `service_type` of each key; `SMARTCA` where nothing is said.
        used_codes: every one-time code that was taken; none is taken twice.

    """

    def __init__(
        self,
        clock: Clock,
        dialect: str = "vnpt",
        *,
        phone: SandboxPhone | None = None,
        life: timedelta | None = None,
        signing: timedelta = timedelta(),
        is_synchronous: bool = False,
    ) -> None:
        self._way = WAYS[dialect]
        self._dialect = dialect
        self.desk = SigningDesk(clock, phone or SandboxPhone(), life=life or self._way.life, signing=signing)
        self.user_id = EXAMPLE_TAX_CODE
        self.largest_batch = 50
        self.pending = self._way.pending
        self.words: Mapping[DeskState, str] = self._way.words
        self.results = self._way.results
        self.status_id = "transaction_id"
        self.status_members = self._way.status_members
        self.kinds: dict[str, str] = {}
        self.used_codes: list[str] = []
        self._is_synchronous = is_synchronous
        self._tran_codes: dict[str, str] = {}
        self._sads: dict[str, str] = {}
        self._confirmed: set[str] = set()

    def add(self, issued: SandboxCertificate, *, name: str = "cert-1", kind: str = "SMARTCA") -> Credential:
        """Keep a key for the user.

        Args:
            issued: certificate, chain and private key.
            name: the provider's id of the key.
            kind: `SMARTCA` or `ESEAL`.

        """
        self.kinds[name] = kind
        return self.desk.add(name, issued, owner=self.user_id)

    @property
    def environment(self) -> dict[str, str]:
        """The secrets as environment variables, by the names that `profile_table` uses."""
        return {
            "SP_PASSWORD": _SP_PASSWORD,
            "SIGNER_PASSWORD": _PASSWORD,
            "TOTP_SECRET": base64.b64encode(_TOTP_KEY).decode(),
        }

    @property
    def secrets(self) -> dict[str, Secret]:
        """The secrets by their names in a profile."""
        values = self.environment.values()
        return {
            name: Secret(value)
            for name, value in zip(("sp_password", "password", "totp_secret"), values, strict=True)
        }

    def profile_table(self, base_url: str) -> dict[str, Any]:
        """Return a profile for this provider.

        Args:
            base_url: where it is served.

        """
        table: dict[str, Any] = {
            "kind": "ca769",
            "dialect": self._dialect,
            "base_url": base_url,
            "sp_id": "sandbox-sp",
            "user_id": self.user_id,
            "sp_password_env": "SP_PASSWORD",
        }
        if self._way.confirm:
            table |= {"password_env": "SIGNER_PASSWORD", "totp_secret_env": "TOTP_SECRET"}
        if self._dialect == "plain":
            table["dialect_changes"] = {"status_path": self._way.status}
        return table

    def webhook(self, name: str) -> bytes:
        """Return the body that the provider posts when a transaction has ended.

        Args:
            name: the transaction.

        """
        files = self._signatures(self.desk.transactions[name])
        told = {"sp_id": "sandbox-sp", "status_code": 200, "message": "SUCCESS", "transaction_id": name}
        return json.dumps(told | {"signed_files": files}).encode()

    def answer(self, request: Request) -> Reply:
        """Answer one request."""
        path, way = urlsplit(request.url).path, self._way
        status = re.fullmatch(f".*{way.status}", path)
        answers = {way.certificates: self._list, way.sign: self._sign, way.confirm: self._confirm}
        found = next((item for end, item in answers.items() if end and path.endswith(end)), None)
        if request.method != "POST" or (found is None and status is None):
            return page_reply(404)
        if (odd := planned_reply(self.desk, after=False)) is not None:
            return odd
        if self.desk.takes(Mischief.INTERNAL):
            return envelope(None, "Internal server error", 500)
        asked = json_of(request)
        try:
            if status is not None:
                return self._status(asked, unquote(status.groupdict().get("id") or ""))
            assert found is not None  # noqa: S101  # one of the two is there
            return found(asked)
        except Refusal as refusal:
            return envelope(None, refusal.message, refusal.code)

    def _list(self, asked: Mapping[str, Any]) -> Reply:
        self._demand_account(asked, ("sp_id", "sp_password", "user_id"))
        name = _text(asked, "transaction_id")
        serial = asked.get("serial_number", "")
        entries = [
            certificate_entry(item, self.kinds.get(item.name, "SMARTCA"), name, self._way)
            for item in self.desk.credentials.values()
            if not serial or _has_serial(item, serial)
        ]
        return envelope({"user_certificates": entries} if self._way.names_list else entries, "Success")

    def _sign(self, asked: Mapping[str, Any]) -> Reply:
        self._demand_account(asked, ("sp_id", "sp_password", "user_id"))
        name = _text(asked, "transaction_id")
        documents = self._documents(asked)
        credential = self._credential(asked)
        if self._way.confirm:
            self._demand_personal(asked, "password", "otp")
        if name in self.desk.transactions:
            raise Refusal(409, "transaction_id was used before")
        begun = self._begun(credential, documents, name, _shown(asked, documents))
        if (odd := planned_reply(self.desk, after=True)) is not None:
            return odd
        return self._accepted(begun)

    def _begun(
        self, credential: Credential, documents: list[_Document], name: str, shown: list[str]
    ) -> Transaction:
        pairs = [(item.name, item.digest) for item in documents]
        self._tran_codes[name] = f"TC-{self.desk.new_id()[:8]}"
        if not self._way.confirm:
            return self.desk.begin(credential, pairs, name=name, shown=shown)
        moment = self.desk.now
        silent = Ring(transaction=name, shown="", answer=Answer.CONFIRMS, after=timedelta())
        begun = Transaction(
            name=name,
            credential=credential,
            documents=tuple(pairs),
            hash_name=HashName.SHA256,
            ring=silent,
            begun=moment,
            ends=moment + timedelta(seconds=_SAD_SECONDS),
            fails=self.desk.takes(Mischief.FAILS) is not None,
        )
        self.desk.transactions[name] = begun
        self._sads[name] = f"eyJhbGciOiJub25lIn0.{self.desk.new_id()}.c2FuZGJveA"
        return begun

    def _accepted(self, begun: Transaction) -> Reply:
        names: dict[str, Any] = {"transaction_id": begun.name}
        if self._is_synchronous and self.desk.state(begun) is DeskState.DONE:
            return envelope({self.results: self._signatures(begun)}, "SUCCESS")
        if self._dialect.startswith("vnpt"):
            names["tran_code"] = self._tran_codes[begun.name]
        if self._way.confirm:
            names |= {"sad": self._sads[begun.name], "expired_in": _SAD_SECONDS}
        return envelope(names, WAITING_MESSAGE)

    def _confirm(self, asked: Mapping[str, Any]) -> Reply:
        self._demand_account(asked, ("sp_id", "sp_password", "user_id"))
        self._demand_personal(asked, "password")
        name = _text(asked, "transaction_id")
        if self._sads.get(name) != _text(asked, "sad"):
            raise Refusal(400, "BAD_REQUEST: sad")
        if name in self._confirmed:
            raise Refusal(409, "transaction_id was confirmed before")
        begun = self.desk.transactions[name]
        if self.desk.now >= begun.ends:
            return envelope({"transaction_id": name}, "EXPIRED")
        self._confirmed.add(name)
        if (odd := planned_reply(self.desk, after=True)) is not None:
            return odd
        return self._told(begun)

    def _status(self, asked: Mapping[str, Any], name: str) -> Reply:
        self._demand_account(asked, self.status_members)
        name = name or _text(asked, "transaction_id")
        known = {name: name for name in self.desk.transactions}
        if self.status_id == "tran_code":
            known = {code: name for name, code in self._tran_codes.items()}
        if name not in known:
            raise Refusal(400, "BAD_REQUEST: unknown transaction")
        return self._told(self.desk.transactions[known[name]])

    def _told(self, begun: Transaction) -> Reply:
        """Return how a transaction stands, as the provider tells it."""
        state = self._state(begun)
        data: dict[str, Any] = {"transaction_id": begun.name}
        if state is DeskState.DONE:
            message = WAITING_MESSAGE if self._way.confirm else "SUCCESS"
            return envelope(data | {self.results: self._signatures(begun)}, message)
        if state is DeskState.FAILED and not self._way.failed:
            return envelope(data, "Sign failed", 500)
        if state is DeskState.FAILED:
            return envelope(data | {self.results: _valued(begun, self._way.failed)}, "SUCCESS")
        if state in self.words:
            return envelope(data | {self.results: None}, self.words[state])
        return self._waiting(begun, data)

    def _waiting(self, begun: Transaction, data: dict[str, Any]) -> Reply:
        if self.pending.isdigit():
            return envelope(data, "", int(self.pending))
        told = {
            "message": (data | {self.results: None}, "PENDING"),
            "null": (data | {self.results: None}, WAITING_MESSAGE),
            "missing": (data, ""),
            "empty": (data | {self.results: _valued(begun, "")}, "SUCCESS"),
        }
        return envelope(*told[self.pending])

    def _state(self, begun: Transaction) -> DeskState:
        if self._way.confirm and begun.name not in self._confirmed:
            return DeskState.EXPIRED if self.desk.now >= begun.ends else DeskState.WAITING
        state = self.desk.state(begun)
        if state in _UNTOLD:  # the interface has no word for a phone that cannot be reached
            return DeskState.EXPIRED if self.desk.now >= begun.ends else DeskState.WAITING
        return state

    def _signatures(self, begun: Transaction) -> list[dict[str, object]]:
        return [
            {"doc_id": name, "signature_value": text_base64(value, self.desk), "timestamp_signature": None}
            for name, value in self.desk.signed(begun)
        ]

    def _demand_account(self, asked: Mapping[str, Any], members: tuple[str, ...]) -> None:
        right = {"sp_id": "sandbox-sp", "sp_password": _SP_PASSWORD, "user_id": self.user_id}
        for member in members:
            text = _text(asked, member)
            if text != right.get(member, text):
                raise Refusal(401, _CREDENTIALS)

    def _demand_personal(self, asked: Mapping[str, Any], *members: str) -> None:
        if _text(asked, "password") != _PASSWORD:
            raise Refusal(401, "PASSWORD_INVALID")
        if "otp" not in members:
            return
        code, moment = _text(asked, "otp"), self.desk.now.timestamp()
        made = TOTP(_TOTP_KEY, 6, SHA1(), 30, enforce_key_length=False)  # noqa: S303  # what the interface wants
        if code not in {made.generate(moment).decode(), made.generate(moment - 30).decode()}:
            raise Refusal(401, "OTP_INVALID")
        if code in self.used_codes:
            raise Refusal(401, "OTP_INVALID: used before")
        self.used_codes.append(code)

    def _credential(self, asked: Mapping[str, Any]) -> Credential:
        if self.desk.takes(Mischief.REVOKED):
            raise Refusal(403, _CERTIFICATE)
        serial = asked.get("serial_number")
        found = [
            item for item in self.desk.credentials.values() if serial is None or _has_serial(item, serial)
        ]
        if not found:
            raise Refusal(403, _CERTIFICATE)
        return found[0]

    def _documents(self, asked: Mapping[str, Any]) -> list[_Document]:
        files = asked.get("sign_files")
        if not isinstance(files, list) or not 0 < len(files) <= self.largest_batch:
            raise Refusal(400, "BAD_REQUEST: sign_files")
        found = [self._document(item) for item in files]
        if len({item.name for item in found}) < len(found):
            raise Refusal(400, "BAD_REQUEST: doc_id")
        return found

    def _document(self, item: Mapping[str, Any]) -> _Document:
        options = item.get("file_options", {}) if self._way.is_nested else item
        _text(options, "file_type")
        if _text(options, "sign_type") != "hash":
            raise Refusal(400, "BAD_REQUEST: sign_type")
        digest = self._way.digest(item.get("data_to_be_signed"))
        if digest is None:
            raise Refusal(400, "BAD_REQUEST: data_to_be_signed")
        return _Document(name=_text(item, "doc_id"), digest=digest)


def _valued(begun: Transaction, value: str) -> list[dict[str, object]]:
    return [{"doc_id": name, "signature_value": value} for name, _ in begun.documents]


def _has_serial(credential: Credential, text: object) -> bool:
    try:
        return int(str(text), 16) == credential.issued.certificate.serial_number
    except ValueError:
        raise Refusal(400, "BAD_REQUEST: serial_number") from None


def _shown(asked: Mapping[str, Any], documents: list[_Document]) -> list[str]:
    return [str(asked.get("transaction_desc", "")), *(item.name for item in documents)]


def _text(asked: Mapping[str, Any], member: str) -> str:
    value = asked.get(member)
    if not isinstance(value, str) or not value:
        raise Refusal(400, f"BAD_REQUEST: {member}")
    return value
