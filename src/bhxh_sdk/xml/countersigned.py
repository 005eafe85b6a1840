"""Documents that an I-VAN signed after the employer: the later signature is verified first, then the earlier.

Two enveloped signatures over a whole document do not nest: the later one covers the earlier, whose digest was
taken before the later's element came. So what the later one proves is read back to what the earlier signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from bhxh_sdk.errors import InputError, VerificationError
from bhxh_sdk.xml.places import element_at
from bhxh_sdk.xml.reader import parsed
from bhxh_sdk.xml.signature import opened_place
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
    employer = _employers(ivan.content, shape, profile, expectations)
    return CounterSigned(ivan=ivan, employer=employer)


def _employers(
    content: bytes, counter: SignatureProfile, profile: SignatureProfile | str, expectations: dict[str, Any]
) -> Verified:
    """Verify the earlier signature, whether the later one's element came with it or stood there, empty."""
    try:
        return _verified(_before(content, counter), counter.over[0], profile, expectations)
    except VerificationError as error:
        if error.reason != "content-changed":
            raise
        try:
            return _verified(content, counter.over[0], profile, expectations)
        except VerificationError:
            raise error from None


def _verified(
    content: bytes, at: str, profile: SignatureProfile | str, expectations: dict[str, Any]
) -> Verified:
    try:
        return verify(content, at=at, profile=profile, **expectations)
    except VerificationError as error:
        error.field = error.field or at
        raise


def _before(content: bytes, profile: SignatureProfile) -> bytes:
    """Return the canonical document as it was before the counter-signature's element came."""
    root = parsed(content, size_limit=len(content))
    length = len(profile.at.rpartition("/")[2].encode())
    _, inside = opened_place(content, root, element_at(root, profile.at), profile.at)
    return content[: inside - length - 2] + content[inside + length + 3 :]
