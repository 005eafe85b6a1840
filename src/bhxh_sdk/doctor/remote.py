"""Checks of a remote signer: profile, secrets, the way to the provider, and what it lists.

Nothing is started: no phone rings, and neither a PIN nor a one-time code is sent.
"""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import evolve

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.doctor.making import Maker
from bhxh_sdk.doctor.values import Check, CheckState
from bhxh_sdk.errors import (
    BhxhError,
    NotSentError,
    PersonNeededError,
    UnexpectedReplyError,
    UnknownOutcomeError,
)
from bhxh_sdk.messages import Term
from bhxh_sdk.ports import Request
from bhxh_sdk.remote_errors import ProviderRequestError
from bhxh_sdk.signers.remote.opening import KINDS, open_profile, profile_of, protocol_of
from bhxh_sdk.signers.remote.profile import dialect_names
from bhxh_sdk.signers.remote.secrets import ONCE, ProviderSecrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bhxh_sdk.ports import Clock, Reply, Sender
    from bhxh_sdk.signers import SignerAddress, SigningCertificate
    from bhxh_sdk.signers.remote import RemoteProfile, RemoteSigner
    from bhxh_sdk.signers.remote.protocol import RemoteProtocol

__all__ = ["REMOTE", "RemoteVisit"]

REMOTE = frozenset(KINDS)
"""The schemes of remote signers."""

_WITHHELD = ONCE | {"totp_secret", "authorization_code"}
"""Secrets that are good for one signature or one log-in; the doctor uses none up."""

_CSC_VERSION = re.compile(r"/csc/v(?P<version>[12])/?$")
"""How the address of a CSC service ends: with its version."""

_NO_TLS = frozenset({"HTTP_REQUEST", "RECORD_LAYER_FAILURE", "WRONG_VERSION_NUMBER"})
"""What TLS says of an answer that is none of TLS."""

_PATIENCE_SECONDS = 10
_SKEW_SECONDS = 60


class RemoteVisit:
    """One visit to a provider.

    Args:
        address: the signer's address.
        clock: time.
        senders: makes what sends requests.

    Attributes:
        name: the profile, for people.
        listed: the certificates that the provider lists; None where it could not be asked.

    """

    def __init__(self, address: SignerAddress, clock: Clock, senders: Callable[..., Sender]) -> None:
        self.name = f"{address.scheme}:{address.path}"
        self.listed: Sequence[SigningCertificate] | None = None
        self._address = address
        self._clock = clock
        self._senders = senders
        self._sent: _Recorded | None = None

    def checks(self) -> Iterator[Check]:
        """Go through everything up to the list of certificates; what failed leaves the rest out."""
        try:
            profile = profile_of(self._address)
            protocol = protocol_of(profile)
        except BhxhError as error:
            yield _failed("profile", error)
            return
        yield self._of_profile(profile, protocol)
        yield from self._of_dialect(profile, protocol)
        secrets = tuple(_secret_checks(profile))
        yield from secrets
        try:
            signer = self._opened(profile)
        except BhxhError as error:
            yield _failed("profile", error)
            return
        try:
            ways = tuple(map(self._reached, _one_per_host(protocol.addresses)))
            yield from ways
            yield from self._list(signer, (*(check for check in secrets if _matters(check)), *ways), profile)
        finally:
            signer.close()
        if self.listed is not None and not self.listed:
            yield self._of_no_certificates(comes_later=not protocol.capabilities.knows_certificate_first)

    def clock_checks(self) -> Iterator[Check]:
        """Compare the provider's clock with this machine's, where an answer told its time."""
        apart = None if self._sent is None else self._sent.apart
        if apart is None:
            return
        make = Maker("server_clock", self.name)
        if apart > _SKEW_SECONDS:
            yield make.warning("apart", seconds=apart)
        else:
            yield make.ok(seconds=apart)

    def _of_profile(self, profile: RemoteProfile, protocol: RemoteProtocol) -> Check:
        dialect = profile.dialect or Term("doctor.profile.usual")
        hosts = ", ".join(sorted({_host(url) for url in protocol.addresses}))
        facts = {"name": self.name, "kind": profile.kind, "dialect": dialect, "hosts": hosts}
        return Maker("profile", self.name).ok(**facts)

    def _of_dialect(self, profile: RemoteProfile, protocol: RemoteProtocol) -> Iterator[Check]:
        """Compare the version that an address of CSC ends with to that of the dialect."""
        spoken = "2" if profile.dialect == "v2" else "1"
        ends = map(_CSC_VERSION.search, protocol.addresses if profile.kind == "csc" else ())
        told = {end["version"] for end in ends if end}
        if told - {spoken}:
            dialect = profile.dialect or Term("doctor.profile.usual")
            (version,) = told - {spoken}
            yield Maker("profile", self.name).warning("other_version", dialect=dialect, version=version)

    def _of_no_certificates(self, *, comes_later: bool) -> Check:
        make = Maker("certificates", self.name)
        if comes_later:
            return make.skipped("with_signature", name=self.name)
        return make.failed("none_remote", name=self.name)

    def _opened(self, profile: RemoteProfile) -> RemoteSigner:
        """Open the signer without what is good for one use only; nobody is asked."""
        kept = {name: place for name, place in profile.places.items() if name not in _WITHHELD}

        def recorded(clock: Clock, **options: Any) -> _Recorded:  # noqa: ANN401  # as above
            self._sent = _Recorded(self._senders(clock, **options), clock)
            return self._sent

        return open_profile(evolve(profile, places=kept), clock=self._clock, senders=recorded)

    def _reached(self, url: str) -> Check:
        """Ask for the page at an address: whatever is answered, the way is free."""
        assert self._sent is not None  # noqa: S101  # the signer was opened with it
        host, make = _host(url), Maker("network", _host(url))
        try:
            run_blocking(self._sent.send(Request(method="GET", url=url, deadline_seconds=_PATIENCE_SECONDS)))
        except UnknownOutcomeError as error:
            if error.code == "unknown_outcome.client_certificate":
                return evolve(_failed("network", error), code="not_sent.client_certificate")
            return make.failed("no_answer", name=host, seconds=_PATIENCE_SECONDS)
        except NotSentError as error:
            return make.failed("no_tls", name=host) if _without_tls(error) else _failed("network", error)
        except BhxhError as error:
            return _failed("network", error)
        return make.ok("plain" if urlsplit(url).scheme == "http" else "ok", name=host)

    def _list(self, signer: RemoteSigner, before: Sequence[Check], profile: RemoteProfile) -> Iterator[Check]:
        make = Maker("signer", self.name)
        if any(check.state is CheckState.FAILED for check in before):
            yield make.skipped("not_asked", name=self.name)
            return
        try:
            self.listed = run_blocking(signer.certificates())
        except PersonNeededError as error:
            yield make.skipped("needs_person", name=self.name, secret=error.field.removeprefix("remote_"))
        except UnknownOutcomeError:
            yield make.failed("no_answer", name=self.name)
        except BhxhError as error:
            yield _failed("signer", error)
            if isinstance(error, ProviderRequestError | UnexpectedReplyError):
                yield self._of_perhaps_another_dialect(profile)
        else:
            yield make.ok("listed", name=self.name)

    def _of_perhaps_another_dialect(self, profile: RemoteProfile) -> Check:
        known = ", ".join(dialect_names(profile.kind))
        dialect = profile.dialect or Term("doctor.profile.usual")
        return Maker("profile", self.name).warning("perhaps_another", dialect=dialect, known=known)


class _Recorded:
    """Send requests, and remember how far the answers' clock is from ours."""

    asynchronous = False

    def __init__(self, sender: Sender, clock: Clock) -> None:
        self.apart: int | None = None
        self._sender = sender
        self._clock = clock

    async def send(self, request: Request) -> Reply:
        reply = await self._sender.send(request)
        told = _moment(reply.header("date"))
        if told is not None:
            self.apart = round(abs((self._clock.now() - told).total_seconds()))
        return reply


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _secret_checks(profile: RemoteProfile) -> Iterator[Check]:
    """Tell where each secret is kept, never what it is."""
    secrets = ProviderSecrets(profile.places)
    for name, place in profile.places.items():
        make = Maker("secret", name)
        try:
            secrets.kept(name)
        except BhxhError as error:
            yield evolve(_failed("secret", error), subject=name)
            continue
        matter = "environment" if place.env else "keyring"
        yield make.ok(matter, name=name, place=place.env or place.keyring)
    if not profile.places:
        yield Maker("secret").skipped("asked")


def _matters(check: Check) -> bool:
    """Tell whether the certificates cannot be listed without a secret."""
    return check.subject not in _WITHHELD


def _failed(name: str, error: BhxhError) -> Check:
    return evolve(Check.of_error(error), name=name)


def _one_per_host(urls: Sequence[str]) -> Iterator[str]:
    """Yield one address of each host: a second would tell the same."""
    yield from {urlsplit(url)[:2]: url for url in sorted({*urls}, reverse=True)}.values()


def _without_tls(error: BaseException | None) -> bool:
    """Tell whether a connection failed because the other side speaks no TLS."""
    while error is not None:
        if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
            return True
        error = error.__cause__ or error.__context__
    return False


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
