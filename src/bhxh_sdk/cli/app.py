"""The commands of `bhxh`, and their help in the reader's language.

A command's help stands in the message catalogue under `cli.COMMAND`, an option's under
`cli.COMMAND.OPTION`, or under `cli.any.OPTION` where several commands share it.
"""

from __future__ import annotations

import copy
from importlib.metadata import version as package_version
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from bhxh_sdk import messages
from bhxh_sdk.cli import agencies, demo, doctoring, forms, options, registrations, serving, signatures
from bhxh_sdk.cli.usage import help_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from bhxh_sdk.messages import Language

__all__ = ["COMMANDS", "command_tree"]

COMMANDS: dict[str, Callable[..., Any]] = {
    "demo": demo.demo,
    "check": forms.check,
    "build": forms.build,
    "certificates": signatures.certificates,
    "sign": signatures.sign,
    "verify": signatures.verify,
    "register": registrations.register,
    "activate": registrations.activate,
    "log-in": registrations.log_in,
    "status": registrations.status,
    "resume": registrations.resume,
    "record": registrations.record,
    "agencies": agencies.agencies,
    "sandbox": serving.sandbox,
    "doctor": doctoring.doctor,
}
"""Every command by its name."""


def command_tree(language: Language) -> Any:  # noqa: ANN401  # typer exports no name for a command's type
    """Return the `bhxh` command with its sub-commands.

    Args:
        language: the language of the help.

    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.callback()(_for_every_command)
    for name, function in COMMANDS.items():
        app.command(name)(function)
    tree: Any = get_command(app)
    shared = [_accepted(parameter) for parameter in tree.params if parameter.name != "version"]
    for name, command in tree.commands.items():
        command.params += [copy.copy(parameter) for parameter in shared]
        _explain(command, name, language)
    _explain(tree, "bhxh", language)
    return tree


def _tell_version(ctx: typer.Context, asked: bool) -> None:
    if asked:
        version = package_version("bhxh-sdk")
        ctx.obj.answer({"version": version}, [f"bhxh {version}"])
        raise typer.Exit


def _for_every_command(
    as_json: options.AsJson = False,
    lang: options.Lang = options.LanguageName.VI,
    version: Annotated[bool, typer.Option("--version", callback=_tell_version, is_eager=True)] = False,
) -> None:
    """Accept the options that stand before the command; `Output.from_arguments` has read them."""


def _accepted(parameter: Any) -> Any:  # noqa: ANN401  # as above
    """Return the parameter as one that is accepted and not handed to the command's function."""
    accepted = copy.copy(parameter)
    accepted.expose_value = False
    return accepted


def _explain(command: Any, name: str, language: Language) -> None:  # noqa: ANN401  # as above
    known = messages.known_codes("faces", language) | messages.known_codes("doctor", language)
    command.help = messages.text(f"cli.{name}", language)
    command.short_help = command.help
    written = command.get_help
    command.get_help = lambda ctx: help_in(written(ctx), language)
    for parameter in command.params:
        own = f"cli.{name}.{parameter.name}"
        code = own if own in known else f"cli.any.{parameter.name}"
        if code in known:
            parameter.help = messages.text(code, language)
