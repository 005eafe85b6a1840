"""Documents that an I-VAN signed after the employer: the later signature is verified first, then the earlier.

Two enveloped signatures over a whole document do not nest: the later one covers the earlier, whose digest was
taken before the later's element came. So what the later one proves is read back to what the earlier signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from bhxh_sdk.errors import InputError, VerificationError
from bhxh_sdk.xml.signature_profile import as_signature_profile
from bhxh_sdk.xml.verification import Verified, verify

if TYPE_CHECKING:
    from bhxh_sdk.xml.signature_profile import SignatureProfile

__all__ = ["CounterSigned", "verify_countersigned"]


@frozen(kw_only=True)
class CounterSigned:
    """Hold what two valid signatures cover.

    Args:
        employer: what the employer signed. Read only its content.
        ivan: what the I-VAN signed: the employer's document with the employer's signature.

    """

    employer: Verified
    ivan: Verified

    @property
    def content(self) -> bytes:
        """The bytes that the employer signed, which the I-VAN's signature covers too."""
        return self.employer.content


def verify_countersigned(
    content: bytes,
    *,
    counter: SignatureProfile | str = "countersignature",
    profile: SignatureProfile | str = "field",
    **expectations: Any,  # noqa: ANN401  # those of `verify`, which names their types
) -> CounterSigned:
    """Verify the counter-signature of an I-VAN, and the employer's signature below it.

    Source: a signing sample of 2020 for the place `Hoso/CKy_iVan`; the XML that I-VANs really write was never
    seen, so the order and the shape are likely, not proven.

    Args:
        content: the document's bytes.
        counter: shape of the counter-signature, or its name; it says whose signature is below.
        profile: shape of the employer's signature, or its name.
        **expectations: for both signatures, as for `verify`: `allow_sha1`, `smallest_key`, `roots`, `moment`,
            `trust`, `evidence`, `size_limit`.

    Raises:
        VerificationError: one of them is not valid; `field` is the place of the one that is not.
        InputError: a parameter is wrong.

    """
    shape = as_signature_profile(counter)
    if len(shape.over) != 1:
        raise InputError("xml.no_countersignature", field="counter", name=shape.name)
    ivan = _verified(content, shape.at, shape, expectations)
    signed = _before(ivan.content, shape)
    return CounterSigned(ivan=ivan, employer=_verified(signed, shape.over[0], profile, expectations))


def _verified(
    content: bytes, at: str, profile: SignatureProfile | str, expectations: dict[str, Any]
) -> Verified:
    try:
        return verify(content, at=at, profile=profile, **expectations)
    except VerificationError as error:
        error.field = error.field or at
        raise


def _before(content: bytes, profile: SignatureProfile) -> bytes:
    """Return the canonical document as it was before the counter-signature's element came.

    The element is the root's child; verification has shown that no other child has its name, and in canonical
    bytes no text can look like it.
    """
    name = profile.at.rpartition("/")[2].encode()
    before, _, after = content.rpartition(b"<%b></%b>" % (name, name))
    return before + after
