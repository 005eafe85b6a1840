"""What a profile says of an account with Viettel MySign, and what dialects differ in."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # `dialect_of` reads the annotations at run time
from typing import TYPE_CHECKING

from attrs import field, frozen

from bhxh_sdk.signers.remote.profile import dialect_of, one_of, settings_of
from bhxh_sdk.signers.remote.tables import meanings

if TYPE_CHECKING:
    from bhxh_sdk.signers.remote.profile import RemoteProfile
    from bhxh_sdk.signers.verdicts import Verdict

__all__ = ["Account", "MySignDialect", "MySignSettings", "account_of"]

_MODES = (0, 1, 2, 3)
_ENCODINGS = ("base64", "hex")


@frozen(kw_only=True)
class MySignSettings:
    """The settings of a profile; the secret `client_secret` belongs to them.

    Args:
        base_url: the service's address, such as `https://remotesigning.viettel.vn`.
        client_id: the application's name with the provider.
        user_id: whose certificates sign: `CMT_…` for a person, `MST_…-n` for an organisation.
        profile_id: the signing profile.
        credential_id: the only credential to use, by the provider's id; empty for all that it lists.
        description: what the phone shows for a request; empty for the document's name, or how many there are.
        async_mode: 0: the call waits until the person has confirmed; 1 or 2: it is asked how the transaction
            stands; 3: likewise, and the provider calls a webhook besides, which is only a hint to ask.
        largest_batch: the most documents under one confirmation, however many more a certificate allows.

    """

    base_url: str
    client_id: str
    user_id: str
    profile_id: str = "adss:ras:profile:001"
    credential_id: str = ""
    description: str = ""
    async_mode: int = 1
    largest_batch: int = 500


@frozen(kw_only=True)
class MySignDialect:
    """What dialects differ in; the shipped one is a TOML file beside this module.

    Args:
        certainty: how sure the dialect is, for people.
        login_path: path of the log-in, below `base_url`; the others likewise.
        hash_encoding: how digests are written: `base64` or `hex`.
        bearer: whether the token goes with every call after the log-in.
        token_seconds: how long a token lives where `expires_in` does not tell.
        token_margin_seconds: how long before its end a token is used no more.
        blocking_seconds: how long the call may take with `async_mode` 0.
        life_seconds: how long a person has to confirm.
        poll_seconds: pause between two questions.
        statuses: verdict of each status of a transaction.
        errors: verdict of each error.

    """

    login_path: str
    certificates_path: str
    sign_path: str
    status_path: str
    hash_encoding: str
    bearer: bool
    token_seconds: float
    token_margin_seconds: float
    blocking_seconds: float
    life_seconds: float
    poll_seconds: float
    statuses: Mapping[str, str] = field(hash=False)
    errors: Mapping[str, str] = field(hash=False)
    certainty: str = ""


@frozen(kw_only=True)
class Account:
    """An account in its dialect.

    Args:
        settings: the settings.
        dialect: the dialect.
        statuses: verdict of each status.
        errors: verdict of each error.
        asks_secret: whether a person is asked for the client's secret.

    """

    settings: MySignSettings
    dialect: MySignDialect
    statuses: Mapping[str, Verdict] = field(hash=False)
    errors: Mapping[str, Verdict] = field(hash=False)
    asks_secret: bool = True


def account_of(profile: RemoteProfile) -> Account:
    """Return the account that a profile describes.

    Raises:
        InputError: a member is unknown, missing or wrong; `field` names it.

    """
    settings = settings_of(profile, MySignSettings)
    dialect = dialect_of(profile, MySignDialect, "v1")
    one_of("async_mode", settings.async_mode, _MODES)
    one_of("dialect_changes.hash_encoding", dialect.hash_encoding, _ENCODINGS)
    return Account(
        settings=settings,
        dialect=dialect,
        statuses=_verdicts("statuses", dialect.statuses),
        errors=_verdicts("errors", dialect.errors),
        asks_secret="client_secret" not in profile.places,
    )


def _verdicts(place: str, table: Mapping[str, str]) -> dict[str, Verdict]:
    return {code: found.verdict for code, found in meanings(table, place).items()}
