"""What a caller demands of a certificate: whom to trust, and how much must be proven."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import Enum

from attrs import field, frozen

from bhxh_sdk.errors import InputError, UnreadableFileError, WrongTypeError
from bhxh_sdk.models import CertificateInfo

__all__ = ["RevocationMode", "TrustPolicy"]


class RevocationMode(Enum):
    """What becomes of a certificate whose revocation nobody can tell.

    Attributes:
        REQUIRE: it is refused. The default: unknown is not good.
        SOFT: it is accepted, and the report says that it is unknown. A certificate known to be revoked is
            refused all the same.
        OFF: revocation is not looked at, and the report says so.

    """

    REQUIRE = "require"
    SOFT = "soft"
    OFF = "off"


def _roots(given: Iterable[bytes]) -> tuple[bytes, ...]:
    return _certificates(given, "roots")


def _intermediates(given: Iterable[bytes]) -> tuple[bytes, ...]:
    return _certificates(given, "intermediates")


def _certificates(given: object, name: str) -> tuple[bytes, ...]:
    if isinstance(given, bytes | str) or not isinstance(given, Iterable):
        raise WrongTypeError(field=name, expected="Iterable", got=type(given).__name__)
    return tuple(_checked(der, f"{name}[{number}]") for number, der in enumerate(given))


def _checked(der: bytes, name: str) -> bytes:
    try:
        return CertificateInfo.from_der(der).der
    except UnreadableFileError:
        raise InputError("trust.not_a_certificate", field=name) from None


def _mode(given: RevocationMode | str) -> RevocationMode:
    try:
        return RevocationMode(given)
    except ValueError:
        known = ", ".join(mode.value for mode in RevocationMode)
        raise InputError("trust.unknown_mode", field="revocation", known=known) from None


def _bits(given: int) -> int:
    if not isinstance(given, int):
        raise WrongTypeError(field="smallest_key", expected="int", got=type(given).__name__)
    return given


def _span(given: timedelta) -> timedelta:
    if not isinstance(given, timedelta):
        raise WrongTypeError(field="clock_skew", expected="timedelta", got=type(given).__name__)
    return abs(given)


@frozen(kw_only=True)
class TrustPolicy:
    """Say whom to trust, and how much must be proven.

    Args:
        roots: the certificates trusted to begin a path, in DER: usually an authority's root, but an issuing
            authority or the signer's own certificate is possible. None is shipped; Vietnam's are published by
            the national root authority.
        intermediates: certificates in DER that may lie between a root and the signer. They are trusted for
            nothing by themselves.
        revocation: what to do about revocation: `require`, `soft` or `off`.
        smallest_key: fewest bits of an RSA key anywhere in the path.
        allow_sha1: accept certificates, lists and answers that are signed with SHA-1, for paths below
            authorities of the years before 2015.
        clock_skew: by how much clocks of authorities and this machine may differ when the age of a list or
            an answer is judged. It never lengthens a certificate's validity.

    Raises:
        InputError: a certificate is not one (`field` names it), or a value is wrong.

    """

    roots: tuple[bytes, ...] = field(converter=_roots, repr=False)
    intermediates: tuple[bytes, ...] = field(default=(), converter=_intermediates, repr=False)
    revocation: RevocationMode = field(default=RevocationMode.REQUIRE, converter=_mode)
    smallest_key: int = field(default=2048, converter=_bits)
    allow_sha1: bool = False
    clock_skew: timedelta = field(default=timedelta(minutes=5), converter=_span)
