"""Rules about where to transact, and the confirmation."""

import pytest

from bhxh_sdk.models import Ivan


def test_no_ivan_code_is_an_error(findings):
    assert findings(transact_at=Ivan("")) == [("ivan.code_missing", "transact_at.code")]


@pytest.mark.parametrize("code", ["40", "000400", "TS24", "٠٠٠٤٠"])
def test_a_malformed_ivan_code_is_an_error(findings, code):
    assert findings(transact_at=Ivan(code)) == [("ivan.code_malformed", "transact_at.code")]


def test_an_unlisted_ivan_is_a_warning(findings):
    assert findings(transact_at=Ivan("00999", "Ví Dụ")) == [("ivan.unknown", "transact_at.code")]


def test_another_ivan_name_is_a_warning(findings):
    assert findings(transact_at=Ivan("00040", "Công ty Thai Sơn")) == [
        ("ivan.name_differs", "transact_at.name")
    ]


@pytest.mark.parametrize("name", ["", "CÔNG TY THÁI SƠN"])
def test_a_listed_ivan_is_fine(findings, name):
    assert findings(transact_at=Ivan("00040", name)) == []


def test_confirmation_is_judged_when_it_is_given(findings):
    assert findings(confirmed=None) == findings(confirmed=True) == []
    assert findings(confirmed=False) == [("confirmation.missing", "confirmed")]
