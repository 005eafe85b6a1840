"""Exit codes: what a script learns from a command without reading its text."""

from __future__ import annotations

from enum import IntEnum

from bhxh_sdk.errors import (
    BhxhError,
    DocumentError,
    InputError,
    NotSentError,
    PersonNeededError,
    RefusedError,
    SetupError,
    SigningError,
    StillWaitingError,
    UnexpectedReplyError,
    UnknownOutcomeError,
    VerificationError,
)

__all__ = ["ExitCode", "exit_code_of"]


class ExitCode(IntEnum):
    """What became of a command.

    Scripts rely on the numbers. `UNFORESEEN` is a number of its own so that nobody takes a fault of the
    program for something that may simply be repeated.
    """

    DONE = 0
    REFUSED = 1
    WRONG_INPUT = 2
    SETUP_MISSING = 3
    NOT_SIGNED = 4
    OUTCOME_UNKNOWN = 5
    PERSON_NEEDED = 6
    UNFORESEEN = 70
    INTERRUPTED = 130


# The first class that fits decides, so a class stands before its base.
_BY_CLASS: tuple[tuple[type[BhxhError], ExitCode], ...] = (
    (InputError, ExitCode.WRONG_INPUT),
    (SetupError, ExitCode.SETUP_MISSING),
    (SigningError, ExitCode.NOT_SIGNED),
    (VerificationError, ExitCode.REFUSED),
    (DocumentError, ExitCode.WRONG_INPUT),
    (RefusedError, ExitCode.REFUSED),
    (PersonNeededError, ExitCode.PERSON_NEEDED),
    (NotSentError, ExitCode.OUTCOME_UNKNOWN),
    (UnknownOutcomeError, ExitCode.OUTCOME_UNKNOWN),
    (StillWaitingError, ExitCode.OUTCOME_UNKNOWN),
    (UnexpectedReplyError, ExitCode.OUTCOME_UNKNOWN),
)


def exit_code_of(kind: type[BhxhError]) -> ExitCode:
    """Return the exit code of a class of errors.

    Args:
        kind: any class of the error tree.

    """
    return next((code for base, code in _BY_CLASS if issubclass(kind, base)), ExitCode.UNFORESEEN)
