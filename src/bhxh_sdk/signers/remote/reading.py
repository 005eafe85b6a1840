"""Tolerant reading of answers: line ends inside base64, numbers as text, pages in place of JSON."""

from __future__ import annotations

import base64
import binascii
import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from bhxh_sdk.errors import SignatureMismatchError, UnexpectedReplyError, UnreadableFileError
from bhxh_sdk.models import CertificateInfo, SignatureScheme

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bhxh_sdk.ports import Reply
    from bhxh_sdk.signers.contract import SigningJob, SigningTransaction

__all__ = [
    "as_number",
    "as_text",
    "bytes_of",
    "certificate_of",
    "json_answer",
    "raw_value",
    "signatures_by_id",
    "signatures_in_order",
    "unexpected",
    "word",
]

_CODES = ("status_code", "code", "error", "status")
_TEXTS = ("message", "error_description", "description", "codeDesc")
_HALF = 32  # bytes of r and of s on P-256
_LONGEST_TEXT = 300
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)  # no width, or turns text
_SPACE = re.compile(rb"\s+")
_ARMOUR = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]{1,40}-----")


def unexpected(reply: Reply, code: str = "remote.unexpected_reply") -> UnexpectedReplyError:
    """Make the error for an answer that cannot be understood: status, content type, and what a service said.

    Of a body in JSON the code and the message are kept, where it has members of these names; never more.
    """
    content_type = as_text(reply.header("content-type").split(";")[0].strip())[:80]
    return UnexpectedReplyError(code, status=reply.status, content_type=content_type, **_said(reply))


def _said(reply: Reply) -> dict[str, str]:
    with suppress(ValueError, RecursionError):
        body = json.loads(reply.body.decode("utf-8-sig"))
        if isinstance(body, dict):
            code = next(filter(None, (as_text(body.get(name)) for name in _CODES)), "")
            text = next(filter(None, (as_text(body.get(name)) for name in _TEXTS)), "")
            if code or text:
                code = code or str(reply.status)
                reason = ": ".join(filter(None, (code, text)))
                return {"provider_code": code, "provider_text": text, "reason": reason}
    return {}


def json_answer(reply: Reply) -> dict[str, Any]:
    """Return the JSON object of an answer; an array comes back under the key `items`.

    Raises:
        UnexpectedReplyError: the body is a page, is cut short, or is neither object nor array.

    """
    with suppress(ValueError, RecursionError):
        value = json.loads(reply.body.decode("utf-8-sig"))
        if isinstance(value, list):
            return {"items": value}
        if isinstance(value, dict):
            return value
    raise unexpected(reply)


def as_text(value: object) -> str:
    """Return a foreign value as a printable line of at most 300 characters; empty for null and structures."""
    if value is None or isinstance(value, dict | list):
        return ""
    return _NOT_SHOWN.sub(" ", _UNSEEN.sub("", str(value))).strip()[:_LONGEST_TEXT]


def as_number(value: object) -> float | None:
    """Return a foreign number, which may be written as text; None for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None


def word(value: object) -> str:
    """Return a code or state as it is compared: upper case, without surrounding blanks; `1.0` is `1`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return as_text(value).upper()


def bytes_of(text: object) -> bytes:
    """Return the bytes of a base64 text; line ends, blanks, the URL alphabet and lacking padding are taken.

    Raises:
        ValueError: it is no base64 text.

    """
    if not isinstance(text, str):
        raise ValueError("not a text")  # noqa: TRY004  # one error for every text that is no base64
    packed = _SPACE.sub(b"", text.encode("ascii", "replace")).replace(b"-", b"+").replace(b"_", b"/")
    packed = packed.rstrip(b"=")
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def certificate_of(text: object) -> CertificateInfo | None:
    """Return the certificate in a base64 text, with or without PEM's lines; None for what is none."""
    bare = _ARMOUR.sub("", text) if isinstance(text, str) else text
    with suppress(ValueError, UnreadableFileError):
        return CertificateInfo.from_der(bytes_of(bare))
    return None


def raw_value(value: bytes, scheme: SignatureScheme) -> bytes:
    """Return a signature value as XML signatures take it: ECDSA in DER becomes r and s of 32 bytes each.

    Source: RFC 3279, section 2.2.3 (DER); RFC 4050, section 3.3 (r and s).
    """
    if scheme is not SignatureScheme.ECDSA or len(value) == 2 * _HALF:
        return value
    with suppress(ValueError, OverflowError):
        return b"".join(number.to_bytes(_HALF, "big") for number in decode_dss_signature(value))
    return value  # the check against the certificate says what is wrong with it


def signatures_in_order(transaction: SigningTransaction, values: Sequence[object]) -> dict[str, bytes]:
    """Match values that came in the order of the transaction's jobs.

    Args:
        transaction: the transaction.
        values: base64 texts.

    Raises:
        SignatureMismatchError: their number differs from that of the jobs, or one is no base64.

    """
    if len(values) != len(transaction.jobs):
        raise SignatureMismatchError(
            "remote.count",
            reference=transaction.transaction_id,
            expected=len(transaction.jobs),
            got=len(values),
        )
    pairs = zip(transaction.jobs, values, strict=True)
    return {job.document_id: _value(transaction, job, value) for job, value in pairs}


def signatures_by_id(
    transaction: SigningTransaction,
    pairs: Iterable[tuple[str, object]],
    ids: Mapping[str, str] | None = None,
) -> dict[str, bytes]:
    """Match values that came with an id each.

    Args:
        transaction: the transaction.
        pairs: id and base64 text.
        ids: our document id for each id that was sent; None where the document ids themselves were sent.

    Raises:
        SignatureMismatchError: an id is missing, doubled or nobody's, or a value is no base64.

    """
    jobs = {job.document_id: job for job in transaction.jobs}
    own = {name: name for name in jobs} if ids is None else ids
    found: dict[str, bytes] = {}
    reference = transaction.transaction_id
    for name, value in pairs:
        if name not in own:
            raise SignatureMismatchError(
                "signing.unexpected_signature", reference=reference, name=as_text(name)
            )
        if own[name] in found:
            raise SignatureMismatchError("remote.doubled_signature", reference=reference, name=as_text(name))
        found[own[name]] = _value(transaction, jobs[own[name]], value)
    if missing := sorted(jobs.keys() - found.keys()):
        raise SignatureMismatchError(
            "signing.missing_signature", reference=reference, name=missing[0], count=len(missing)
        )
    return found


def _value(transaction: SigningTransaction, job: SigningJob, value: object) -> bytes:
    try:
        return raw_value(bytes_of(value), job.scheme)
    except ValueError:
        raise SignatureMismatchError(
            "remote.not_base64",
            reference=transaction.transaction_id,
            name=job.document_name or job.document_id,
        ) from None
