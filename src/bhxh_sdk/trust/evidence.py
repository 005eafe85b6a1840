"""Evidence: what the authorities said about a path, kept so that it can be judged again without them."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from bhxh_sdk.errors import InputError, VerificationError, WrongTypeError

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["Evidence", "Failure", "OcspAnswer", "RevocationList"]

_FORMAT = "bhxh-sdk evidence 1"


@frozen(kw_only=True)
class RevocationList:
    """Hold a revocation list.

    Args:
        content: the list in DER.
        source: the address that it came from; empty when the caller supplied it.
        certificate: SHA-256 of the certificate that names the list, in hexadecimal; empty for any.

    """

    content: bytes = field(repr=False)
    source: str = ""
    certificate: str = ""


@frozen(kw_only=True)
class OcspAnswer:
    """Hold an OCSP responder's answer.

    Args:
        content: the OCSPResponse in DER (RFC 6960).
        source: the responder's address; empty when the caller supplied it.
        certificate: SHA-256 of the certificate that was asked about, in hexadecimal; empty when it may be
            about any.

    """

    content: bytes = field(repr=False)
    source: str = ""
    certificate: str = ""


@frozen(kw_only=True)
class Failure:
    """Remember a source that gave nothing usable.

    Args:
        source: the address.
        certificate: SHA-256 of the certificate that was asked about, in hexadecimal.
        code: code of the error; it has a text in the message catalogue.

    """

    source: str
    certificate: str
    code: str


def _instant(given: datetime) -> datetime:
    if not isinstance(given, datetime):
        raise WrongTypeError(field="gathered_at", expected="datetime", got=type(given).__name__)
    if given.utcoffset() is None:
        raise InputError("trust.no_zone", field="gathered_at")
    return given


@frozen(kw_only=True)
class Evidence:
    """Hold what was known about a path at one time.

    Keep its bytes with the document. Nobody signs the bytes: whoever can change them can leave out an answer,
    but cannot make one up, and `gathered_at` is the keeper's word. Keep them where the document's record is
    kept.

    Args:
        gathered_at: when the sources were asked, with its zone; the age of lists and answers counts from it.
        certificates: the certificates of the path between signer and root, in DER.
        lists: revocation lists.
        answers: OCSP answers.
        failures: sources that gave nothing usable.

    """

    gathered_at: datetime = field(converter=_instant)
    certificates: tuple[bytes, ...] = field(default=(), repr=False)
    lists: tuple[RevocationList, ...] = ()
    answers: tuple[OcspAnswer, ...] = ()
    failures: tuple[Failure, ...] = ()

    def to_bytes(self) -> bytes:
        """Return the evidence as JSON with a SHA-256 that shows damage; the same evidence, the same bytes."""
        facts = _converter().unstructure(self)
        return json.dumps({"format": _FORMAT, "sha256": _digest(facts), "facts": facts}, indent=1).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Evidence:
        """Read what `to_bytes` wrote.

        Raises:
            VerificationError: the bytes are damaged, or something else; `reason` is `evidence-damaged`.

        """
        try:
            kept = json.loads(content)
            if kept["format"] == _FORMAT and kept["sha256"] == _digest(kept["facts"]):
                return _converter().structure(kept["facts"], cls)
        except Exception as error:  # foreign bytes: whatever they cause below, they are no evidence
            raise _damaged() from error
        raise _damaged()


def _damaged() -> VerificationError:
    return VerificationError("trust.evidence_damaged", reason="evidence-damaged")


def _digest(facts: Any) -> str:  # noqa: ANN401  # any JSON value
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _converter() -> Converter:
    from cattrs.preconf.json import make_converter  # noqa: PLC0415  # slow to import, and seldom needed

    return make_converter(forbid_extra_keys=True)
