"""Rules about attached files."""

import pytest

from bhxh_sdk.models import Attachment


def files(*names):
    return tuple(Attachment(file_name=name, content=b"x") for name in names)


def test_plain_files_are_fine(findings):
    assert findings(attachments=files("giấy phép.pdf", "b.pdf")) == []


def test_a_file_without_a_name_is_an_error(findings):
    assert findings(attachments=files("a.pdf", " ")) == [
        ("attachment.name_missing", "attachments[1].file_name")
    ]


@pytest.mark.parametrize("name", ["../a.pdf", "C:\\a.pdf", "a/b.pdf", "..", "."])
def test_a_path_is_an_error(findings, name):
    assert findings(attachments=files(name)) == [("attachment.path_in_name", "attachments[0].file_name")]


def test_a_name_is_measured_in_bytes(findings):
    assert findings(attachments=files("a" * 255)) == []
    assert findings(attachments=files("đ" * 128)) == [
        ("attachment.name_too_long", "attachments[0].file_name")
    ]


def test_every_repeated_name_is_an_error(findings):
    assert findings(attachments=files("a.pdf", "A.PDF", "a.pdf")) == [
        ("attachment.duplicate_name", "attachments[1].file_name"),
        ("attachment.duplicate_name", "attachments[2].file_name"),
    ]


def test_two_files_without_names_are_not_called_duplicates(findings):
    assert {code for code, _ in findings(attachments=files("", ""))} == {"attachment.name_missing"}


def test_an_empty_file_is_an_error(findings):
    assert findings(attachments=(Attachment(file_name="a.pdf", content=b""),)) == [
        ("attachment.empty", "attachments[0].content")
    ]
