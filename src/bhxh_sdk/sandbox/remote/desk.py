"""What every provider does behind its interface: keep transactions, wait for the phone, sign, or fail."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING

from attrs import define, field, frozen
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from bhxh_sdk.models import SignatureScheme
from bhxh_sdk.sandbox.remote.phone import Answer
from bhxh_sdk.signers.contract import HashName
from bhxh_sdk.signers.values import signed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bhxh_sdk.ports import Clock
    from bhxh_sdk.sandbox.pki import SandboxCertificate
    from bhxh_sdk.sandbox.remote.phone import Ring, SandboxPhone

__all__ = ["Credential", "DeskState", "Mischief", "SigningDesk", "Transaction"]


class Mischief(Enum):
    """What goes wrong at a provider. A provider looks after those that its interface can show.

    The values are wrong in the answer that brings them; `ERROR_AFTER` and `PAGE_AFTER` come after the
    transaction was accepted and the phone has rung.
    """

    WRONG_SIGNATURE = "wrong_signature"
    WRONG_ORDER = "wrong_order"
    MISSING = "missing"
    DOUBLED = "doubled"
    FOREIGN_ID = "foreign_id"
    LINE_ENDS = "line_ends"
    NOT_BASE64 = "not_base64"
    ERROR_AFTER = "error_after"
    PAGE_AFTER = "page_after"
    ERROR_BEFORE = "error_before"
    PAGE = "page"
    QUOTA = "quota"
    BUSY = "busy"
    FAILS = "fails"
    INTERNAL = "internal"
    REVOKED = "revoked"


class DeskState(Enum):
    """Where a transaction stands at the provider."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    DONE = "done"
    DECLINED = "declined"
    EXPIRED = "expired"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    LOCKED = "locked"


@frozen(kw_only=True)
class Credential:
    """A key that the provider keeps for somebody.

    Args:
        name: the provider's id of the key.
        issued: certificate, chain and private key.
        owner: who may use it, as the provider names users.

    """

    name: str
    issued: SandboxCertificate = field(repr=False)
    owner: str = ""

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificate and those above it, in DER."""
        certificates = (self.issued.certificate, *self.issued.chain)
        return tuple(item.public_bytes(Encoding.DER) for item in certificates)


@define(kw_only=True)
class Transaction:
    """A signature that was asked for.

    Args:
        name: the provider's id.
        credential: the key.
        documents: digest by the id that the client gave, in the order received.
        hash_name: the function that made the digests.
        ring: what the phone did.
        begun: when it was accepted.
        ends: when the time to confirm runs out.
        fails: whether signing fails after the confirmation.

    """

    name: str
    credential: Credential
    documents: tuple[tuple[str, bytes], ...]
    hash_name: HashName
    ring: Ring
    begun: datetime
    ends: datetime
    fails: bool = False


class SigningDesk:
    """The transactions of one provider.

    Args:
        clock: the time that the provider lives in.
        phone: the phone of the person who confirms.
        life: how long a person has to confirm.
        signing: how long the provider takes to sign once the person has confirmed.

    Attributes:
        phone: the phone.
        credentials: the keys by the provider's id.
        transactions: every accepted transaction by its id.
        signatures: how many signature values were made for each digest.

    """

    def __init__(
        self,
        clock: Clock,
        phone: SandboxPhone,
        *,
        life: timedelta = timedelta(seconds=300),
        signing: timedelta = timedelta(),
    ) -> None:
        self.phone = phone
        self.life = life
        self.signing = signing
        self.credentials: dict[str, Credential] = {}
        self.transactions: dict[str, Transaction] = {}
        self.signatures: defaultdict[bytes, int] = defaultdict(int)
        self._clock = clock
        self._planned: deque[Mischief] = deque()
        self._lock = threading.RLock()

    @property
    def now(self) -> datetime:
        """The present moment at the provider."""
        return self._clock.now()

    @property
    def accepted(self) -> tuple[bytes, ...]:
        """Every digest of every accepted transaction, in the order received: a doubled one was sent twice."""
        return tuple(digest for item in self.transactions.values() for _, digest in item.documents)

    def add(self, name: str, issued: SandboxCertificate, *, owner: str = "") -> Credential:
        """Keep a key.

        Args:
            name: the provider's id of the key.
            issued: certificate, chain and private key.
            owner: who may use it, as the provider names users.

        """
        credential = Credential(name=name, issued=issued, owner=owner)
        self.credentials[name] = credential
        return credential

    def misbehave(self, *mischiefs: Mischief) -> None:
        """Plan what goes wrong next, each once."""
        with self._lock:
            self._planned.extend(mischiefs)

    def takes(self, *kinds: Mischief) -> Mischief | None:
        """Return the mischief that is planned next if it is of these kinds, and forget it."""
        with self._lock:
            if self._planned and self._planned[0] in kinds:
                return self._planned.popleft()
            return None

    def new_id(self) -> str:
        """Return an id that nobody else has."""
        return self._clock.new_id()

    def begin(
        self,
        credential: Credential,
        documents: Sequence[tuple[str, bytes]],
        *,
        name: str = "",
        hash_name: HashName = HashName.SHA256,
        shown: Sequence[str] = (),
    ) -> Transaction:
        """Accept a transaction and let the phone ring.

        Args:
            credential: the key.
            documents: id and digest of each document.
            name: the transaction's id; empty to draw one.
            hash_name: the function that made the digests.
            shown: the lines that the phone shows.

        """
        with self._lock:
            name = name or self.new_id()
            ring = self.phone.ring(name, shown)
            moment = self.now
            begun = Transaction(
                name=name,
                credential=credential,
                documents=tuple(documents),
                hash_name=hash_name,
                ring=ring,
                begun=moment,
                ends=moment + self.life,
                fails=self.takes(Mischief.FAILS) is not None,
            )
            self.transactions[name] = begun
            return begun

    def state(self, transaction: Transaction, at: datetime | None = None) -> DeskState:
        """Return where a transaction stands now, or at another moment."""
        moment = at or self.now
        answer, answered = transaction.ring.answer, transaction.begun + transaction.ring.after
        if answer in _AT_ONCE:
            return _AT_ONCE[answer]
        if answer is Answer.IGNORES or answered >= transaction.ends:
            return DeskState.EXPIRED if moment >= transaction.ends else DeskState.WAITING
        if moment < answered:
            return DeskState.WAITING
        return self._once_answered(transaction, moment - answered)

    def _once_answered(self, transaction: Transaction, since: timedelta) -> DeskState:
        if transaction.ring.answer is Answer.DECLINES:
            return DeskState.DECLINED
        if since < self.signing:
            return DeskState.CONFIRMED
        return DeskState.FAILED if transaction.fails else DeskState.DONE

    def signed(self, transaction: Transaction) -> list[tuple[str, bytes]]:
        """Return id and raw signature value of each document, wrong where mischief is planned."""
        pairs = [(name, self._value(transaction, digest)) for name, digest in transaction.documents]
        return spoilt(pairs, self.takes(*_OF_VALUES))

    def _value(self, transaction: Transaction, digest: bytes) -> bytes:
        self.signatures[digest] += 1
        key = transaction.credential.issued.key
        is_curve = isinstance(key, ec.EllipticCurvePrivateKey)
        scheme = SignatureScheme.ECDSA if is_curve else SignatureScheme.RSA_PKCS1
        return signed(key, digest, transaction.hash_name, scheme)


def spoilt(pairs: list[tuple[str, bytes]], mischief: Mischief | None) -> list[tuple[str, bytes]]:
    """Return the pairs of an answer as a mischief leaves them."""
    if mischief is Mischief.WRONG_SIGNATURE:
        name, value = pairs[0]
        return [(name, bytes([value[0] ^ 1]) + value[1:]), *pairs[1:]]
    if mischief is Mischief.WRONG_ORDER:
        return list(zip((name for name, _ in pairs), (value for _, value in reversed(pairs)), strict=True))
    changes: Mapping[Mischief | None, list[tuple[str, bytes]]] = {
        Mischief.MISSING: pairs[1:],
        Mischief.DOUBLED: [*pairs, pairs[-1]],
        Mischief.FOREIGN_ID: [("of-somebody-else", pairs[0][1]), *pairs[1:]],
    }
    return changes.get(mischief, pairs)


_AT_ONCE = {
    Answer.IS_UNREACHABLE: DeskState.UNREACHABLE,
    Answer.HAS_LOCKED_PIN: DeskState.LOCKED,
}

_OF_VALUES = (
    Mischief.WRONG_SIGNATURE,
    Mischief.WRONG_ORDER,
    Mischief.MISSING,
    Mischief.DOUBLED,
    Mischief.FOREIGN_ID,
)
