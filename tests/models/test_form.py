from __future__ import annotations

import base64
import json
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import any_registrations, registrations

from bhxh_sdk.errors import InputError, UnreadableFileError
from bhxh_sdk.models import (
    Action,
    Ivan,
    Portal,
    ResultDelivery,
    StopReason,
    form_from_dict,
    form_to_dict,
)

BASE = {
    "agency": {"code": "07906"},
    "organisation": {"name": "CÔNG TY TNHH VÍ DỤ", "tax_code": "0100109106"},
    "contact": {"name": "Nguyễn Văn Ví Dụ"},
}


@given(st.one_of(registrations(), any_registrations()))
def test_a_form_comes_back_from_json_as_it_was(form):
    assert form_from_dict(json.loads(json.dumps(form_to_dict(form)))) == form


def test_a_short_form_has_the_usual_values():
    form = form_from_dict(BASE)
    assert (form.action, form.transact_at, form.use_certificate) == (Action.REGISTER, Portal(), True)
    assert form.result_delivery is ResultDelivery.AT_AGENCY
    assert form.organisation.unit_code is None


def test_values_are_written_as_people_write_them():
    form = form_from_dict(
        {
            **BASE,
            "action": "stop",
            "result_delivery": 1,
            "transact_at": {"ivan": "00040"},
            "made_on": date(2026, 9, 1),
            "stop": {"from_date": "2026-10-01", "reason": "dissolved"},
        }
    )
    assert (form.action, form.result_delivery) == (Action.STOP, ResultDelivery.BY_POST)
    assert form.transact_at == Ivan("00040")
    assert form.made_on == date(2026, 9, 1)
    assert (form.stop.from_date, form.stop.reason) == (date(2026, 10, 1), StopReason.DISSOLVED)
    assert form_from_dict({**BASE, "transact_at": Portal()}).transact_at == Portal()


def findings(data, **options):
    with pytest.raises(InputError) as caught:
        form_from_dict(data, **options)
    error = caught.value
    for finding in error.report:
        assert all(finding.message(language) != finding.code for language in ("vi", "en"))
    assert error.code == "input.report"
    return [(finding.field, finding.code) for finding in error.report]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"agency": "07906"}, "agency", "form.wrong_type"),
        ({"agency": {}}, "agency.code", "form.missing"),
        ({"agency": {"code": 7906}}, "agency.code", "form.wrong_type"),
        ({"organisation": {**BASE["organisation"], "nmae": "x"}}, "organisation.nmae", "form.unknown_member"),
        ({"nonsense": 1}, "nonsense", "form.unknown_member"),
        ({"use_certificate": 1}, "use_certificate", "form.wrong_type"),
        ({"changes": 5}, "changes", "form.wrong_type"),
        ({"action": "begin"}, "action", "form.not_a_choice"),
        ({"action": ["register"]}, "action", "form.not_a_choice"),
        ({"result_delivery": True}, "result_delivery", "form.not_a_choice"),
        ({"made_on": "01/09/2026"}, "made_on", "form.not_a_date"),
        ({"made_on": 20260901}, "made_on", "form.wrong_type"),
        ({"made_on": datetime(2026, 9, 1)}, "made_on", "form.wrong_type"),  # noqa: DTZ001  # TOML's local date-time
        ({"stop": {"from_date": "soon"}}, "stop.from_date", "form.not_a_date"),
        ({"stop": 5}, "stop", "form.wrong_type"),
        ({"transact_at": "ivan"}, "transact_at", "form.wrong_type"),
        ({"transact_at": {"ivan": 40}}, "transact_at", "form.wrong_type"),
        ({"transact_at": {"ivan": "00040", "nmae": "x"}}, "transact_at", "form.wrong_type"),
        ({"attachments": 5}, "attachments", "form.wrong_type"),
        ({"attachments": [{"content": "QQ=="}, 5]}, "attachments[1]", "form.wrong_type"),
        ({"attachments": [{"contents": "QQ=="}]}, "attachments[0]", "form.wrong_type"),
        ({"attachments": [{"content": 5}]}, "attachments[0]", "form.wrong_type"),
        ({"attachments": [{"content": "Q"}]}, "attachments[0]", "form.not_base64"),
        ({"attachments": [{"content": "é"}]}, "attachments[0]", "form.not_base64"),
        ({"attachments": [{"file": "a.pdf"}]}, "attachments[0]", "form.missing"),
    ],
)
def test_a_wrong_member_is_named(change, field, code):
    assert findings({**BASE, **change}) == [(field, code)]


def test_all_mistakes_are_reported_at_once():
    assert findings({"agency": {"code": 1}, "organisation": {"name": 2}, 3: 4, "z": 5}) == [
        ("agency.code", "form.wrong_type"),
        ("organisation.name", "form.wrong_type"),
        ("organisation.tax_code", "form.missing"),
        ("contact", "form.missing"),
        ("3", "form.unknown_member"),
        ("z", "form.unknown_member"),
    ]


@pytest.mark.parametrize("data", [None, [], "form", 5])
def test_what_is_no_table_is_refused(data):
    assert findings(data) == [("", "form.wrong_type")]


def test_a_list_is_asked_for_where_a_list_belongs():
    with pytest.raises(InputError) as caught:
        form_from_dict({**BASE, "attachments": 5})
    assert "a list" in caught.value.report.errors[0].message()


def test_an_attachment_is_read_from_its_file():
    asked = []

    def read_file(path):
        asked.append(path)
        return b"%PDF"

    attachments = [
        {"file": "giấy tờ/giấy phép.pdf", "form_code": "TK3-TS", "description": "Giấy phép"},
        {"file": r"C:\docs\a.pdf"},
        {"file": "a.pdf", "file_name": "b.pdf"},
        {"file_name": "c.pdf", "content": base64.b64encode(b"inline").decode()},
    ]
    found = form_from_dict({**BASE, "attachments": attachments}, read_file=read_file).attachments
    assert [file.file_name for file in found] == ["giấy phép.pdf", "a.pdf", "b.pdf", "c.pdf"]
    assert [file.content for file in found] == [b"%PDF"] * 3 + [b"inline"]
    assert (found[0].form_code, found[0].description, found[1].form_code) == ("TK3-TS", "Giấy phép", "CT-DK")
    assert asked == ["giấy tờ/giấy phép.pdf", r"C:\docs\a.pdf", "a.pdf"]


def missing(_):
    raise FileNotFoundError(2, "No such file or directory")


def nameless(_):
    raise OSError


def ours(_):
    raise UnreadableFileError("signing.empty_file", name="a.pdf")


@pytest.mark.parametrize(
    ("read_file", "code"),
    [
        (missing, "form.unreadable_file"),
        (nameless, "form.unreadable_file"),
        (ours, "signing.empty_file"),
        (lambda _: "text", "form.wrong_type"),
    ],
)
def test_an_attachment_that_cannot_be_read_is_named(read_file, code):
    data = {**BASE, "attachments": [{"file": "a.pdf"}]}
    assert findings(data, read_file=read_file) == [("attachments[0]", code)]
    with pytest.raises(InputError) as caught:
        form_from_dict(data, read_file=read_file)
    assert "a.pdf" in str(caught.value) or code == "form.wrong_type"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = (
    "action",
    "agency",
    "attachments",
    "changes",
    "contact",
    "made_on",
    "organisation",
    "stop",
    "transact_at",
)


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON))
def test_whatever_the_data_only_our_own_error_comes_out(change):
    try:
        form_from_dict({**BASE, **change})
    except InputError as error:
        assert error.report.errors  # noqa: PT017  # data that happens to be right is right too
