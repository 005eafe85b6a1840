"""The signer contract: what every backend, local or remote, promises.

The unit of work is a raw digest. A backend encodes it as its protocol wants and gives back a raw signature
value; what surrounds the value is not its business. Starting and asking for the result are two steps, because
a person may have to confirm on a phone while this process is restarted; a local backend is finished after the
first.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

from attrs import field, frozen

from bhxh_sdk.models import CertificateInfo, SignatureScheme

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from bhxh_sdk.ports import Ask, Clock

__all__ = [
    "Capabilities",
    "HashName",
    "ListsWithSecret",
    "LocalKey",
    "LocalSigner",
    "NotesSigning",
    "Signer",
    "SigningCertificate",
    "SigningJob",
    "SigningState",
    "SigningTransaction",
]


_NEVER = datetime.min.replace(tzinfo=UTC)


class HashName(Enum):
    """Hash functions that a digest may be made with."""

    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"

    __hash__ = object.__hash__  # as for `SignatureScheme`


@frozen(kw_only=True)
class SigningJob:
    """Ask for one signature.

    Args:
        document_id: names the document within the batch; the answer is matched by it.
        digest: the raw digest to sign.
        hash_name: the function that made the digest.
        document_name: what a person is shown.
        file_type: kind of the document, `xml` here.
        signed_info: the bytes that were hashed, for tokens that only hash and sign in one go.
        scheme: how the digest is signed.

    """

    document_id: str
    digest: bytes = field(repr=lambda digest: digest.hex())
    hash_name: HashName = HashName.SHA256
    document_name: str = ""
    file_type: str = "xml"
    signed_info: bytes = field(default=b"", repr=lambda content: f"<{len(content)} bytes>")
    scheme: SignatureScheme = SignatureScheme.RSA_PKCS1


@frozen(kw_only=True)
class SigningCertificate:
    """A certificate that a signer can show.

    Args:
        certificate: what it says.
        key_id: the backend's own name for the key: CKA_ID, credential id, serial number.
        has_private_key: whether the key is there too; None when that is unknown before a PIN is given.
        comes_later: whether the certificate is not known yet: make such a one with `to_come`.

    """

    certificate: CertificateInfo
    key_id: str
    has_private_key: bool | None = None
    comes_later: bool = False

    @classmethod
    def to_come(cls, key_id: str = "") -> Self:
        """Stand in for a certificate that comes only with the signature (`SigningTransaction.certificate`).

        What it says of the certificate is empty.

        Args:
            key_id: the backend's own name for the key; empty where the backend has but one.

        """
        unknown = CertificateInfo(
            subject="",
            issuer="",
            common_name="",
            issuer_name="",
            serial=0,
            not_before=_NEVER,
            not_after=_NEVER,
            signing_allowed=False,
            key_kind="",
            key_bits=0,
        )
        return cls(certificate=unknown, key_id=key_id, comes_later=True)


@frozen(kw_only=True)
class Capabilities:
    """What a backend can do.

    Args:
        name: the backend, such as `softkey`.
        largest_batch: how many digests one call may hold.
        hash_names: the hash functions it signs.
        needs_secret: whether a PIN or password is asked for.
        confirms_elsewhere: whether a person confirms on another device.
        knows_certificate_first: whether the certificate is known before the signature is.
        resumable: whether another process can ask for the result.
        checks_values: whether a key at hand (`LocalSigner`) verifies every RSA value before it gives it out,
            as OpenSSL does; of others, whoever signs documents with them verifies every value.
        schemes: how it signs.

    """

    name: str
    largest_batch: int = 1
    hash_names: frozenset[HashName] = frozenset({HashName.SHA256})
    needs_secret: bool = False
    confirms_elsewhere: bool = False
    knows_certificate_first: bool = True
    resumable: bool = False
    checks_values: bool = False
    schemes: frozenset[SignatureScheme] = frozenset({SignatureScheme.RSA_PKCS1})


class SigningState(Enum):
    """Where a signing transaction stands; `INTENDED` is what was kept before anything was sent."""

    INTENDED = "intended"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    DONE = "done"
    DECLINED = "declined"
    EXPIRED = "expired"
    FAILED = "failed"
    AMBIGUOUS = "ambiguous"


@frozen(kw_only=True)
class SigningTransaction:
    """A started signature: a plain value without secrets that another process can go on with.

    Args:
        transaction_id: our own identifier, drawn before anything is sent.
        backend: name of the backend that started it.
        state: where it stands.
        key_id: the key that signs.
        provider_id: the other side's identifier, empty for a local signer.
        jobs: what is signed, in the order it was sent, without the bytes that were hashed; to match the
            values, and to show a person the documents' names.
        stage: the protocol's own step, where it has several.
        signatures: raw signature values by document id; complete when `DONE`.
        certificate: the certificate in DER, where it came with the signature and not before.
        account: tells one account with a provider from another, so that no other one is asked after the
            transaction; empty where the backend has no accounts.
        deadline: when the time to confirm runs out; None for a local signer.
        poll_after_seconds: how long to wait before asking again.
        show: the code that a person compares while waiting; empty where the provider has none.
        failure: the stable word for why it ended without signatures; see `bhxh_sdk.signers.verdicts`.
        reason_code: the provider's code of a failure, as received.
        reason_name: the provider's own name for that code.
        reason: text of a failure, as received.

    """

    transaction_id: str
    backend: str
    state: SigningState
    key_id: str = ""
    provider_id: str = ""
    jobs: tuple[SigningJob, ...] = ()
    stage: str = ""
    signatures: Mapping[str, bytes] = field(factory=dict, repr=False, hash=False)
    certificate: bytes = field(default=b"", repr=False)
    account: str = ""
    deadline: datetime | None = None
    poll_after_seconds: float = 0.0
    show: str = ""
    failure: str = ""
    reason_code: str = ""
    reason_name: str = ""
    reason: str = ""


class Signer(Protocol):
    """What every backend offers. Third parties register theirs for a URI scheme by entry point."""

    @property
    def capabilities(self) -> Capabilities:
        """What this backend can do."""
        ...

    async def certificates(self) -> tuple[SigningCertificate, ...]:
        """List what can sign, without asking for a PIN or password where the backend can."""
        ...

    async def start(
        self, jobs: Sequence[SigningJob], certificate: SigningCertificate, ask: Ask, clock: Clock
    ) -> SigningTransaction:
        """Start signing: at most one question for a secret, after everything else is known to be good."""
        ...

    async def result(self, transaction: SigningTransaction, clock: Clock) -> SigningTransaction:
        """Ask how a started transaction stands; a finished one is given back as it is."""
        ...

    def close(self) -> None:
        """Release keys, sessions and connections."""
        ...


@runtime_checkable
class ListsWithSecret(Protocol):
    """What a backend offers besides `Signer` when listing its certificates may take a PIN or password."""

    async def certificates_with(self, ask: Ask) -> tuple[SigningCertificate, ...]:
        """List what can sign, as `certificates` does; the holder's person is asked where nobody else is."""
        ...


@runtime_checkable
class NotesSigning(Protocol):
    """What a backend offers besides `Signer` when a person may notice its calls: an intent comes before each.

    `note` keeps the transaction durably, so that after a crash nobody starts again blindly.
    """

    async def start_noted(
        self,
        jobs: Sequence[SigningJob],
        certificate: SigningCertificate,
        ask: Ask,
        clock: Clock,
        note: Callable[[SigningTransaction], Awaitable[None]] | None,
    ) -> SigningTransaction:
        """Start signing, as `Signer.start` does."""
        ...

    async def result_noted(
        self,
        transaction: SigningTransaction,
        clock: Clock,
        note: Callable[[SigningTransaction], Awaitable[None]] | None,
    ) -> SigningTransaction:
        """Ask how a started transaction stands, as `Signer.result` does."""
        ...


class LocalKey(Protocol):
    """A key at hand: a digest goes in, the raw signature value comes out, without any transaction."""

    def __call__(self, digest: bytes, hash_name: HashName, scheme: SignatureScheme) -> bytes:
        """Sign a digest. May be called from several threads at once.

        Raises:
            InputError: the digest has not the length of its hash function.
            CertificateUnusableError: the key cannot sign in that way.
            SigningError: the signer was closed.

        """
        ...


@runtime_checkable
class LocalSigner(Protocol):
    """What a backend offers besides `Signer` when its key lies in this process: the road of large batches.

    The holder verifies every value that such a key gives out, or the first one of each login where the signer
    says that it verifies them itself (`Capabilities.checks_values`).
    """

    async def local_key(self, certificate: SigningCertificate, ask: Ask) -> LocalKey:
        """Open the key of a certificate: at most one question for a secret.

        Raises:
            UnsupportedOperationError: the key signs only by transactions; nobody was asked for anything.
            SigningError: the key cannot be opened.

        """
        ...
