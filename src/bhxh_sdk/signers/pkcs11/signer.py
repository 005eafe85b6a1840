"""The signer for USB tokens and other PKCS#11 modules.

Listing never needs a PIN. To sign, module, token, certificate and mechanism are looked at first and the PIN
is asked for last; one login then serves every document until `close`, or until the token is pulled out.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, NoReturn, Self, SupportsIndex, final
from weakref import WeakSet, finalize

from bhxh_sdk.errors import SigningError
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.contract import Capabilities, HashName, SigningState, SigningTransaction
from bhxh_sdk.signers.jobs import check_jobs
from bhxh_sdk.signers.pkcs11.before_pin import demand_digest_way, demand_valid, demand_ways
from bhxh_sdk.signers.pkcs11.criteria import KeyCriteria, TokenCriteria
from bhxh_sdk.signers.pkcs11.inserted import Inserted
from bhxh_sdk.signers.pkcs11.opened_key import OpenedKey
from bhxh_sdk.signers.pkcs11.pairing import candidates, paired
from bhxh_sdk.signers.pkcs11.pin import PinSource, check_flags, has_pad, tell_of_pad
from bhxh_sdk.signers.pkcs11.pin_memory import memory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bhxh_sdk.models import CertificateInfo
    from bhxh_sdk.ports import Ask, Clock
    from bhxh_sdk.signers.address import SignerAddress
    from bhxh_sdk.signers.contract import LocalKey, SigningCertificate, SigningJob
    from bhxh_sdk.signers.pkcs11.contract import TokenCertificate, TokenKey
    from bhxh_sdk.signers.pkcs11.inserted import ModuleSource
    from bhxh_sdk.signers.pkcs11.opened import OpenedToken

__all__ = ["TokenSigner"]

_LARGEST_BATCH = 10_000


@final
class TokenSigner:
    """Sign with a key on a token, through its PKCS#11 module.

    Make one with `from_module` or `from_address`. All tokens that fit are listed together; a certificate
    tells which of them signs. The PIN comes from the first of these: the one given, the environment variable
    named, the person asked; on a token with a PIN pad it is typed there. Each PIN is sent once: one that was
    not accepted is never tried again by code, and the last try is not spent unless `allow_last_try` says so.

    Args:
        source: knows the modules.
        token: which token is meant.
        key: which certificate and key on it are meant.
        pin: the PIN, to ask nobody; a text is kept as a `Secret`.
        pin_env: name of an environment variable that holds the PIN.
        allow_last_try: whether a PIN may be sent though a wrong one would lock the token.
        clock: time, to refuse an expired certificate before the PIN is asked for when `local_key` is opened;
            `start` brings its own.

    Raises:
        WrongTypeError: the PIN has another type.
        PinError: the PIN is no valid text.

    """

    __slots__ = (
        *("_allow_last_try", "_clock", "_inserted", "_key", "_keys", "_left", "_pin", "_token"),
        "__weakref__",
    )

    def __init__(
        self,
        source: ModuleSource,
        *,
        token: TokenCriteria | None = None,
        key: KeyCriteria | None = None,
        pin: Secret | str | None = None,
        pin_env: str = "",
        allow_last_try: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._token = token or TokenCriteria()
        self._key = key or KeyCriteria()
        self._inserted: Inserted | None = Inserted(source, self._token, self._key)
        self._pin = PinSource(pin, pin_env)
        self._allow_last_try = allow_last_try
        self._clock = clock
        self._keys: WeakSet[OpenedKey] = WeakSet()
        self._left = finalize(self, _left_open, self._inserted, self._pin, repr(self), os.getpid())

    @classmethod
    def from_module(  # noqa: PLR0913  # by keyword, as those of the constructor
        cls,
        path: Path | str,
        *,
        binding: str = "",
        isolated: bool = False,
        token: TokenCriteria | None = None,
        key: KeyCriteria | None = None,
        pin: Secret | str | None = None,
        pin_env: str = "",
        allow_last_try: bool = False,
        clock: Clock | None = None,
    ) -> Self:
        """Open the tokens of one module.

        Args:
            path: the module's file.
            binding: `python-pkcs11` or `pykcs11`; empty for the one that is installed.
            isolated: whether the module is loaded in a process of its own, which may crash alone.
            token: which token is meant.
            key: which certificate and key on it are meant.
            pin: the PIN, to ask nobody.
            pin_env: name of an environment variable that holds the PIN; a process of the module's own does
                not see it.
            allow_last_try: whether a PIN may be sent though a wrong one would lock the token.
            clock: time; see the class.

        Raises:
            InputError: the path is empty, or a folder's.
            DriverError: the module cannot be used in this process.
            MissingExtraError: the binding is not installed.
            WrongTypeError: the PIN, or the path, has another type.

        """
        from bhxh_sdk.signers.pkcs11.sources import OneModule  # noqa: PLC0415  # sources load drivers

        return cls(
            OneModule(path, binding, isolated=isolated, pin_env=pin_env),
            token=token,
            key=key,
            pin=pin,
            pin_env=pin_env,
            allow_last_try=allow_last_try,
            clock=clock,
        )

    @classmethod
    def from_address(
        cls,
        address: SignerAddress | str,
        *,
        pin: Secret | str | None = None,
        allow_last_try: bool = False,
        clock: Clock | None = None,
    ) -> Self:
        """Open the tokens that a `pkcs11:` address (RFC 7512) names; see `bhxh_sdk.signers.pkcs11.address`.

        Args:
            address: the address.
            pin: the PIN, to ask nobody; it stands before the address's `pin-env`.
            allow_last_try: whether a PIN may be sent though a wrong one would lock the token.
            clock: time; None for the address's.

        Raises:
            InputError: a part of the address is wrong, or would hold a secret.
            DriverError: the module that is named cannot be used in this process.
            MissingExtraError: the binding is not installed.

        """
        from bhxh_sdk.signers.pkcs11.address import TokenAddress  # noqa: PLC0415  # it imports this module
        from bhxh_sdk.signers.pkcs11.sources import source_of  # noqa: PLC0415  # sources load drivers

        where = TokenAddress.parse(address)
        time = clock or where.clock
        return cls(
            source_of(where, time),
            token=where.token,
            key=where.key,
            pin=pin,
            pin_env=where.pin_env,
            allow_last_try=allow_last_try,
            clock=time,
        )

    @property
    def capabilities(self) -> Capabilities:
        """What this backend can do; a token may offer less, which is said before its PIN is asked for."""
        return Capabilities(
            name="pkcs11",
            largest_batch=_LARGEST_BATCH,
            hash_names=frozenset(HashName),
            schemes=frozenset(SignatureScheme),
            needs_secret=self._pin.asks,
        )

    async def certificates(self) -> tuple[SigningCertificate, ...]:
        """List the certificates of every token that fits, without a PIN.

        Whether the key is there too is unknown while the token hides its keys. What is not readable as a
        certificate is left out.

        Raises:
            TokenNotFoundError: no token is inserted, or none that fits.
            DriverError: there is no usable module.
            TokenError: the token or its driver failed.

        """
        return self._demand_open().certificates()

    async def start(
        self, jobs: Sequence[SigningJob], certificate: SigningCertificate, ask: Ask, clock: Clock
    ) -> SigningTransaction:
        """Sign all jobs with one login; the transaction that comes back is done.

        Raises:
            InputError: a job cannot be signed.
            UnsupportedOperationError: the token does not sign in that way.
            CertificateUnusableError: the certificate is not valid now, or its key signs in another way.
            TokenNotFoundError: the token is not inserted.
            KeyNotFoundError: the certificate or its key is not on the token, or it is not known which key.
            PinError: the PIN is missing, of a wrong form, not accepted or locked.
            TokenError: the token or its driver failed, or it was pulled out.

        """
        check_jobs(jobs, self.capabilities)
        demand_valid(certificate.certificate, clock.now())
        token, own = self._demand_open().holder(certificate)
        demand_ways(jobs, certificate.certificate, token)
        key = await self._opened_key(token, own, certificate.certificate, ask)
        try:
            signatures = {
                job.document_id: key.signed(job.digest, job.hash_name, job.scheme, job.signed_info)
                for job in jobs
            }
        finally:
            key.forget()
        return SigningTransaction(
            transaction_id=clock.new_id(),
            backend=self.capabilities.name,
            state=SigningState.DONE,
            key_id=certificate.key_id,
            signatures=signatures,
        )

    async def local_key(self, certificate: SigningCertificate, ask: Ask) -> LocalKey:
        """Open the key of a certificate for many signatures; it signs until `close`, or the first PIN error.

        Raises:
            UnsupportedOperationError: the token signs only what it hashes itself, or not at all: `start`.
            CertificateUnusableError: the certificate is not valid now (where the signer has a clock).
            TokenNotFoundError: the token is not inserted.
            KeyNotFoundError: the certificate or its key is not on the token, or it is not known which key.
            PinError: the PIN is missing, of a wrong form, not accepted or locked.
            TokenError: the token or its driver failed, or it was pulled out.

        """
        if self._clock is not None:
            demand_valid(certificate.certificate, self._clock.now())
        token, own = self._demand_open().holder(certificate)
        demand_digest_way(certificate.certificate, token)
        key = await self._opened_key(token, own, certificate.certificate, ask)
        self._keys.add(key)
        return key

    async def result(self, transaction: SigningTransaction, clock: Clock) -> SigningTransaction:  # noqa: ARG002  # the contract's clock is for signers that wait
        """Give the transaction back: it was finished when it started."""
        return transaction

    def close(self) -> None:
        """Forget the PIN and close every session; the module stays loaded, the signer cannot be used."""
        self._pin.wipe()
        for key in self._keys:
            key.forget()
        self._keys.clear()
        if self._inserted is not None:
            self._inserted.close()
            self._inserted = None
        self._left.detach()

    def _demand_open(self) -> Inserted:
        if self._inserted is None:
            raise SigningError("signing.closed", name=str(self._token) or "pkcs11")
        return self._inserted

    async def _opened_key(
        self, token: OpenedToken, own: TokenCertificate, info: CertificateInfo, ask: Ask
    ) -> OpenedKey:
        """Return the key, logged in; the PIN is asked for only where it is needed."""
        wrong = memory.wrong(token.token)
        token.keys()  # whether the login still holds shows in them
        if token.is_open:
            key, pin = self._paired(token, own, info), None
            if key.always_authenticate:
                pin = await self._entered(token, info, ask)
            return self._ready(token, own, info, key, pin)
        pin = await self._entered(token, info, ask)
        try:
            token.log_in(
                pin,
                allow_last_try=self._allow_last_try,
                wrong_before=wrong,
                at_hand=not self._pin.asks,
                refused=lambda: self._pin.refused(token.name),
            )
            key = self._paired(token, own, info)
            again = Secret(pin) if pin is not None and key.always_authenticate else None
            return self._ready(token, own, info, key, again)
        finally:
            if pin is not None:
                pin.wipe()

    def _ready(
        self,
        token: OpenedToken,
        own: TokenCertificate,
        info: CertificateInfo,
        key: TokenKey,
        pin: Secret | None,
    ) -> OpenedKey:
        return OpenedKey(
            token,
            info,
            key,
            lambda: self._visible(token, own),
            pin=pin,
            at_hand=not self._pin.asks,
            refused=lambda: self._pin.refused(token.name),
            allow_last_try=self._allow_last_try,
        )

    def _visible(self, token: OpenedToken, own: TokenCertificate) -> TokenKey | None:
        """Return the certificate's key, where the token shows it now."""
        certificates = token.certificates()
        found = candidates(own, self._key.keys(token.keys(), certificates), certificates)
        return found[0] if len(found) == 1 else None

    def _paired(self, token: OpenedToken, own: TokenCertificate, info: CertificateInfo) -> TokenKey:
        certificates = token.certificates()
        keys = self._key.keys(token.keys(), certificates)
        return paired(own, keys, certificates, name=token.name, owner=info.common_name)

    async def _entered(self, token: OpenedToken, info: CertificateInfo, ask: Ask) -> Secret | None:
        """Return one PIN for one entry, after the flags allow one; None where it is typed on a pad."""
        fresh = token.fresh()
        wrong = memory.wrong(fresh)
        check_flags(fresh, wrong, allow_last_try=self._allow_last_try)
        if has_pad(fresh):
            await tell_of_pad(fresh, info.common_name, ask, wrong)
            return None
        return await self._pin.pin(fresh, info.common_name, ask, wrong)

    def __repr__(self) -> str:
        return f"TokenSigner({str(self._token) or 'any token'})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        msg = "a signer holds a login and cannot be pickled or copied"
        raise TypeError(msg)


def _left_open(inserted: Inserted, pin: PinSource, name: str, process: int) -> None:
    """Close what a signer left open that nobody closed, and warn as of a file; never in a forked process."""
    if os.getpid() != process:
        return
    pin.wipe()
    if inserted.leave():
        warnings.warn(f"unclosed {name}", ResourceWarning, stacklevel=1)
