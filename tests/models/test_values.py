"""The small values: agencies, documents, accounts, receipts."""

from __future__ import annotations

import hashlib
from datetime import date

import attrs
import pytest

from bhxh_sdk.models import (
    ActivationCode,
    Agency,
    AgencyLevel,
    Certainty,
    Credentials,
    Document,
    Notice,
    Outcome,
    Progress,
    ProgressStep,
    Receipt,
    Session,
    SignedDocument,
    Unit,
)
from bhxh_sdk.secret import Secret

START, END = date(2020, 1, 1), date(2025, 6, 30)


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "day", "in_force"),
    [
        (None, None, START, True),
        (START, END, START, True),
        (START, END, END, True),
        (START, END, date(2019, 12, 31), False),
        (START, END, date(2025, 7, 1), False),
        (None, END, date(1999, 1, 1), True),
        (START, None, date(2099, 1, 1), True),
    ],
)
def test_an_agency_is_in_force_on_its_days(valid_from, valid_to, day, in_force):
    assert Agency(code="07906", valid_from=valid_from, valid_to=valid_to).in_force_on(day) is in_force


def test_where_a_fact_comes_from_makes_no_other_agency():
    known = Agency(code="07906", name="BHXH Ví Dụ", level=AgencyLevel.BASE, certainty=Certainty.SEEN)
    assert known == Agency(code="07906", name="BHXH Ví Dụ")
    assert known != Agency(code="07906")


def test_a_document_is_its_bytes():
    document = Document(file_name="a.xml", content=b"<a/>")
    assert document.sha256 == hashlib.sha256(b"<a/>").hexdigest()
    assert "<4 bytes>" in repr(document)
    signed = SignedDocument(file_name="a.xml", content=b"<a/>", at="Hoso/CKy_Dvi")
    assert (signed.sha256, signed.certificate) == (document.sha256, None)


def test_nothing_secret_is_shown():
    values = [
        ActivationCode(code=Secret("hunter2"), link="https://example.com/hunter2"),
        Credentials(user_name="a", password=Secret("hunter2")),
        Session(
            user_name="a",
            token=Secret("hunter2"),
            client_header="hunter2",
            units=(Unit(unit_code="TA0001A"),),
        ),
    ]
    assert "hunter2" not in repr(values)
    assert "hunter2" not in repr([attrs.asdict(values[1])])


def test_progress_tells_the_first_failure():
    steps = [ProgressStep(number=1), ProgressStep(number=2, code="06", text="Sai mã", failed=True)]
    progress = Progress(outcome=Outcome.REFUSED, steps=[*steps, ProgressStep(number=3, failed=True)])
    assert progress.reason == ("06", "Sai mã")
    assert isinstance(progress.steps, tuple)
    assert Progress(outcome=Outcome.PROCESSING).reason == ("", "")


def test_receipts_and_notices_are_plain_values():
    assert Receipt(sending_key="1") == Receipt(sending_key="1", dossier_number="")
    assert Notice(number="1").issued_at is None
