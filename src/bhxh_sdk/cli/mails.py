"""Where an activation code comes from: an option, a mail file, standard input, or the person."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from attrs import field, frozen

from bhxh_sdk.cli.files import read
from bhxh_sdk.cli.people import secret_from
from bhxh_sdk.errors import InputError
from bhxh_sdk.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from bhxh_sdk.cli.output import Output

__all__ = ["Activation", "activation"]

_LONGEST_CODE = 64
"""Characters; a longer line on standard input is a mail."""


_LONGEST_INPUT = 4_000_000
"""Bytes; no mail that is read may have as many."""


@frozen
class Activation:
    """Hold a code, or the mail that it stands in."""

    code: Secret
    mail: bytes = field(default=b"", repr=False)


def activation(source: str, code: str, mail: Path | None, output: Output) -> Activation:
    """Return the code or the mail, from the one place that was named.

    Args:
        source: `-` for standard input, which may bring a mail or a code alone; empty for another place.
        code: the code.
        mail: a mail's file.
        output: where to ask.

    Raises:
        InputError: more than one place was named, or another than these.

    """
    if sum(map(bool, (source, code, mail))) > 1 or source not in {"", "-"}:
        raise InputError("cli.activate.choose_one", field="code")
    if mail is not None:
        return Activation(Secret(""), read(mail, "mail"))
    if source:
        return _from_input(sys.stdin.buffer.read(_LONGEST_INPUT))
    return Activation(Secret(code) if code else secret_from("", "activation_code", output))


def _from_input(content: bytes) -> Activation:
    words = content.split()
    if len(words) == 1 and len(words[0]) <= _LONGEST_CODE:
        return Activation(Secret(words[0]))
    return Activation(Secret(""), content)
