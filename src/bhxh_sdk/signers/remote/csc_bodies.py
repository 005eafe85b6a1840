"""Bodies of a CSC service's requests, in the member names of each dialect. Source: CSC API 1.0.4 and 2.0."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from bhxh_sdk.signers.remote.csc_credential import SHA256, algorithm_of
from bhxh_sdk.signers.remote.phone_text import plain_base64

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.contract import SigningTransaction
    from bhxh_sdk.signers.remote.csc_credential import Credential, Entry
    from bhxh_sdk.signers.remote.csc_dialect import CscDialect, CscSettings

__all__ = ["CscBodies"]

_LONGEST_DESCRIPTION = 500


class CscBodies:
    """Make the bodies for one service.

    Args:
        settings: the profile's settings.
        dialect: the dialect.

    """

    def __init__(self, settings: CscSettings, dialect: CscDialect) -> None:
        self._settings = settings
        self._dialect = dialect

    def listing(self, page: str) -> dict[str, Any]:
        """Ask for one page of the list of credentials."""
        body: dict[str, Any] = {}
        if self._settings.user_id:
            body["userID"] = self._settings.user_id
        if page:
            body["pageToken"] = page
        if self._dialect.lists_infos:
            body |= {"credentialInfo": True, **self._wanted()}
        return body

    def info(self, name: str) -> dict[str, Any]:
        """Ask for a credential."""
        return {"credentialID": name, **self._wanted()}

    def _wanted(self) -> dict[str, Any]:
        """Ask for the signer's certificate as it is; one server answers 501 when its parts are asked for."""
        wanted = {"certificates": "single", "certInfo": False, "authInfo": True}
        return {**wanted, "lang": self._settings.language} if self._settings.language else wanted

    def authorization(
        self, transaction: SigningTransaction, entered: Iterable[tuple[Entry, Secret]]
    ) -> dict[str, Any]:
        """Ask for the activation data. The hashes are always bound to it.

        Args:
            transaction: what is signed.
            entered: what a person entered.

        """
        body = {
            "credentialID": transaction.key_id,
            "numSignatures": len(transaction.jobs),
            self._dialect.hashes_member: _hashes(transaction),
            **self._about(transaction),
        }
        if description := self._description(transaction):
            body["description"] = description
        if self._dialect.version == 1:
            return {**body, **{entry.place: secret for entry, secret in entered}}
        body[self._dialect.hash_name_member] = SHA256
        data = [{"id": entry.place, "value": secret} for entry, secret in entered]
        return {**body, "authData": data} if data else body

    def signature(
        self, transaction: SigningTransaction, credential: Credential, sad: Secret | None
    ) -> dict[str, Any]:
        """Ask for the signatures.

        Args:
            transaction: what is signed.
            credential: the key.
            sad: the activation data; None where the token replaces it.

        """
        algorithm, names_hash = algorithm_of(credential, transaction.jobs[0].scheme)
        body = {
            "credentialID": transaction.key_id,
            self._dialect.hashes_member: _hashes(transaction),
            "signAlgo": algorithm,
            **self._about(transaction),
        }
        if sad is not None:
            body["SAD"] = sad
        if names_hash:
            body[self._dialect.hash_name_member] = SHA256
        if self._dialect.operation_mode:
            body["operationMode"] = self._dialect.operation_mode
        return body

    def consent(self, transaction: SigningTransaction) -> dict[str, str]:
        """Return what a person consents to in the browser, as parameters of the address that is opened."""
        hashes = (base64.urlsafe_b64encode(job.digest).decode().rstrip("=") for job in transaction.jobs)
        wanted = {
            "scope": "credential",
            "credentialID": transaction.key_id,
            "numSignatures": str(len(transaction.jobs)),
            self._dialect.hashes_member: ",".join(hashes),
        }
        return wanted if self._dialect.version == 1 else {**wanted, self._dialect.hash_name_member: SHA256}

    def _description(self, transaction: SigningTransaction) -> str:
        names = "; ".join(filter(None, (job.document_name for job in transaction.jobs)))
        return self._text(names[:_LONGEST_DESCRIPTION]) if names else ""

    def _about(self, transaction: SigningTransaction) -> dict[str, Any]:
        """Return the array of documents of the dialects that have one."""
        own = self._dialect
        if not own.documents_member:
            return {}
        documents = [
            {
                own.document_id_member: job.document_id,
                own.document_name_member: self._text(job.document_name or job.document_id),
            }
            for job in transaction.jobs
        ]
        return {own.documents_member: documents}

    def _text(self, text: str) -> str:
        return plain_base64(text) if self._dialect.texts_in_base64 else text


def _hashes(transaction: SigningTransaction) -> list[str]:
    return [base64.b64encode(job.digest).decode() for job in transaction.jobs]
