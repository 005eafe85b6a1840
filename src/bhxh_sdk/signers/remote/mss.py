"""Sign with a SIM: ETSI TS 102 204 (mobile signature service) over SOAP.

A SIM signs one digest for each confirmation. The service draws the transaction's id and tells it in its
answer alone: when that answer is lost, nobody can ask after it, and the transaction is ambiguous. The
certificate may come only with the signature. How the code that the phone shows is computed is not known, so
it is shown here only where the service tells it.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Self

from attrs import evolve

from bhxh_sdk.errors import BhxhError, InputError
from bhxh_sdk.ports import Request
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.contract import Capabilities, HashName, SigningCertificate, SigningState
from bhxh_sdk.signers.remote.conversation import Effect, called, needed, noted, refused
from bhxh_sdk.signers.remote.mss_codes import ENDING, STATUSES, fault_meaning, is_final
from bhxh_sdk.signers.remote.mss_messages import SYNCHRONOUS, Dialect, Settings, Writer
from bhxh_sdk.signers.remote.profile import dialect_of, settings_of
from bhxh_sdk.signers.remote.reading import as_text, certificate_of, signatures_in_order, unexpected
from bhxh_sdk.signers.remote.soap import CONTENT_TYPE, Fault, Part, opened, packed
from bhxh_sdk.signers.remote.tables import meanings
from bhxh_sdk.signers.values import public_key, signature_fits
from bhxh_sdk.signers.verdicts import Meaning, Verdict, concluded, verdict_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bhxh_sdk.models import CertificateInfo
    from bhxh_sdk.ports import Reply
    from bhxh_sdk.signers.contract import SigningTransaction
    from bhxh_sdk.signers.remote.conversation import Conversation
    from bhxh_sdk.signers.remote.profile import RemoteProfile
    from bhxh_sdk.signers.remote.protocol import Order

__all__ = ["Mss"]

_PASSWORD = "ap_password"  # noqa: S105  # the name of a secret
_SIGNATURE, _STATUS, _REGISTRATION = "MSS_Signature", "MSS_StatusQuery", "MSS_Registration"
_LONGEST_CODE = 40
_MOST_CERTIFICATES = 50
_SHORTEST_CERTIFICATE = 100
_GOOD, _WRONG, _BROKEN = 200, 400, 500  # where HTTP's kinds of answer begin
_REDIRECTED = 300


class Mss:
    """The protocol of SIM services; see `bhxh_sdk.signers.remote.protocol.RemoteProtocol`.

    Args:
        settings: our account and the SIM.
        dialect: the service's ways.
        asks: whether a person is asked for `AP_PWD`, where one is sent.

    Raises:
        InputError: the telephone number or the certificate is none, or a member of the dialect is wrong.

    """

    def __init__(self, settings: Settings, dialect: Dialect, *, asks: bool = True) -> None:
        self._settings = settings
        self._asks = asks and settings.has_password
        self._dialect = dialect.checked()
        self._writer = Writer(settings, dialect)
        self._statuses = {**STATUSES, **meanings(dialect.statuses, "statuses")}
        self._faults = meanings(dialect.faults, "faults")
        self._certificate = _own_certificate(settings)

    @classmethod
    def of(cls, profile: RemoteProfile) -> Self:
        """Make the protocol that a profile describes.

        Raises:
            InputError: a setting or a member of the dialect is wrong; `field` names it.

        """
        settings, dialect = settings_of(profile, Settings), dialect_of(profile, Dialect, "vn")
        return cls(settings, dialect, asks=_PASSWORD not in profile.places)

    @property
    def capabilities(self) -> Capabilities:
        """What the service can do: one digest for each confirmation."""
        return Capabilities(
            name="mss",
            largest_batch=1,
            hash_names=frozenset(map(HashName, self._dialect.hash_names)),
            needs_secret=self._asks,
            confirms_elsewhere=True,
            knows_certificate_first=self._certificate is not None or self._dialect.registers_first,
            resumable=self._dialect.mode != SYNCHRONOUS,
        )

    @property
    def chooses_id(self) -> bool:
        """Whether we choose the id that is asked after: the service does."""
        return False

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses of its ports."""
        return tuple(self._url(operation) for operation in (_SIGNATURE, _STATUS, _REGISTRATION))

    @property
    def life_seconds(self) -> float:
        """How long the person has."""
        return float(self._dialect.timeout_seconds)

    @property
    def poll_seconds(self) -> float:
        """How long to wait between two questions."""
        return self._dialect.poll_seconds

    def hidden(self) -> Iterable[Secret]:
        """Return the tokens that are held: none."""
        return ()

    def forget(self) -> None:
        """Forget tokens: there are none."""

    def certificates(self, now: datetime) -> Conversation[tuple[SigningCertificate, ...]]:
        """Return the SIM's certificates; none where they come only with a signature."""
        if self._certificate is not None:
            return (SigningCertificate(certificate=self._certificate, key_id=self._writer.number),)
        if not self._dialect.registers_first:
            return ()
        password = yield from self._password()
        message = self._writer.registration(f"{now:%Y%m%d%H%M%S%f}", password, now)
        reply = yield from called(self._request(_REGISTRATION, message))
        answer = self._answer(reply, "MSS_RegistrationResp")
        if isinstance(answer, Fault):
            raise (yield from self._failure(self._meaning(reply, answer), answer))
        code, text = _status(answer)
        if code not in self._dialect.registered_statuses:
            if code not in self._statuses:
                raise unexpected(reply)
            raise verdict_error(self._statuses[code], code=code, text=text)
        told = _certificate_texts(answer)
        found = [item for text in told if (item := certificate_of(text))]
        if told and not found:
            raise unexpected(reply)
        return tuple(map(self._listed, found))

    def start(self, order: Order) -> Conversation[SigningTransaction]:
        """Ask for a signature: the phone rings."""
        transaction = order.transaction
        password = yield from self._password()
        message = self._writer.signature(transaction.jobs[0], transaction.transaction_id, password, order.now)
        request = self._request(_SIGNATURE, message)
        if self._dialect.mode == SYNCHRONOUS:
            seconds = float(self._dialect.timeout_seconds + self._dialect.extra_seconds)
            request = evolve(request, deadline_seconds=seconds)
        yield from noted(transaction)
        reply = yield from called(request, Effect.STARTS)
        answer = self._answer(reply, "MSS_SignatureResp")
        if isinstance(answer, Part):
            return self._stood(transaction, reply, answer)
        if not is_final(answer.code, self._faults):
            raise unexpected(reply)  # nobody knows whether the SIM was asked
        meaning = self._meaning(reply, answer)
        yield from self._refused(meaning)
        return concluded(transaction, meaning, code=answer.code, text=as_text(answer.text))

    def result(self, transaction: SigningTransaction, now: datetime) -> Conversation[SigningTransaction]:
        """Ask how a transaction stands."""
        password = yield from self._password()
        message = self._writer.status(transaction.transaction_id, transaction.provider_id, password, now)
        reply = yield from called(self._request(_STATUS, message))
        answer = self._answer(reply, "MSS_StatusResp")
        if isinstance(answer, Part):
            return self._stood(transaction, reply, answer)
        meaning = self._meaning(reply, answer)
        if answer.code not in ENDING:
            raise (yield from self._failure(meaning, answer, transaction.transaction_id))
        return concluded(transaction, meaning, code=answer.code, text=as_text(answer.text))

    def _password(self) -> Conversation[Secret]:
        if not self._settings.has_password:
            return Secret("")
        password = yield from needed(_PASSWORD, self._settings.ap_id)
        return password

    def _refused(self, meaning: Meaning) -> Conversation[None]:
        if meaning.verdict is Verdict.LOGIN and self._settings.has_password:
            yield from refused(_PASSWORD)

    def _failure(self, meaning: Meaning, fault: Fault, reference: str = "") -> Conversation[BhxhError]:
        """Return the error that a fault means; a refused password is not sent again."""
        yield from self._refused(meaning)
        return verdict_error(meaning, code=fault.code, text=as_text(fault.text), reference=reference)

    def _url(self, operation: str) -> str:
        settings, dialect = self._settings, self._dialect
        complete, port = {
            _SIGNATURE: (settings.signature_url, dialect.signature_port),
            _STATUS: (settings.status_url, dialect.status_port),
            _REGISTRATION: (settings.registration_url, dialect.registration_port),
        }[operation]
        return complete or f"{settings.base_url.rstrip('/')}/{port}"

    def _request(self, operation: str, message: Part) -> Request:
        headers = (("Content-Type", CONTENT_TYPE), ("SOAPAction", f'"#{operation}"'))
        body = packed(operation, message)
        return Request(method="POST", url=self._url(operation), headers=headers, body=body)

    def _answer(self, reply: Reply, name: str) -> Part | Fault:
        """Return a message of that name, or a fault; the element around the message may have any name."""
        try:
            content = opened(reply.body)
        except ValueError:
            raise unexpected(reply) from None
        if isinstance(content, Fault):
            return content
        found = content.named(name, self._dialect.namespace)
        if found is None or not _GOOD <= reply.status < _REDIRECTED:
            raise unexpected(reply)
        return found

    def _meaning(self, reply: Reply, fault: Fault) -> Meaning:
        meaning = fault_meaning(fault.code, self._faults)
        if meaning is None and not _WRONG <= reply.status < _BROKEN:
            raise unexpected(reply)
        return meaning or Meaning(Verdict.REQUEST)

    def _stood(self, transaction: SigningTransaction, reply: Reply, answer: Part) -> SigningTransaction:
        """Return a transaction after an answer about it."""
        code, text = _status(answer)
        provider_id = answer.get("MSSP_TransID") or transaction.provider_id
        meaning = self._statuses.get(code)
        if meaning is None or not self._is_about(transaction, answer):
            raise unexpected(reply)
        if meaning.verdict in {Verdict.PENDING, Verdict.CONFIRMED} and not provider_id:
            raise unexpected(reply)  # nobody could ask after it
        known = evolve(transaction, provider_id=provider_id, show=self._code(answer) or transaction.show)
        if meaning.verdict is not Verdict.DONE:
            return concluded(known, meaning, code=code, text=text)
        signatures = signatures_in_order(known, _values(answer))
        certificate = _certificate(answer, known, signatures)
        return evolve(known, state=SigningState.DONE, signatures=signatures, certificate=certificate)

    def _is_about(self, transaction: SigningTransaction, answer: Part) -> bool:
        """Tell whether an answer names no other transaction than this one."""
        about = answer.first("AP_Info")
        own = about.get("AP_TransID") if about else ""
        theirs = answer.get("MSSP_TransID")
        return own in {"", self._writer.name_of(transaction.transaction_id)} and (
            not transaction.provider_id or theirs in {"", transaction.provider_id}
        )

    def _code(self, answer: Part) -> str:
        """Return the code that a person compares, where the service tells it."""
        names = self._dialect.code_elements
        found = (part.text for part in _detail(answer) if part.name in names)
        return as_text(next(found, ""))[:_LONGEST_CODE]

    def _listed(self, certificate: CertificateInfo) -> SigningCertificate:
        return SigningCertificate(certificate=certificate, key_id=self._writer.number, has_private_key=True)


def _own_certificate(settings: Settings) -> CertificateInfo | None:
    found = certificate_of(settings.certificate_pem)
    if settings.certificate_pem and found is None:
        raise InputError("input.not_a_certificate", field="certificate_pem")
    return found


def _status(answer: Part) -> tuple[str, str]:
    """Return code and text of a message's status."""
    code, text = answer.first("Status", "StatusCode"), answer.first("Status", "StatusMessage")
    return as_text(code.get("Value")) if code else "", as_text(text.text) if text else ""


def _detail(answer: Part) -> Iterable[Part]:
    detail = answer.first("Status", "StatusDetail")
    return detail.below() if detail else ()


def _values(answer: Part) -> list[str]:
    """Return the signature values as received."""
    holder = [part for part in answer.parts if part.name == "MSS_Signature"]
    return [part.text for item in holder for part in item.parts if part.name == "Base64Signature"]


def _certificate_texts(answer: Part) -> list[str]:
    """Return the certificates of a registration as they came."""
    texts = (part.text for part in answer.below() if part.name == "X509Certificate")
    return list(islice(texts, _MOST_CERTIFICATES))


def _certificate(answer: Part, transaction: SigningTransaction, signatures: Mapping[str, bytes]) -> bytes:
    """Return the certificate that came with a signature in DER: the one that it fits; empty for none.

    What the service calls its element is not known, so every element below `StatusDetail` is looked at.
    """
    texts = (part.text for part in _detail(answer) if len(part.text) > _SHORTEST_CERTIFICATE)
    found = [item for text in islice(texts, _MOST_CERTIFICATES) if (item := certificate_of(text))]
    fitting = [item for item in found if _fits(item, transaction, signatures)]
    return next((item.der for item in (*fitting, *found)), b"")


def _fits(
    certificate: CertificateInfo, transaction: SigningTransaction, signatures: Mapping[str, bytes]
) -> bool:
    """Tell whether every signature fits; a transaction that was kept by an older version may have no jobs."""
    with suppress(BhxhError):
        return all(
            signature_fits(public_key(certificate, {job.scheme}), job, signatures[job.document_id])
            for job in transaction.jobs
        )
    return False
