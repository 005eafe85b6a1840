"""`bhxh register`, `activate`, `log-in`, `status`, `resume` and `record`, against a sandbox on loopback."""

from __future__ import annotations

import contextlib
import io
import re
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from bhxh_sdk.cli import people
from bhxh_sdk.cli.sandbox_folder import SandboxFolder
from bhxh_sdk.errors import InputError
from bhxh_sdk.sandbox import Sandbox, VirtualClock
from bhxh_sdk.sandbox.faults import Fault
from bhxh_sdk.transport.mailbox import credentials_in

if TYPE_CHECKING:
    from pathlib import Path

EMAIL = "hr@example.com"


@pytest.fixture
def sandbox():
    with Sandbox(clock=VirtualClock(flowing=True)) as served:
        yield served


@pytest.fixture
def laid(sandbox, tmp_path, monkeypatch):
    folder = SandboxFolder.laid(tmp_path / "sandbox", sandbox)
    for name, value in folder.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("BHXH_CHANNEL", str(folder.path("portal.toml")))
    monkeypatch.setenv("BHXH_SIGNER", folder.signer)
    return folder


@pytest.fixture
def submitted(bhxh, laid):
    """The key of a registration that the sandbox has taken."""
    done = bhxh("register", laid.path("register-at-portal.toml"), "--yes", "--json")
    assert done.code == 0, done
    return done.json["key"]


@pytest.fixture
def at_the_terminal(monkeypatch, sandbox):
    """Somebody sits at the terminal: types these lines, then what the captcha's picture shows."""
    seen: list[Path] = []
    picture = people._picture

    @contextlib.contextmanager
    def remembered(image: bytes):
        with picture(image) as path:
            seen.append(path)
            yield path

    def sit(*lines: str) -> list[str]:
        typed = list(lines)
        asked = []

        def answer(text: str, **_: object) -> str:
            asked.append(text)
            return typed.pop(0) if typed else sandbox.answer_captcha(seen[-1].read_bytes())

        monkeypatch.setattr(people, "interactive", lambda: True)
        monkeypatch.setattr(people, "_typed", answer)
        monkeypatch.setattr(people, "_typed_secretly", answer)
        monkeypatch.setattr(people, "_picture", remembered)
        return asked

    return sit


def steps_done(status: dict) -> int:
    return sum(step["state"] == "done" for step in status["steps"])


def mail(sandbox: Sandbox, kind: str) -> bytes:
    return sandbox.outbox.latest(EMAIL, kind).as_bytes()


def code_in(sandbox: Sandbox) -> str:
    text = sandbox.outbox.latest(EMAIL, "activation").get_body(("plain",)).get_content()
    found = re.search(r"Mã kích hoạt: (\w+)", text)
    assert found
    return found[1]


@pytest.mark.parametrize("channel", ["portal", "ivan"])
def test_a_registration_goes_all_its_way(bhxh, laid, sandbox, tmp_path, at_the_terminal, channel):
    form = "register-at-portal.toml" if channel == "portal" else "register-through-ivan.toml"
    options = ("--channel", laid.path(f"{channel}.toml"), "--json")
    done = bhxh("register", laid.path(form), *options, "--yes")
    assert (done.code, done.json["state"], done.json["submissions"]) == (0, "submitted", 1)
    assert set(done.json) >= {"key", "state", "steps", "submissions"}
    assert [step["number"] for step in done.json["steps"]] == list(range(1, 30))
    assert steps_done(done.json) == 24
    key = done.json["key"]
    assert key in done.err

    (tmp_path / "code.eml").write_bytes(mail(sandbox, "activation"))
    done = bhxh("activate", key, "--mail", "code.eml", *options)
    assert (done.code, done.json["state"], steps_done(done.json)) == (0, "activated", 28)

    (tmp_path / "account.eml").write_bytes(mail(sandbox, "credentials"))
    if channel == "portal":
        at_the_terminal("wrong")
        refused = bhxh("log-in", key, "--mail", "account.eml", *options)
        assert (refused.code, refused.error["code"]) == (1, "refused.log_in")
        assert bhxh("status", key, "--json").json["state"] == "activated"
        at_the_terminal()
    done = bhxh("log-in", key, "--mail", "account.eml", *options)
    assert (done.code, done.json["state"], steps_done(done.json)) == (0, "active", 29)
    assert done.json["session"]["user_name"]
    password = credentials_in(mail(sandbox, "credentials")).password.reveal()
    assert password not in done.out + done.err
    assert bhxh("status", key, "--json").json["state"] == "active"
    assert sandbox.agency.submissions == 1


def test_where_nobody_is_to_read_the_captcha_a_person_is_needed(bhxh, submitted, sandbox, tmp_path):
    (tmp_path / "code.eml").write_bytes(mail(sandbox, "activation"))
    bhxh("activate", submitted, "--mail", "code.eml")
    (tmp_path / "account.eml").write_bytes(mail(sandbox, "credentials"))
    done = bhxh("log-in", submitted, "--mail", "account.eml", "--json")
    assert (done.code, done.error["code"]) == (6, "person_needed.nobody_to_ask")
    assert bhxh("status", submitted, "--json").json["state"] == "activated"


def test_between_two_certificates_and_without_a_person_both_are_listed(bhxh, laid, sandbox, pki, tmp_path):
    first, second = pki.issue(tax_code="0100109106"), pki.issue(tax_code="0100109106")
    key_file = tmp_path / "two.pem"
    key_file.write_bytes(first.key_pem() + first.certificates_pem() + second.certificates_pem())
    call = ("register", laid.path("register-at-portal.toml"), "--yes", "--signer", f"softkey:{key_file}")
    done = bhxh(*call, "--json", "--lang", "en")
    assert (done.code, done.error["code"]) == (6, "cli.choice_needed")
    assert "(with id=…) in --signer" in done.error["hint"]
    serials = {item.info.serial_text for item in (first, second)}
    assert {item["serial"] for item in done.error["certificates"]} == serials
    assert sandbox.agency.submissions == 0


def test_without_a_yes_and_without_a_person_nothing_is_begun(bhxh, laid, sandbox, tmp_path):
    done = bhxh("register", laid.path("register-at-portal.toml"), "--json")
    assert (done.code, done.error["code"]) == (6, "cli.confirm_needed")
    assert sandbox.agency.submissions == 0
    assert bhxh("status", "--json").json == []


def test_the_person_at_the_terminal_confirms(bhxh, laid, sandbox, at_the_terminal):
    asked = at_the_terminal("có")
    assert bhxh("register", laid.path("register-at-portal.toml")).code == 0
    assert "CÔNG TY TNHH VÍ DỤ" in asked[0]


def test_the_person_at_the_terminal_may_say_no(bhxh, laid, sandbox, at_the_terminal):
    at_the_terminal("k")
    done = bhxh("register", laid.path("register-at-portal.toml"), "--key", "mine", "--json")
    assert (done.code, done.error["code"], done.error["reference"]) == (2, "workflow.not_confirmed", "mine")
    assert sandbox.agency.submissions == 0
    assert bhxh("resume", "mine", "--yes", "--json").json["state"] == "submitted"


def test_the_same_form_is_not_filed_twice_by_accident(bhxh, laid, sandbox):
    form = laid.path("register-at-portal.toml")
    assert bhxh("register", form, "--key", "mine", "--yes", "--json").code == 0
    again = bhxh("register", form, "--yes", "--json")
    assert (again.code, again.error["code"]) == (2, "workflow.already_begun")
    assert again.error["reference"] == "mine"
    assert sandbox.agency.submissions == 1


def test_one_key_is_one_registration(bhxh, laid, sandbox):
    form = laid.path("register-at-portal.toml")
    for _ in range(2):
        done = bhxh("register", form, "--key", "mine", "--yes", "--json")
        assert (done.code, done.json["submissions"]) == (0, 1)
    assert sandbox.agency.submissions == 1


@pytest.mark.parametrize("way", ["option", "code on input", "mail on input", "asked"])
def test_the_code_may_come_from_anywhere(bhxh, submitted, sandbox, monkeypatch, at_the_terminal, way):
    code = code_in(sandbox)
    given = {"option": ("--code", code), "asked": ()}.get(way, ("-",))
    content = code.encode() + b"\n" if way == "code on input" else mail(sandbox, "activation")
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content), isatty=lambda: False))
    if way == "asked":
        at_the_terminal(code)
    done = bhxh("activate", submitted, *given, "--json")
    assert (done.code, done.json["state"]) == (0, "activated")


@pytest.mark.parametrize("given", [("--code", "A", "-"), ("--code", "A", "--mail", "m.eml"), ("nonsense",)])
def test_the_code_comes_from_one_place(bhxh, submitted, given):
    done = bhxh("activate", submitted, *given, "--json")
    assert (done.code, done.error["code"]) == (2, "cli.activate.choose_one")


def test_where_nobody_is_to_type_the_code_a_person_is_needed(bhxh, submitted):
    assert bhxh("activate", submitted).code == 6


def test_a_mail_without_a_code_is_our_mistake(bhxh, submitted, tmp_path):
    (tmp_path / "m.eml").write_text("Subject: hello\n\nnothing here", encoding="utf-8")
    done = bhxh("activate", submitted, "--mail", "m.eml", "--json")
    assert done.code == 2
    assert bhxh("status", submitted, "--json").json["state"] == "submitted"


def test_a_wrong_code_is_refused_and_may_be_mended(bhxh, submitted, sandbox):
    done = bhxh("activate", submitted, "--code", "WRONG", "--json")
    assert (done.code, done.error["code"], done.error["retry"]) == (1, "refused.wrong_code", "never")
    assert bhxh("status", submitted, "--json").json["state"] == "submitted"
    assert bhxh("activate", submitted, "--code", code_in(sandbox)).code == 0


def test_an_expired_code_is_refused(bhxh, submitted, sandbox):
    code = code_in(sandbox)
    sandbox.clock.advance(timedelta(days=3))
    done = bhxh("activate", submitted, "--code", code, "--json")
    assert (done.code, done.error["code"]) == (1, "refused.code_expired")
    assert bhxh("status", submitted, "--json").json["state"] == "submitted"


def test_activating_twice_is_refused(bhxh, submitted, sandbox):
    code = code_in(sandbox)
    assert bhxh("activate", submitted, "--code", code).code == 0
    done = bhxh("activate", submitted, "--code", code, "--json")
    assert done.code == 1
    assert done.error["code"] == "workflow.already_activated"
    assert bhxh("status", submitted, "--json").json["state"] == "activated"


def test_a_unit_that_is_registered_already_is_refused(bhxh, submitted, laid, sandbox):
    bhxh("activate", submitted, "--code", code_in(sandbox))
    done = bhxh("register", laid.path("register-at-portal.toml"), "--key", "again", "--yes", "--json")
    assert (done.code, done.error["code"]) == (1, "refused.already_registered")
    assert done.error["agency_code"]
    assert done.error["reference"] == "again"
    assert bhxh("status", "again", "--json").json["state"] == "refused"
    assert bhxh("resume", "again").code == 1


@pytest.mark.parametrize("fault", [Fault.HTML_PAGE, Fault.HTML_AFTER, Fault.LOSE_REPLY])
def test_a_portal_that_answers_no_json_leaves_a_doubt_and_no_second_submission(bhxh, laid, sandbox, fault):
    sandbox.faults.next("register", fault)
    form = laid.path("register-at-portal.toml")
    done = bhxh("register", form, "--key", "mine", "--yes", "--json")
    assert (done.code, done.error["retry"]) == (5, "after_reconcile")
    assert bhxh("status", "mine", "--json").json["state"] == "in_doubt"
    arrived = sandbox.agency.submissions
    resumed = bhxh("resume", "mine", "--json")
    if arrived:
        assert (resumed.code, resumed.json["state"]) == (0, "submitted")
    else:
        assert resumed.code == 5
        decided = bhxh("resume", "mine", "--send-again", "--json")
        assert (decided.code, decided.json["submissions"]) == (0, 2)
    assert sandbox.agency.submissions == 1


def test_a_server_that_is_not_there_was_certainly_not_reached(bhxh, laid, sandbox):
    sandbox.stop()
    done = bhxh("register", laid.path("register-at-portal.toml"), "--key", "mine", "--yes", "--json")
    assert (done.code, done.error["retry"]) == (5, "now")
    assert bhxh("status", "mine", "--json").json["submissions"] == 0


def test_an_unlisted_agency_is_our_mistake(bhxh, laid, sandbox, tmp_path):
    text = laid.path("register-at-portal.toml").read_text(encoding="utf-8").replace("07906", "99999")
    (tmp_path / "form.toml").write_text(text, encoding="utf-8")
    done = bhxh("register", "form.toml", "--yes", "--json")
    assert (done.code, done.error["code"]) == (2, "input.report")
    assert sandbox.agency.submissions == 0


def test_what_a_command_needs_is_named(bhxh, laid, submitted, monkeypatch):
    monkeypatch.delenv("BHXH_SIGNER")
    form = laid.path("register-at-portal.toml")
    other = ("--key", "other", "--yes")
    assert bhxh("register", form, *other, "--json").error["code"] == "workflow.no_signer"
    assert bhxh("register", "nowhere.toml", "--yes").code == 2
    monkeypatch.delenv("BHXH_SANDBOX_PASSPHRASE")
    assert bhxh("register", form, *other).code == 3
    monkeypatch.delenv("BHXH_CHANNEL")
    done = bhxh("register", form, *other, "--json")
    assert (done.code, done.error["code"]) == (3, "setup.no_channel")
    assert bhxh("activate", submitted, "--json").error["code"] == "cli.usage"
    assert bhxh("status", submitted).code == 0
    assert bhxh("status", submitted, "--refresh").code == 3


def test_a_mistyped_journal_is_not_an_empty_one(bhxh, laid, submitted, tmp_path):
    for command in ("status", "resume", "activate", "log-in"):
        key = () if command == "status" else (submitted,)
        done = bhxh(command, *key, "--journal", "typo.db", "--json")
        assert (done.code, done.error["code"]) == (3, "cli.no_journal")
    assert not (tmp_path / "typo.db").exists()


def test_a_file_that_is_no_journal_is_named(bhxh, laid, tmp_path):
    (tmp_path / "note.txt").write_text("no journal at all, only a text " * 50, encoding="utf-8")
    done = bhxh("status", "--journal", "note.txt", "--json")
    assert done.code == 3
    assert "note.txt" in done.error["message"]


def test_an_unknown_key_is_our_mistake(bhxh, submitted):
    for command in (
        ("status",),
        ("resume",),
        ("activate", "--code", "A"),
        ("log-in",),
        ("record", "--accepted"),
    ):
        done = bhxh(command[0], "nonsense", *command[1:], "--json")
        assert (done.code, done.error["code"]) == (2, "workflow.unknown_key")


def test_status_lists_and_asks_the_agency_when_told_to(bhxh, laid, sandbox):
    sandbox.agency.settings = evolve(sandbox.agency.settings, decided_after=timedelta(hours=1))
    key = bhxh("register", laid.path("register-at-portal.toml"), "--yes", "--json").json["key"]
    assert [entry["key"] for entry in bhxh("status", "--json").json] == [key]
    assert bhxh("status").out.startswith(key)
    assert bhxh("status", key, "--json").json["accepted"] is False
    sandbox.clock.advance(timedelta(hours=2))
    assert bhxh("status", key, "--json").json["accepted"] is False
    assert bhxh("status", key, "--refresh", "--json").json["accepted"] is True


def test_the_password_may_come_from_a_variable_or_the_person(
    bhxh, submitted, sandbox, monkeypatch, at_the_terminal
):
    bhxh("activate", submitted, "--code", code_in(sandbox))
    done = bhxh("log-in", submitted, "--password-env", "PORTAL_PASSWORD", "--json")
    assert (done.code, done.error["code"]) == (6, "cli.variable_empty")
    assert bhxh("log-in", submitted).code == 6
    monkeypatch.setenv("PORTAL_PASSWORD", "not-the-password")
    at_the_terminal()
    done = bhxh("log-in", submitted, "--password-env", "PORTAL_PASSWORD", "--json")
    assert (done.code, done.error["code"]) == (1, "refused.log_in")
    assert "not-the-password" not in done.out + done.err


def test_on_paper_a_page_is_printed_and_a_person_writes_down_the_rest(bhxh, form_file, tmp_path):
    done = bhxh("register", form_file(base="register-on-paper"), "--yes", "--json")
    assert (done.code, done.json["state"]) == (6, "printed")
    page = (tmp_path / done.json["page"]).read_text(encoding="utf-8")
    assert "CÔNG TY TNHH VÍ DỤ" in page
    key = done.json["key"]
    assert bhxh("resume", key).code in {2, 6}
    for wrong in ((), ("--handed-in", "--accepted")):
        assert bhxh("record", key, *wrong, "--json").error["code"] == "cli.record.choose_one"
    assert bhxh("record", key, "--accepted").code == 2
    done = bhxh("record", key, "--handed-in", "--number", "1/2026/07906", "--json")
    assert (done.code, done.json["state"], done.json["dossier_number"]) == (0, "submitted", "1/2026/07906")
    assert bhxh("record", key, "--accepted", "--json").json["accepted"] is True


def test_a_refusal_on_paper_is_written_down(bhxh, form_file):
    key = bhxh("register", form_file(base="register-on-paper"), "--yes", "--page", "p.html", "--json").json[
        "key"
    ]
    bhxh("record", key, "--handed-in")
    done = bhxh("record", key, "--refused", "Thiếu con dấu", "--json")
    assert (done.code, done.json["state"], done.json["agency_text"]) == (0, "refused", "Thiếu con dấu")


def test_a_page_that_is_there_is_told_before_anything_is_recorded(bhxh, form_file, tmp_path):
    form, page = form_file(base="register-on-paper"), tmp_path / "p.html"
    page.write_text("precious", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    for place, code in ((page, "cli.file_exists"), ("no/p.html", "cli.cannot_write")):
        done = bhxh("register", form, "--yes", "--page", place, "--key", "mine", "--json")
        assert (done.code, done.error["code"], done.error["reference"]) == (2, code, "")
    done = bhxh("register", form, "--yes", "--page", "folder", "--force", "--key", "mine", "--json")
    assert (done.code, done.error["code"]) == (2, "cli.cannot_write")
    assert bhxh("status").code == 3
    assert page.read_text(encoding="utf-8") == "precious"
    assert bhxh("register", form, "--yes", "--page", page, "--key", "mine", "--force").code == 6
    assert "CÔNG TY" in page.read_text(encoding="utf-8")
    done = bhxh("resume", "mine", "--page", page, "--json")
    assert (done.code, done.error["code"]) == (2, "cli.file_exists")
    assert bhxh("resume", "mine", "--page", page, "--force").code == 6


def test_what_was_never_begun_has_no_key(bhxh, laid, tmp_path, monkeypatch):
    monkeypatch.setenv("BHXH_TEST_PASSPHRASE", "invented")
    channel = tmp_path / "live.toml"
    channel.write_text(
        'kind = "portal"\nprofile = "portal-vss"\npassphrase_env = "BHXH_TEST_PASSPHRASE"\n', encoding="utf-8"
    )
    form = laid.path("register-at-portal.toml")
    for key in ((), ("--key", "live")):
        done = bhxh("register", form, "--channel", channel, "--yes", "--json", *key)
        assert (done.code, done.error["code"]) == (3, "setup.operation_not_in_profile")
        assert done.error["reference"] == ""
    assert bhxh("status", "live").code == 2


def test_hints_are_for_the_command_line(bhxh, laid, monkeypatch):
    monkeypatch.delenv("BHXH_SIGNER")
    form = laid.path("register-at-portal.toml")
    done = bhxh("register", form, "--yes", "--json", "--lang", "en")
    assert "--signer" in done.error["hint"]
    monkeypatch.delenv("BHXH_CHANNEL")
    done = bhxh("register", form, "--yes", "--json", "--lang", "en")
    assert "--channel" in done.error["hint"]
    assert "open_" not in done.error["hint"]


def test_a_wrong_channel_file_is_not_called_a_form(bhxh, laid, tmp_path):
    (tmp_path / "c.toml").write_text('kind = "portal"\nprofil = "x"\n', encoding="utf-8")
    form = laid.path("register-at-portal.toml")
    for channel, code in (("c.toml", "cli.channel_file"), ("none.toml", "input.unreadable_file")):
        done = bhxh("register", form, "--channel", channel, "--yes", "--json", "--lang", "en")
        assert (done.code, done.error["code"]) == (2, code)
        assert channel in done.error["message"]
        assert "form" not in done.error["message"].lower()


def test_a_sandbox_writes_only_into_its_own_folder(sandbox, tmp_path):
    (tmp_path / "key.pem").write_text("my private key", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        SandboxFolder.laid(tmp_path, sandbox)
    assert (caught.value.code, caught.value.parameters["name"]) == ("cli.foreign_folder", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["key.pem"]


def test_a_sandbox_that_comes_back_keeps_edited_forms_and_no_old_mails(bhxh, submitted, laid, sandbox):
    (old,) = laid.new_mails()
    edited, channel = laid.path("register-at-portal.toml"), laid.path("portal.toml")
    edited.write_text("edited", encoding="utf-8")
    channel.write_text("old", encoding="utf-8")
    own = laid.path("mails/kept.txt")
    own.write_text("mine", encoding="utf-8")
    SandboxFolder.laid(laid.folder, sandbox)
    assert edited.read_text(encoding="utf-8") == "edited"
    assert sandbox.portal_url in channel.read_text(encoding="utf-8")
    assert not old.exists()
    assert own.exists()
