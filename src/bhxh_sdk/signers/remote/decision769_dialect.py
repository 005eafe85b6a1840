"""The dialects of Decision 769: what differs between the providers that follow it, as data.

A shipped dialect is a file `data/ca769-NAME.toml`; `[dialect_changes]` of a profile changes any member.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping  # noqa: TC003  # dialects are made from the annotations at run time
from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import field, frozen

from bhxh_sdk.errors import InputError
from bhxh_sdk.signers.remote.profile import dialect_of, one_of, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bhxh_sdk.signers.contract import SigningJob
    from bhxh_sdk.signers.remote.profile import RemoteProfile

__all__ = ["COMPUTED", "Dialect", "Settings", "dialect_and_settings"]

COMPUTED = "computed"
_ENCODERS = {"hex": bytes.hex, "base64": lambda digest: base64.b64encode(digest).decode()}
_STATUS_MEMBERS = ("sp_id", "sp_password", "user_id", "transaction_id")


@frozen(kw_only=True)
class Settings:
    """Who we are, and for whom is signed.

    Args:
        base_url: the provider's address, to which the dialect's paths are added.
        sp_id: our own id with the provider.
        user_id: who signs: the number of an identity card or passport, or an organisation's tax code.
        serial_number: only the certificate with this serial number, in hexadecimal; empty for all.
        service_type: only certificates of this kind, such as `SMARTCA` or `ESEAL`; empty for all.
        description: what the person is shown; the documents' names when empty.
        webhook_url: where the provider posts that a transaction has ended; only where the dialect has it.
        one_time_code: `computed` from the secret `totp_secret`, or `asked` of a person at each signature;
            only where the dialect wants one.

    """

    base_url: str
    sp_id: str
    user_id: str
    serial_number: str = ""
    service_type: str = ""
    description: str = ""
    webhook_url: str = ""
    one_time_code: str = COMPUTED


@frozen(kw_only=True)
class Dialect:
    """What a provider does in its own way.

    Args:
        certificates_path: where certificates are listed.
        sign_path: where a signature is asked for.
        status_path: where the result is asked for; `{id}` stands for the transaction. Empty for none.
        confirm_path: where a signature is confirmed by password, code and `sad`; empty where a phone is used.
        digest: how a digest is written: `hex` (lower case) or `base64`.
        largest_batch: how many documents one request may hold.
        life_seconds: how long a person has to confirm, where the provider does not tell.
        poll_seconds: how long to wait between two questions.
        sign_seconds: how long the answer to a signing request may take.
        codes: what a `status_code` means: a verdict, and the provider's own name for it where it has one.
        messages: what a `message` means, compared in upper case as a whole.
        status_id: which name of the transaction the result is asked with: `transaction_id` or `tran_code`.
        status_members: what the question for the result tells, in its body.
        nested_options: whether `file_type` and `sign_type` stand in `file_options`.
        document_id: what `doc_id` is: `id`, our own document id, or `digest`, the digest in hexadecimal.
        time_stamp: form of `time_stamp` as `strftime` takes it; empty to leave it out.
        time_stamp_hours: how far the clock of `time_stamp` is ahead of UTC.
        description_member: the member that tells the person what is signed; empty for none.
        webhook_member: the member for our own address; empty for none.
        failed_values: values of a signature that say that signing failed.
        codes_with_secrets: as `codes`, where password and one-time code were sent along; they go first.
        secret_words: words of a message, in upper case, that tell which secret was wrong.

    """

    certificates_path: str
    sign_path: str
    status_path: str = ""
    confirm_path: str = ""
    digest: str
    largest_batch: int
    life_seconds: float
    poll_seconds: float
    sign_seconds: float
    codes: Mapping[str, str] = field(hash=False)
    messages: Mapping[str, str] = field(hash=False)
    status_id: str = "transaction_id"
    status_members: tuple[str, ...] = ()
    nested_options: bool = False
    document_id: str = "id"
    time_stamp: str = ""
    time_stamp_hours: float = 0.0
    description_member: str = ""
    webhook_member: str = ""
    failed_values: tuple[str, ...] = ()
    codes_with_secrets: Mapping[str, str] = field(factory=dict, hash=False)
    secret_words: Mapping[str, str] = field(factory=dict, hash=False)

    def name_of(self, job: SigningJob) -> str:
        """Return the `doc_id` of a document."""
        return job.digest.hex() if self.document_id == "digest" else job.document_id

    def names_of(self, jobs: Iterable[SigningJob]) -> dict[str, str]:
        """Return our document id for each `doc_id`."""
        return {self.name_of(job): job.document_id for job in jobs}

    def file_of(self, job: SigningJob) -> dict[str, object]:
        """Return a document as the signing request lists it."""
        options = {"file_type": job.file_type, "sign_type": "hash"}
        placed: dict[str, object] = {"file_options": options} if self.nested_options else {**options}
        return {
            "doc_id": self.name_of(job),
            "data_to_be_signed": _ENCODERS[self.digest](job.digest),
            **placed,
        }

    def stamp(self, now: datetime) -> str:
        """Return a moment as `time_stamp` takes it."""
        return (now + timedelta(hours=self.time_stamp_hours)).strftime(self.time_stamp)


def dialect_and_settings(profile: RemoteProfile) -> tuple[Dialect, Settings]:
    """Return the dialect and the settings of a profile.

    Raises:
        UnknownCodeError: there is no dialect of that name, or a member has a value that it cannot have.
        InputError: a member is missing, unknown or of a wrong type; `field` names it.

    """
    dialect, settings = dialect_of(profile, Dialect, "plain"), settings_of(profile, Settings)
    one_of("dialect_changes.digest", dialect.digest, _ENCODERS)
    one_of("dialect_changes.status_id", dialect.status_id, ("transaction_id", "tran_code"))
    one_of("dialect_changes.document_id", dialect.document_id, ("id", "digest"))
    one_of("one_time_code", settings.one_time_code, (COMPUTED, "asked"))
    for member in dialect.status_members:
        one_of("dialect_changes.status_members", member, _STATUS_MEMBERS)
    for secret in dialect.secret_words.values():
        one_of("dialect_changes.secret_words", secret, ("otp", "password"))
    if settings.webhook_url and not dialect.webhook_member:
        raise InputError("remote.setting_missing", field="dialect_changes.webhook_member")
    return dialect, settings
