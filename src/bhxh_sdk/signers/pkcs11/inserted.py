"""The tokens that are inserted now and are meant, and what they show without a PIN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, final

from bhxh_sdk.errors import BhxhError, KeyNotFoundError, UnreadableFileError
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.signers.contract import SigningCertificate
from bhxh_sdk.signers.pkcs11 import outcomes
from bhxh_sdk.signers.pkcs11.contract import CkrError, TokenKey
from bhxh_sdk.signers.pkcs11.criteria import key_uri, object_name, shown
from bhxh_sdk.signers.pkcs11.opened import OpenedToken, same_token
from bhxh_sdk.signers.pkcs11.pairing import candidates
from bhxh_sdk.token_errors import TokenNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bhxh_sdk.signers.pkcs11.contract import Module, TokenCertificate, TokenInfo
    from bhxh_sdk.signers.pkcs11.criteria import KeyCriteria, TokenCriteria

__all__ = ["Inserted", "ModuleSource"]


_MOST_NAMED = 20
"""Certificates and keys that are named where another one is wanted."""


class ModuleSource(Protocol):
    """Knows the modules to look for tokens in."""

    def modules(self, *, anew: bool = False) -> Sequence[Module]:
        """Return the modules, loaded.

        Args:
            anew: whether to look for them again, where they are looked for at all.

        Raises:
            DriverError: there is none, or it cannot be loaded.
            TokenNotFoundError: no module shows a token.

        """
        ...

    def close(self) -> None:
        """Release what the modules hold outside this process."""
        ...


@final
class Inserted:
    """Know the tokens that are inserted, each with a session that is kept as long as it stays.

    Args:
        source: knows the modules.
        token: which token is meant.
        key: which certificate and key on it are meant.

    """

    def __init__(self, source: ModuleSource, token: TokenCriteria, key: KeyCriteria) -> None:
        self._source = source
        self._token = token
        self._key = key
        self._opened: tuple[OpenedToken, ...] = ()

    def tokens(self) -> tuple[OpenedToken, ...]:
        """Return the tokens that fit, as they are inserted now, at least one; what is gone is closed.

        Raises:
            TokenNotFoundError: there is none.
            DriverError: there is no usable module.
            TokenError: the driver failed.

        """
        found = self._fitting(self._source.modules()) or self._fitting(self._source.modules(anew=True))
        for token in set(self._opened) - set(found):
            token.close()
        self._opened = found
        if not found:
            raise self._not_found()
        return found

    def certificates(self) -> tuple[SigningCertificate, ...]:
        """List the certificates; a token that fails does not hide the others.

        Raises:
            TokenNotFoundError: there is no token.
            KeyNotFoundError: the certificate or key that is meant is on none of them.
            TokenError: no token could be read.

        """
        listed: list[SigningCertificate] = []
        failures: list[BhxhError] = []
        others: list[OpenedToken] = []
        for token in self.tokens():
            try:
                certificates = token.certificates(anew=True)
                if self._is_meant(token):
                    listed += self._listed(token, certificates)
                else:
                    others.append(token)
            except BhxhError as error:
                failures.append(error)
        if failures and not listed:
            raise failures[0]
        if others and not listed:
            raise self._other_key(others)
        return tuple(listed)

    def holder(self, certificate: SigningCertificate) -> tuple[OpenedToken, TokenCertificate]:
        """Return the token that holds a certificate; of two with the same one, that which listed it.

        Raises:
            TokenNotFoundError: there is no token.
            KeyNotFoundError: none holds it, or the certificate or key that is meant is not on that token.
            TokenError: the token or its driver failed.

        """
        wanted, tokens = certificate.certificate.der, self.tokens()
        for anew in (False, True):
            held = [
                (token, own) for token in tokens for own in token.certificates(anew=anew) if own.der == wanted
            ]
            if held:
                listed = (pair for pair in held if key_uri(pair[0].token, pair[1]) == certificate.key_id)
                token, own = next(listed, held[0])
                if not self._is_meant(token):
                    raise self._other_key([token])
                return token, own
        names = ", ".join(token.name for token in tokens)
        raise KeyNotFoundError(
            "signing.not_this_key", name=names, certificate=certificate.certificate.common_name
        )

    def leave(self) -> bool:
        """Close every session as soon as its driver is free, without waiting for it.

        Returns:
            Whether there were tokens with sessions.

        """
        left, self._opened = self._opened, ()
        for token in left:
            token.module.lock.when_free(token.close)
        return bool(left)

    def close(self) -> None:
        """Close every session."""
        for token in self._opened:
            token.close()
        self._opened = ()
        self._source.close()

    def _fitting(self, modules: Sequence[Module]) -> tuple[OpenedToken, ...]:
        found: dict[tuple[object, ...], OpenedToken] = {}
        for module in modules:
            for token in _tokens_of(module):
                if self._token.fit(token) and _once(token) not in found:
                    found[_once(token)] = self._known(module, token)
        return tuple(found.values())

    def _known(self, module: Module, token: TokenInfo) -> OpenedToken:
        for known in self._opened:
            if known.module is module and same_token(known.token, token):
                known.token = token
                return known
        return OpenedToken(module, token)

    def _not_found(self) -> TokenNotFoundError:
        others = [shown(token) for module in self._source.modules() for token in _tokens_of(module)]
        if not others:
            return TokenNotFoundError()
        return TokenNotFoundError("pkcs11.other_token", wanted=str(self._token), found=", ".join(others))

    def _is_meant(self, token: OpenedToken) -> bool:
        """Tell whether a token shows what is meant; a key that is said to be one may still be hidden."""
        kind = self._key.kind
        if kind != "private" and self._key.fit_any(token.certificates()):
            return True
        if kind == "cert":
            return False
        return self._key.fit_any(token.keys()) or (kind == "private" and not token.is_open)

    def _other_key(self, tokens: Sequence[OpenedToken]) -> KeyNotFoundError:
        names: dict[str, None] = {}
        for token in tokens:
            names |= {object_name(one): None for one in token.certificates()}
            names |= dict.fromkeys(map(object_name, token.keys()))
        names.pop("", None)
        return KeyNotFoundError(
            "pkcs11.other_key",
            name=", ".join(token.name for token in tokens),
            wanted=object_name(TokenKey(handle=None, key_id=self._key.key_id, label=self._key.label)),
            found=", ".join(list(names)[:_MOST_NAMED]) or "0",
        )

    def _listed(
        self, token: OpenedToken, certificates: tuple[TokenCertificate, ...]
    ) -> Iterator[SigningCertificate]:
        keys = token.keys()
        for certificate in self._key.certificates(certificates):
            if (info := _readable(certificate)) is not None:
                fitting = candidates(certificate, self._key.keys(keys, certificates), certificates)
                unknown = not fitting and not token.is_open
                yield SigningCertificate(
                    certificate=info,
                    key_id=key_uri(token.token, certificate),
                    has_private_key=None if unknown else bool(fitting),
                )


def _tokens_of(module: Module) -> tuple[TokenInfo, ...]:
    try:
        return module.tokens()
    except CkrError as error:
        raise outcomes.token_error(error, module.path) from error


def _once(token: TokenInfo) -> tuple[object, ...]:
    """Return what two looks at one token have in common, through whichever modules."""
    if token.serial:
        return token.manufacturer, token.model, token.serial, token.label
    return token.slot, token.label, token.reader


def _readable(certificate: TokenCertificate) -> CertificateInfo | None:
    """Return what a certificate says; None for what is none: junk on a token does not hide the rest."""
    try:
        return CertificateInfo.from_der(certificate.der)
    except UnreadableFileError:
        return None
