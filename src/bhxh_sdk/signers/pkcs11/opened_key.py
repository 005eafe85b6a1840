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
    from bhxh_sdk.signers.pkcs11.pin_memory import SentPin

__all__ = ["OpenedKey"]

_OTHERWISE_BAD = frozenset(
    {0x20, 0x21, 0x60, 0x62, 0x63, 0x65, 0x68, 0x70, 0x71, 0x82, 0x90, 0x91, 0xB0, 0xB3, 0x190}
)
"""What C_Sign answers where the data, the key, the mechanism or the session was bad. With anything else a
driver that looks at the PIN only then may mean the PIN."""
_SESSION_INVALID = 0xB3


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
        at_hand: whether nobody typed that PIN for this key.
        refused: told when a login with that PIN failed, or may have.
        allow_last_try: whether the last try may be spent, and a PIN sent that was refused before.

    """

    def __init__(
        self,
        token: OpenedToken,
        info: CertificateInfo,
        key: TokenKey,
        find: Callable[[], TokenKey | None],
        *,
        pin: Secret | None = None,
        at_hand: bool = False,
        refused: Callable[[], None] = lambda: None,
        allow_last_try: bool = False,
    ) -> None:
        self._refused = refused
        self._token = token
        self._info = info
        self._place = (token.session, key)
        self._find = find
        self._pin = pin
        self._at_hand = at_hand and not allow_last_try
        self._mark = memory.mark(token.token, pin)
        self._refusals = memory.refusals(token.token, self._mark) if allow_last_try else 0
        self._allow_last_try = allow_last_try
        self._each_time = key.always_authenticate
        self._forgotten = False
        self._was_refused = False
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
            self._demand_pin()
            check_flags(token.fresh(), memory.wrong(token.token), allow_last_try=self._allow_last_try)
            memory.demand_new(token.token, self._mark, at_hand=self._at_hand, allowed=self._refusals)
            sent = memory.sent(token.token, self._mark, token.module)
            try:
                value = self._value(self._place, mechanism, data, self._pin)
                token.accepted(sent)
            except CkrError as error:
                raise self._refusal(error, sent) from error
            except BaseException:  # a crash, or a signal: whether the entry was counted is not known
                self._not_accepted()
                token.drop()
                raise
            return value

    def _refusal(self, error: CkrError, sent: SentPin) -> BhxhError:
        """Return the error for a signature that failed, and note whether its PIN may have been why."""
        if error.call == "C_SignInit" or (error.call != "C_Login" and error.code in _OTHERWISE_BAD):
            self.forget()
            memory.not_judged(sent)
            return self._token.trouble(error)
        if self._token.judged(error, sent):
            self._not_accepted()
        self.forget()
        return self._token.refusal(error)

    def _not_accepted(self) -> None:
        self._was_refused = True
        self.forget()
        self._refused()

    def _demand_pin(self) -> None:
        """Refuse to go on with a PIN that was wiped, and say why it was."""
        self._demand_open()
        name = self._token.name
        if self._was_refused:
            raise PinError("pin.refused_before", name=name)
        if self._forgotten:
            raise outcomes.token_error(CkrError(_SESSION_INVALID, "C_Sign"), name)

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
                self._token.drop(error)
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
