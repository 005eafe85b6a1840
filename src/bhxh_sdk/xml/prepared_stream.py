"""A document in a file that waits for its signature value: a plain value without the document."""

from __future__ import annotations

import base64
import operator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.xml.moments import as_written, in_utc
from bhxh_sdk.xml.places import sha256
from bhxh_sdk.xml.saving import restored, saved
from bhxh_sdk.xml.signature_profile import SignatureProfile
from bhxh_sdk.xml.signature_shape import Namespaces, signed_info

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["PreparedStream"]

_VERSION = 1


@frozen(kw_only=True)
class PreparedStream:
    """Hold what is needed to end a document that was written up to its signature's place.

    It holds nothing of the document but its digest, so it is small and says nothing about anybody but the
    signer.

    Args:
        position: how many bytes were written; there the signature goes.
        content_digest: SHA-256 of the canonical form of the document without the signature.
        namespaces: prefix and URI of the declarations on the root, sorted.
        certificate: the signer's certificate.
        at: path of the signature's place; all its elements are the last in theirs.
        signing_time: when it is signed, as written into the signature, UTC.
        profile: shape of the signature.

    """

    position: int
    content_digest: bytes = field(repr=lambda digest: digest.hex())
    namespaces: Namespaces
    certificate: CertificateInfo
    at: str
    signing_time: datetime
    profile: SignatureProfile

    @property
    def signed_info(self) -> bytes:
        """The canonical SignedInfo, for tokens that hash and sign in one go."""
        time = as_written(self.signing_time)
        return signed_info(self.profile, self.namespaces, self.content_digest, time)

    @property
    def digest(self) -> bytes:
        """SHA-256 of SignedInfo: what the key signs."""
        return sha256(self.signed_info)

    @property
    def tail(self) -> bytes:
        """The closing tags that follow the signature."""
        return "".join(f"</{name}>" for name in reversed(self.at.split("/"))).encode()

    def to_bytes(self) -> bytes:
        """Return the value as JSON, for `from_bytes` of this or a later version."""
        data = {
            "position": self.position,
            "content_digest": self.content_digest.hex(),
            "namespaces": [list(pair) for pair in self.namespaces],
            "certificate": base64.b64encode(self.certificate.der).decode(),
            "at": self.at,
            "signing_time": self.signing_time.isoformat(),
            "profile": self.profile.to_dict(),
        }
        return saved(data, _VERSION)

    @classmethod
    def from_bytes(cls, saved: bytes) -> PreparedStream:
        """Read a saved value.

        Args:
            saved: what `to_bytes` gave.

        Raises:
            DocumentError: it is damaged, or of a version that is not known here.

        """
        return cls(**restored(saved, _VERSION, _READERS))


def _namespaces(pairs: Any) -> Namespaces:  # noqa: ANN401  # foreign data
    return tuple((str(prefix), str(uri)) for prefix, uri in pairs)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "position": operator.index,
    "content_digest": bytes.fromhex,
    "namespaces": _namespaces,
    "certificate": lambda text: CertificateInfo.from_der(base64.b64decode(text)),
    "at": str,
    "signing_time": lambda text: in_utc(datetime.fromisoformat(text), "signing_time"),
    "profile": SignatureProfile.from_dict,
}
