"""Who we are to the portal: the client id, and the encrypted header made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bhxh_sdk.errors import SetupError, UnexpectedReplyError
from bhxh_sdk.transport.client_header import SALT_BYTES, encrypted_client_id
from bhxh_sdk.transport.reading import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bhxh_sdk.ports import Clock
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.transport.calling import Caller

__all__ = ["ClientIdentity"]


class ClientIdentity:
    """Fetch the client id once and make the header for each call.

    Args:
        caller: calls the portal.
        clock: gives the salt.
        passphrase: the constant of the portal's web page; without it no header is sent.

    """

    def __init__(self, caller: Caller, clock: Clock, passphrase: Secret | None) -> None:
        self._caller = caller
        self._clock = clock
        self._passphrase = passphrase
        self._client_id = ""

    def forget(self) -> None:
        """Fetch a new client id for the next call: each log-in begins with its own."""
        self._client_id = ""

    async def client_id(self) -> str:
        """Return the client id, fetched on first use.

        Raises:
            UnexpectedReplyError: the portal gave none.

        """
        if not self._client_id:
            answer = await self._caller.read("client_id")
            client_id = as_text(answer.value)
            if not client_id:
                raise UnexpectedReplyError("unexpected_reply.member", field="client_id")
            self._client_id = client_id
        return self._client_id

    async def header(self) -> str:
        """Return the encrypted client id; empty when the profile wants none or it is optional and unknown.

        Raises:
            SetupError: the profile needs a passphrase and none was given.

        """
        rules = self._caller.profile.client_header
        if rules is None or (self._passphrase is None and not rules.required):
            return ""
        if self._passphrase is None:
            raise SetupError("setup.passphrase_missing", header=rules.name, profile=self._caller.profile.name)
        salt = self._clock.random_bytes(SALT_BYTES)
        return encrypted_client_id(
            await self.client_id(), self._passphrase, salt, quoted=rules.quoted, spelling=rules.spelling
        )

    async def headers(self, known: str = "") -> Mapping[str, str]:
        """Return the headers of a call; `known` is the value that belongs to an open session."""
        rules = self._caller.profile.client_header
        value = known or await self.header()
        return {rules.name: value} if rules is not None and value else {}
