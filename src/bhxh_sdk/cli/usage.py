"""What the option parser says, in the reader's language: its complaints, and the headings of its help."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bhxh_sdk import messages

if TYPE_CHECKING:
    from bhxh_sdk.messages import Language

__all__ = ["complaint", "help_in"]

_HEADINGS = {
    "Usage:": "cli.help.usage",
    "Options:": "cli.help.options",
    "Arguments:": "cli.help.arguments",
    "Commands:": "cli.help.commands",
}
_HEADING = re.compile("^(?:{})".format("|".join(_HEADINGS)), re.MULTILINE)
_REMARKS = {
    "Show this message and exit.": "cli.any.help",
    "[required]": "cli.help.required",
    "default:": "cli.help.default",
    "env var:": "cli.help.variable",
}
_CHOICES = re.compile(r"is not one of (.*)\.$")
_NO_COMMAND = re.compile(r"No such command '([^']*)'")


def complaint(error: Any, language: Language) -> str:  # noqa: ANN401  # typer exports no name for it
    """Return why a call is wrong.

    Args:
        error: what the option parser raised.
        language: the language of the text.

    """
    english = str(getattr(error, "format_message", error.__str__)())
    code, places = _matter(error, english)
    return english if language == "en" or not code else messages.text(code, language, places)


def _matter(error: Any, english: str) -> tuple[str, dict[str, str]]:  # noqa: ANN401  # as above
    kind = type(error).__name__
    if kind == "NoSuchOption":
        return "cli.usage.no_such_option", {"name": error.option_name}
    if kind == "BadOptionUsage":
        return "cli.usage.option_value", {"name": error.option_name}
    if kind in {"MissingParameter", "BadParameter"} and error.param is not None:
        return _of_parameter(error.param, english, missing=kind == "MissingParameter")
    if found := _NO_COMMAND.match(english):
        return "cli.usage.no_such_command", {"name": found[1]}
    return ("cli.usage.too_many" if english.startswith("Got unexpected extra") else ""), {}


def _of_parameter(
    parameter: Any,  # noqa: ANN401  # as above
    english: str,
    *,
    missing: bool,
) -> tuple[str, dict[str, str]]:
    is_option = parameter.param_type_name == "option"
    name = "/".join(parameter.opts) if is_option else parameter.metavar or parameter.name
    if missing:
        return f"cli.usage.missing_{'option' if is_option else 'argument'}", {"name": name}
    choices = _CHOICES.search(english)
    return "cli.usage.invalid_value", {"name": name, "choices": choices[1] if choices else ""}


def help_in(text: str, language: Language) -> str:
    """Return the help with its headings and remarks in a language.

    Args:
        text: the help as the option parser writes it.
        language: the language wanted.

    """
    if language == "en":
        return text
    text = _HEADING.sub(lambda found: messages.text(_HEADINGS[found[0]], language), text)
    for remark, code in _REMARKS.items():
        text = text.replace(remark, messages.text(code, language))
    return text
