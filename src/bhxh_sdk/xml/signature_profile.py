"""The signature profile: the exact shape of a signature, as a value read from data.

A profile is written byte by byte and accepted byte by byte; two profiles are never mixed. The shipped ones
are listed in `data/signatures.toml`, each with how well it is proven.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from attrs import field, fields, frozen

from bhxh_sdk.errors import InputError, WrongTypeError
from bhxh_sdk.models import Certainty, SignatureScheme

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "PLACE",
    "SignatureProfile",
    "as_signature_profile",
    "place_of",
    "signature_profile",
    "signature_profiles",
]

PLACE = "Hoso/CKy_Dvi"
"""Where the employer signs registrations and envelopes."""

_ID = re.compile("[A-Za-z_][A-Za-z0-9_.-]{0,80}")
_CANONICALISATIONS = ("inclusive", "exclusive")
_SIGNING_TIMES = ("unprotected", "protected", "none")


def _one_of(*known: str) -> Any:  # noqa: ANN401  # the type of attrs validators is not exported
    def check(_instance: object, attribute: Any, value: object) -> None:  # noqa: ANN401  # as above
        if value not in known:
            raise InputError(
                "xml.signature_profile_value",
                field=attribute.name,
                value=str(value)[:40],
                known=", ".join(known),
            )

    return check


def _is_id(_instance: object, attribute: Any, value: object) -> None:  # noqa: ANN401  # as above
    if not isinstance(value, str) or (value and not _ID.fullmatch(value)):
        raise InputError("xml.signature_profile_id", field=attribute.name, value=str(value)[:40])


def _as_scheme(value: SignatureScheme | str) -> SignatureScheme:
    try:
        return SignatureScheme(value)
    except ValueError as error:
        known = ", ".join(scheme.value for scheme in SignatureScheme)
        raise InputError(
            "xml.signature_profile_value", field="scheme", value=str(value)[:40], known=known
        ) from error


@frozen(kw_only=True, cache_hash=True)
class SignatureProfile:
    """Describe one shape of signature. Change a shipped one with `attrs.evolve`.

    Args:
        name: the profile's name.
        title: what it is, in words.
        at: path of the element that holds the signature unless the caller names another.
        over: paths of signatures that may stand in the document already and are signed with it.
        signature_id: Id of the Signature element.
        properties_id: Id of SignatureProperties; empty for none.
        time_id: Id of the Object that holds the time; needed for a protected time.
        canonicalisation: `inclusive` or `exclusive` Canonical XML 1.0.
        scheme: the signature algorithm, always with SHA-256.
        key_value: whether KeyValue is written; only RSA keys have one here.
        subject_name: whether X509SubjectName is written.
        signing_time: `unprotected` in an Object that nothing refers to, `protected` by a second Reference,
            or `none`.
        certainty: how well the shape is proven.
        note: what is known about it.

    Raises:
        InputError: a value is none of the known ones, or an Id is not one.

    """

    name: str
    title: str = ""
    at: str = PLACE
    over: tuple[str, ...] = field(default=(), converter=tuple)
    signature_id: str = field(default="sigid", validator=_is_id)
    properties_id: str = field(default="proid", validator=_is_id)
    time_id: str = field(default="", validator=_is_id)
    canonicalisation: str = field(default="inclusive", validator=_one_of(*_CANONICALISATIONS))
    scheme: SignatureScheme = field(default=SignatureScheme.RSA_PKCS1, converter=_as_scheme)
    key_value: bool = True
    subject_name: bool = True
    signing_time: str = field(default="unprotected", validator=_one_of(*_SIGNING_TIMES))
    certainty: Certainty = field(default=Certainty.UNKNOWN, converter=Certainty)
    note: str = ""

    def __attrs_post_init__(self) -> None:
        named = [own for own in (self.signature_id, self.properties_id, self.time_id) if own]
        if len(named) != len(set(named)):
            raise InputError("xml.signature_profile_id", field="properties_id", value=self.properties_id)
        needed = ("signature_id", "time_id") if self.signing_time == "protected" else ("signature_id",)
        for name in needed:
            if not getattr(self, name):
                raise InputError("xml.signature_profile_id", field=name, value="")

    @property
    def ids(self) -> frozenset[str]:
        """The identifiers that its signature brings into a document."""
        return frozenset({self.signature_id, self.properties_id, self.time_id} - {""})

    @property
    def is_exclusive(self) -> bool:
        """Whether it canonicalises exclusively."""
        return self.canonicalisation == "exclusive"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, for `from_dict`."""
        plain = {own.name: getattr(self, own.name) for own in fields(SignatureProfile)}
        return {
            **plain,
            "over": list(self.over),
            "scheme": self.scheme.value,
            "certainty": self.certainty.value,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SignatureProfile:
        """Read what `to_dict` gave.

        Raises:
            InputError: a key is unknown or missing, or a value is impossible.

        """
        try:
            return cls(**data)
        except (TypeError, ValueError) as error:
            raise InputError("xml.signature_profile_data", field="profile") from error


@cache
def signature_profiles() -> tuple[SignatureProfile, ...]:
    """Return the shipped signature profiles; the first is the default."""
    text = resources.files("bhxh_sdk.xml").joinpath("data", "signatures.toml").read_text(encoding="utf-8")
    return tuple(SignatureProfile(name=name, **table) for name, table in tomllib.loads(text).items())


@cache
def signature_profile(name: str) -> SignatureProfile:
    """Return a shipped signature profile.

    Args:
        name: such as `field` or `referenced-time`.

    Raises:
        InputError: there is no such profile.

    """
    known = {profile.name: profile for profile in signature_profiles()}
    if name not in known:
        raise InputError(
            "xml.unknown_signature_profile", field="profile", name=str(name)[:40], known=", ".join(known)
        )
    return known[name]


def as_signature_profile(profile: SignatureProfile | str) -> SignatureProfile:
    """Return the profile itself, or the shipped one of that name.

    Raises:
        WrongTypeError: it is neither a profile nor a name.
        InputError: there is no profile of that name.

    """
    if isinstance(profile, SignatureProfile):
        return profile
    if not isinstance(profile, str):
        raise WrongTypeError(field="profile", expected="SignatureProfile", got=type(profile).__name__)
    return signature_profile(profile)


def place_of(profile: SignatureProfile, at: str | None) -> str:
    """Return the path of a signature: the one given, or the profile's.

    Raises:
        WrongTypeError: the one given is no text.

    """
    if at is None:
        return profile.at
    if not isinstance(at, str):
        raise WrongTypeError(field="at", expected="str", got=type(at).__name__)
    if not at.isprintable():  # and so without a surrogate, which has no UTF-8
        raise InputError("xml.not_a_path", field="at", value=ascii(at)[:80])
    return at
