"""A document that waits for its signature value: a plain value that another process can complete."""

from __future__ import annotations

import base64
import operator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.xml.moments import in_utc
from bhxh_sdk.xml.places import sha256
from bhxh_sdk.xml.saving import restored, saved
from bhxh_sdk.xml.signature_profile import SignatureProfile, signature_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["PreparedSignature"]

_VERSION = 2


def _shown(content: bytes) -> str:
    return f"<{len(content)} bytes>"


@frozen(kw_only=True)
class PreparedSignature:
    """Hold a document that waits for its signature value.

    Args:
        document: the document's bytes, with the signature's place opened.
        position: where in them the signature goes.
        content_digest: SHA-256 of the document's canonical form.
        signed_info: the canonical SignedInfo, for tokens that hash and sign in one go.
        certificate: the signer's certificate; None where it comes only with the signature value.
        at: path of the signature's place.
        signing_time: when it is signed, as written into the signature, UTC.
        profile: shape of the signature.

    """

    document: bytes = field(repr=_shown)
    position: int
    content_digest: bytes = field(repr=lambda digest: digest.hex())
    signed_info: bytes = field(repr=_shown)
    certificate: CertificateInfo | None
    at: str
    signing_time: datetime
    profile: SignatureProfile = field(factory=lambda: signature_profile("field"))
    _intact: bool = field(default=False, init=False, eq=False, repr=False)

    @property
    def is_intact(self) -> bool:
        """Whether it is the very value that `prepare` gave, not one changed, copied by hand or read back."""
        return self._intact

    @property
    def digest(self) -> bytes:
        """SHA-256 of SignedInfo: what the key signs."""
        return sha256(self.signed_info)

    def to_bytes(self) -> bytes:
        """Return the value as JSON, for `from_bytes` of this or a later version."""
        return saved(
            {
                "document": base64.b64encode(self.document).decode(),
                "position": self.position,
                "content_digest": self.content_digest.hex(),
                "signed_info": base64.b64encode(self.signed_info).decode(),
                "certificate": base64.b64encode(self.certificate.der if self.certificate else b"").decode(),
                "at": self.at,
                "signing_time": self.signing_time.isoformat(),
                "profile": self.profile.to_dict(),
            },
            _VERSION,
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> PreparedSignature:
        """Read a saved value.

        Args:
            content: what `to_bytes` gave.

        Raises:
            DocumentError: it is damaged, or of a version that is not known here.

        """
        return cls(**restored(content, _VERSION, _READERS))


def _moment(text: str) -> datetime:
    return in_utc(datetime.fromisoformat(text), "signing_time")


def _certificate(text: str) -> CertificateInfo | None:
    return CertificateInfo.from_der(base64.b64decode(text)) if text else None


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "document": base64.b64decode,
    "position": operator.index,
    "content_digest": bytes.fromhex,
    "signed_info": base64.b64decode,
    "certificate": _certificate,
    "at": str,
    "signing_time": _moment,
    "profile": SignatureProfile.from_dict,
}
