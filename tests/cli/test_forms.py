"""`bhxh check` and `bhxh build`."""

from __future__ import annotations

import codecs
import json
import os
import tomllib

import pytest

from bhxh_sdk import xml
from bhxh_sdk.models import form_from_dict, form_to_dict

TWELVE_MISTAKES = """
action = "register"
transact_at = { ivan = "" }
starts_on = "tomorrow"
use_certificate = "yes"
nickname = "x"

[agency]
code = "99999"

[organisation]
name = ""
unit_code = "1234"
tax_code = "0100109107"

[contact]
name = ""
address = ""
mobile = "123"
email = "nobody"
"""

NAMED = {
    "starts_on",
    "use_certificate",
    "nickname",
    "agency.code",
    "organisation.name",
    "organisation.unit_code",
    "organisation.tax_code",
    "contact.name",
    "contact.address",
    "contact.mobile",
    "contact.email",
    "transact_at.code",
}


def test_a_right_form_is_done(bhxh, form_file):
    done = bhxh("check", form_file(), "--json")
    assert (done.code, done.json, done.err) == (0, {"ok": True, "findings": []}, "")


def test_a_person_reads_the_verdict_in_the_language_asked_for(bhxh, form_file):
    assert "hợp lệ" in bhxh("check", form_file()).out
    assert "The form is right" in bhxh("check", form_file(), "--lang", "en").out
    assert "The form is right" in bhxh("--lang=en", "check", form_file()).out


def test_twelve_different_mistakes_are_named_at_once(bhxh, tmp_path):
    (tmp_path / "form.toml").write_text(TWELVE_MISTAKES, encoding="utf-8")
    in_both = {lang: bhxh("check", "form.toml", "--json", "--lang", lang) for lang in ("vi", "en")}
    assert {done.code for done in in_both.values()} == {2}
    found = {lang: done.json["findings"] for lang, done in in_both.items()}
    assert {finding["field"] for finding in found["en"]} >= NAMED
    assert len(NAMED) == 12
    for vietnamese, english in zip(found["vi"], found["en"], strict=True):
        assert vietnamese["code"] == english["code"]
        assert vietnamese["message"] != english["message"]
        for finding in (vietnamese, english):
            assert set(finding) >= {"code", "severity", "field", "message", "hint", "source"}
            assert all(
                finding[texts][language] for texts in ("messages", "hints") for language in ("vi", "en")
            )
            assert all(finding.values()), finding


def test_people_see_field_code_text_and_hint_of_each_mistake(bhxh, form_file):
    done = bhxh("check", form_file(("0912345678", "123")), "--lang", "en")
    assert done.code == 2
    assert "contact.mobile" in done.out
    assert "[mobile.malformed]" in done.out
    assert "→" in done.out


def test_a_certificate_is_checked_with_the_form(bhxh, form_file):
    of_another = bhxh("check", form_file(), "--signer", "softkey:new?tax-code=0312345670", "--json")
    assert of_another.code == 2
    assert any(finding["field"].startswith("certificate") for finding in of_another.json["findings"])
    assert bhxh("check", form_file(), "--signer", "softkey:new").code == 0


def test_a_certificate_file_is_checked_with_the_form(bhxh, form_file, key_file):
    assert bhxh("check", form_file(), "--certificate", key_file("0100109106")).code == 0
    assert bhxh("check", form_file(), "--certificate", key_file("0312345670", name="b.pem")).code == 2
    assert bhxh("check", form_file(), "--certificate", form_file()).code == 2


def test_json_forms_are_read_too(bhxh, form_file, tmp_path):
    data = form_to_dict(form_from_dict(tomllib.loads(form_file().read_text(encoding="utf-8"))))
    for name in ("form.json", "form.txt"):
        (tmp_path / name).write_text(json.dumps(data), encoding="utf-8")
        assert bhxh("check", name).code == 0


def test_a_byte_order_mark_is_accepted(bhxh, form_file):
    path = form_file()
    path.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
    assert bhxh("check", path).code == 0


UNREADABLE = {
    "missing": (None, "cli.file_missing"),
    "not utf-8": (b'action = "\xff"', "cli.not_utf8"),
    "utf-16": ('action = "register"'.encode("utf-16"), "cli.not_utf8"),
    "not toml": (b"action = \n[", "cli.syntax"),
    "cut short": (b'action = "', "cli.syntax"),
    "nested too deeply": (b"a = " + b"[" * 5000, "cli.syntax"),
    "tables in tables": (b"a = " + b"{a = " * 30 + b"1" + b"}" * 30, "cli.too_deep"),
    "a key of many parts": (b"agency." + b".".join([b"a"] * 5000) + b" = 1", "cli.too_deep"),
    "a key of many quoted parts": (b".".join([b'"a"'] * 50_000) + b" = 1", "cli.too_deep"),
}


@pytest.mark.parametrize(("content", "code"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_a_typed_error_that_names_the_file(bhxh, tmp_path, content, code):
    if content is not None:
        (tmp_path / "form.toml").write_bytes(content)
    for command in (("check", "form.toml"), ("build", "form.toml", "-o", "out.xml")):
        done = bhxh(*command, "--json", "--lang", "en")
        assert done.code == 2
        assert done.error["code"] == code
        assert "form.toml" in done.error["message"]
        assert done.error["hint"]
        assert done.error["field"] == "FORM"
        assert done.error["retry"] == "never"


@pytest.mark.parametrize("content", [b"{", b'{"a": 1' + b"0" * 5000 + b"}", b'{"a":' + b"[" * 100_000])
def test_broken_json_is_a_typed_error(bhxh, tmp_path, content):
    (tmp_path / "form.json").write_bytes(content)
    done = bhxh("check", "form.json", "--json")
    assert (done.code, done.error["code"]) == (2, "cli.syntax")


def test_a_syntax_error_tells_line_and_column(bhxh, tmp_path):
    (tmp_path / "form.toml").write_text('action = "register"\nagency = ?\n', encoding="utf-8")
    done = bhxh("check", "form.toml", "--lang", "en")
    assert "line 2, column 10" in done.err
    (tmp_path / "form.json").write_text('{"action": "register",\n}', encoding="utf-8")
    assert "line 2" in bhxh("check", "form.json", "--lang", "en").err


def test_a_folder_is_not_a_form(bhxh, tmp_path):
    done = bhxh("check", tmp_path, "--json")
    assert (done.code, done.error["code"]) == (2, "cli.file_is_folder")


def test_a_device_is_not_a_form(bhxh):
    done = bhxh("check", "/dev/zero", "--json")
    assert (done.code, done.error["code"]) == (2, "cli.file_not_plain")


ODD = {
    "a name with a dot": '[agency]\n"a.b" = 1',
    "a name that begins with a dot": '".agency" = 1',
    "a name with brackets": '[agency]\n"x[0]" = 1',
    "a name like a known path": '[agency]\n"code.x" = 1',
    "a name like a position": '[agency]\n"[0]" = 1',
    "an empty name": '[agency]\n"" = 1',
    "a list for a table": "agency = [{}]",
    "lists for all tables": "agency = [{}]\norganisation = [1]\ncontact = [[]]",
    "a text for a table": 'agency = "07906"',
    "a table for a list": "attachments = {a = 1, b = {file = 2}}",
    "a name of controls": '"\\u001b[31m" = 1',
    "tables in a wrong place": "action = {a = {b = 1}}",
    "many names": "\n".join(f'"a{number}.b" = 1' for number in range(3000)),
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_odd_names_and_shapes_are_findings_and_no_fault_of_the_program(bhxh, tmp_path, content):
    (tmp_path / "form.toml").write_text(content, encoding="utf-8")
    done = bhxh("check", "form.toml", "--json")
    assert (done.code, done.json["ok"]) == (2, False)


def test_an_odd_name_hides_no_other_mistake(bhxh, form_file):
    done = bhxh("check", form_file(("[contact]", '"x[0].y" = 1\n[contact]'), ("0912345678", "123")), "--json")
    fields = [finding["field"] for finding in done.json["findings"]]
    assert fields == ["organisation.x[0].y", "contact.mobile"]


@pytest.mark.parametrize("content", ["", "5", "[]", '"text"', "null", "{}"])
def test_a_form_without_its_members_names_them(bhxh, tmp_path, content):
    (tmp_path / "form.json").write_text(content or "{}", encoding="utf-8")
    done = bhxh("check", "form.json", "--json")
    assert done.code == 2
    assert not done.json["ok"]


def test_a_wrong_type_names_its_field(bhxh, form_file):
    done = bhxh("check", form_file(('name = "Nguyễn Thị Thí Dụ"', "name = 5")), "--json", "--lang", "en")
    (finding,) = done.json["findings"]
    assert (done.code, finding["field"], finding["code"]) == (2, "contact.name", "form.wrong_type")


def test_attachments_lie_beside_the_form(bhxh, form_file, tmp_path):
    form = form_file(base="first-registration")
    done = bhxh("check", form, "--json")
    assert done.code == 2
    assert "giay-phep.pdf" in done.out
    (tmp_path / "giay-phep.pdf").write_bytes(b"%PDF-1.4 invented")
    assert bhxh("check", form).code == 0


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret.pdf", "link.pdf", "a/../../secret.pdf"])
def test_an_attachment_outside_the_forms_folder_is_refused(bhxh, form_file, tmp_path, name):
    (tmp_path / "secret.pdf").write_bytes(b"nobody else's")
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "link.pdf").symlink_to(tmp_path / "secret.pdf")
    form = form_file(("giay-phep.pdf", name), base="first-registration", name="forms/form.toml")
    for command in (("check",), ("build", "-o", "out.xml"), ("register", "--yes")):
        done = bhxh(command[0], form, *command[1:], "--json", "--lang", "en")
        found = done.json["findings"] if command[0] == "check" else done.error["findings"]
        assert done.code == 2
        assert (found[0]["code"], found[0]["field"]) == ("cli.attachment_outside", "attachments[0]")
        assert "--attachments-from" in found[0]["hint"]
    assert not (tmp_path / "out.xml").exists()


def test_a_person_may_name_the_folder_of_the_attachments(bhxh, form_file, tmp_path):
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "giay-phep.pdf").write_bytes(b"%PDF-1.4 invented")
    form = form_file(base="first-registration")
    assert bhxh("check", form, "--attachments-from", "papers").code == 0
    assert bhxh("build", form, "-o", "out.xml", "--attachments-from", tmp_path / "papers").code == 0


@pytest.mark.parametrize("name", ["a\\u0000b", "pipe"])
def test_an_attachment_that_is_no_file_is_a_finding(bhxh, form_file, tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    form = form_file(("giay-phep.pdf", name), base="first-registration")
    done = bhxh("check", form, "--json")
    assert (done.code, done.json["findings"][0]["field"]) == (2, "attachments[0]")


def test_what_a_form_holds_cannot_steer_the_terminal(bhxh, form_file):
    form = form_file(('action = "register"', 'action = "\\u001b[31mPWN\\u202e\\u2028"'))
    done = bhxh("check", form)
    assert "\\u001b[31mPWN\\u202e\\u2028" in done.out
    in_json = bhxh("check", form, "--json")
    assert "\x1b[31mPWN\u202e\u2028" in in_json.json["findings"][0]["message"]
    for text in (done.out, in_json.out):
        assert not set(text) & set("\x1b\u202e\u2028")


def test_an_agency_that_no_list_has_needs_its_name(bhxh, form_file):
    unknown = form_file(("07906", "99999"))
    done = bhxh("build", unknown, "-o", "out.xml", "--json", "--lang", "en")
    assert done.code == 2
    codes = {finding["code"] for finding in done.error["findings"]}
    assert codes == {"agency.unknown", "agency.name_missing"}
    named = form_file(('code = "07906"', 'code = "99999"\nname = "BHXH cơ sở Thí Dụ"'))
    assert bhxh("build", named, "-o", "out.xml").code == 0


def test_build_writes_the_unsigned_document(bhxh, form_file, tmp_path):
    done = bhxh("build", form_file(), "-o", "out.xml", "--json")
    assert done.code == 0
    assert done.json["profile"] == "portal-register"
    form = xml.read((tmp_path / "out.xml").read_bytes())
    assert str(form.organisation.tax_code) == "0100109106"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_build_takes_a_profile_by_name_or_file(bhxh, form_file, tmp_path):
    assert bhxh("build", form_file(), "-o", "a.xml", "--profile", "portal-register").code == 0
    (tmp_path / "own.toml").write_text('base = "portal-register"\nname = "own"\n', encoding="utf-8")
    assert (
        bhxh("build", form_file(), "-o", "b.xml", "--profile", "own.toml", "--json").json["profile"] == "own"
    )
    for name, code in (("nonsense", "xml.unknown_profile"), ("missing.toml", "cli.file_missing")):
        done = bhxh("build", form_file(), "-o", "c.xml", "--profile", name, "--json")
        assert (done.code, done.error["code"]) == (2, code)


def test_build_refuses_a_form_with_mistakes_and_writes_nothing(bhxh, form_file, tmp_path):
    done = bhxh("build", form_file(("hr@example.com", "nobody")), "-o", "out.xml", "--json")
    assert done.code == 2
    assert done.error["code"] == "input.report"
    assert [finding["code"] for finding in done.error["findings"]] == ["email.malformed"]
    assert not (tmp_path / "out.xml").exists()


def test_build_never_overwrites_unless_told_to(bhxh, form_file, tmp_path):
    out = tmp_path / "out.xml"
    out.write_text("precious", encoding="utf-8")
    done = bhxh("build", form_file(), "-o", out, "--json")
    assert (done.code, done.error["code"]) == (2, "cli.file_exists")
    assert out.read_text(encoding="utf-8") == "precious"
    assert bhxh("build", form_file(), "-o", out, "--force").code == 0
    assert out.read_bytes().startswith(b"<?xml")


def test_build_into_a_folder_that_is_not_there_is_a_typed_error(bhxh, form_file):
    done = bhxh("build", form_file(), "-o", "nowhere/out.xml", "--json")
    assert (done.code, done.error["code"]) == (2, "cli.cannot_write")


def test_a_code_without_quotes_is_told_to_take_them(bhxh, form_file):
    done = bhxh("check", form_file(('"07906"', "07906")), "--json", "--lang", "en")
    assert (done.code, done.error["code"]) == (2, "cli.leading_zero")
    assert '"07906"' in done.error["hint"]


def test_a_code_that_lost_its_zero_finds_it_again(bhxh, form_file):
    done = bhxh("check", form_file(("07906", "7906")), "--json", "--lang", "en")
    assert "did you mean 07906" in done.json["findings"][0]["hint"]


def test_a_missing_table_demands_nothing_that_follows_from_it(bhxh, form_file):
    done = bhxh("check", form_file(("[organisation]", "[organisatio]")), "--json")
    assert {finding["field"] for finding in done.json["findings"]} == {"organisation", "organisatio"}


def test_an_unknown_act_blames_no_data_of_the_act(bhxh, form_file):
    form = form_file(('action = "stop"', 'action = "enrol"'), base="stop")
    done = bhxh("check", form, "--json")
    assert [finding["field"] for finding in done.json["findings"]] == ["action"]


def test_counts_need_no_plural(bhxh, form_file):
    done = bhxh("check", form_file(("0912345678", "123")), "--lang", "en")
    assert "Mistakes: 1; warnings: 0." in done.out


def test_an_unknown_profile_is_told_the_known_ones(bhxh, form_file):
    done = bhxh("build", form_file(), "-o", "o.xml", "--profile", "nope", "--json", "--lang", "en")
    assert "portal-register" in done.error["hint"]
