"""Genuinely signed documents to start from, and a signer by hand that can write any signature at all.

Nothing here uses the package's own writer of signatures, so that a fault there is no blind spot here.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from attacks.owners import Owner, owner
from attrs import evolve

from bhxh_sdk import xml
from bhxh_sdk.models import (
    Agency,
    Attachment,
    Contact,
    DossierEnvelope,
    Ivan,
    Organisation,
    Registration,
)

__all__ = ["DSIG", "Seed", "Shape", "base64_of", "number_of", "seed", "signed"]

DSIG = "http://www.w3.org/2000/09/xmldsig#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = f'<Transform Algorithm="{DSIG}enveloped-signature"></Transform>'
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
TIME = "http://example.org/#signatureProperties"
DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def number_of(value: int) -> str:
    return base64_of(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Say what a signature written by hand looks like; the defaults are the one shape that is accepted."""

    who: Owner | None = None
    inherited: str = ""  # declarations of the ancestors, sorted, as inclusive canonical XML repeats them
    c14n: str = C14N
    method: str = f"{MORE}rsa-sha256"
    method_inside: str = ""
    uri: str = ' URI=""'
    transforms: str = f"<Transforms>{ENVELOPED}</Transforms>"
    digest_method: str = SHA256
    digest: bytes | None = None
    hashed: str = "sha256"
    signing_hash: str = "sha256"
    value: bytes | None = None
    certificate: bytes | None = None
    key_value: str | None = None
    x509: str | None = None
    attributes: str = f' Id="sigid" xmlns="{DSIG}"'
    last: str = (
        '<Object><SignatureProperties Id="proid" xmlns=""><SignatureProperty Target="#sigid">'
        f'<SigningTime xmlns="{TIME}">2026-01-02T03:04:05Z</SigningTime>'
        "</SignatureProperty></SignatureProperties></Object>"
    )

    @property
    def owner(self) -> Owner:
        return owner() if self.who is None else self.who

    def info(self, covered: bytes) -> str:
        """Return SignedInfo over these bytes, without its declarations."""
        digest = hashlib.new(self.hashed, covered, usedforsecurity=False).digest()
        return (
            f'<SignedInfo><CanonicalizationMethod Algorithm="{self.c14n}"></CanonicalizationMethod>'
            f'<SignatureMethod Algorithm="{self.method}">{self.method_inside}</SignatureMethod>'
            f"<Reference{self.uri}>{self.transforms}"
            f'<DigestMethod Algorithm="{self.digest_method}"></DigestMethod>'
            f"<DigestValue>{base64_of(digest if self.digest is None else self.digest)}</DigestValue>"
            "</Reference></SignedInfo>"
        )

    def canonical_info(self, covered: bytes) -> bytes:
        """Return the bytes that the signature value is made over."""
        declared = f'<SignedInfo xmlns="{DSIG}"{self.inherited}>'
        return self.info(covered).replace("<SignedInfo>", declared, 1).encode()

    def element(self, covered: bytes) -> bytes:
        """Return the Signature over these bytes."""
        value = self.value
        if value is None:
            value = self.owner.sign(self.canonical_info(covered), self.signing_hash)
        return (
            f"<Signature{self.attributes}>{self.info(covered)}"
            f"<SignatureValue>{base64_of(value)}</SignatureValue>"
            f"<KeyInfo>{self._key_value()}<X509Data>{self._x509()}</X509Data></KeyInfo>{self.last}</Signature>"
        ).encode()

    def _key_value(self) -> str:
        if self.key_value is not None:
            return self.key_value
        return key_value(self.owner.modulus, self.owner.exponent)

    def _x509(self) -> str:
        if self.x509 is not None:
            return self.x509
        der = self.owner.certificate if self.certificate is None else self.certificate
        return (
            f"<X509SubjectName>CN=VÍ DỤ</X509SubjectName><X509Certificate>{base64_of(der)}</X509Certificate>"
        )


def key_value(modulus: int, exponent: int) -> str:
    """Return a KeyValue."""
    inside = f"<Modulus>{number_of(modulus)}</Modulus><Exponent>{number_of(exponent)}</Exponent>"
    return f"<KeyValue><RSAKeyValue>{inside}</RSAKeyValue></KeyValue>"


@dataclass(frozen=True, kw_only=True)
class Seed:
    """Hold a genuinely signed document in its parts."""

    name: str
    at: str
    before: bytes
    signature: bytes
    after: bytes
    shape: Shape

    @property
    def signed(self) -> bytes:
        return DECLARATION + self.before + self.signature + self.after

    @property
    def content(self) -> bytes:
        """The bytes that were signed."""
        return self.before + self.after

    @property
    def root(self) -> bytes:
        return self.at.split("/")[0].encode()

    @property
    def place(self) -> bytes:
        return self.at.split("/")[1].encode()

    @property
    def inner(self) -> bytes:
        """What stands between the root's tags, before the place."""
        return self.before[self.before.index(b">") + 1 : -len(self.place) - 2]

    @property
    def start(self) -> bytes:
        """The root's start tag."""
        return self.before[: self.before.index(b">") + 1]

    @property
    def end(self) -> bytes:
        return b"</%b>" % self.root

    @property
    def evil(self) -> bytes:
        """What the attacker wants to be read."""
        return self.inner.replace(b"0100109106", b"0123456789")

    def held(self, content: bytes) -> bytes:
        """Put something into the signature's place."""
        return b"<%b>%b</%b>" % (self.place, content, self.place)

    def around(self, *parts: bytes) -> bytes:
        """Put something into a root of the same name."""
        return DECLARATION + self.start + b"".join(parts) + self.end

    def resigned(self, covered: bytes, **changes: object) -> bytes:
        """Return a signature by the seed's signer over these bytes, of its shape but for the changes."""
        return replace(self.shape, **changes).element(covered)  # type: ignore[arg-type]  # named by their tests

    def signed_info(self, **changes: object) -> bytes:
        """Return the canonical SignedInfo of this document with another shape of signature."""
        return replace(self.shape, **changes).canonical_info(self.content)  # type: ignore[arg-type]  # as above

    def made(self, **changes: object) -> bytes:
        """Sign the same document with another shape of signature."""
        return DECLARATION + self.before + self.resigned(self.content, **changes) + self.after


def signed(before: bytes, after: bytes, *, covered: bytes | None = None, **shape: object) -> bytes:
    """Sign raw bytes whatever they are: the digest is right over the bytes, whether or not they are XML."""
    made = Shape(**shape)  # type: ignore[arg-type]  # named by their tests
    return before + made.element(before + after if covered is None else covered) + after


@cache
def seed(name: str) -> Seed:
    """Return a signed document: portal, ivan, envelope, or form (indented, with unused declarations)."""
    at = "D02-TS/Cky" if name == "form" else xml.PLACE
    place = at.split("/")[1].encode()
    content = _CONTENT[name]()
    split = content.index(b"<%b>" % place) + len(place) + 2
    shape = Shape(inherited=_DECLARATIONS if _DECLARATIONS.encode() in content else "")
    return Seed(
        name=name,
        at=at,
        before=content[:split],
        signature=shape.element(content),
        after=content[split:],
        shape=shape,
    )


def _registration() -> Registration:
    return Registration(
        agency=Agency(code="07906", name="BHXH cơ sở Ví Dụ"),
        organisation=Organisation(
            name="CÔNG TY TNHH VÍ DỤ & CON",
            tax_code="0100109106",
            unit_code="TZ0001Z",
            address="Số 1 Đường Ví Dụ",
            phone="0281234567",
        ),
        contact=Contact(
            name="Nguyễn Văn Mẫu", address="Số 2 Ví Dụ", mobile="0912345678", email="hr@example.com"
        ),
    ).dated(date(2026, 1, 2))


def _portal() -> bytes:
    return xml.build(_registration(), "portal-register").content.removeprefix(DECLARATION)


def _ivan() -> bytes:
    return xml.build(through_ivan(_registration())).content.removeprefix(DECLARATION)


def through_ivan(form: Registration) -> Registration:
    """Return the registration made through an I-VAN."""
    return evolve(form, transact_at=Ivan("00099", "Công ty I-VAN Ví Dụ"))


def _envelope() -> bytes:
    envelope = DossierEnvelope(
        ivan=Ivan("00099", "Công ty I-VAN Ví Dụ"),
        organisation_name="CÔNG TY TNHH VÍ DỤ",
        unit_code="TZ0001Z",
        tax_code="0100109106",
        signer_name="Nguyễn Văn Mẫu",
        phone="0281234567",
        agency_code="07906",
        procedure_name="Báo tăng lao động",
        procedure_code="600-595",
        period=date(2026, 1, 17),
        made_on=date(2026, 1, 2),
        files=(
            Attachment(
                file_name="D02-TS.xml", content=b"<a/>", form_code="D02-TS-595", description="Danh sách"
            ),
        ),
    )
    return xml.build_envelope(envelope).content.removeprefix(DECLARATION)


_DECLARATIONS = (
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)


def _form() -> bytes:
    """A foreign program's list of people: indented, with declarations that nothing uses."""
    people = "".join(
        f"\n    <LaoDong>\n      <HoTen>Người Mẫu {number}</HoTen>\n"
        f"      <Luong>{number}</Luong>\n    </LaoDong>"
        for number in range(3)
    )
    return (
        f"<D02-TS{_DECLARATIONS}>\n  <NoiDung>\n    <MaSoThue>0100109106</MaSoThue>{people}\n"
        "  </NoiDung>\n  <Cky></Cky>\n</D02-TS>"
    ).encode()


_CONTENT = {"portal": _portal, "ivan": _ivan, "envelope": _envelope, "form": _form}
SEEDS = tuple(_CONTENT)
