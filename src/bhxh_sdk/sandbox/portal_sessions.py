"""Who talks to the sandbox's portal: client ids, the encrypted client header, tokens."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import frozen
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from bhxh_sdk.transport.client_header import key_and_vector

if TYPE_CHECKING:
    from bhxh_sdk.ports import Clock
    from bhxh_sdk.secret import Secret

__all__ = ["PortalSession", "PortalSessions", "decrypted_client_id"]

_LIFETIME = timedelta(minutes=63)
_MARK_AND_SALT = 16


def decrypted_client_id(header: str, passphrase: Secret) -> str:
    """Return the client id of an `X-CLIENT` header; empty when it cannot be opened."""
    try:
        sealed = base64.b64decode(header.replace("teca", "+"), validate=True)
        key, vector = key_and_vector(passphrase.reveal().encode(), sealed[8:_MARK_AND_SALT])
        decryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
        padded = decryptor.update(sealed[_MARK_AND_SALT:]) + decryptor.finalize()
        unpadder = PKCS7(algorithms.AES.block_size).unpadder()
        client_id = json.loads(unpadder.update(padded) + unpadder.finalize())
    except (binascii.Error, ValueError):
        return ""
    return client_id if isinstance(client_id, str) and sealed.startswith(b"Salted__") else ""


@frozen(kw_only=True)
class PortalSession:
    """A log-in that is open.

    Args:
        user_name: whose it is.
        ends: when it ends.

    """

    user_name: str
    ends: datetime


class PortalSessions:
    """Issue client ids and tokens, and know them again.

    Args:
        clock: tells when a token has ended.
        passphrase: what the client header is encrypted with.

    """

    def __init__(self, clock: Clock, passphrase: Secret) -> None:
        self._clock = clock
        self._passphrase = passphrase
        self._client_ids: set[str] = set()
        self._open: dict[str, PortalSession] = {}

    def new_client_id(self) -> str:
        """Return a client id in the seen form: Base64 of a UUID, a hyphen and a tick count."""
        digits = self._clock.new_id()
        uuid = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        client_id = base64.b64encode(f"{uuid}-{len(self._client_ids):018d}".encode()).decode()
        self._client_ids.add(client_id)
        return client_id

    def knows(self, header: str) -> bool:
        """Tell whether a client header holds an id that was given out."""
        return decrypted_client_id(header, self._passphrase) in self._client_ids

    def open(self, user_name: str) -> tuple[str, PortalSession]:
        """Return a new token and its session."""
        token = f"sandbox.{self._clock.new_id()}.{self._clock.new_id()}"
        self._open[token] = PortalSession(user_name=user_name, ends=self._clock.now() + _LIFETIME)
        return token, self._open[token]

    def of(self, authorization: str) -> PortalSession | None:
        """Return the session of an `Authorization` header; None when there is none or it has ended."""
        session = self._open.get(authorization.removeprefix("Bearer "))
        return session if session is not None and self._clock.now() < session.ends else None
