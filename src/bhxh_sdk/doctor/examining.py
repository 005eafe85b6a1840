"""The examination: everything that has to be right before somebody is asked for a PIN."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bhxh_sdk import signers
from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.doctor.apart import apart
from bhxh_sdk.doctor.certificates import Holder, Judge
from bhxh_sdk.doctor.drivers import bindings_check, driver_checks, was_run
from bhxh_sdk.doctor.machine import Machine
from bhxh_sdk.doctor.making import Maker
from bhxh_sdk.doctor.remote import REMOTE, RemoteVisit
from bhxh_sdk.doctor.surroundings import clock_check, service_check, session_check
from bhxh_sdk.doctor.tokens import holder_of, pin_check, token_checks
from bhxh_sdk.doctor.values import Check, Examination
from bhxh_sdk.errors import BhxhError, WrongTypeError
from bhxh_sdk.opening import blocking_sender
from bhxh_sdk.signers import SignerAddress
from bhxh_sdk.signers.pkcs11.address import TokenAddress
from bhxh_sdk.signers.pkcs11.pin_memory import memory
from bhxh_sdk.system import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bhxh_sdk.models import Organisation
    from bhxh_sdk.ports import Clock, Sender
    from bhxh_sdk.signers import Signer, SigningCertificate
    from bhxh_sdk.signers.pkcs11.discovery import Discovery, FoundToken

    Discover = Callable[..., Discovery]
    Opener = Callable[..., Signer]

__all__ = ["examine"]

_SECRET_NEEDED = frozenset({"signing.password_needed", "person_needed.nobody_to_ask"})


def examine(
    signer: str = "pkcs11:",
    *,
    organisation: Organisation | None = None,
    after: BhxhError | None = None,
    clock: Clock | None = None,
    machine: Machine | None = None,
    discover: Discover | None = None,
    opener: Opener = signers.open_signer,
    senders: Callable[..., Sender] = blocking_sender,
) -> Examination:
    """Find out what keeps a signer from signing; nobody is asked for a PIN, and no signature is started.

    Nobody logs in to a token. A remote signer is asked for its certificates with the secrets that are kept,
    but for those that are good for one signature.

    Args:
        signer: the signer's address; `pkcs11:` for any token.
        organisation: who wants to sign; None when the owner of a certificate does not matter.
        after: the error that signing ended with, if there was one: it becomes the first check, because some
            troubles show only while something is signed.
        clock: time; None for the machine's clock.
        machine: what is known of the machine; None to look.
        discover: finds the drivers and tokens; None for `signers.pkcs11.discovery.discover`.
        opener: opens a token or key file by its address.
        senders: makes what sends requests to a remote signer: `HttpSender`, or a callable with its arguments.

    Returns:
        Every check, in the order in which a person would go through them.

    Raises:
        WrongTypeError: the address is no text.
        InputError: a part of the address is wrong.
        SetupError: the address names no signer that is known.

    """
    if not isinstance(signer, str):
        raise WrongTypeError(field="signer", expected="str", got=type(signer).__name__)
    clock = clock or SystemClock()
    address = SignerAddress.parse(signer, clock=clock)
    doctor = _Doctor(signer, organisation, clock, machine or Machine.here(), opener)
    first = () if after is None else (Check.of_error(after),)
    if address.scheme in REMOTE:
        visit = RemoteVisit(address, clock, senders)
        return Examination(checks=(*first, *doctor.remote(visit)))
    if address.scheme != "pkcs11":
        return Examination(checks=(*first, *doctor.key_file()))
    found = doctor.tokens(address, discover or _discover())
    return Examination(checks=(*first, *found.checks), looked=found.looked)


def _discover() -> Discover:
    from bhxh_sdk.signers.pkcs11.discovery import discover  # noqa: PLC0415  # not needed for a key file

    return discover


class _Doctor(NamedTuple):
    """Examine one signer."""

    uri: str
    organisation: Organisation | None
    clock: Clock
    machine: Machine
    opener: Opener

    def key_file(self) -> Iterator[Check]:
        """Examine a signer that needs no driver; one that would ask for a password is left alone."""
        listed, check = self._listed(self.uri)
        yield check
        judge = self._judge([Holder(name=self.uri, certificates=tuple(listed))] if listed is not None else [])
        yield from judge.checks()
        yield self._clock(judge)

    def remote(self, visit: RemoteVisit) -> Iterator[Check]:
        """Examine a key that a provider keeps."""
        yield from visit.checks()
        judge = self._judge(
            [Holder(name=visit.name, certificates=tuple(visit.listed))] if visit.listed else []
        )
        yield from judge.checks()
        yield from visit.clock_checks()
        yield self._clock(judge)

    def tokens(self, address: SignerAddress, discover: Discover) -> Examination:
        """Examine tokens."""
        wanted = TokenAddress.parse(address)
        bindings = bindings_check(self.machine, wanted.binding)
        try:
            hidden = {"pin_env": wanted.pin_env} if wanted.pin_env else {}
            found = discover(module_path=wanted.module_path, clock=self.clock, **hidden)
        except BhxhError as error:
            checks = (bindings, Check.of_error(error), *self._surroundings(self._judge([]), seen=False))
            return Examination(checks=checks)
        asked = [each for each in found.tokens if wanted.token.fit(each.token)]
        others = [each for each in found.tokens if each not in asked]
        drivers = driver_checks(found.tried, self.machine)
        tokens = token_checks(asked, others, found.tried)
        ran = not found.tried or any(map(was_run, found.tried))
        checks = (bindings, *drivers, *tokens, *self._of_asked(asked, address, ran=ran))
        return Examination(checks=checks, looked=found.tried)

    def _of_asked(self, asked: Sequence[FoundToken], address: SignerAddress, *, ran: bool) -> Iterator[Check]:
        keys: Mapping[bytes, bool | None] | None = None
        if asked:
            listed, check = self._listed(apart(self.uri, address, {found.module_path for found in asked}))
            yield check
            if listed is not None:
                keys = {item.certificate.der: item.has_private_key for item in listed}
        judge = self._judge([holder_of(each, keys) for each in asked])
        yield from judge.checks()
        for each, holder in zip(asked, judge.holders, strict=True):
            yield pin_check(each.token, wrong=memory.wrong(each.token), grave=judge.needs(holder))
        yield from self._surroundings(judge, seen=bool(asked), ran=ran)

    def _surroundings(self, judge: Judge, *, seen: bool, ran: bool = True) -> Iterator[Check]:
        yield service_check(self.machine, seen=seen, grave=ran)
        yield session_check(self.machine, seen=seen)
        yield self._clock(judge)

    def _judge(self, holders: Sequence[Holder]) -> Judge:
        return Judge(organisation=self.organisation, moment=self.clock.now(), holders=tuple(holders))

    def _clock(self, judge: Judge) -> Check:
        shown = [item.certificate for holder in judge.holders for item in holder.signing]
        return clock_check(shown, self.machine, self.clock.now())

    def _listed(self, uri: str) -> tuple[Sequence[SigningCertificate] | None, Check]:
        """List what the signer itself would list, without a PIN or password."""
        try:
            signer = self.opener(uri, clock=self.clock)
            try:
                listed = run_blocking(signer.certificates())
            finally:
                signer.close()
        except BhxhError as error:
            if error.code in _SECRET_NEEDED:
                return None, Maker("signer", self.uri).skipped("needs_secret", name=self.uri)
            return None, Check.of_error(error)
        return listed, Maker("signer", self.uri).ok(name=self.uri)
