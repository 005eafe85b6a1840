"""Signing transactions as plain JSON data, to go on after a restart. No secret is among them."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bhxh_sdk.errors import InputError
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.signers.contract import HashName, SigningJob, SigningState, SigningTransaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["TRANSACTION_VERSION", "transaction_from_dict", "transaction_to_dict"]

TRANSACTION_VERSION = 2

_BEFORE = 1
_NEW_MEMBERS: Mapping[str, Any] = {
    "jobs": [],
    "certificate": "",
    **dict.fromkeys(("stage", "account", "failure", "reason_code", "reason_name"), ""),
}
"""What version 1 did not have."""


def transaction_to_dict(transaction: SigningTransaction) -> dict[str, Any]:
    """Return a transaction as JSON data that `transaction_from_dict` reads back to an equal value."""
    signatures = {name: base64.b64encode(value).decode() for name, value in transaction.signatures.items()}
    return {
        "version": TRANSACTION_VERSION,
        "transaction_id": transaction.transaction_id,
        "backend": transaction.backend,
        "state": transaction.state.value,
        "key_id": transaction.key_id,
        "provider_id": transaction.provider_id,
        "jobs": [_job_data(job) for job in transaction.jobs],
        "stage": transaction.stage,
        "signatures": signatures,
        "certificate": base64.b64encode(transaction.certificate).decode(),
        "account": transaction.account,
        "deadline": None if transaction.deadline is None else transaction.deadline.isoformat(),
        "poll_after_seconds": transaction.poll_after_seconds,
        "show": transaction.show,
        "failure": transaction.failure,
        "reason_code": transaction.reason_code,
        "reason_name": transaction.reason_name,
        "reason": transaction.reason,
    }


def _job_data(job: SigningJob) -> dict[str, str]:
    return {
        "document_id": job.document_id,
        "digest": job.digest.hex(),
        "hash_name": job.hash_name.value,
        "document_name": job.document_name,
        "file_type": job.file_type,
        "scheme": job.scheme.value,
    }


def transaction_from_dict(data: Mapping[str, Any]) -> SigningTransaction:
    """Make a transaction from what `transaction_to_dict` gave, in this version or the one before.

    Raises:
        InputError: the data is of another version, or a member is missing or not what it should be; `field`
            names it.

    """
    version = data.get("version")
    if version == _BEFORE:
        data = {**_NEW_MEMBERS, **data}
    elif version != TRANSACTION_VERSION:
        raise InputError(
            "signing.transaction_version", field="version", expected=TRANSACTION_VERSION, got=str(version)
        )
    return SigningTransaction(**{name: _member(data, name, reader) for name, reader in _READERS.items()})


def _member(data: Mapping[str, Any], name: str, reader: Callable[[Any], object]) -> Any:  # noqa: ANN401  # the readers make each member's own type
    try:
        return reader(data[name])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("signing.transaction_broken", field=name) from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise TypeError
    return float(value)


def _deadline(value: object) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _bytes(value: object) -> bytes:
    return base64.b64decode(_text(value), validate=True)


def _jobs(value: object) -> tuple[SigningJob, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(SigningJob(**{name: reader(job[name]) for name, reader in _JOB.items()}) for job in value)


def _signatures(value: object) -> dict[str, bytes]:
    if not isinstance(value, dict):
        raise TypeError
    return {_text(name): _bytes(text) for name, text in value.items()}


_JOB: Mapping[str, Callable[[Any], Any]] = {
    "document_id": _text,
    "digest": bytes.fromhex,
    "hash_name": HashName,
    "document_name": _text,
    "file_type": _text,
    "scheme": SignatureScheme,
}

_READERS: Mapping[str, Callable[[Any], object]] = {
    "transaction_id": _text,
    "backend": _text,
    "state": SigningState,
    "key_id": _text,
    "provider_id": _text,
    "jobs": _jobs,
    "stage": _text,
    "signatures": _signatures,
    "certificate": _bytes,
    "account": _text,
    "deadline": _deadline,
    "poll_after_seconds": _seconds,
    "show": _text,
    "failure": _text,
    "reason_code": _text,
    "reason_name": _text,
    "reason": _text,
}
