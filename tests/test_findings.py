from __future__ import annotations

import json

from bhxh_sdk.findings import Finding, Report, Severity

ERROR = Finding(
    code="form.missing",
    severity=Severity.ERROR,
    field="agency.code",
    parameters={"name": "code"},
    source="Form",
)
WARNING = Finding(code="form.not_base64", severity=Severity.WARNING, field="attachments[0]")


def test_a_finding_tells_what_is_wrong_and_what_to_do():
    assert ERROR.message("vi") == "Thiếu mục bắt buộc «code»."
    assert ERROR.hint("en") == "Add «code» to the form file."
    assert ERROR.message() == ERROR.message("en")


def test_a_finding_is_json():
    assert json.loads(json.dumps(ERROR.as_dict("vi"))) == {
        "code": "form.missing",
        "severity": "error",
        "field": "agency.code",
        "message": "Thiếu mục bắt buộc «code».",
        "hint": "Thêm mục «code» vào tệp hồ sơ.",
        "source": "Form",
        "messages": {
            "vi": "Thiếu mục bắt buộc «code».",
            "en": "The required member «code» is missing.",
        },
        "hints": {"vi": "Thêm mục «code» vào tệp hồ sơ.", "en": "Add «code» to the form file."},
    }


def test_findings_can_be_kept_in_sets():
    assert len({ERROR, ERROR, WARNING}) == 2


def test_a_report_keeps_the_order_and_tells_errors_from_warnings():
    report = Report([WARNING, ERROR])
    assert list(report) == [WARNING, ERROR]
    assert (report.errors, report.warnings) == ((ERROR,), (WARNING,))
    assert report.codes == ("form.not_base64", "form.missing")
    assert len(report) == 2


def test_only_errors_stop_the_work():
    assert Report().ok
    assert Report([WARNING]).ok
    assert not Report([ERROR]).ok


def test_an_empty_report_is_no_trap():
    assert Report()


def test_reports_are_added_up():
    assert Report([ERROR]) + Report([WARNING]) == Report([ERROR, WARNING])


def test_a_report_is_json():
    assert Report([WARNING]).as_dict() == {"ok": True, "findings": [WARNING.as_dict()]}
