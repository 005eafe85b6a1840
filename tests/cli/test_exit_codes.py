"""Every class of the error tree has its exit code."""

from __future__ import annotations

import inspect

import pytest

from bhxh_sdk import errors
from bhxh_sdk.cli.exit_codes import ExitCode, exit_code_of

CLASSES = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__
]
ERRORS = [kind for kind in CLASSES if issubclass(kind, errors.BhxhError)]


def test_the_numbers_are_those_that_scripts_rely_on():
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "REFUSED": 1,
        "WRONG_INPUT": 2,
        "SETUP_MISSING": 3,
        "NOT_SIGNED": 4,
        "OUTCOME_UNKNOWN": 5,
        "PERSON_NEEDED": 6,
        "UNFORESEEN": 70,
        "INTERRUPTED": 130,
    }


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.InputError, 2),
        (errors.WrongStateError, 2),
        (errors.UnreadableFileError, 2),
        (errors.SetupError, 3),
        (errors.MissingExtraError, 3),
        (errors.JournalError, 3),
        (errors.SigningError, 4),
        (errors.KeyPasswordError, 4),
        (errors.VerificationError, 1),
        (errors.DocumentError, 2),
        (errors.UnsafeDocumentError, 2),
        (errors.RefusedError, 1),
        (errors.AlreadyActivatedError, 1),
        (errors.NotSentError, 5),
        (errors.UnknownOutcomeError, 5),
        (errors.UnexpectedReplyError, 5),
        (errors.StillWaitingError, 5),
        (errors.PersonNeededError, 6),
    ],
)
def test_each_branch_has_its_code(kind, code):
    assert exit_code_of(kind) == code


@pytest.mark.parametrize("kind", [kind for kind in ERRORS if kind is not errors.BhxhError])
def test_no_error_of_the_tree_is_unforeseen(kind):
    assert exit_code_of(kind) in range(1, 7)
