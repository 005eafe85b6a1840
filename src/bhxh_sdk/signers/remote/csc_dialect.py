"""What a profile says of a CSC service, and what the dialects differ in. Source: CSC API 1.0.4 and 2.0."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # `settings_of` reads the annotations at run time
from typing import TYPE_CHECKING

from attrs import field, frozen

from bhxh_sdk.errors import InputError
from bhxh_sdk.signers.remote.profile import dialect_of, one_of, settings_of

if TYPE_CHECKING:
    from bhxh_sdk.signers.remote.profile import RemoteProfile

__all__ = ["LOGINS", "CscDialect", "CscSettings", "dialect_and_settings"]

LOGINS = ("none", "token", "basic", "client_credentials", "authorization_code", "refresh_token")
"""How the application itself is admitted; see `CscSettings.login`."""

_CLIENT_IN = ("body", "header")


@frozen(kw_only=True)
class CscSettings:
    """The settings of a profile.

    Args:
        base_url: address of the service up to and with its version, such as `https://…/csc/v1`.
        credential: the only credential to use, by the provider's id; empty for all that it lists.
        user_id: whose credentials are listed, where the log-in is the application's own.
        login: `none`; `token` for an access token that somebody else obtained (secret `access_token`);
            `basic` for `auth/login` with `user_name` and the secret `password`; or the OAuth 2.0 grants
            `client_credentials`, `authorization_code` and `refresh_token` (secrets of those names).
        user_name: name for `basic`.
        client_id: the application's id for OAuth 2.0; its secret is `client_secret`.
        oauth_url: address for OAuth 2.0; empty for `oauth2` below `base_url`.
        redirect_uri: the application's registered address, for grants in which a person consents.
        scope: scope of the application's own token.
        language: in which language texts are wanted, such as `vi`.
        client_data: sent along as `clientData`; what it means is the provider's matter.
        largest_batch: the most hashes in one authorisation; 0 for what the credential allows.
        ask_optional: whether a PIN or one-time code that the credential calls optional is asked for.
        otp_is_sent: whether one-time codes come only when asked for (`sendOTP`), where the credential does
            not tell.

    """

    base_url: str
    credential: str = ""
    user_id: str = ""
    login: str = "none"
    user_name: str = ""
    client_id: str = ""
    oauth_url: str = ""
    redirect_uri: str = ""
    scope: str = "service"
    language: str = ""
    client_data: str = ""
    largest_batch: int = 0
    ask_optional: bool = False
    otp_is_sent: bool = False

    @property
    def oauth_base(self) -> str:
        """Where OAuth 2.0 is."""
        return (self.oauth_url or f"{self.base_url.rstrip('/')}/oauth2").rstrip("/")


@frozen(kw_only=True)
class CscDialect:
    """What dialects differ in; the shipped ones are TOML files beside this module.

    Args:
        version: 1 or 2: shape of credentials and authorisations.
        certainty: how sure the dialect is, for people.
        lists_infos: whether certificates come with the list.
        operation_mode: `A` for signatures that are polled for, `S` for those in the answer; empty where there
            is no such member.
        documents_member: the array of documents in `authorize` and `signHash`; empty for none.
        texts_in_base64: whether names and description go as base64 of ASCII.
        consent_replaces_sad: whether, with `oauth2code`, the token is the bearer token of `signHash`, or else
            its SAD.
        client_in: where client id and secret stand, `body` or `header`.
        most_signatures: the most hashes of an authorisation where the credential does not tell.
        life_seconds: how long a person has to confirm.
        sign_seconds: how long `signHash` may take.
        poll_seconds: pause between two questions.
        more_errors: error names of this provider and the verdict of each, before the known ones.
        more_texts: parts of error texts and the verdict of each, before the known ones.

    """

    version: int
    list_path: str
    info_path: str
    authorize_path: str
    check_path: str
    send_otp_path: str
    sign_path: str
    poll_path: str
    login_path: str
    consent_path: str
    token_path: str
    hashes_member: str
    hash_name_member: str
    consent_replaces_sad: bool
    client_in: str
    life_seconds: float
    sign_seconds: float
    poll_seconds: float
    certainty: str = ""
    lists_infos: bool = False
    operation_mode: str = ""
    documents_member: str = ""
    document_id_member: str = ""
    document_name_member: str = ""
    texts_in_base64: bool = False
    most_signatures: int = 1
    more_errors: Mapping[str, str] = field(factory=dict, hash=False)
    more_texts: Mapping[str, str] = field(factory=dict, hash=False)


def dialect_and_settings(profile: RemoteProfile) -> tuple[CscDialect, CscSettings]:
    """Return a profile's dialect and settings.

    Raises:
        InputError: a member is unknown, missing or wrong; `field` names it.

    """
    dialect = dialect_of(profile, CscDialect, "v1")
    settings = settings_of(profile, CscSettings)
    one_of("login", settings.login, LOGINS)
    one_of("dialect_changes.client_in", dialect.client_in, _CLIENT_IN)
    consent = ("client_id",) if settings.redirect_uri else ()
    for name in (*_WANTED.get(settings.login, ()), *consent):
        if not getattr(settings, name):
            raise InputError("remote.setting_missing", field=name)
    return dialect, settings


_WANTED = {
    "basic": ("user_name",),
    "client_credentials": ("client_id",),
    "authorization_code": ("client_id", "redirect_uri"),
    "refresh_token": ("client_id",),
}
