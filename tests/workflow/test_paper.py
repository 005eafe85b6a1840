from __future__ import annotations

from datetime import date

import pytest
from attrs import evolve
from workflow_world import a_form, a_licence, a_stop

from bhxh_sdk.models import Ivan, Stop, StopReason
from bhxh_sdk.workflow import declaration_html

DAY = date(2026, 3, 2)


def test_the_page_holds_what_the_form_says():
    page = declaration_html(a_form().dated(DAY))
    for text in (
        "CÔNG TY TNHH VÍ DỤ",
        "TZ0001Z",
        "0100109106",
        "Nguyễn Văn Mẫu",
        "hr@example.com",
        "02/03/2026",
    ):
        assert text in page


def test_what_is_typed_cannot_become_markup():
    name = '<script>alert("x")</script> & Con'
    page = declaration_html(a_form(organisation=evolve(a_form().organisation, name=name)))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(("language", "label"), [("vi", "Người liên hệ"), ("en", "Contact person")])
def test_labels_come_in_both_languages(language, label):
    assert label in declaration_html(a_form(), language)


def test_an_undated_form_prints_without_a_date():
    assert "Từ ngày" not in declaration_html(a_form())


def test_an_ivan_is_named():
    assert "IVAN VÍ DỤ (00040)" in declaration_html(a_form(transact_at=Ivan("00040", "IVAN VÍ DỤ")))


def test_a_stop_names_day_and_reason():
    page = declaration_html(a_form(action="stop", stop=a_stop()))
    assert "01/04/2026" in page
    assert "NGỪNG" in page
    assert "stop.reason" not in page


def test_own_words_for_the_reason_go_first():
    stop = Stop(from_date=None, reason=StopReason.OTHER, text="Sáp nhập")
    assert "Sáp nhập" in declaration_html(a_form(action="stop", stop=stop))
    assert "Lý do ngừng" not in declaration_html(a_form(action="stop", stop=Stop()))


def test_changes_and_attachments_are_listed():
    page = declaration_html(a_form(action="adjust", changes="Đổi thư", attachments=(a_licence(),)))
    assert "Đổi thư" in page
    assert "giay-phep.pdf" in page
    assert "Đổi thư" not in declaration_html(a_form(changes="Đổi thư"))
