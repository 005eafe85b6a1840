"""The soft key: a signer whose key lies in a file or in memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NoReturn, Self, SupportsIndex, final

from cryptography.hazmat.primitives.serialization import Encoding

from bhxh_sdk.errors import KeyNotFoundError, KeyPasswordError, SigningError, WrongTypeError
from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.ports import Question
from bhxh_sdk.secret import Secret
from bhxh_sdk.signers.contract import Capabilities, HashName, SigningState, SigningTransaction
from bhxh_sdk.signers.jobs import check_jobs
from bhxh_sdk.signers.key_file import paired, read_key_file
from bhxh_sdk.signers.values import demand_kind, schemes_of, signed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from bhxh_sdk.ports import Ask, Clock
    from bhxh_sdk.signers.contract import LocalKey, SigningCertificate, SigningJob
    from bhxh_sdk.signers.key_file import KeyFile, KeyPair

__all__ = ["SoftKeySigner"]

_LARGEST_BATCH = 10_000


@final
class SoftKeySigner:
    """Sign with a private key from a PEM or PKCS#12 file, or with one that is in memory already.

    Make one with `from_file` or `from_key`. The certificates of a PEM file are listed without its password.
    Those of an encrypted PKCS#12 file are encrypted too: listing them takes the password, which is asked for
    once; the key then stays open until `close`.

    The password of an encrypted key comes from the first of these: the one given, the environment variable
    named, the person asked. A wrong one raises `KeyPasswordError` and is never tried again by code.
    """

    __slots__ = ("_ask", "_file", "_locked", "_name", "_pair", "_password", "_password_env")

    def __init__(
        self,
        *,
        name: str,
        file: KeyFile | None = None,
        pair: KeyPair | None = None,
        ask: Ask | None = None,
        password: Secret | str | None = None,
        password_env: str = "",
    ) -> None:
        self._name = name
        self._file = file
        self._pair = pair if file is None else file.open(None)
        self._locked = self._pair is None
        self._ask = ask
        self._password = None if password is None else Secret(password)
        self._password_env = password_env

    @classmethod
    def from_file(
        cls,
        path: Path | str,
        *,
        certificates: Path | str | None = None,
        ask: Ask | None = None,
        password: Secret | str | None = None,
        password_env: str = "",
    ) -> Self:
        """Open a key file. An encrypted key stays encrypted until it is needed.

        Args:
            path: PEM file with the key, or PKCS#12 file (`.p12`, `.pfx`).
            certificates: PEM or DER file with the certificates, when the key file does not hold them.
            ask: whom to ask for the password when certificates are listed; None for whom the signer's holder
                (`DocumentSigner`, `Client`) asks. `start` brings its own.
            password: the password, to ask nobody; a text is kept as a `Secret`.
            password_env: name of an environment variable that holds the password.

        Raises:
            UnreadableFileError: a file is missing, empty, too large, damaged or of another kind.
            KeyNotFoundError: there is no key, no certificate, or none that belongs to the key.
            WrongTypeError: a path or the password has another type.

        """
        if not isinstance(password, Secret | str | None):
            raise WrongTypeError(field="password", expected="Secret or str", got=type(password).__name__)
        file = read_key_file(path, certificates=certificates)
        return cls(name=file.name, file=file, ask=ask, password=password, password_env=password_env)

    @classmethod
    def from_key(
        cls, key: PrivateKeyTypes, certificates: Sequence[x509.Certificate], *, name: str = "memory"
    ) -> Self:
        """Take a key and its certificate, with or without the chain, that are in memory already.

        Raises:
            KeyNotFoundError: there is no certificate, or none that belongs to the key.

        """
        ders = [certificate.public_bytes(Encoding.DER) for certificate in certificates]
        return cls(name=name, pair=paired(key, ders, name))

    @property
    def capabilities(self) -> Capabilities:
        """What this backend can do."""
        return Capabilities(
            name="softkey",
            largest_batch=_LARGEST_BATCH,
            checks_values=True,
            hash_names=frozenset(HashName),
            schemes=frozenset(SignatureScheme),
            needs_secret=self._locked and self._password is None and not self._password_env,
        )

    async def certificates(self) -> tuple[SigningCertificate, ...]:
        """List the certificates, leaving out none.

        While a PEM key is still encrypted, it is unknown which certificate has the key. For an encrypted
        PKCS#12 file the password is needed here already.

        Raises:
            KeyPasswordError: the password is wrong, or needed and nobody is there to ask.
            KeyNotFoundError: there is no certificate, or none that belongs to the key.

        """
        return await self._listed(self._ask)

    async def certificates_with(self, ask: Ask) -> tuple[SigningCertificate, ...]:
        """List the certificates as `certificates` does; this person is asked when the signer has nobody.

        Raises:
            KeyPasswordError: the password is wrong.
            KeyNotFoundError: there is no certificate, or none that belongs to the key.

        """
        return await self._listed(self._ask or ask)

    async def start(
        self, jobs: Sequence[SigningJob], certificate: SigningCertificate, ask: Ask, clock: Clock
    ) -> SigningTransaction:
        """Sign all jobs at once; the transaction that comes back is done.

        Raises:
            InputError: a job cannot be signed.
            KeyPasswordError: the password is missing or wrong.
            KeyNotFoundError: the certificate is not one whose key is here.
            CertificateUnusableError: the key cannot sign as a job wants: it is not RSA, or not on P-256.

        """
        check_jobs(jobs, self.capabilities)
        key = await self._key_of(certificate, ask)
        for scheme in {job.scheme for job in jobs}:
            demand_kind(key, scheme, certificate.certificate)
        return SigningTransaction(
            transaction_id=clock.new_id(),
            backend=self.capabilities.name,
            state=SigningState.DONE,
            key_id=certificate.key_id,
            signatures={job.document_id: signed(key, job.digest, job.hash_name, job.scheme) for job in jobs},
        )

    async def local_key(self, certificate: SigningCertificate, ask: Ask) -> LocalKey:
        """Open the key of a certificate for many signatures; it signs until `close`.

        Raises:
            KeyPasswordError: the password is missing or wrong.
            KeyNotFoundError: the certificate is not one whose key is here.

        """
        schemes = schemes_of(await self._key_of(certificate, ask))

        def sign(digest: bytes, hash_name: HashName, scheme: SignatureScheme) -> bytes:
            pair = self._pair  # asked for each time, so that nothing signs after `close`
            if pair is None:
                raise SigningError("signing.closed", name=self._name)
            if scheme not in schemes:
                demand_kind(pair.key, scheme, certificate.certificate)
            return signed(pair.key, digest, hash_name, scheme)

        return sign

    async def result(self, transaction: SigningTransaction, clock: Clock) -> SigningTransaction:  # noqa: ARG002  # the contract's clock is for signers that wait
        """Give the transaction back: it was finished when it started."""
        return transaction

    def close(self) -> None:
        """Forget key, password and file; the signer cannot be used afterwards."""
        if self._password is not None:
            self._password.wipe()
        self._pair = self._file = self._password = self._ask = None

    async def _listed(self, ask: Ask | None) -> tuple[SigningCertificate, ...]:
        if self._pair is None and self._file is not None:
            in_clear = self._file.certificates_in_clear()
            if in_clear is not None:
                return in_clear
        return (await self._opened(ask)).certificates

    async def _key_of(self, certificate: SigningCertificate, ask: Ask) -> PrivateKeyTypes:
        pair = await self._opened(ask)
        wanted = certificate.certificate.der
        if not any(own.has_private_key and own.certificate.der == wanted for own in pair.certificates):
            raise KeyNotFoundError(
                "signing.not_this_key", name=self._name, certificate=certificate.certificate.common_name
            )
        return pair.key

    async def _opened(self, ask: Ask | None) -> KeyPair:
        if self._pair is None:
            if self._file is None:
                raise SigningError("signing.closed", name=self._name)
            self._pair = self._file.open(await self._secret(ask))
        return self._pair  # type: ignore[return-value]  # with a password, a key file opens or raises

    async def _secret(self, ask: Ask | None) -> Secret:
        if self._password is not None:
            return self._password
        if self._password_env:
            if (value := os.environ.get(self._password_env)) is None:
                raise KeyPasswordError(
                    "signing.password_env_missing", name=self._name, variable=self._password_env
                )
            return Secret(value)
        if ask is None:
            raise KeyPasswordError("signing.password_needed", name=self._name)
        return await ask.secret(Question(purpose="key_password", subject=self._name))

    def __repr__(self) -> str:
        return f"SoftKeySigner({self._name!r})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        msg = "a signer holds a private key and cannot be pickled or copied"
        raise TypeError(msg)
