"""How each provider of Decision 769 speaks, written down apart from what the client knows of it.

The path `/status` of the decision as written, and the texts for a wrong password or code, are invented: no
source shows them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping  # noqa: TC003  # attrs reads the annotations at run time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from bhxh_sdk.sandbox.remote.desk import DeskState
from bhxh_sdk.sandbox.remote.provider import digest_of, json_reply, line_ends

if TYPE_CHECKING:
    from bhxh_sdk.ports import Reply
    from bhxh_sdk.sandbox.remote.desk import Credential

__all__ = ["WAITING_MESSAGE", "WAYS", "Refusal", "Way", "certificate_entry", "envelope"]

WAITING_MESSAGE = "sig_wait_for_user_confirm"
_SHA256_BYTES = 32
_HEX = re.compile(r"[0-9a-f]{64}")


class Refusal(Exception):  # noqa: N818  # an answer, not a mistake of the sandbox
    """What the provider answers in place of what was asked.

    Args:
        code: `status_code` and HTTP status.
        message: its text.

    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _digest_of_hex(text: object) -> bytes | None:
    return bytes.fromhex(text) if isinstance(text, str) and _HEX.fullmatch(text) else None


def _digest_of_base64(text: object) -> bytes | None:
    """Return a SHA-256 digest; a hexadecimal one is base64 too, of 48 bytes."""
    digest = digest_of(text)
    return digest if digest is not None and len(digest) == _SHA256_BYTES else None


@frozen(kw_only=True)
class Way:
    """What one provider does in its own way.

    Args:
        certificates: path of the list of certificates.
        sign: path of the signing request.
        status: pattern of the path of the question for the result.
        confirm: path of the confirmation by `sad`; empty for none.
        digest: reads a digest; None for what is none.
        is_nested: whether `file_type` and `sign_type` stand in `file_options`.
        status_members: what the question for the result must tell.
        results: name of the list of signatures.
        pending: how a transaction that waits is told; see `Decision769Provider`.
        words: how the states that are told by a message are told; others are never told.
        failed: value of a signature that could not be made; empty for an error 500.
        life: how long a person has to confirm.
        names_list: whether certificates come as `user_certificates`, and their chain as an object.

    """

    certificates: str
    sign: str
    status: str
    confirm: str = ""
    digest: Callable[[object], bytes | None]
    is_nested: bool = False
    status_members: tuple[str, ...]
    results: str = "signatures"
    pending: str
    words: Mapping[DeskState, str] = field(factory=dict, hash=False)
    failed: str = ""
    life: timedelta = timedelta(seconds=300)
    names_list: bool = True


_WORDS = {DeskState.DECLINED: "REJECTED", DeskState.EXPIRED: "EXPIRED"}
_VNPT_STATUS = r"/v1/signatures/sign/(?P<id>[^/]+)/status"
_ALL = ("sp_id", "sp_password", "user_id", "transaction_id")

WAYS = {
    "plain": Way(
        certificates="/get_certificate",
        sign="/sign",
        status="/status",
        digest=_digest_of_hex,
        is_nested=True,
        status_members=_ALL,
        results="signed_files",
        pending="missing",
        words=_WORDS,
        names_list=False,
    ),
    "vnpt": Way(
        certificates="/v1/credentials/get_certificate",
        sign="/v1/signatures/sign",
        status=_VNPT_STATUS,
        digest=_digest_of_hex,
        status_members=("sp_id", "sp_password"),
        pending="message",
        words=_WORDS,
    ),
    "vnpt-th": Way(
        certificates="/v1/credentials/get_certificate",
        sign="/v2/signatures/sign",
        status=_VNPT_STATUS,
        confirm="/v2/signatures/confirm",
        digest=_digest_of_hex,
        status_members=("sp_id", "sp_password"),
        pending="message",
        words=_WORDS,
    ),
    "ca2": Way(
        certificates="/rssp/v2/neac/get_certificate",
        sign="/api/data/sign",
        status="/api/data/status",
        digest=_digest_of_base64,
        status_members=_ALL,
        pending="empty",
        failed="-2",
        life=timedelta(seconds=180),
    ),
}
"""The providers by the name of their dialect. How CA2 tells a refusal or an expiry is unknown: here it never
does."""


def envelope(data: object, message: str = "", code: int = 200, status: int = 0) -> Reply:
    """Return an answer in the envelope.

    Args:
        data: what it holds.
        message: its text.
        code: its `status_code`.
        status: its HTTP status; 0 for the code where that is an error, else 200.

    """
    is_error = code in range(400, 600)
    return json_reply(
        {"status_code": code, "message": message, "data": data}, status or (code if is_error else 200)
    )


def certificate_entry(credential: Credential, kind: str, name: str, way: Way) -> dict[str, Any]:
    """Return a certificate as the provider lists it.

    Args:
        credential: the key.
        kind: `SMARTCA` or `ESEAL`.
        name: the transaction's id of the list request.
        way: how the provider speaks.

    """
    own, *above = (base64.b64encode(item).decode() for item in credential.chain)
    certificate = credential.issued.certificate
    chain: object = {"ca_cert": above[0], "root_cert": None} if way.names_list else above
    return {
        "service_type": kind,
        "service_name": "SmartCA",
        "cert_id": credential.name,
        "cert_status": "Đang hoạt động",
        "serial_number": f"{certificate.serial_number:x}",
        "cert_subject": certificate.subject.rfc4514_string(),
        "cert_valid_from": certificate.not_valid_before_utc.isoformat(),
        "cert_valid_to": certificate.not_valid_after_utc.isoformat(),
        "cert_data": line_ends(own),
        "chain_data": chain,
        "transaction_id": name,
    }
