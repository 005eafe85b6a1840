"""Forms signed in one go with a key at hand: what every form repeats is laid ready once.

The bytes are those of `prepare_form` and `complete`. Between building and signing nothing waits, so there is
no prepared value to keep, and nothing of a certificate is read again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.xml.forms import check_profile
from bhxh_sdk.xml.moments import as_written, in_utc
from bhxh_sdk.xml.places import sha256
from bhxh_sdk.xml.signature import usable_key
from bhxh_sdk.xml.signature_shape import base64_of, key_info, signature_pieces, signed_info_around
from bhxh_sdk.xml.writer import DECLARATION
from bhxh_sdk.xml.writing import write_body

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bhxh_sdk.models import CertificateInfo, Registration
    from bhxh_sdk.xml.document_profile import DocumentProfile
    from bhxh_sdk.xml.signature_profile import SignatureProfile

__all__ = ["FormSigning"]


@frozen(kw_only=True, eq=False)
class FormSigning:
    """Hold what every signed form of one profile, one shape and one certificate repeats; make it with `of`.

    Args:
        profile: the document profile.
        certificate: the signer's certificate.
        info: what stands in SignedInfo before the digest, and behind it.
        head: the start of the signature, up to the digest.
        middle: what follows the digest, up to the signature value.
        key: what follows the signature value, up to the time.
        has_time: whether a time is written.
        tail: the rest of the signature and of the document.
        ending: how many bytes of the unsigned document stand behind the signature's place.

    """

    profile: DocumentProfile
    certificate: CertificateInfo
    info: tuple[bytes, bytes]
    head: bytes
    middle: bytes
    key: bytes
    has_time: bool
    tail: bytes
    ending: int

    @classmethod
    def of(
        cls, profile: DocumentProfile, shape: SignatureProfile, certificate: CertificateInfo
    ) -> FormSigning | None:
        """Lay ready what forms repeat; None for a shape that has to go the long way.

        Raises:
            CertificateUnusableError: as `bhxh_sdk.xml.prepare`.

        """
        usable_key(certificate, shape)
        # Libraries do not check an ECDSA value before they give it out: `complete` does.
        if shape.is_exclusive or shape.over or shape.scheme is SignatureScheme.ECDSA:
            return None
        if shape.signing_time == "protected":
            return None
        check_profile(profile, shape)
        head, middle, time_before, time_after = signature_pieces(shape)
        ending = f"</{profile.signature_element}></{profile.root}>".encode()
        return cls(
            profile=profile,
            certificate=certificate,
            info=signed_info_around(shape, tuple(sorted(profile.namespaces)), None),
            head=head,
            middle=middle,
            key=b"</SignatureValue>" + key_info(shape, certificate.subject, certificate.der) + time_before,
            has_time=bool(time_before),
            tail=time_after + ending,
            ending=len(ending),
        )

    def signed(self, form: Registration, moment: datetime, sign: Callable[[bytes], bytes]) -> bytes:
        """Return a signed form.

        Args:
            form: the registration, dated; the profile fits it.
            moment: when it is signed, with its zone.
            sign: makes the signature value of a digest by SHA-256, known to fit the certificate.

        Raises:
            InputError: as `bhxh_sdk.xml.build`, or the time has no zone.

        """
        time = as_written(in_utc(moment, "signing_time")).encode() if self.has_time else b""
        body = write_body(self.profile, form, self.certificate)
        before, after = self.info
        digest = base64_of(sha256(body))
        value = sign(sha256(b"%b%b%b" % (before, digest, after)))
        return b"".join(
            (
                DECLARATION,
                body[: -self.ending],
                self.head,
                digest,
                self.middle,
                base64_of(value),
                self.key,
                time,
                self.tail,
            )
        )
