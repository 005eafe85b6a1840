"""Checks of the tokens themselves: which are there, and how their PIN stands."""

from __future__ import annotations

import ntpath
from typing import TYPE_CHECKING

from bhxh_sdk.doctor.certificates import Holder
from bhxh_sdk.doctor.drivers import was_pulled_out
from bhxh_sdk.doctor.making import Maker
from bhxh_sdk.errors import UnreadableFileError
from bhxh_sdk.models import CertificateInfo
from bhxh_sdk.signers import SigningCertificate
from bhxh_sdk.signers.pkcs11.contract import TokenFlag
from bhxh_sdk.signers.pkcs11.criteria import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bhxh_sdk.doctor.values import Check
    from bhxh_sdk.signers.pkcs11.contract import TokenInfo
    from bhxh_sdk.signers.pkcs11.discovery import FoundToken, TriedModule

__all__ = ["holder_of", "pin_check", "token_checks"]

_FATAL = (
    (TokenFlag.USER_PIN_LOCKED, "locked"),
    (TokenFlag.USER_PIN_FINAL_TRY, "last_try"),
    (TokenFlag.USER_PIN_TO_BE_CHANGED, "to_be_changed"),
)


def holder_of(found: FoundToken, keys: Mapping[bytes, bool | None] | None) -> Holder:
    """Return a token's certificates as far as they can be read and the signer would take them.

    Args:
        found: the token.
        keys: whether a certificate, by its bytes, has its private key, for those that the signer lists; None
            where it lists nothing.

    """
    read, unreadable = [], 0
    for der in found.certificates:
        if keys is not None and der not in keys:
            continue
        try:
            facts = CertificateInfo.from_der(der)
        except UnreadableFileError:
            unreadable += 1
            continue
        known = (keys or {}).get(der)
        read.append(SigningCertificate(certificate=facts, key_id="", has_private_key=known))
    return Holder(name=shown(found.token), certificates=tuple(read), unreadable=unreadable)


def token_checks(
    asked: Sequence[FoundToken], others: Sequence[FoundToken], tried: Sequence[TriedModule]
) -> Iterator[Check]:
    """Tell which tokens are seen, and where none is, why.

    Args:
        asked: the tokens that the address asks for.
        others: the tokens besides.
        tried: the modules that were tried.

    """
    for found in asked:
        token = found.token
        name, headings = shown(token), (shown(token),)
        slots = Maker("slots", token.reader, headings)
        yield slots.ok(name=token.reader or "-", slot=token.slot)
        facts = {"model": token.model, "manufacturer": token.manufacturer}
        matter = "isolated" if found.isolated else "ok"
        yield Maker("token", name, headings).ok(matter, name=name, binding=found.binding, **facts)
    if asked:
        return
    if others:
        names = ", ".join(shown(found.token) for found in others)
        yield Maker("token").failed("other", names=names)
    elif any(module.outcome == "no_token" for module in tried):
        yield from _empty(tried)
    elif not any(was_pulled_out(module) for module in tried):
        yield Maker("slots").skipped("no_module")
        yield Maker("token").skipped("no_module")


def _empty(tried: Sequence[TriedModule]) -> Iterator[Check]:
    empty = (module for module in tried if module.outcome == "no_token")
    names = ", ".join(module.detail or ntpath.basename(module.path) for module in empty)
    yield Maker("slots").failed("empty", names=names)
    yield Maker("token").failed("none")


def pin_check(token: TokenInfo, *, wrong: int, grave: bool) -> Check:
    """Tell how the PIN stands, from the token's flags alone: nobody logs in, and no try is spent.

    Args:
        token: the token, its flags just read.
        wrong: how many wrong PINs in a row this process has given it.
        grave: whether somebody needs this token to sign.

    """
    name = shown(token)
    make = Maker("pin", name, (name,))
    for flag, matter in _FATAL:
        if flag in token.flags:
            return make.failed(matter, grave=grave, name=name)
    if TokenFlag.LOGIN_REQUIRED in token.flags and TokenFlag.USER_PIN_INITIALIZED not in token.flags:
        return make.failed("not_set", grave=grave, name=name)
    if wrong:
        return make.warning("wrong_here", name=name, count=wrong)
    if TokenFlag.USER_PIN_COUNT_LOW in token.flags:
        return make.warning("count_low", name=name)
    if TokenFlag.PROTECTED_AUTHENTICATION_PATH in token.flags:
        return make.ok("pad", name=name)
    return make.ok(name=name)
