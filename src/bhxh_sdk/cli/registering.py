"""Filing from the command line: nothing is sent before a person said yes and the key was told."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bhxh_sdk.cli import people
from bhxh_sdk.errors import BhxhError, InputError, PersonNeededError, SetupError
from bhxh_sdk.system import SystemClock
from bhxh_sdk.workflow import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bhxh_sdk.cli.output import Output
    from bhxh_sdk.client import Client
    from bhxh_sdk.models import Registration
    from bhxh_sdk.workflow import RegistrationStatus

__all__ = ["demand_channel", "filed", "resumed"]


def demand_channel(form: Registration, channel: Path | None) -> None:
    """Refuse to begin an electronic registration without a channel; paper needs none.

    Raises:
        SetupError: there is no channel.

    """
    if form.use_certificate and channel is None:
        raise SetupError("setup.no_channel", field="channel")


def filed(
    client: Client, form: Registration, output: Output, *, key: str, confirmed: bool
) -> RegistrationStatus:
    """File a form: first every mistake is told, then a person confirms, then it is sent.

    Args:
        client: the client.
        form: the form.
        output: where to tell the key.
        key: the registration's key; empty to draw one, for a form that the journal does not hold yet.
        confirmed: whether a person has confirmed on the command line.

    """
    report = client.check(form)
    if not report.ok:
        raise InputError.of(report)
    if not key:
        _demand_new(client, form)
    _demand_person(confirmed=confirmed)
    key = key or SystemClock().new_id()
    output.note("cli.key", key=key)
    with _naming(client, key):
        return client.register(form, key=key, confirmed=confirmed)


def _demand_new(client: Client, form: Registration) -> None:
    """Refuse to file the same form twice by accident; the key is told before anything is sent."""
    for status in client.find(form):
        if status.state is not State.REFUSED:
            state = status.state.value
            raise InputError("workflow.already_begun", field="key", reference=status.key, state=state)


def resumed(
    client: Client, key: str, output: Output, *, confirmed: bool, send_again: bool, sign_again: bool
) -> RegistrationStatus:
    """Go on with a registration.

    Args:
        client: the client.
        key: the registration's key.
        output: where to ask.
        confirmed: whether a person has confirmed on the command line.
        send_again: a person's decision to send once more.
        sign_again: a person's decision to have it signed once more.

    """
    if send_again:
        output.note("cli.sending_again", key=key)
    if sign_again:
        output.note("cli.signing_again", key=key)
    with _naming(client, key):
        return client.resume(key, confirmed=confirmed, send_again=send_again, sign_again=sign_again)


def _demand_person(*, confirmed: bool) -> None:
    if not confirmed and not people.interactive():
        raise PersonNeededError("cli.confirm_needed", field="confirmed")


@contextlib.contextmanager
def _naming(client: Client, key: str) -> Iterator[None]:
    """Let an error name the registration that somebody has to go on with; one never begun has no name."""
    try:
        yield
    except BhxhError as error:
        if _is_begun(client, key):
            error.reference = error.reference or key
            error.parameters["key"] = key  # the reference may be another thing: a signature's transaction
        elif error.reference == key:
            error.reference = ""
        raise


def _is_begun(client: Client, key: str) -> bool:
    """Tell whether the journal holds a registration; yes where that cannot be told."""
    try:
        client.status(key)
    except InputError:
        return False
    except BhxhError:
        return True
    return True
