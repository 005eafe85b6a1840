"""A private key on a token that signs as long as session and login last.

A session that the driver has lost is opened anew once, and only where no PIN has to be asked for again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from bhxh_sdk.errors import BhxhError, SignatureMismatchError, SigningError
from bhxh_sdk.signers.contract import SigningJob
from bhxh_sdk.signers.pkcs11 import outcomes
from bhxh_sdk.signers.pkcs11.contract import CkrError
from bhxh_sdk.signers.pkcs11.mechanisms import data_of, mechanism_of
from bhxh_sdk.signers.pkcs11.opened import SESSION_LOST
from bhxh_sdk.signers.pkcs11.pin import check_flags
from bhxh_sdk.signers.pkcs11.pin_memory import memory
from bhxh_sdk.signers.values import demand_kind, public_key, signature_fits
from bhxh_sdk.token_errors import PinError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bhxh_sdk.models import CertificateInfo, SignatureScheme
    from bhxh_sdk.secret import Secret
    from bhxh_sdk.signers.contract import HashName
    from bhxh_sdk.signers.pkcs11.contract import Mechanism, Session, TokenKey
    from bhxh_sdk.signers.pkcs11.opened import OpenedToken

__all__ = ["OpenedKey"]

_PIN_REFUSED = frozenset({0xA0, 0xA1, 0xA2, 0xA3, 0xA4})
"""CKR_PIN_INCORRECT, _INVALID, _LEN_RANGE, _EXPIRED, _LOCKED."""


@final
class OpenedKey:
    """A private key that can sign now; the first value of each session is verified here.

    Args:
        token: its token, logged in where that is needed.
        info: the certificate that it belongs to.
        key: the key as it was found.
        find: finds the key among those that the token shows now; None when it is not there.
        pin: for a key that wants it for each signature; None where it is typed on a pad. It is wiped by the
            first failure, and by `forget`.
        refused: told when a login with that PIN failed, or may have.
        allow_last_try: whether the last try may be spent.

    """

    def __init__(
        self,
        token: OpenedToken,
        info: CertificateInfo,
        key: TokenKey,
        find: Callable[[], TokenKey | None],
        *,
        pin: Secret | None = None,
        refused: Callable[[], None] = lambda: None,
        allow_last_try: bool = False,
    ) -> None:
        self._refused = refused
        self._token = token
        self._info = info
        self._place = (token.session, key)
        self._find = find
        self._pin = pin
        self._mark = memory.mark(token.token, pin)
        self._allow_last_try = allow_last_try
        self._each_time = key.always_authenticate
        self._forgotten = False
        self._public = public_key(info, ())
        self._offered = token.mechanisms()
        self._ways: dict[tuple[SignatureScheme, HashName], Mechanism] = {}
        self._proven: set[SignatureScheme] = set()

    def __call__(self, digest: bytes, hash_name: HashName, scheme: SignatureScheme) -> bytes:
        """Sign a digest; see `bhxh_sdk.signers.LocalKey`."""
        return self.signed(digest, hash_name, scheme)

    def signed(
        self, digest: bytes, hash_name: HashName, scheme: SignatureScheme, signed_info: bytes = b""
    ) -> bytes:
        """Sign a digest, or what was hashed where the token does that itself.

        Raises:
            InputError: the digest has not the length of its hash function, or is of something else.
            UnsupportedOperationError: the token does not sign in that way.
            CertificateUnusableError: the key cannot sign in that way.
            SignatureMismatchError: what came back is not the certificate's.
            PinError: the PIN that is wanted for each signature was not accepted.
            TokenError: the token or its driver failed.

        """
        mechanism = self._ways.get((scheme, hash_name)) or self._way(scheme, hash_name)
        data = data_of(mechanism, digest, hash_name, signed_info, self._token.name)
        value = self._with_pin(mechanism, data) if self._each_time else self._made(mechanism, data)
        if scheme not in self._proven:
            self._prove(digest, hash_name, scheme, value)
        return value

    def forget(self) -> None:
        """Wipe the PIN; a key that wants it for each signature signs no more."""
        self._forgotten = True
        if self._pin is not None:
            self._pin.wipe()

    def _way(self, scheme: SignatureScheme, hash_name: HashName) -> Mechanism:
        demand_kind(self._public, scheme, self._info)
        found = mechanism_of(scheme, hash_name, self._offered, self._token.name)
        self._ways[scheme, hash_name] = found
        return found

    def _made(self, mechanism: Mechanism, data: bytes) -> bytes:
        place = self._place
        try:
            return self._value(place, mechanism, data)
        except CkrError as error:
            if error.code not in SESSION_LOST:
                raise self._token.trouble(error) from error
            place = self._found_again(place, error)
        try:
            return self._value(place, mechanism, data)
        except CkrError as error:
            raise self._token.trouble(error) from error

    def _with_pin(self, mechanism: Mechanism, data: bytes) -> bytes:
        """Sign with a key that wants the PIN each time; threads wait, so that a wrong one is sent once."""
        token = self._token
        with token.alone():
            if self._forgotten:
                raise PinError("pin.refused_before", name=token.name)
            self._demand_open()
            check_flags(token.fresh(), memory.wrong(token.token), allow_last_try=self._allow_last_try)
            memory.demand_new(token.token, self._mark)
            sent = memory.sent(token.token, self._mark)
            try:
                value = self._value(self._place, mechanism, data, self._pin)
                memory.right(sent)
            except CkrError as error:
                self.forget()
                if error.call != "C_Login" and error.code not in _PIN_REFUSED:
                    memory.not_judged(sent)
                    raise token.trouble(error) from error
                self._refused()
                raise token.refusal(error, sent) from error
            except BaseException:  # a crash, or a signal: whether the entry was counted is not known
                self.forget()
                self._refused()
                token.drop()
                raise
            return value

    def _demand_open(self) -> None:
        if self._token.closed:
            raise SigningError("signing.closed", name=self._token.name)

    def _value(
        self,
        place: tuple[Session, TokenKey],
        mechanism: Mechanism,
        data: bytes,
        pin: Secret | None = None,
    ) -> bytes:
        self._demand_open()
        session, key = place
        try:
            return session.sign(key, mechanism, data, pin)
        except BhxhError:
            self._token.drop()
            raise

    def _found_again(self, lost: tuple[Session, TokenKey], error: CkrError) -> tuple[Session, TokenKey]:
        """Return session and key after the session was lost; without the PIN, or not at all."""
        with self._token.alone():
            if self._place is lost:
                self._token.drop()
                key = self._find()
                if key is None:
                    raise outcomes.token_error(error, self._token.name) from error
                self._place = (self._token.session, key)
                self._proven.clear()
            return self._place

    def _prove(self, digest: bytes, hash_name: HashName, scheme: SignatureScheme, value: bytes) -> None:
        job = SigningJob(document_id="first", digest=digest, hash_name=hash_name, scheme=scheme)
        if not signature_fits(self._public, job, value):
            raise SignatureMismatchError(
                "pairing.mismatch", name=self._token.name, certificate=self._info.common_name
            )
        self._proven.add(scheme)
