"""The channel contract: what the portal and every I-VAN promise to the workflow.

A channel carries finished bytes and plain facts. It names operations, not addresses; says which of them its
profile has; and knows two identifiers, the sending key given at once and the dossier number given later.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

from attrs import field, frozen

if TYPE_CHECKING:
    from bhxh_sdk.models import (
        Account,
        Agency,
        CertificateInfo,
        Credentials,
        Document,
        Ivan,
        Notice,
        Progress,
        Receipt,
        Registration,
        Session,
    )
    from bhxh_sdk.ports import Ask
    from bhxh_sdk.secret import Secret

__all__ = ["Channel", "ChannelCapabilities", "Filing", "ListEntry", "Operation", "SignatureBy"]


class Operation(Enum):
    """What may be asked of a channel."""

    REGISTER = "register"
    ADJUST = "adjust"
    STOP = "stop"
    FIRST_REGISTER = "first_register"
    PROGRESS = "progress"
    FIND = "find"
    ACTIVATE = "activate"
    RESET_PASSWORD = "reset_password"  # noqa: S105  # the name of an operation
    LOG_IN = "log_in"
    CHANGE_PASSWORD = "change_password"  # noqa: S105  # the name of an operation
    HISTORY = "history"
    NOTICES = "notices"
    AGENCIES = "agencies"
    IVANS = "ivans"
    PROVINCES = "provinces"
    WARDS = "wards"


class SignatureBy(Enum):
    """Who makes the signature of a filing."""

    CLIENT = "client"
    SERVICE = "service"
    NONE = "none"


@frozen(kw_only=True)
class ChannelCapabilities:
    """What a channel can do.

    Args:
        name: `portal` or `ivan`.
        operations: what the profile has an endpoint for.
        signature_by: who signs a filing.
        proven: whether somebody has tried the profile against the live service. Always false so far.

    """

    name: str
    operations: frozenset[Operation]
    signature_by: SignatureBy = SignatureBy.CLIENT
    proven: bool = False


@frozen(kw_only=True)
class Filing:
    """What is handed to a channel: the form, the finished document, the key drawn before anything was sent.

    Args:
        key: the registration's own key; sent along where the profile has a place for it.
        form: the registration, checked.
        document: the finished document; None when the service builds and signs it, or nothing is signed.
        certificate: the signer's certificate; None without one.
        key_id: the remote credential to sign with, when the service signs.

    """

    key: str
    form: Registration
    document: Document | None = None
    certificate: CertificateInfo | None = None
    key_id: str = field(default="")


@frozen(kw_only=True)
class ListEntry:
    """One row of a code list as a channel serves it."""

    code: str
    name: str
    parent_code: str = ""
    internal_id: str = ""


class Channel(Protocol):
    """What the portal and every I-VAN promise.

    Every method may raise `UnsupportedOperationError` (the profile has no such endpoint), `RefusedError` and
    its kinds (the other side said no), `NotSentError`, `UnknownOutcomeError` (for calls that change things)
    and `UnexpectedReplyError` (for calls that only read).
    """

    @property
    def capabilities(self) -> ChannelCapabilities:
        """What this channel can do."""
        ...

    def demand(self, operation: Operation) -> None:
        """Raise `UnsupportedOperationError`, saying what to supply, unless the profile has the operation."""
        ...

    async def submit(self, filing: Filing) -> Receipt:
        """File a registration, adjustment, stop or first registration. Sent once, never repeated."""
        ...

    async def progress(self, sending_key: str) -> Progress:
        """Tell how far the agency is."""
        ...

    async def find(self, filing: Filing) -> Progress | None:
        """Look for a filing whose answer was lost; None when the other side does not know it (yet)."""
        ...

    async def activate(self, filing: Filing, sending_key: str, code: Secret) -> Account:
        """Hand in the mailed activation code. Sent once, never repeated."""
        ...

    async def log_in(self, credentials: Credentials, ask: Ask, unit_code: str = "") -> Session:
        """Open a session; a person answers the captcha and chooses the unit when there are several."""
        ...

    async def change_password(self, session: Session, old: Secret, new: Secret) -> None:
        """Change the password of the account."""
        ...

    async def request_password_reset(self, unit_code: str, tax_code: str) -> None:
        """Ask for a new password by e-mail."""
        ...

    async def history(self, session: Session) -> tuple[Progress, ...]:
        """List the filings of the session's unit."""
        ...

    async def notices(self, session: Session, dossier_number: str) -> tuple[Notice, ...]:
        """List the notices about a dossier."""
        ...

    async def agencies(self, province_code: str) -> tuple[Agency, ...]:
        """List the agencies of a province."""
        ...

    async def ivans(self) -> tuple[Ivan, ...]:
        """List the I-VANs."""
        ...

    async def provinces(self) -> tuple[ListEntry, ...]:
        """List the provinces."""
        ...

    async def wards(self, province_code: str) -> tuple[ListEntry, ...]:
        """List the wards of a province."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...
