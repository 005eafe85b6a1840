from __future__ import annotations

import copy
import json
import pickle

import pytest

from bhxh_sdk import errors
from bhxh_sdk.errors import BhxhError, InputError, Retry
from bhxh_sdk.findings import Finding, Report, Severity

EVERY = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BhxhError)]
FOUND = Finding(
    code="form.missing", severity=Severity.ERROR, field="agency.code", parameters={"name": "code"}
)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_error_can_be_made_bare_and_speaks(kind):
    error = kind()
    assert error.code == kind.default_code
    assert str(error) == f"{error.message()} [{error.code}]"
    assert error.message("vi") != error.message("en")
    assert (error.field, error.reference, error.parameters) == ("", "", {})


def pickled(error):
    return pickle.loads(pickle.dumps(error))  # noqa: S301  # our own pickle


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("spread", [copy.copy, copy.deepcopy, pickled])
def test_every_error_survives_copying(kind, spread):
    error = kind("x.finer", field="contact.email", reference="R1", agency_code="06")
    again = spread(error)
    assert type(again) is kind
    assert vars(again) == vars(error)
    assert str(again) == str(error)


def test_every_class_is_exported_and_has_a_code_of_its_own():
    assert {kind.__name__ for kind in EVERY} <= set(errors.__all__)
    assert len({kind.default_code for kind in EVERY}) == len(EVERY)


def test_the_text_names_field_and_reference():
    assert "07-2026" in errors.UnknownOutcomeError(reference="07-2026").message("vi")
    assert (
        "contact.email" in errors.WrongTypeError(field="contact.email", expected="str", got="int").message()
    )


def test_a_finer_code_without_a_hint_takes_that_of_its_class():
    assert errors.WrongCodeError("no.such.code").hint() == errors.WrongCodeError().hint()
    assert errors.KeyPasswordError("signing.password_needed").hint() != errors.KeyPasswordError().hint()


def test_an_error_is_json():
    error = errors.WrongCodeError(agency_code="06", agency_text="Sai mã")
    assert json.loads(json.dumps(error.as_dict("vi"))) == {
        "code": "refused.wrong_code",
        "message": "Mã kích hoạt không đúng: Sai mã (mã 06).",
        "hint": error.hint("vi"),
        "retry": "never",
        "field": "",
    }


def test_a_refusal_keeps_what_the_agency_said():
    error = errors.ActivationError(agency_code="06", agency_text="Sai mã")
    assert (error.agency_code, error.agency_text) == ("06", "Sai mã")
    assert (errors.RefusedError().agency_code, errors.RefusedError().agency_text) == ("", "")


def test_a_verification_always_has_a_reason():
    assert errors.VerificationError(reason="digest").reason == "digest"
    assert errors.VerificationError("document.x").reason == "document.x"


def test_an_input_error_brings_a_report():
    error = InputError("form.missing", field="agency.code", name="code")
    assert error.report.codes == ("form.missing",)
    assert error.report.errors[0].message() == error.message()


def test_an_input_error_made_of_a_report_tells_every_error():
    warning = Finding(code="form.not_base64", severity=Severity.WARNING, field="attachments[0]")
    error = InputError.of(Report([warning, FOUND, FOUND]))
    assert (error.code, error.field, error.parameters["count"]) == ("input.report", "agency.code", 2)
    assert str(error).splitlines() == [
        "The form has 2 mistakes to mend. [input.report]",
        *["agency.code: The required member «code» is missing. [form.missing]"] * 2,
    ]


def test_familiar_types_catch_familiar_errors():
    assert issubclass(errors.WrongTypeError, TypeError)
    assert issubclass(errors.UnknownCodeError, LookupError)
    assert issubclass(errors.MissingExtraError, ImportError)


def test_only_what_certainly_never_left_may_be_repeated_at_once():
    assert {kind for kind in EVERY if kind.retry is Retry.NOW} == {errors.NotSentError}
    assert {kind for kind in EVERY if kind.retry is Retry.AFTER_RECONCILE} == {errors.UnknownOutcomeError}
