"""Errors of remote and SIM signing: branches of the tree in `bhxh_sdk.errors`.

    SigningError
    ├── ProviderError                  what a provider answered; its code and text as received
    │   ├── ProviderLoginError         our own name, secret or TLS certificate with the provider is wrong
    │   ├── ProviderRequestError       the provider does not take the request: a setting or a limit is wrong
    │   ├── ProviderFailedError        the provider could not sign
    │   ├── ProviderBusyError          another signature of the same person is still waiting
    │   ├── SignerUnreachableError     the person's phone, or the way to it, does not answer now
    │   └── QuotaExhaustedError        no signatures are left
    └── KeyPasswordError
        └── ConfirmationSecretError    a PIN, password or one-time code is wrong; never sent again by code
            └── ConfirmationLockedError    the provider takes none any more

That the person said no, that the time ran out, that a certificate cannot be used: these are the errors that
every signer shares (`SigningDeclinedError`, `SigningExpiredError`, `CertificateUnusableError`). Theirs too
are the parameters `provider_code`, `provider_name` and `provider_text`: what was received, without secrets.
"""

from __future__ import annotations

from bhxh_sdk.errors import KeyPasswordError, Retry, SigningError

__all__ = [
    "ConfirmationLockedError",
    "ConfirmationSecretError",
    "ProviderBusyError",
    "ProviderError",
    "ProviderFailedError",
    "ProviderLoginError",
    "ProviderRequestError",
    "QuotaExhaustedError",
    "SignerUnreachableError",
]


class ProviderError(SigningError):
    """A remote signing provider answered with an error; its code and text are as received."""

    default_code = "remote"

    @property
    def provider_code(self) -> str:
        """The provider's code as received, or an empty text."""
        return str(self.parameters.get("provider_code", ""))

    @property
    def provider_text(self) -> str:
        """The provider's text as received, or an empty text."""
        return str(self.parameters.get("provider_text", ""))


class ProviderLoginError(ProviderError):
    """Our own name, secret or TLS certificate with the provider is wrong; it is not sent again by code."""

    default_code = "remote.login"


class ProviderRequestError(ProviderError):
    """The provider does not take the request: a setting of the profile or a limit is wrong."""

    default_code = "remote.request"


class ProviderFailedError(ProviderError):
    """The provider could not sign."""

    default_code = "remote.failed"


class ProviderBusyError(ProviderError):
    """Another signature of the same person is still waiting to be confirmed."""

    default_code = "remote.busy"
    retry = Retry.NOW


class SignerUnreachableError(ProviderError):
    """The person's phone, or the way to it, does not answer now."""

    default_code = "remote.unreachable"
    retry = Retry.NOW


class QuotaExhaustedError(ProviderError):
    """No signatures are left with the provider."""

    default_code = "remote.quota"


class ConfirmationSecretError(KeyPasswordError):
    """A PIN, password or one-time code for the provider is wrong; it is never sent again by code."""

    default_code = "remote.secret"


class ConfirmationLockedError(ConfirmationSecretError):
    """The provider takes no PIN, password or one-time code any more."""

    default_code = "remote.locked"
