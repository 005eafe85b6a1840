"""Opening a session at the portal: client id, captcha, token, unit."""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from attrs import evolve

from bhxh_sdk.errors import InputError, UnexpectedReplyError
from bhxh_sdk.models import Session, Unit
from bhxh_sdk.ports import CaptchaChallenge, Question
from bhxh_sdk.transport.calling import as_reading
from bhxh_sdk.transport.reading import as_moment, as_text

if TYPE_CHECKING:
    from datetime import datetime

    from bhxh_sdk.models import Credentials
    from bhxh_sdk.ports import Ask, Clock
    from bhxh_sdk.transport.calling import Answer, Caller
    from bhxh_sdk.transport.identity import ClientIdentity

__all__ = ["log_in"]

_LONGEST_LIFETIME = 10_000_000


async def log_in(
    caller: Caller,
    identity: ClientIdentity,
    clock: Clock,
    credentials: Credentials,
    ask: Ask,
    unit_code: str,
) -> Session:
    """Open a session. The captcha is asked once and its answer is sent once.

    Args:
        caller: calls the portal.
        identity: gives the client id and its header.
        clock: tells when the session ends.
        credentials: user name and password.
        ask: asks the person who reads the captcha and chooses the unit.
        unit_code: the unit to act for; empty to ask when there are several.

    Raises:
        InputError: the person gave no answer, or no such unit belongs to the account.
        LogInRefusedError: user name, password or captcha is wrong.
        UnexpectedReplyError: the answer is lost or cannot be understood.

    """
    identity.forget()
    client_header = await identity.header()
    headers = await identity.headers(client_header)
    picture = await caller.read("captcha", headers=headers)
    challenge = CaptchaChallenge(image=_image(picture), purpose="log_in")
    text = (await ask.captcha(challenge)).strip()
    if not text:
        raise InputError("input.captcha_empty", field="captcha")
    values = {
        "user_name": credentials.user_name,
        "password": credentials.password,
        "captcha_text": text,
        "captcha_ticket": picture.needed("ticket"),
        "client_id": await identity.client_id(),
    }
    with as_reading():
        answer = await caller.once("log_in", values, headers=headers)
    session = _session(answer, credentials.user_name, clock.now(), client_header)
    return await with_unit(session, ask, unit_code)


def _image(picture: Answer) -> bytes:
    """Return the picture's bytes: Base64 with or without a `data:` prefix."""
    text = as_text(picture.raw("image"))
    with suppress(binascii.Error, ValueError):
        if image := base64.b64decode(text.rpartition(",")[2]):
            return image
    raise UnexpectedReplyError("unexpected_reply.member", field="image")


def _session(answer: Answer, user_name: str, now: datetime, client_header: str) -> Session:
    return Session(
        user_name=answer.text("user_name") or user_name,
        token=answer.token("token"),
        expires_at=_end(answer, now),
        units=tuple(_unit(row) for row in answer.rows("units")),
        must_change_password=answer.flag("must_change_password") is True,
        client_header=client_header,
    )


def _unit(row: Answer) -> Unit:
    return Unit(
        unit_code=row.text("unit_code"),
        name=row.text("unit_name"),
        tax_code=row.text("tax_code"),
        agency_code=row.text("agency_code"),
        internal_id=row.text("internal_id"),
    )


def _end(answer: Answer, now: datetime) -> datetime | None:
    """Return when the session ends: a date, an instant since 1970, or a number of seconds from now."""
    for name in ("expires", "lifetime"):
        seconds = as_text(answer.raw(name))
        if seconds.isascii() and seconds.isdigit() and int(seconds[:12]) < _LONGEST_LIFETIME:
            return now + timedelta(seconds=int(seconds))
        moment = as_moment(seconds) if seconds else None
        if moment is not None:
            return moment
    return None


async def with_unit(session: Session, ask: Ask, unit_code: str) -> Session:
    """Return the session with the unit that it acts for.

    Raises:
        InputError: the unit is not one of the account's.

    """
    if unit_code:
        position = next((at for at, unit in enumerate(session.units) if _same(unit.unit_code, unit_code)), -1)
    elif len(session.units) > 1:
        names = tuple(f"{unit.unit_code} {unit.name}".strip() for unit in session.units)
        position = await ask.choose(Question(purpose="choose_unit", subject=session.user_name, choices=names))
    else:
        position = 0
    fits = 0 <= position < len(session.units)
    if not fits and (session.units or unit_code):
        known = ", ".join(unit.unit_code for unit in session.units)
        raise InputError("input.unknown_unit", field="unit_code", value=unit_code, choices=known)
    return evolve(session, unit=session.units[position]) if fits else session


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()
