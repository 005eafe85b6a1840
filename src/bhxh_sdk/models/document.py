"""Documents: finished bytes with a name, before and after signing."""

from __future__ import annotations

import hashlib

from attrs import field, frozen

from bhxh_sdk.models.certificate import CertificateInfo  # noqa: TC001  # attrs and cattrs read the annotations at run time

__all__ = ["Document", "SignedDocument"]


def _shown(content: bytes) -> str:
    return f"<{len(content)} bytes>"


@frozen(kw_only=True)
class Document:
    """Hold a finished document. Its bytes are never changed again.

    Args:
        file_name: the name under which it travels, such as `04_DK-IVAN.xml`.
        content: the exact bytes.
        profile: name of the document profile that it follows.

    """

    file_name: str
    content: bytes = field(repr=_shown)
    profile: str = ""

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


@frozen(kw_only=True)
class SignedDocument(Document):
    """Hold a signed document.

    Args:
        certificate: the signer's certificate; None when a service signed and showed none.
        at: path of the element that holds the signature, such as `Hoso/CKy_Dvi`.

    """

    certificate: CertificateInfo | None = None
    at: str = ""
