"""`bhxh register`, `activate`, `log-in`, `status`, `resume` and `record`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bhxh_sdk.cli import options
from bhxh_sdk.cli.exit_codes import ExitCode
from bhxh_sdk.cli.views import status_lines, summary_line

if TYPE_CHECKING:
    from bhxh_sdk.cli.output import Output
    from bhxh_sdk.client import Client
    from bhxh_sdk.workflow import RegistrationStatus

__all__ = ["activate", "log_in", "record", "register", "resume", "status"]

_Mail = Annotated[Path | None, typer.Option("--mail", metavar="FILE.eml")]
_Page = Annotated[Path | None, typer.Option("--page", metavar="OUT.html")]


def register(
    ctx: typer.Context,
    form: options.FormFile,
    channel: options.OptionalChannelFile = None,
    signer: options.OptionalSignerUri = "",
    journal: options.JournalFile = options.DEFAULT_JOURNAL,
    key: Annotated[str, typer.Option("--key", metavar="KEY")] = "",
    yes: options.Yes = False,
    *,
    page: _Page = None,
    attachments_from: options.AttachmentsFrom = None,
    force: options.Force = False,
) -> ExitCode:
    """Check, sign and submit a form; or draw up the page to print."""
    from bhxh_sdk.cli import files, registering
    from bhxh_sdk.cli.clients import client_for
    from bhxh_sdk.cli.form_files import read_form

    output: Output = ctx.obj
    read = read_form(form, attachments_from)
    registering.demand_channel(read, channel)
    if not read.use_certificate and (key or page):
        files.demand_room(_page_of(key, page), force=force)
    with client_for(output, journal, channel=channel, signer=signer, new_journal=True) as client:
        status = registering.filed(client, read, output, key=key, confirmed=yes)
        return _told_with_page(client, status, output, _page_of(status.key, page), force=force)


def _page_of(key: str, page: Path | None) -> Path:
    return page or Path(f"declaration-{key}.html")


def _told_with_page(
    client: Client, status: RegistrationStatus, output: Output, page: Path, *, force: bool
) -> ExitCode:
    """Tell where the registration stands; a declaration on paper is written out for the printer."""
    from bhxh_sdk.cli import files
    from bhxh_sdk.workflow import State

    if status.state is not State.PRINTED:
        return _told(status, output)
    files.write(page, client.document(status.key), force=force)
    output.answer(
        status.as_dict(output.language) | {"page": str(page)},
        [*status_lines(status, output), output.text("cli.page_at", path=str(page))],
    )
    return ExitCode.PERSON_NEEDED


def _told(status: RegistrationStatus, output: Output) -> ExitCode:
    from bhxh_sdk.workflow import State

    output.answer(status.as_dict(output.language), status_lines(status, output))
    return ExitCode.REFUSED if status.state is State.REFUSED else ExitCode.DONE


def resume(
    ctx: typer.Context,
    key: options.Key,
    channel: options.OptionalChannelFile = None,
    signer: options.OptionalSignerUri = "",
    journal: options.JournalFile = options.DEFAULT_JOURNAL,
    yes: options.Yes = False,
    send_again: Annotated[bool, typer.Option("--send-again")] = False,
    *,
    sign_again: Annotated[bool, typer.Option("--sign-again")] = False,
    page: _Page = None,
    force: options.Force = False,
) -> ExitCode:
    """Go on with a registration where it stands; never a second submission without a person's decision."""
    from bhxh_sdk.cli import files, registering
    from bhxh_sdk.cli.clients import client_for

    output: Output = ctx.obj
    if page is not None:
        files.demand_room(page, force=force)
    with client_for(output, journal, channel=channel, signer=signer) as client:
        status = registering.resumed(
            client, key, output, confirmed=yes, send_again=send_again, sign_again=sign_again
        )
        return _told_with_page(client, status, output, _page_of(key, page), force=force)


def activate(
    ctx: typer.Context,
    key: options.Key,
    channel: options.ChannelFile,
    source: Annotated[str, typer.Argument(metavar="[-]")] = "",
    code: Annotated[str, typer.Option("--code", metavar="CODE")] = "",
    mail: _Mail = None,
    journal: options.JournalFile = options.DEFAULT_JOURNAL,
    try_again: Annotated[bool, typer.Option("--try-again")] = False,
) -> ExitCode:
    """Hand in the mailed activation code."""
    from bhxh_sdk.cli import mails
    from bhxh_sdk.cli.clients import client_for

    output: Output = ctx.obj
    with client_for(output, journal, channel=channel) as client:
        client.status(key)  # a wrong key is told before anybody is asked for a code
        given = mails.activation(source, code, mail, output)
        return _told(client.activate(key, given.code, mail=given.mail, try_again=try_again), output)


def log_in(
    ctx: typer.Context,
    key: options.Key,
    channel: options.ChannelFile,
    mail: _Mail = None,
    password_env: Annotated[str, typer.Option("--password-env", metavar="NAME")] = "",
    user_name: Annotated[str, typer.Option("--user-name", metavar="NAME")] = "",
    unit: Annotated[str, typer.Option("--unit", metavar="CODE")] = "",
    journal: options.JournalFile = options.DEFAULT_JOURNAL,
) -> ExitCode:
    """Log in with the account that came by e-mail, and show that it works."""
    from bhxh_sdk.cli import files, people
    from bhxh_sdk.cli.clients import client_for

    output: Output = ctx.obj
    with client_for(output, journal, channel=channel) as client:
        client.status(key)
        password = "" if mail else people.secret_from(password_env, "password", output)
        content = files.read(mail, "mail") if mail else b""
        session = client.log_in(key, password, mail=content, user_name=user_name, unit_code=unit)
        status = client.status(key)
        facts = {"user_name": session.user_name, "must_change_password": session.must_change_password}
        output.answer(
            status.as_dict(output.language) | {"session": facts},
            [*status_lines(status, output), output.text("cli.logged_in", user_name=session.user_name)],
        )
    return ExitCode.DONE


def status(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="[KEY]")] = "",
    channel: options.OptionalChannelFile = None,
    journal: options.JournalFile = options.DEFAULT_JOURNAL,
    refresh: Annotated[bool, typer.Option("--refresh")] = False,
) -> ExitCode:
    """Tell where a registration stands, or list all; only with `--refresh` is the channel asked."""
    from bhxh_sdk.cli.clients import client_for

    output: Output = ctx.obj
    with client_for(output, journal, channel=channel if refresh else None) as client:
        if not key:
            known = client.statuses()
            data = [entry.as_dict(output.language) for entry in known]
            output.answer(data, [summary_line(entry, output) for entry in known])
            return ExitCode.DONE
        found = client.refresh(key) if refresh else client.status(key)
        output.answer(found.as_dict(output.language), status_lines(found, output))
    return ExitCode.DONE


def record(
    ctx: typer.Context,
    key: options.Key,
    handed_in: Annotated[bool, typer.Option("--handed-in")] = False,
    accepted: Annotated[bool, typer.Option("--accepted")] = False,
    refused: Annotated[str, typer.Option("--refused", metavar="TEXT")] = "",
    number: Annotated[str, typer.Option("--number", metavar="NUMBER")] = "",
    journal: options.JournalFile = options.DEFAULT_JOURNAL,
) -> ExitCode:
    """Write down what happened on paper: handed in, accepted or refused."""
    from bhxh_sdk.cli.clients import client_for
    from bhxh_sdk.errors import InputError

    output: Output = ctx.obj
    if sum(map(bool, (handed_in, accepted, refused))) != 1:
        raise InputError("cli.record.choose_one", field="record")
    with client_for(output, journal) as client:
        if handed_in:
            return _told(client.record_handed_in(key, dossier_number=number), output)
        decided = client.record_decision(key, accepted=accepted, text=refused)
        output.answer(decided.as_dict(output.language), status_lines(decided, output))
    return ExitCode.DONE
