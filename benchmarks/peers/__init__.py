"""Other makers of XML signatures, one module each: what ours are checked against and measured beside.

Programs (`java`, `mono`, `xmlsec_program`) work on folders, one process for many files, and take the key out
of the document. Libraries (`python_xmlsec`, `with_signxml`, `bergshamra`) work in this process, from bytes to
bytes, and know the signer's certificate. All sign in the field's shape.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["DSIG", "Answer", "Library", "SigningKey", "answers", "template", "time_object", "with_signature"]

DSIG = "http://www.w3.org/2000/09/xmldsig#"
_C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """Hold a key and its certificate in every form that a peer asks for.

    Args:
        pkcs12: a file with key and certificate, without a chain, encrypted as older programs expect.
        password: the file's password.
        key_pem: the same key, PKCS#8 without encryption.
        certificate: the certificate in DER.
        subject: what is written as X509SubjectName.

    """

    pkcs12: Path
    password: str
    key_pem: bytes = field(repr=False)
    certificate: bytes = field(repr=False)
    subject: str


@dataclass(frozen=True)
class Answer:
    """Say what a verifier made of a file: `ok`, `bad` or `error`, and why."""

    verdict: str
    reason: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the file is validly signed."""
        return self.verdict == "ok"


class Library(Protocol):
    """A peer in this process."""

    def sign(self, content: bytes, at: str) -> bytes:
        """Return the document signed in the field's shape at the path, such as `Hoso/CKy_Dvi`."""
        ...

    def verify(self, content: bytes) -> bool:
        """Tell whether the document's one signature is valid."""
        ...


def answers(lines: str) -> Mapping[str, Answer]:
    """Read what a program printed: a line for each file with name, verdict and reason, tabs between."""
    rows = (line.split("\t") for line in lines.splitlines())
    return {name: Answer(verdict, reason) for name, verdict, reason in rows}


def with_signature(content: bytes, at: Sequence[str] | str, signature: bytes) -> bytes:
    """Put a Signature element into the empty element at the first path that the document has."""
    for path in [at] if isinstance(at, str) else at:
        name = path.rpartition("/")[2].encode()
        # Begins with a literal, which is searched for quickly: the search must not count in a peer's time.
        found = re.findall(rb"<%b(?:>\s*</%b>|\s*/>)" % (re.escape(name), re.escape(name)), content)
        if len(found) == 1:
            return content.replace(found[0], b"<%b>%b</%b>" % (name, signature, name))
    raise ValueError(f"not exactly one empty place: {at}")


def time_object(moment: str) -> str:
    """Return the Object with the signing time, which no Reference protects."""
    return (
        '<Object><SignatureProperties Id="proid" xmlns=""><SignatureProperty Target="#sigid">'
        f'<SigningTime xmlns="http://example.org/#signatureProperties">{moment}</SigningTime>'
        "</SignatureProperty></SignatureProperties></Object>"
    )


def template(key: SigningKey, moment: str, key_value: str = "") -> bytes:
    """Return a Signature in the field's shape whose digest, value, key and certificate are still empty.

    Args:
        key: who will sign.
        moment: the signing time, `yyyy-MM-ddTHH:mm:ssZ`.
        key_value: what KeyValue holds, for a library that does not fill it.

    """
    return (
        f'<Signature Id="sigid" xmlns="{DSIG}"><SignedInfo><CanonicalizationMethod Algorithm="{_C14N}"/>'
        f'<SignatureMethod Algorithm="{_RSA_SHA256}"/><Reference URI=""><Transforms>'
        f'<Transform Algorithm="{DSIG}enveloped-signature"/></Transforms>'
        f'<DigestMethod Algorithm="{_SHA256}"/><DigestValue/></Reference></SignedInfo><SignatureValue/>'
        f"<KeyInfo><KeyValue>{key_value}</KeyValue><X509Data><X509SubjectName>{escape(key.subject)}</X509SubjectName>"
        f"<X509Certificate/></X509Data></KeyInfo>{time_object(moment)}</Signature>"
    ).encode()
