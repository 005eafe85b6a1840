"""Reading the answers of Decision 769: one envelope, and what each provider puts into it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.contract import SigningCertificate, SigningState
from bhxh_sdk.signers.remote.reading import (
    as_number,
    as_text,
    certificate_of,
    json_answer,
    signatures_by_id,
    unexpected,
    word,
)
from bhxh_sdk.signers.verdicts import Meaning, Verdict, concluded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bhxh_sdk.ports import Reply
    from bhxh_sdk.signers.contract import SigningTransaction
    from bhxh_sdk.signers.remote.decision769_dialect import Dialect, Settings

__all__ = [
    "Answer",
    "fault_of_start",
    "listed_certificates",
    "meaning_of_fault",
    "same_serial",
    "standing",
]

_RESULT_LISTS = ("signatures", "signed_files", "sign_files")
_SUCCESS, _CLIENT_FAULTS = range(200, 300), range(400, 500)
_NOT_HEXADECIMAL = re.compile(r"[\s:]+|^0[xX]")


@frozen(kw_only=True)
class Answer:
    """One answer in its envelope.

    Args:
        code: `status_code` as received; the HTTP status where the body has none.
        message: its text.
        body: the whole body.
        reply: the HTTP answer.

    """

    code: str
    message: str
    body: Mapping[str, Any] = field(repr=False)
    reply: Reply

    @classmethod
    def read(cls, reply: Reply) -> Answer:
        """Read an answer.

        Raises:
            UnexpectedReplyError: it is not in the envelope, or contradicts its own HTTP status.

        """
        body = json_answer(reply)
        code = word(body.get("status_code"))
        if not code and not _is_enveloped(body, reply):
            raise unexpected(reply)
        answer = cls(
            code=code or str(reply.status), message=as_text(body.get("message")), body=body, reply=reply
        )
        if answer.succeeded and reply.status not in _SUCCESS:
            raise unexpected(reply)
        return answer

    @property
    def succeeded(self) -> bool:
        """Whether the code is one of success."""
        return as_number(self.code) in _SUCCESS

    @property
    def data(self) -> Mapping[str, Any]:
        """The members of `data`; empty where it is null or a list."""
        data = self.body.get("data")
        return data if isinstance(data, dict) else {}

    def text(self, name: str) -> str:
        """Return a member of `data` as text."""
        return as_text(self.data.get(name))

    def number(self, name: str) -> float | None:
        """Return a member of `data` as a number."""
        return as_number(self.data.get(name))

    def secret(self, name: str) -> Secret | None:
        """Return a secret member of `data`, such as a JWT; None for what is no text of ASCII."""
        value = self.data.get(name)
        return Secret(value) if isinstance(value, str) and value and value.isascii() else None

    def names(self) -> set[str]:
        """Return the names of the transaction that the answer is about."""
        return {self.text("transaction_id"), self.text("tran_code")} - {""}


def meaning_of_fault(
    answer: Answer, codes: Mapping[str, Meaning], messages: Mapping[str, Meaning]
) -> tuple[Meaning, str, str] | None:
    """Return what an answer means that is an error, its code and its text; None for one that is none.

    Args:
        answer: the answer.
        codes: the meaning of each `status_code`.
        messages: the meaning of each `message`.

    Raises:
        UnexpectedReplyError: its code is no success, no known one, and not the client's fault.

    """
    said = word(answer.message)
    found = messages.get(said)
    if found is not None and found.verdict not in _NO_FAULTS:
        code = said if answer.succeeded else answer.code
        return found, code, "" if said in {code, found.name} else answer.message
    if answer.succeeded:
        return None
    found = codes.get(answer.code)
    if found is None:
        if as_number(answer.code) not in _CLIENT_FAULTS:
            raise unexpected(answer.reply)
        found = Meaning(Verdict.REQUEST)
    if found.verdict in _NO_FAULTS:
        return None
    return found, answer.code, "" if said == found.name else answer.message


def fault_of_start(
    answer: Answer,
    codes: Mapping[str, Meaning],
    messages: Mapping[str, Meaning],
    transaction: SigningTransaction,
) -> tuple[Meaning, str, str] | None:
    """Return what an answer means to a call that starts something; as `meaning_of_fault`, but a no is proof.

    Something before the service may answer in its place, after the service has taken the request: only a
    code that the dialect knows is a no. An inner error is one only where it names the transaction.

    Args:
        answer: the answer.
        codes: the meaning of each `status_code`.
        messages: the meaning of each `message`.
        transaction: the transaction that was to be started.

    Raises:
        UnexpectedReplyError: nothing proves that the request was not taken.

    """
    if not answer.succeeded:
        found = codes.get(answer.code)
        said = messages.get(word(answer.message))
        is_ours = bool(answer.names() & {transaction.transaction_id, transaction.provider_id})
        is_inner = found is not None and found.verdict is Verdict.FAILED
        if found is None or (is_inner and not is_ours):
            raise unexpected(answer.reply)
        if said is not None and said.verdict in _NO_FAULTS and found.verdict not in _NO_FAULTS:
            raise unexpected(answer.reply)
    return meaning_of_fault(answer, codes, messages)


def standing(
    transaction: SigningTransaction, answer: Answer, dialect: Dialect, messages: Mapping[str, Meaning]
) -> SigningTransaction:
    """Return a transaction as an answer without an error leaves it: done, failed, or still waiting.

    The values decide, not the message: `sig_wait_for_user_confirm` comes also where nobody has to confirm.

    Args:
        transaction: as it stood.
        answer: the answer.
        dialect: the dialect.
        messages: the meaning of each `message`.

    Raises:
        UnexpectedReplyError: an entry of the list is none.
        SignatureMismatchError: a value is missing, doubled, nobody's, or no base64.

    """
    waiting = evolve(transaction, state=SigningState.PENDING)
    entries = _results(answer)
    if entries is None:
        return waiting
    if not all(isinstance(entry, dict) for entry in entries):
        raise unexpected(answer.reply)
    values = [as_text(entry.get("signature_value")) for entry in entries]
    if failed := [value for value in values if value in dialect.failed_values]:
        return concluded(transaction, Meaning(Verdict.FAILED), code=failed[0], text=answer.message)
    if not all(values) or not (values or _is_done(answer, messages)):
        return waiting
    pairs = [(as_text(entry.get("doc_id")), entry.get("signature_value")) for entry in entries]
    signatures = signatures_by_id(transaction, pairs, dialect.names_of(transaction.jobs))
    return evolve(transaction, state=SigningState.DONE, signatures=signatures)


def listed_certificates(answer: Answer, settings: Settings) -> tuple[SigningCertificate, ...]:
    """Return the certificates of a list that the settings allow; one that cannot be read hides no other.

    `cert_status` is not read: sources disagree about its texts. Dates and chain of the certificate decide.

    Raises:
        UnexpectedReplyError: there is no list, or none of its certificates can be read.

    """
    found = answer.body.get("data")
    if isinstance(found, dict):
        found = found.get("user_certificates")
    if found is None:
        return ()
    if not isinstance(found, list):
        raise unexpected(answer.reply)
    kind = word(settings.service_type)
    wanted = [
        entry
        for entry in found
        if isinstance(entry, dict) and (not kind or word(entry.get("service_type")) == kind)
    ]
    read = [item for item in map(_certificate, wanted) if item is not None]
    if wanted and not read:
        raise unexpected(answer.reply)
    number = settings.serial_number
    return tuple(item for item in read if not number or same_serial(number, item.certificate.serial))


def same_serial(text: str, serial: int) -> bool:
    """Tell whether a text is a certificate's serial number: hexadecimal or decimal, however it is spaced.

    Args:
        text: as a profile or a provider writes it.
        serial: the certificate's own.

    """
    digits = _NOT_HEXADECIMAL.sub("", text.strip())
    try:
        return serial in {int(digits, 16), int(digits) if digits.isdecimal() else -1}
    except ValueError:
        return False


def _is_enveloped(body: Mapping[str, Any], reply: Reply) -> bool:
    """Tell whether an answer without a code is one of the service, and not of something before it."""
    if reply.status in _CLIENT_FAULTS:
        return "message" in body
    return reply.status in _SUCCESS and isinstance(body.get("data"), dict | list)


def _results(answer: Answer) -> Sequence[Any] | None:
    """Return the list of signatures under any of its names; None where it is null or missing."""
    for place in (answer.data, answer.body):
        for name in _RESULT_LISTS:
            if isinstance(place.get(name), list):
                found: list[Any] = place[name]
                return found
    return None


def _is_done(answer: Answer, messages: Mapping[str, Meaning]) -> bool:
    said = messages.get(word(answer.message))
    return said is not None and said.verdict is Verdict.DONE


def _certificate(entry: Mapping[str, Any]) -> SigningCertificate | None:
    certificate = certificate_of(entry.get("cert_data"))
    if certificate is None:
        return None
    key_id = as_text(entry.get("serial_number")) or certificate.serial_text
    return SigningCertificate(certificate=certificate, key_id=key_id, has_private_key=True)


_NO_FAULTS = frozenset({Verdict.PENDING, Verdict.CONFIRMED, Verdict.DONE})
