"""Register organisations for electronic transactions with Vietnam Social Security, and everything after it.

    import bhxh_sdk as bhxh

    form = bhxh.Registration(agency=bhxh.catalogue.agency("07906"), organisation=…, contact=…)
    report = bhxh.check(form)
    with bhxh.Client(channel, signer=bhxh.open_signer("softkey:PATH"), journal="registrations.db") as client:
        filing = client.register(form, confirmed=True)

The deeper rooms are importable by their names: `bhxh_sdk.xml`, `bhxh_sdk.signers`, `bhxh_sdk.transport`,
`bhxh_sdk.workflow`, `bhxh_sdk.sandbox`.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bhxh_sdk import catalogue
    from bhxh_sdk.async_client import AsyncClient
    from bhxh_sdk.async_document_signer import AsyncDocumentSigner
    from bhxh_sdk.channels import open_channel
    from bhxh_sdk.client import Client, check
    from bhxh_sdk.document_signer import DocumentSigner
    from bhxh_sdk.errors import (
        ActivationError,
        AlreadyActivatedError,
        AlreadyRegisteredError,
        BhxhError,
        CertificateUnusableError,
        CodeExpiredError,
        CodeRevokedError,
        DocumentError,
        InputError,
        JournalError,
        KeyNotFoundError,
        KeyPasswordError,
        LogInRefusedError,
        MissingExtraError,
        NotRegisteredError,
        NotSentError,
        PersonNeededError,
        RefusedError,
        Retry,
        SessionExpiredError,
        SetupError,
        SignatureMismatchError,
        SigningDeclinedError,
        SigningError,
        SigningExpiredError,
        StillWaitingError,
        UnexpectedReplyError,
        UnknownCodeError,
        UnknownOutcomeError,
        UnreadableFileError,
        UnsafeDocumentError,
        UnsupportedOperationError,
        VerificationError,
        WrongCodeError,
        WrongStateError,
        WrongTypeError,
    )
    from bhxh_sdk.findings import Finding, Report, Severity
    from bhxh_sdk.models import (
        Action,
        Agency,
        Attachment,
        Contact,
        Ivan,
        Organisation,
        Portal,
        Registration,
        ResultDelivery,
        Stop,
        StopReason,
        form_from_dict,
        form_to_dict,
    )
    from bhxh_sdk.opening import open_signer
    from bhxh_sdk.remote_errors import (
        ConfirmationLockedError,
        ConfirmationSecretError,
        ProviderBusyError,
        ProviderError,
        ProviderFailedError,
        ProviderLoginError,
        ProviderRequestError,
        QuotaExhaustedError,
        SignerUnreachableError,
    )
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.system import AskPerson
    from bhxh_sdk.token_errors import (
        DriverCrashedError,
        DriverError,
        PinError,
        PinLastTryError,
        PinLockedError,
        TokenError,
        TokenNotFoundError,
        TokenRemovedError,
    )
    from bhxh_sdk.transport import PortalChannel
    from bhxh_sdk.transport.ivan import IvanChannel
    from bhxh_sdk.workflow import MemoryJournal, RegistrationStatus, SigningOutcome, SqliteJournal, State

__all__ = [
    "Action",
    "ActivationError",
    "Agency",
    "AlreadyActivatedError",
    "AlreadyRegisteredError",
    "AskPerson",
    "AsyncClient",
    "AsyncDocumentSigner",
    "Attachment",
    "BhxhError",
    "CertificateUnusableError",
    "Client",
    "CodeExpiredError",
    "CodeRevokedError",
    "ConfirmationLockedError",
    "ConfirmationSecretError",
    "Contact",
    "DocumentError",
    "DocumentSigner",
    "DriverCrashedError",
    "DriverError",
    "Finding",
    "InputError",
    "Ivan",
    "IvanChannel",
    "JournalError",
    "KeyNotFoundError",
    "KeyPasswordError",
    "LogInRefusedError",
    "MemoryJournal",
    "MissingExtraError",
    "NotRegisteredError",
    "NotSentError",
    "Organisation",
    "PersonNeededError",
    "PinError",
    "PinLastTryError",
    "PinLockedError",
    "Portal",
    "PortalChannel",
    "ProviderBusyError",
    "ProviderError",
    "ProviderFailedError",
    "ProviderLoginError",
    "ProviderRequestError",
    "QuotaExhaustedError",
    "RefusedError",
    "Registration",
    "RegistrationStatus",
    "Report",
    "ResultDelivery",
    "Retry",
    "Secret",
    "SessionExpiredError",
    "SetupError",
    "Severity",
    "SignatureMismatchError",
    "SignerUnreachableError",
    "SigningDeclinedError",
    "SigningError",
    "SigningExpiredError",
    "SigningOutcome",
    "SqliteJournal",
    "State",
    "StillWaitingError",
    "Stop",
    "StopReason",
    "TokenError",
    "TokenNotFoundError",
    "TokenRemovedError",
    "UnexpectedReplyError",
    "UnknownCodeError",
    "UnknownOutcomeError",
    "UnreadableFileError",
    "UnsafeDocumentError",
    "UnsupportedOperationError",
    "VerificationError",
    "WrongCodeError",
    "WrongStateError",
    "WrongTypeError",
    "catalogue",
    "check",
    "form_from_dict",
    "form_to_dict",
    "open_channel",
    "open_signer",
]

# Names are loaded when they are first used: pytest imports the package on every start for its fixtures, and
# `bhxh --help` should not wait for what it does not need. From light to heavy:
_ROOMS = (
    "errors",
    "token_errors",
    "remote_errors",
    "findings",
    "secret",
    "models",
    "system",
    "opening",
    "signers",
    "channels",
    "transport",
    "transport.ivan",
    "workflow",
    "document_signer",
    "client",
    "async_client",
    "async_document_signer",
)


def __getattr__(name: str) -> Any:  # noqa: ANN401  # any of the names above
    if name == "__version__":
        return version("bhxh-sdk")
    if name == "catalogue":
        return import_module(f"{__name__}.{name}")
    if name in __all__:
        for room in _ROOMS:
            module = import_module(f"{__name__}.{room}")
            if name in module.__all__:
                return globals().setdefault(name, getattr(module, name))
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
